/** Where everything lies in the 1 MB of the random machines, and what their descriptor tables hold. */

/** Guest-physical addresses. Without paging, and in the first megabyte of paged machines, linear ones too. */
export const At = {
  vectors: 0,
  gdt: 0x1000,
  idt: 0x1800,
  tss: 0x2000,
  /** Page directory, or the four PAE pointers. */
  root: 0x3000,
  tables: 0x4000,
  /** PAE only: page tables of the first and second 2 MB. */
  paeTables: 0x5000,
  boot: 0x7c00,
  handlers: 0x8000,
  /** Top of the stack of CPL 0 where user code runs. */
  innerStack: 0xa000,
  code: 0x1_0000,
  /** Within 64 KB of the code, so that a based data segment reaches both. */
  data: 0x1_4000,
  stack: 0x3_0000,
  rom: 0xf_0000,
} as const
export const CODE_BYTES = 0x4000
/** Linear addresses from here on are other names of the code and data pages, in random order. */
export const ALIASES = 0x10_0000
export const ALIAS_PAGES = 0x40
/** Linear address of a large page over all of physical memory. */
export const LARGE = 0x40_0000

/** Selectors, of the segments that `descriptors` makes. */
export const Sel = {
  code0: 0x08,
  data0: 0x10,
  code: 0x18,
  data: 0x20,
  stack: 0x28,
  tss: 0x30,
  absent: 0x38,
  small: 0x40,
} as const

/** How a machine runs its code. */
export interface Kind {
  readonly name: string
  readonly mode: 'real' | 'protected' | 'v86'
  readonly bits: 16 | 32
  readonly cpl: 0 | 3
  /** Segments have bases and limits; else they begin at 0 and span all. */
  readonly based: boolean
  readonly paging: 'none' | '32-bit' | 'PAE'
}

const protectedKind = (bits: 16 | 32, cpl: 0 | 3, based: boolean, paging: Kind['paging']): Kind => ({
  name: `${bits}-bit, CPL ${cpl}, ${based ? 'based' : 'flat'}, paging ${paging}`,
  mode: 'protected',
  bits,
  cpl,
  based,
  paging,
})

/** Every kind of machine. */
export const KINDS: readonly Kind[] = [
  { name: 'real mode', mode: 'real', bits: 16, cpl: 0, based: true, paging: 'none' },
  protectedKind(16, 0, true, 'none'),
  protectedKind(16, 3, true, 'none'),
  protectedKind(32, 0, false, 'none'),
  protectedKind(32, 3, false, 'none'),
  protectedKind(32, 0, true, 'none'),
  protectedKind(32, 3, true, '32-bit'),
  protectedKind(32, 0, false, '32-bit'),
  protectedKind(32, 3, false, '32-bit'),
  protectedKind(32, 0, false, 'PAE'),
  protectedKind(32, 3, false, 'PAE'),
  { name: 'virtual-8086 mode', mode: 'v86', bits: 16, cpl: 3, based: true, paging: '32-bit' },
]

/** The segments of a machine as its code sees them: offsets at which code, data and stack begin, and selectors. */
export interface Segments {
  readonly code: number
  readonly data: number
  readonly stack: number
  readonly codeSelector: number
  readonly dataSelector: number
  readonly stackSelector: number
}

export function segmentsOf(kind: Kind): Segments {
  const { cpl } = kind
  const selectors = { codeSelector: Sel.code | cpl, dataSelector: Sel.data | cpl, stackSelector: Sel.stack | cpl }
  if (!kind.based) return { code: At.code, data: At.data, stack: At.stack, ...selectors }
  const offsets = { code: 0, data: At.data - At.code, stack: 0 }
  if (kind.mode === 'protected') return { ...offsets, ...selectors }
  return { ...offsets, codeSelector: At.code >> 4, dataSelector: At.code >> 4, stackSelector: At.stack >> 4 }
}
