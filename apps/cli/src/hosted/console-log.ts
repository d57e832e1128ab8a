/**
 * What an instance has printed, in files, of which the latest are kept: `console-OFFSET.log`, named by the position of
 * the first byte. Positions count bytes since the start and never go back, so a reader knows what it has missed. Beside
 * each is `console-OFFSET.marks`, which says from where on what was printed when, and on which stream.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes of a file. Two are kept, so the latest 4 MiB at the least. */
const segmentSize = 4 << 20
const segmentsKept = 2

/** Bytes of a mark: where, and when; twice the milliseconds since 1970, and 1 for errors. Both are float64. */
const markSize = 16
/** Marks of a segment at the most: who changes streams with each byte has the rest of it on one. */
const mostMarks = 65_536

/** What of a program it was printed on. */
export type Stream = 'output' | 'errors'

interface Mark {
  readonly position: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly stream: Stream
}

interface Segment {
  readonly path: string
  readonly start: number
  readonly file: number
  readonly markFile: number
  readonly marks: Mark[]
  length: number
}

/** A piece of what was printed, on one stream and at one time. */
export interface Piece {
  /** Where it begins. */
  readonly at: number
  readonly bytes: Uint8Array
  readonly stream: Stream
  /** Milliseconds since 1970. */
  readonly time: number
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
    return ConsoleLog.#of(folder, 'r')
  }

  /** A log that is written on from where it ended. */
  static resume(folder: string): ConsoleLog {
    return ConsoleLog.#of(folder, 'r+')
  }

  static #of(folder: string, flags: 'r' | 'r+'): ConsoleLog {
    const log = new ConsoleLog(folder)
    for (const name of namesIn(folder)) {
      const match = /^console-(\d+)\.log$/.exec(name)
      if (match !== null) log.#open(Number(match[1]), flags)
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
  append(bytes: Uint8Array, stream: Stream = 'output', time: number = Date.now()): void {
    let at = 0
    while (at < bytes.length) {
      let last = this.#segments.at(-1)
      // Behind a gap another file begins.
      if (last === undefined || last.length >= this.#segmentSize || last.start + last.length !== this.#end) {
        last = this.#open(this.#end, 'wx+')
        if (this.#segments.length > segmentsKept) this.#drop(this.#segments.shift()!)
      }
      const part = bytes.subarray(at, at + this.#segmentSize - (last?.length ?? 0))
      if (last !== undefined) {
        mark(last, { position: this.#end, at: time, stream })
        last.length += write(last, part)
      }
      at += part.length
      this.#end += part.length
    }
  }

  /**
   * At most `most` bytes from `position` on, or from what is kept behind it: `at` says where they begin. Empty at the
   * end.
   */
  read(position: number, most: number): Piece {
    for (const { start, length, file, marks } of this.#segments) {
      if (position >= start + length) continue
      const at = Math.max(position, start)
      const next = firstBehind(marks, at)
      const { stream, at: time } = marks[next - 1] ?? { stream: 'output', at: 0 }
      const end = Math.min(start + length, marks[next]?.position ?? Number.POSITIVE_INFINITY)
      const bytes = new Uint8Array(Math.min(most, end - at))
      return { at, bytes: bytes.subarray(0, readSync(file, bytes, 0, bytes.length, at - start)), stream, time }
    }
    return { at: this.#end, bytes: new Uint8Array(0), stream: 'output', time: 0 }
  }

  [Symbol.dispose](): void {
    for (const segment of this.#segments.splice(0)) close(segment)
  }

  #open(start: number, flags: 'r' | 'r+' | 'wx+'): Segment | undefined {
    const path = join(this.#folder, `console-${`${start}`.padStart(15, '0')}.log`)
    const files: number[] = []
    try {
      for (const each of [path, marksOf(path)]) files.push(openSync(each, flags, 0o600))
      const [file, markFile] = files as [number, number]
      const segment = { path, start, file, markFile, marks: readMarks(markFile), length: fstatSync(file).size }
      this.#segments.push(segment)
      this.#end = start + segment.length
      return segment
    } catch {
      // Deleted meanwhile by whoever writes, or no room for another.
      for (const file of files) closeSync(file)
      return undefined
    }
  }

  #drop(segment: Segment): void {
    close(segment)
    for (const path of [segment.path, marksOf(segment.path)]) rmSync(path, { force: true })
  }
}

function close({ file, markFile }: Segment): void {
  closeSync(file)
  closeSync(markFile)
}

function marksOf(path: string): string {
  return path.replace(/log$/, 'marks')
}

/** Those that are whole: a process may have been killed in the middle of one. */
function readMarks(file: number): Mark[] {
  const bytes = new Uint8Array(Math.floor(fstatSync(file).size / markSize) * markSize)
  readSync(file, bytes, 0, bytes.length, 0)
  const view = new DataView(bytes.buffer)
  const marks: Mark[] = []
  for (let at = 0; at < bytes.length; at += markSize) {
    const time = view.getFloat64(at + 8)
    marks.push({
      position: view.getFloat64(at),
      at: Math.floor(time / 2),
      stream: time % 2 === 1 ? 'errors' : 'output',
    })
  }
  return marks
}

function mark({ marks, markFile }: Segment, next: Mark): void {
  const last = marks.at(-1)
  if (marks.length >= mostMarks || (last?.at === next.at && last.stream === next.stream)) return
  const view = new DataView(new ArrayBuffer(markSize))
  view.setFloat64(0, next.position)
  view.setFloat64(8, 2 * next.at + (next.stream === 'errors' ? 1 : 0))
  try {
    writeSync(markFile, view, 0, markSize, marks.length * markSize)
    marks.push(next)
  } catch {
    // What follows counts as printed like what was before.
  }
}

/** The first mark behind a position. */
function firstBehind(marks: readonly Mark[], position: number): number {
  let low = 0
  for (let high = marks.length; low < high; ) {
    const middle = (low + high) >> 1
    if (marks[middle]!.position > position) high = middle
    else low = middle + 1
  }
  return low
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
