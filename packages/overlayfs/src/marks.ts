/**
 * What an overlay writes into its layers beside files: the on-store format of Linux's overlayfs
 * (Documentation/filesystems/overlayfs.rst), so that layers made here can be mounted there, and the other way round.
 *
 * A whiteout is a character device 0:0, or, in an `opaque=x` directory, an empty file with the attribute `whiteout`.
 * Everything else is an extended attribute of the overlay's name space.
 */
import { type ByteString, bytesOf, Errno, type Inode, Mode, NOT_YET } from '@vmexit/vfs'

const yes = bytesOf('y')
const nothing = new Uint8Array(0)

/** The attributes of one overlay, by the name space that it keeps them in. */
export class Marks {
  /** A directory that hides what lies below it. */
  readonly opaque: ByteString
  /** Where the lower layers have what lies below a directory, or the data of a file, that has been renamed. */
  readonly redirect: ByteString
  /** A file that is attributes alone: its data are in a lower layer. */
  readonly metacopy: ByteString
  /** Has been copied up. Its value is empty: *from where is not known*, as Linux writes it for stores without handles. */
  readonly origin: ByteString
  /** A directory that holds entries with an origin. */
  readonly impure: ByteString
  /** Which chunks of a file that is being copied up lazily are in the upper layer: ours alone. */
  readonly chunks: ByteString
  readonly #whiteout: ByteString
  readonly #prefix: ByteString
  readonly #escape: ByteString

  /** `trusted.overlay.`, or with `userxattr` `user.overlay.`. */
  constructor(userxattr: boolean) {
    this.#prefix = userxattr ? 'user.overlay.' : 'trusted.overlay.'
    this.#escape = `${this.#prefix}overlay.`
    this.opaque = `${this.#prefix}opaque`
    this.redirect = `${this.#prefix}redirect`
    this.metacopy = `${this.#prefix}metacopy`
    this.origin = `${this.#prefix}origin`
    this.impure = `${this.#prefix}impure`
    this.chunks = `${this.#prefix}chunks`
    this.#whiteout = `${this.#prefix}whiteout`
  }

  /** Whether a layer's attribute is the overlay's own, to be hidden, and not copied. */
  isPrivate(name: ByteString): boolean {
    return name.startsWith(this.#prefix) && !name.startsWith(this.#escape)
  }

  /** The layer's name of a user's attribute: those in the overlay's own name space are put aside, so overlays nest. */
  inLayer(name: ByteString): ByteString {
    return name.startsWith(this.#prefix) ? this.#escape + name.slice(this.#prefix.length) : name
  }

  /** The user's name of a layer's attribute that is not private. */
  toUser(name: ByteString): ByteString {
    return name.startsWith(this.#escape) ? this.#prefix + name.slice(this.#escape.length) : name
  }

  /** 1 for a whiteout, 0 for another file, or `NOT_YET`. */
  whiteout(inode: Inode): number {
    const type = inode.mode & Mode.IFMT
    if (type === Mode.IFCHR) return inode.rdev === 0 ? 1 : 0
    if (type !== Mode.IFREG || inode.size !== 0) return 0
    return this.has(inode, this.#whiteout)
  }

  /** 1, 0 or `NOT_YET`: whether it has one of the attributes. */
  has(inode: Inode, mark: ByteString): number {
    const value = inode.fs.getxattr(inode, mark)
    return typeof value === 'number' ? (value === NOT_YET ? value : 0) : 1
  }

  /** `y`, `x` (the directory may hold whiteouts that are attributes), '' without, or `NOT_YET`. */
  opacity(dir: Inode): string | number {
    const value = dir.fs.getxattr(dir, this.opaque)
    if (typeof value === 'number') return value === NOT_YET ? value : ''
    return value.length === 1 ? String.fromCharCode(value[0]!) : ''
  }

  /** Sets a flag to `y`; 0 or an error. */
  set(inode: Inode, mark: ByteString): number {
    return inode.fs.setxattr(inode, mark, yes, 0)
  }

  /** Sets an attribute that says all by being there, if the store keeps attributes. */
  setEmpty(inode: Inode, mark: ByteString): number {
    const answer = inode.fs.setxattr(inode, mark, nothing, 0)
    return answer === -Errno.EOPNOTSUPP ? 0 : answer
  }
}
