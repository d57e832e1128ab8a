/** Reads an archive as it comes, in pieces of any size. */
import { VmexitError } from '@vmexit/core'
import { type ByteString, byteStringOf, bytesOf } from '@vmexit/vfs'
import { damaged, type TarEntry, type TarExtent, type TarTime, type TarType } from './entry.ts'
import { BLOCK, type Header, isZero, readHeader } from './header.ts'
import { attributeOf, isAttribute, type PaxRecord, readRecords, readTime, readWhole } from './pax.ts'
import { extentsOf, LeadingSparseMap, OldSparseMap, type SparseMap } from './sparse.ts'

/** Who is told what an archive holds, in order. */
export interface TarVisitor {
  /** An entry begins; what it has of data lies at `position` of the archive in one piece, whatever holes the file has. */
  entry(entry: TarEntry, position: number): void
  /** Some of its data, which belongs to `position` of the file. The bytes are the reader's again after the call. */
  data?(bytes: Uint8Array, position: number): void
  /** The entry is over. */
  end?(): void
}

/** Extended headers and long names above this are refused: they are read into memory. */
const MOST_METADATA = 1 << 20

const TYPES: Readonly<Record<string, TarType>> = {
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  // A file that lies in one piece on disk, GNU's directory with a list of its names, and GNU's sparse file.
  '7': 'file',
  D: 'directory',
  S: 'file',
}

/** What the next entry is told by the headers in front of it. */
class Extended {
  readonly values: Map<ByteString, ByteString> = new Map()
  /** Offsets and lengths of pax sparse format 0.0, which come in turns. */
  readonly pieces: number[] = []
  name: ByteString | undefined
  target: ByteString | undefined

  add([key, value]: PaxRecord, position: number): void {
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') this.pieces.push(readWhole(value, position))
    else this.values.set(key, value)
  }
}

/**
 * A reader of tar archives: ustar, pax, GNU's and the seventh edition's. Feed it with {@link push}, and say {@link finish} at the end. It
 * never holds more than a block and an entry's metadata. A `TarError` leaves it unusable.
 */
export class TarReader {
  readonly #visitor: TarVisitor
  /** Bytes of the archive so far, those in {@link #block} not included. */
  #position = 0
  readonly #block = new Uint8Array(BLOCK)
  #filled = 0
  #zeros = 0
  #ended = false
  readonly #global = new Map<ByteString, ByteString>()
  #extended: Extended | undefined

  /** Metadata that is being collected: what its header's flag is, and how much of it there is. */
  #metadata: { readonly flag: string; readonly bytes: Uint8Array; filled: number; padding: number } | undefined
  /** An entry whose sparse map is still to come, before its data. */
  #mapping: { readonly header: Header; readonly map: SparseMap; left: number } | undefined
  /** The entry in progress: its data still to come, the file's pieces, and where in them it is. */
  #left = 0
  #padding = 0
  #extents: readonly TarExtent[] = []
  #extent = 0
  #within = 0
  #open = false

  constructor(visitor: TarVisitor) {
    this.#visitor = visitor
  }

  /** The end of the archive has been seen; what comes behind it does not count. */
  get ended(): boolean {
    return this.#ended
  }

  /** Takes the next bytes. @throws TarError, and what the visitor throws. */
  push(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length && !this.#ended) at += this.#take(bytes, at)
  }

