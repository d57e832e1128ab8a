/** A guest behind a gateway of `@vmexit/net/web`, and a program of its own that speaks HTTP. */
import { Clock } from '@vmexit/core'
import { cable, Errno, NetStack, Poll, type StreamSocket } from '../src/index.ts'
import { openWebGateway, type WebDenial, type WebGateway, type WebGatewayOptions } from '../src/web.ts'
import { at, bytes, text } from './hosts.ts'
import { pace, until } from './pace.ts'

export interface WebGuest extends Disposable {
  readonly gateway: WebGateway
  readonly guest: NetStack
  readonly denied: WebDenial[]
  /** Asks the gateway's DNS: an address, or the code of a refusal. */
  resolve(name: string): Promise<string | number>
  /** A connection, or the error that refused it. */
  connect(to: string): Promise<StreamSocket | number>
  /** Sends bytes on a new connection, and answers all that comes until the end. */
  exchange(to: string, said: string): Promise<string>
}

/** At 10.0.2.15. */
export function webGuest(options: Partial<WebGatewayOptions>): WebGuest {
  const clock = new Clock()
  const [inside, outside] = cable(clock)
  const denied: WebDenial[] = []
  const gateway = openWebGateway({ clock, seed: 1, port: outside, onDenied: (one) => denied.push(one), ...options })
  const guest = new NetStack({ clock, seed: 2 })
  const device = guest.addEthernet({ name: 'eth0' }, inside)
  if (device === undefined) throw new Error('no eth0')
  guest.configure(device, '10.0.2.15/24')
  guest.addRoute('0.0.0.0/0', '10.0.2.2')
  const pacing = pace(clock)

  const connect = async (to: string) => {
    const socket = guest.streamSocket()
    socket.connect(at(to))
    await until(() => (socket.poll() & (Poll.out | Poll.err)) !== 0)
    return -socket.connect(at(to)) || socket
  }
  return {
    ...{ gateway, guest, denied, connect },
    async resolve(name) {
      const socket = guest.udpSocket()
      const labels = name.split('.').flatMap((label) => [label.length, ...bytes(label)])
      const query = Uint8Array.of(0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1)
      socket.send(query, 0, at('10.0.2.3:53'))
      await until(() => socket.readable > 0)
      const answer = new Uint8Array(512)
      const size = socket.receive(answer)
      socket.close()
      return answer[7] === 0 ? answer[3] & 15 : answer.subarray(size - 4, size).join('.')
    },
    async exchange(to, said) {
      const socket = await connect(to)
      if (typeof socket === 'number') throw new Error(`connect: ${socket}`)
      socket.send(bytes(said))
      const answer = text(await readAll(socket))
      socket.close()
      return answer
    },
    [Symbol.dispose]: () => {
      gateway[Symbol.dispose]()
      pacing[Symbol.dispose]()
    },
  }
}

/** All that comes until the end; throws the error's number where it breaks off. */
export async function readAll(socket: StreamSocket): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  const buffer = new Uint8Array(65536)
  await until(() => {
    for (;;) {
      const size = socket.receive(buffer)
      if (size === -Errno.EAGAIN) return false
      if (size < 0) throw new Error(`receive: ${size}`)
      if (size === 0) return true
      parts.push(buffer.slice(0, size))
    }
  })
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
