/** Pseudo-random numbers from a fixed seed, so that a failure can be repeated. */

/** Returns a generator of unsigned 32-bit numbers (Marsaglia, "Xorshift RNGs", 2003). */
export function random(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>>= 0)
  }
}

const prefixes = [0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x48, 0x41]

/** Random bytes in which two-byte opcodes and prefixes are frequent. */
export function randomCode(length: number, seed: number): Uint8Array {
  const next = random(seed)
  return Uint8Array.from({ length }, () => {
    const value = next()
    if ((value >>> 8) % 5 === 0) return 0x0f
    if ((value >>> 8) % 31 === 0) return prefixes[(value >>> 16) % prefixes.length]!
    return value & 0xff
  })
}
