/** memfd_create(2): files of a tmpfs of the kernel's own, which have no name from the start. */
import { Open, TmpFs } from '@vmexit/vfs'
import { TmpFsCharges } from '../cgroups/charges.ts'
import { Errno } from '../errno.ts'
import type { Kernel, Task } from '../system.ts'
import { install } from './control.ts'
import { beginSeals, Seal } from './seals.ts'
import { VfsFile } from './vfs-file.ts'

const Flag = { CLOEXEC: 1, ALLOW_SEALING: 2, NOEXEC_SEAL: 8, EXEC: 0x10 } as const
const KNOWN = Flag.CLOEXEC | Flag.ALLOW_SEALING | Flag.NOEXEC_SEAL | Flag.EXEC
/** Bytes of a name: NAME_MAX without `memfd:`. */
const MOST = 249

/** Where the files of a kernel are. */
const trees = new WeakMap<Kernel, ReturnType<Kernel['vfs']['newTask']>>()

class MemoryFile extends VfsFile {
  readonly #name: string
  constructor(kernel: Kernel, file: VfsFile['file'], name: string) {
    super(kernel, file)
    this.#name = name
  }
  override describe(): string {
    return `/memfd:${this.#name} (deleted)`
  }
}

/** Shared mappings of a file through which it may be written. */
function writersOf(kernel: Kernel, { inode }: VfsFile['file']): number {
  const spaces = new Set([...kernel.processes.values()].flatMap(({ tasks }) => [...tasks].map(({ space }) => space)))
  let count = 0
  for (const space of spaces)
    for (const area of space.areas.list) if (area.shared && area.mayWrite && area.file === inode) count++
  return count
}

export function memfdCreate(task: Task, address: number, flags: number): number {
  const { kernel } = task
  const { vfs } = kernel
  if ((flags & ~KNOWN) !== 0 || (flags & Flag.NOEXEC_SEAL && flags & Flag.EXEC)) return -Errno.EINVAL
  const name = kernel.memory.string(address, MOST)
  if (name === undefined) return -Errno.EINVAL
  let own = trees.get(kernel)
  if (own === undefined) {
    own = vfs.newTask(vfs.newTree(new TmpFs({ time: kernel.time, charges: new TmpFsCharges(kernel) }), 'tmpfs'))
    own.umask = 0
    trees.set(kernel, own)
  }
  const withoutExec = (flags & Flag.NOEXEC_SEAL) !== 0
  own.credentials = task.context.credentials
  const file = vfs.open(own, null, '/', Open.O_TMPFILE | Open.O_RDWR | Open.O_LARGEFILE, withoutExec ? 0o666 : 0o777)
  if (typeof file === 'number') return file
  const seals = (withoutExec ? Seal.EXEC : 0) | (flags & (Flag.ALLOW_SEALING | Flag.NOEXEC_SEAL) ? 0 : Seal.SEAL)
  beginSeals(file.inode, seals, () => writersOf(kernel, file))
  file.flags = Open.O_RDWR | Open.O_LARGEFILE
  return install(task, new MemoryFile(kernel, file, name), flags & Flag.CLOEXEC ? Open.O_CLOEXEC : 0)
}
