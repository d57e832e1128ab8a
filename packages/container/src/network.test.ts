/** Networks without programs: what their stacks do with each other, and what an outside that somebody else brings is told. */
import { readProgram } from '@vmexit/guests'
import { Images, memoryStore, programArchive } from '@vmexit/image'
import { type Ipv4, Poll, parseIpv4, type StreamSocket } from '@vmexit/net'
import { describe, expect, it } from 'vitest'
import {
  ContainerHost,
  createContainer,
  createNetwork,
  type Outside,
  type OutsideOptions,
  type Uplink,
} from './index.ts'

const at = (text: string, port: number) => ({ address: parseIpv4(text)!, port })

/** A kernel that has run a program, as one begins to run then; with `isPaced` it waits for others, which here takes no time. */
async function started(isPaced: boolean): Promise<ContainerHost> {
  const wait = (nanoseconds: number): Promise<number> => Promise.resolve(nanoseconds)
  const host = new ContainerHost(isPaced ? { pace: () => ({ pause: () => Promise.resolve(), wait }) } : {})
  const data = readProgram('fork')
  const images = new Images({ store: memoryStore() })
  const archive = programArchive({ name: 'fork', size: data.length, data: [data] })
  const image = await images.import(archive, { name: 'fork', config: { Entrypoint: ['/fork'] } })
  await using container = await createContainer({ image, host })
  await container.exited
  return host
}

/** Lets time pass until something holds. */
async function until(host: ContainerHost, holds: () => boolean): Promise<void> {
  await host.settle(() => !holds())
  if (!holds()) throw new Error('it did not come to that')
}

