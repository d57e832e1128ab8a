/** From an archive to a tree of files. */
import {
  At,
  type ByteString,
  Errno,
  type File,
  isDirectory,
  Mode,
  makeDevice,
  Open,
  type Path,
  Stat,
  type TaskContext,
  type Vfs,
} from '@vmexit/vfs'
import { damaged, type TarEntry } from '../entry.ts'
import type { TarVisitor } from '../reader.ts'
import { must, TreeError } from './errors.ts'
import { isOverlayAttribute, OPAQUE_ATTRIBUTE, OPAQUE_NAME, OPAQUE_VALUE, WHITEOUT_PREFIX } from './whiteouts.ts'

/** What an {@link Unpacker} is made with. */
export interface UnpackOptions {
  readonly vfs: Vfs
  /** Who unpacks: the archive's names begin at its root, and cannot lead out of it. Its mask should be 0. */
  readonly task: TaskContext
  /**
   * `plain`: names that begin with `.wh.` are names like others. `overlay`: they are whiteouts of an image layer, and become what an overlay
   * over this tree looks for.
   */
  readonly whiteouts?: 'plain' | 'overlay'
}

const EMPTY = At.AT_EMPTY_PATH | At.AT_SYMLINK_NOFOLLOW
const KINDS = { character: Mode.IFCHR, block: Mode.IFBLK, fifo: Mode.IFIFO } as const

/**
 * Puts what a `TarReader` finds into a tree, with owners, modes, times, attributes, links, devices and holes. What is in the way is
 * replaced; a directory stays and gets the archive's attributes. Links on the way to an entry are followed within the task's root; the last
 * part of a name never is. Call {@link finish} at the end.
 */
export class Unpacker implements TarVisitor {
  readonly #options: UnpackOptions
  /** Times of directories are set at the end: to fill them changes them. */
  readonly #directories = new Map<ByteString, TarEntry>()
  /** Names that this archive says are gone below. */
  readonly #whiteouts = new Set<ByteString>()
  #file: File | undefined
  #entry: TarEntry | undefined
  readonly #stat = new Stat()

  constructor(options: UnpackOptions) {
    this.#options = options
  }

