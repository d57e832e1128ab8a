import { Clock } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { at, bytes, connected, noise, pair, pass, sameBytes, socketOf, transfer } from '../../test/hosts.ts'
import { there, Wire } from '../../test/wire.ts'
import { get16, get32 } from '../bytes.ts'
import {
  cable,
  Errno,
  formatIpv4,
  NeighbourState,
  NetStack,
  Poll,
  parseCidr,
  parseIpv4,
  RouteType,
  received,
} from '../index.ts'
import { setIcmpChecksum } from './icmp.ts'
import { payloadAt, readPacket } from './packet.ts'

const buffer = new Uint8Array(65536)

describe('addresses', () => {
  test.each([
    ['10.0.0.1', 0x0a00_0001],
    ['255.255.255.255', 0xffff_ffff],
    ['0.0.0.0', 0],
    ['256.0.0.1', undefined],
    ['1.2.3', undefined],
    ['1.2.3.4.5', undefined],
    ['', undefined],
    ['a.b.c.d', undefined],
  ])('%s', (text, address) => {
    expect(parseIpv4(text)).toBe(address)
    if (address !== undefined) expect(formatIpv4(address)).toBe(text)
  })

  test('prefixes', () => {
    expect(parseCidr('10.0.0.1/8')).toEqual({ address: 0x0a00_0001, prefix: 8 })
    expect(parseCidr('10.0.0.1')).toEqual({ address: 0x0a00_0001, prefix: 32 })
    for (const text of ['10.0.0.1/33', '10.0.0.1/', '10.0.0.1/-1', '10.0.0.1/8/8'])
      expect(parseCidr(text)).toBeUndefined()
  })
})

/** Client – router – server, with the router's two addresses 10.0.1.1 and 10.0.2.1. */
function routed(mtu = 1500) {
  const clock = new Clock()
  const [client, router, server] = [1, 2, 3].map((seed) => new NetStack({ clock, seed }))
  const [left] = router.addVeth({ name: 'left' }, client, { name: 'eth0' }) ?? []
  const [right] = router.addVeth({ name: 'right', mtu }, server, { name: 'eth0' }) ?? []
  if (left === undefined || right === undefined) throw new Error('no device')
  router.configure(left, '10.0.1.1/24')
  router.configure(right, '10.0.2.1/24')
  client.configure(client.device('eth0')!, '10.0.1.2/24')
  server.configure(server.device('eth0')!, '10.0.2.2/24')
  client.addRoute('0.0.0.0/0', '10.0.1.1')
  server.addRoute('0.0.0.0/0', '10.0.2.1')
  router.forwarding = true
  return { clock, client, router, server }
}

/** The ICMP error a raw socket has read: who says what. */
function errorFrom(stack: NetStack, clock: Clock, act: () => void) {
  const raw = socketOf(stack, 'raw', 1)
  act()
  pass(clock, 5e9)
  const from = received()
  return raw.receive(buffer, 0, from) < 0
    ? undefined
    : { from: formatIpv4(from.address), type: buffer[20], code: buffer[21] }
}

