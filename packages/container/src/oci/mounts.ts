/** `mounts`, `linux.devices`, `linux.maskedPaths`, `linux.readonlyPaths` and `root.readonly` (runtime-spec, "Mounts", "Default Devices"). */
import type { Group } from '@vmexit/cgroup'
import { CgroupFs, ProcFs, SysFs, type Task } from '@vmexit/linux'
import { OverlayFs } from '@vmexit/overlayfs'
import { type ByteString, type FileSystem, Mode, MountFlag, TmpFs, toByteString } from '@vmexit/vfs'
import { DEVICE_LINKS, DEVICES, makeNode, makeTerminals, TERMINAL } from '../devices.ts'
import { containerError } from '../errors.ts'
import type { GroupCharges } from '../group.ts'
import { maskPaths, protectPaths } from '../masks.ts'
import { mountAt } from '../mounts.ts'
import { makePlace } from '../place.ts'
import type { OciConfig, OciDevice, OciLinux, OciMount } from './config.ts'
import { type MountOptions, mountOptions, sizeOf } from './mount-options.ts'

/** A directory or a file of the host, which the container writes through to. */
export interface HostPlace {
  readonly fileSystem: FileSystem
  readonly file?: ByteString | undefined
}

/** What mounts need beside the configuration. */
export interface OciMountContext {
  readonly group: Group
  readonly charges: GroupCharges
  /** Opens what `source` of a bind mount names. */
  readonly bind: (source: string, readOnly: boolean) => HostPlace
  /** Types of mounts that are left out, though they were asked for: those that are not there. */
  readonly without: readonly string[]
  /** The minor number of the program's terminal, if it has one. */
  readonly terminal: number | undefined
}

const DIRECTORY = 0o755
// biome-ignore format: a table
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  tmpfs: ['size', 'nr_inodes', 'mode', 'uid', 'gid', 'tmpcopyup'], proc: [], sysfs: [], cgroup: ['nsdelegate'], cgroup2: ['nsdelegate'],
  devpts: ['newinstance', 'ptmxmode', 'mode', 'gid', 'uid'], bind: [],
}

/** Mounts all of it, for the first task. @throws VmexitError. */
export function mountOci(task: Task, { mounts = [], linux = {}, root }: OciConfig, to: OciMountContext): void {
  const readOnly: { flags: number }[] = []
  task.context.umask = 0
  for (const [n, mount] of mounts.entries()) {
    const made = mountOne(task, mount, `mounts[${n}] (${mount.destination})`, to)
    // What is mounted below may need a place in it.
    if (made !== undefined) readOnly.push(made)
  }
  devices(task, linux, to.terminal)
  for (const mount of readOnly) mount.flags |= MountFlag.RDONLY
  protectPaths(task, linux.readonlyPaths ?? [])
  maskPaths(task, linux.maskedPaths ?? [])
  if (root.readonly === true) task.context.root.mount.flags |= MountFlag.RDONLY
}

/** Answers the mount, if it is to be read-only in the end. */
function mountOne(task: Task, mount: OciMount, where: string, to: OciMountContext): { flags: number } | undefined {
  const { destination, source = 'none', options = [] } = mount
  const isBind = options.includes('bind') || options.includes('rbind')
  const type = isBind ? 'bind' : (mount.type ?? 'none')
  if (to.without.includes(type)) return undefined
  const known = Object.hasOwn(KNOWN, type) ? KNOWN[type] : undefined
  if (known === undefined)
    return containerError(
      'unsupported',
      `${where}: there is no file system ${type}`,
      `use ${Object.keys(KNOWN).join(', ')}, or leave it out by --without ${type}`,
    )
  if ((mount.uidMappings ?? []).length > 0 || (mount.gidMappings ?? []).length > 0)
    containerError('unsupported', `${where}: ids of a mount cannot be mapped`, 'leave uidMappings and gidMappings out')
  const said = mountOptions(where, options, known)
  const path = destination.startsWith('/') ? destination : `/${destination}`
  if (/^[/.]*$/.test(path)) containerError('config', `${where}: nothing is mounted at the root`, 'use root.path')
  const isReadOnly = (said.flags & MountFlag.RDONLY) !== 0
  const flags = said.flags & ~MountFlag.RDONLY
  if (type === 'bind') {
    const { fileSystem, file } = to.bind(source, isReadOnly)
    mountAt(task, fileSystem, file, path, source, said.flags)
    return undefined
  }
  let fs = newFileSystem(task, type, said, where, to)
  if (said.data.has('tmpcopyup')) fs = withWhatIsThere(task, fs, path)
  const made = mountAt(task, fs, undefined, path, source, flags)
  if (type === 'devpts') {
    const { data } = said
    makeTerminals(task, path, octal(data.get('mode'), 0o620))
    makeNode(task, `${path}/ptmx`, Mode.IFCHR | octal(data.get('ptmxmode'), 0o666), [5, 2])
  }
  return isReadOnly ? made : undefined
}

