import { expect, test } from 'vitest'
import { bytes, connected, pair, pass } from '../../test/hosts.ts'
import { pcapHeader, pcapngHeader, pcapngRecord, pcapRecord } from '../index.ts'

test('pcap: header and records as the format says, frames cut to the snap length', () => {
  const header = new DataView(pcapHeader({ snapLength: 20 }).buffer)
  expect([
    header.getUint32(0, true),
    header.getUint16(4, true),
    header.getUint32(16, true),
    header.getUint32(20, true),
  ]).toEqual([0xa1b23c4d, 2, 20, 1])
  const record = new DataView(pcapRecord({ bytes: new Uint8Array(60), time: 3.5e9 }, { snapLength: 20 }).buffer)
  expect([0, 4, 8, 12].map((at) => record.getUint32(at, true))).toEqual([3, 500_000_000, 20, 60])
  expect(record.byteLength).toBe(36)
})

test('pcapng: blocks say their length at both ends, and hold names, times and directions', () => {
  const header = pcapngHeader(['eth0', 'br-lan'])
  const record = pcapngRecord({ bytes: new Uint8Array(61).fill(7), time: 2 ** 40 + 5, from: 1, direction: 'out' })
  const all = new Uint8Array([...header, ...record])
  const view = new DataView(all.buffer)
  const types: number[] = []
  for (let at = 0; at < all.length; ) {
    const size = view.getUint32(at + 4, true)
    expect(size % 4).toBe(0)
    expect(view.getUint32(at + size - 4, true)).toBe(size)
    types.push(view.getUint32(at, true))
    at += size
  }
  expect(types).toEqual([0x0a0d0d0a, 1, 1, 6])
  const packet = new DataView(record.buffer)
  expect([8, 12, 16, 20, 24].map((at) => packet.getUint32(at, true))).toEqual([1, 256, 5, 61, 61])
  expect(packet.getUint32(28 + 64 + 4, true)).toBe(2)
})

/** What an exchange over a bad link looks like to who listens at the server's card. */
function capture(seed: number): Uint8Array {
  const hosts = pair({ seed, loss: 0.05, reorder: 0.05, duplicate: 0.05 })
  const parts = [pcapHeader()]
  hosts.b.device('eth0')?.tap((frame) => parts.push(pcapRecord({ bytes: frame, time: hosts.clock.now })))
  const { client, server } = connected(hosts)
  for (let round = 0; round < 50; round++) {
    client.send(bytes(`round ${round}`.repeat(100)))
    pass(hosts.clock, 100e6)
    const buffer = new Uint8Array(10_000)
    const size = server.receive(buffer)
    if (size > 0) server.send(buffer.subarray(0, size))
  }
  client.close()
  server.close()
  pass(hosts.clock, 100e9)
  return new Uint8Array(parts.flatMap((part) => [...part]))
}

test('the same seed makes the same capture, byte for byte; another one does not', () => {
  const first = capture(1)
  expect(first.length).toBeGreaterThan(50_000)
  expect(capture(1)).toEqual(first)
  expect(capture(2)).not.toEqual(first)
})
