/** The part of DNS (RFC 1035) that a gateway and a network of containers need: a query for one name, and an answer with addresses. */
import { get16, set16, set32 } from '../bytes.ts'
import type { Ipv4 } from '../ip/address.ts'

/** Types of records (RFC 1035, section 3.2.2; RFC 3596). */
export const DnsType = { a: 1, aaaa: 28 } as const
/** What an answer says of itself (RFC 1035, section 4.1.1, RCODE). */
export const DnsCode = {
  ok: 0,
  formatError: 1,
  serverFailure: 2,
  noSuchName: 3,
  notImplemented: 4,
  refused: 5,
} as const

const headerBytes = 12
/** Addresses in one answer, so that it fits a datagram of 512 bytes beside a name of 255. */
const answerLimit = 14
/** Seconds that an answer may be kept. */
const timeToLive = 30

/** A query. */
export interface DnsQuery {
  readonly id: number
  readonly flags: number
  readonly name: string
  readonly type: number
  /** The question as it came. */
  readonly question: Uint8Array
}

/** Reads a query with one question; undefined where it is none. */
export function readQuery(bytes: Uint8Array): DnsQuery | undefined {
  // Answers, and what is no standard query (RFC 1035, section 4.1.1), are none.
  if (bytes.length < headerBytes || bytes[2] & 0xf8 || get16(bytes, 4) !== 1) return undefined
  const labels: string[] = []
  let at = headerBytes
  for (;;) {
    const size = bytes[at]
    if (size === undefined || size > 63 || at + 1 + size > bytes.length || at - headerBytes > 255) return undefined
    if (size === 0) break
    const label = bytes.subarray(at + 1, at + 1 + size)
    // What is no letter, digit, hyphen or underscore could mean something to who resolves it.
    const text = String.fromCharCode(...label)
    if (!/^[\w-]+$/.test(text)) return undefined
    labels.push(text)
    at += 1 + size
  }
  if (at + 5 > bytes.length || get16(bytes, at + 3) !== 1 || labels.length === 0) return undefined
  return {
    ...{ id: get16(bytes, 0), flags: get16(bytes, 2), name: labels.join('.') },
    ...{ type: get16(bytes, at + 1), question: bytes.slice(headerBytes, at + 5) },
  }
}

/** An answer with a code and, where all is well, addresses. `authoritative`: it comes from whoever gives the names (AA). */
export function writeAnswer(
  query: DnsQuery,
  code: number,
  addresses: readonly Ipv4[] = [],
  authoritative = false,
): Uint8Array {
  const shown = addresses.slice(0, answerLimit)
  const answersAt = headerBytes + query.question.length
  const bytes = new Uint8Array(answersAt + 16 * shown.length)
  set16(bytes, 0, query.id)
  set16(bytes, 2, 0x8080 | (query.flags & 0x7900) | (authoritative ? 0x0400 : 0) | code) // a response; recursion is available
  set16(bytes, 4, 1)
  set16(bytes, 6, shown.length)
  bytes.set(query.question, headerBytes)
  shown.forEach((address, index) => {
    const at = answersAt + 16 * index
    set16(bytes, at, 0xc000 | headerBytes) // the name of the question
    set16(bytes, at + 2, DnsType.a)
    set16(bytes, at + 4, 1)
    set32(bytes, at + 6, timeToLive)
    set16(bytes, at + 10, 4)
    set32(bytes, at + 12, address)
  })
  return bytes
}
