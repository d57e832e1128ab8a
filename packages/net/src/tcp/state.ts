/** The states of a connection (RFC 9293, section 3.3.2), and what a program sets about it. */
import type { Account } from '../account.ts'

/** A state. */
export type TcpState =
  | 'closed'
  | 'listen'
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'close-wait'
  | 'closing'
  | 'last-ack'
  | 'time-wait'

/** Linux's numbers of the states (`net/tcp_states.h`), as in `TCP_INFO` and `/proc/net/tcp`. */
export const tcpStateNumber: Readonly<Record<TcpState, number>> = {
  established: 1,
  'syn-sent': 2,
  'syn-received': 3,
  'fin-wait-1': 4,
  'fin-wait-2': 5,
  'time-wait': 6,
  closed: 7,
  'close-wait': 8,
  'last-ack': 9,
  listen: 10,
  closing: 11,
}

/** What a program sets. Times are nanoseconds. */
export interface TcpOptions {
  noDelay: boolean
  cork: boolean
  sendBuffer: number
  receiveBuffer: number
  keepalive: boolean
  keepaliveIdle: number
  keepaliveInterval: number
  keepaliveCount: number
  userTimeout: number
  /** Bytes of data in a segment at most. */
  maxSegment: number
  synRetries: number
  synAckRetries: number
  /** How long a connection that nobody holds waits for the peer's FIN. */
  orphanTime: number
  ttl: number
  tos: number
  /** Who pays for buffers. */
  account: Account | undefined
}

/** As Linux has them, but for buffers of a fixed size. */
export const tcpDefaults: Readonly<TcpOptions> = {
  noDelay: false,
  cork: false,
  sendBuffer: 256 * 1024,
  receiveBuffer: 256 * 1024,
  keepalive: false,
  keepaliveIdle: 7200e9,
  keepaliveInterval: 75e9,
  keepaliveCount: 9,
  userTimeout: 0,
  maxSegment: 65495,
  synRetries: 6,
  synAckRetries: 5,
  orphanTime: 60e9,
  ttl: 64,
  tos: 0,
  account: undefined,
}
