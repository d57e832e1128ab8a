import { describe, expect, test } from 'vitest'
import { buffer, eisaId, integer, name, nameString, packageOf, scope } from './aml.ts'
import { acpiTables } from './tables.ts'

const pci = {
  memory: [0xe000_0000, 0xfebf_ffff],
  interrupt: (device: number, pin: number) => [10, 11, 10, 11][(device + pin + 3) & 3]!,
} as const

const sum = (bytes: Uint8Array) => bytes.reduce((total, byte) => (total + byte) & 0xff, 0)
const text = (bytes: Uint8Array, from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to))

function byName(tables: ReturnType<typeof acpiTables>) {
  const find = (signature: string) => {
    const { bytes, address } = tables.find((table) => table.signature === signature)!
    return { bytes, address, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) }
  }
  return {
    rsdp: find('RSD PTR '),
    rsdt: find('RSDT'),
    fadt: find('FACP'),
    dsdt: find('DSDT'),
    facs: find('FACS'),
    find,
  }
}

describe('tables', () => {
  test('lead from one to the next, with sums of 0', () => {
    const tables = acpiTables({ pci })
    const { rsdp, rsdt, fadt, dsdt, facs, find } = byName(tables)
    expect([rsdp.address, rsdp.bytes.length, text(rsdp.bytes, 0, 8), sum(rsdp.bytes)]).toEqual([
      0xf0000,
      20,
      'RSD PTR ',
      0,
    ])
    expect(rsdp.view.getUint32(16, true)).toBe(rsdt.address)
    expect([36, 40].map((at) => rsdt.view.getUint32(at, true))).toEqual([fadt.address, find('APIC').address])
    expect([36, 40].map((at) => fadt.view.getUint32(at, true))).toEqual([facs.address, dsdt.address])
    for (const { signature, bytes } of tables) {
      if (signature === 'RSD PTR ' || signature === 'FACS') continue
      expect([sum(bytes), new DataView(bytes.buffer).getUint32(4, true)]).toEqual([0, bytes.length])
    }
    expect(facs.address % 64).toBe(0)
  })

  test('they lie where they are put, without touching each other', () => {
    const tables = acpiTables({ pci, rsdpAddress: 0xe0010, address: 0x7ff_0000, limit: 0x7ff_ffff, cpus: 8 })
    expect(tables[0]!.address).toBe(0xe0010)
    const sorted = tables.slice(1).toSorted((a, b) => a.address - b.address)
    for (const [i, { address, bytes }] of sorted.entries()) {
      expect(address).toBeGreaterThanOrEqual(0x7ff_0000)
      expect(address + bytes.length).toBeLessThanOrEqual(sorted[i + 1]?.address ?? 0x800_0000)
    }
    expect(() => acpiTables({ rsdpAddress: 0xf0004 })).toThrow('multiple of 16')
    expect(() => acpiTables({ pci, address: 0xf_ff00 })).toThrow('the ACPI tables do not fit')
  })

  test('the FADT names the fixed hardware of acpiPower()', () => {
    const { fadt } = byName(acpiTables())
    const { view } = fadt
    expect(fadt.bytes.length).toBe(244)
    expect([view.getUint16(46, true), view.getUint32(48, true), view.getUint8(52), view.getUint8(53)]).toEqual([
      9, 0xb2, 0xf1, 0xf0,
    ])
    expect([56, 64, 76].map((at) => view.getUint32(at, true))).toEqual([0x600, 0x604, 0x608])
    expect([view.getUint8(108), view.getUint16(109, true), view.getUint32(112, true)]).toEqual([0x32, 3, 0x465])
    expect([view.getUint8(116), Number(view.getBigUint64(120, true)), view.getUint8(128)]).toEqual([1, 0xcf9, 6])
    expect([Number(view.getBigUint64(152, true)), Number(view.getBigUint64(212, true))]).toEqual([0x600, 0x608])
    const without = byName(acpiTables({ resetPort: undefined })).fadt.view
    expect([without.getUint32(112, true), without.getUint8(116)]).toEqual([0x65, 0])
  })

  test('the MADT lists CPUs, the I/O APIC and what is wired otherwise', () => {
    const { bytes, view } = byName(acpiTables({ cpus: 2, sci: 10 })).find('APIC')
    expect([view.getUint32(36, true), view.getUint32(40, true)]).toEqual([0xfee0_0000, 1])
    const entries: number[][] = []
    for (let at = 44; at < bytes.length; at += bytes[at + 1]!)
      entries.push([...bytes.subarray(at, at + bytes[at + 1]!)])
    expect(entries).toEqual([
      [0, 8, 0, 0, 1, 0, 0, 0],
      [0, 8, 1, 1, 1, 0, 0, 0],
      [1, 12, 2, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0],
      [2, 10, 0, 0, 2, 0, 0, 0, 0, 0],
      [2, 10, 0, 10, 10, 0, 0, 0, 0x0d, 0],
      [4, 6, 0xff, 0, 0, 1],
    ])
    expect(acpiTables({ cpus: 0 }).map(({ signature }) => signature)).not.toContain('APIC')
  })

  test('the DSDT has soft-off, a serial port and the PCI root', () => {
    const body = (options: object) => text(byName(acpiTables(options)).dsdt.bytes, 36, 1e6)
    expect(body({})).toContain('COM1')
    expect(body({})).toContain('_S5_')
    expect(body({})).not.toContain('PCI0')
    expect(body({ pci })).toContain('PCI0')
    expect(body({ serialPorts: [] })).not.toContain('COM1')
  })
})