describe('forwarding (RFC 1812)', () => {
  test('goes from one network to another, the TTL one lower', () => {
    const { clock, client, server } = routed()
    const [here, there] = [client.udpSocket(), server.udpSocket()]
    there.bind(at('0.0.0.0:9'))
    here.send(bytes('x'), 0, at('10.0.2.2:9'))
    pass(clock, 1e9)
    const from = received()
    expect(there.receive(buffer, 0, from)).toBe(1)
    expect([formatIpv4(from.address), from.ttl]).toEqual(['10.0.1.2', 63])
  })

  test('is off unless it is turned on', () => {
    const { clock, client, router, server } = routed()
    router.forwarding = false
    const there = server.udpSocket()
    there.bind(at('0.0.0.0:9'))
    client.udpSocket().send(bytes('x'), 0, at('10.0.2.2:9'))
    pass(clock, 1e9)
    expect(there.receive(buffer)).toBe(-Errno.EAGAIN)
  })

  test('a TTL of 1 ends at the router: what traceroute lives on', () => {
    const { clock, client } = routed()
    const socket = client.udpSocket()
    socket.setOption(0, 2, 1)
    const act = () => void socket.send(bytes('x'), 0, at('10.0.2.2:33434'))
    expect(errorFrom(client, clock, act)).toEqual({ from: '10.0.1.1', type: 11, code: 0 })
  })

  test.each([
    ['no route', '192.168.9.9:9', { type: 3, code: 0 }],
    ['nobody on the link', '10.0.2.99:9', { type: 3, code: 1 }],
  ])('%s is told', (_, to, error) => {
    const { clock, client } = routed()
    const act = () => void client.udpSocket().send(bytes('x'), 0, at(to))
    expect(errorFrom(client, clock, act)).toEqual({ from: '10.0.1.1', ...error })
  })

  test.each([600, 300])('a link of MTU %i: UDP in fragments, TCP by smaller segments', (mtu) => {
    const { clock, client, server } = routed(mtu)
    const there = server.udpSocket()
    there.bind(at('0.0.0.0:9'))
    client.udpSocket().send(new Uint8Array(4000), 0, at('10.0.2.2:9'))
    pass(clock, 1e9)
    expect(there.receive(buffer)).toBe(4000)

    const listener = server.streamSocket()
    listener.bind(at('0.0.0.0:80'))
    listener.listen(1)
    const socket = client.streamSocket()
    socket.connect(at('10.0.2.2:80'))
    pass(clock, 1e9)
    const accepted = listener.accept()
    if (typeof accepted === 'number') throw new Error(`accept: ${accepted}`)
    const sent = noise(200_000)
    expect(sameBytes(transfer(clock, socket, accepted, sent), sent)).toBe(true)
    expect(socket.info.mss).toBe(mtu - 40)
  })
})

describe('the routing table', () => {
  test('the longest prefix wins, then the lowest metric; routes of a device that is down are gone', () => {
    const { client, router } = routed()
    const { routes } = router.ip
    const [left, right] = [router.device('left')!, router.device('right')!]
    const route = { gateway: undefined, source: undefined, type: RouteType.unicast, origin: 3 }
    const add = (destination: string, prefix: number, device = left, metric = 0) =>
      routes.add({ ...route, destination: parseIpv4(destination) as number, prefix, device, metric })
    const way = (address: string) => routes.lookup(parseIpv4(address) as number)?.device?.name
    expect([add('0.0.0.0', 0, right, 10), add('0.0.0.0', 0, left, 5), add('192.168.0.0', 16, right)]).toEqual([0, 0, 0])
    expect([way('8.8.8.8'), way('192.168.1.1')]).toEqual(['left', 'right'])
    expect(add('192.168.0.0', 16, right)).toBe(-Errno.EEXIST)
    expect(add('192.168.0.1', 16)).toBe(-Errno.EINVAL)
    router.setUp(left, false)
    expect(way('8.8.8.8')).toBe('right')
    expect(way('10.0.1.2')).toBe('right')
    router.setUp(left, true)
    expect(way('10.0.1.2')).toBe('left')
    expect(client.addRoute('1.0.0.0/8', '10.9.9.9')).toBe(-Errno.ENETUNREACH) // a gateway is on a link
  })

  test('is bounded', () => {
    const { router } = routed()
    const device = router.device('left')!
    const fields = { gateway: undefined, device, metric: 0, source: undefined, type: 1, origin: 3 }
    let answer = 0
    for (let count = 0; answer === 0; count++)
      answer = router.ip.routes.add({ ...fields, destination: (count << 8) >>> 0, prefix: 24 })
    expect(answer).toBe(-Errno.ENOBUFS)
  })
})

