/** A relay's WebSocket that does as it is told: how fast it takes bytes, and how it ends. */
import { afterEach, expect, test } from 'vitest'
import { bytes, text } from '../../test/hosts.ts'
import { until } from '../../test/pace.ts'
import { readAll, type WebGuest, webGuest } from '../../test/web-guest.ts'
import { Errno } from '../index.ts'
import type { WebGatewayOptions, WebSocketLike } from '../web.ts'

interface SocketEvent {
  readonly data: unknown
  readonly code: number
}

class FakeWebSocket implements WebSocketLike {
  static readonly made: FakeWebSocket[] = []
  binaryType: 'arraybuffer' | 'blob' = 'blob'
  bufferedAmount = 0
  sent = 0
  closed = 0
  /** Whether bytes that it is given stay with it. */
  isStuck = false
  readonly url: string
  readonly #listeners = new Map<string, (event: SocketEvent) => void>()

  constructor(url: string) {
    this.url = url
    FakeWebSocket.made.push(this)
    setTimeout(() => this.#tell('open', {}), 1)
  }

  addEventListener(type: string, listener: (event: SocketEvent) => void): void {
    this.#listeners.set(type, listener)
  }

  send(data: Uint8Array): void {
    this.sent += data.length
    if (this.isStuck) this.bufferedAmount += data.length
  }

  close(): void {
    this.closed++
  }

  say(data: unknown): void {
    this.#tell('message', { data })
  }

  end(code: number): void {
    this.#tell('close', { code })
  }

  #tell(type: string, event: Partial<SocketEvent>): void {
    this.#listeners.get(type)?.({ data: undefined, code: 0, ...event })
  }
}

const guests: WebGuest[] = []
afterEach(() => {
  for (const guest of guests.splice(0)) guest[Symbol.dispose]()
})

async function relayed(options: Partial<WebGatewayOptions> = {}) {
  const allow = [{ host: 'a.example' }]
  const guest = webGuest({
    allow,
    relay: { url: 'wss://relay.example/{host}/{port}' },
    WebSocket: FakeWebSocket,
    ...options,
  })
  guests.push(guest)
  const socket = await guest.connect(`${await guest.resolve('a.example')}:22`)
  if (typeof socket === 'number') throw new Error(`connect: ${socket}`)
  const relay = FakeWebSocket.made.at(-1)
  if (relay === undefined) throw new Error('no WebSocket')
  return { guest, socket, relay }
}
const binary = (said: string) => bytes(said).slice().buffer

test('a relay that takes nothing holds the guest up, and then goes on', async () => {
  const { socket, relay } = await relayed()
  expect(relay.url).toBe('wss://relay.example/a.example/22')
  relay.isStuck = true
  const all = 8 << 20
  let given = 0
  const give = () => {
    for (let size = 1; size > 0 && given < all; given += Math.max(0, size)) {
      size = socket.send(new Uint8Array(Math.min(65536, all - given)))
    }
  }
  socket.wake = give
  give()
  await until(() => relay.sent > 1 << 20)
  await new Promise((done) => setTimeout(done, 50))
  // What the WebSocket holds, and the buffers of both ends.
  expect(relay.sent).toBeLessThan(2 << 20)
  expect(given).toBeLessThan(3 << 20)
  relay.isStuck = false
  relay.bufferedAmount = 0
  await until(() => relay.sent === all)
})

test('what it says before it ends arrives; then the guest’s connection ends as its own did', async () => {
  const { socket, relay, guest } = await relayed()
  relay.say(binary('last '))
  relay.say(binary('words'))
  relay.end(1000)
  expect(text(await readAll(socket))).toBe('last words')
  const broken = await relayed()
  broken.relay.say(binary('half'))
  broken.relay.end(1006)
  await expect(readAll(broken.socket)).rejects.toThrow(`receive: -${Errno.ECONNRESET}`)
  await until(() => guest.gateway.connections + broken.guest.gateway.connections === 0)
})

test('text is no part of a connection', async () => {
  const { socket, relay } = await relayed()
  relay.say('text')
  await expect(readAll(socket)).rejects.toThrow(`receive: -${Errno.ECONNRESET}`)
  expect(relay.closed).toBeGreaterThan(0)
})

test('the end of the gateway closes it, and a constructor that throws is a refusal', async () => {
  const { guest, relay } = await relayed()
  guest.gateway[Symbol.dispose]()
  expect([relay.closed > 0, guest.gateway.connections]).toEqual([true, 0])
  const refusing = class extends FakeWebSocket {
    constructor(url: string) {
      super(url)
      throw new DOMException('a page of https: may not', 'SecurityError')
    }
  }
  await expect(relayed({ WebSocket: refusing })).rejects.toThrow(`connect: ${Errno.ECONNREFUSED}`)
})

test('what a relay says to a guest that reads nothing is bounded, a byte at a time, too', async () => {
  const { socket, relay, guest } = await relayed({ relayBuffer: 1 << 20 })
  // What the buffers of the connection hold, and then some.
  relay.say(new ArrayBuffer(512 << 10))
  await until(() => socket.readable > 200_000)
  relay.say(new ArrayBuffer(512 << 10))
  expect(guest.gateway.connections).toBe(1)
  let said = 0
  for (; relay.closed === 0 && said < 20_000; said++) relay.say(binary('x'))
  expect(relay.closed).toBeGreaterThan(0)
  await until(() => guest.gateway.connections === 0)
})

test('a connection that the relay has ended counts until the guest has taken what it said, and not for ever', async () => {
  const { relay, guest, socket } = await relayed({ connections: 1 })
  relay.say(new ArrayBuffer(400 << 10))
  await until(() => socket.readable > 200_000)
  relay.end(1000)
  expect(await guest.connect(`${await guest.resolve('a.example')}:22`)).toBe(Errno.ECONNREFUSED)
  expect((await readAll(socket)).length).toBe(400 << 10)
  await until(() => guest.gateway.connections === 0)
})
