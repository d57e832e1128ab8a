import { Clock } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { pass } from '../../test/hosts.ts'
import { Bridge, cable, formatMac, getMac, impair, NetStack, parseMac, setEtherHeader } from '../index.ts'

function frame(destination: number, source: number, size = 60): Uint8Array {
  const bytes = new Uint8Array(size)
  setEtherHeader(bytes, destination, source, 0x88b5)
  return bytes
}

describe('MAC addresses', () => {
  test('as text and back', () => {
    expect(formatMac(0x0200_0000_00ab)).toBe('02:00:00:00:00:ab')
    expect(parseMac('02:00:00:00:00:AB')).toBe(0x0200_0000_00ab)
    expect(parseMac('02:00:00:00:00')).toBeUndefined()
    expect(parseMac('ff:ff:ff:ff:ff:ff')).toBe(0xffff_ffff_ffff)
  })
})

describe('a cable', () => {
  test('delivers in order after its latency, and drops what does not fit its queue', () => {
    const clock = new Clock()
    const [one, other] = cable(clock, { latency: 1000, queue: 3 })
    const arrived: [number, number][] = []
    other.attach((bytes) => arrived.push([bytes[20], clock.now]))
    const results = [1, 2, 3, 4].map((number) => {
      const bytes = frame(1, 2)
      bytes[20] = number
      return one.send(bytes)
    })
    expect(results).toEqual([true, true, true, false])
    pass(clock, 5000)
    expect(arrived).toEqual([
      [1, 1000],
      [2, 1000],
      [3, 1000],
    ])
  })
})

describe('a bridge', () => {
  const setUp = (options?: { ageing?: number; addresses?: number }) => {
    const clock = new Clock()
    const bridge = new Bridge(clock, options)
    const seen: string[] = []
    const ports = [0, 1, 2].map((index) => bridge.join((bytes) => seen.push(`${index}:${getMac(bytes, 6)}`)))
    const after = (act: () => void) => {
      seen.length = 0
      act()
      return [...seen]
    }
    return { clock, bridge, ports, after }
  }

  test('floods what it does not know, and learns', () => {
    const { ports, after } = setUp()
    expect(after(() => ports[0].receive(frame(20, 10)))).toEqual(['1:10', '2:10'])
    expect(after(() => ports[1].receive(frame(10, 20)))).toEqual(['0:20'])
    expect(after(() => ports[0].receive(frame(20, 10)))).toEqual(['1:10'])
    expect(after(() => ports[0].receive(frame(0xffff_ffff_ffff, 10)))).toEqual(['1:10', '2:10'])
    expect(after(() => ports[1].receive(frame(20, 10)))).toEqual([]) // 10 has moved to where 20 is
  })

  test('forgets who is silent, and who has left', () => {
    const { clock, bridge, ports, after } = setUp({ ageing: 1e9 })
    ports[1].receive(frame(10, 20))
    expect(bridge.lookup(20)).toBe(ports[1])
    pass(clock, 2e9)
    expect(after(() => ports[0].receive(frame(20, 10)))).toEqual(['1:10', '2:10'])
    ports[1].leave()
    expect(after(() => ports[0].receive(frame(20, 10)))).toEqual(['2:10'])
    ports[0].leave()
    expect(bridge.lookup(10)).toBeUndefined()
  })

  test('keeps to itself what is for bridges, and is bounded by forged addresses', () => {
    const { bridge, ports, after } = setUp({ addresses: 100 })
    expect(after(() => ports[0].receive(frame(0x0180_c200_0000, 10)))).toEqual([])
    for (let mac = 1000; mac < 9000; mac++) ports[0].receive(frame(20, mac * 256))
    expect(bridge.lookup(8000 * 256)).toBeUndefined()
    expect(bridge.lookup(1000 * 256)).toBe(ports[0])
    expect(after(() => ports[0].receive(new Uint8Array(5)))).toEqual([])
  })
})

