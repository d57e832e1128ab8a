/** What the parts of one overlay share: its layers, its options, and which inode of it stands for which of a layer. */
import { type ByteString, Errno, type FileSystem, type Inode, isDirectory } from '@vmexit/vfs'
import { isOverlayDirectory, type Layer, OverlayDirectory, type OverlayFile, type OverlayInode } from './inode.ts'
import { Marks } from './marks.ts'
import { Numbers } from './numbers.ts'

/** What an overlay is made of: directories, a whole file system's being its `root`. */
export interface OverlayOptions {
  /** The read-only layers, the topmost first: 1 to 1,000, or none where there is an upper one. */
  readonly lower: readonly Inode[]
  /** The layer that takes all changes. Without it the overlay is read-only. */
  readonly upper?: Inode
  /**
   * Whether merged and lower directories can be renamed: `on`. With `follow`, which is the default as on Linux, and
   * `nofollow` renaming them is EXDEV; what has been renamed before is followed, or refused with EPERM.
   */
  readonly redirectDir?: 'on' | 'follow' | 'nofollow'
  /** Whether hard links of lower files stay links when they are copied up. Off unless stated, as on Linux. */
  readonly index?: boolean
  /** Whether changes of attributes copy up attributes alone. Needs `redirectDir: 'on'`. Off unless stated. */
  readonly metacopy?: boolean
  /**
   * Whether a file of at least so many bytes is copied up chunk by chunk, as it is written. Needs `metacopy`. Off unless
   * stated.
   */
  readonly lazyCopyUp?: { readonly chunkBytes: number; readonly fromBytes: number }
  /** Whether marks are kept in `user.overlay.` instead of `trusted.overlay.`. Off unless stated. */
  readonly userxattr?: boolean
}

/** Options that make no overlay. `problems` has all of them. */
export class OverlayError extends Error {
  readonly code = 'OVERLAY_OPTIONS'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`no overlay can be made: ${problems.join('; ')}`)
    this.name = 'OverlayError'
    this.problems = problems
  }
}

/** The most lower layers: as many as Linux can tell apart. */
const maxLowers = 1000

/** The state of one overlay. */
export class Union {
  readonly fs: FileSystem
  readonly lowers: readonly Layer[]
  readonly upper: Layer | null
  readonly options: OverlayOptions
  readonly marks: Marks
  readonly numbers: Numbers
  readonly root: OverlayDirectory
  /** Files that have several names, by their inodes of layers. */
  readonly linked: Map<Inode, OverlayFile> = new Map()
  /** Roots of layers: a directory below one of them that is another, or the same, is a loop. */
  readonly roots: ReadonlySet<Inode>
  /** The name that was last looked for and is in no layer: who looks in vain often makes it next. */
  #absentIn: OverlayDirectory | null = null
  #absentName: ByteString = ''
  #temporary = 0

  constructor(fs: FileSystem, options: OverlayOptions) {
    const problems = problemsOf(options)
    if (problems.length > 0) throw new OverlayError(problems)
    this.fs = fs
    this.options = options
    this.marks = new Marks(options.userxattr ?? false)
    const devices: FileSystem[] = options.upper === undefined ? [] : [options.upper.fs]
    const layer = (root: Inode, index: number): Layer => {
      const known = devices.indexOf(root.fs)
      return { index, root, device: known >= 0 ? known : devices.push(root.fs) - 1 }
    }
    this.upper = options.upper === undefined ? null : layer(options.upper, 0)
    this.lowers = options.lower.map((root, index) => layer(root, index + 1))
    this.numbers = new Numbers(devices.length)
    this.roots = new Set([...options.lower, ...(options.upper === undefined ? [] : [options.upper])])
    const lowers = this.lowers.map((layer) => ({ inode: layer.root, layer }))
    this.root = new OverlayDirectory(
      fs,
      this.upper === null
        ? this.numbers.of(this.lowers[0]!.device, this.lowers[0]!.root.ino)
        : this.numbers.of(0, this.upper.root.ino),
      this.upper?.root ?? null,
      lowers,
      null,
      '',
    )
  }

  /**
   * Whether lower layers are taken to stay as they are while no overlay is made of them. As on Linux, that is so once an
   * option is used that older versions did not have.
   */
  get lowersStay(): boolean {
    const { redirectDir, index, metacopy } = this.options
    return redirectDir === 'on' || index === true || metacopy === true
  }

  /** The upper layer's file system. The caller has seen to it that there is one. */
  get store(): FileSystem {
    return this.upper!.root.fs
  }

