/** Addresses of sockets as they lie in memory (ip(7), unix(7), netlink(7), packet(7)). They are the same in every ABI of x86. */
import type { Mac, PacketAddress, SocketAddress } from '@vmexit/net'
import { type ByteString, byteStringOf, bytesOf } from '@vmexit/vfs'
import { Family } from './constants.ts'

const INET_BYTES = 16
const NETLINK_BYTES = 12
const PACKET_BYTES = 20
/** `sun_path`. */
const UNIX_NAME_BYTES = 108

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The family; undefined where there are not even its two bytes. */
export function familyOf(address: Uint8Array): number | undefined {
  return address.length < 2 ? undefined : view(address).getUint16(0, true)
}

/** `struct sockaddr_in`; undefined where it is too short. */
export function readInet(address: Uint8Array): SocketAddress | undefined {
  if (address.length < INET_BYTES) return undefined
  return { port: view(address).getUint16(2), address: view(address).getUint32(4) }
}
export function writeInet({ address, port }: SocketAddress): Uint8Array {
  const bytes = new Uint8Array(INET_BYTES)
  view(bytes).setUint16(0, Family.INET, true)
  view(bytes).setUint16(2, port)
  view(bytes).setUint32(4, address)
  return bytes
}

/**
 * The name in a `struct sockaddr_un`: a path, or a name that begins with a zero. The empty string is none; undefined stands for
 * what is no address.
 */
export function readUnix(address: Uint8Array): ByteString | undefined {
  if (address.length < 2 || address.length > UNIX_NAME_BYTES + 2) return undefined
  const name = byteStringOf(address.subarray(2))
  if (name.startsWith('\0') || name === '') return name
  const end = name.indexOf('\0')
  return end < 0 ? name : name.slice(0, end)
}
export function writeUnix(name: ByteString | undefined): Uint8Array {
  const text = name === undefined ? '' : name.startsWith('\0') ? name : `${name}\0`
  const bytes = new Uint8Array(2 + text.length)
  bytes[0] = Family.UNIX
  bytes.set(bytesOf(text), 2)
  return bytes
}

/** `struct sockaddr_nl`. */
export function readNetlink(address: Uint8Array): { readonly port: number; readonly groups: number } | undefined {
  if (address.length < NETLINK_BYTES) return undefined
  return { port: view(address).getUint32(4, true), groups: view(address).getUint32(8, true) }
}
export function writeNetlink(port: number, groups: number): Uint8Array {
  const bytes = new Uint8Array(NETLINK_BYTES)
  view(bytes).setUint16(0, Family.NETLINK, true)
  view(bytes).setUint32(4, port, true)
  view(bytes).setUint32(8, groups, true)
  return bytes
}

/** `struct sockaddr_ll`. */
export function readPacket(address: Uint8Array): PacketAddress | undefined {
  if (address.length < PACKET_BYTES) return undefined
  const at = view(address)
  return {
    ...{ protocol: at.getUint16(2), device: at.getInt32(4, true), type: at.getUint8(10) },
    mac: at.getUint16(12) * 2 ** 32 + at.getUint32(14),
  }
}
export function writePacket({ protocol, device, type, mac }: PacketAddress, hardware: number): Uint8Array {
  const bytes = new Uint8Array(PACKET_BYTES)
  const at = view(bytes)
  at.setUint16(0, Family.PACKET, true)
  at.setUint16(2, protocol)
  at.setInt32(4, device, true)
  at.setUint16(8, hardware, true)
  at.setUint8(10, type)
  at.setUint8(11, 6)
  writeMac(bytes, 12, mac)
  return bytes
}

export function writeMac(into: Uint8Array, at: number, mac: Mac): void {
  view(into).setUint16(at, Math.floor(mac / 2 ** 32))
  view(into).setUint32(at + 2, mac % 2 ** 32)
}
export function readMac(from: Uint8Array, at: number): Mac {
  return view(from).getUint16(at) * 2 ** 32 + view(from).getUint32(at + 2)
}
