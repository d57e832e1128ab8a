/** What the interpreter keeps in host memory: tables behind the CPU's state, and records of decoded instructions. */
import { Layout } from '../state/layout.ts'

/** Entries of each table; powers of two. */
export const TLB_ENTRIES = 4096
/** (With 1,024 parts of a kernel that lie 4 MB apart got in each other's way: eight times in each switch between processes.) */
export const CODE_TLB_ENTRIES = 4096
/**
 * By the low bits of an instruction pointer and of its upper half together. (Returns that share a slot leave each time: by
 * the low 16 bits alone one instruction in 2,000 of a kernel that maps pages did, and one in 4,000 in fork and exec.)
 */
export const JUMP_ENTRIES = 262_144

/** log2 of an entry's size in the TLBs. */
export const TLB_ENTRY_SHIFT = 4
const TLB_BYTES = TLB_ENTRIES << TLB_ENTRY_SHIFT

/**
 * Offsets from the CPU's base. A TLB entry is { tag: 8 bytes, linear page | key; addend: host address − linear address };
 * of the code TLB { tag, physical page number, version of the code in it }. A tag of 0 never matches, for a key is never 0.
 */
export const Tables: {
  readonly read: number
  readonly write: number
  readonly code: number
  readonly jump: number
  readonly size: number
} = {
  read: Layout.size,
  write: Layout.size + TLB_BYTES,
  code: Layout.size + 2 * TLB_BYTES,
  /** Record addresses (int32) by instruction pointer: see {@link JUMP_ENTRIES}. */
  jump: Layout.size + 2 * TLB_BYTES + (CODE_TLB_ENTRIES << TLB_ENTRY_SHIFT),
  size: Layout.size + 2 * TLB_BYTES + (CODE_TLB_ENTRIES << TLB_ENTRY_SHIFT) + JUMP_ENTRIES * 4,
}
/** Added to the bytes of an access that the system makes, whatever the level, where the modelled TLB holds the page: else there is none. */
export const HELD = 0x100
/** Low bits of every valid tag: as `Layout.tlbKey` has them for the privilege level that there is. */
export const TlbKey = { system: 1, user: 0xfff } as const
/** Of an entry's second word. */
export const TLB_ADDEND = 8
/** Of an entry of the code TLB: see `Records.versionOf`. */
export const TLB_VERSION = 12

/** A record: one decoded instruction. Offsets in bytes; `ip`, `next`, `imm` and `disp` are as wide as addresses. */
export interface RecordLayout {
  /** Handler index. */
  readonly handler: number
  /** Instructions from this one to the end of its straight run, itself included: what entering here costs. 0 for records that are no instruction. */
  readonly length: number
  readonly ip: number
  readonly next: number
  /** Immediate operand. In records with the handler `act`: number of the action. */
  readonly imm: number
  /** Displacement. In records that are no instruction: the record of the branch that leads here, or 0. */
  readonly disp: number
  /** Record to continue at when a branch is taken. */
  readonly target: number
  /** Host address of the register of operand 0, 1, 2. */
  readonly register: readonly [number, number, number]
  /**
   * Host address of base and index register, or of a zero. In records that are no instruction `base` is 1 when the code
   * lies in another linear page, `index` what kind of place it is (`Enters`).
   */
  readonly base: number
  readonly index: number
  /** Physical page number of the code. */
  readonly page: number
  /** Mode it was decoded for. */
  readonly mode: number
  readonly size: number
}

export const Record32: RecordLayout = {
  handler: 0,
  length: 4,
  ip: 8,
  next: 12,
  imm: 16,
  disp: 20,
  target: 24,
  register: [28, 32, 36],
  base: 40,
  index: 44,
  page: 48,
  mode: 52,
  size: 64,
}
export const Record64: RecordLayout = {
  handler: 0,
  length: 4,
  ip: 8,
  next: 16,
  imm: 24,
  disp: 32,
  target: 40,
  register: [44, 48, 52],
  base: 56,
  index: 60,
  page: 64,
  mode: 68,
  size: 80,
}

/** Handlers that are no instruction. */
export const Handler = {
  /** Nothing is translated here, or no longer: leave, `ip` from the record. Zero is what REP looks for behind a store. */
  miss: 0,
  /** Continue at `target`. */
  link: 1,
  /** Continue at `target` in another page, if the code TLB still maps `ip` to the page of `target`. */
  cross: 2,
  /** Leave; the instruction is executed the slow way. */
  slow: 3,
  /** The budget ends here, in the middle of a run: leave. Put in the place of another handler for that time. */
  stop: 4,
  /** The instruction at `ip` goes on in the next page: continue at `target` if the code TLB maps that page to the page of `target`. */
  straddle: 5,
  /** A head: count down `disp`, leave as hot when it comes to 0, else continue at `target`. */
  count: 6,
  /** A head: what begins here is translated; run function `imm` of the table of translations. */
  enter: 7,
  /** The instruction is executed by its action in TypeScript, called from here. */
  act: 8,
  /** The frequent ones of those, in 32-bit code: see `frequent.ts`. */
  cli: 9,
  sti: 10,
  pushf: 11,
  popf: 12,
  rdtsc: 13,
  pushSegment: 14,
  popSegment: 15,
  fromSegment: 16,
  toSegment: 17,
  sysenter: 18,
  sysexit: 19,
  int: 20,
  iret: 21,
  fromControl: 22,
  loadSegment: 23,
  first: 24,
} as const