describe('ARP (RFC 826)', () => {
  test('what is learnt is used, is stale after 30 s, and is asked again when used', () => {
    const { a, b, clock } = pair()
    const server = b.udpSocket()
    server.bind(at('0.0.0.0:9'))
    const socket = a.udpSocket()
    const send = () => socket.send(bytes('x'), 0, at('10.0.0.2:9'))
    send()
    pass(clock, 1e9)
    const state = () => a.ip.neighbours.all.find(({ address }) => address === at('10.0.0.2').address)?.state
    expect(state()).toBe(NeighbourState.reachable)
    pass(clock, 31e9)
    expect(state()).toBe(NeighbourState.stale)
    send()
    expect(state()).toBe(NeighbourState.delay)
    pass(clock, 6e9)
    expect(state()).toBe(NeighbourState.reachable)
    b.setUp(b.device('eth0')!, false)
    pass(clock, 31e9)
    send()
    pass(clock, 20e9)
    expect(state()).toBe(NeighbourState.failed)
  })

  test('a new card with the old address announces itself, and is used', () => {
    const { a, b, clock } = pair()
    a.udpSocket().send(bytes('x'), 0, at('10.0.0.2:9'))
    pass(clock, 1e9)
    const device = b.device('eth0')!
    b.setUp(device, false)
    device.mac = 0x02aa_bbcc_ddee
    b.setUp(device, true)
    pass(clock, 1e9)
    expect(a.ip.neighbours.all.find(({ address }) => address === at('10.0.0.2').address)?.mac).toBe(device.mac)
  })

  test('packets that wait for an answer are bounded', () => {
    const { a } = pair()
    const socket = a.udpSocket()
    for (let count = 0; count < 1000; count++) socket.send(new Uint8Array(1000), 0, at('10.0.0.99:9'))
    expect(a.device('eth0')!.counters.txDropped).toBe(1000 - 64)
  })
})

describe('fragments', () => {
  const fragment = (wire: Wire, id: number, offset: number, more: boolean, size: number, fill = 1) => {
    const frame = new Uint8Array(payloadAt + size).fill(fill)
    frame.fill(0, 0, payloadAt)
    wire.sendPacket(frame, 17, { id, fragment: (more ? 0x2000 : 0) | (offset / 8) })
  }

  test('in any order, some of them twice', () => {
    const wire = new Wire()
    const raw = socketOf(wire.stack, 'raw', 17)
    fragment(wire, 1, 16, false, 5)
    fragment(wire, 1, 8, true, 8)
    fragment(wire, 1, 8, true, 8)
    fragment(wire, 1, 0, true, 8)
    expect(raw.receive(buffer)).toBe(20 + 21)
    expect(wire.stack.ip.reassembly.memory).toBe(0)
  })

  test.each([
    [
      'that overlap',
      [
        [0, true, 16],
        [8, false, 16],
      ],
    ],
    [
      'that end twice',
      [
        [8, false, 8],
        [16, false, 8],
        [0, true, 8],
      ],
    ],
    [
      'behind the end',
      [
        [8, false, 8],
        [16, true, 8],
        [0, true, 8],
      ],
    ],
    [
      'of a length that is no multiple of 8',
      [
        [0, true, 9],
        [16, false, 8],
      ],
    ],
    [
      'beyond 65535 bytes',
      [
        [0, true, 8],
        [65_528, false, 100],
      ],
    ],
  ] as const)('%s make no packet', (_, pieces) => {
    const wire = new Wire()
    const raw = socketOf(wire.stack, 'raw', 17)
    for (const [offset, more, size] of pieces) fragment(wire, 1, offset, more, size)
    expect(raw.receive(buffer)).toBe(-Errno.EAGAIN)
  })

  test('what stays incomplete is dropped after 30 s, and its sender is told', () => {
    const wire = new Wire()
    fragment(wire, 1, 0, true, 64)
    wire.pass(31e9)
    expect(wire.stack.ip.reassembly.memory).toBe(0)
    const last = readPacket(wire.frames.at(-1)!, undefined)
    expect([last?.protocol, last?.frame[payloadAt], last?.frame[payloadAt + 1]]).toEqual([1, 11, 1])
  })

  test('a flood of first fragments takes 4 MB at most', () => {
    const wire = new Wire()
    for (let id = 0; id < 20_000; id++) fragment(wire, id & 0xffff, 0, true, 1400)
    expect(wire.stack.ip.reassembly.memory).toBeLessThanOrEqual(4 * 1024 * 1024)
  })
})

