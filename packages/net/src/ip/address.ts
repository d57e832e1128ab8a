/** IPv4 addresses (RFC 791) as unsigned 32-bit numbers, prefixes (RFC 4632), and what is special (RFC 6890). */

/** An IPv4 address: `0x0a000001` is 10.0.0.1. */
export type Ipv4 = number

/** `0.0.0.0`: any address of this host, or none. */
export const anyAddress: Ipv4 = 0
/** `255.255.255.255`: all hosts of the link. */
export const limitedBroadcast: Ipv4 = 0xffff_ffff
/** `127.0.0.1`. */
export const loopbackAddress: Ipv4 = 0x7f00_0001

/** The address in a text such as `10.0.0.1`; undefined where it is none. */
export function parseIpv4(text: string): Ipv4 | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined
  const parts = text.split('.').map(Number)
  if (parts.some((part) => part > 255)) return undefined
  return parts.reduce((address, part) => address * 256 + part, 0)
}

/** The address and the length of the prefix in a text such as `10.0.0.1/24`; of one address, it is 32. */
export function parseCidr(text: string): { address: Ipv4; prefix: number } | undefined {
  const [before, after = '32', ...more] = text.split('/')
  const address = parseIpv4(before)
  const prefix = /^\d{1,2}$/.test(after) ? Number(after) : 33
  return address === undefined || prefix > 32 || more.length > 0 ? undefined : { address, prefix }
}

/** `10.0.0.1`. */
export function formatIpv4(address: Ipv4): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`
}

/** The mask of a prefix of this length. */
export function maskOf(prefix: number): number {
  return prefix === 0 ? 0 : (-1 << (32 - prefix)) >>> 0
}

/** Whether an address begins with a prefix. */
export function isWithin(address: Ipv4, network: Ipv4, prefix: number): boolean {
  return ((address ^ network) & maskOf(prefix)) === 0
}

export function isLoopback(address: Ipv4): boolean {
  return address >>> 24 === 127
}

/** A group of hosts: 224.0.0.0/4. */
export function isMulticast(address: Ipv4): boolean {
  return address >>> 28 === 14
}
