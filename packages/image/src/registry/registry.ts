/**
 * Registries by the distribution protocol (OCI distribution specification 1.1), with the token authentication that they have in common. What is
 * fetched is checked by whoever takes it in; here it is seen to that requests go where they may, carry what they must, and end.
 */
import { collected } from '../bytes.ts'
import { ImageError, quoted } from '../errors.ts'
import { familiarName, type Reference } from '../reference.ts'
import { readChallenge } from './challenge.ts'

/** As the global one. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** Whom a registry knows one as. */
export interface RegistryCredentials {
  readonly username: string
  readonly password: string
}

/** What a {@link Registry} is made with. */
export interface RegistryOptions {
  readonly fetch: Fetch
  /** Asked where a registry wants to know; without, or where the answer is undefined, one is nobody in particular. */
  readonly credentials?: (registry: string) => RegistryCredentials | undefined
  /** Registries, with their ports, that are spoken to without TLS. This machine's own are anyway. */
  readonly plainHttp?: readonly string[]
  /** Lets time pass before another try; by a timer unless stated. */
  readonly wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>
}

/** A request below `/v2/NAME/`, or to where a registry has sent us. */
export interface RegistryRequest {
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array<ArrayBuffer>
  /** What is to be done there. */
  readonly actions: 'pull' | 'pull,push'
  readonly signal: AbortSignal | undefined
  /** Other answers than these and refusals are tried again, or are an error. */
  readonly expect: readonly number[]
}

/** Tries of one request, and of one download. */
export const MOST_TRIES = 5
const FIRST_WAIT = 500
const LONGEST_WAIT = 20_000
const MOST_TOKEN_BYTES = 1 << 20

/** Speaks to registries. */
export class Registry {
  readonly #options: RegistryOptions
  /** What authorizes, by registry, repository and action. */
  readonly #authorizations = new Map<string, string>()

  constructor(options: RegistryOptions) {
    this.#options = options
  }

  /** An answer of a status that is expected. @throws ImageError `image-registry`. */
  async request(reference: Reference, request: RegistryRequest): Promise<Response> {
    const { signal, expect } = request
    for (let tries = 1; ; tries++) {
      let problem: string
      let pause = 0
      try {
        const answer = await this.#authorized(reference, request)
        if (expect.includes(answer.status)) return answer
        if (answer.status !== 429 && answer.status < 500) throw await refused(reference, answer)
        problem = `answers ${answer.status}`
        pause = (Number(answer.headers.get('retry-after')) || 0) * 1000
        await answer.body?.cancel()
      } catch (error) {
        if (error instanceof ImageError) throw error
        signal?.throwIfAborted()
        problem = `cannot be reached (${reasonOf(error)})`
        if (isNowhere(error)) tries = MOST_TRIES
      }
      if (tries >= MOST_TRIES)
        throw new ImageError(
          'image-registry',
          `${quoted(reference.registry)} ${problem}`,
          'see that the name is right, and the network there; or try again later',
        )
      await this.pause(tries, signal, pause)
    }
  }