  /** @throws TreeError, TarError. */
  entry(entry: TarEntry, position: number): void {
    const parts = partsOf(entry.name)
    if (parts.includes('..')) throw damaged(`the name '${entry.name}' leads upwards`, position)
    const name = `/${parts.join('/')}`
    if (parts.length === 0) {
      if (entry.type === 'directory') this.#directories.set('/', entry)
      return
    }
    this.#makeParents(parts, entry)
    if (this.#options.whiteouts === 'overlay' && this.#whiteout(parts, entry, position)) return
    if (entry.type === 'directory') this.#makeDirectory(name, entry)
    else this.#make(name, entry)
  }

  data(bytes: Uint8Array, position: number): void {
    const { vfs, task } = this.#options
    if (this.#file === undefined) return
    for (let done = 0; done < bytes.length; )
      done += must(
        vfs.pwrite(task, this.#file, bytes, done, bytes.length - done, position + done),
        'write',
        this.#entry!.name,
      ) as number
  }

  end(): void {
    const file = this.#file
    const entry = this.#entry
    if (file === undefined || entry === undefined) return
    const { vfs, task } = this.#options
    this.#file = undefined
    this.#entry = undefined
    try {
      must(vfs.ftruncate(task, file, entry.size), 'write', entry.name)
      this.#describe(file.path, entry)
    } finally {
      vfs.close(file)
    }
  }

  /** The archive is over: directories get their times. @throws TreeError. */
  finish(): void {
    const { vfs, task } = this.#options
    for (const [name, entry] of [...this.#directories].reverse()) {
      const path = vfs.lookup(task, null, name, At.AT_SYMLINK_NOFOLLOW)
      if (typeof path === 'object') this.#describe(path, entry)
    }
    this.#directories.clear()
  }

  /** From one directory to the next, so that a deep name takes a step for each part. */
  #makeParents(parts: readonly ByteString[], entry: TarEntry): void {
    const { vfs, task } = this.#options
    let at: Path | null = null
    for (let n = 0; n < parts.length - 1; n++) {
      const name: ByteString = at === null ? `/${parts[n]}` : parts[n]!
      let found: Path | number = vfs.lookup(task, at, name)
      if (typeof found === 'object' && !isDirectory(found.dentry.inode!.mode)) {
        const path = `/${parts.slice(0, n + 1).join('/')}`
        if (this.#whiteouts.has(path)) {
          this.#makeOverWhiteout(path, 0o755, entry)
          found = vfs.lookup(task, at, name)
        }
      } else if (found === -Errno.ENOENT) {
        const answer = vfs.mkdir(task, at, name, 0o755)
        found = answer < 0 && answer !== -Errno.EEXIST ? answer : vfs.lookup(task, at, name)
      }
      at = must(found, 'make the directory of', entry.name) as Path
    }
  }

  /** True if the name says that something below is gone. */
  #whiteout(parts: readonly ByteString[], entry: TarEntry, position: number): boolean {
    const { name } = entry
    const { vfs, task } = this.#options
    const last = parts.at(-1)!
    const parent = `/${parts.slice(0, -1).join('/')}`
    if (last === OPAQUE_NAME) {
      this.#hideBelow(must(vfs.lookup(task, null, parent), 'find the directory of', name) as Path, name)
      return true
    }
    if (!last.startsWith(WHITEOUT_PREFIX)) return false
    const hidden = last.slice(WHITEOUT_PREFIX.length)
    if (hidden === '' || hidden === '.' || hidden === '..')
      throw damaged(`the whiteout '${name}' hides nothing`, position)
    const path = `${parent === '/' ? '' : parent}/${hidden}`
    const answer = vfs.mknod(task, null, path, Mode.IFCHR, 0)
    if (answer === -Errno.EEXIST) {
      // What this layer itself holds under the name stays, and alone (specification, "Whiteouts").
      const there = must(vfs.lookup(task, null, path, At.AT_SYMLINK_NOFOLLOW), 'find', name) as Path
      this.#look(path, entry)
      if (isDirectory(this.#stat.mode)) this.#hideBelow(there, name)
      return true
    }
    must(answer, 'make', name)
    this.#whiteouts.add(path)
    return true
  }

  #hideBelow(directory: Path, name: ByteString): void {
    const { vfs, task } = this.#options
    must(vfs.setxattr(task, directory, OPAQUE_ATTRIBUTE, OPAQUE_VALUE), 'hide what is below', name)
  }

  /** A directory in the place of a whiteout: what lies below stays gone. */
  #makeOverWhiteout(name: ByteString, mode: number, entry: TarEntry): void {
    const { vfs, task } = this.#options
    this.#remove(name, entry)
    must(vfs.mkdir(task, null, name, mode), 'make', entry.name)
    this.#hideBelow(must(vfs.lookup(task, null, name, At.AT_SYMLINK_NOFOLLOW), 'find', entry.name) as Path, entry.name)
  }

  #makeDirectory(name: ByteString, entry: TarEntry): void {
    const { vfs, task } = this.#options
    if (this.#whiteouts.has(name)) this.#makeOverWhiteout(name, entry.mode, entry)
    const answer = vfs.mkdir(task, null, name, entry.mode)
    if (answer === -Errno.EEXIST) {
      this.#look(name, entry)
      if (!isDirectory(this.#stat.mode)) {
        this.#remove(name, entry)
        must(vfs.mkdir(task, null, name, entry.mode), 'make', entry.name)
      }
    } else must(answer, 'make', entry.name)
    // Last mentioned, last described.
    this.#directories.delete(name)
    this.#directories.set(name, entry)
  }

  #make(name: ByteString, entry: TarEntry): void {
    const { vfs, task } = this.#options
    if (entry.type === 'hardlink' && this.#isThere(name, entry)) return
    this.#remove(name, entry)
    switch (entry.type) {
      case 'file': {
        const flags = Open.O_CREAT | Open.O_EXCL | Open.O_WRONLY | Open.O_NOFOLLOW
        this.#file = must(vfs.open(task, null, name, flags, 0o600), 'make', entry.name) as File
        this.#entry = entry
        return
      }
      case 'hardlink': {
        must(vfs.link(task, null, targetOf(entry), null, name), `link to '${entry.target}'`, entry.name)
        return
      }
      case 'symlink':
        must(vfs.symlink(task, entry.target, null, name), 'make', entry.name)
        break
      case 'character':
      case 'block':
      case 'fifo': {
        const device = entry.type === 'fifo' ? 0 : makeDevice(entry.major, entry.minor)
        must(vfs.mknod(task, null, name, KINDS[entry.type] | (entry.mode & 0o777), device), 'make', entry.name)
      }
    }
    const path = must(vfs.lookup(task, null, name, At.AT_SYMLINK_NOFOLLOW), 'find', entry.name) as Path
    this.#describe(path, entry)
  }

  /** Whether a hard link's name is its target's already, as where an archive was told to hold a file twice. */
  #isThere(name: ByteString, entry: TarEntry): boolean {
    const { vfs, task } = this.#options
    const [target, there] = [targetOf(entry), name].map((each) => vfs.lookup(task, null, each, At.AT_SYMLINK_NOFOLLOW))
    if (typeof target !== 'object' || typeof there !== 'object') return false
    const { inode } = target.dentry
    return inode === there.dentry.inode && inode !== null && !isDirectory(inode.mode)
  }

  /** Owner before mode, which it would change; times last. */
  #describe(path: Path, entry: TarEntry): void {
    const { vfs, task } = this.#options
    must(vfs.chown(task, path, '', entry.uid, entry.gid, EMPTY), 'give its owner to', entry.name)
    if (entry.type !== 'symlink') must(vfs.chmod(task, path, '', entry.mode, EMPTY), 'give its mode to', entry.name)
    // An overlay over this tree would take notes from an archive for its own.
    const trusts = this.#options.whiteouts !== 'overlay'
    for (const [key, value] of entry.attributes)
      if (trusts || !isOverlayAttribute(key))
        must(vfs.setxattr(task, path, key, value), `set the attribute '${key}' of`, entry.name)
    const { modified, accessed = modified } = entry
    must(vfs.utimens(task, path, '', [accessed, modified], EMPTY), 'give its times to', entry.name)
  }

  /** Removes what has the name, and all below it, without following links. */
  #remove(name: ByteString, entry: TarEntry): void {
    const { vfs, task } = this.#options
    this.#whiteouts.delete(name)
    const answer = vfs.unlink(task, null, name)
    if (answer === 0 || answer === -Errno.ENOENT) return
    this.#look(name, entry)
    if (!isDirectory(this.#stat.mode)) throw new TreeError('replace', entry.name, answer)
    for (const child of namesIn(this.#options, name, entry.name)) this.#remove(`${name}/${child}`, entry)
    must(vfs.rmdir(task, null, name), 'replace', entry.name)
    this.#directories.delete(name)
  }

  #look(name: ByteString, entry: TarEntry): void {
    const { vfs, task } = this.#options
    must(vfs.stat(task, null, name, this.#stat, At.AT_SYMLINK_NOFOLLOW), 'look at', entry.name)
  }
}

/** Names in a directory, without `.` and `..`. */
export function namesIn(
  { vfs, task }: { readonly vfs: Vfs; readonly task: TaskContext },
  directory: ByteString,
  shown: ByteString,
): ByteString[] {
  const names: ByteString[] = []
  const flags = Open.O_RDONLY | Open.O_DIRECTORY | Open.O_NOFOLLOW
  const file = must(vfs.open(task, null, directory, flags), 'list', shown) as File
  const entry = (name: ByteString): boolean => {
    if (name !== '.' && name !== '..') names.push(name)
    return true
  }
  try {
    must(vfs.getdents(file, { entry }), 'list', shown)
  } finally {
    vfs.close(file)
  }
  return names
}

/** A hard link's target, from the root. */
function targetOf({ target }: TarEntry): ByteString {
  return `/${partsOf(target).join('/')}`
}

/** What is left of a name without empty parts and `.`. */
function partsOf(name: ByteString): ByteString[] {
  return name.split('/').filter((part) => part !== '' && part !== '.')
}