function newFileSystem(
  { kernel, ns }: Task,
  type: string,
  { data }: MountOptions,
  where: string,
  { group, charges }: OciMountContext,
): FileSystem {
  const { time } = kernel
  if (type === 'proc') return new ProcFs(kernel, ns.pid)
  if (type === 'sysfs') return new SysFs(kernel, ns.net)
  if (type === 'cgroup' || type === 'cgroup2') return new CgroupFs(kernel, group)
  if (type !== 'tmpfs') return new TmpFs({ time, charges, mode: DIRECTORY, sizeBytes: 65_536 })
  const number = (name: string, most: number): number | undefined => {
    const text = data.get(name)
    if (text === undefined) return undefined
    const value = name === 'mode' ? octal(text, Number.NaN) : (sizeOf(text) ?? Number.NaN)
    if (value <= most) return value
    return containerError('config', `${where}: ${name}=${text} is not understood`, 'see tmpfs(5)')
  }
  const { user } = ns
  const id = (map: typeof user.uids, name: string): number => Math.max(0, map.toKernel(number(name, 2 ** 32 - 2) ?? 0))
  const sizeBytes = number('size', Number.MAX_SAFE_INTEGER)
  const inodes = number('nr_inodes', Number.MAX_SAFE_INTEGER)
  return new TmpFs({
    ...{ time, charges, mode: number('mode', 0o7777) ?? 0o1777 },
    ...{ uid: id(user.uids, 'uid'), gid: id(user.gids, 'gid') },
    ...(sizeBytes !== undefined && sizeBytes > 0 && { sizeBytes }),
    ...(inodes !== undefined && inodes > 0 && { inodes }),
  })
}

/** runc's `tmpcopyup`: it begins with what the image has there. It is not copied, but copied on write. */
function withWhatIsThere(task: Task, fs: FileSystem, path: string): FileSystem {
  makePlace(task, path, 'directory')
  const place = task.kernel.vfs.lookup(task.context, null, toByteString(path))
  const inode = typeof place === 'number' ? null : place.dentry.inode
  return inode === null ? fs : new OverlayFs({ lower: [inode], upper: fs.root })
}

/** Nodes and links in /dev, those that the specification promises and those that were asked for. */
function devices(task: Task, { devices: further = [] }: OciLinux, terminal: number | undefined): void {
  const { kernel, context } = task
  makePlace(task, '/dev', 'directory')
  for (const [name, major, minor] of DEVICES)
    if (name !== 'ptmx') makeNode(task, `/dev/${name}`, Mode.IFCHR | 0o666, [major, minor])
  kernel.vfs.symlink(context, 'pts/ptmx', null, '/dev/ptmx')
  for (const [name, target] of Object.entries(DEVICE_LINKS)) kernel.vfs.symlink(context, target, null, `/dev/${name}`)
  if (terminal !== undefined) makeNode(task, '/dev/console', Mode.IFCHR | 0o620, [TERMINAL, terminal])
  for (const device of further) deviceNode(task, device)
}

function deviceNode(
  task: Task,
  { type, path, major = 0, minor = 0, fileMode = 0o666, uid = 0, gid = 0 }: OciDevice,
): void {
  const isThere = type === 'p' || (/^[cu]$/.test(type) && DEVICES.some(([, a, b]) => a === major && b === minor))
  if (!isThere)
    containerError(
      'unsupported',
      `linux.devices ${path}: there is no device ${type} ${major}:${minor}`,
      `there are ${DEVICES.map(([name]) => name).join(', ')}, and no devices of the host`,
    )
  const above = path.slice(0, path.lastIndexOf('/'))
  if (above !== '') makePlace(task, above, 'directory')
  makeNode(task, path, (type === 'p' ? Mode.IFIFO : Mode.IFCHR) | (fileMode & 0o7777), [major, minor])
  const { uids, gids } = task.ns.user
  task.kernel.vfs.chown(
    task.context,
    null,
    toByteString(path),
    Math.max(0, uids.toKernel(uid)),
    Math.max(0, gids.toKernel(gid)),
  )
}

function octal(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  return /^[0-7]{1,5}$/.test(text) ? Number.parseInt(text, 8) : otherwise
}
