/**
 * Finding a name in the layers (fs/overlayfs/namei.c and overlayfs.rst, *Upper and Lower*, *whiteouts and opaque
 * directories*, *redirect_dir*, *Metadata only copy up*): the upper layer first, then the lower ones top to bottom, until
 * something hides what lies further below.
 */
import { type ByteString, byteStringOf, Errno, type Inode, isDirectory, isRegular, NOT_YET } from '@vmexit/vfs'
import { chunksOf } from './chunks.ts'
import { type Layer, type Lower, OverlayDirectory, OverlayFile, type OverlayInode } from './inode.ts'
import type { Union } from './union.ts'

const noLowers: readonly Lower[] = []

/** Looks names up in one overlay. */
export class Lookup {
  readonly #union: Union
  /** Of the search that is on: the name that the next layer is asked for, a path from its root if it begins with `/`. */
  #path: ByteString = ''
  /** Whether no further layer is to be asked. */
  #stop = false
  /** Whether no layer is below the one that is asked, so that it cannot say anything about such. */
  #last = false
  /** Whether a directory has been found, so that nothing else can join it. */
  #directory = false
  /** Whether what has been found last is attributes alone. */
  #metacopy = false
  #redirect: ByteString | null = null
  #found: Inode | null = null
  // What lower layers have, so that a file, which is in one of them, is found without making anything but itself: the topmost, the lowest
  // so far, and directories in a list.
  #top: Inode | null = null
  #topLayer: Layer | null = null
  #bottom: Inode | null = null
  #directories: Lower[] | null = null

  constructor(union: Union) {
    this.#union = union
  }

  /** The inode of a name, or a negated error number. */
  lookup(dir: OverlayDirectory, name: ByteString): OverlayInode | number {
    const known = dir.children?.get(name)
    if (known !== undefined) return known
    if (dir.upper !== null && dir.lowers.length === 0) {
      const upper = dir.upper.fs.lookup(dir.upper, name)
      if (typeof upper === 'number') return upper
    }
    return this.#search(dir, name)
  }

