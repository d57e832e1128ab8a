/**
 * Path walk (path_resolution(7), openat2(2), symlink(7); Linux's fs/namei.c): from a path to a place, or to a directory and
 * a last name. One object per layer, whose fields are the answer of the last walk.
 */
import type { TaskContext } from './context.ts'
import { type Dentry, type DentryCache, inodeOf } from './dentry.ts'
import { Errno } from './errno.ts'
import type { Inode } from './file-system.ts'
import { Access, isDirectory, isSymlink, Mode, PATH_MAX, Resolve } from './flags.ts'
import { type Mount, MountFlag, type Path } from './mount/mount.ts'
import type { ByteString } from './names.ts'
import { permission } from './permission.ts'

const { EACCES, EAGAIN, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV } = Errno
const {
  RESOLVE_BENEATH,
  RESOLVE_CACHED,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} = Resolve

/** The most symbolic links that one walk follows. */
const maxLinks = 40

/** What the last component of a path is: a name, `.`, `..`, or none, as in `/`. */
export const Last = { NAME: 0, DOT: 1, DOTDOT: 2, NONE: 3 } as const

const slash = 0x2f

/** A walk and its result. */
export class Walk {
  /** The place reached; after `parent` the directory of the last name. */
  mount!: Mount
  dentry!: Dentry
  /** The last name, after `parent`. */
  last: ByteString = ''
  /** What it is: `Last`. */
  lastKind: number = Last.NONE
  /** Whether slashes follow it. */
  trailingSlash = false
  /** Whether a magic link has led to the place, so that there is no last name. */
  followedMagic = false

  readonly #entries: DentryCache
  readonly #protectLinks: boolean
  readonly #touchLink: (mount: Mount, link: Dentry) => void
  #task!: TaskContext
  #root!: Path
  #resolve = 0
  #links = 0

  /** `protectLinks` is fs.protected_symlinks; `touchLink` is told of links that are followed. */
  constructor(entries: DentryCache, protectLinks: boolean, touchLink: (mount: Mount, link: Dentry) => void) {
    this.#entries = entries
    this.#protectLinks = protectLinks
    this.#touchLink = touchLink
  }

  /** The place reached, as an object of its own. */
  path(): Path {
    return { mount: this.mount, dentry: this.dentry }
  }

