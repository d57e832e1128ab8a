import { Clock } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { at } from '../../test/hosts.ts'
import { Bridge, broadcastMac, setEtherHeader, setMac, sourceGuard } from '../index.ts'

const me = { mac: 0x0242_0a00_0002, address: at('10.0.0.2').address }
const other = { mac: 0x0242_0a00_0003, address: at('10.0.0.3').address }

function ip(mac: number, address: number, type = 0x0800): Uint8Array {
  const frame = new Uint8Array(60)
  setEtherHeader(frame, broadcastMac, mac, type)
  new DataView(frame.buffer).setUint32(26, address)
  return frame
}
function arp(mac: number, senderMac: number, sender: number): Uint8Array {
  const frame = new Uint8Array(42)
  setEtherHeader(frame, broadcastMac, mac, 0x0806)
  setMac(frame, 22, senderMac)
  new DataView(frame.buffer).setUint32(28, sender)
  return frame
}

describe('what a port lets in', () => {
  const guard = sourceGuard(me)
  test.each([
    ['its own packets', ip(me.mac, me.address), true],
    ['its own ARP', arp(me.mac, me.mac, me.address), true],
    ['a probe, which has no address yet', arp(me.mac, me.mac, 0), true],
    ['packets from the MAC address of another', ip(other.mac, me.address), false],
    ['packets from the address of another', ip(me.mac, other.address), false],
    ['packets from no address', ip(me.mac, 0), false],
    ['ARP that speaks for another', arp(me.mac, me.mac, other.address), false],
    ['ARP that names the MAC address of another', arp(me.mac, other.mac, me.address), false],
    ['IPv6', ip(me.mac, me.address, 0x86dd), false],
    ['a VLAN', ip(me.mac, me.address, 0x8100), false],
    ['what is too short for IPv4', ip(me.mac, me.address).subarray(0, 30), false],
    ['what is too short for ARP', arp(me.mac, me.mac, me.address).subarray(0, 41), false],
    ['what is no frame', new Uint8Array(13), false],
    ['nothing', new Uint8Array(0), false],
  ])('%s: %#', (_what, frame, expected) => expect(guard(frame)).toBe(expected))

  test('a station that says it is thousands fills no table of the switch', () => {
    const bridge = new Bridge(new Clock())
    const port = bridge.join(() => {})
    for (let mac = 1; mac < 10_000; mac++) {
      const frame = ip(mac * 2, me.address)
      if (guard(frame)) port.receive(frame)
    }
    expect(bridge.lookup(2)).toBeUndefined()
  })
})
