/** F_NOTIFY of fcntl(2): who has opened a directory is told by a signal what happens in it. */
import { type Inode, type Inotify, InotifyMask, isDirectory } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Kernel, Task } from '../system.ts'
import { Owner, tellOwner } from './notice.ts'
import { type OpenFile, Poll } from './open-file.ts'

const { IN_ACCESS, IN_MODIFY, IN_ATTRIB, IN_CREATE, IN_DELETE, IN_MOVED_FROM, IN_MOVED_TO } = InotifyMask
/** DN_MULTISHOT: not only once. */
const AGAIN = 0x8000_0000
/** DN_ACCESS, DN_MODIFY, DN_CREATE, DN_DELETE, DN_RENAME and DN_ATTRIB, bit by bit. */
const EVENTS = [
  ...[IN_ACCESS, IN_MODIFY, IN_CREATE | IN_MOVED_TO, IN_DELETE | IN_MOVED_FROM],
  ...[IN_MOVED_FROM | IN_MOVED_TO, IN_ATTRIB],
]
const POLL_MSG = 3
const BAND = Poll.IN | Poll.RDNORM | 0x400

/** What is wanted is added to what was; nothing ends it. */
export function notify(task: Task, file: OpenFile, fd: number, argument: number): number {
  const inode = file.file?.inode
  const mask = EVENTS.reduce((all, event, bit) => ((argument >> bit) & 1 ? all | event : all), 0)
  if (mask === 0) {
    if (file.notice instanceof DirectoryNotice) file.notice.end()
    return 0
  }
  if (inode === undefined || !isDirectory(inode.mode)) return -Errno.ENOTDIR
  if (file.owner === 0) {
    const { ids, process: proc } = task
    Object.assign(file, { owner: proc.pid, ownerKind: Owner.PROCESS, ownerSetBy: { uid: ids.uid, euid: ids.euid } })
  }
  const notice = file.notice instanceof DirectoryNotice ? file.notice : new DirectoryNotice(task.kernel, file, fd)
  file.notice = notice
  notice.want(inode, mask, (argument & AGAIN) !== 0)
  return 0
}

class DirectoryNotice {
  readonly #kernel: Kernel
  readonly #file: OpenFile
  readonly #fd: number
  readonly #inotify: Inotify
  #mask = 0
  #isRepeated = false

  constructor(kernel: Kernel, file: OpenFile, fd: number) {
    this.#kernel = kernel
    this.#file = file
    this.#fd = fd
    this.#inotify = kernel.vfs.inotify({ readable: () => this.#tell() })
  }

  want(inode: Inode, mask: number, isRepeated: boolean): void {
    this.#mask |= mask
    this.#isRepeated ||= isRepeated
    this.#inotify.watch(inode, this.#mask)
  }

  end(): void {
    this.#inotify.close()
    this.#file.notice = undefined
  }

  #tell(): void {
    const events = this.#inotify.read(this.#inotify.pending)
    // What happens to the directory itself is not meant.
    if (!events.some(({ name }) => name !== '')) return
    if (!this.#isRepeated) this.end()
    tellOwner(this.#kernel, this.#file, this.#fd, POLL_MSG, BAND)
  }
}
