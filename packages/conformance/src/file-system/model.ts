/**
 * A model of a POSIX file system: as simple as can be, with nodes and maps, for root alone. What it answers is what a file
 * system must (the calls' pages in POSIX and Linux's manual).
 */
import { type ErrnoName, Mode, Rename, Xattr } from '@vmexit/vfs'

/** A file of the model. */
export interface ModelNode {
  readonly type: number
  mode: number
  uid: number
  gid: number
  nlink: number
  data: Uint8Array<ArrayBuffer>
  readonly target: string
  readonly entries: Map<string, ModelNode>
  readonly xattrs: Map<string, string>
}

/** What an operation says: `ok` or an error. */
export type ModelAnswer = 'ok' | ErrnoName

/** A directory and a name in it, with the node there if there is one. */
interface Place {
  readonly dir: ModelNode
  readonly name: string
  readonly node: ModelNode | undefined
}

/** A new node; a set-group-id directory hands its group down, and the bit to directories. */
function newNode(dir: ModelNode | null, type: number, mode: number, target = ''): ModelNode {
  const nlink = type === Mode.IFDIR ? 2 : 1
  const data = new Uint8Array(0)
  const inherited = dir !== null && (dir.mode & Mode.ISGID) !== 0
  const gid = inherited ? dir.gid : 0
  const full = inherited && type === Mode.IFDIR ? mode | Mode.ISGID : mode
  return { type, mode: full, uid: 0, gid, nlink, data, target, entries: new Map(), xattrs: new Map() }
}

/** The model. Paths are absolute and have no `.` or `..`. */
export class Model {
  readonly root: ModelNode = newNode(null, Mode.IFDIR, 0o755)

  /** The node of a path, or an error. */
  find(path: string, follow: boolean): ModelNode | ErrnoName {
    const place = this.#place(path, follow)
    return typeof place === 'string' ? place : (place.node ?? 'ENOENT')
  }

  /** open(2) with O_CREAT: the file that is there or a new one. */
  create(path: string, mode: number): ModelNode | ErrnoName {
    const place = this.#place(path, true)
    if (typeof place === 'string') return place
    const { dir, name, node } = place
    if (node !== undefined) return node.type === Mode.IFDIR ? 'EISDIR' : node
    const made = newNode(dir, Mode.IFREG, mode)
    dir.entries.set(name, made)
    return made
  }

