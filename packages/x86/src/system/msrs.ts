/** Model-specific registers of the P6 family and the Pentium (SDM vol. 4, tables 2-2 and 2-20 ff.; vol. 3A, 11.11 and 11.12). */
import { Layout } from '../state/layout.ts'
import { Debugctl, Efer } from './bits.ts'
import type { Core } from './core.ts'

/** One register. Its value is in `core.msrs.other` once it differs from `initial`, unless `read` says otherwise. */
export interface MsrRow {
  readonly initial: bigint
  read?(core: Core): bigint
  /** What is stored for `value`; undefined for #GP(0). Absent: read-only. */
  write?(value: bigint, core: Core): bigint | undefined
}
export type MsrTable = ReadonlyMap<number, MsrRow>

const NXE = BigInt(Efer.NXE)
const LOW32 = 0xffff_ffffn

/** Any value of 64 bits. */
const plain: MsrRow = { initial: 0n, write: (value) => value }
const ignored: MsrRow = { initial: 0n, write: () => 0n }
const zero: MsrRow = { initial: 0n }

/** Bits outside of `mask` raise #GP(0). */
function masked(initial: bigint, mask: bigint): MsrRow {
  return { initial, write: (value) => ((value & ~mask) === 0n ? value : undefined) }
}

/** The counter itself; a write reaches the low half and clears the upper (SDM vol. 3B, 17.17.3). */
const timeStamp: MsrRow = {
  initial: 0n,
  read: (core) => BigInt.asUintN(64, core.timeStamp() + core.msrs.tscOffset),
  write: (value, core) => {
    core.msrs.tscOffset = (value & LOW32) - core.timeStamp()
    return 0n
  },
}

function sysenter(field: 'sysenterCs' | 'sysenterEsp' | 'sysenterEip'): MsrRow {
  return {
    initial: 0n,
    read: (core) => BigInt(core.msrs[field] >>> 0),
    write: (value, core) => {
      core.msrs[field] = Number(value & LOW32)
      return 0n
    },
  }
}

const MEMORY_TYPES: readonly number[] = [0, 1, 4, 5, 6]
const PAT_TYPES: readonly number[] = [...MEMORY_TYPES, 7]

/** Eight memory types, a byte each. */
function typeBytes(initial: bigint, types: readonly number[]): MsrRow {
  const bytes = [0n, 8n, 16n, 24n, 32n, 40n, 48n, 56n]
  return {
    initial,
    write: (value) => (bytes.every((at) => types.includes(Number((value >> at) & 0xffn))) ? value : undefined),
  }
}

/** MTRRs: eight variable ranges, the fixed ranges, write-combining. They order nothing here; software finds what it wrote. */
function mtrrs(physicalBits: number): [number, MsrRow][] {
  const pages = (1n << BigInt(physicalBits)) - 0x1000n
  const base: MsrRow = {
    initial: 0n,
    write: (value) =>
      (value & ~(pages | 0xffn)) === 0n && MEMORY_TYPES.includes(Number(value & 0xffn)) ? value : undefined,
  }
  const defaultType: MsrRow = {
    initial: 0n,
    write: (value) => ((value & ~0xcffn) === 0n && MEMORY_TYPES.includes(Number(value & 0xffn)) ? value : undefined),
  }
  const fixed = [0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f]
  return [
    [0xfe, { initial: 0x508n }],
    ...Array.from({ length: 8 }, (_, n): [number, MsrRow] => [0x200 + 2 * n, base]),
    ...Array.from({ length: 8 }, (_, n): [number, MsrRow] => [0x201 + 2 * n, masked(0n, pages | 0x800n)]),
    ...fixed.map((msr): [number, MsrRow] => [msr, typeBytes(0n, MEMORY_TYPES)]),
    [0x2ff, defaultType],
  ]
}

/** Machine check: five banks that never report. */
function machineCheck(): [number, MsrRow][] {
  const banks = Array.from({ length: 5 }, (_, n): [number, MsrRow][] => [
    [0x400 + 4 * n, plain],
    [0x401 + 4 * n, masked(0n, 0n)],
    [0x402 + 4 * n, masked(0n, 0n)],
    [0x403 + 4 * n, masked(0n, 0n)],
  ])
  return [[0x179, { initial: 5n }], [0x17a, masked(0n, 7n)], ...banks.flat()]
}

