/** Numbers that look random and are the same for the same seed on every host. */

/** Returns a function that gives whole numbers from 0 below its argument (mulberry32, two draws for large ranges). */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0
  const draw = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return (z ^ (z >>> 14)) >>> 0
  }
  return (below) => Math.floor(((draw() * 2 ** 21 + (draw() >>> 11)) / 2 ** 53) * below)
}
