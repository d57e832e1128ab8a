/**
 * Security of a switch's port: what comes in is from the station that the port was given to, or is dropped. What vendors call port
 * security (by MAC address), dynamic ARP inspection and IP source guard, as one rule. So nobody speaks for another station, and the
 * table of the switch has one address a port.
 */
import { get16, get32 } from '../bytes.ts'
import type { Ipv4 } from '../ip/address.ts'
import { EtherType, etherHeader, getMac, type Mac } from './ethernet.ts'

/** Who is behind a port. */
export interface Station {
  readonly mac: Mac
  readonly address: Ipv4
}

/** Bytes of an ARP packet, and of an IPv4 header without options. */
const arpBytes = 28
const ipv4Bytes = 20

/** Whether a frame is IPv4 or ARP of this station. ARP may ask from address 0, as who probes an address does (RFC 5227). */
export function sourceGuard({ mac, address }: Station): (frame: Uint8Array) => boolean {
  return (frame) => {
    if (frame.length < etherHeader || getMac(frame, 6) !== mac) return false
    switch (get16(frame, 12)) {
      case EtherType.ipv4:
        return frame.length >= etherHeader + ipv4Bytes && get32(frame, etherHeader + 12) === address
      case EtherType.arp: {
        if (frame.length < etherHeader + arpBytes || getMac(frame, etherHeader + 8) !== mac) return false
        const sender = get32(frame, etherHeader + 14)
        return sender === address || sender === 0
      }
      default:
        return false
    }
  }
}