describe('ICMP (RFC 1122, section 3.2.2)', () => {
  const echo = (wire: Wire, fields: { source?: number; destination?: number } = {}) => {
    const frame = new Uint8Array(payloadAt + 12)
    frame.set([8, 0, 0, 0, 0x12, 0x34, 0, 7, 1, 2, 3, 4], payloadAt)
    setIcmpChecksum(frame)
    wire.sendPacket(frame, 1, fields)
  }

  test('echo comes back with what was in it', () => {
    const wire = new Wire()
    echo(wire)
    const answer = readPacket(wire.frames.at(-1)!, undefined)!
    expect([...answer.frame.subarray(answer.at, answer.at + 2)]).toEqual([0, 0])
    expect([...answer.frame.subarray(answer.at + 4, answer.end)]).toEqual([0x12, 0x34, 0, 7, 1, 2, 3, 4])
    expect([answer.source, answer.destination]).toEqual([at('10.0.0.1').address, there])
  })

  test('echo to a broadcast address is not answered (smurf)', () => {
    const wire = new Wire()
    for (const destination of [0xffff_ffff, 0x0a00_00ff]) echo(wire, { destination })
    expect(wire.frames).toEqual([])
  })

  test('sources that nobody can have are dropped (LAND)', () => {
    const wire = new Wire()
    for (const source of [0x0a00_0001, 0x7f00_0001, 0xe000_0001, 0xffff_ffff, 0x0a00_00ff, 0]) echo(wire, { source })
    expect(wire.frames).toEqual([])
    expect(wire.stack.ip.counters.badAddresses).toBe(6)
  })

  test('errors: 50 at once and 1000 a second, of which 1 ms passes for each packet here', () => {
    const wire = new Wire()
    for (let count = 0; count < 500; count++) {
      const frame = new Uint8Array(payloadAt + 8)
      frame.set([0, 1, 0, 1, 0, 8, 0, 0], payloadAt)
      wire.sendPacket(frame, 17)
    }
    expect(wire.frames.length).toBeLessThanOrEqual(550)
    expect(wire.frames.length).toBeGreaterThan(400)
    const error = readPacket(wire.frames[0], undefined)!
    expect([error.frame[error.at], error.frame[error.at + 1]]).toEqual([3, 3])
    expect(get32(error.frame, error.at + 8 + 12)).toBe(there)
    expect(get16(error.frame, error.at + 8 + 20 + 2)).toBe(1)
  })

  test('an error about a protocol that is not there', () => {
    const wire = new Wire()
    wire.sendPacket(new Uint8Array(payloadAt + 20), 132)
    const error = readPacket(wire.frames[0], undefined)!
    expect([error.frame[error.at], error.frame[error.at + 1]]).toEqual([3, 2])
  })
})