  /**
   * There are no more bytes. @throws TarError `tar-truncated` in the middle of an entry. An end mark need not be there, nor what fills the last
   * entry up to a whole block: umoci 0.4 writes neither.
   */
  finish(): void {
    const whole = this.#filled === 0 && this.#left === 0 && !this.#metadata && !this.#mapping && !this.#extended
    if (this.#ended || (whole && this.#padding < BLOCK)) return
    throw new VmexitError('tar-truncated', {
      problem: `the archive ends at byte ${this.#position + this.#filled}, in the middle of an entry`,
      remedy: 'get it again: part of it is missing',
    })
  }

  /** Takes some of `bytes` from `at` on: how many. */
  #take(bytes: Uint8Array, at: number): number {
    const metadata = this.#metadata
    if (metadata !== undefined && metadata.filled < metadata.bytes.length) {
      const part = bytes.subarray(at, at + metadata.bytes.length - metadata.filled)
      metadata.bytes.set(part, metadata.filled)
      metadata.filled += part.length
      return this.#passed(part.length)
    }
    if (metadata !== undefined && metadata.padding > 0) {
      const skipped = Math.min(metadata.padding, bytes.length - at)
      metadata.padding -= skipped
      return this.#passed(skipped)
    }
    if (metadata !== undefined) {
      this.#metadata = undefined
      this.#learn(metadata.flag, metadata.bytes)
    }
    if (this.#left > 0) return this.#passed(this.#takeData(bytes, at))
    if (this.#padding > 0) {
      const skipped = Math.min(this.#padding, bytes.length - at)
      this.#padding -= skipped
      return this.#passed(skipped)
    }
    const part = bytes.subarray(at, at + BLOCK - this.#filled)
    this.#block.set(part, this.#filled)
    this.#filled += part.length
    if (this.#filled === BLOCK) {
      this.#filled = 0
      this.#takeBlock()
      this.#position += BLOCK
      this.#startIfMapped()
    }
    return part.length
  }

  #passed(bytes: number): number {
    this.#position += bytes
    return bytes
  }

  #takeData(bytes: Uint8Array, at: number): number {
    const extent = this.#extents[this.#extent]!
    const part = bytes.subarray(at, at + Math.min(this.#left, extent.length - this.#within))
    this.#visitor.data?.(part, extent.position + this.#within)
    this.#within += part.length
    if (this.#within === extent.length) {
      this.#extent++
      this.#within = 0
    }
    this.#left -= part.length
    if (this.#left === 0) this.#close()
    return part.length
  }

  /** The block at `position`: a header, an end mark, or part of a sparse map. */
  #takeBlock(): void {
    if (this.#mapping !== undefined) {
      const mapping = this.#mapping
      mapping.map.take(this.#block, this.#position)
      if (mapping.map instanceof LeadingSparseMap) mapping.left -= BLOCK
      if (mapping.left < 0) throw damaged('a sparse map is longer than its entry', this.#position)
      return
    }
    if (isZero(this.#block)) {
      this.#zeros++
      this.#ended = this.#zeros === 2
      return
    }
    this.#zeros = 0
    this.#takeHeader(readHeader(this.#block, this.#position))
  }

  #takeHeader(header: Header): void {
    const { flag, size } = header
    if (size < 0) throw damaged('a size is negative', this.#position)
    if ('xgLK'.includes(flag)) {
      if (size > MOST_METADATA) throw damaged(`a header of ${size} bytes`, this.#position)
      this.#metadata = { flag, bytes: new Uint8Array(size), filled: 0, padding: -size & (BLOCK - 1) }
      return
    }
    if (flag === 'V') {
      this.#skip(size)
      return
    }
    if (flag === 'M' || flag === 'N') {
      throw new VmexitError('tar-unsupported', {
        problem: `the archive has an entry of type ${flag} at byte ${this.#position}, one of a set of volumes`,
        remedy: 'make one archive of the set with the tar that wrote it',
      })
    }
    this.#begin(header)
  }

  /** What was collected behind a header of its own. */
  #learn(flag: string, bytes: Uint8Array): void {
    const position = this.#position - bytes.length
    if (flag === 'g') {
      for (const [key, value] of readRecords(bytes, position)) this.#global.set(key, value)
      return
    }
    this.#extended ??= new Extended()
    if (flag === 'x') for (const each of readRecords(bytes, position)) this.#extended.add(each, position)
    else {
      const end = bytes.indexOf(0)
      const name = byteStringOf(end < 0 ? bytes : bytes.subarray(0, end))
      if (flag === 'L') this.#extended.name = name
      else this.#extended.target = name
    }
  }

  /** An entry whose header has been read; its sparse map may still be to come. */
  #begin(header: Header): void {
    const value = this.#value
    const stated = value('size')
    const size = stated === undefined ? header.size : readWhole(stated, this.#position)
    if (size < 0) throw damaged('a size is negative', this.#position)
    if (header.flag === 'S') {
      const map = new OldSparseMap(this.#block, this.#position)
      this.#mapping = { header, map, left: size }
    } else if (value('GNU.sparse.major') === '1' && value('GNU.sparse.minor') === '0') {
      this.#mapping = { header, map: new LeadingSparseMap(), left: size }
    } else {
      const pieces = this.#statedPieces()
      const extents = pieces && extentsOf(pieces, this.#position)
      this.#start(header, size, extents, this.#position + BLOCK)
    }
  }

  #startIfMapped(): void {
    const mapping = this.#mapping
    if (mapping === undefined || mapping.map.more) return
    this.#mapping = undefined
    this.#start(mapping.header, mapping.left, mapping.map.extents, this.#position, mapping.map)
  }

  /** Offsets and lengths of pax sparse formats 0.0 and 0.1. */
  #statedPieces(): number[] | undefined {
    const map = this.#value('GNU.sparse.map')
    if (map !== undefined) return map.split(',').map((each) => readWhole(each, this.#position))
    return this.#extended !== undefined && this.#extended.pieces.length > 0 ? this.#extended.pieces : undefined
  }

  /** `stored` bytes of data lie at `position`. */
  #start(
    header: Header,
    stored: number,
    sparse: readonly TarExtent[] | undefined,
    position: number,
    map?: SparseMap,
  ): void {
    const entry = this.#entryOf(header, stored, sparse, map)
    // GNU tar's hard links say how large the file is, and have no data; pax's may have.
    const isFile = entry.type === 'file'
    const held =
      isFile || (entry.type === 'hardlink' && this.#extended?.values.size) || header.flag === 'D' ? stored : 0
    this.#extended = undefined
    this.#extents = (sparse ?? [{ position: 0, length: held }]).filter(({ length }) => length > 0)
    const mapped = this.#extents.reduce((sum, { length }) => sum + length, 0)
    if (mapped !== held) throw damaged('a sparse map does not fit its data', position)
    if (sparse !== undefined && !isFile) throw damaged('something that is no file is sparse', position)
    const end = this.#extents.at(-1)
    if (end !== undefined && isFile && end.position + end.length > entry.size)
      throw damaged('a sparse file is shorter than its data', position)
    this.#visitor.entry(entry, position)
    this.#open = true
    this.#extent = 0
    this.#within = 0
    if (isFile) {
      this.#left = held
      this.#padding = -held & (BLOCK - 1)
    } else this.#skip(held)
    if (this.#left === 0) this.#close()
  }

  #close(): void {
    if (!this.#open) return
    this.#open = false
    this.#visitor.end?.()
  }

  #skip(bytes: number): void {
    this.#padding = Math.ceil(bytes / BLOCK) * BLOCK
  }

  /** A pax value for the entry that comes: its own, or the archive's. */
  readonly #value = (key: ByteString): ByteString | undefined => {
    const value = this.#extended?.values.get(key) ?? this.#global.get(key)
    return value === '' ? undefined : value
  }

  #entryOf(
    header: Header,
    stored: number,
    sparse: readonly TarExtent[] | undefined,
    map: SparseMap | undefined,
  ): TarEntry {
    const value = this.#value
    const position = this.#position
    const whole = (key: ByteString, otherwise: number): number => {
      const text = value(key)
      return text === undefined ? otherwise : readWhole(text, position)
    }
    const time = (key: ByteString): TarTime | undefined => {
      const text = value(key)
      return text === undefined ? undefined : readTime(text, position)
    }
    const named = value('GNU.sparse.name') ?? value('path') ?? this.#extended?.name ?? header.name
    // In old archives a slash at the end is all that tells a directory.
    const type = header.flag === '0' && named.endsWith('/') ? 'directory' : (TYPES[header.flag] ?? 'file')
    const size = map instanceof OldSparseMap ? map.size : whole('GNU.sparse.realsize', whole('GNU.sparse.size', stored))
    // A size without a map: what is stored is the file's beginning, and the rest a hole.
    const isCut = type === 'file' && sparse === undefined && size !== stored
    const extents = isCut ? [{ position: 0, length: stored }] : sparse
    const attributes = this.#attributes()
    return {
      type,
      name: named.replace(/(?<=.)\/+$/, ''),
      mode: header.mode,
      uid: whole('uid', header.uid),
      gid: whole('gid', header.gid),
      userName: value('uname') ?? header.userName,
      groupName: value('gname') ?? header.groupName,
      modified: time('mtime') ?? { seconds: header.seconds, nanoseconds: 0 },
      accessed: time('atime'),
      size: type === 'file' ? size : 0,
      target: value('linkpath') ?? this.#extended?.target ?? header.target,
      major: header.major,
      minor: header.minor,
      attributes,
      extents: extents?.filter(({ length }) => length > 0),
    }
  }

  #attributes(): Map<ByteString, Uint8Array> {
    const attributes = new Map<ByteString, Uint8Array>()
    for (const values of [this.#global, this.#extended?.values ?? new Map<ByteString, ByteString>()])
      for (const [key, value] of values) if (isAttribute(key)) attributes.set(attributeOf(key), bytesOf(value))
    return attributes
  }
}
