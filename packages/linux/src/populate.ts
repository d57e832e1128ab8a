/** What programs expect at a root beside their own files: /dev, /proc, /sys, /tmp. */
import { type FileSystem, Mode, MountFlag, makeDevice, type TaskContext } from '@vmexit/vfs'
import { chargedTmpFs } from './cgroups/charges.ts'
import { ProcFs } from './proc/proc-fs.ts'
import { SysFs } from './sys/sys-fs.ts'
import type { Kernel } from './system.ts'

// biome-ignore format: a table
const DEVICES: readonly (readonly [name: string, major: number, minor: number])[] = [
  ['null', 1, 3], ['zero', 1, 5], ['full', 1, 7], ['random', 1, 8], ['urandom', 1, 9], ['tty', 5, 0], ['ptmx', 5, 2],
]
/** Terminals that have a place in /dev/pts. */
const TERMINALS = 64
const DIRECTORY = 0o755
const STICKY = 0o1777

/** Mounts a tmpfs with devices on /dev, /proc, /sys, and a tmpfs on /tmp, where there are directories for them or can be made. */
export function populate(kernel: Kernel): void {
  const { vfs } = kernel
  const task = vfs.newTask(kernel.tree)
  const mount = (fs: FileSystem | number, path: string, options: { source: string; flags: number }): void => {
    if (typeof fs !== 'number') vfs.mount(task, fs, path, options)
  }
  for (const path of ['/dev', '/proc', '/sys', '/tmp']) vfs.mkdir(task, null, path, DIRECTORY)
  mount(chargedTmpFs(kernel), '/dev', {
    source: 'devtmpfs',
    flags: MountFlag.NOSUID | MountFlag.RELATIME,
  })
  for (const [path, fs] of [
    ['/proc', new ProcFs(kernel)],
    ['/sys', new SysFs(kernel)],
  ] as const)
    mount(fs, path, {
      source: fs.type,
      flags: MountFlag.NOSUID | MountFlag.NODEV | MountFlag.NOEXEC | MountFlag.RELATIME,
    })
  mount(chargedTmpFs(kernel), '/tmp', {
    source: 'tmpfs',
    flags: MountFlag.NOSUID | MountFlag.NODEV | MountFlag.RELATIME,
  })
  vfs.chmod(task, null, '/tmp', STICKY)
  devices(kernel, task)
  vfs.exit(task)
}

function devices({ vfs }: Kernel, task: TaskContext): void {
  task.umask = 0
  for (const [name, major, minor] of DEVICES)
    vfs.mknod(task, null, `/dev/${name}`, Mode.IFCHR | 0o666, makeDevice(major, minor))
  vfs.mkdir(task, null, '/dev/pts', DIRECTORY)
  for (let n = 0; n < TERMINALS; n++) vfs.mknod(task, null, `/dev/pts/${n}`, Mode.IFCHR | 0o620, makeDevice(136, n))
  vfs.mkdir(task, null, '/dev/shm', STICKY)
  for (const [name, fd] of [
    ['stdin', 0],
    ['stdout', 1],
    ['stderr', 2],
  ] as const)
    vfs.symlink(task, `/proc/self/fd/${fd}`, null, `/dev/${name}`)
  vfs.symlink(task, '/proc/self/fd', null, '/dev/fd')
}
