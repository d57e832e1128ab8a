/**
 * A request as something that `fetch` does (Fetch Standard), and what came of it. Cookies, credentials and the cache of who runs the gateway
 * are no business of a guest's, so none of them is used.
 */
import { HttpProblem } from './http-problem.ts'
import { bad, listOf, type RequestHead } from './request-head.ts'

/** `fetch`, as far as it is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** Where requests of a connection go. */
export interface Origin {
  readonly scheme: 'http' | 'https'
  readonly host: string
  readonly port: number
  /** Whether it was reached by name: then Host must say the same. */
  readonly isNamed: boolean
  /** The port that the guest knows it by, and the address. */
  readonly guestPort: number
  readonly guestAddress: string
}

/** Fields between one hop and the next (RFC 9110, section 7.6.1), and those that `fetch` writes itself. */
const notForwarded = new Set(
  ['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer']
    .concat('transfer-encoding', 'upgrade', 'host', 'content-length', 'accept-encoding', 'expect')
    // A browser has its own, and asks the server before it sends another (CORS): most servers then say no.
    .concat('user-agent', 'cache-control', 'pragma'),
)
/** Fields of an answer that hold for the hop to the server, and not for this one. */
const notReturned = new Set(
  ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']
    // `fetch` has decoded the body.
    .concat('content-encoding', 'content-length'),
)

const methodName = /^[A-Z][A-Z-]{0,31}$/
const notFetched = new Set(['CONNECT', 'TRACE', 'TRACK'])

/** What is asked for. Throws an {@link HttpProblem}. */
export function urlOf({ method, target, host }: RequestHead, origin: Origin): URL {
  if (!methodName.test(method) || notFetched.has(method)) {
    throw new HttpProblem(501, `fetch has no method ${method}`, 'ask by GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS')
  }
  if (target === '*') throw new HttpProblem(501, 'fetch asks nothing of a server as a whole', 'name a path')
  if (host !== undefined && host !== '') checkAuthority(host, origin)
  const absolute = /^http:\/\/([^/?#]+)(.*)$/i.exec(target)
  if (absolute !== null) checkAuthority(absolute[1], origin)
  const path = absolute === null ? target : absolute[2].startsWith('/') ? absolute[2] : `/${absolute[2]}`
  if (!path.startsWith('/') || path.includes('#')) throw bad('the target is no path', 'ask for /path')
  const url = URL.parse(`${origin.scheme}://${origin.host}:${origin.port}${path}`)
  // A number that a browser reads as an address, for instance, or as a malformed one.
  if (url?.hostname !== origin.host) throw new HttpProblem(421, `${origin.host} is no name`, 'use another')
  return url
}

/** Whom the request means is whom it was sent to. */
function checkAuthority(authority: string, origin: Origin): void {
  const match = /^([\w.-]+)(?::(\d{0,5}))?$/.exec(authority)
  if (match === null) throw bad('Host is malformed', 'send Host: name, or name:port')
  const name = match[1].toLowerCase().replace(/\.$/, '')
  const port = Number(match[2] || '80')
  const isSame = !origin.isNamed || name === origin.host || name === origin.guestAddress
  if (isSame && (port === origin.guestPort || match[2] === undefined)) return
  throw new HttpProblem(
    421,
    `this address stands for ${origin.host}:${origin.guestPort}, and the request is for ${authority}`,
    'resolve each name by the DNS of this network, and send the name as Host',
  )
}

/** What `fetch` is told beside the URL. */
export function fetchInit(
  head: RequestHead,
  body: Uint8Array<ArrayBuffer> | undefined,
  signal: AbortSignal,
): RequestInit {
  const dropped = new Set(listOf(head.fields, 'connection'))
  const headers = head.fields.filter(([name]) => !notForwarded.has(name) && !dropped.has(name))
  return {
    ...{ method: head.method, headers: headers.map(([name, value]): [string, string] => [name, value]), signal },
    ...{ redirect: 'follow', credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer' },
    ...(body !== undefined && { body }),
  }
}

/** An error of `fetch`, which says little by design: a page must not learn why. */
export function failureOf(url: URL, error: unknown): HttpProblem {
  return new HttpProblem(
    502,
    `${url.origin} could not be asked: ${wordsOf(error)}`,
    'In a browser the server must allow other origins (Access-Control-Allow-Origin), and a page of https: may fetch https: alone: ' +
      "let the rule of this name say by: 'https', or by: 'relay'. The console of the browser says which of them it was.",
  )
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it failed'
  const { message, cause } = error
  return cause instanceof Error && cause.message !== '' ? `${message} (${cause.message})` : message
}

/** Fields of an answer, for the guest. */
export function returnedFields(response: Response): (readonly [string, string])[] {
  const dropped = new Set(listOf([...response.headers], 'connection'))
  return [...response.headers].filter(([name]) => !notReturned.has(name) && !dropped.has(name))
}

/**
 * The length of the body, where it is known: with answers of other origins, browsers hide whether the length that they show is that of
 * what they have decoded.
 */
export function lengthOf({ type, headers }: Response): number | undefined {
  const length = headers.get('content-length') ?? ''
  const isSeen = type === 'basic' || type === 'default'
  return isSeen && !headers.has('content-encoding') && /^\d{1,15}$/.test(length) ? Number(length) : undefined
}
