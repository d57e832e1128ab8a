/**
 * Instructions and sequences as the CPU of a host has executed them, on any engine, under the masks of `masks.ts`. How the
 * vectors were made: `vectors/host/README.md`.
 */
import { table } from '@vmexit/x86-decoder'
import { describe, expect, it } from 'vitest'
import type { EngineChoice } from '../../src/index.ts'
import { nameOf } from '../engine.ts'
import type { Step } from './code.ts'
import { coveredRows, formOf, formsOf, leftOut } from './forms.ts'
import { type Kind, type Replay, replay } from './replay.ts'

interface File {
  readonly kind: Kind
  readonly bits: 16 | 32 | 64
  readonly vectors: number
  /** Of how many vectors each rule masks something: a rule that becomes wider is noticed here. */
  readonly rules: Readonly<Record<string, number>>
}

// biome-ignore format: a table
const FILES: readonly File[] = [
  { kind: 'single', bits: 16, vectors: 6825, rules: {
    'undefined flags': 1527,
    'codes of x87 comparisons': 31,
    'x87 pointers in an environment': 10,
    'x87 pointers and MXCSR_MASK in an image': 5,
    'last bits of transcendental results': 40,
    'inexact F2XM1 and FYL2X': 10,
    'F2XM1 and FYL2XP1 out of range': 8,
    'approximate reciprocals': 40,
    'CVTPI2PS from memory': 5,
  } },
  { kind: 'single', bits: 32, vectors: 27_300, rules: {
    'undefined flags': 6083,
    'codes of x87 comparisons': 114,
    'x87 pointers in an environment': 40,
    'x87 pointers and MXCSR_MASK in an image': 20,
    'last bits of transcendental results': 160,
    'inexact F2XM1 and FYL2X': 40,
    'F2XM1 and FYL2XP1 out of range': 26,
    'FLD of an unmasked denormal': 1,
    'approximate reciprocals': 160,
    'CVTPI2PS from memory': 20,
  } },
  { kind: 'single', bits: 64, vectors: 31_480, rules: {
    'undefined flags': 8174,
    'codes of x87 comparisons': 115,
    'x87 pointers in an environment': 40,
    'x87 pointers and MXCSR_MASK in an image': 40,
    'last bits of transcendental results': 160,
    'inexact F2XM1 and FYL2X': 40,
    'F2XM1 and FYL2XP1 out of range': 20,
    'approximate reciprocals': 160,
    'CVTPI2PS from memory': 20,
    'upper half after BSF and BSR of 32 bits': 80,
    'upper half after CMPXCHG of 32 bits': 40,
  } },
  { kind: 'sequence', bits: 16, vectors: 4941, rules: { 'undefined flags': 1676, 'codes of x87 comparisons': 85 } },
  { kind: 'sequence', bits: 32, vectors: 25_679, rules: { 'undefined flags': 8830, 'codes of x87 comparisons': 343 } },
  { kind: 'sequence', bits: 64, vectors: 25_634, rules: { 'undefined flags': 9030, 'codes of x87 comparisons': 384 } },
]

const covered = { 16: new Map<string, number>(), 32: new Map<string, number>(), 64: new Map<string, number>() }

/** What of the vectors is replayed. */
export interface HostExtent {
  /** Of which code; of all unless stated. */
  readonly bits?: readonly number[]
  /** Of so many vectors, one. */
  readonly every?: number
  /** Is given what came of each file. */
  readonly check?: (result: Replay) => void
}

export function hostSuite(engine: EngineChoice, extent: HostExtent = {}): void {
  const { bits = [16, 32, 64], every = 1, check = () => {} } = extent
  describe(`host vectors on the ${nameOf(engine)}`, () => {
    it.each(FILES.filter((file) => bits.includes(file.bits)))('$kind, $bits bits', ({ kind, bits, vectors, rules }) => {
      const forms = covered[bits]
      const count = kind === 'single' && engine === 'reference'
      const each = (steps: readonly Step[]): void => {
        if (count) for (const { insn } of steps) forms.set(formOf(insn), (forms.get(formOf(insn)) ?? 0) + 1)
      }
      const result = replay(kind, bits, engine, each, every)
      expect(result.failures.slice(0, 5), `${result.failures.length} of ${result.vectors} fail`).toEqual([])
      expect(result.vectors).toBe(vectors)
      if (every === 1) expect(result.rules).toEqual(rules)
      check(result)
    })
  })
}

/** What the vectors are, and are not; to be told after the suite of the reference engine. */
export function hostCoverageSuite(): void {
  describe('host vectors', () => {
    it('are more than 100,000', () => {
      expect(FILES.reduce((sum, { vectors }) => sum + vectors, 0)).toBeGreaterThan(100_000)
    })

    it.each([16, 32, 64] as const)('cover every form of %i-bit code that is not left out', (bits) => {
      const expected = coveredRows(bits).flatMap((row) => [...formsOf(row, bits).keys()])
      const missing = expected.filter((form) => (covered[bits].get(form) ?? 0) < 4)
      expect(missing).toEqual([])
    })

    it('leave out only what user code cannot do by itself, and says why', () => {
      const reasons: Record<string, string[]> = {}
      for (const row of table) {
        const reason = leftOut(row)
        if (reason !== undefined) (reasons[reason] ??= []).push(row.mnemonic)
      }
      for (const [reason, mnemonics] of Object.entries(reasons)) reasons[reason] = [...new Set(mnemonics)].sort()
      expect(reasons).toMatchInlineSnapshot(`
      {
        "I/O: permission is the system's": [
          "IN",
          "INSB",
          "INSW/INSD/INSD",
          "OUT",
          "OUTSB",
          "OUTSW/OUTSD/OUTSD",
        ],
        "VMX": [
          "INVEPT",
          "INVVPID",
          "VMCALL",
          "VMCLEAR",
          "VMLAUNCH",
          "VMPTRLD",
          "VMPTRST",
          "VMREAD",
          "VMRESUME",
          "VMWRITE",
          "VMXOFF",
          "VMXON",
        ],
        "enters the system": [
          "SYSCALL",
          "SYSENTER",
        ],
        "hypervisors of recording hosts have another instruction pointer for it": [
          "INT1",
        ],
        "loads a segment register: descriptor tables are the system's": [
          "LDS",
          "LES",
          "LFS",
          "LGS",
          "LSS",
          "MOV",
          "POP",
        ],
        "privileged": [
          "CLI",
          "CLTS",
          "HLT",
          "INVD",
          "INVLPG",
          "LGDT",
          "LIDT",
          "LLDT",
          "LMSW",
          "LTR",
          "MOV",
          "RDMSR",
          "STI",
          "SWAPGS",
          "SYSEXIT",
          "SYSRET",
          "WBINVD",
          "WRMSR",
        ],
        "privileged unless the system allows it": [
          "RDPMC",
        ],
        "reads system tables, or transfers through them": [
          "CALL",
          "INT",
          "IRET/IRETD/IRETQ",
          "JMP",
          "LAR",
          "LSL",
          "RETF",
          "SGDT",
          "SIDT",
          "SLDT",
          "SMSW",
          "STR",
          "VERR",
          "VERW",
        ],
        "says which processor it is": [
          "CPUID",
        ],
        "system management": [
          "RSM",
        ],
        "time": [
          "RDTSC",
        ],
      }
    `)
    })
  })
}