  mkdir(path: string, mode: number): ModelAnswer {
    return this.#make(path, (dir) => {
      dir.nlink++
      return newNode(dir, Mode.IFDIR, mode)
    })
  }

  symlink(target: string, path: string): ModelAnswer {
    return this.#make(path, (dir) => newNode(dir, Mode.IFLNK, 0o777, target))
  }

  mkfifo(path: string, mode: number): ModelAnswer {
    return this.#make(path, (dir) => newNode(dir, Mode.IFIFO, mode))
  }

  link(from: string, path: string): ModelAnswer {
    const node = this.find(from, false)
    if (typeof node === 'string') return node
    const place = this.#place(path, false)
    if (typeof place === 'string') return place
    if (place.node !== undefined) return 'EEXIST'
    if (node.type === Mode.IFDIR) return 'EPERM'
    node.nlink++
    place.dir.entries.set(place.name, node)
    return 'ok'
  }

  unlink(path: string): ModelAnswer {
    const place = this.#place(path, false)
    if (typeof place === 'string') return place
    const { dir, name, node } = place
    if (node === undefined) return 'ENOENT'
    if (node.type === Mode.IFDIR) return 'EISDIR'
    dir.entries.delete(name)
    node.nlink--
    return 'ok'
  }

  rmdir(path: string): ModelAnswer {
    const place = this.#place(path, false)
    if (typeof place === 'string') return place
    const { dir, name, node } = place
    if (node === undefined) return 'ENOENT'
    if (node.type !== Mode.IFDIR) return 'ENOTDIR'
    if (node.entries.size > 0) return 'ENOTEMPTY'
    dir.entries.delete(name)
    dir.nlink--
    node.nlink = 0
    return 'ok'
  }

  rename(from: string, to: string, flags: number): ModelAnswer {
    const old = this.#place(from, false)
    if (typeof old === 'string') return old
    const next = this.#place(to, false)
    if (typeof next === 'string') return next
    const [node, there] = [old.node, next.node]
    if (node === undefined) return 'ENOENT'
    if (flags & Rename.RENAME_NOREPLACE && there !== undefined) return 'EEXIST'
    const exchange = (flags & Rename.RENAME_EXCHANGE) !== 0
    if (exchange && there === undefined) return 'ENOENT'
    if (isWithin(next.dir, node)) return 'EINVAL'
    if (there !== undefined && isWithin(old.dir, there)) return exchange ? 'EINVAL' : 'ENOTEMPTY'
    if (there === node) return 'ok'
    if (there !== undefined && !exchange) {
      if (node.type === Mode.IFDIR && there.type !== Mode.IFDIR) return 'ENOTDIR'
      if (node.type !== Mode.IFDIR && there.type === Mode.IFDIR) return 'EISDIR'
      if (there.entries.size > 0) return 'ENOTEMPTY'
      if (there.type === Mode.IFDIR) next.dir.nlink--
      there.nlink = there.type === Mode.IFDIR ? 0 : there.nlink - 1
    }
    old.dir.entries.delete(old.name)
    next.dir.entries.set(next.name, node)
    if (node.type === Mode.IFDIR) {
      old.dir.nlink--
      next.dir.nlink++
    }
    if (!exchange) return 'ok'
    old.dir.entries.set(old.name, there!)
    if (there!.type === Mode.IFDIR) {
      next.dir.nlink--
      old.dir.nlink++
    }
    return 'ok'
  }

  chmod(path: string, mode: number): ModelAnswer {
    const node = this.find(path, true)
    if (typeof node === 'string') return node
    node.mode = mode
    return 'ok'
  }

  chown(path: string, uid: number, gid: number): ModelAnswer {
    const node = this.find(path, false)
    if (typeof node === 'string') return node
    node.uid = uid
    node.gid = gid
    // Set-user-id goes; set-group-id too where it makes an executable one. Root is in any group.
    if (node.type !== Mode.IFDIR) node.mode &= node.mode & 0o010 ? ~0o6000 : ~0o4000
    return 'ok'
  }

  truncate(path: string, size: number): ModelAnswer {
    const node = this.find(path, true)
    if (typeof node === 'string') return node
    if (node.type === Mode.IFDIR) return 'EISDIR'
    if (node.type !== Mode.IFREG) return 'EINVAL'
    resize(node, size)
    return 'ok'
  }

  setxattr(path: string, name: string, value: string, flags: number): ModelAnswer {
    const node = this.find(path, true)
    if (typeof node === 'string') return node
    if (node.type !== Mode.IFREG && node.type !== Mode.IFDIR) return 'EPERM'
    if (node.xattrs.has(name) && flags & Xattr.XATTR_CREATE) return 'EEXIST'
    if (!node.xattrs.has(name) && flags & Xattr.XATTR_REPLACE) return 'ENODATA'
    node.xattrs.set(name, value)
    return 'ok'
  }

  removexattr(path: string, name: string): ModelAnswer {
    const node = this.find(path, true)
    if (typeof node === 'string') return node
    if (node.type !== Mode.IFREG && node.type !== Mode.IFDIR) return 'EPERM'
    return node.xattrs.delete(name) ? 'ok' : 'ENODATA'
  }

  #make(path: string, make: (dir: ModelNode) => ModelNode): ModelAnswer {
    const place = this.#place(path, false)
    if (typeof place === 'string') return place
    if (place.node !== undefined) return 'EEXIST'
    place.dir.entries.set(place.name, make(place.dir))
    return 'ok'
  }

  #place(path: string, follow: boolean, links = { left: 40 }): Place | ErrnoName {
    const names = path.split('/').filter((name) => name !== '')
    const last = names.pop()!
    let dir = this.root
    for (const [i, name] of names.entries()) {
      const node = dir.entries.get(name)
      if (node === undefined) return 'ENOENT'
      if (node.type === Mode.IFLNK) {
        if (links.left-- === 0) return 'ELOOP'
        return this.#place([node.target, ...names.slice(i + 1), last].join('/'), follow, links)
      }
      if (node.type !== Mode.IFDIR) return 'ENOTDIR'
      dir = node
    }
    const node = dir.entries.get(last)
    if (node?.type !== Mode.IFLNK || !follow) return { dir, name: last, node }
    return links.left-- === 0 ? 'ELOOP' : this.#place(node.target, true, links)
  }
}

/** Sets the size of a file. */
export function resize(node: ModelNode, size: number): void {
  const data = new Uint8Array(size)
  data.set(node.data.subarray(0, size))
  node.data = data
}

function isWithin(node: ModelNode, above: ModelNode): boolean {
  return (
    node === above || [...above.entries.values()].some((child) => child.type === Mode.IFDIR && isWithin(node, child))
  )
}
