/** WebSockets as far as they are used, and where a relay is. */
import { VmexitError } from '@vmexit/core'

/** A WebSocket (WebSockets Standard). */
export interface WebSocketLike {
  binaryType: 'arraybuffer' | 'blob'
  readonly bufferedAmount: number
  send(data: Uint8Array<ArrayBuffer>): void
  close(): void
  addEventListener(type: 'open', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'error', listener: () => void): void
  addEventListener(type: 'close', listener: (event: { readonly code: number }) => void): void
}

/** What makes them. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike

/** A relay that makes a TCP connection for each WebSocket. */
export interface RelayServer {
  /** `wss://relay.example/?token={host}:{port}`: what is in braces is put in for each connection. */
  readonly url: string
  /** Subprotocols, as `binary` for old versions of websockify. None unless stated. */
  readonly protocols?: readonly string[]
}

/** The URL for one connection. */
export function relayUrl({ url }: RelayServer, host: string, port: number): string {
  return url.replaceAll('{host}', encodeURIComponent(host)).replaceAll('{port}', String(port))
}

/** @throws VmexitError `net-relay` where the URL is none of a WebSocket. */
export function checkRelay(relay: RelayServer): void {
  const { protocol } = URL.parse(relayUrl(relay, 'host.example', 80)) ?? {}
  if (protocol === 'ws:' || protocol === 'wss:') return
  throw new VmexitError('net-relay', {
    problem: `${relay.url} is no URL of a relay`,
    remedy: 'give one such as wss://relay.example/{host}/{port}',
  })
}