  /** Walks to the last name, which is neither looked up nor followed. 0 or an error. */
  parent(task: TaskContext, at: Path | null, path: ByteString, resolve = 0): number {
    if (path.length === 0) return -ENOENT
    if (path.length >= PATH_MAX) return -ENAMETOOLONG
    this.#task = task
    this.#resolve = resolve
    this.#links = 0
    const start = at ?? task.cwd
    const scoped = resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)
    this.#root = scoped ? start : task.root
    const from = path.charCodeAt(0) === slash ? this.#root : start
    this.mount = from.mount
    this.dentry = from.dentry
    if (!isDirectory(inodeOf(this.dentry).mode)) return -ENOTDIR
    return this.#components(path)
  }

  /** Walks to what a path names; a symbolic link at its end is followed, or is the place itself. 0 or an error. */
  target(task: TaskContext, at: Path | null, path: ByteString, follow: boolean, resolve = 0): number {
    const answer = this.parent(task, at, path, resolve)
    return answer < 0 ? answer : this.finish(follow)
  }

  /** After `parent`: goes on to what the last name names. */
  finish(follow: boolean): number {
    for (;;) {
      const kind = this.lastKind
      if (kind !== Last.NAME) return kind === Last.DOTDOT ? this.#up() : 0
      const child = this.#entries.lookup(this.dentry, this.last, (this.#resolve & RESOLVE_CACHED) !== 0)
      if (typeof child === 'number') return child
      const { mode } = inodeOf(child)
      if (!isSymlink(mode) || !(follow || this.trailingSlash)) {
        const answer = this.#enter(child)
        if (answer < 0) return answer
        return this.trailingSlash && !isDirectory(inodeOf(this.dentry).mode) ? -ENOTDIR : 0
      }
      const answer = this.followLink(child, this.trailingSlash ? '/' : '')
      if (answer < 0) return answer
    }
  }

  /** After `parent`: the entry of the last name in its directory, without following or crossing anything. */
  lookupLast(): Dentry | number {
    return this.#entries.lookup(this.dentry, this.last, (this.#resolve & RESOLVE_CACHED) !== 0)
  }

  /** After `lookupLast`: steps onto that entry, and what is mounted on it. */
  stepTo(child: Dentry): number {
    return this.#enter(child)
  }

  /** Follows a link that stands in the directory reached, and walks on by `rest`; as `parent` does. */
  followLink(link: Dentry, rest: ByteString): number {
    if (this.#links++ >= maxLinks || this.#resolve & RESOLVE_NO_SYMLINKS) return -ELOOP
    if (this.mount.flags & MountFlag.NOSYMFOLLOW) return -ELOOP
    const inode = inodeOf(link)
    if (this.#protectLinks && !mayFollow(this.#task.credentials.uid, inodeOf(this.dentry), inode)) return -EACCES
    if (this.#resolve & RESOLVE_CACHED && inode.fs.caching !== 'none') return -EAGAIN
    const magic = inode.fs.magicLink?.(inode)
    if (magic !== undefined) {
      if (typeof magic === 'number') return magic
      const answer = this.#jump(magic as Path)
      if (answer < 0) return answer
      this.lastKind = Last.NONE
      this.trailingSlash = false
      this.followedMagic = true
      if (rest === '') return 0
      return isDirectory(inodeOf(this.dentry).mode) ? this.#components(`.${rest}`) : -ENOTDIR
    }
    const target = inode.fs.readlink(inode)
    if (typeof target === 'number') return target
    if (target.length === 0) return -ENOENT
    this.#touchLink(this.mount, link)
    return this.#components(target + rest)
  }

  /** Walks through all components but the last. */
  #components(path: ByteString): number {
    const { length } = path
    let at = 0
    if (path.charCodeAt(0) === slash) {
      const answer = this.#toRoot()
      if (answer < 0) return answer
      while (at < length && path.charCodeAt(at) === slash) at++
    }
    this.lastKind = Last.NONE
    this.trailingSlash = false
    this.followedMagic = false
    while (at < length) {
      const allowed = permission(this.#task.credentials, inodeOf(this.dentry), Access.X_OK)
      if (allowed < 0) return allowed
      let end = at
      while (end < length && path.charCodeAt(end) !== slash) end++
      let next = end
      while (next < length && path.charCodeAt(next) === slash) next++
      const name = at === 0 && end === length ? path : path.slice(at, end)
      const kind = name === '.' ? Last.DOT : name === '..' ? Last.DOTDOT : Last.NAME
      if (next === length) {
        this.last = name
        this.lastKind = kind
        this.trailingSlash = next > end
        return 0
      }
      if (kind === Last.NAME) {
        const child = this.#entries.lookup(this.dentry, name, (this.#resolve & RESOLVE_CACHED) !== 0)
        if (typeof child === 'number') return child
        if (isSymlink(inodeOf(child).mode)) return this.followLink(child, path.slice(end))
        const answer = this.#enter(child)
        if (answer < 0) return answer
      } else if (kind === Last.DOTDOT) {
        const answer = this.#up()
        if (answer < 0) return answer
      }
      if (!isDirectory(inodeOf(this.dentry).mode)) return -ENOTDIR
      at = next
    }
    return 0
  }

  #toRoot(): number {
    if (this.#resolve & RESOLVE_BENEATH) return -EXDEV
    const { mount, dentry } = this.#root
    if (this.#resolve & RESOLVE_NO_XDEV && mount !== this.mount) return -EXDEV
    this.mount = mount
    this.dentry = dentry
    return 0
  }

  #jump(to: Path): number {
    if (this.#resolve & RESOLVE_NO_MAGICLINKS) return -ELOOP
    if (this.#resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) return -EXDEV
    if (this.#resolve & RESOLVE_NO_XDEV && to.mount !== this.mount) return -EXDEV
    this.mount = to.mount
    this.dentry = to.dentry
    return 0
  }

  /** Steps onto an entry of the directory reached, and what is mounted on it. */
  #enter(child: Dentry): number {
    this.dentry = child
    return child.mounts > 0 ? this.#cover() : 0
  }

  #cover(): number {
    while (this.dentry.mounts > 0) {
      const child = this.mount.children.get(this.dentry)
      if (child === undefined) return 0
      if (this.#resolve & RESOLVE_NO_XDEV) return -EXDEV
      this.mount = child
      this.dentry = child.root
    }
    return 0
  }

  /** `..`: up across mounts, and no further than the root. */
  #up(): number {
    for (;;) {
      if (this.dentry === this.#root.dentry && this.mount === this.#root.mount) {
        return this.#resolve & RESOLVE_BENEATH ? -EXDEV : 0
      }
      if (this.dentry !== this.mount.root) {
        if (this.dentry.parent !== null) this.dentry = this.dentry.parent
        return this.#cover()
      }
      if (this.mount.parent === null) return 0
      if (this.#resolve & RESOLVE_NO_XDEV) return -EXDEV
      this.dentry = this.mount.mountpoint!
      this.mount = this.mount.parent
    }
  }
}

/** fs.protected_symlinks: links of others are not followed in a sticky directory that all may write to. */
function mayFollow(uid: number, dir: Inode, link: Inode): boolean {
  const shared = Mode.ISVTX | Mode.IWOTH
  return uid === link.uid || (dir.mode & shared) !== shared || dir.uid === link.uid
}
