/** Where events go (Linux's fsnotify): to who watches the directory, with the entry's name, and to who watches the inode. */
import type { Dentry } from '../dentry.ts'
import type { FileSystem, Inode } from '../file-system.ts'
import { isDirectory } from '../flags.ts'
import { knownState } from '../inode-state.ts'
import type { ByteString } from '../names.ts'
import type { Watches } from './inotify.ts'
import { InotifyMask, type Watch } from './watch.ts'

const { IN_ATTRIB, IN_DELETE_SELF, IN_EXCL_UNLINK, IN_ISDIR, IN_MOVED_FROM, IN_MOVED_TO, IN_MOVE_SELF } = InotifyMask

/** The events of one layer. With no watch anywhere each call is one comparison. */
export class Notifier implements Watches {
  readonly watches: Set<Watch> = new Set()
  #nextCookie = 1

  /** Something has happened to a file, seen from its directory and from itself. */
  file(dentry: Dentry, mask: number): void {
    if (this.watches.size === 0) return
    const inode = dentry.inode!
    const kind = isDirectory(inode.mode) ? mask | IN_ISDIR : mask
    const above = dentry.parent?.inode
    if (above) this.#tell(above, kind, 0, dentry.name, dentry.removed)
    this.#tell(inode, kind, 0, '')
  }

  /** An entry of a directory has come or gone. */
  entry(dir: Inode, name: ByteString, inode: Inode, mask: number): void {
    if (this.watches.size === 0) return
    this.#tell(dir, isDirectory(inode.mode) ? mask | IN_ISDIR : mask, 0, name)
  }

  /** An inode has lost or got a name. */
  linkCount(inode: Inode): void {
    if (this.watches.size > 0 && !isDirectory(inode.mode)) this.#tell(inode, IN_ATTRIB, 0, '')
  }

  /** An inode is gone, and its watches with it. */
  gone(inode: Inode): void {
    if (this.watches.size === 0) return
    this.#tell(inode, IN_DELETE_SELF, 0, '')
    for (const watch of knownState(inode)?.watches ?? []) watch.end()
  }

  /** A file system is seen nowhere any more, and its watches go. */
  unmounted(fs: FileSystem): void {
    for (const watch of [...this.watches]) {
      if (watch.inode.fs !== fs) continue
      watch.tell(InotifyMask.IN_UNMOUNT, 0, '')
      watch.end()
    }
  }

  /** An entry has moved: both directories are told, with one cookie, and the inode itself. */
  moved(oldDir: Inode, oldName: ByteString, newDir: Inode, newName: ByteString, inode: Inode): void {
    if (this.watches.size === 0) return
    const cookie = this.#nextCookie++
    const kind = isDirectory(inode.mode) ? IN_ISDIR : 0
    this.#tell(oldDir, IN_MOVED_FROM | kind, cookie, oldName)
    this.#tell(newDir, IN_MOVED_TO | kind, cookie, newName)
    this.#tell(inode, IN_MOVE_SELF, 0, '')
  }

  #tell(inode: Inode, mask: number, cookie: number, name: ByteString, removed = false): void {
    for (const watch of knownState(inode)?.watches ?? []) {
      if ((watch.mask & mask & InotifyMask.IN_ALL_EVENTS) === 0 || (removed && watch.mask & IN_EXCL_UNLINK)) continue
      watch.tell(mask, cookie, name)
    }
  }
}
