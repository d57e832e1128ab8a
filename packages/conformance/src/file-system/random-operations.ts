/** Random sequences of operations, compared with a model: each answer, and the whole tree again and again. */
import {
  At,
  byteStringOf,
  bytesOf,
  errnoName,
  FIRST_COOKIE,
  type File,
  type Inode,
  isDirectory,
  isRegular,
  isSymlink,
  Mode,
  Open,
  type Path,
} from '@vmexit/vfs'
import { Random } from '../random.ts'
import type { Expect, TestDefinition } from '../suite.ts'
import { Model, type ModelNode, resize } from './model.ts'
import { type FileSystemSubject, said } from './subject.ts'

/** What the two trees are compared as. */
interface Shown {
  readonly [field: string]: unknown
}

/** How long sequences are, and how many. */
export interface RandomSequences {
  readonly sequences: number
  readonly operations: number
}

/** Tests of random sequences. The same seeds give the same sequences everywhere. */
export function randomTests({ sequences, operations }: RandomSequences): readonly TestDefinition<FileSystemSubject>[] {
  return [
    {
      name: `${sequences} random sequences of ${operations} operations do what a simple model does`,
      section: 'the whole contract',
      run(subject, expect) {
        for (let seed = 1; seed <= sequences; seed++) sequence(subject.limited({}), seed, operations, expect)
      },
    },
  ]
}

function sequence(subject: FileSystemSubject, seed: number, operations: number, expect: Expect): void {
  const random = new Random(seed * 7919)
  const step = new Steps(subject, random)
  for (let i = 0; i < operations; i++) {
    subject.time.advance(0, 1000)
    const [description, here, model] = step.next()
    expect(here, model, `seed ${seed}, operation ${i}: ${description}`)
    if (i % 25 === 24 || i === operations - 1) {
      const where = `seed ${seed}, the tree after operation ${i}: ${description}`
      expect(showTree(subject, subject.root), showModel(step.model.root), where)
    }
  }
  step.end()
}

type Step = readonly [description: string, here: unknown, model: unknown]

/** One sequence: a file system and its model side by side, with files that stay open. */
class Steps {
  readonly model = new Model()
  readonly #subject: FileSystemSubject
  readonly #random: Random
  readonly #open: (readonly [File, ModelNode])[] = []

  constructor(subject: FileSystemSubject, random: Random) {
    this.#subject = subject
    this.#random = random
  }

  end(): void {
    for (const [file] of this.#open) this.#subject.vfs.close(file)
  }

  next(): Step {
    const { vfs, task } = this.#subject
    const random = this.#random
    const [path, other] = [this.#path(), this.#path()]
    const mode = random.below(0o1000) | (random.below(4) === 0 ? random.below(8) << 9 : 0)
    switch (random.below(20)) {
      case 0:
      case 1:
        return [
          `mkdir ${path}`,
          said(vfs.mkdir(task, null, path, mode & 0o1777)),
          this.model.mkdir(path, mode & 0o1777),
        ]
      case 2:
      case 3:
      case 4:
        return this.#openOne(path, mode)
      case 5:
      case 6:
        return this.#write()
      case 7:
        return [`unlink ${path}`, said(vfs.unlink(task, null, path)), this.model.unlink(path)]
      case 8:
        return [`rmdir ${path}`, said(vfs.rmdir(task, null, path)), this.model.rmdir(path)]
      case 9:
        return [`link ${path} ${other}`, said(vfs.link(task, null, path, null, other)), this.model.link(path, other)]
      case 10:
        return [`symlink ${other} ${path}`, said(vfs.symlink(task, other, null, path)), this.model.symlink(other, path)]
      case 11:
        return [`mkfifo ${path}`, said(vfs.mknod(task, null, path, Mode.IFIFO | mode)), this.model.mkfifo(path, mode)]
      case 12:
      case 13:
      case 14: {
        const flags = random.pick([0, 0, 0, 1, 2])
        const here = said(vfs.rename(task, null, path, null, other, flags))
        return [`rename ${path} ${other} ${flags}`, here, this.model.rename(path, other, flags)]
      }
      case 15:
        return [`chmod ${path}`, said(vfs.chmod(task, null, path, mode)), this.model.chmod(path, mode)]
      case 16: {
        const [uid, gid] = [random.below(3), random.below(3)]
        const here = said(vfs.chown(task, null, path, uid, gid, At.AT_SYMLINK_NOFOLLOW))
        return [`lchown ${path}`, here, this.model.chown(path, uid, gid)]
      }
      case 17: {
        const size = random.below(10_000)
        return [`truncate ${path} ${size}`, said(vfs.truncate(task, path, size)), this.model.truncate(path, size)]
      }
      case 18:
        return this.#setxattr(path)
      default:
        return this.#closeOne()
    }
  }

  /** Up to three names, out of few, so that they meet. */
  #path(): string {
    const depth = 1 + this.#random.below(3)
    return Array.from({ length: depth }, () => `/${this.#random.pick(['a', 'b', 'c', '\xe9'])}`).join('')
  }

  #openOne(path: string, mode: number): Step {
    const file = this.#subject.vfs.open(this.#subject.task, null, path, Open.O_CREAT | Open.O_RDWR, mode)
    const node = this.model.create(path, mode)
    // A FIFO or a socket opens by hooks, and there are none.
    const expected = typeof node === 'string' ? node : node.type === Mode.IFREG ? 'ok' : 'ENXIO'
    if (typeof file !== 'number' && typeof node !== 'string') this.#open.push([file, node])
    return [`open ${path}`, typeof file === 'number' ? errnoName(file) : 'ok', expected]
  }

