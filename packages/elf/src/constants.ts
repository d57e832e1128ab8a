/** Numbers of the format that programs ask for by name (System V ABI, generic 4.1, chapters 4 and 5; processor supplements). */

/** `e_type`: what kind of file. */
export const FileType = { none: 0, relocatable: 1, executable: 2, shared: 3, core: 4 } as const

/** `e_machine`: whose instructions. A choice; any number is a machine. */
export const MachineType = {
  none: 0,
  sparc: 2,
  i386: 3,
  m68k: 4,
  mips: 8,
  powerpc: 20,
  powerpc64: 21,
  s390: 22,
  arm: 40,
  sparcV9: 43,
  ia64: 50,
  x86_64: 62,
  aarch64: 183,
  riscv: 243,
  loongarch: 258,
} as const

/** `p_type`: what a segment is for. */
export const SegmentType = {
  none: 0,
  load: 1,
  dynamic: 2,
  interpreter: 3,
  note: 4,
  programHeaders: 6,
  tls: 7,
  gnuStack: 0x6474_e551,
  gnuRelro: 0x6474_e552,
  gnuProperty: 0x6474_e553,
} as const

/** Bits of `p_flags`. */
export const SegmentFlag = { execute: 1, write: 2, read: 4 } as const

/** `sh_type`: what a section holds. */
export const SectionType = {
  none: 0,
  contents: 1,
  symbols: 2,
  strings: 3,
  relocationsWithAddends: 4,
  hash: 5,
  dynamic: 6,
  note: 7,
  noBits: 8,
  relocations: 9,
  dynamicSymbols: 11,
  sectionNumbers: 18,
} as const

/** Bits of `sh_flags`. */
export const SectionFlag = { write: 1, allocate: 2, execute: 4, tls: 0x400, compressed: 0x800 } as const

/** `d_tag` of dynamic entries: a choice. */
export const DynamicTag = {
  end: 0,
  needed: 1,
  stringTable: 5,
  symbolTable: 6,
  stringTableSize: 10,
  init: 12,
  fini: 13,
  soname: 14,
  runPath: 29,
  flags: 30,
} as const

const MACHINES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(MachineType).map(([name, value]) => [value, name]),
)

/** A machine for people: `i386`, or `machine 0x1234`. */
export function machineName(machine: number): string {
  return MACHINES[machine] ?? `machine 0x${machine.toString(16)}`
}
