/** A guest's connection by HTTP/1 (RFC 9112): its requests are fetched, one behind the other, and their answers written back as they come. */
import type { Account } from '../account.ts'
import { type Fetch, failureOf, fetchInit, lengthOf, type Origin, returnedFields, urlOf } from './fetching.ts'
import { GrowingBytes } from './growing-bytes.ts'
import type { GuestStream } from './guest-stream.ts'
import { HttpProblem } from './http-problem.ts'
import { bad, listOf, type RequestHead, valuesOf } from './request-head.ts'
import { RequestReader } from './request-reader.ts'

/** Who answers. */
export interface HttpOptions {
  readonly fetch: Fetch
  readonly origin: Origin
  /** Whether an answer may be from there, which a redirect has led to. */
  allowsUrl(url: URL): boolean
  /** Bytes of a request's body at most: `fetch` is given all of it at once. */
  readonly bodyLimit: number
  /** Pays for bodies of requests. */
  readonly account: Account | undefined
}

const encoder = new TextEncoder()
const noBody = new Set([204, 205, 304])

/** Serves until the guest has ended, or a request asks for the end. */
export async function serveHttp(guest: GuestStream, options: HttpOptions): Promise<void> {
  const reader = new RequestReader()
  let head: RequestHead | undefined
  try {
    for (let goesOn = true; goesOn; ) {
      head = undefined
      head = await headFrom(guest, reader)
      if (head === undefined) break
      goesOn = await serveOne(guest, reader, head, options)
    }
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error
    await writeProblem(guest, error, head?.method === 'HEAD')
  }
  await guest.end()
}

/** One request; answers whether there may be another. */
async function serveOne(
  guest: GuestStream,
  reader: RequestReader,
  head: RequestHead,
  options: HttpOptions,
): Promise<boolean> {
  const url = urlOf(head, options.origin)
  await expectationOf(guest, head)
  using body = await bodyFrom(guest, reader, head, options)
  if (body.length > 0 && (head.method === 'GET' || head.method === 'HEAD')) {
    throw new HttpProblem(501, `fetch sends no body with ${head.method}`, 'send it by POST')
  }
  using aborting = abortedWith(guest.broken)
  const response = await answerOf(
    url,
    fetchInit(head, body.length > 0 ? body.bytes : undefined, aborting.signal),
    options,
  )
  body[Symbol.dispose]()
  const keeps = head.version === '1.1' && !listOf(head.fields, 'connection').includes('close')
  await writeResponse(guest, response, { head, keeps })
  return keeps
}

/** A signal for one request, which its end aborts, too: what is not read of an answer is let go. */
function abortedWith(broken: AbortSignal): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController()
  const abort = () => controller.abort()
  broken.addEventListener('abort', abort)
  if (broken.aborted) abort()
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      broken.removeEventListener('abort', abort)
      abort()
    },
  }
}

async function answerOf(url: URL, init: RequestInit, { fetch, allowsUrl }: HttpOptions): Promise<Response> {
  let response: Response
  try {
    response = await fetch(url.href, init)
  } catch (error) {
    throw failureOf(url, error)
  }
  const from = response.url === '' ? url : new URL(response.url)
  if (from.origin === url.origin || allowsUrl(from)) return response
  throw new HttpProblem(
    502,
    `${url.origin} led to ${from.origin}, which no rule allows`,
    `allow ${from.hostname} at port ${from.port || (from.protocol === 'https:' ? 443 : 80)}, by ${from.protocol.slice(0, -1)}`,
  )
}

async function headFrom(guest: GuestStream, reader: RequestReader): Promise<RequestHead | undefined> {
  for (let head = reader.takeHead(); ; head = reader.takeHead()) {
    if (head !== undefined) return head
    const bytes = await guest.read()
    if (bytes !== undefined) reader.give(bytes)
    else if (reader.isBetween) return undefined
    else throw bad('the request ends in its header', 'send all of it')
  }
}

