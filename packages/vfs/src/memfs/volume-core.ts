/**
 * What a `Volume` of memfs calls for its work (its `Superblock`), on a layer of ours: paths, permissions and errors are
 * the layer's, and so are the clock and the owners of what is made.
 *
 * memfs takes these functions off the object and calls them by themselves, so they are fields.
 */
import { type Timespec, UTIME_NOW } from '../attribute-calls.ts'
import { Errno } from '../errno.ts'
import { At, Open } from '../flags.ts'
import type { Path } from '../mount/mount.ts'
import { bufferKind } from './buffers.ts'
import { flatten, type NestedJson, toJson } from './json.ts'
import { targetFromMemfs } from './names.ts'
import { directoryError, type NodeError, nodeError, orThrow } from './node-errors.ts'
import { type OpenFile, OpenFiles } from './open-files.ts'
import { makeDirectories, parentOf, removeTree } from './trees.ts'
import type { SeenLink, View } from './view.ts'

const { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW } = At

/** A look-up that memfs wants not to throw. */
type Found<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly err: { readonly code: string; toError(): NodeError } }

/** The `Superblock` of a volume that shows a layer. */
export class VolumeCore {
  readonly view: View
  readonly files: OpenFiles
  /** memfs counts them for its own statfs. */
  readonly inodes: object = {}
  /** Nobody is told here: what watches asks the layer (`watcher.ts`). */
  readonly changes: { listen(): () => void } = { listen: () => () => {} }

  constructor(view: View) {
    this.view = view
    this.files = new OpenFiles(view)
  }

  // Looking up

  getLinkOrThrow(path: string, syscall: string): SeenLink {
    return this.view.find(path, syscall, false)
  }

  getResolvedLinkOrThrow(path: string, syscall: string): SeenLink {
    return this.view.find(path, syscall, true)
  }

  getResolvedLinkResult(path: string, syscall: string): Found<SeenLink> {
    const found = this.view.look(path, true)
    if (typeof found !== 'number') return { ok: true, value: found }
    const error = nodeError(found, syscall, path)
    return { ok: false, err: { code: error.code, toError: () => error } }
  }

  getResolvedLink(path: string): SeenLink | null {
    const found = this.view.look(path, true)
    return typeof found === 'number' ? null : found
  }

  // Open files

  getFileByFd(fd: number): OpenFile | undefined {
    return this.files.get(fd)
  }

  getFileByFdOrThrow(fd: number, syscall: string): OpenFile {
    return this.files.of(fd, syscall)
  }

  readonly open = (path: string, flags: number, mode = 0o666): number => {
    if (this.files.full) throw nodeError(-Errno.EMFILE, 'open', path)
    const { vfs, task } = this.view
    return this.files.add(orThrow(vfs.open(task, null, targetFromMemfs(path), flags, mode), 'open', path)).fd
  }

  readonly close = (fd: number): void => this.files.close(fd)