describe('a network', () => {
  it('carries bytes between its members, and none to those of another', async () => {
    const host = await started(false)
    const [one, other] = [createNetwork({ host }), createNetwork({ host })]
    const [a, b, c] = [one.join({ name: 'a' }), one.join({ name: 'b' }), other.join({ name: 'c' })]
    const listener = b.namespace.stack.streamSocket()
    listener.bind(at('0.0.0.0', 80))
    listener.listen(4)
    const reach = (from: typeof a): StreamSocket => {
      const socket = from.namespace.stack.streamSocket()
      socket.connect(at(b.address!, 80))
      return socket
    }
    const [near, far] = [reach(a), reach(c)]
    await until(host, () => (listener.poll() & Poll.in) !== 0 && far.state === 'closed')
    const accepted = listener.accept()
    if (typeof accepted === 'number') throw new Error(`accept: ${accepted}`)
    near.send(new TextEncoder().encode('hello'))
    await until(host, () => accepted.readable === 5)
    // An end is an end for both.
    await a[Symbol.asyncDispose]()
    await until(host, () => ['close-wait', 'closed'].includes((accepted as StreamSocket).state))
    expect([one.members.length, other.members.length]).toEqual([1, 1])
    await one[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
    expect(one.namespace.stack.devices).toEqual([])
    expect(b.namespace.stack.device('eth0')).toBeUndefined()
    expect(() => one.join({ name: 'late' })).toThrow(/disposed/)
  })

  it('tells an outside who may do what, and who has gone; without a word of it nothing is reached', async () => {
    const host = await started(true)
    const told: unknown[] = []
    let where: OutsideOptions | undefined
    const outside = (options: OutsideOptions): Outside => {
      where = options
      return {
        admit: (container, { rules }) => void told.push(['admit', container, rules]),
        dismiss: async (container) => void told.push(['dismiss', container]),
        publish: async (container, one) => {
          told.push(['publish', container, one.port])
          return { protocol: 'tcp', hostAddress: 'here', hostPort: 1000 + one.port, port: one.port }
        },
        lookup: async (container: Ipv4, name) => {
          told.push(['lookup', container, name])
          return name === 'known.example' ? [parseIpv4('192.0.2.7')!] : 'refused'
        },
        [Symbol.asyncDispose]: async () => void told.push(['end']),
      }
    }
    const network = createNetwork({ host, subnet: '10.7.0.0/24', outside })
    const [one, other] = [network.join({ name: 'one' }), network.join({ name: 'other' })]
    const egress = [{ host: 'known.example' }]
    await network.expose(one, { egress, publish: [{ port: 80 }] })
    await network.expose(other, {})
    const [first, second] = ['10.7.0.2', '10.7.0.3'].map((text) => parseIpv4(text)!)
    expect([one.published[0]?.hostPort, one.hasEgress, other.hasEgress]).toEqual([1080, true, false])
    expect(where?.nameOf(first!)).toBe('one')
    const codeOf = async (from: typeof one, name: string): Promise<number> => {
      const socket = from.namespace.stack.udpSocket()
      const labels = name.split('.').flatMap((label) => [label.length, ...new TextEncoder().encode(label)])
      socket.send(
        Uint8Array.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]),
        0,
        at('10.7.0.1', 53),
      )
      await until(host, () => socket.readable > 0)
      const answer = new Uint8Array(512)
      socket.receive(answer)
      socket.close()
      return answer[3]! & 15
    }
    expect([await codeOf(one, 'known.example'), await codeOf(one, 'secret.example')]).toEqual([0, 5])
    expect([await codeOf(other, 'known.example'), await codeOf(other, 'one')]).toEqual([3, 0])
    await one[Symbol.asyncDispose]()
    await network[Symbol.asyncDispose]()
    expect(told).toEqual([
      ['admit', first, egress],
      ['publish', first, 80],
      ['lookup', first, 'known.example'],
      ['lookup', first, 'secret.example'],
      ['dismiss', first],
      ['dismiss', second],
      ['end'],
    ])
  })

  it('keeps its gateway to itself, whatever comes by an uplink', async () => {
    const host = await started(true)
    let receive: (frame: Uint8Array) => boolean = () => true
    const sent: Uint8Array[] = []
    const uplink: Uplink = {
      send: (frame) => void sent.push(frame),
      attach: (taker) => void (receive = taker),
      lookup: (name) => (name === 'far' ? [parseIpv4('10.8.0.9')!] : []),
      [Symbol.asyncDispose]: async () => {},
    }
    const network = createNetwork({ host, subnet: '10.8.0.0/24', uplink })
    const here = network.join({ name: 'here', address: '10.8.0.2' })
    const { stack } = network.namespace
    const mac = (last: number): readonly number[] => [2, 0x42, 10, 8, 0, last]
    const arp = (from: number, sender: number, target: number): Uint8Array =>
      Uint8Array.from([
        ...[255, 255, 255, 255, 255, 255, ...mac(from), 8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
        ...[...mac(from), 10, 8, 0, sender, 0, 0, 0, 0, 0, 0, 10, 8, 0, target],
      ])
    // It asks for the container that is here, and for the gateway; and it says that it is either.
    for (const frame of [arp(9, 9, 2), arp(9, 9, 1), arp(1, 1, 2), arp(2, 2, 1), new Uint8Array(3)]) receive(frame)
    const neighbours = () => here.namespace.stack.ip.neighbours.all.map(({ address, mac }) => [address, mac])
    await until(host, () => neighbours().length === 1 && sent.length > 0)
    expect(neighbours()).toEqual([[parseIpv4('10.8.0.9'), 0x0242_0a08_0009]])
    expect(stack.ip.neighbours.all).toEqual([])
    // What went out is the answer, and nothing of the gateway's.
    expect(sent.every((frame) => frame[11] === 2)).toBe(true)
    await network[Symbol.asyncDispose]()
  })

  it('needs a host that waits for others, where it has an uplink', () => {
    const uplink: Uplink = { send: () => {}, attach: () => {}, lookup: () => [], [Symbol.asyncDispose]: async () => {} }
    expect(() => createNetwork({ host: new ContainerHost(), uplink })).toThrow(/hostTime/)
  })

  it.each(['10.0.0.1/24', '10.0.0.0/30', '10.0.0.0/7', '127.0.0.0/8', '224.0.0.0/24', '0.0.0.0/8', '10.0.0.0', 'x'])(
    'does not have %s for its addresses',
    (subnet) => {
      expect(() => createNetwork({ host: new ContainerHost(), subnet })).toThrow(/no network for containers/)
    },
  )
})
