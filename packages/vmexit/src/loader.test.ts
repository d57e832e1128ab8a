import { pcRanges } from '@vmexit/memory'
import { expect, test } from 'vitest'
import { loaderOf } from './loader.ts'

/** The smallest Multiboot kernel: a header that has its own addresses and wants a screen, and HLT. */
function kernel(): Uint8Array {
  const flags = 0x1_0004
  const start = 0x10_0000
  const words = [0x1bad_b002, flags, -(0x1bad_b002 + flags), start, start, 0, 0, start + 32, 0x00f4]
  return new Uint8Array(Int32Array.from(words, (word) => word | 0).buffer)
}

test('a Multiboot kernel gets its command line, its modules and the screen', () => {
  const modules = [{ bytes: Uint8Array.of(1, 2), cmdline: 'module argument' }]
  const loader = loaderOf({ multiboot: kernel(), append: 'kernel argument', modules }, { kind: 'text' })
  const { pieces } = loader({ ranges: pcRanges({ ram: 8 << 20 }) })
  const { bytes } = pieces.find(({ name }) => name === 'Multiboot information')!
  const text = new TextDecoder('latin1').decode(bytes)
  expect(text).toContain('kernel argument\0')
  expect(text).toContain('module argument\0')
  // Address of the framebuffer: text.
  expect(new DataView(bytes.buffer, bytes.byteOffset).getUint32(88, true)).toBe(0xb_8000)
})
