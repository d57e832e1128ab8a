/**
 * What `fs.watch` of a volume tells: the layer's own events (inotify), so changes of every task are among them. memfs's
 * watcher does the rest: encodings, `ignore`, `persistent`.
 *
 * Events come after the call that caused them, in a microtask, as they come later in Node.
 */

import { EntryType } from '../flags.ts'
import type { Inotify, InotifyEvent } from '../inotify/inotify.ts'
import { InotifyMask } from '../inotify/watch.ts'
import type { ByteString } from '../names.ts'
import { targetFromMemfs, toMemfs } from './names.ts'
import { orThrow } from './node-errors.ts'
import { FsEventType } from './parts.ts'
import type { SeenNode, View } from './view.ts'

const { IN_ATTRIB, IN_CREATE, IN_DELETE, IN_DELETE_SELF, IN_IGNORED, IN_ISDIR, IN_MODIFY, IN_DONT_FOLLOW } = InotifyMask
const { IN_MOVED_FROM, IN_MOVED_TO, IN_MOVE_SELF } = InotifyMask

/** What libuv watches for. */
const watched =
  IN_ATTRIB | IN_CREATE | IN_MODIFY | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_MOVED_FROM | IN_MOVED_TO

/** An event as memfs's `CoreWatcher` takes it; `link` is that of the watched place where it concerns itself. */
interface TreeEvent {
  readonly type: number
  readonly steps: readonly string[]
  readonly node: object
  readonly link: object
}

/** What stands for the watched place. */
interface WatchedLink {
  readonly steps: readonly string[]
  getNode(): SeenNode
  getName(): string
}

/** The `Superblock` that one of memfs's watchers is given: it knows the one place that is watched. */
export class WatchedPlace {
  readonly #view: View
  readonly #recursive: boolean
  readonly #inotify: Inotify
  /** Watched directories, and where they are from the watched place. */
  readonly #directories = new Map<number, readonly string[]>()
  #path: ByteString = ''
  #link: WatchedLink | undefined = undefined
  #listener: ((event: TreeEvent) => void) | undefined = undefined

  constructor(view: View, recursive: boolean) {
    this.#view = view
    this.#recursive = recursive
    this.#inotify = view.vfs.inotify({ readable: () => queueMicrotask(() => this.#deliver()) })
  }

  getResolvedLinkOrThrow(path: string, syscall: string): WatchedLink {
    const place = this.#view.find(path, syscall, true)
    const [node, name] = [place.getNode(), place.getName()]
    this.#path = targetFromMemfs(path)
    this.#link = { steps: [], getNode: () => node, getName: () => name }
    const descriptor = this.#view.vfs.watch(this.#view.task, this.#inotify, this.#path, watched)
    this.#directories.set(orThrow(descriptor, syscall, path), [])
    if (this.#recursive && node.isDirectory()) this.#watchBelow([], () => {})
    return this.#link
  }

  readonly changes = {
    listen: (listener: (event: TreeEvent) => void): (() => void) => {
      this.#listener = listener
      return () => {
        this.#listener = undefined
        this.#inotify.close()
      }
    },
  }

  #deliver(): void {
    for (const event of this.#inotify.read(Number.POSITIVE_INFINITY)) this.#tell(event)
  }

  #tell({ descriptor, mask, name }: InotifyEvent): void {
    const above = this.#directories.get(descriptor)
    if (above === undefined) return
    if (mask & IN_IGNORED) this.#directories.delete(descriptor)
    if (name === '') {
      // What happens to a directory below is told by the one that it is in.
      if (above.length === 0 && !(mask & IN_IGNORED)) this.#emit(typeOf(mask), [], true)
      return
    }
    const steps = [...above, toMemfs(name)]
    this.#emit(typeOf(mask), steps, false)
    if (!this.#recursive || !(mask & IN_ISDIR) || !(mask & (IN_CREATE | IN_MOVED_TO))) return
    this.#watch(steps)
    // A new directory may have got entries before it was watched; those of one that was moved are not new.
    this.#watchBelow(steps, mask & IN_CREATE ? (found) => this.#emit(FsEventType.CREATE, found, false) : () => {})
  }

  #emit(type: number, steps: readonly string[], self: boolean): void {
    const link = this.#link!
    this.#listener?.({ type, steps, node: self ? link.getNode() : {}, link: self ? link : {} })
  }

  #watch(steps: readonly string[]): void {
    const descriptor = this.#view.vfs.watch(
      this.#view.task,
      this.#inotify,
      this.#below(steps),
      watched | IN_DONT_FOLLOW,
    )
    if (descriptor > 0) this.#directories.set(descriptor, steps)
  }

  /** Watches all directories below one, and says what it finds. */
  #watchBelow(start: readonly string[], found: (steps: readonly string[]) => void): void {
    const waiting = [start]
    for (let steps = waiting.pop(); steps !== undefined; steps = waiting.pop()) {
      const entries = this.#view.list(null, this.#below(steps))
      if (typeof entries === 'number') continue
      for (const { name, type } of entries) {
        const child = [...steps, toMemfs(name)]
        found(child)
        if (type !== EntryType.DT_DIR) continue
        this.#watch(child)
        waiting.push(child)
      }
    }
  }

  #below(steps: readonly string[]): ByteString {
    return [this.#path, ...steps.map(targetFromMemfs)].join('/')
  }
}

function typeOf(mask: number): number {
  if (mask & IN_MODIFY) return FsEventType.MODIFY
  if (mask & IN_ATTRIB) return FsEventType.ATTRIB
  if (mask & IN_MOVE_SELF) return FsEventType.MOVE
  return mask & (IN_CREATE | IN_MOVED_TO) ? FsEventType.CREATE : FsEventType.DELETE
}
