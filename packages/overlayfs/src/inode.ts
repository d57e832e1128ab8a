/**
 * Inodes of an overlay: an object that holds those of the layers that it is made of. What it shows of itself is what the
 * topmost of them shows, so that nothing has to be copied to and fro.
 */
import type { ByteString, FileSystem, Inode } from '@vmexit/vfs'
import type { Chunks } from './chunks.ts'
import type { Entries } from './entries.ts'

/** A directory that is one layer of an overlay. */
export interface Layer {
  /** 0 for the upper layer, lower ones from 1, top to bottom. */
  readonly index: number
  readonly root: Inode
  /** Which of the overlay's file systems it is on: `Numbers`. */
  readonly device: number
}

/** A directory of a lower layer. */
export interface Lower {
  readonly inode: Inode
  readonly layer: Layer
}

/** A name in a directory. */
export interface Place {
  readonly dir: OverlayDirectory
  readonly name: ByteString
}

const noPlaces: readonly Place[] = []

/** What directories and other files of an overlay have in common. */
abstract class OverlayNode implements Inode {
  // What a look-up reads stands first, in one line of a processor's cache.
  readonly fs: FileSystem
  ino: number
  /** The topmost of its inodes: the one whose attributes it has. */
  real: Inode
  /** Links of a file, where the layer does not say it: of those that have been removed, or are indexed. Otherwise −1. */
  links = -1
  /** Its inode of the upper layer, or `null` before it is copied up. */
  upper: Inode | null
  state: object | undefined = undefined
  /** How many opens have not been released. */
  opens = 0
  /** Where the lower layers are told to look instead of under its name, if anywhere. */
  abstract redirect: ByteString | null

  constructor(fs: FileSystem, ino: number, upper: Inode | null, real: Inode) {
    this.fs = fs
    this.ino = ino
    this.real = real
    this.upper = upper
  }

  abstract get nlink(): number

  get mode(): number {
    return this.real.mode
  }

  get uid(): number {
    return this.real.uid
  }

  get gid(): number {
    return this.real.gid
  }

  get size(): number {
    return this.real.size
  }

  get rdev(): number {
    return this.real.rdev
  }
}

/** A directory of an overlay. */
export class OverlayDirectory extends OverlayNode {
  /** Its directories of lower layers, top to bottom. */
  lowers: readonly Lower[]
  /** Where it is; the root is in itself. */
  parent: OverlayDirectory
  name: ByteString
  redirect: ByteString | null = null
  removed = false
  /** Whether the upper directory is known to be marked as holding what has been copied up. */
  impure = false
  /** What it holds, once that has been read, unless the upper layer alone says it. */
  entries: Entries | null = null
  /** What has been looked up or made in it: the same object is answered for the same file each time. */
  children: Map<ByteString, OverlayInode> | null = null

  constructor(
    fs: FileSystem,
    ino: number,
    upper: Inode | null,
    lowers: readonly Lower[],
    parent: OverlayDirectory | null,
    name: ByteString,
  ) {
    super(fs, ino, upper, upper ?? lowers[0]!.inode)
    this.lowers = lowers
    this.parent = parent ?? this
    this.name = name
  }

  /** Whether several directories make it up: then, as on Linux, its subdirectories are not counted. */
  get merged(): boolean {
    return this.lowers.length > (this.upper === null ? 1 : 0)
  }

  get nlink(): number {
    if (this.removed) return 0
    return this.merged ? 1 : this.real.nlink
  }
}

/** A file of an overlay that is no directory. */
export class OverlayFile extends OverlayNode {
  // (A file that is looked up for the first time stays. Its bytes are what the next hundred thousand look-ups cost more than the ones after
  // them, in whose time collections move it among what lives long: so there is nothing in it that most files do not need.)
  #dir: OverlayDirectory | null = null
  #name: ByteString = ''
  #seldom: Seldom | null = null

  constructor(fs: FileSystem, ino: number, upper: Inode | null, lower: Inode | null, data: Inode) {
    super(fs, ino, upper, upper ?? lower!)
    if (upper !== null && lower !== null) this.#more.lower = lower
    if (data !== this.real) this.#more.data = data
  }

  /** What it was, or is, in a lower layer, as far as that matters. */
  get lower(): Inode | null {
    return this.upper === null ? this.real : (this.#seldom?.lower ?? null)
  }

  /** The inode whose data it has: `real`, unless only attributes have been copied up. */
  get data(): Inode {
    return this.#seldom?.data ?? this.real
  }

  /** The upper layer has it from now on, with data that are there, too, or where they have been. */
  rise(copy: Inode, data: Inode): void {
    const { lower } = this
    this.upper = this.real = copy
    this.#more.lower = lower
    this.#more.data = data === copy ? null : data
  }

  /** Its data are in the upper layer, too. */
  dataHaveRisen(): void {
    if (this.#seldom !== null) this.#seldom.data = null
  }

  /** Names that it may be copied up to: one, unless it is indexed; none when they have been removed. */
  get places(): readonly Place[] {
    if (this.#dir === null) return noPlaces
    return [{ dir: this.#dir, name: this.#name }, ...(this.#seldom?.otherPlaces ?? noPlaces)]
  }
  set places([first, ...others]: readonly Place[]) {
    this.#dir = first?.dir ?? null
    this.#name = first?.name ?? ''
    if (this.#seldom !== null || others.length > 0) this.#more.otherPlaces = others
  }
  /** The first of them. */
  placeAt(dir: OverlayDirectory, name: ByteString): void {
    this.#dir = dir
    this.#name = name
  }

  get redirect(): ByteString | null {
    return this.#seldom?.redirect ?? null
  }
  set redirect(path: ByteString | null) {
    if (this.#seldom !== null || path !== null) this.#more.redirect = path
  }

  /** Whether the overlay has its upper inode open, because names lead to it that the upper layer does not have. */
  get held(): boolean {
    return this.#seldom?.held ?? false
  }
  set held(value: boolean) {
    if (this.#seldom !== null || value) this.#more.held = value
  }

  /** What the upper layer has of data that are copied up by chunk; `data` are then the lower ones. */
  get chunks(): Chunks | null {
    return this.#seldom?.chunks ?? null
  }
  set chunks(value: Chunks | null) {
    if (this.#seldom !== null || value !== null) this.#more.chunks = value
  }

  /** A copy-up that waits for its store. */
  get pending(): PendingCopy | null {
    return this.#seldom?.pending ?? null
  }
  set pending(value: PendingCopy | null) {
    if (this.#seldom !== null || value !== null) this.#more.pending = value
  }

  get #more(): Seldom {
    this.#seldom ??= new Seldom()
    return this.#seldom
  }

  get nlink(): number {
    return this.links < 0 ? this.real.nlink : this.links
  }
}

/** What few files have. */
class Seldom {
  /** What a file that has been copied up was in a lower layer. */
  lower: Inode | null = null
  /** The inode whose data it has, where that is not `real`. */
  data: Inode | null = null
  otherPlaces: readonly Place[] = noPlaces
  redirect: ByteString | null = null
  held = false
  chunks: Chunks | null = null
  pending: PendingCopy | null = null
}

/** A file of the upper layer without a name, into which data are being copied. */
export interface PendingCopy {
  readonly copy: Inode
  /** Bytes that it is to have, and those that have been dealt with. */
  readonly size: number
  done: number
}

/** Any inode of an overlay. */
export type OverlayInode = OverlayDirectory | OverlayFile

/** Whether it is a directory. */
export function isOverlayDirectory(inode: OverlayInode): inode is OverlayDirectory {
  return inode instanceof OverlayDirectory
}
