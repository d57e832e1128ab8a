/** memfd_create(2): files that live in memory and never had a place. */
import { type ByteString, Open, type TaskContext, TmpFs } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Kernel, Task } from '../system.ts'
import { install } from './control.ts'
import { VfsFile } from './vfs-file.ts'

/** MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL, MFD_EXEC: there are no seals, which is what a program finds that asks for them. */
const Flag = { CLOEXEC: 1, KNOWN: 0x1b } as const
const LONGEST_NAME = 249

/** Where their data lies: a file system that is mounted nowhere. */
const homes = new WeakMap<Kernel, TaskContext>()

class MemoryFile extends VfsFile {
  readonly #name: ByteString

  constructor(kernel: Kernel, file: ConstructorParameters<typeof VfsFile>[1], name: ByteString) {
    super(kernel, file)
    this.#name = name
  }
  override describe(): ByteString {
    return `/memfd:${this.#name} (deleted)`
  }
}

export function memfdCreate(task: Task, name: ByteString, flags: number): number {
  const { kernel } = task
  const { vfs } = kernel
  if ((flags & ~Flag.KNOWN) !== 0 || name.length > LONGEST_NAME) return -Errno.EINVAL
  let home = homes.get(kernel)
  if (home === undefined) {
    home = vfs.newTask(vfs.newTree(new TmpFs({ time: kernel.time }), 'tmpfs'))
    home.umask = 0
    homes.set(kernel, home)
  }
  home.credentials = task.context.credentials
  const file = vfs.open(home, null, '/', Open.O_TMPFILE | Open.O_RDWR, 0o777)
  if (typeof file === 'number') return file
  return install(task, new MemoryFile(kernel, file, name), (flags & Flag.CLOEXEC) !== 0 ? Open.O_CLOEXEC : 0)
}