  #search(dir: OverlayDirectory, name: ByteString): OverlayInode | number {
    const { options } = this.#union
    this.#path = name
    this.#stop = this.#directory = this.#metacopy = false
    this.#redirect = null
    this.#top = this.#topLayer = this.#bottom = this.#directories = null
    let upper: Inode | null = null
    let stack = dir.lowers
    const follows = options.redirectDir !== 'nofollow'
    this.#last = !follows && stack.length === 0
    if (dir.upper !== null) {
      const answer = this.#inLayer(dir.upper)
      if (answer < 0) return answer
      upper = this.#found
      if (this.#fromRoot()) stack = this.#union.root.lowers
    }
    const redirect = this.#redirect as ByteString | null
    const upperMetacopy = this.#metacopy
    for (let i = 0; !this.#stop && i < stack.length; i++) {
      const { inode, layer } = stack[i]!
      this.#last = follows ? layer.index === this.#union.lowers.length : i === stack.length - 1
      const answer = this.#inLayer(inode)
      if (answer < 0) return answer
      if (this.#found === null) continue
      if ((upperMetacopy || this.#metacopy) && !options.metacopy) return -Errno.EPERM
      if (this.#redirect !== null && !follows) return -Errno.EPERM
      if (!this.#metacopy || this.#top === null) this.#take(this.#found, layer)
      if (this.#fromRoot() && stack !== this.#union.root.lowers) {
        stack = this.#union.root.lowers
        i = layer.index - 1
      }
    }
    if (this.#metacopy || (upperMetacopy && this.#top === null)) return -Errno.EIO
    if (upper === null && this.#top === null) {
      this.#union.absent(dir, name)
      return -Errno.ENOENT
    }
    return this.#inode(dir, name, upper, redirect)
  }

  /** A lower layer has it. */
  #take(inode: Inode, layer: Layer): void {
    if (this.#top === null) {
      this.#top = inode
      this.#topLayer = layer
    }
    this.#bottom = inode
    if (!isDirectory(inode.mode)) return
    this.#directories ??= []
    this.#directories.push({ inode, layer })
  }

  #fromRoot(): boolean {
    return this.#redirect?.startsWith('/') ?? false
  }

  /** Looks for `#path` in one layer: leaves what is there in `#found`, and what follows for the others. */
  #inLayer(base: Inode): number {
    if (!this.#path.startsWith('/')) return this.#single(base, 0, this.#path.length)
    let dir = base
    for (let rest = this.#path.length - 1; ; ) {
      const start = this.#path.length - rest
      const slash = this.#path.indexOf('/', start)
      const answer = this.#single(dir, start, slash < 0 ? this.#path.length : slash)
      if (answer < 0 || slash < 0 || this.#found === null) return answer
      rest -= slash - start + 1
      dir = this.#found
    }
  }

  /** Looks for the part of `#path` from `start` to `end`. */
  #single(dir: Inode, start: number, end: number): number {
    const { marks, roots } = this.#union
    const last = end === this.#path.length
    this.#found = null
    const inode = dir.fs.lookup(dir, this.#path.slice(start, end))
    if (typeof inode === 'number') return inode === -Errno.ENOENT ? 0 : inode
    const whiteout = marks.whiteout(inode)
    if (whiteout < 0) return whiteout
    if (whiteout || (last && this.#metacopy && !isRegular(inode.mode))) {
      this.#stop = true
      return 0
    }
    if (!isDirectory(inode.mode)) {
      if (this.#directory || !last) {
        this.#stop = true
        return 0
      }
      const metacopy = isRegular(inode.mode) ? marks.has(inode, marks.metacopy) : 0
      if (metacopy < 0) return metacopy
      this.#metacopy = metacopy === 1
      this.#stop = !this.#metacopy
      if (this.#stop || this.#last) {
        this.#found = inode
        return 0
      }
    } else {
      if (roots.has(inode)) return -Errno.ELOOP
      if (last) this.#directory = true
      if (this.#last) {
        this.#found = inode
        return 0
      }
      const opacity = marks.opacity(inode)
      if (typeof opacity === 'number') return opacity
      if (opacity === 'y') {
        this.#stop = true
        if (last) {
          this.#found = inode
          return 0
        }
      }
    }
    const answer = this.#follow(inode, start, end)
    if (answer === 0) this.#found = inode
    return answer
  }

  /** Takes a redirect into account: layers below are asked for another name, or for a path. */
  #follow(inode: Inode, start: number, end: number): number {
    const value = inode.fs.getxattr(inode, this.#union.marks.redirect)
    if (typeof value === 'number') return value === NOT_YET ? value : 0
    const redirect = byteStringOf(value)
    const absolute = redirect.startsWith('/')
    const parts = (absolute ? redirect.slice(1) : redirect).split('/')
    if (parts.includes('') || (!absolute && parts.length > 1)) return -Errno.EINVAL
    // Layers are asked for names alone: these would lead out of one.
    if (parts.includes('.') || parts.includes('..')) return -Errno.EACCES
    if (absolute) this.#stop = false
    this.#path = this.#redirect = (absolute ? redirect : this.#path.slice(0, start) + redirect) + this.#path.slice(end)
    return 0
  }

  /** The inode that stands for what has been found; the same one each time. */
  #inode(dir: OverlayDirectory, name: ByteString, upper: Inode | null, redirect: ByteString | null): OverlayInode {
    const { linked, numbers, fs } = this.#union
    const lower = this.#top
    const real = upper ?? lower!
    const number = upper !== null ? numbers.of(0, upper.ino) : numbers.of(this.#topLayer!.device, real.ino)
    if (isDirectory(real.mode)) {
      const inode = new OverlayDirectory(fs, number, upper, this.#directories ?? noLowers, dir, name)
      inode.redirect = redirect
      this.#union.found(dir, name, inode)
      return inode
    }
    const several = real.nlink > 1 && (upper !== null || !this.#union.parts(real))
    const known = several ? linked.get(real) : undefined
    if (known !== undefined) {
      // An indexed file may be copied up to each of its names.
      if (known.links > 0 && known.lower !== null) known.places = [...known.places, { dir, name }]
      this.#union.found(dir, name, known)
      return known
    }
    const data = this.#bottom ?? real
    const inode = new OverlayFile(fs, number, upper, lower, data)
    if (lower !== null) inode.placeAt(dir, name)
    inode.redirect = redirect
    if (upper !== null && data !== upper) inode.chunks = chunksOf(upper, this.#union.marks.chunks)
    if (several) linked.set(real, inode)
    if (several && upper === null && this.#union.upper !== null) inode.links = real.nlink
    this.#union.found(dir, name, inode)
    return inode
  }
}
