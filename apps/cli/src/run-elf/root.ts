/** The root file system of a program: a copy of a folder, or of a tar or cpio archive, in memory. */
import { lstat, readdir, readFile, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readCpio } from '@vmexit/boot'
import { VmexitError } from '@vmexit/core'
import type { LinuxKernel } from '@vmexit/linux'
import { TarReader, Unpacker } from '@vmexit/tar'
import { type ByteString, errnoName, type TaskContext, toByteString } from '@vmexit/vfs'
import { readArchive } from '../fs/archive-stream.ts'

/** How cpio archives of every portable kind begin. */
const CPIO = /^0707/

/** Puts files into a kernel's root. */
export class Root {
  readonly #kernel: LinuxKernel
  readonly #task: TaskContext

  constructor(kernel: LinuxKernel) {
    this.#kernel = kernel
    this.#task = kernel.vfs.newTask(kernel.tree)
    this.#task.umask = 0
  }

  /** Copies a folder of the host's, or an archive. */
  async add(source: string): Promise<void> {
    if ((await stat(source)).isDirectory()) await this.#folder(source, '')
    else await this.#archive(source)
  }

  async #folder(from: string, to: string): Promise<void> {
    for (const entry of await reading(from, (path) => readdir(path, { withFileTypes: true }))) {
      const [source, target] = [join(from, entry.name), `${to}/${entry.name}`]
      const { mode } = await reading(source, (path) => lstat(path))
      if (entry.isDirectory()) {
        this.directory(target, mode & 0o7777)
        await this.#folder(source, target)
      } else if (entry.isSymbolicLink()) this.link(target, await reading(source, (path) => readlink(path)))
      else if (entry.isFile()) this.file(target, await reading(source, (path) => readFile(path)), mode & 0o7777)
    }
  }

  /** Of either kind, as its first bytes say, compressed or not. */
  async #archive(source: string): Promise<void> {
    const pieces = readArchive(source)
    const first = await pieces.next()
    const isCpio = first.done !== true && CPIO.test(Buffer.from(first.value.subarray(0, 6)).toString('latin1'))
    const all = rejoined(first, pieces)
    if (isCpio) this.#cpio(await joined(all))
    else await this.#tar(all)
  }

  async #tar(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const unpacker = new Unpacker({ vfs: this.#kernel.vfs, task: this.#task })
    const reader = new TarReader(unpacker)
    for await (const piece of pieces) reader.push(piece)
    reader.finish()
    unpacker.finish()
  }

  #cpio(bytes: Uint8Array): void {
    for (const entry of readCpio(bytes)) {
      const path = `/${entry.path.replace(/^(\.?\/)+/, '')}`
      if (path === '/' || path === '/.') continue
      const { mode } = entry
      if (entry.kind === 'directory') this.directory(path, mode ?? 0o755)
      else if (entry.kind === 'file') this.file(path, entry.bytes, mode ?? 0o644)
      else if (entry.kind === 'symlink') this.link(path, entry.target)
      else if (entry.kind === 'link') this.#hardLink(path, entry.target)
    }
  }

  directory(path: string, mode: number): void {
    const { vfs } = this.#kernel
    const answer = vfs.mkdir(this.#task, null, toByteString(path), mode)
    if (answer < 0 && errnoName(answer) !== 'EEXIST') this.#check(path, answer)
  }

  /** A file, and the directories that it needs. */
  file(path: string, bytes: Uint8Array, mode: number): void {
    const { vfs } = this.#kernel
    this.parents(path)
    this.#makeRoom(path)
    const file = vfs.open(this.#task, null, toByteString(path), 0o1101, mode)
    if (typeof file === 'number') this.#check(path, file)
    else {
      this.#check(path, vfs.write(this.#task, file, bytes))
      vfs.close(file)
    }
  }

  /** A text, unless there is something of its name. */
  fileWhereNone(path: string, text: string): void {
    if (typeof this.#kernel.vfs.lookup(this.#task, null, toByteString(path)) !== 'number') return
    this.file(path, new TextEncoder().encode(text), 0o644)
  }

  link(path: string, target: string): void {
    this.parents(path)
    this.#makeRoom(path)
    this.#check(path, this.#kernel.vfs.symlink(this.#task, toByteString(target), null, toByteString(path)))
  }

  #hardLink(path: string, target: string): void {
    const old: ByteString = toByteString(`/${target.replace(/^(\.?\/)+/, '')}`)
    this.#makeRoom(path)
    this.#check(path, this.#kernel.vfs.link(this.#task, null, old, null, toByteString(path)))
  }

  /** What an earlier root has there goes, unless it is a directory, which whoever comes next is refused. */
  #makeRoom(path: string): void {
    const answer = this.#kernel.vfs.unlink(this.#task, null, toByteString(path))
    if (answer < 0 && !['ENOENT', 'EISDIR'].includes(errnoName(answer))) this.#check(path, answer)
  }

  parents(path: string): void {
    const parts = path.split('/').slice(1, -1)
    for (let n = 1; n <= parts.length; n++) this.directory(`/${parts.slice(0, n).join('/')}`, 0o755)
  }

  #check(path: string, answer: number): void {
    if (answer >= 0) return
    throw new VmexitError('root-refused', {
      problem: `${path} cannot be put into the root file system (${errnoName(answer)})`,
      remedy: 'leave it out, or give another root',
    })
  }
}

/** @throws VmexitError `root-refused` for what cannot be read, as there is in /proc. */
async function reading<Contents>(path: string, read: (path: string) => Promise<Contents>): Promise<Contents> {
  try {
    return await read(path)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new VmexitError('root-refused', {
      problem: `${path} cannot be read (${code})`,
      remedy: 'leave it out; if /proc, /sys or /dev is mounted in the folder, unmount it: the kernel brings its own',
      cause,
    })
  }
}

async function* rejoined(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (first.done === true) return
  yield first.value
  yield* rest
}

async function joined(all: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of all) pieces.push(piece)
  return Buffer.concat(pieces)
}