  readonly read = (
    fd: number,
    into: ArrayBufferView,
    offset: number,
    length: number,
    position: number | null,
  ): number => {
    const { file } = this.files.of(fd, 'read')
    const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength)
    const { vfs } = this.view
    const at = positionOf(position)
    return orThrow(
      at === null ? vfs.read(file, bytes, offset, length) : vfs.pread(file, bytes, offset, length, at),
      'read',
    )
  }

  readonly readv = (fd: number, buffers: readonly ArrayBufferView[], position: number | null): number => {
    let total = 0
    let at = positionOf(position)
    for (const buffer of buffers) {
      const count = this.read(fd, buffer, 0, buffer.byteLength, at)
      total += count
      if (at !== null) at += count
      if (count < buffer.byteLength) break
    }
    return total
  }

  /**
   * Writes all, or throws: memfs takes a short count for success where it copies files. What has been written when space
   * ran out stays written.
   */
  readonly write = (fd: number, from: Uint8Array, offset = 0, length?: number, position?: number | null): number => {
    const { vfs, task } = this.view
    const { file } = this.files.of(fd, 'write')
    const wanted = Math.min(length ?? from.length, from.length - offset)
    const at = positionOf(position)
    let done = 0
    do {
      const [start, rest] = [offset + done, wanted - done]
      const count =
        at === null ? vfs.write(task, file, from, start, rest) : vfs.pwrite(task, file, from, start, rest, at + done)
      if (orThrow(count, 'write') === 0) break
      done += count
    } while (done < wanted)
    return done
  }

  readonly writeFile = (id: string | number | Uint8Array, data: Uint8Array, flags: number, mode: number): void => {
    const fd = typeof id === 'number' ? id : this.open(`${id}`, flags, mode)
    try {
      this.write(fd, data, 0, data.length, null)
    } finally {
      if (typeof id !== 'number') this.close(fd)
    }
  }

  // Entries

  readonly link = (from: string, to: string): void => {
    const { vfs, task } = this.view
    orThrow(vfs.link(task, null, targetFromMemfs(from), null, targetFromMemfs(to)), 'link', from, to)
  }

  readonly symlink = (target: string, path: string): void => {
    const { vfs, task } = this.view
    orThrow(vfs.symlink(task, targetFromMemfs(target), null, targetFromMemfs(path)), 'symlink', target, path)
  }

  readonly rename = (from: string, to: string): void => {
    const { vfs, task } = this.view
    orThrow(vfs.rename(task, null, targetFromMemfs(from), null, targetFromMemfs(to)), 'rename', from, to)
  }

  readonly unlink = (path: string): void => {
    orThrow(this.view.vfs.unlink(this.view.task, null, targetFromMemfs(path)), 'unlink', path)
  }

  readonly mkdir = (path: string, mode: number): void => {
    orThrow(this.view.vfs.mkdir(this.view.task, null, targetFromMemfs(path), mode), 'mkdir', path)
  }

  readonly mkdirp = (path: string, mode: number): string | undefined => makeDirectories(this.view, path, mode)

  readonly rmdir = (path: string, recursive = false): void => {
    if (recursive) orThrow(removeTree(this.view, null, targetFromMemfs(path)), 'rmdir', path)
    else orThrow(this.view.vfs.rmdir(this.view.task, null, targetFromMemfs(path)), 'rmdir', path)
  }

  readonly rm = (path: string, force = false, recursive = false): void => {
    const found = this.view.look(path, false)
    if (typeof found === 'number') {
      if (force && (found === -Errno.ENOENT || found === -Errno.ENOTDIR)) return
      throw nodeError(found, 'lstat', path)
    }
    if (found.getNode().isDirectory() && !recursive) throw directoryError(path)
    orThrow(removeTree(this.view, null, targetFromMemfs(path)), 'rm', path)
  }

  // Attributes

  readonly ftruncate = (fd: number, size = 0): void => {
    const { vfs, task } = this.view
    orThrow(vfs.ftruncate(task, this.files.of(fd, 'ftruncate').file, Math.max(size, 0)), 'ftruncate')
  }

  readonly chmod = (path: string, mode: number): void => this.#chmod(null, path, mode, 0, 'chmod')
  readonly lchmod = (path: string, mode: number): void => this.#chmod(null, path, mode, AT_SYMLINK_NOFOLLOW, 'lchmod')
  readonly fchmod = (fd: number, mode: number): void =>
    this.#chmod(this.files.of(fd, 'fchmod').file.path, '', mode, AT_EMPTY_PATH, 'fchmod')

  readonly chown = (path: string, uid: number, gid: number): void => this.#chown(null, path, uid, gid, 0, 'chown')
  readonly lchown = (path: string, uid: number, gid: number): void =>
    this.#chown(null, path, uid, gid, AT_SYMLINK_NOFOLLOW, 'lchown')
  readonly fchown = (fd: number, uid: number, gid: number): void =>
    this.#chown(this.files.of(fd, 'fchown').file.path, '', uid, gid, AT_EMPTY_PATH, 'fchown')

  readonly utimes = (path: string, atime: number, mtime: number, follow = true): void =>
    this.#utimes(null, path, atime, mtime, follow ? 0 : AT_SYMLINK_NOFOLLOW, follow ? 'utime' : 'lutime')
  readonly futimes = (fd: number, atime: number, mtime: number): void =>
    this.#utimes(this.files.of(fd, 'futime').file.path, '', atime, mtime, AT_EMPTY_PATH, 'futime')

  #chmod(at: Path | null, path: string, mode: number, flags: number, syscall: string): void {
    const { vfs, task } = this.view
    orThrow(vfs.chmod(task, at, targetFromMemfs(path), mode, flags), syscall, path || undefined)
  }

  #chown(at: Path | null, path: string, uid: number, gid: number, flags: number, syscall: string): void {
    const { vfs, task } = this.view
    orThrow(vfs.chown(task, at, targetFromMemfs(path), uid, gid, flags), syscall, path || undefined)
  }

  #utimes(at: Path | null, path: string, atime: number, mtime: number, flags: number, syscall: string): void {
    const { vfs, task } = this.view
    const times = [timespec(atime), timespec(mtime)] as const
    orThrow(vfs.utimens(task, at, targetFromMemfs(path), times, flags), syscall, path || undefined)
  }

  // Whole trees

  toJSON(
    paths?: string | readonly string[],
    json: Record<string, unknown> = {},
    isRelative = false,
    asBuffer = false,
  ): Record<string, unknown> {
    const starts = paths === undefined ? ['/'] : typeof paths === 'string' ? [paths] : paths
    for (const path of starts) {
      const link = this.getResolvedLink(`${path}`)
      if (link !== null) toJson(link, isRelative ? link.getPath() : '', asBuffer, json)
    }
    return json
  }

  fromJSON(json: Readonly<Record<string, string | Uint8Array | null>>, cwd = '.'): void {
    for (const [name, data] of Object.entries(json)) {
      const path = name.startsWith('/') ? name : `${cwd.replace(/\/+$/, '')}/${name}`
      const isFile = typeof data === 'string' || data instanceof Uint8Array
      this.mkdirp(isFile ? parentOf(path) : path, 0o777)
      if (!isFile) continue
      const bytes = typeof data === 'string' ? bufferKind().from(data, 'utf8') : data
      this.writeFile(path, bytes, Open.O_WRONLY | Open.O_CREAT | Open.O_TRUNC, 0o666)
    }
  }

  fromNestedJSON(json: NestedJson, cwd?: string): void {
    this.fromJSON(Object.fromEntries(flatten(json)), cwd)
  }

  /** Removes all that is in the root directory, and closes nothing. */
  reset(): void {
    const root = this.view.find('/', 'rm', true)
    for (const { name } of orThrow(this.view.list(root.place, '.'), 'scandir', '/')) {
      orThrow(removeTree(this.view, root.place, name), 'rm', '/')
    }
  }
}

/** A position, or `null` for the file's own. */
function positionOf(position: number | null | undefined): number | null {
  return typeof position === 'number' && position >= 0 ? position : null
}

/** What stands for now among times in seconds. */
export const NOW: number = Number.POSITIVE_INFINITY

/** Seconds as Node has them, of which a double holds microseconds. */
function timespec(time: number): Timespec {
  if (time === NOW) return { seconds: 0, nanoseconds: UTIME_NOW }
  const microseconds = Math.round((time - Math.floor(time)) * 1_000_000)
  const carry = microseconds === 1_000_000
  return { seconds: Math.floor(time) + Number(carry), nanoseconds: carry ? 0 : microseconds * 1000 }
}
