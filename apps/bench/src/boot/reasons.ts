/** Why a row is lost to QEMU's translator, and what would close it: prose, by the row's name. */
import { MEAN } from './bars.ts'
import type { BootResults } from './results.ts'

interface Reason {
  readonly why: string
  readonly close: string
}

/** What several rows have in common, each with what would change it. */
const COLD: Reason = {
  why: 'much code runs a few times: TCG writes host code in one pass as it reads the guest’s, while WebAssembly is validated and compiled by V8 after vmexit has generated it, so code is interpreted until that pays',
  close:
    'a cheaper way into V8 (fewer and larger modules, compiled while the guest runs on) and an earlier choice of what is hot',
}
const MEMORY_ACCESS: Reason = {
  why: 'each access to memory looks up the TLB in linear memory and adds the sandbox’s own address to that of the guest; TCG has the TLB’s address in a register and compares in three instructions',
  close:
    'looking a page up once for neighbouring accesses of a block, and addressing memory without the TLB where the page is known',
}
const REGISTERS: Reason = {
  why: 'guest registers and flags go back to memory at each exit of a translated region, and V8 assigns host registers anew in each; TCG keeps them in fixed places and chains blocks by a jump',
  close:
    'larger regions that follow loops and calls, with registers in locals throughout, and flags computed where they are read',
}
const KERNEL_ENTRY: Reason = {
  why: 'entries into the kernel and returns from it change privilege, segments and stack, and leave generated code; TCG calls one helper of native code for each and looks the next block up by hash',
  close:
    'the usual cases of SYSENTER, INT and IRET within generated code, and a way from block to block that survives a change of mode',
}
const PAGE_FAULTS: Reason = {
  why: 'each page fault leaves generated code by an exception, walks the tables, and delivers through gates in the engine; TCG does the same in native code with a long jump',
  close: 'faults that leave generated code by a returned value, and a walk of tables that is generated too',
}
const SWITCHES: Reason = {
  why: 'each new address space loads CR3: the TLB is emptied and fills again, page by page, and jumps between pages are proved anew; TCG pays the same in native code',
  close:
    'a TLB whose entries outlive a change of CR3, as entries tagged with the address space would, and chains keyed by physical page',
}

/** By the name of the row. */
export const REASONS: Readonly<Record<string, Reason>> = {
  'boot to /init': COLD,
  '… decompressing the kernel': {
    why: `one loop of byte loads, shifts and unpredictable branches, with all registers of the guest in use: ${MEMORY_ACCESS.why}`,
    close: MEMORY_ACCESS.close,
  },
  'kernel to /init, notests': COLD,
  zeros: {
    why: 'the kernel clears and copies pages with REP STOS and REP MOVS, each of which begins with a check of both ends and ends in an exit from generated code; TCG loops over host stores within a block',
    close: 'memory.fill and memory.copy within generated code, a page at a time',
  },
  sha256: REGISTERS,
  text: REGISTERS,
  gzip: MEMORY_ACCESS,
  gunzip: MEMORY_ACCESS,
  sort: {
    why: `comparing strings through pointers, in memory that fills the TLB: ${MEMORY_ACCESS.why}`,
    close: MEMORY_ACCESS.close,
  },
  shloop: {
    why: 'the shell calls through tables and returns all the time: an indirect jump is looked up in a table in linear memory and called by call_indirect, with its check of type; TCG’s is a jump to a host address',
    close: 'a guess of the target at each indirect jump, and a stack of return addresses beside the guest’s',
  },
  forkexec: SWITCHES,
  ddbyte: KERNEL_ENTRY,
  find: KERNEL_ENTRY,
  sieve: REGISTERS,
  intmix: {
    why: 'multiplications and divisions of 64 bits, double shifts and ADC: WebAssembly has no flags and no 128-bit product, so each takes several instructions; TCG has add with carry and wide multiplication',
    close:
      'patterns for the usual pairs (ADD and ADC, MUL and SHRD), and WebAssembly’s wide arithmetic once it is everywhere',
  },
  matx87: {
    why: 'numbers of the x87 have 80 bits, which WebAssembly does not have: both compute them in software, QEMU in native code with a host that adds 64 bits with carry',
    close: 'f64 wherever precision control and the operands say that the result is the same to the last bit',
  },
  matsse: {
    why: 'WebAssembly does not tell the flags of an operation, so the exponents of operands and result are looked at each time, or that it was exact; QEMU does so in native code, within a helper',
    close: 'one look for all operations of a block, with the block done again the exact way where it finds anything',
  },
  syscalls: KERNEL_ENTRY,
  pingpong: SWITCHES,
  mapfault: PAGE_FAULTS,
  copy: {
    why: 'REP MOVS is copied a page at a time after the TLB has been asked for both ends, and the call costs as much as a short copy',
    close: 'short copies within generated code',
  },
  forks: SWITCHES,
  codegen: {
    why: 'the guest writes code, runs it a few times and writes it again: what was made of that page is compared with its bytes, or it is executed step by step, while TCG’s one pass makes it anew',
    close: 'records that are put to sleep a page at a time, by a look at its version where code enters it',
  },
  'peak MiB, boot': {
    why: 'Node and V8 take some 45 MiB before the first line of a program, WebAssembly is kept as bytes, as baseline code and as optimised code; QEMU has one buffer of host code and no runtime below it',
    close:
      'one tier for code that is only warm, and generated modules that are let go with the code that they came from',
  },
  'peak MiB, workloads': {
    why: 'the same as of the boot, and the code of all workloads: QEMU empties its buffer when it is full',
    close: 'a limit on generated code, beyond which what was not run lately goes',
  },
}

/** A row that takes vmexit longer, or more memory, than QEMU. */
export interface Lost {
  readonly row: string
  readonly ratio: number
}

/** Rows lost to QEMU; none where it took no part. */
export function lost({ comparisons }: BootResults): readonly Lost[] {
  const against = comparisons.find(({ theirs }) => theirs === 'qemu-tcg')
  return Object.entries(against?.ratios ?? {})
    .map(([row, { median }]) => ({ row, ratio: median }))
    .filter(({ ratio }) => ratio > 1)
}

/** A line of a list in Markdown. */
export function reasonLine({ row, ratio }: Lost): string {
  const reason = REASONS[row]
  if (reason === undefined) return `- **${row}**, ${ratio.toFixed(2)}: nobody has said why.`
  return `- **${row}**, ${ratio.toFixed(2)}: ${reason.why}. What would close it: ${reason.close}.`
}

/** The rows that a written page shows as lost; the mean is what the others make it. */
export function lostRowsOf(page: string): readonly string[] {
  const rows = [...page.matchAll(/^\| ([^|]+) \| [^|]+ \| lost \|$/gm)].map(([, row]) => row!)
  return rows.filter((row) => row !== MEAN)
}
