/** What a guest may say, byte by byte: requests, and what is none. */
import { describe, expect, test } from 'vitest'
import { bytes, text } from '../../test/hosts.ts'
import { Random } from '../random.ts'
import { HttpProblem } from './http-problem.ts'
import { listOf, type RequestHead } from './request-head.ts'
import { RequestReader } from './request-reader.ts'

interface Read {
  readonly head: RequestHead
  readonly body: string
}

/** What is read of bytes that come in pieces: requests, and the status of an error at their end. */
function readAll(pieces: Iterable<Uint8Array>): { readonly requests: Read[]; readonly status?: number } {
  const reader = new RequestReader()
  const requests: Read[] = []
  let open: { head: RequestHead; body: string } | undefined
  try {
    for (const piece of pieces) {
      reader.give(piece)
      for (;;) {
        if (open === undefined) {
          const head = reader.takeHead()
          if (head === undefined) break
          open = { head, body: '' }
        }
        const part = reader.takeBody()
        if (part === undefined) break
        if (part !== 'end') open.body += text(part)
        else {
          requests.push(open)
          open = undefined
        }
      }
    }
    return { requests }
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error
    return { requests, status: error.status }
  }
}
const read = (said: string) => readAll([bytes(said)])
const get = (fields: string) => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`

describe('requests', () => {
  test('with what is in them, one behind the other', () => {
    const { requests, status } = read(
      'GET /a?b=%20 HTTP/1.1\r\nHost: a.example\r\nX-One:  two \t three\t\r\n\r\n' +
        'POST /c HTTP/1.1\r\nhost:a\r\nContent-Length: 5\r\n\r\nhello' +
        '\r\nPUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA;x="y"\r\n0123456789\r\n0\r\nT: u\r\n\r\n' +
        'GET / HTTP/1.0\r\n\r\n',
    )
    expect(status).toBeUndefined()
    expect(requests.map(({ head, body }) => [head.method, head.target, head.version, head.host, body])).toEqual([
      ['GET', '/a?b=%20', '1.1', 'a.example', ''],
      ['POST', '/c', '1.1', 'a', 'hello'],
      ['PUT', '/', '1.1', 'a', 'abc0123456789'],
      ['GET', '/', '1.0', undefined, ''],
    ])
    expect(requests[0].head.fields).toContainEqual(['x-one', 'two \t three'])
    expect(listOf([['connection', 'Close , X-A,, ']], 'connection')).toEqual(['close', 'x-a'])
  })

  test.each([
    ['a line that ends in LF alone', 'GET / HTTP/1.1\nHost: a\n\n', 400],
    ['CR within a line', get('X: a\rb: c\r\n'), 400],
    ['a NUL', get('X: a\0b\r\n'), 400],
    ['a folded field', get('X: a\r\n b\r\n'), 400],
    ['white space before the colon', get('Content-Length : 5\r\n'), 400],
    ['a field without a name', get(': a\r\n'), 400],
    ['a field without a colon', get('nothing\r\n'), 400],
    ['two spaces', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['no version', 'GET /\r\n\r\n', 400],
    ['bytes that are no text', 'GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['the beginning of TLS', '\x16\x03\x01\x02\n', 400],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\n', 505],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['two of them', get('Host: b\r\n'), 400],
    ['a length and chunks', get('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'), 400],
    ['two lengths', get('Content-Length: 5\r\nContent-Length: 6\r\n'), 400],
    ['a list of lengths', get('Content-Length: 5, 5\r\n'), 400],
    ['a length with a sign', get('Content-Length: +5\r\n'), 400],
    ['a length with more digits than any', get(`Content-Length: ${'9'.repeat(16)}\r\n`), 400],
    ['chunks in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    ['another coding', get('Transfer-Encoding: gzip, chunked\r\n'), 501],
    ['chunked, twice', get('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'), 501],
    ['a chunk without a size', get('Transfer-Encoding: chunked\r\n').concat(';\r\n'), 400],
    ['a size with a sign', get('Transfer-Encoding: chunked\r\n').concat('-1\r\n'), 400],
    ['a size that is too large', get('Transfer-Encoding: chunked\r\n').concat('fffffffffffff\r\n'), 400],
    ['a chunk that is longer than its size', get('Transfer-Encoding: chunked\r\n').concat('1\r\nab\r\n'), 400],
    ['a chunk’s line without end', get('Transfer-Encoding: chunked\r\n').concat(`1;${'a'.repeat(2000)}`), 400],
    ['a trailer that is no field', get('Transfer-Encoding: chunked\r\n').concat('0\r\nx\r\n\r\n'), 400],
    ['a trailer without end', get('Transfer-Encoding: chunked\r\n').concat(`0\r\n${'A: b\r\n'.repeat(2000)}`), 400],
    ['a head without end', `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(20_000)}`, 431],
    ['empty lines without end', '\r\n'.repeat(40_000), 431],
    ['more fields than any has', get('X: y\r\n'.repeat(100)), 431],
  ])('%s is none', (_, said, status) => {
    expect(read(said).status).toBe(status)
  })

  test('a head of white space, and one byte at a time, take no longer than others', { timeout: 5000 }, () => {
    const spaces = get(`X: a${' '.repeat(60_000)}b\r\nY:${'\t'.repeat(100)}\x01\r\n`)
    expect(read(spaces).status).toBe(400)
    const single = bytes(get(`X: ${'y'.repeat(60_000)}\r\n`))
    const pieces = Array.from(single, (byte) => Uint8Array.of(byte))
    expect(readAll(pieces).requests).toHaveLength(1)
  })
})

/** Requests as a program might send them, and then as somebody else would. */
function someRequests(random: Random): string {
  const one = () => {
    const body = 'x'.repeat(random.below(40))
    const fields = [
      'Host: a.example',
      ...Array.from({ length: random.below(4) }, (_, n) => `X-${n}: ${'v '.repeat(n)}`),
    ]
    const chunks = () => `${body.length.toString(16)}\r\n${body}\r\n`
    switch (random.below(3)) {
      case 0:
        return `GET /${body} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`
      case 1:
        return `POST / HTTP/1.1\r\n${fields.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
      default:
        return `POST / HTTP/1.1\r\n${fields.join('\r\n')}\r\nTransfer-Encoding: chunked\r\n\r\n${body && chunks()}0\r\n\r\n`
    }
  }
  return Array.from({ length: 1 + random.below(4) }, one).join('')
}

function cut(said: Uint8Array, random: Random): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < said.length; ) {
    const end = Math.min(said.length, at + 1 + random.below(random.below(4) === 0 ? 100 : 3))
    pieces.push(said.subarray(at, end))
    at = end
  }
  return pieces
}

test('it makes no difference how bytes are cut into pieces, whether they are requests or not', () => {
  const random = new Random(2026)
  let wrong = 0
  for (let round = 0; round < 3000; round++) {
    const said = bytes(someRequests(random))
    for (let faults = random.below(3); faults > 0; faults--) said[random.below(said.length)] = random.below(256)
    const whole = readAll([said])
    expect(readAll(cut(said, random))).toEqual(whole)
    if (whole.status !== undefined) wrong++
  }
  expect(wrong).toBeGreaterThan(300)
  expect(wrong).toBeLessThan(2700)
})