test('the PCI root says where each pin goes, for the 8259As and for the I/O APIC alike', () => {
  const { bytes } = byName(acpiTables({ pci })).dsdt
  const route = (device: number, pin: number) => {
    const key = [0x0c, 0xff, 0xff, device, 0x00, ...integer(pin), 0x00, 0x0a]
    const at = bytes.findIndex((_, i) => key.every((byte, j) => bytes[i + j] === byte))
    return bytes[at + key.length]
  }
  expect([0, 1, 2, 3].map((pin) => route(3, pin))).toEqual([10, 11, 10, 11])
  expect([1, 2, 31].map((device) => route(device, 0))).toEqual([10, 11, 10])
})

describe('the machine language', () => {
  test('names and paths', () => {
    expect(nameString('_S5')).toEqual([0x5f, 0x53, 0x35, 0x5f])
    expect(nameString('\\_SB')).toEqual([0x5c, 0x5f, 0x53, 0x42, 0x5f])
    expect(nameString('\\_SB.PCI0')).toEqual([0x5c, 0x2e, ...nameString('_SB'), ...nameString('PCI0')])
    expect(nameString('A.B.C').slice(0, 2)).toEqual([0x2f, 3])
  })

  test('numbers are as short as they can be', () => {
    expect([0, 1, 2, 0x100, 0x10000].map(integer)).toEqual([[0], [1], [0x0a, 2], [0x0b, 0, 1], [0x0c, 0, 0, 1, 0]])
  })

  test('packages have lengths of one to three bytes', () => {
    expect(name('_S5', packageOf(integer(0), integer(7)))).toEqual([8, 0x5f, 0x53, 0x35, 0x5f, 0x12, 5, 2, 0, 0x0a, 7])
    const long = scope('X', new Array<number>(100).fill(0xa3))
    expect([long.length, long[1], long[2]]).toEqual([1 + 106, 0x40 | (106 & 15), 106 >> 4])
    const longer = buffer(new Array<number>(5000).fill(0))
    expect([longer.length, longer[1]]).toEqual([1 + 5006, 0x80 | (5006 & 15)])
    expect((longer[1]! & 15) | (longer[2]! << 4) | (longer[3]! << 12)).toBe(5006)
  })

  test('EISA IDs', () => {
    expect(eisaId('PNP0A03')).toEqual([0x0c, 0x41, 0xd0, 0x0a, 0x03])
    expect(eisaId('PNP0501')).toEqual([0x0c, 0x41, 0xd0, 0x05, 0x01])
  })
})