describe('an impaired link', () => {
  const count = (options: Parameters<typeof impair>[2]) => {
    const clock = new Clock()
    const [one, other] = cable(clock, { latency: 1, queue: 10_000 })
    const bad = impair(clock, one, options)
    const order: number[] = []
    other.attach((bytes) => order.push((bytes[20] << 8) | bytes[21]))
    for (let index = 0; index < 10_000; index++) {
      const bytes = frame(1, 2)
      bytes[20] = index >> 8
      bytes[21] = index
      bad.send(bytes)
      pass(clock, 10_000)
    }
    pass(clock, 10e9)
    return { order, counts: bad.counts }
  }

  test('loses, duplicates and reorders as often as it was told, and alike in each run', () => {
    const options = { seed: 4, loss: 0.1, duplicate: 0.05, reorder: 0.02 }
    const { order, counts } = count(options)
    expect(counts.lost).toBeGreaterThan(900)
    expect(counts.lost).toBeLessThan(1100)
    expect(order.length).toBe(10_000 - counts.lost + counts.duplicated)
    expect(order.filter((number, index) => number < order[index - 1]).length).toBeGreaterThan(100)
    expect(count(options)).toEqual({ order, counts })
    expect(count({ ...options, seed: 5 }).order).not.toEqual(order)
  })

  test('a rate delays, and its queue overflows', () => {
    const { order, counts } = count({ seed: 1, rate: 1e6, queue: 10 })
    expect(counts.overflowed).toBeGreaterThan(9000)
    expect(order.length).toBe(10_000 - counts.overflowed)
  })
})

describe('devices', () => {
  test('count what passes, as /proc/net/dev does', () => {
    const clock = new Clock()
    const [one, other] = [1, 2].map((seed) => new NetStack({ clock, seed }))
    const [veth, peer] = one.addVeth({ name: 'veth0' }, other, { name: 'eth0' })!
    expect([veth.carrier, veth.transmit(frame(1, 2)), veth.counters.txDropped]).toEqual([false, false, 1])
    one.setUp(veth, true)
    other.setUp(peer, true)
    expect(veth.flags).toBe(0x1_1043)
    veth.transmit(frame(peer.mac, veth.mac, 100))
    expect(veth.transmit(frame(peer.mac, veth.mac, 1515))).toBe(false)
    pass(clock, 1e6)
    expect([veth.counters.txPackets, veth.counters.txBytes, veth.counters.txDropped]).toEqual([1, 100, 2])
    expect([peer.counters.rxPackets, peer.counters.rxBytes]).toEqual([1, 100])
  })

  test('a bridge device joins containers with each other and with the host', () => {
    const clock = new Clock()
    const host = new NetStack({ clock, seed: 1 })
    const bridge = host.addBridge({ name: 'br0' })!
    host.configure(bridge, '172.17.0.1/16')
    const containers = [2, 3].map((seed) => {
      const stack = new NetStack({ clock, seed })
      const [outer, inner] = host.addVeth({ name: `veth${seed}` }, stack, { name: 'eth0' })!
      outer.enslave(bridge)
      host.setUp(outer, true)
      stack.configure(inner, `172.17.0.${seed}/16`)
      return stack
    })
    const exchange = (from: NetStack, to: NetStack, address: number) => {
      const server = to.udpSocket()
      server.bind({ address: 0, port: 9 })
      from.udpSocket().send(Uint8Array.of(1), 0, { address, port: 9 })
      pass(clock, 1e9)
      const size = server.receive(new Uint8Array(10))
      server.close()
      return size
    }
    expect(exchange(containers[0], containers[1], 0xac11_0003)).toBe(1)
    expect(exchange(containers[0], host, 0xac11_0001)).toBe(1)
    expect(exchange(host, containers[1], 0xac11_0003)).toBe(1)
    host.removeDevice(bridge)
    expect(exchange(containers[0], containers[1], 0xac11_0003)).toBeLessThan(0)
  })

  test('two bridges in a ring are a storm, but time goes on and queues are bounded', () => {
    const clock = new Clock()
    const [left, right] = [new Bridge(clock), new Bridge(clock)]
    for (let count = 0; count < 3; count++) {
      const [one, other] = cable(clock)
      left.connect(one)
      right.connect(other)
    }
    left.join(() => {}).receive(frame(0xffff_ffff_ffff, 10))
    pass(clock, 1e6)
    expect(clock.now).toBe(1e6)
  })
})
