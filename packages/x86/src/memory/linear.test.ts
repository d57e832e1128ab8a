import { GuestMemory } from '@vmexit/memory'
import { expect, it } from 'vitest'
import { Access, TranslatedMemory, type Translator } from './linear.ts'

/** Linear addresses are physical ones; pages from 4 on are not in the TLB, page 3 may not be written. */
const paging: Translator = {
  errorCode: 0,
  translate: (linear) => linear,
  find: (linear, access) => (linear >= 0x4000 || (linear >= 0x3000 && (access & Access.write) !== 0) ? -1 : linear),
}

it('gives a host address only where plain loads or stores are all that an access is', () => {
  const memory = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 0x1_0000 }] })
  const watch = { armed: false, access: () => {} }
  const linear = new TranslatedMemory(paging, memory, watch)
  memory.write32(0x1010, 0x1234_5678)
  memory.write32(0x3010, 1)
  const at = linear.plain(0x1010, 16, false, false)
  expect(memory.host.i32[at >>> 2]).toBe(0x1234_5678)
  expect(linear.plain(0x1010, 16, true, true)).toBe(at)
  expect(linear.plain(0x1ff0, 16, true, true)).not.toBe(0)
  expect(linear.plain(0x1ff4, 16, true, true)).toBe(0)
  expect(linear.plain(0x3010, 4, false, false)).not.toBe(0)
  expect(linear.plain(0x3010, 4, true, false)).toBe(0)
  expect(linear.plain(0x4010, 4, false, false)).toBe(0)
  expect(linear.plain(0x2_0000, 4, false, false)).toBe(0)
  memory.markCode(1, 0, 64)
  expect(linear.plain(0x1010, 16, false, false)).toBe(at)
  expect(linear.plain(0x1010, 16, true, false)).toBe(0)
  watch.armed = true
  expect(linear.plain(0x1010, 16, false, false)).toBe(0)
})
