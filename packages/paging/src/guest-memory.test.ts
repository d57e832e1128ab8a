/** The paging unit on guest memory: what a walk stores goes through the memory's one choke point for writes. */
import { FramePool, GuestMemory, HostMemory } from '@vmexit/memory'
import { expect, test } from 'vitest'
import { Access } from './access.ts'
import { Mmu } from './mmu.ts'

function paged(): { memory: GuestMemory; mmu: Mmu } {
  const pool = new FramePool({ host: new HostMemory() })
  const memory = new GuestMemory({ pool, ranges: [{ kind: 'ram', start: 0, bytes: 2 ** 24 }] })
  memory.write32(0x1000, 0x2007)
  memory.write32(0x2004, 0x5007)
  const mmu = new Mmu({ tables: memory })
  mmu.setRoot(0x1000)
  mmu.setControls(0x8001_0001, 0, 0)
  return { memory, mmu }
}

test('accessed and dirty flags reach dirty logs, watchers and translated code', () => {
  const { memory, mmu } = paged()
  const log = memory.openDirtyLog()
  const seen: unknown[] = []
  memory.watch(2, { afterWrite: (address, bytes) => seen.push([address, bytes, memory.read32(address)]) })
  memory.listen({ onCodeWrite: (pfn) => seen.push(`code on ${pfn}`) })
  memory.markCode(1, 0, 4)
  expect(mmu.translate(0x1234, Access.WRITE)).toBe(5)
  expect(seen).toEqual(['code on 1', [0x2004, 4, 0x5067]])
  expect(log.take()).toEqual([1, 2])
})

test('a fork walks its own tables', () => {
  const { memory, mmu } = paged()
  const child = memory.fork()
  expect(mmu.translate(0x1000, Access.READ)).toBe(5)
  expect(memory.read32(0x2004)).toBe(0x5027)
  expect(child.read32(0x2004)).toBe(0x5007)
})

test('tables where there is no memory read as all ones', () => {
  const { mmu } = paged()
  mmu.setRoot(0xff00_0000)
  expect(mmu.translate(0x1234, Access.WRITE | Access.USER)).toBe(0xf_ffff)
})