  /** Waits before another try: longer each time. */
  async pause(tries: number, signal: AbortSignal | undefined, atLeast = 0): Promise<void> {
    const time = Math.min(Math.max(FIRST_WAIT * 2 ** (tries - 1), atLeast), LONGEST_WAIT)
    await (this.#options.wait ?? timer)(time, signal)
    signal?.throwIfAborted()
  }

  async #authorized(reference: Reference, request: RegistryRequest): Promise<Response> {
    const key = `${reference.registry} ${reference.repository} ${request.actions}`
    const answer = await this.#send(reference, request, this.#authorizations.get(key))
    if (answer.status !== 401) return answer
    const challenge = readChallenge(answer.headers.get('www-authenticate'))
    await answer.body?.cancel()
    const credentials = this.#options.credentials?.(reference.registry)
    if (challenge?.scheme === 'basic' && credentials !== undefined) this.#authorizations.set(key, basic(credentials))
    else if (challenge?.scheme === 'bearer')
      this.#authorizations.set(
        key,
        `Bearer ${await this.#token(reference, request, challenge.parameters, credentials)}`,
      )
    else throw denied(reference, 'it asks who you are')
    const second = await this.#send(reference, request, this.#authorizations.get(key))
    if (second.status !== 401) return second
    await second.body?.cancel()
    this.#authorizations.delete(key)
    throw denied(reference, 'it does not take what it asked for')
  }

  async #send(
    { registry, repository }: Reference,
    { path, method = 'GET', headers, body, signal }: RegistryRequest,
    authorization: string | undefined,
  ): Promise<Response> {
    const base = this.#baseOf(registry)
    const url = new URL(path, `${base}/v2/${repository}/`)
    if (url.protocol !== 'https:' && !this.#mayBePlain(url.host))
      throw new ImageError(
        'image-registry',
        `${quoted(registry)} sends us to ${quoted(url.origin)}, which is not encrypted`,
        'allow plain HTTP for that one, if you trust the network',
      )
    // Not as a method of something: a browser's own wants to be nobody's.
    const { fetch } = this.#options
    return await fetch(url.href, {
      method,
      headers: {
        ...headers,
        // What lets us in here is nobody else's business.
        ...(authorization !== undefined && url.origin === base ? { authorization } : {}),
      },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    })
  }

  async #token(
    reference: Reference,
    { actions, signal }: RegistryRequest,
    parameters: ReadonlyMap<string, string>,
    credentials: RegistryCredentials | undefined,
  ): Promise<string> {
    const realm = parameters.get('realm') ?? ''
    const url = URL.canParse(realm) ? new URL(realm) : undefined
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && this.#mayBePlain(url.host))
    if (url === undefined || !isSafe) throw denied(reference, `it sends us to ${quoted(realm)} for a token`)
    const service = parameters.get('service')
    if (service !== undefined) url.searchParams.set('service', service)
    url.searchParams.set('scope', `repository:${reference.repository}:${actions}`)
    const { fetch } = this.#options
    const answer = await fetch(url.href, {
      headers: credentials === undefined ? {} : { authorization: basic(credentials) },
      ...(signal === undefined ? {} : { signal }),
    })
    const text = new TextDecoder().decode(
      await readAnswer(answer, MOST_TOKEN_BYTES, `the token of ${reference.registry}`),
    )
    if (!answer.ok) throw denied(reference, `${quoted(url.host)} answers ${answer.status} to the request for a token`)
    const token = tokenIn(text)
    if (token === undefined) throw denied(reference, `${quoted(url.host)} gives no token`)
    return token
  }

  #baseOf(registry: string): string {
    // The registry that Docker's names without one mean has another address.
    const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry
    return new URL(`${this.#mayBePlain(host) ? 'http' : 'https'}://${host}`).origin
  }

  #mayBePlain(host: string): boolean {
    return (
      /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host) || (this.#options.plainHttp ?? []).includes(host)
    )
  }
}

/** A body of so many bytes at most. @throws ImageError `image-registry`. */
export async function readAnswer(answer: Response, most: number, what: string): Promise<Uint8Array> {
  const tooMuch = (): ImageError =>
    new ImageError('image-registry', `${what} has more than ${most} bytes`, 'see that it is a registry')
  return await collected(bodyOf(answer), most, tooMuch)
}

/** A body as it comes. */
export async function* bodyOf(answer: Response): AsyncGenerator<Uint8Array> {
  if (answer.body === null) return
  const reader = answer.body.getReader()
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
  } finally {
    // Where it is over already, or broken, there is nothing to cancel.
    await reader.cancel().catch(() => {})
  }
}

function basic({ username, password }: RegistryCredentials): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`)
  return `Basic ${btoa(String.fromCharCode(...bytes))}`
}

function tokenIn(text: string): string | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { token, access_token } = value as { token?: unknown; access_token?: unknown }
  const found = token ?? access_token
  return typeof found === 'string' && /^[\x21-\x7e]+$/.test(found) ? found : undefined
}

function denied(reference: Reference, why: string): ImageError {
  return new ImageError(
    'image-registry',
    `${quoted(reference.registry)} does not let us at ${quoted(familiarName(reference))}: ${why}`,
    'see that the name is right; if it is private, say who you are',
  )
}

/** What a registry says of itself in a refusal, and how it says it (distribution specification, "Error Codes"). */
async function refused(reference: Reference, answer: Response): Promise<ImageError> {
  const bytes = await readAnswer(answer, 1 << 16, 'the answer').catch(() => new Uint8Array())
  const said = messageIn(new TextDecoder().decode(bytes))
  const name = familiarName(reference)
  if (answer.status === 404)
    return new ImageError(
      'image-registry',
      `${quoted(reference.registry)} has no ${quoted(name)}${said}`,
      'see that the name and the tag are right',
    )
  if (answer.status === 401 || answer.status === 403) return denied(reference, `it answers ${answer.status}${said}`)
  return new ImageError(
    'image-registry',
    `${quoted(reference.registry)} answers ${answer.status} for ${quoted(name)}${said}`,
    'see that it is a registry of the second version',
  )
}

function messageIn(text: string): string {
  try {
    const { errors } = JSON.parse(text) as { errors?: { code?: unknown; message?: unknown }[] }
    const said = errors?.[0]?.message ?? errors?.[0]?.code
    return typeof said === 'string' ? ` (${quoted(said)})` : ''
  } catch {
    return ''
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error && cause.message !== '' ? cause.message : message
}

/** Whether there is nobody, by Node's words for it: who has made a slip in a name need not wait. */
function isNowhere(error: unknown): boolean {
  const { code } = ((error as Error).cause ?? {}) as { readonly code?: unknown }
  return code === 'ENOTFOUND' || code === 'ECONNREFUSED'
}

function timer(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timeout)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timeout = setTimeout(done, milliseconds)
    signal?.addEventListener('abort', done)
  })
}
