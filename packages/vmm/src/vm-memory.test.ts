import { GuestMemory } from '@vmexit/memory'
import { describe, expect, it } from 'vitest'
import { HostPages } from './host-pages.ts'
import { VmMemory } from './vm-memory.ts'

const MIB = 2 ** 20
const nobody = { read: () => 0xffff_ffff, write: () => {} }

function vmOn(machine: GuestMemory, bytes = 4 * MIB): VmMemory {
  return new VmMemory(HostPages.of(machine), [{ kind: 'ram', start: 0, bytes }], nobody)
}
const machineOf = (bytes: number): GuestMemory => new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes }] })

describe('memory of a VM', () => {
  it('lies in pages of the machine that no other VM has', () => {
    const machine = machineOf(16 * MIB)
    const [a, b] = [vmOn(machine), vmOn(machine)]
    for (let page = 0; page < 100; page++) {
      a.write32(page * 0x1000, page)
      b.write32(page * 0x1000, 1000 + page)
    }
    const places = new Set([...Array(100).keys()].flatMap((page) => [a.placeOf(page), b.placeOf(page)]))
    expect(places.size).toBe(200)
    expect(a.read32(0x7000)).toBe(7)
    expect(machine.read32(b.placeOf(7) * 0x1000)).toBe(1007)
  })

  it('shows what the guest has stored, and the other way round, whoever was first', () => {
    const machine = machineOf(16 * MIB)
    const vm = vmOn(machine)
    const place = vm.place(3)
    machine.write32(place * 0x1000, 5)
    expect(vm.read32(0x3000)).toBe(5)
    vm.write32(0x3000, 6)
    expect(machine.read32(place * 0x1000)).toBe(6)
  })

  it('gives the machine a page back that the guest no longer has', () => {
    const machine = machineOf(16 * MIB)
    const vm = vmOn(machine)
    vm.write32(0x3000, 6)
    const place = vm.placeOf(3)
    vm.unmapFrame(3)
    expect([vm.read32(0x3000), machine.read32(place * 0x1000), HostPages.of(machine).used]).toEqual([0, 0, 0])
    vm.write32(0x3000, 7)
    expect(vm.read32(0x3000)).toBe(7)
  })

  it.each([1, 512] as const)('comes back whole, again and again, in blocks of %i', (blockPages) => {
    const machine = machineOf(6 * MIB)
    for (let n = 0; n < 1000; n++) {
      const vm = vmOn(machine)
      vm.blockPages = blockPages
      for (const page of [1, 700, 1000]) vm.write32(page * 0x1000, n)
      expect(vm.read32(700 * 0x1000)).toBe(n)
      vm[Symbol.dispose]()
      expect(HostPages.of(machine).used).toBe(0)
    }
    const last = vmOn(machine)
    last.place(5)
    expect(last.read32(0x5000)).toBe(0)
  })

  it('lies in single pages where the machine has no block left', () => {
    const machine = machineOf(6 * MIB)
    const vm = vmOn(machine)
    vm.write32(0, 1)
    const [a, b] = [machine, machine].map((each) => vmOn(each))
    for (const each of [a!, b!]) {
      each.blockPages = 512
      each.write32(600 * 0x1000, 1)
    }
    expect([a!.placed, b!.placed]).toEqual([512, 512])
    a!.write32(0, 2)
    expect([a!.placed, a!.read32(0)]).toEqual([513, 2])
  })

  it('refuses a bus master whose page the machine does not have, and says so', () => {
    const vm = vmOn(machineOf(2 * MIB))
    for (let page = 0; page < 256; page++) vm.write32(page * 0x1000, 1)
    expect(vm.writeFromBus(0, Uint8Array.of(2))).toBe(true)
    expect([vm.writeFromBus(300 * 0x1000, Uint8Array.of(2)), vm.exhausted]).toEqual([false, true])
  })

  it('has a machine that can be full', () => {
    const vm = vmOn(machineOf(2 * MIB))
    expect(() => {
      for (let page = 0; page < 1024; page++) vm.write32(page * 0x1000, 1)
    }).toThrow(/no free page left/)
    expect(vm.read32(0)).toBe(1)
  })

  it('gives blocks in a row where they are asked for', () => {
    const vm = vmOn(machineOf(16 * MIB))
    vm.blockPages = 512
    const place = vm.place(600)
    expect(place % 512).toBe(600 % 512)
    expect(vm.placeOf(512)).toBe(place - 88)
    expect(vm.placed).toBe(512)
  })

  it('grants for writing only what nobody must see written', () => {
    const machine = machineOf(16 * MIB)
    const vm = new VmMemory(HostPages.of(machine), [{ kind: 'ram', start: 0, bytes: MIB }], nobody)
    vm.map({ kind: 'rom', start: 2 * MIB, bytes: 0x1000 })
    expect(vm.grant(5, false)).toBe('writable')
    expect(vm.grant(512, true)).toBe('read-only')
    expect(vm.grant(4096, false)).toBe('nothing')
    const seen: number[] = []
    const end = vm.watch(5, { afterWrite: (address) => seen.push(address) })
    expect(vm.grant(5, true)).toBe('read-only')
    vm.write32(0x5008, 1)
    expect(seen).toEqual([0x5008])
    end()
    expect(vm.grant(5, true)).toBe('writable')
  })

  it('tells a dirty log of the first store that is granted', () => {
    const vm = vmOn(machineOf(16 * MIB))
    vm.write32(0x5000, 1)
    const log = vm.openDirtyLog()
    expect(vm.grant(5, false)).toBe('read-only')
    expect(vm.grant(5, true)).toBe('writable')
    expect(vm.grant(5, false)).toBe('writable')
    log.close()
  })
})
