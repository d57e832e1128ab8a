/** Requests from a stream of bytes, one behind the other: heads, and bodies by length or in chunks (RFC 9112, sections 6 and 7). */
import { GrowingBytes } from './growing-bytes.ts'
import { HttpProblem } from './http-problem.ts'
import { bad, endOfLine, headLimit, latin1, type RequestHead, readFields, readHead } from './request-head.ts'

/** Bytes of a chunk's line, and of all trailer fields, at most. */
const chunkLineLimit = 1024
const trailerLimit = 8192

const chunkLine = /^([0-9A-Fa-f]{1,12})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/

type State = 'head' | 'body' | 'chunk-line' | 'chunk' | 'chunk-end' | 'trailer'

/** What is given is kept until it is taken: give more only when there is too little to take. */
export class RequestReader {
  readonly #input = new GrowingBytes()
  #state: State = 'head'
  /** Bytes of the body, or of the chunk, to come. */
  #left = 0
  /** Lines of the head or trailer that are there, and where the next one begins. */
  #lines: string[] = []
  #lineAt = 0
  /** Bytes that have been looked at for the end of a line. */
  #seen = 0

  /** Whether nothing of a request has come yet. */
  get isBetween(): boolean {
    return this.#state === 'head' && this.#input.length === 0
  }

  give(bytes: Uint8Array): void {
    this.#input.add(bytes)
  }

  /** The next head; undefined where it is not all there. Throws an {@link HttpProblem}. */
  takeHead(): RequestHead | undefined {
    const limit = () => new HttpProblem(431, `the header is larger than ${headLimit} bytes`, 'send less')
    // Empty lines before a request are passed over (RFC 9112, section 2.2).
    if (!this.#takeLines(headLimit, limit, true)) return undefined
    const head = readHead(this.#endLines())
    this.#left = head.body === 'chunked' ? 0 : head.body
    this.#state = head.body === 'chunked' ? 'chunk-line' : this.#left > 0 ? 'body' : 'head'
    return head
  }

  /** More of the body of the request whose head was taken; undefined where there is none yet. Throws an {@link HttpProblem}. */
  takeBody(): Uint8Array | 'end' | undefined {
    for (;;) {
      switch (this.#state) {
        case 'head':
          return 'end'
        case 'body':
        case 'chunk':
          return this.#takeBytes()
        case 'chunk-line': {
          const line = this.#takeLine(chunkLineLimit)
          if (line === undefined) return undefined
          const match = chunkLine.exec(line)
          if (match === null) throw bad('a chunk has no size', 'begin it with a line of hexadecimal digits')
          this.#left = Number.parseInt(match[1], 16)
          this.#state = this.#left === 0 ? 'trailer' : 'chunk'
          break
        }
        case 'chunk-end': {
          const line = this.#takeLine(2)
          if (line === undefined) return undefined
          if (line !== '') throw bad('a chunk is longer than it says', 'say its size')
          this.#state = 'chunk-line'
          break
        }
        case 'trailer': {
          if (!this.#takeLines(trailerLimit, () => bad('the trailer is too large', 'send less'), false))
            return undefined
          readFields(this.#endLines())
          this.#state = 'head'
        }
      }
    }
  }

  #takeBytes(): Uint8Array | undefined {
    const taken = this.#input.bytes.subarray(0, this.#left)
    if (taken.length === 0) return undefined
    this.#input.drop(taken.length)
    this.#left -= taken.length
    if (this.#left === 0) this.#state = this.#state === 'chunk' ? 'chunk-end' : 'head'
    return taken
  }

  /** One line, which is taken away. */
  #takeLine(limit: number): string | undefined {
    const { bytes } = this.#input
    const end = endOfLine(bytes, 0, this.#seen)
    if ((end ?? bytes.length) > limit) throw bad('the line of a chunk is too long', 'send its size')
    this.#seen = end === undefined ? bytes.length : 0
    if (end === undefined) return undefined
    const line = latin1(bytes.subarray(0, end))
    this.#input.drop(end + 2)
    return line
  }

  /** Gathers lines up to an empty one; false where that is not there. */
  #takeLines(limit: number, tooLarge: () => HttpProblem, skipsEmpty: boolean): boolean {
    const { bytes } = this.#input
    for (;;) {
      const end = endOfLine(bytes, this.#lineAt, this.#seen)
      if ((end ?? bytes.length) > limit) throw tooLarge()
      this.#seen = end === undefined ? bytes.length : end + 2
      if (end === undefined) return false
      const line = latin1(bytes.subarray(this.#lineAt, end))
      this.#lineAt = end + 2
      if (line !== '') this.#lines.push(line)
      else if (!skipsEmpty || this.#lines.length > 0) return true
    }
  }

  #endLines(): string[] {
    const lines = this.#lines
    this.#input.drop(this.#lineAt)
    this.#lines = []
    this.#lineAt = this.#seen = 0
    return lines
  }
}
