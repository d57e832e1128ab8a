/**
 * The control socket of a host process. Whoever watches the console is sent what the log has, as fast as they read: a
 * slow one falls behind, is told what the log no longer keeps, and neither holds up what runs nor costs memory. Whoever
 * types waits until it is read.
 */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { isVmexitError } from '@vmexit/core'
import type { ConsoleLog } from './console-log.ts'
import { decodeMessage, encode, encodeMessage, type Frame, FrameReader, LARGEST_PAYLOAD } from './frames.ts'
import type { Hosted } from './hosted.ts'
import type { HostProcess } from './instance.ts'

/** What there is to be asked for. */
export interface Control {
  readonly process: HostProcess
  readonly log: ConsoleLog
  readonly hosted: Pick<Hosted, 'input' | 'stop' | 'stats'>
}

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
  /** Up to where it was sent the log; undefined if it does not watch. */
  #position: number | undefined

  constructor(socket: Socket, control: Control) {
    this.#socket = socket
    this.#control = control
    socket.on('data', (bytes) => void this.#take(bytes))
    socket.on('drain', () => this.send())
    // It hung up.
    socket.on('error', () => socket.destroy())
  }

  hangUp(): void {
    this.#socket.destroy()
  }

  /** Sends of the log what there is room for. */
  send(): void {
    const { log } = this.#control
    while (this.#position !== undefined && this.#position < log.end && this.#hasRoom) {
      const { at, bytes } = log.read(this.#position, LARGEST_PAYLOAD)
      if (at > this.#position) this.#socket.write(encodeMessage({ skipped: at - this.#position }))
      if (bytes.length > 0) this.#socket.write(encode('output', bytes))
      this.#position = at + bytes.length
    }
  }

  get #hasRoom(): boolean {
    return this.#socket.writable && !this.#socket.writableNeedDrain
  }

  /** Nothing more is read of a client until what it has sent is done. */
  async #take(bytes: Uint8Array): Promise<void> {
    this.#socket.pause()
    try {
      for (const frame of this.#frames.read(bytes)) await this.#do(frame)
    } catch (error) {
      this.#socket.end(encodeMessage({ error: isVmexitError(error) ? error.message : `${error}` }))
    }
    this.#socket.resume()
  }

  async #do({ kind, payload }: Frame): Promise<void> {
    if (kind === 'input') await this.#control.hosted.input(payload)
    else if (kind === 'message') this.#socket.write(encodeMessage(this.#answer(decodeMessage(payload))))
    this.send()
  }

  #answer(request: Readonly<Record<string, unknown>>): unknown {
    const { process, log, hosted } = this.#control
    switch (request['do']) {
      case 'describe':
        return process
      case 'stats':
        return hosted.stats()
      case 'stop':
        hosted.stop()
        return {}
      case 'watch':
        this.#position = request['from'] === 'start' ? log.start : log.end
        return { position: this.#position }
      default:
        return { error: `there is no request '${request['do']}': use the vmexit that started this instance` }
    }
  }
}
