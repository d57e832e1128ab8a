/** Arguments as i386 has them. */
import type { Decoder } from '../table.ts'

/** A position of 64 bits in two words, the lower half first. */
export const position: Decoder<number> = {
  words: 2,
  decode: (_task, low, high) => (high | 0) * 2 ** 32 + (low >>> 0),
  show: (_task, low, high) => String((high | 0) * 2 ** 32 + (low >>> 0)),
}
