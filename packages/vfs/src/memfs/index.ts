/**
 * `@vmexit/vfs/memfs`: volumes of memfs as file systems, and file systems as volumes of memfs.
 *
 * @packageDocumentation
 */
import type { Volume } from 'memfs'
import type { TaskContext } from '../context.ts'
import type { Credentials } from '../credentials.ts'
import type { FileSystem } from '../file-system.ts'
import type { TimeSource } from '../time.ts'
import { Vfs } from '../vfs.ts'
import { MemfsFileSystem } from './file-system.ts'
import { View } from './view.ts'
import { volumeOfView } from './volume.ts'

/**
 * A volume of memfs as a file system, whose files the volume goes on to have. `time` is the clock that stamps what is
 * changed through the file system; memfs stamps its own changes with the host's. To be made once per volume: what memfs
 * has no place for (extended attributes, nanoseconds) is remembered by this object. After `volume.reset()` make another.
 */
export function memfsFileSystem(volume: Volume, { time }: { readonly time: TimeSource }): FileSystem {
  return new MemfsFileSystem(volume._core, time)
}

/** How a file system is shown as a volume. */
export interface VolumeOptions {
  /** The clock of the file system, for `utimes` with the time that is now. */
  readonly time: TimeSource
  /** Who reads and writes; root unless stated. */
  readonly credentials?: Credentials
  /** Permissions that new files do not get; 022 unless stated. */
  readonly umask?: number
}

/**
 * A file system as a volume of memfs, for code written for Node's `fs`: give it the volume itself, or what memfs's
 * `createFsFromVolume` makes of it. Errors are Node's. Nobody else may use the file system through another layer
 * meanwhile: to share it, mount it in a `Vfs`, and see `volumeOfTask`.
 */
export function volumeOf(fs: FileSystem, { time, credentials, umask }: VolumeOptions): Volume {
  const vfs = new Vfs({ time })
  const task = vfs.newTask(vfs.newTree(fs))
  if (credentials !== undefined) task.credentials = credentials
  if (umask !== undefined) task.umask = umask
  return volumeOfTask(vfs, task)
}

/** What a task sees of a layer as a volume: with its mounts, root and working directory, credentials and umask. */
export function volumeOfTask(vfs: Vfs, task: TaskContext): Volume {
  return volumeOfView(new View(vfs, task))
}