  #write(): Step {
    if (this.#open.length === 0) return ['nothing', 0, 0]
    const [file, node] = this.#random.pick(this.#open)
    const [at, length] = [this.#random.below(12_000), 1 + this.#random.below(this.#random.pick([10, 6000]))]
    const bytes = new Uint8Array(length).fill(1 + this.#random.below(255))
    const count = this.#subject.vfs.pwrite(this.#subject.task, file, bytes, 0, length, at)
    if (node.data.length < at + length) resize(node, at + length)
    node.data.set(bytes, at)
    const into = new Uint8Array(node.data.length + 10)
    const read = this.#subject.vfs.pread(file, into, 0, into.length, 0)
    const same = byteStringOf(into.subarray(0, Math.max(read, 0))) === byteStringOf(node.data)
    return [`pwrite ${length} at ${at}`, [count, read, same], [length, node.data.length, true]]
  }

  #setxattr(path: string): Step {
    const { vfs, task } = this.#subject
    const [name, value] = [`user.${this.#random.below(3)}`, 'v'.repeat(this.#random.below(30))]
    const flags = this.#random.below(3)
    const place = vfs.lookup(task, null, path)
    const remove = this.#random.below(3) === 0
    const here = (at: Path) =>
      remove ? vfs.removexattr(task, at, name) : vfs.setxattr(task, at, name, bytesOf(value), flags)
    const model = remove ? this.model.removexattr(path, name) : this.model.setxattr(path, name, value, flags)
    return [`xattr ${path}`, said(typeof place === 'number' ? place : here(place)), model]
  }

  #closeOne(): Step {
    const [one] = this.#open.splice(this.#random.below(this.#open.length + 1), 1)
    if (one === undefined) return ['nothing', 0, 0]
    const [file, node] = one
    const [size, nlink] = [file.inode.size, file.inode.nlink]
    this.#subject.vfs.close(file)
    return ['close', [size, nlink], [node.data.length, node.nlink]]
  }
}

function showTree(subject: FileSystemSubject, inode: Inode): Shown {
  const { fs } = subject
  const { mode, uid, gid, nlink } = inode
  const names = fs.listxattr(inode)
  const xattrs = (typeof names === 'number' ? [] : [...names].sort()).map((name) => {
    const value = fs.getxattr(inode, name)
    return [name, typeof value === 'number' ? value : byteStringOf(value)]
  })
  const shown = { mode, uid, gid, nlink: isDirectory(mode) && nlink === 1 ? 'not kept' : nlink, xattrs }
  if (isSymlink(mode)) return { ...shown, target: fs.readlink(inode) }
  if (isRegular(mode)) return { ...shown, data: subject.read(inode, 0, inode.size) }
  if (!isDirectory(mode)) return shown
  const entries = subject.list(inode, FIRST_COOKIE, Infinity).names.sort()
  return { ...shown, entries: entries.map((name) => [name, child(subject, inode, name)]) }
}

function child(subject: FileSystemSubject, dir: Inode, name: string): Shown | string {
  const found = subject.fs.lookup(dir, name)
  return typeof found === 'number' ? errnoName(found) : showTree(subject, found)
}

function showModel(node: ModelNode): Shown {
  const { type, mode, uid, gid, nlink } = node
  const shown = { mode: type | mode, uid, gid, nlink, xattrs: [...node.xattrs].sort(([a], [b]) => (a < b ? -1 : 1)) }
  if (type === Mode.IFLNK) return { ...shown, target: node.target }
  if (type === Mode.IFREG) return { ...shown, data: byteStringOf(node.data) }
  if (type !== Mode.IFDIR) return shown
  const entries = [...node.entries].sort(([a], [b]) => (a < b ? -1 : 1))
  return { ...shown, entries: entries.map(([name, below]) => [name, showModel(below)]) }
}
