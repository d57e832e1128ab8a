/**
 * The root of a container (runtime-spec, "Default Filesystems"): the image's layers under a layer of its own, /proc, /dev and /sys.
 * Its mount namespace begins with this, so there is nothing else in it that could be reached.
 */
import type { Group } from '@vmexit/cgroup'
import { CgroupFs, type LinuxKernel, ProcFs, SysFs, type Task } from '@vmexit/linux'
import { OverlayFs } from '@vmexit/overlayfs'
import {
  Access,
  At,
  Errno,
  errnoName,
  type FileSystem,
  Mode,
  MountFlag,
  Open,
  Stat,
  TmpFs,
  toByteString,
} from '@vmexit/vfs'
import { DEVICE_LINKS, DEVICES, makeNode, makeTerminals } from './devices.ts'
import { containerError } from './errors.ts'
import type { GroupCharges } from './group.ts'
import { MASKED, maskPaths, protectPaths, READ_ONLY } from './masks.ts'
import { type ContainerMount, mountVolumes } from './mounts.ts'

const SHARED_MEMORY_BYTES = 64 << 20
const DIRECTORY = 0o755
const PLAIN = MountFlag.NOSUID | MountFlag.NODEV | MountFlag.NOEXEC

/** What takes a container's changes. */
export function upperFs({ time }: LinuxKernel, charges: GroupCharges): TmpFs {
  return new TmpFs({ time, charges, mode: DIRECTORY })
}

/** Copy-on-write on top of an image's layers, the topmost first. */
export function containerFs({ time }: LinuxKernel, layers: readonly FileSystem[], upper: TmpFs): OverlayFs {
  // An image without layers is an empty one.
  const lower = layers.length > 0 ? layers : [new TmpFs({ time, mode: DIRECTORY })]
  return new OverlayFs({ lower: lower.map((layer) => layer.root), upper: upper.root })
}

/** What a container has beside the image's files. */
export interface RootOptions {
  readonly group: Group
  readonly charges: GroupCharges
  readonly hostname: string
  /** Where its program starts; it is made where the image does not have it. */
  readonly cwd: string
  readonly readOnly: boolean
  /** What /etc/hosts says, and /etc/resolv.conf; nothing is made of what is not stated. */
  readonly hosts: string
  readonly resolver?: string
  /** What is mounted beside that. */
  readonly mounts: readonly ContainerMount[]
}

/** Mounts the rest, for its first task. @throws VmexitError `container-image`. */
export function mountAll(task: Task, options: RootOptions): void {
  const { group, charges, hostname, cwd, readOnly, hosts, resolver } = options
  const { kernel, context } = task
  const { vfs, time } = kernel
  const mount = (fs: FileSystem, path: string, flags: number, source: string): void => {
    directory(task, path)
    must(vfs.mount(context, fs, path, { source, flags: flags | MountFlag.RELATIME }), path)
  }
  const isReadOnly = (path: string): void => {
    const at = vfs.mountAt(context, path)
    if (typeof at !== 'number') at.flags |= MountFlag.RDONLY
  }
  const tmpfs = (mode: number, sizeBytes: number): TmpFs => new TmpFs({ time, charges, mode, sizeBytes })
  context.umask = 0
  mount(new ProcFs(kernel, task.ns.pid), '/proc', PLAIN, 'proc')
  mount(tmpfs(DIRECTORY, 65_536), '/dev', MountFlag.NOSUID, 'tmpfs')
  devices(task)
  mount(tmpfs(0o1777, SHARED_MEMORY_BYTES), '/dev/shm', PLAIN, 'shm')
  mount(new SysFs(kernel, task.ns.net), '/sys', PLAIN, 'sysfs')
  mount(new CgroupFs(kernel, group), '/sys/fs/cgroup', PLAIN, 'cgroup')
  for (const path of ['/sys', '/sys/fs/cgroup']) isReadOnly(path)
  protectPaths(task, READ_ONLY)
  maskPaths(task, MASKED)
  // One that has a network needs them, though its image be one program.
  if (resolver !== undefined) vfs.mkdir(context, null, toByteString('/etc'), DIRECTORY)
  write(task, '/etc/hostname', `${hostname}\n`)
  write(task, '/etc/hosts', hosts)
  if (resolver !== undefined) write(task, '/etc/resolv.conf', resolver)
  if (vfs.access(context, null, toByteString(cwd), Access.F_OK) === -Errno.ENOENT) makeAll(task, cwd)
  mountVolumes(task, options.mounts, charges)
  if (readOnly) isReadOnly('/')
  context.umask = 0o022
}

/** A directory that is there, or is made. What an image has in its place is not followed anywhere. */
function directory({ kernel: { vfs }, context }: Task, path: string): void {
  const name = toByteString(path)
  const stat = new Stat()
  let answer = vfs.stat(context, null, name, stat, At.AT_SYMLINK_NOFOLLOW)
  if (answer === -Errno.ENOENT) {
    must(vfs.mkdir(context, null, name, DIRECTORY), path)
    answer = vfs.stat(context, null, name, stat, At.AT_SYMLINK_NOFOLLOW)
  }
  must(answer, path)
  if ((stat.mode & Mode.IFMT) !== Mode.IFDIR)
    containerError('image', `${path} of the image is no directory`, 'take an image whose /proc, /dev and /sys are')
}

function makeAll(task: Task, path: string): void {
  const parts = path.split('/').filter((part) => part !== '')
  for (let n = 1; n <= parts.length; n++) directory(task, `/${parts.slice(0, n).join('/')}`)
}

function devices(task: Task): void {
  const { kernel, context } = task
  const { vfs } = kernel
  for (const [name, major, minor] of DEVICES) makeNode(task, `/dev/${name}`, Mode.IFCHR | 0o666, [major, minor])
  for (const name of ['pts', 'shm']) must(vfs.mkdir(context, null, `/dev/${name}`, DIRECTORY), `/dev/${name}`)
  makeTerminals(task, '/dev/pts')
  for (const [name, target] of Object.entries(DEVICE_LINKS)) vfs.symlink(context, target, null, `/dev/${name}`)
}

/** A file in /etc, if the image has one; whatever stood there is replaced, never written through. */
function write({ kernel: { vfs }, context }: Task, path: string, text: string): void {
  vfs.unlink(context, null, path)
  const file = vfs.open(context, null, path, Open.O_WRONLY | Open.O_CREAT | Open.O_EXCL, 0o644)
  if (typeof file === 'number') return
  vfs.write(context, file, new TextEncoder().encode(text))
  vfs.close(file)
}

function must(answer: object | number, path: string): void {
  if (typeof answer !== 'number' || answer >= 0) return
  containerError('image', `${path} cannot be made (${errnoName(answer)})`, 'give more memory, or take another image')
}
