/** Frames that somebody made up: whatever comes, there is no exception, and memory stays bounded. Seeds are fixed. */
import { Clock } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { at, bytes, connected, pair, pass } from '../test/hosts.ts'
import { there, Wire } from '../test/wire.ts'
import { set16 } from './bytes.ts'
import { Bridge, NetStack, parseIpv4, Random } from './index.ts'
import { setIcmpChecksum } from './ip/icmp.ts'
import { ipAt, payloadAt, setHeaderChecksum, writeHeader } from './ip/packet.ts'
import { newSegment, sealSegment } from './tcp/segment.ts'

/** Frames of a real exchange, as seeds to be damaged. */
function corpus(): Uint8Array[] {
  const hosts = pair()
  const frames: Uint8Array[] = []
  hosts.a.device('eth0')?.tap((frame) => frames.push(frame.slice()))
  const { client, server } = connected(hosts)
  client.send(bytes('hello'.repeat(1000)))
  pass(hosts.clock, 1e9)
  client.close()
  server.close()
  hosts.b.udpSocket().send(new Uint8Array(5000), 0, at('10.0.0.1:9'))
  const ping = hosts.b.socket(2, 2, 1)
  if (typeof ping !== 'number') ping.send(Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 1), 0, at('10.0.0.1'))
  pass(hosts.clock, 1e9)
  return frames
}

/** A host with everything on: forwarding, translation, listeners, joined by a bridge. */
function target(seed: number) {
  const clock = new Clock()
  const bridge = new Bridge(clock)
  const stack = new NetStack({ clock, seed })
  const link = {
    send: (frame: Uint8Array) => (fromHost.receive(frame), true),
    attach: (take?: (frame: Uint8Array) => void) => void (receive = take),
  }
  let receive: ((frame: Uint8Array) => void) | undefined
  const fromHost = bridge.join((frame) => receive?.(frame))
  const outside = bridge.join(() => {})
  const device = stack.addEthernet({ name: 'eth0', mac: 0x0200_0000_0001 }, link)!
  stack.configure(device, '10.0.0.1/24')
  stack.configure(stack.addDummy({ name: 'other' })!, '10.1.0.1/24')
  stack.forwarding = true
  stack.nat.masquerades.push({ network: parseIpv4('10.0.0.0') as number, prefix: 24 })
  stack.nat.published.push({ protocol: 'tcp', port: 8080, toAddress: at('10.1.0.2').address, toPort: 80 })
  const listener = stack.streamSocket()
  listener.bind(at('0.0.0.0:80'))
  listener.listen(8)
  const udp = stack.udpSocket()
  udp.bind(at('0.0.0.0:9'))
  return { clock, stack, outside, listener, udp }
}

/** Computes the checksums that a damaged frame would need to get further in. */
function repair(frame: Uint8Array, random: Random): void {
  if (frame.length < payloadAt) return
  frame.set([2, 0, 0, 0, 0, 1])
  if (random.chance(0.9)) set16(frame, 12, random.chance(0.1) ? 0x0806 : 0x0800)
  if ((frame[ipAt] & 15) * 4 + ipAt <= frame.length) setHeaderChecksum(frame)
}

