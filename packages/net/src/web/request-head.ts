/**
 * The head of a request of HTTP/1 (RFC 9112, sections 2 to 6), read strictly: what two readers could take for two things is no request
 * (section 11.2). So lines end in CR LF, fields are not folded, and a body has one length.
 */
import { HttpProblem } from './http-problem.ts'

/** Bytes of a head, and fields in it, at most. */
export const headLimit = 65536
const fieldLimit = 100

/** A name in lower case, and a value without white space around it, a byte a character. */
export type Field = readonly [name: string, value: string]

/** What a head says. */
export interface RequestHead {
  readonly method: string
  /** As it came: `/path?query`, `http://host/path`, `*`, or an authority. */
  readonly target: string
  readonly version: '1.0' | '1.1'
  readonly fields: readonly Field[]
  /** Undefined where HTTP/1.0 leaves it out. */
  readonly host: string | undefined
  /** Bytes of the body; `chunked` where it comes in chunks that say so themselves. */
  readonly body: number | 'chunked'
}

const requestLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP\/(\d)\.(\d)$/
const fieldName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/
/** More digits than any body has. */
const contentLength = /^\d{1,15}$/

/** A byte a character, as fields are (RFC 9110, section 5.5). */
export function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return text
}

/**
 * Where the line that begins at `from` ends: the place of its CR LF; undefined where it is not all there. `seen` bytes were looked
 * at before. Throws a 400 where CR or LF stands alone.
 */
export function endOfLine(bytes: Uint8Array, from: number, seen: number): number | undefined {
  for (let at = Math.max(from, seen); at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === 10 && (at === from || bytes[at - 1] !== 13)) throw bad('a line ends in LF alone', 'end lines in CR LF')
    if (byte === 10) return at - 1
    if (at > from && bytes[at - 1] === 13) throw bad('CR stands without LF', 'end lines in CR LF')
  }
  return undefined
}

/** Reads the lines of a head, without the empty one behind them. Throws an {@link HttpProblem}. */
export function readHead(lines: readonly string[]): RequestHead {
  const match = requestLine.exec(lines[0] ?? '')
  if (match === null) throw bad('the first line is no request of HTTP', 'begin as in GET /path HTTP/1.1')
  const [, method, target, major, minor] = match
  if (major !== '1') throw new HttpProblem(505, `HTTP/${major}.${minor} is not spoken here`, 'speak HTTP/1.1')
  const fields = readFields(lines.slice(1))
  const version = minor === '0' ? '1.0' : '1.1'
  return { method, target, version, fields, host: hostOf(fields, version), body: bodyOf(fields, version) }
}

/** Reads lines of fields. */
export function readFields(lines: readonly string[]): Field[] {
  if (lines.length > fieldLimit)
    throw new HttpProblem(431, `there are more than ${fieldLimit} header fields`, 'send fewer')
  return lines.map((line) => {
    const colon = line.indexOf(':')
    const [name, value] = [line.slice(0, Math.max(0, colon)), line.slice(colon + 1)]
    if (!fieldName.test(name) || !fieldValue.test(value)) {
      throw bad('a header field is malformed', 'write Name: value on one line')
    }
    return [name.toLowerCase(), withoutWhiteSpace(value)]
  })
}

/** By hand, since a pattern for the white space at an end takes the square of the time. */
function withoutWhiteSpace(value: string): string {
  const isSpace = (at: number) => value[at] === ' ' || value[at] === '\t'
  let [from, to] = [0, value.length]
  while (from < to && isSpace(from)) from++
  while (to > from && isSpace(to - 1)) to--
  return value.slice(from, to)
}

/** The values of all fields of a name. */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields.filter(([one]) => one === name).map(([, value]) => value)
}

/** The members of a comma-separated list, in lower case. */
export function listOf(fields: readonly Field[], name: string): string[] {
  return valuesOf(fields, name).flatMap((value) => value.split(',').flatMap((one) => one.trim().toLowerCase() || []))
}

function hostOf(fields: readonly Field[], version: '1.0' | '1.1'): string | undefined {
  const hosts = valuesOf(fields, 'host')
  if (hosts.length > 1 || (hosts.length === 0 && version === '1.1')) {
    throw bad(`there are ${hosts.length} Host fields`, 'send one')
  }
  return hosts[0]
}

function bodyOf(fields: readonly Field[], version: '1.0' | '1.1'): number | 'chunked' {
  const lengths = valuesOf(fields, 'content-length')
  const codings = valuesOf(fields, 'transfer-encoding')
  if (codings.length > 0) {
    if (lengths.length > 0) throw bad('there are Content-Length and Transfer-Encoding', 'send one of them')
    if (version === '1.0') throw bad('HTTP/1.0 has no Transfer-Encoding', 'speak HTTP/1.1')
    if (codings.length > 1 || codings[0].toLowerCase() !== 'chunked') {
      throw new HttpProblem(501, 'the only Transfer-Encoding known is chunked', 'send the body chunked')
    }
    return 'chunked'
  }
  if (lengths.length === 0) return 0
  if (lengths.length > 1 || !contentLength.test(lengths[0])) throw bad('Content-Length is no number', 'send one number')
  return Number(lengths[0])
}

/** A request that is none. */
export function bad(problem: string, remedy: string): HttpProblem {
  return new HttpProblem(400, problem, remedy)
}
