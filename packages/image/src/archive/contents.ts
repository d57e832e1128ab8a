/** What is in an archive of images: each file becomes content of the store as it comes, and its path is remembered. */

import { isVmexitError } from '@vmexit/core'
import { type TarEntry, TarReader, type TarVisitor } from '@vmexit/tar'
import { type ByteString, toText } from '@vmexit/vfs'
import { type Bytes, uncompressed } from '../codecs.ts'
import { type Digest, isDigest } from '../digest.ts'
import { ImageError, quoted } from '../errors.ts'
import { undamaged } from '../images/unpack.ts'
import type { Workspace } from '../images/workspace.ts'
import { beginIntake, type Intake } from '../store/intake.ts'

/** Content, and how much of it there is. */
export interface StoredFile {
  readonly digest: Digest
  readonly size: number
}

/** Files of an image's archive: more than any has. */
const MOST_FILES = 100_000
const MOST_LINKS = 40
/** Bytes behind the end of an archive, which tar fills up to what tapes have: whoever writes them should not be cut off. */
const MOST_BEHIND = 1 << 20

/** The files of an archive by their paths. */
export class ArchiveContents {
  readonly #files = new Map<string, StoredFile>()
  readonly #links = new Map<string, string>()

  /** A file, by its path or that of a link to it. */
  find(path: string): StoredFile | undefined {
    let at = joinedPath('', path)
    for (let n = 0; n <= MOST_LINKS; n++) {
      const target = this.#links.get(at)
      if (target === undefined) return this.#files.get(at)
      at = target
    }
    throw outside(`the link ${quoted(path)} leads in a circle`)
  }

  get size(): number {
    return this.#files.size + this.#links.size
  }

  addFile(path: string, file: StoredFile): void {
    this.#links.delete(path)
    this.#files.set(path, file)
  }

  addLink(path: string, target: string): void {
    this.#files.delete(path)
    this.#links.set(path, target)
  }
}

/** Takes an archive in, plain or compressed. @throws ImageError. */
export async function takeArchive(workspace: Workspace, source: Bytes): Promise<ArchiveContents> {
  const files = new Files(workspace)
  const reader = new TarReader(files)
  let [done, behind] = [0, 0]
  try {
    for await (const bytes of undamaged('the archive', uncompressed(workspace.codecs, source))) {
      workspace.signal?.throwIfAborted()
      reader.push(bytes)
      await files.settle()
      done += bytes.length
      workspace.progress({ step: 'read', what: 'the archive', done })
      if (reader.ended && (behind += bytes.length) > MOST_BEHIND) break
    }
    reader.finish()
    await files.settle()
  } catch (cause) {
    if (!isVmexitError(cause) || cause instanceof ImageError) throw cause
    throw new ImageError('image-archive', cause.problem, cause.remedy, cause)
  } finally {
    await files.discard()
  }
  return files.contents
}

/** What the reader says at once is done one after the other, before it is given more. */
class Files implements TarVisitor {
  readonly contents: ArchiveContents = new ArchiveContents()
  readonly #workspace: Workspace
  #pending: (() => Promise<void>)[] = []
  #path: string | undefined
  #intake: Intake | undefined

  constructor(workspace: Workspace) {
    this.#workspace = workspace
  }

  entry(entry: TarEntry): void {
    const path = joinedPath('', toText(entry.name))
    if (this.contents.size >= MOST_FILES) throw outside(`it has more than ${MOST_FILES} files`)
    this.#path = undefined
    const directory = path.slice(0, path.lastIndexOf('/') + 1)
    if (entry.type === 'symlink') this.contents.addLink(path, joinedPath(directory, toText(entry.target)))
    else if (entry.type === 'hardlink') this.contents.addLink(path, joinedPath('', toText(entry.target)))
    else if (entry.type === 'file') this.#begin(path, entry)
  }

  data(bytes: Uint8Array): void {
    if (this.#path !== undefined) this.#pending.push(async () => await this.#intake!.write(bytes))
  }

  end(): void {
    const path = this.#path
    if (path === undefined) return
    this.#path = undefined
    this.#pending.push(async () => {
      const file = await this.#intake!.finish()
      await this.discard()
      this.contents.addFile(path, file)
    })
  }

  #begin(path: string, { extents, size }: TarEntry): void {
    if (extents !== undefined) throw outside(`${quoted(path)} is a sparse file`)
    this.#path = path
    // A layout's content says itself what it should be.
    const named = path.match(/^blobs\/(sha256|sha512)\/([0-9a-f]+)$/)
    const digest = `${named?.[1]}:${named?.[2]}`
    this.#pending.push(async () => {
      this.#intake = await beginIntake(
        this.#workspace,
        `the file ${quoted(path)}`,
        isDigest(digest) ? { digest, size } : { size },
      )
    })
  }

  async settle(): Promise<void> {
    const pending = this.#pending
    this.#pending = []
    for (const each of pending) await each()
  }

  async discard(): Promise<void> {
    const intake = this.#intake
    this.#intake = undefined
    await intake?.discard()
  }
}

/** A path within the archive. @throws ImageError `image-archive` where it leads out. */
function joinedPath(directory: string, path: ByteString): string {
  const parts: string[] = []
  const all = path.startsWith('/') ? path : directory + path
  for (const part of all.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) throw outside(`${quoted(path)} leads out of it`)
  }
  return parts.join('/')
}

function outside(why: string): ImageError {
  return new ImageError(
    'image-archive',
    `the archive is refused: ${why}`,
    'have it made again by docker save or skopeo copy',
  )
}
