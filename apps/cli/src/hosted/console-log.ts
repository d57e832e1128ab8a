/**
 * What an instance has printed, in files, of which the latest are kept: `console-OFFSET.log`, named by the position of
 * the first byte. Positions count bytes since the start and never go back, so a reader knows what it has missed.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes of a file. Two are kept, so the latest 4 MiB at the least. */
const segmentSize = 4 << 20
const segmentsKept = 2

interface Segment {
  readonly path: string
  readonly start: number
  readonly file: number
  length: number
}

/** The log of a folder. Disposing it closes its files. */
export class ConsoleLog implements Disposable {
  readonly #folder: string
  readonly #segmentSize: number
  readonly #segments: Segment[] = []
  #end = 0

  /** A log that is written: `folder` has none yet. */
  constructor(folder: string, size: number = segmentSize) {
    this.#folder = folder
    this.#segmentSize = size
  }

  /** A log as somebody else has written it so far: an empty one if its folder is gone. */
  static open(folder: string): ConsoleLog {
    const log = new ConsoleLog(folder)
    for (const name of namesIn(folder)) {
      const match = /^console-(\d+)\.log$/.exec(name)
      if (match === null) continue
      log.#open(Number(match[1]), 'r')
    }
    return log
  }

  /** The position of the first byte that is kept. */
  get start(): number {
    return this.#segments[0]?.start ?? this.#end
  }

  /** The position behind the last byte that was printed. */
  get end(): number {
    return this.#end
  }

  /**
   * Adds what was printed. Where it cannot be written, as on a full disk, it is missing, and what comes later is tried
   * again.
   */
  append(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length) {
      let last = this.#segments.at(-1)
      // Behind a gap another file begins.
      if (last === undefined || last.length >= this.#segmentSize || last.start + last.length !== this.#end) {
        last = this.#open(this.#end, 'wx+')
        if (this.#segments.length > segmentsKept) this.#drop(this.#segments.shift()!)
      }
      const part = bytes.subarray(at, at + this.#segmentSize - (last?.length ?? 0))
      if (last !== undefined) last.length += write(last, part)
      at += part.length
      this.#end += part.length
    }
  }

  /**
   * At most `most` bytes from `position` on, or from what is kept behind it: `at` says where they begin. Empty at the
   * end.
   */
  read(position: number, most: number): { readonly at: number; readonly bytes: Uint8Array } {
    for (const { start, length, file } of this.#segments) {
      if (position >= start + length) continue
      const at = Math.max(position, start)
      const bytes = new Uint8Array(Math.min(most, start + length - at))
      return { at, bytes: bytes.subarray(0, readSync(file, bytes, 0, bytes.length, at - start)) }
    }
    return { at: this.#end, bytes: new Uint8Array(0) }
  }

  [Symbol.dispose](): void {
    for (const { file } of this.#segments.splice(0)) closeSync(file)
  }

  #open(start: number, flags: 'r' | 'wx+'): Segment | undefined {
    const path = join(this.#folder, `console-${`${start}`.padStart(15, '0')}.log`)
    try {
      const file = openSync(path, flags, 0o600)
      const segment = { path, start, file, length: fstatSync(file).size }
      this.#segments.push(segment)
      this.#end = start + segment.length
      return segment
    } catch {
      // Deleted meanwhile by whoever writes, or no room for another.
      return undefined
    }
  }

  #drop({ file, path }: Segment): void {
    closeSync(file)
    rmSync(path, { force: true })
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

/** How much of it could be written. */
function write({ file, length }: Segment, bytes: Uint8Array): number {
  try {
    return writeSync(file, bytes, 0, bytes.length, length)
  } catch {
    return 0
  }
}
