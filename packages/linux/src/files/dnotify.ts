/** F_NOTIFY of fcntl(2): who has opened a directory is told by a signal what happens in it. */
import { type Inode, type Inotify, type InotifyEvent, InotifyMask, isDirectory } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Kernel, Task } from '../system.ts'
import { Owner, setOwner, tellOwner } from './notice.ts'
import { type OpenFile, Poll } from './open-file.ts'

const { IN_ACCESS, IN_MODIFY, IN_ATTRIB, IN_CREATE, IN_DELETE, IN_MOVED_FROM, IN_MOVED_TO, IN_ISDIR } = InotifyMask
/** DN_MULTISHOT: not only once. */
const AGAIN = 0x8000_0000
const RENAME = 0x10
/** DN_ACCESS, DN_MODIFY, DN_CREATE, DN_DELETE, DN_RENAME and DN_ATTRIB, bit by bit. */
const EVENTS = [
  ...[IN_ACCESS, IN_MODIFY, IN_CREATE | IN_MOVED_TO, IN_DELETE | IN_MOVED_FROM],
  ...[IN_MOVED_FROM | IN_MOVED_TO, IN_ATTRIB],
]
const ALL = 2 ** EVENTS.length - 1
const POLL_MSG = 3
const BAND = Poll.IN | Poll.RDNORM | 0x400

/** What is wanted is added to what was; nothing wanted ends it. */
export function notify(task: Task, file: OpenFile, fd: number, argument: number): number {
  const inode = file.file?.inode
  const wanted = argument & ALL
  if (wanted === 0) {
    if (file.notice instanceof DirectoryNotice) file.notice.end()
    return 0
  }
  if (inode === undefined || !isDirectory(inode.mode)) return -Errno.ENOTDIR
  if (file.owner === 0) setOwner(file, task, Owner.PROCESS, task.process.pid)
  const notice = file.notice instanceof DirectoryNotice ? file.notice : new DirectoryNotice(task, file, fd)
  file.notice = notice
  notice.want(inode, wanted, (argument & AGAIN) !== 0)
  return 0
}

class DirectoryNotice {
  readonly #kernel: Kernel
  readonly #file: OpenFile
  readonly #fd: number
  readonly #inotify: Inotify
  /** Whose it is. */
  readonly of: object
  #wanted = 0
  /** Of the last entry that was moved away. */
  #cookie = 0
  #isRepeated = false

  constructor({ kernel, process: proc }: Task, file: OpenFile, fd: number) {
    this.of = proc
    this.#kernel = kernel
    this.#file = file
    this.#fd = fd
    this.#inotify = kernel.vfs.inotify({ readable: () => this.#tell() })
  }

  want(inode: Inode, wanted: number, isRepeated: boolean): void {
    this.#wanted |= wanted
    this.#isRepeated ||= isRepeated
    this.#inotify.watch(
      inode,
      EVENTS.reduce((all, event, bit) => ((this.#wanted >> bit) & 1 ? all | event : all), 0),
    )
  }

  end(): void {
    this.#inotify.close()
    this.#file.notice = undefined
  }

  #tell(): void {
    const events = this.#inotify.read(this.#inotify.pending)
    if (!events.some((event) => this.#isWanted(event))) return
    if (!this.#isRepeated) this.end()
    tellOwner(this.#kernel, this.#file, this.#fd, POLL_MSG, BAND)
  }
  /** Of what happens to the watched one itself only what happens to a directory is meant; a rename is one within it. */
  #isWanted({ mask, cookie, name }: InotifyEvent): boolean {
    if (name === '' && (mask & IN_ISDIR) === 0) return false
    const isRename = (mask & IN_MOVED_TO) !== 0 && cookie === this.#cookie
    if ((mask & IN_MOVED_FROM) !== 0) this.#cookie = cookie
    const kinds = EVENTS.reduce((all, event, bit) => ((mask & event) !== 0 ? all | (1 << bit) : all), 0)
    return ((isRename ? kinds : kinds & ~RENAME) & this.#wanted) !== 0
  }
}
