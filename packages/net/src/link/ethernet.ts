/**
 * Ethernet II frames (IEEE 802.3): destination, source, type, payload; no preamble and no check sequence, as cards and
 * captures have them. A frame belongs to nobody once it is sent: several parties may hold it, and none changes it.
 */
import { get16, get32, set16, set32 } from '../bytes.ts'

/** A MAC address, as a 48-bit number: `0x02_00_00_00_00_01`. */
export type Mac = number

/** Bytes before the payload. */
export const etherHeader = 14

/** What a payload is. */
export const EtherType = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, ipv6: 0x86dd } as const

/** The address of all stations. */
export const broadcastMac: Mac = 0xffff_ffff_ffff

/** The MAC address at an offset. */
export function getMac(bytes: Uint8Array, at: number): Mac {
  return get16(bytes, at) * 0x1_0000_0000 + get32(bytes, at + 2)
}

/** Writes a MAC address. */
export function setMac(bytes: Uint8Array, at: number, mac: Mac): void {
  set16(bytes, at, Math.floor(mac / 0x1_0000_0000))
  set32(bytes, at + 2, mac % 0x1_0000_0000)
}

/** Writes the header of a frame. */
export function setEtherHeader(frame: Uint8Array, destination: Mac, source: Mac, type: number): void {
  setMac(frame, 0, destination)
  setMac(frame, 6, source)
  set16(frame, 12, type)
}

/** Whether an address is one of a group of stations. */
export function isGroupMac(mac: Mac): boolean {
  return (Math.floor(mac / 0x100_0000_0000) & 1) !== 0
}

/** `02:00:00:00:00:01`. */
export function formatMac(mac: Mac): string {
  return mac
    .toString(16)
    .padStart(12, '0')
    .replace(/..(?=.)/g, '$&:')
}

/** The address in a text such as `02:00:00:00:00:01`, or undefined. */
export function parseMac(text: string): Mac | undefined {
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text) ? Number.parseInt(text.replaceAll(':', ''), 16) : undefined
}