describe('damaged frames', () => {
  test.each([1, 2, 3, 4])('200,000 of them, seed %i', (seed) => {
    const random = new Random(seed)
    const seeds = corpus()
    const { clock, stack, outside } = target(seed)
    for (let round = 0; round < 200_000; round++) {
      let frame = seeds[random.below(seeds.length)].slice()
      for (let count = random.below(6); count > 0; count--) {
        frame[random.below(frame.length)] = random.chance(0.3) ? 0xff : random.next()
      }
      if (random.chance(0.2)) frame = frame.slice(0, random.below(frame.length + 1))
      if (random.chance(0.9)) repair(frame, random)
      outside.receive(frame)
      if (round % 64 === 0) pass(clock, random.below(50e6))
    }
    expect(stack.ip.reassembly.memory).toBeLessThanOrEqual(4 * 1024 * 1024)
    expect([...stack.tcp.connections].length).toBeLessThan(1000)
    expect(stack.nat.connections).toBeLessThanOrEqual(16_384)
    expect(stack.ip.neighbours.all.length).toBeLessThanOrEqual(1024)
    pass(clock, 1e12)
    expect([...stack.tcp.connections]).toEqual([])
    expect(stack.ip.reassembly.memory).toBe(0)
  })

  test('100,000 well-formed segments with random fields into one connection', () => {
    const random = new Random(5)
    const wire = new Wire()
    const { socket } = wire.openPassive()
    const near = () => (random.chance(0.1) ? random.next() : random.below(200_000) - 70_000)
    for (let round = 0; round < 100_000 && socket.state !== 'closed'; round++) {
      const flags = ['A', 'A', 'A', 'A', 'FA', 'UA', 'SA', 'S', 'PA', ''][random.below(10)]
      const window = random.below(65536)
      wire.send({
        flags,
        seq: near(),
        ack: near(),
        window,
        urgent: random.below(65536),
        data: new Uint8Array(random.below(1461)),
      })
      if (random.chance(0.05)) socket.send(new Uint8Array(random.below(10_000)))
      if (random.chance(0.05)) socket.receive(new Uint8Array(random.below(100_000)))
      wire.frames.length = 0
    }
    expect(socket.readable).toBeLessThanOrEqual(512 * 1024)
    wire.send({ flags: 'A', seq: 0, data: 'x' })
  })

  test('SYN options of every kind', () => {
    const random = new Random(6)
    const wire = new Wire()
    const listener = wire.stack.streamSocket()
    listener.bind(at('0.0.0.0:80'))
    listener.listen(8)
    for (let round = 0; round < 20_000; round++) {
      const optionBytes = 4 * random.below(11)
      const fields = {
        sourcePort: 1 + random.below(65535),
        destinationPort: 80,
        seq: random.next(),
        ack: 0,
        flags: 2,
        window: 100,
      }
      const frame = newSegment(fields, optionBytes, 0)
      for (let at = 54; at < frame.length; at++) frame[at] = random.chance(0.5) ? random.below(5) : random.next()
      sealSegment(frame, there, parseIpv4('10.0.0.1') as number)
      wire.sendPacket(frame, 6)
    }
    expect([...wire.stack.tcp.connections].length).toBe(8)
  })
})

describe('floods', () => {
  test('ARP requests from everywhere: 1024 entries', () => {
    const { stack, outside } = target(1)
    for (let number = 0; number < 50_000; number++) {
      const frame = new Uint8Array(60)
      frame.set([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 9, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 9])
      frame.set([10, 0, number >> 8, number], 28)
      frame.set([10, 0, 0, 1], 38)
      outside.receive(frame)
    }
    expect(stack.ip.neighbours.all.length).toBe(1024)
  })

  test('SYNs from everywhere: the backlog and no more; after the flood nothing is left', () => {
    const { clock, stack, outside } = target(2)
    const random = new Random(7)
    for (let number = 0; number < 50_000; number++) {
      const source = (0x0a00_0000 + 2 + random.below(250)) >>> 0
      const fields = {
        sourcePort: 1 + random.below(65535),
        destinationPort: 80,
        seq: random.next(),
        ack: 0,
        flags: 2,
        window: 100,
      }
      const frame = newSegment(fields, 0, 0)
      sealSegment(frame, source, 0x0a00_0001)
      writeHeader(frame, { source, destination: 0x0a00_0001, protocol: 6, ttl: 9, tos: 0, fragment: 0, id: number })
      frame.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9])
      outside.receive(frame)
      if (number % 100 === 0) pass(clock, 1e6)
    }
    expect([...stack.tcp.connections].length).toBeLessThanOrEqual(8)
    expect(stack.nat.connections).toBeLessThanOrEqual(16_384)
    pass(clock, 1e13)
    expect([...stack.tcp.connections].length).toBe(0)
    expect(stack.nat.connections).toBe(0)
  })

  test('echo requests: each is answered or dropped, none is kept', () => {
    const wire = new Wire()
    for (let number = 0; number < 20_000; number++) {
      const frame = new Uint8Array(payloadAt + 8)
      frame[payloadAt] = 8
      setIcmpChecksum(frame)
      wire.sendPacket(frame, 1)
    }
    expect(wire.frames.length).toBe(20_000)
  })
})
