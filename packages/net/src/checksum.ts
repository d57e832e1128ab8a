/** The Internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit words. */

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** Below this many bytes a view of words costs more than it saves (measured: even at about 100). */
const worthAView = 128

/** The sum of `bytes[start…end)` as big-endian words, an odd last byte padded with zero; not folded. */
function sum(bytes: Uint8Array, start: number, end: number): number {
  let total = 0
  if (end - start >= worthAView && ((bytes.byteOffset + start) & 1) === 0) {
    const words = new Uint16Array(bytes.buffer, bytes.byteOffset + start, (end - start) >> 1)
    for (let index = 0; index < words.length; index++) total += words[index]
    // The sum is the same in either byte order, swapped (RFC 1071, section 2 (B)).
    total = fold(total)
    if (littleEndian) total = ((total & 0xff) << 8) | (total >>> 8)
    if ((end - start) & 1) total += bytes[end - 1] << 8
    return total
  }
  let at = start
  for (; at + 1 < end; at += 2) total += (bytes[at] << 8) | bytes[at + 1]
  return at < end ? total + (bytes[at] << 8) : total
}

/** Carries added until the sum fits 16 bits. Sums of up to 2^53 are exact. */
export function fold(total: number): number {
  while (total > 0xffff) total = (total % 0x10000) + Math.floor(total / 0x10000)
  return total
}

/** The checksum of `bytes[start…end)`, to which `initial` is added: 0 where a checksum in it is right. */
export function checksum(bytes: Uint8Array, start: number, end: number, initial = 0): number {
  return ~fold(initial + sum(bytes, start, end)) & 0xffff
}

/** The sum of the pseudo header that UDP and TCP checksums cover (RFC 9293, section 3.1). */
export function pseudoHeader(source: number, destination: number, protocol: number, length: number): number {
  return (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + length
}