/** EFER: what it may hold follows from the model's features. */
const efer: MsrRow = {
  initial: 0n,
  read: (core) => BigInt(core.state.get32(Layout.efer)),
  write: (value, core) => {
    if ((value & ~NXE) !== 0n) return undefined
    const before = core.state.getNumber(Layout.efer)
    core.state.setNumber(Layout.efer, Number(value))
    core.paging.controlsChanged('efer', before)
    return 0n
  },
}

/** APIC_BASE: the enable bit and the address; the bootstrap bit stays. */
function apicBase(bootstrap: boolean, physicalBits: number): MsrRow {
  const initial = 0xfee0_0800n | (bootstrap ? 0x100n : 0n)
  const writable = ((1n << BigInt(physicalBits)) - 0x1000n) | 0x800n
  return {
    initial,
    write: (value) => ((value & ~(writable | 0x100n)) === 0n ? (value & writable) | (initial & 0x100n) : undefined),
  }
}

/** MISC_ENABLE bit 34: no execute-disable in CPUID and EFER. */
export const XD_DISABLE: bigint = 1n << 34n
/** MISC_ENABLE: fast strings; branch trace and PEBS are not there. */
const miscEnable: MsrRow = { initial: 0x1801n, write: (value) => (value & (XD_DISABLE | 1n)) | 0x1800n }

export const MSR = { apicBase: 0x1b, miscEnable: 0x1a0 } as const

interface P6Msrs {
  readonly physicalBits: number
  readonly bootstrap: boolean
  readonly apic: boolean
  readonly mtrr: boolean
  readonly pat: boolean
  readonly sep: boolean
  readonly nx: boolean
  readonly mca: boolean
  readonly microcode: number
}

/** What a P6-family processor has. Counters and branch records are there and stay 0. */
export function p6Msrs(has: P6Msrs): MsrTable {
  return new Map<number, MsrRow>([
    [0x10, timeStamp],
    [0x17, zero],
    [0x2a, plain],
    [0x79, ignored],
    [0x8b, { initial: BigInt(has.microcode) << 32n, write: () => BigInt(has.microcode) << 32n }],
    [0xc1, ignored],
    [0xc2, ignored],
    [0x119, plain],
    [0x186, ignored],
    [0x187, ignored],
    [MSR.miscEnable, miscEnable],
    [0x1d9, masked(0n, BigInt(Debugctl.mask))],
    ...[0x1db, 0x1dc, 0x1dd, 0x1de].map((msr): [number, MsrRow] => [msr, zero]),
    ...(has.apic ? [[MSR.apicBase, apicBase(has.bootstrap, has.physicalBits)] as const] : []),
    ...(has.mtrr ? mtrrs(has.physicalBits) : []),
    ...(has.pat ? [[0x277, typeBytes(0x0007_0406_0007_0406n, PAT_TYPES)] as const] : []),
    ...(has.mca ? machineCheck() : []),
    ...(has.nx ? [[0xc000_0080, efer] as const] : []),
    ...(has.sep
      ? ([
          [0x174, sysenter('sysenterCs')],
          [0x175, sysenter('sysenterEsp')],
          [0x176, sysenter('sysenterEip')],
        ] as const)
      : []),
  ])
}

/** Machine-check address and type, time stamp, counters (Pentium Processor Family Developer's Manual, vol. 3, chapter 16). */
export const pentiumMsrs: MsrTable = new Map<number, MsrRow>([
  [0x00, zero],
  [0x01, zero],
  [0x0e, ignored],
  [0x10, timeStamp],
  [0x11, ignored],
  [0x12, ignored],
  [0x13, ignored],
])

/** RDMSR by table: undefined for #GP(0). */
export function readMsr(table: MsrTable, core: Core, msr: number): bigint | undefined {
  const row = table.get(msr)
  return row && (row.read ? row.read(core) : (core.msrs.other.get(msr) ?? row.initial))
}

/** WRMSR by table: false for #GP(0). */
export function writeMsr(table: MsrTable, core: Core, msr: number, value: bigint): boolean {
  const row = table.get(msr)
  const stored = row?.write?.(value, core)
  if (row === undefined || stored === undefined) return false
  if (!row.read) core.msrs.other.set(msr, stored)
  if (msr === MSR.apicBase) core.events.apicEnabled((stored & 0x800n) !== 0n)
  return true
}
