/**
 * The control socket of a host process. Whoever watches the console is sent what the log has, as fast as they read: a
 * slow one falls behind, is told what the log no longer keeps, and neither holds up what runs nor costs memory. Whoever
 * types waits until it is read. What else can be asked is what runs' own affair.
 */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { isVmexitError } from '@vmexit/core'
import type { ConsoleLog } from './console-log.ts'
import { decodeMessage, encode, encodeMessage, type Frame, FrameReader, type Kind, LARGEST_PAYLOAD } from './frames.ts'
import type { Answer, Caller, Hosted, Message } from './hosted.ts'
import type { Exit, HostProcess } from './instance.ts'

/** What there is to be asked for. */
export interface Control {
  readonly process: HostProcess
  readonly log: ConsoleLog
  /** Where this run began to print. */
  readonly began?: number
  readonly hosted: Pick<Hosted, 'input' | 'stop' | 'stats' | 'about' | 'answers'>
  /** What this process can be asked beside what it runs. */
  readonly answers?: Readonly<Record<string, Answer>>
}

/** Milliseconds in which who is sent something else than the console reads the rest of it at the end. */
const PATIENCE = 10_000

/** Listens at `path`. Disposing it hangs up, and removes the socket. */
export async function listen(path: string, control: Control): Promise<ControlServer> {
  const clients = new Set<Client>()
  const server = createServer((socket) => {
    const client = new Client(socket, control)
    clients.add(client)
    socket.on('close', () => clients.delete(client))
  })
  server.listen(path)
  await once(server, 'listening')
  return new ControlServer(server, clients)
}

export class ControlServer implements AsyncDisposable {
  readonly #server: Server
  readonly #clients: ReadonlySet<Client>

  /** By {@link listen}. */
  constructor(server: Server, clients: ReadonlySet<Client>) {
    this.#server = server
    this.#clients = clients
  }

  /** Something was added to the log. */
  printed(): void {
    for (const client of this.#clients) client.send()
  }

  /** Whether somebody watches who sees to what is left at the end. */
  get isClaimed(): boolean {
    return [...this.#clients].some(({ claims }) => claims)
  }

  /**
   * How it has ended, for those who wait for that or watch. Where nothing of it is kept those who watch are sent the rest, as far as they
   * read it in time.
   */
  async tellEnd(exit: Exit, isKept: boolean): Promise<void> {
    const late = Date.now() + PATIENCE
    while (!isKept && Date.now() < late && [...this.#clients].some(({ isBehind }) => isBehind)) await sleep(20)
    for (const client of this.#clients) client.tellEnd(exit)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    // What they have not been sent is in the log, which they read themselves.
    for (const client of this.#clients) client.hangUp()
    await closed
  }
}

class Client {
  readonly #socket: Socket
  readonly #control: Control
  readonly #frames = new FrameReader()
  readonly #gone = new AbortController()
  /** Up to where it was sent the log; undefined if it does not watch. */
  #position: number | undefined
  /** It wants to know when what it is sent was printed; and what it was told last. */
  #isTimed = false
  #time = 0
  #receive: ((sent: Uint8Array | Message) => Promise<void> | void) | undefined
  claims = false
  #waits = false

  constructor(socket: Socket, control: Control) {
    this.#socket = socket
    this.#control = control
    socket.on('data', (bytes) => void this.#take(bytes))
    socket.on('drain', () => this.send())
    // It hung up.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#gone.abort())
  }

  /** There is something that it has not been sent. */
  get isBehind(): boolean {
    return this.#position !== undefined && this.#socket.writable && this.#position < this.#control.log.end
  }

  tellEnd(exit: Exit): void {
    if (!this.#waits && (this.#position === undefined || this.isBehind)) return
    this.#waits = true
    this.#tell({ exit })
  }

  /** What it was sent it may read to the end. */
  hangUp(): void {
    if (this.#receive === undefined && !this.#waits) this.#socket.destroy()
    else {
      const late = setTimeout(() => this.#socket.destroy(), PATIENCE)
      this.#socket.on('close', () => clearTimeout(late))
      this.#socket.end(() => this.#socket.destroy())
    }
  }

  /** Sends of the log what there is room for. */
  send(): void {
    const { log } = this.#control
    while (this.#position !== undefined && this.#position < log.end && this.#hasRoom) {
      const { at, bytes, stream, time } = log.read(this.#position, LARGEST_PAYLOAD)
      if (at > this.#position) this.#tell({ skipped: at - this.#position })
      if (bytes.length > 0) {
        if (this.#isTimed && time !== this.#time) this.#tell({ time })
        this.#time = time
        this.#socket.write(encode(stream, bytes))
      }
      this.#position = at + bytes.length
    }
  }

  get #hasRoom(): boolean {
    return this.#socket.writable && !this.#socket.writableNeedDrain
  }

  #tell(message: unknown): void {
    if (this.#socket.writable) this.#socket.write(encodeMessage(message))
  }

  /** Nothing more is read of a client until what it has sent is done. */
  async #take(bytes: Uint8Array): Promise<void> {
    this.#socket.pause()
    try {
      for (const frame of this.#frames.read(bytes)) await this.#do(frame)
    } catch (error) {
      this.#socket.end(encodeMessage(refusal(error)))
    }
    this.#socket.resume()
  }

  async #do({ kind, payload }: Frame): Promise<void> {
    if (this.#receive !== undefined) await this.#receive(kind === 'message' ? decodeMessage(payload) : payload)
    else if (kind === 'input') await this.#control.hosted.input(payload)
    else if (kind === 'message') {
      const answer = await this.#answer(decodeMessage(payload))
      if (answer !== undefined) this.#tell(answer)
    }
    this.send()
  }

  async #answer(request: Message): Promise<Message | undefined> {
    const { process, log, hosted, answers } = this.#control
    const name = `${request['do']}`
    switch (name) {
      case 'describe':
        return { ...process, began: this.#control.began ?? 0, ...hosted.about?.() }
      case 'stats':
        return hosted.stats()
      case 'stop':
        hosted.stop()
        return {}
      case 'wait':
        this.#waits = true
        return undefined
      case 'watch':
        this.#position = positionOf(request['from'], log)
        this.#isTimed = request['timed'] === true
        this.claims = request['claim'] === true
        return { position: this.#position }
    }
    for (const known of [hosted.answers, answers])
      if (known !== undefined && Object.hasOwn(known, name)) return await known[name]!(request, this.#caller)
    return { error: `there is no request '${name}': use the vmexit that started this instance` }
  }

  get #caller(): Caller {
    return {
      send: (kind, bytes) => this.#write(kind, bytes),
      tell: (message) => this.#tell(message),
      receive: (take) => {
        this.#receive = take
      },
      gone: this.#gone.signal,
    }
  }

  async #write(kind: Kind, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && this.#socket.writable; at += LARGEST_PAYLOAD) {
      if (this.#socket.write(encode(kind, bytes.subarray(at, at + LARGEST_PAYLOAD)))) continue
      const over = new AbortController()
      await Promise.race([once(this.#socket, 'drain', over), once(this.#socket, 'close', over)]).catch(() => {})
      over.abort()
    }
  }
}

function positionOf(from: unknown, { start, end }: ConsoleLog): number {
  if (typeof from === 'number') return Math.min(Math.max(from, start), end)
  return from === 'start' ? start : end
}

function refusal(error: unknown): Message {
  if (!isVmexitError(error)) return { error: `${error}` }
  const { message, code, problem, remedy } = error
  return { error: message, code, problem, remedy }
}
