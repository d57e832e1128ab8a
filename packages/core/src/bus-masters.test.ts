import { describe, expect, test } from 'vitest'
import { BusMasters, type DmaAbort, type DmaTarget } from './bus-masters.ts'
import { Counters } from './counters.ts'

const ram = (size: number): DmaTarget & { bytes: Uint8Array } => {
  const bytes = new Uint8Array(size)
  return {
    bytes,
    read(address, into) {
      if (address + into.length > size) return false
      into.set(bytes.subarray(address, address + into.length))
      return true
    },
    write(address, from) {
      if (address + from.length > size) return false
      bytes.set(from, address)
      return true
    },
  }
}

describe('BusMaster', () => {
  test('reads and writes memory, little-endian, and counts', () => {
    const counters = new Counters()
    const masters = new BusMasters({ counters })
    const memory = ram(64)
    masters.connect({ memory })
    const nic = masters.create(0x18, 'nic')
    nic.write32(8, 0x89abcdef)
    nic.write16(12, 0x1234)
    expect([nic.read32(8), nic.read16(8), nic.read32(10)]).toEqual([0x89abcdef, 0xcdef, 0x123489ab])
    expect(memory.bytes[8]).toBe(0xef)
    expect(counters.snapshot()).toMatchObject({
      'dma-reads': 3,
      'dma-writes': 2,
      'dma-bytes-read': 10,
      'dma-bytes-written': 6,
      'dma-aborts': 0,
    })
  })

  test('outside memory: ones, dropped writes, a result and a report, no exception', () => {
    const masters = new BusMasters()
    const aborts: DmaAbort[] = []
    masters.onAbort((abort) => aborts.push(abort))
    const nic = masters.create(0x18, 'nic')
    expect(nic.read32(0)).toBe(0xffffffff)
    masters.connect({ memory: ram(64) })
    const into = new Uint8Array(4)
    expect(nic.read(62, into)).toBe(false)
    expect([...into]).toEqual([0xff, 0xff, 0xff, 0xff])
    expect(nic.write16(2 ** 40, 1)).toBe(false)
    expect(aborts.slice(1)).toEqual([
      { requesterId: 0x18, owner: 'nic', access: 'read', address: 62, length: 4 },
      { requesterId: 0x18, owner: 'nic', access: 'write', address: 2 ** 40, length: 2 },
    ])
  })

  test('disabled, it does not reach memory', () => {
    const masters = new BusMasters()
    const memory = ram(64)
    masters.connect({ memory })
    const nic = masters.create(0x18, 'nic')
    nic.enabled = false
    expect([nic.write32(0, 7), nic.read32(0), memory.bytes[0]]).toEqual([false, 0xffffffff, 0])
  })

  test('two devices cannot have one requester ID; a disposed one gives it back', () => {
    const masters = new BusMasters()
    const nic = masters.create(0x18, 'nic')
    expect(() => masters.create(0x18, 'disk')).toThrow('disk wants requester ID 0x18, which nic has')
    nic[Symbol.dispose]()
    expect(masters.create(0x18, 'disk').owner).toBe('disk')
  })
})

describe('interposing', () => {
  test('an IOMMU tells devices apart, moves addresses, and can be taken out', () => {
    const masters = new BusMasters()
    const memory = ram(0x100)
    masters.connect({ memory })
    const [nic, disk] = [masters.create(1, 'nic'), masters.create(2, 'disk')]
    const iommu = masters.interpose((next) => ({
      ...next,
      read: (id, address, into) => id === 1 && next.read(id, address + 0x80, into),
      write: (id, address, from) => id === 1 && next.write(id, address + 0x80, from),
    }))
    expect([nic.write16(0, 0x55aa), disk.write16(0, 0x1111)]).toEqual([true, false])
    expect([memory.bytes[0], memory.bytes[0x80]]).toEqual([0, 0xaa])
    iommu[Symbol.dispose]()
    expect(disk.read16(0x80)).toBe(0x55aa)
  })

  test('interrupt messages take the same way', () => {
    const masters = new BusMasters()
    const delivered: number[] = []
    const nic = masters.create(1, 'nic')
    expect(nic.signal({ address: 0xfee00000, data: 0x41 })).toBe(false)
    masters.connect({
      messages: {
        deliver: ({ address, data }) => {
          if (address < 0xfee00000) return false
          delivered.push(data)
          return true
        },
      },
    })
    masters.interpose((next) => ({
      ...next,
      signal: (id, message) => next.signal(id, { ...message, data: message.data + 1 }),
    }))
    expect(nic.signal({ address: 0xfee00000, data: 0x41 })).toBe(true)
    expect(nic.signal({ address: 0x1000, data: 0x41 })).toBe(false)
    expect(delivered).toEqual([0x42])
  })
})
