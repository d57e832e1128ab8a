/**
 * Table formats, as the manuals' tables give them: Intel SDM Vol. 3A, 4.3 (32-bit), 4.4 (PAE), 4.5 (4-level); Vol. 3C,
 * 30.3 (EPT); Intel VT-d, 9.8 (second-level entries).
 *
 * Levels count from 1, the table whose entries map 4 KiB pages.
 */
import type { WalkControls } from './controls.ts'

/** Bits of an entry that must be 0, low and high half. */
export interface ReservedBits {
  readonly low: number
  readonly high: number
}

/** What distinguishes one kind of table from another. */
export interface TableFormat {
  readonly name: '32-bit' | 'PAE' | '4-level' | 'EPT' | 'IOMMU'
  /** Whose rules of presence, permission and fault hold. */
  readonly rules: 'linear' | 'ept' | 'iommu'
  readonly entryBytes: 4 | 8
  /** Width of the table index by level, lowest first. */
  readonly indexBits: readonly number[]
  /** Low 32 bits of the root that are part of its address. */
  readonly rootMask: number
  /** An entry with none of these bits is not present. */
  readonly presentMask: number
  /** Low bits that grant nothing by their absence, by level, lowest first. */
  readonly ungranting: readonly number[]
  /** Accessed and dirty flags; `accessed` by level, lowest first. */
  readonly accessed: (controls: WalkControls) => readonly number[]
  readonly dirty: (controls: WalkControls) => number
  /** May bit 7 of an entry of `level` make it map a large page? */
  readonly large: (level: number, controls: WalkControls) => boolean
  /** Reserved bits of an entry of `level`; `large` if it maps a large page. */
  readonly reserved: (level: number, large: boolean, controls: WalkControls) => ReservedBits
}

/** Mask with bits `high` to `low` set. */
function bits(high: number, low: number): number {
  return high < low ? 0 : (0xffff_ffff >>> (31 - high + low)) << low
}

/** High-half mask of bits `top` (of 63) down to MAXPHYADDR. */
function above(controls: WalkControls, top: number): number {
  return bits(top - 32, controls.maxPhysicalAddress - 32)
}

const BIT_PS = 1 << 7
const BIT_PAT_LARGE = 1 << 12
const HIGH_BIT_XD = 1 << 31

/** Table 4-4 to 4-6 and the list in 4.3. */
export const FORMAT_32BIT: TableFormat = {
  name: '32-bit',
  rules: 'linear',
  entryBytes: 4,
  indexBits: [10, 10],
  rootMask: bits(31, 12),
  presentMask: 1,
  ungranting: [0, 0],
  accessed: () => [1 << 5, 1 << 5],
  dirty: () => 1 << 6,
  large: (level, controls) => level === 2 && controls.pse,
  reserved: (level, large, controls) => {
    if (level === 1) return { low: controls.pat ? 0 : BIT_PS, high: 0 }
    if (!large) return { low: 0, high: 0 }
    const width = controls.pse36 ? Math.min(40, controls.maxPhysicalAddress) : 32
    return { low: bits(21, width - 19) | (controls.pat ? 0 : BIT_PAT_LARGE), high: 0 }
  },
}

/**
 * Tables 4-8 to 4-11. As a table in memory the page-directory-pointer table is a third level without permissions; a CPU
 * loads it into four registers with CR3 instead (`pdpte.ts`).
 */
export const FORMAT_PAE: TableFormat = {
  name: 'PAE',
  rules: 'linear',
  entryBytes: 8,
  indexBits: [9, 9, 2],
  rootMask: bits(31, 5),
  presentMask: 1,
  ungranting: [0, 0, 6],
  accessed: () => [1 << 5, 1 << 5, 0],
  dirty: () => 1 << 6,
  large: (level) => level === 2,
  reserved: (level, large, controls) => {
    if (level === 3) return pdpteReserved(controls)
    const high = above(controls, 62) | (controls.nx ? 0 : HIGH_BIT_XD)
    if (level === 1) return { low: controls.pat ? 0 : BIT_PS, high }
    return { low: large ? bits(20, 13) | (controls.pat ? 0 : BIT_PAT_LARGE) : 0, high }
  },
}

/** Reserved bits of a PAE page-directory-pointer entry (Table 4-8). */
export function pdpteReserved(controls: WalkControls): ReservedBits {
  return { low: bits(2, 1) | bits(8, 5), high: above(controls, 63) }
}

/** Tables 4-15 to 4-20. */
export const FORMAT_4LEVEL: TableFormat = {
  name: '4-level',
  rules: 'linear',
  entryBytes: 8,
  indexBits: [9, 9, 9, 9],
  rootMask: bits(31, 12),
  presentMask: 1,
  ungranting: [0, 0, 0, 0],
  accessed: () => [1 << 5, 1 << 5, 1 << 5, 1 << 5],
  dirty: () => 1 << 6,
  large: (level, controls) => level === 2 || (level === 3 && controls.pages1G),
  reserved: (level, large, controls) => {
    const high = above(controls, 51) | (controls.nx ? 0 : HIGH_BIT_XD)
    if (level === 1) return { low: controls.pat ? 0 : BIT_PS, high }
    if (!large) return { low: BIT_PS, high }
    return { low: bits(level === 2 ? 20 : 29, 13) | (controls.pat ? 0 : BIT_PAT_LARGE), high }
  },
}

/** Tables 30-1 to 30-6 (bits 2:0 read, write, execute; leaf bits 5:3 memory type, 6 ignore PAT). */
export const FORMAT_EPT: TableFormat = {
  name: 'EPT',
  rules: 'ept',
  entryBytes: 8,
  indexBits: [9, 9, 9, 9],
  rootMask: bits(31, 12),
  presentMask: 7,
  ungranting: [0, 0, 0, 0],
  accessed: (controls) => [0, 0, 0, 0].fill(controls.accessedDirty ? 1 << 8 : 0),
  dirty: (controls) => (controls.accessedDirty ? 1 << 9 : 0),
  large: (level, controls) => level === 2 || (level === 3 && controls.pages1G),
  reserved: (level, large, controls) => {
    const high = above(controls, 51)
    if (level === 1) return { low: 0, high }
    return { low: large ? bits(level === 2 ? 20 : 29, 12) : bits(7, 3), high }
  },
}

/**
 * VT-d second-level entries (bit 0 read, bit 1 write; bit 7 large page; bit 62, transient mapping, reserved: there is no
 * device TLB).
 */
export const FORMAT_IOMMU: TableFormat = {
  name: 'IOMMU',
  rules: 'iommu',
  entryBytes: 8,
  indexBits: [9, 9, 9, 9],
  rootMask: bits(31, 12),
  presentMask: 3,
  ungranting: [0, 0, 0, 0],
  accessed: (controls) => [0, 0, 0, 0].fill(controls.accessedDirty ? 1 << 8 : 0),
  dirty: (controls) => (controls.accessedDirty ? 1 << 9 : 0),
  large: (level, controls) => level === 2 || (level === 3 && controls.pages1G),
  reserved: (level, large, controls) => {
    const high = above(controls, 51) | (1 << 30)
    if (level === 1) return { low: 0, high }
    return { low: large ? bits(level === 2 ? 20 : 29, 12) : BIT_PS | (1 << 11), high }
  },
}
