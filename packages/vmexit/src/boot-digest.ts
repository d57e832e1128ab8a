/** What tells one boot image from another. */
import { type BootImage, describeBoot } from '@vmexit/boot'

/** FNV-1a in 32 bits, over where everything lies and every byte of it. Against mix-ups, not against forgery. */
export function digestOf(image: BootImage): number {
  let digest = 0x811c_9dc5
  const add = (byte: number) => {
    digest = Math.imul(digest ^ byte, 0x0100_0193)
  }
  for (const byte of new TextEncoder().encode(describeBoot(image))) add(byte)
  for (const { bytes } of image.pieces) for (const byte of bytes) add(byte)
  return digest >>> 0
}
