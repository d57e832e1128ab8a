/** An inotify instance (inotify(7)): its watches and its queue. The calls of `Vfs` make the events. */
import { Errno } from '../errno.ts'
import type { Inode } from '../file-system.ts'
import { isDirectory } from '../flags.ts'
import { stateOf } from '../inode-state.ts'
import type { ByteString } from '../names.ts'
import { InotifyMask, type Watch } from './watch.ts'

const {
  IN_ALL_EVENTS,
  IN_EXCL_UNLINK,
  IN_IGNORED,
  IN_MASK_ADD,
  IN_MASK_CREATE,
  IN_ONESHOT,
  IN_ONLYDIR,
  IN_Q_OVERFLOW,
} = InotifyMask

/** An event, as `struct inotify_event` has it. */
export interface InotifyEvent {
  /** The number of the watch; −1 of an overflow. */
  readonly descriptor: number
  readonly mask: number
  /** The same number in both halves of a rename; otherwise 0. */
  readonly cookie: number
  /** The entry of a watched directory, or empty for what has been watched itself. */
  readonly name: ByteString
}

/** What instances of one layer share. */
export interface Watches {
  /** All watches; whether there are any is asked before any event is made. */
  readonly watches: Set<Watch>
}

/** An instance, as inotify_init(2) makes one. `Vfs.inotify` makes it. */
export class Inotify {
  readonly #all: Watches
  readonly #limit: number
  readonly #readable: () => void
  readonly #watches = new Map<number, Watch>()
  #queue: InotifyEvent[] = []
  #nextDescriptor = 1
  #closed = false

  /** `limit`: events that the queue holds before it overflows; `readable` is called when it is no longer empty. */
  constructor(all: Watches, limit: number, readable: () => void) {
    this.#all = all
    this.#limit = limit
    this.#readable = readable
  }

  /** How many events wait. */
  get pending(): number {
    return this.#queue.length
  }

  /** The oldest event that waits. */
  get first(): InotifyEvent | undefined {
    return this.#queue[0]
  }

  /** All that wait, oldest first. */
  get pendingEvents(): readonly InotifyEvent[] {
    return this.#queue
  }

  /** Takes up to so many events, oldest first. */
  read(most: number): InotifyEvent[] {
    return this.#queue.splice(0, most)
  }

  /**
   * Watches an inode, or changes the watch of it: inotify_add_watch(2) after its path has been walked. Answers the
   * watch's number, or EINVAL, ENOTDIR, EEXIST.
   */
  watch(inode: Inode, mask: number): number {
    if ((mask & IN_ALL_EVENTS) === 0 || (mask & IN_MASK_ADD && mask & IN_MASK_CREATE)) return -Errno.EINVAL
    if (mask & IN_ONLYDIR && !isDirectory(inode.mode)) return -Errno.ENOTDIR
    const kept = mask & (IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT)
    for (const watch of this.#watches.values()) {
      if (watch.inode !== inode) continue
      if (mask & IN_MASK_CREATE) return -Errno.EEXIST
      watch.mask = mask & IN_MASK_ADD ? watch.mask | kept : kept
      return watch.descriptor
    }
    const descriptor = this.#nextDescriptor++
    const watch: Watch = {
      inode,
      descriptor,
      mask: kept,
      tell: (told, cookie, name) => {
        this.#add({ descriptor, mask: told, cookie, name })
        if (watch.mask & IN_ONESHOT) watch.end()
      },
      end: () => this.#end(watch),
    }
    this.#watches.set(descriptor, watch)
    this.#all.watches.add(watch)
    const state = stateOf(inode)
    state.watches = [...state.watches, watch]
    return descriptor
  }

  /** inotify_rm_watch(2): EINVAL where there is no such watch. */
  unwatch(descriptor: number): number {
    const watch = this.#watches.get(descriptor)
    if (watch === undefined) return -Errno.EINVAL
    this.#end(watch)
    return 0
  }

  /** Ends all watches. */
  close(): void {
    this.#closed = true
    for (const watch of [...this.#watches.values()]) this.#end(watch)
    this.#queue = []
  }

  #end(watch: Watch): void {
    if (!this.#watches.delete(watch.descriptor)) return
    this.#all.watches.delete(watch)
    const state = stateOf(watch.inode)
    state.watches = state.watches.filter((other) => other !== watch)
    this.#add({ descriptor: watch.descriptor, mask: IN_IGNORED, cookie: 0, name: '' })
  }

  #add(event: InotifyEvent): void {
    if (this.#closed) return
    const last = this.#queue.at(-1)
    if (last !== undefined && same(last, event)) return
    if (this.#queue.length < this.#limit) this.#queue.push(event)
    else if (last?.mask !== IN_Q_OVERFLOW) {
      this.#queue.push({ descriptor: -1, mask: IN_Q_OVERFLOW, cookie: 0, name: '' })
    }
    if (this.#queue.length === 1) this.#readable()
  }
}

/** Whether an event says only what the last one has said. */
function same(a: InotifyEvent, b: InotifyEvent): boolean {
  return a.descriptor === b.descriptor && a.mask === b.mask && a.cookie === b.cookie && a.name === b.name
}
