/**
 * An Ethernet link whose other end is behind a WebSocket: each binary message is a frame, without its checksum, as relays for emulators in
 * browsers have it. What is behind it is the relay's: no allow-list holds there.
 */
import type { Port } from '../link/port.ts'
import type { WebSocketConstructor, WebSocketLike } from './web-socket.ts'

/** Bytes that have not been sent yet, above which frames are dropped, as by a card whose queue is full. */
const unsentLimit = 1 << 20
/** An Ethernet header, and a frame of the largest IPv4 packet. */
const frameBytes = { least: 14, most: 14 + 65535 }

/** Where it leads. */
export interface EthernetLinkOptions {
  /** `wss://relay.example/` */
  readonly url: string
  /** Subprotocols; none unless stated. */
  readonly protocols?: readonly string[]
  /** What makes the WebSocket: that of wherever this runs unless stated. */
  readonly WebSocket?: WebSocketConstructor
  /** A frame came in: virtual time should run. */
  readonly onActivity?: () => void
}

/** A port of a link that is being opened; frames are lost until it is, and when it has ended. */
export class EthernetLink implements Port, Disposable {
  /** Resolves when it is open; rejects where it ends before. */
  readonly opened: Promise<void>
  /** Resolves when it has ended. */
  readonly closed: Promise<void>
  readonly #socket: WebSocketLike
  #isOpen = false
  #receive: ((frame: Uint8Array) => void) | undefined

  /** Throws what the WebSocket does where the URL is none. */
  constructor({ url, protocols = [], WebSocket: Constructor = WebSocket, onActivity }: EthernetLinkOptions) {
    const socket: WebSocketLike = new Constructor(url, [...protocols])
    const opened = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    this.opened = opened.promise
    this.closed = closed.promise
    this.#socket = socket
    this.opened.catch(() => {}) // whoever does not wait for it learns of it by `closed`
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('open', () => {
      this.#isOpen = true
      opened.resolve()
    })
    socket.addEventListener('error', () => {}) // a close follows; without a listener, the ws package throws
    socket.addEventListener('close', ({ code }) => {
      this.#isOpen = false
      opened.reject(new Error(`the WebSocket to ${url} was closed before it was open (${code})`))
      closed.resolve()
    })
    socket.addEventListener('message', ({ data }) => {
      if (!(data instanceof ArrayBuffer) || data.byteLength < frameBytes.least || data.byteLength > frameBytes.most)
        return
      this.#receive?.(new Uint8Array(data))
      onActivity?.()
    })
  }

  send(frame: Uint8Array): boolean {
    if (!this.#isOpen || this.#socket.bufferedAmount > unsentLimit) return false
    this.#socket.send(frame.slice())
    return true
  }

  attach(receive: ((frame: Uint8Array) => void) | undefined): void {
    this.#receive = receive
  }

  [Symbol.dispose](): void {
    this.#receive = undefined
    this.#isOpen = false
    this.#socket.close()
  }
}
