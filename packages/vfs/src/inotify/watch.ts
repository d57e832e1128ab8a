/** Masks of inotify (inotify(7)), and a watch as its inode sees it. */
import type { Inode } from '../file-system.ts'
import type { ByteString } from '../names.ts'

/** Events, and flags of watches and of events. */
// biome-ignore format: a table
export const InotifyMask = {
  IN_ACCESS: 1, IN_MODIFY: 2, IN_ATTRIB: 4, IN_CLOSE_WRITE: 8, IN_CLOSE_NOWRITE: 0x10, IN_OPEN: 0x20,
  IN_MOVED_FROM: 0x40, IN_MOVED_TO: 0x80, IN_CREATE: 0x100, IN_DELETE: 0x200, IN_DELETE_SELF: 0x400,
  IN_MOVE_SELF: 0x800, IN_ALL_EVENTS: 0xfff,
  IN_UNMOUNT: 0x2000, IN_Q_OVERFLOW: 0x4000, IN_IGNORED: 0x8000,
  IN_ONLYDIR: 0x100_0000, IN_DONT_FOLLOW: 0x200_0000, IN_EXCL_UNLINK: 0x400_0000, IN_MASK_CREATE: 0x1000_0000,
  IN_MASK_ADD: 0x2000_0000, IN_ISDIR: 0x4000_0000, IN_ONESHOT: 0x8000_0000,
} as const

/** A watch of one inode by one instance. */
export interface Watch {
  readonly inode: Inode
  /** Its number in its instance. */
  readonly descriptor: number
  mask: number
  /** Something has happened: bits of `InotifyMask`; `name` is that of an entry of the watched directory, or empty. */
  tell(mask: number, cookie: number, name: ByteString): void
  /** The inode is gone: the watch goes too. */
  end(): void
}