async function expectationOf(guest: GuestStream, { fields, version }: RequestHead): Promise<void> {
  const [expected] = valuesOf(fields, 'expect')
  if (expected === undefined || version === '1.0') return
  if (expected.toLowerCase() !== '100-continue') {
    throw new HttpProblem(417, 'nothing can be expected here but 100-continue', 'leave Expect out')
  }
  await guest.write(encoder.encode('HTTP/1.1 100 Continue\r\n\r\n'))
}

/** All of a body: `fetch` of browsers takes no stream over HTTP/1.1. */
async function bodyFrom(
  guest: GuestStream,
  reader: RequestReader,
  head: RequestHead,
  { bodyLimit, account }: HttpOptions,
): Promise<GrowingBytes> {
  const tooLarge = () => new HttpProblem(413, `a body of a request has ${bodyLimit} bytes at most here`, 'send less')
  if (head.body !== 'chunked' && head.body > bodyLimit) throw tooLarge()
  const body = new GrowingBytes(account)
  try {
    for (let part = reader.takeBody(); part !== 'end'; part = reader.takeBody()) {
      if (part === undefined) {
        const bytes = await guest.read()
        if (bytes === undefined) throw bad('the request ends in its body', 'send all of it')
        reader.give(bytes)
      } else if (body.length + part.length > bodyLimit) throw tooLarge()
      else if (!body.add(part)) throw new HttpProblem(413, 'there is no memory for the body', 'send less')
    }
  } catch (error) {
    body[Symbol.dispose]()
    throw error
  }
  return body
}

/** The answer, as fast as the guest takes it. Throws where it breaks off: then the guest's connection must, too. */
async function writeResponse(
  guest: GuestStream,
  response: Response,
  { head, keeps }: { readonly head: RequestHead; readonly keeps: boolean },
): Promise<void> {
  const { status, statusText, body } = response
  const isEmpty = head.method === 'HEAD' || noBody.has(status)
  const length = status === 205 ? 0 : head.method === 'HEAD' || !isEmpty ? lengthOf(response) : undefined
  const isChunked = !isEmpty && length === undefined && head.version === '1.1'
  const fields = [...returnedFields(response)]
  if (length !== undefined) fields.push(['content-length', String(length)])
  if (isChunked) fields.push(['transfer-encoding', 'chunked'])
  if (!keeps) fields.push(['connection', 'close'])
  await guest.write(headBytes(status, statusText, fields))
  if (isEmpty) return void (await body?.cancel())
  const reader = body?.getReader()
  let written = 0
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    const bytes = part.value
    if (bytes.length === 0) continue
    written += bytes.length
    if (written > (length ?? written)) throw new Error('the body is longer than it says')
    if (isChunked) await guest.write(encoder.encode(`${bytes.length.toString(16)}\r\n`))
    await guest.write(bytes)
    if (isChunked) await guest.write(encoder.encode('\r\n'))
  }
  if (written !== (length ?? written)) throw new Error('the body is shorter than it says')
  if (isChunked) await guest.write(encoder.encode('0\r\n\r\n'))
}

async function writeProblem(guest: GuestStream, problem: HttpProblem, isHead: boolean): Promise<void> {
  const text = encoder.encode(problem.message)
  await guest.write(
    headBytes(problem.status, problem.phrase, [
      ['content-type', 'text/plain; charset=utf-8'],
      ['content-length', String(text.length)],
      ['connection', 'close'],
    ]),
  )
  if (!isHead) await guest.write(text)
}

/** A byte a character, as answers have them; control characters, which would make a field another, are left out. */
function headBytes(status: number, phrase: string, fields: readonly (readonly [string, string])[]): Uint8Array {
  const lines = [`HTTP/1.1 ${status} ${phrase}`, ...fields.map(([name, value]) => `${name}: ${value}`)]
  const text = lines.map((line) => `${line.replace(/[^\t\x20-\x7e\x80-\xff]/g, '')}\r\n`).join('')
  return Uint8Array.from(`${text}\r\n`, (character) => character.charCodeAt(0))
}
