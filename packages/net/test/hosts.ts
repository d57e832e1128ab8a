/** Hosts, links and programs for tests: small event loops over sockets that never wait. */
import { Clock } from '@vmexit/core'
import {
  AddressFamily,
  cable,
  Errno,
  type ImpairmentOptions,
  impair,
  NetStack,
  Poll,
  type Port,
  parseIpv4,
  Random,
  type SocketAddress,
  SocketType,
  type StreamSocket,
} from '../src/index.ts'

export const second = 1e9
export const millisecond = 1e6

/** `10.0.0.1:80` as an address. */
export function at(text: string): SocketAddress {
  const [address, port = '0'] = text.split(':')
  return { address: parseIpv4(address) as number, port: Number(port) }
}

export interface Pair {
  readonly clock: Clock
  /** 10.0.0.1 and 10.0.0.2. */
  readonly a: NetStack
  readonly b: NetStack
  readonly ports: [Port, Port]
}

/** Two hosts on one cable, each direction impaired if asked for. */
export function pair(impairment: Partial<ImpairmentOptions> & { latency?: number; mtu?: number } = {}): Pair {
  const clock = new Clock()
  const { latency = 10_000, mtu = 1500, ...worse } = impairment
  const ends = cable(clock, { latency })
  const ports = ends.map((port, index) =>
    Object.keys(worse).length > 0 ? impair(clock, port, { ...worse, seed: (worse.seed ?? 1) * 2 + index }) : port,
  ) as [Port, Port]
  const [a, b] = ports.map((port, index) => {
    const stack = new NetStack({ clock, seed: 7 + index })
    const device = stack.addEthernet({ name: 'eth0', mtu }, port)
    if (device === undefined || stack.configure(device, `10.0.0.${index + 1}/24`) !== 0) throw new Error('no device')
    return stack
  })
  return { clock, a, b, ports }
}

/** Lets time pass: by steps from event to event until `done`, at most for `nanoseconds`. False if it ran out. */
export function run(clock: Clock, done: () => boolean, nanoseconds = 3600 * second): boolean {
  const end = clock.now + nanoseconds
  while (!done()) {
    const next = clock.deadline
    if (next > end) {
      clock.advanceTo(end)
      return done()
    }
    clock.advanceTo(Math.max(next, clock.now))
  }
  return true
}

export function pass(clock: Clock, nanoseconds: number): void {
  clock.advanceTo(clock.now + nanoseconds)
}

/** A listening socket. */
export function listening(stack: NetStack, port: number, backlog = 16): StreamSocket {
  const socket = stack.streamSocket()
  const bound = socket.bind({ address: 0, port })
  if (bound !== 0 || socket.listen(backlog) !== 0) throw new Error(`cannot listen at ${port}: ${bound}`)
  return socket
}

/** A connected pair of sockets: of the client in `from`, and of the server in `to`. */
export function connected({ clock, a, b }: Pair, port = 80): { client: StreamSocket; server: StreamSocket } {
  const listener = listening(b, port)
  const client = a.streamSocket()
  const begun = client.connect(at(`10.0.0.2:${port}`))
  if (begun !== -Errno.EINPROGRESS) throw new Error(`connect: ${begun}`)
  let server: StreamSocket | number = -Errno.EAGAIN
  run(clock, () => (server = listener.accept()) !== -Errno.EAGAIN, 60 * second)
  if (typeof server === 'number') throw new Error(`accept: ${server}`)
  listener.close()
  run(clock, () => (client.poll() & Poll.out) !== 0, 60 * second)
  if (client.connect(at(`10.0.0.2:${port}`)) !== 0) throw new Error('not connected')
  return { client, server }
}

/** Bytes that follow from a seed. */
export function noise(size: number, seed = 1): Uint8Array {
  const random = new Random(seed)
  const words = new Uint32Array(Math.ceil(size / 4))
  for (let index = 0; index < words.length; index++) words[index] = random.next()
  return new Uint8Array(words.buffer, 0, size)
}

/** Sends bytes from one socket to another and closes; answers what arrived until the end. */
export function transfer(
  clock: Clock,
  from: StreamSocket,
  to: StreamSocket,
  bytes: Uint8Array,
  limit?: number,
): Uint8Array {
  const arrived = new Uint8Array(bytes.length + 1)
  let sent = 0
  let got = 0
  let ended = false
  const write = () => {
    while (sent < bytes.length) {
      const size = from.send(bytes.subarray(sent, sent + 65536))
      if (size < 0) return
      sent += size
    }
    if (sent === bytes.length) {
      sent++
      from.shutdown(1)
    }
  }
  const read = () => {
    for (;;) {
      const size = to.receive(arrived.subarray(got))
      if (size === 0) ended = true
      if (size <= 0) return
      got += size
    }
  }
  from.wake = write
  to.wake = read
  write()
  run(clock, () => ended, limit)
  return arrived.subarray(0, got)
}

/** An IPv4 socket of a type; throws where there is none. */
export function socketOf(stack: NetStack, type: keyof typeof SocketType, protocol = 0) {
  const socket = stack.socket(AddressFamily.inet, SocketType[type], protocol)
  if (typeof socket === 'number') throw new Error(`socket: ${socket}`)
  return socket
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Faster than `toEqual`, for megabytes. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}