  /** Whether the layers below a directory have a name: 1, 0, or an error. */
  inLower(dir: OverlayDirectory, name: ByteString): number {
    for (const { inode } of dir.lowers) {
      const found = inode.fs.lookup(inode, name)
      if (typeof found === 'number') {
        if (found === -Errno.ENOENT) continue
        return found
      }
      const whiteout = this.marks.whiteout(found)
      return whiteout < 0 ? whiteout : 1 - whiteout
    }
    return 0
  }

  /** The upper layer's own entry of that name, a whiteout too; `null` if there is none; or an error. */
  inUpper(dir: OverlayDirectory, name: ByteString): Inode | null | number {
    if (dir.upper === null) return null
    const found = this.store.lookup(dir.upper, name)
    return found === -Errno.ENOENT ? null : found
  }

  /** A name that a directory of the upper layer does not have, for something that is about to get another. */
  temporaryName(dir: Inode): ByteString {
    for (;;) {
      const name = `#${++this.#temporary}`
      if (typeof this.store.lookup(dir, name) === 'number') return name
    }
  }

  /** A name is in no layer. */
  absent(dir: OverlayDirectory, name: ByteString): void {
    this.#absentIn = dir
    this.#absentName = name
  }

  /** Whether a name is known to be in no layer. */
  isAbsent(dir: OverlayDirectory, name: ByteString): boolean {
    return this.#absentIn === dir && this.#absentName === name
  }

  /** A name has been found in a directory. */
  found(dir: OverlayDirectory, name: ByteString, inode: OverlayInode): void {
    dir.children ??= new Map()
    dir.children.set(name, inode)
  }

  /** A name has come into a directory. */
  entered(dir: OverlayDirectory, name: ByteString, inode: OverlayInode): void {
    this.#absentIn = null
    this.found(dir, name, inode)
    dir.entries?.add(name, inode.ino, (inode.mode >>> 12) & 15)
  }

  /** A name has gone from a directory. */
  left(dir: OverlayDirectory, name: ByteString): void {
    dir.entries?.remove(name)
    dir.children?.delete(name)
  }

  /** An inode has lost a name or an open: gives back what is kept for it, if that was the last. */
  settle(inode: OverlayInode): void {
    if (inode.upper === null || inode.nlink > 0) return
    if (!isOverlayDirectory(inode)) {
      if (this.linked.size > 0) {
        this.linked.delete(inode.upper)
        if (inode.lower !== null) this.linked.delete(inode.lower)
      }
      if (inode.held) {
        inode.held = false
        this.store.release(inode.upper)
      }
    }
    if (inode.opens === 0) this.numbers.forget(inode.upper)
  }

  /** Marks a directory as holding what has been copied up. Without use here: Linux looks at it. */
  markImpure(dir: OverlayDirectory): number {
    if (dir.impure) return 0
    const answer = this.marks.set(dir.upper!, this.marks.impure)
    if (answer < 0 && answer !== -Errno.EOPNOTSUPP) return answer
    dir.impure = true
    return 0
  }

  /** Whether a lower file is parted from its other names by a copy-up. */
  parts(inode: Inode): boolean {
    return inode.nlink > 1 && this.upper !== null && !this.options.index
  }

  /** Whether a file has to be known by a place of the lower layers, wherever it goes. */
  rests(inode: OverlayInode): boolean {
    if (inode.upper === null) return true
    return isOverlayDirectory(inode) ? inode.lowers.length > 0 : (inode as OverlayFile).data !== inode.upper
  }
}

function problemsOf({ lower, upper, redirectDir, metacopy, lazyCopyUp, userxattr }: OverlayOptions): string[] {
  const problems: string[] = []
  const all = upper === undefined ? lower : [upper, ...lower]
  if (all.length === 0) problems.push('it has no layers: give `lower`, `upper` or both')
  if (lower.length > maxLowers) problems.push(`${lower.length} lower layers are more than ${maxLowers}: merge some`)
  if (all.some(({ mode }) => !isDirectory(mode))) problems.push('a layer is no directory')
  if (new Set(all).size < all.length) problems.push('a directory is a layer twice (ELOOP)')
  if (upper?.fs.readOnly) problems.push('the upper layer is read-only: make it a lower one')
  if (upper?.fs.type === 'overlay') problems.push('the upper layer is an overlay: only lower layers can be')
  if (metacopy && redirectDir !== 'on') problems.push("`metacopy` needs `redirectDir: 'on'`")
  if (metacopy && userxattr) problems.push('`metacopy` and `userxattr` exclude each other, as on Linux')
  if (redirectDir === 'on' && userxattr)
    problems.push("`redirectDir: 'on'` and `userxattr` exclude each other, as on Linux")
  if (lazyCopyUp && !metacopy) problems.push('`lazyCopyUp` needs `metacopy`')
  return problems
}
