/**
 * Copy-up by chunk: a large file that is opened for writing gets an upper inode with its attributes and no data, as with
 * `metacopy`, and a chunk is copied when it is about to be written. What is still missing is read from the lower layer.
 *
 * Which chunks are there is kept in the attribute `chunks` of the upper inode, so that a copy-up can go on in another
 * mount of the layers. Linux does not know it and would show the lower data: `complete` before a layer is given to Linux.
 * A copy-up is complete when all chunks are there, by writes or by `complete`; it is then a file like any other.
 */
import { type ByteString, Errno, FIRST_COOKIE, Seek } from '@vmexit/vfs'
import { Chunks } from './chunks.ts'
import { copyData } from './copy-data.ts'
import type { CopyUp } from './copy-up.ts'
import { isOverlayDirectory, type OverlayDirectory, type OverlayFile } from './inode.ts'
import type { Lookup } from './lookup.ts'
import type { Union } from './union.ts'

/** The files of one overlay that are copied up by chunk. */
export class LazyCopyUp {
  readonly #union: Union
  readonly #lookup: Lookup
  readonly #copyUp: CopyUp

  constructor(union: Union, lookup: Lookup, copyUp: CopyUp) {
    this.#union = union
    this.#lookup = lookup
    this.#copyUp = copyUp
  }

  /** A file is about to be written: copies it up, or if it is large, its attributes. */
  begin(file: OverlayFile): number {
    const { lazyCopyUp } = this.#union.options
    if (file.data === file.upper || file.chunks !== null) return 0
    if (lazyCopyUp === undefined || file.data.size < lazyCopyUp.fromBytes) return this.#copyUp.whole(file)
    const answer = this.#copyUp.attributes(file)
    if (answer < 0) return answer
    const chunks = Chunks.none(lazyCopyUp.chunkBytes, file.data.size)
    const kept = this.#keep(file, chunks)
    if (kept === 0) file.chunks = chunks
    return kept
  }

  /** A range is about to be written, or changed otherwise: sees to it that the upper layer has it. */
  range(file: OverlayFile, position: number, length: number): number {
    const begun = this.begin(file)
    if (begun < 0 || file.chunks === null) return begun
    const { chunks } = file
    const end = Math.min(position + length, chunks.limit)
    for (let chunk = Math.floor(position / chunks.bytes); chunk * chunks.bytes < end; chunk++) {
      if (chunks.has(chunk)) continue
      const start = chunk * chunks.bytes
      const answer = copyData(file.data, file.upper!, Math.min(start + chunks.bytes, chunks.limit), { done: start })
      if (answer < 0) return answer
      chunks.set(chunk, true)
      const kept = chunks.complete ? this.#finish(file) : this.#keep(file, chunks)
      if (kept < 0) {
        chunks.set(chunk, false)
        return kept
      }
    }
    return 0
  }

  read(file: OverlayFile, chunks: Chunks, into: Uint8Array, start: number, length: number, position: number): number {
    const upper = file.upper!
    const count = Math.min(length, upper.size - position)
    let done = 0
    while (done < count) {
      const at = position + done
      const source = chunks.isBelow(at) ? file.data : upper
      const answer = source.fs.read(source, into, start + done, Math.min(count - done, chunks.runEnd(at) - at), at)
      if (answer <= 0) return done > 0 ? done : answer
      done += answer
    }
    return done
  }

  truncate(file: OverlayFile, chunks: Chunks, size: number): number {
    const upper = file.upper!
    const { limit } = chunks
    if (size < limit) {
      // The rest of the last chunk is to be zeros when the file grows again.
      const answer = size % chunks.bytes === 0 ? 0 : this.range(file, size - 1, 1)
      if (answer < 0) return answer
      chunks.limit = size
      const kept = file.chunks === null ? 0 : chunks.complete ? this.#finish(file) : this.#keep(file, chunks)
      if (kept < 0) {
        chunks.limit = limit
        return kept
      }
    }
    return upper.fs.truncate(upper, size)
  }

  seek(file: OverlayFile, chunks: Chunks, offset: number, whence: number): number {
    const upper = file.upper!
    if (offset >= upper.size) return -Errno.ENXIO
    for (let at = offset; at < upper.size; ) {
      const source = chunks.isBelow(at) ? file.data : upper
      const end = Math.min(chunks.runEnd(at), upper.size)
      const found = source.fs.seek(source, at, whence)
      if (found < 0 && found !== -Errno.ENXIO) return found
      if (found >= 0 && found < end) return found
      at = end
    }
    return whence === Seek.SEEK_DATA ? -Errno.ENXIO : upper.size
  }

  /** Copies what is missing of all files of the upper layer below a directory. */
  completeAll(dir: OverlayDirectory): number {
    const { upper } = dir
    if (upper === null) return 0
    const names: ByteString[] = []
    const listed = upper.fs.readdir(upper, FIRST_COOKIE, { entry: (name) => names.push(name) > 0 })
    if (listed < 0) return listed
    for (const name of names) {
      const inode = this.#lookup.lookup(dir, name)
      if (typeof inode === 'number') {
        if (inode === -Errno.ENOENT) continue
        return inode
      }
      const answer = isOverlayDirectory(inode) ? this.completeAll(inode) : inode.chunks && this.#completeFile(inode)
      if (answer !== null && answer < 0) return answer
    }
    return 0
  }

  #completeFile(file: OverlayFile): number {
    return this.#copyUp.keepingTimes(file.upper!, () => this.range(file, 0, Number.MAX_SAFE_INTEGER))
  }

  #keep(file: OverlayFile, chunks: Chunks): number {
    return this.#union.store.setxattr(file.upper!, this.#union.marks.chunks, chunks.value, 0)
  }

  /** All is there: it becomes a file of the upper layer. */
  #finish(file: OverlayFile): number {
    const { store, marks } = this.#union
    const upper = file.upper!
    const answer = store.removexattr(upper, marks.metacopy)
    if (answer < 0) return answer
    store.removexattr(upper, marks.chunks)
    this.#copyUp.dataHaveRisen(file)
    file.chunks = null
    return 0
  }
}
