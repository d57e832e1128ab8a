/** What is mounted into a container beside its own: volumes, and file systems in memory (Docker's `-v`, `--mount`, `--tmpfs`). */
import type { Task } from '@vmexit/linux'
import { type ByteString, type FileSystem, type Mount, MountFlag, TmpFs } from '@vmexit/vfs'
import { containerError } from './errors.ts'
import { fillVolume } from './fill-volume.ts'
import type { GroupCharges } from './group.ts'
import { makePlace, mustAt } from './place.ts'

/** A file system, or one file of its root, at a place in the container. */
export interface VolumeMount {
  readonly type: 'volume'
  /** An absolute path; what of it is not there is made. */
  readonly destination: string
  /** Any of `@vmexit/vfs`; `hostVolume` of `@vmexit/vfs/node` is a directory of the host. Whoever gives it ends it, unless it is `owned`. */
  readonly fileSystem: FileSystem & Partial<Disposable>
  /** The file of its root that is mounted, in the place of all of it: the file system lets itself be bound from outside. */
  readonly file?: ByteString | undefined
  /** Nothing can be written by this way. */
  readonly readOnly?: boolean
  /** As /proc/mounts says it. */
  readonly source?: string
  /** If it is empty, what the image has at its place is copied there before. */
  readonly copy?: boolean
  /** It is disposed of with the container, if it can be. */
  readonly owned?: boolean
}

/** An empty file system in memory, which is the container's to pay. */
export interface TmpFsMount {
  readonly type: 'tmpfs'
  readonly destination: string
  /** Bytes; no limit but the container's unless stated. */
  readonly size?: number
  /** Permissions of its root, 01777 unless stated. */
  readonly mode?: number
  readonly readOnly?: boolean
}

/** Something that is mounted into a container. */
export type ContainerMount = VolumeMount | TmpFsMount

/** Mounts them in order, for the first task of a container. @throws VmexitError `container-options`, `container-image`. */
export function mountVolumes(task: Task, mounts: readonly ContainerMount[], charges: GroupCharges): void {
  const { time } = task.kernel
  for (const mount of mounts) {
    const { destination, readOnly = false } = mount
    if (!destination.startsWith('/') || /^[/.]*$/.test(destination))
      containerError(
        'options',
        `nothing can be mounted at ${destination}`,
        'give an absolute path that is not the root',
      )
    const flags = MountFlag.NODEV | MountFlag.RELATIME | (readOnly ? MountFlag.RDONLY : 0)
    if (mount.type === 'volume') {
      const { fileSystem, file, source = 'volume', copy = false } = mount
      if (copy) fillVolume(task, destination, fileSystem)
      mountAt(task, fileSystem, file, destination, source, flags)
      continue
    }
    const { size = Number.MAX_SAFE_INTEGER, mode = 0o1777 } = mount
    const fs = new TmpFs({ time, charges, mode, sizeBytes: size })
    mountAt(task, fs, undefined, destination, 'tmpfs', flags | MountFlag.NOSUID | MountFlag.NOEXEC)
  }
}

/** Ends those that are the container's. */
export function disposeVolumes(mounts: readonly ContainerMount[] = []): void {
  for (const mount of mounts) if (mount.type === 'volume' && mount.owned === true) mount.fileSystem[Symbol.dispose]?.()
}

/** Mounts a file system, or a file of its root. @throws VmexitError `container-image`. */
export function mountAt(
  task: Task,
  fs: FileSystem,
  file: ByteString | undefined,
  destination: string,
  source: string,
  flags: number,
): Mount {
  const { vfs } = task.kernel
  const { context } = task
  makePlace(task, destination, file === undefined ? 'directory' : 'file')
  if (file === undefined) return mustAt(vfs.mount(context, fs, destination, { source, flags }), destination)
  // The file is found in a tree of its own, which nobody else is in, and is seen here from then on.
  const tree = vfs.newTree(fs, source, flags)
  const own = vfs.newTask(tree)
  try {
    const from = mustAt(vfs.lookup(own, null, file), destination)
    const at = mustAt(vfs.lookup(context, null, destination), destination)
    const mount = mustAt(context.tree.bind(from, at, false), destination)
    mount.flags = flags
    return mount
  } finally {
    vfs.exit(own)
    tree.dispose()
  }
}