describe('address translation', () => {
  test('masquerading: the outside sees the router, answers and errors find their way back', () => {
    const { clock, client, router, server } = routed()
    server.ip.routes.removeWhere(({ prefix }) => prefix === 0)
    router.nat.masquerades.push({ network: parseIpv4('10.0.1.0') as number, prefix: 24 })
    const there = server.udpSocket()
    there.bind(at('0.0.0.0:9'))
    const here = client.udpSocket()
    here.bind(at('0.0.0.0:777'))
    here.send(bytes('question'), 0, at('10.0.2.2:9'))
    pass(clock, 1e9)
    const from = received()
    there.receive(buffer, 0, from)
    expect([formatIpv4(from.address), from.port]).toEqual(['10.0.2.1', 777])
    there.send(bytes('answer'), 0, from)
    pass(clock, 1e9)
    expect(here.receive(buffer, 0, from)).toBe(6)
    expect(formatIpv4(from.address)).toBe('10.0.2.2')

    const refused = client.udpSocket()
    refused.connect(at('10.0.2.2:10'))
    refused.send(bytes('x'))
    pass(clock, 1e9)
    expect(refused.takeError()).toBe(Errno.ECONNREFUSED)

    const ping = socketOf(client, 'datagram', 1)
    ping.send(Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 1), 0, at('10.0.2.2'))
    pass(clock, 1e9)
    expect(ping.receive(buffer)).toBe(8)
    expect(router.nat.connections).toBe(3)
    pass(clock, 300e9)
    expect(router.nat.connections).toBe(0)
  })

  test('two clients with the same port stay apart', () => {
    const { clock, client, router, server } = routed()
    router.nat.masquerades.push({ network: parseIpv4('10.0.1.0') as number, prefix: 24 })
    client.configure(client.device('eth0')!, '10.0.1.3/24')
    const there = server.udpSocket()
    there.bind(at('0.0.0.0:9'))
    const sockets = ['10.0.1.2', '10.0.1.3'].map((address) => {
      const socket = client.udpSocket()
      socket.bind(at(`${address}:500`))
      socket.send(bytes(address), 0, at('10.0.2.2:9'))
      return socket
    })
    pass(clock, 1e9)
    for (const _ of sockets) {
      const from = received()
      const size = there.receive(buffer, 0, from)
      there.send(buffer.slice(0, size), 0, from)
    }
    pass(clock, 1e9)
    for (const [index, socket] of sockets.entries()) {
      const size = socket.receive(buffer)
      expect(new TextDecoder().decode(buffer.subarray(0, size))).toBe(`10.0.1.${2 + index}`)
    }
  })

  test('a published port leads inside, from outside, from the router itself, and from its own network', () => {
    const { clock, client, router, server } = routed()
    router.nat.published.push({ protocol: 'tcp', port: 8080, toAddress: at('10.0.1.2').address, toPort: 80 })
    const listener = client.streamSocket()
    listener.bind(at('0.0.0.0:80'))
    listener.listen(8)
    for (const [stack, target] of [
      [server, '10.0.2.1:8080'],
      [router, '10.0.1.1:8080'],
      [client, '10.0.1.1:8080'],
    ] as const) {
      const socket = stack.streamSocket()
      socket.connect(at(target))
      pass(clock, 5e9)
      const accepted = listener.accept()
      expect(typeof accepted, target).toBe('object')
      if (typeof accepted === 'number') continue
      const sent = noise(50_000)
      expect(sameBytes(transfer(clock, socket, accepted, sent), sent)).toBe(true)
      accepted.close()
      socket.close()
    }
    const other = server.streamSocket()
    other.connect(at('10.0.2.1:8081'))
    pass(clock, 1e9)
    expect(other.poll() & Poll.err).toBe(Poll.err)
  })

  test('the table is bounded: half-open connections give way to new ones', () => {
    const { clock, client, router } = routed()
    router.nat.masquerades.push({ network: parseIpv4('10.0.1.0') as number, prefix: 24 })
    const socket = client.udpSocket()
    for (let port = 1; port <= 20_000; port++) {
      socket.send(bytes('x'), 0, at(`10.0.2.2:${port}`))
      if (port % 500 === 0) pass(clock, 1e6)
    }
    expect(router.nat.connections).toBeLessThanOrEqual(16_384)
  })
})

test('frames for other stations are not taken', () => {
  const clock = new Clock()
  const [one, other] = cable(clock)
  const stack = new NetStack({ clock, seed: 1 })
  stack.configure(stack.addEthernet({ name: 'eth0', mac: 0x0200_0000_0001 }, one)!, '10.0.0.1/24')
  const frame = new Uint8Array(60)
  frame.set([2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 2, 8, 0, 0x45])
  other.send(frame)
  pass(clock, 1e6)
  expect(stack.ip.counters.received).toBe(0)
})

test('a stack reaches itself by any of its addresses, without its cards', () => {
  const hosts = pair()
  hosts.a.setUp(hosts.a.device('eth0')!, false)
  const { clock, a } = hosts
  const server = a.udpSocket()
  server.bind(at('10.0.0.1:9'))
  a.udpSocket().send(bytes('x'), 0, at('10.0.0.1:9'))
  pass(clock, 1e9)
  expect(server.receive(buffer)).toBe(1)
  expect(connected(pair()).client.state).toBe('established')
})
