import { GuestMemory } from '@vmexit/memory'
import { Access, ExtendedPageTables, walkControls } from '@vmexit/paging'
import { HostPages } from '@vmexit/vmm'
import { describe, expect, it } from 'vitest'
import { ExtendedTables } from './ept.ts'

function tables() {
  const machine = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 16 << 20 }] })
  const made = new ExtendedTables(HostPages.of(machine))
  const hardware = new ExtendedPageTables(machine, made.pointer - (made.pointer % 0x1000), walkControls())
  return { made, hardware, machine }
}

describe('extended page tables as the hardware walks them', () => {
  it('map pages anywhere in 2^48 bytes, with four references each', () => {
    const { made, hardware } = tables()
    for (const [n, page] of [0, 1, 511, 512, 0xf_ffff, 0x10_0000, 2 ** 36 - 1].entries()) {
      made.map(page, 0x300 + n, true)
      expect(hardware.reach(page * 0x1000 + 5, Access.WRITE)).toBe((0x300 + n) * 0x1000 + 5)
      expect(hardware.result.references).toBe(4)
    }
    // Levels are made as they are needed: one, four of them for low addresses, and three more for the last.
    expect(made.pages).toBeLessThanOrEqual(14)
  })

  it('refuse what is not mapped, and stores to what is read-only', () => {
    const { made, hardware } = tables()
    made.map(5, 0x300, false)
    expect(hardware.reach(0x5000, 0)).toBe(0x30_0000)
    expect(hardware.reach(0x5000, Access.WRITE)).toBe(-1)
    expect(hardware.result.fault).toBe('ept-violation')
    made.unmap(5)
    expect(hardware.reach(0x5000, 0)).toBe(-1)
  })

  it('take no table to unmap what is not mapped, and give all back', () => {
    const { made, machine, hardware } = tables()
    made.map(5, 0x300, true)
    const before = made.pages
    made.unmap(2 ** 20)
    made.unmapLarge(2 ** 20)
    expect([made.isLarge(2 ** 20), made.pages]).toEqual([false, before])
    made.clear()
    expect([hardware.reach(0x5000, 0), made.pages]).toEqual([-1, 1])
    made.map(5, 0x300, true)
    expect(hardware.reach(0x5000, 0)).toBe(0x30_0000)
    made[Symbol.dispose]()
    expect([made.pages, HostPages.of(machine).used]).toEqual([0, 0])
  })

  it('map two mebibytes at once, with three references', () => {
    const { made, hardware } = tables()
    made.mapLarge(1024, 512, true)
    expect(hardware.reach(0x40_0000 + 0x12_3456, Access.WRITE)).toBe(0x20_0000 + 0x12_3456)
    expect(hardware.result.references).toBe(3)
    expect(made.isLarge(1300)).toBe(true)
    made.unmapLarge(1300)
    expect(hardware.reach(0x40_0000, 0)).toBe(-1)
  })
})
