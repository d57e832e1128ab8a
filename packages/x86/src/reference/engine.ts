/** The reference engine: fetch, decode, execute, one instruction at a time, in plain TypeScript. */
import { type Decoder, type Insn, Kind, type Row } from '@vmexit/x86-decoder'
import { actions } from '../actions.ts'
import type { PhysicalMemory, Translator } from '../memory/linear.ts'
import { semantics } from '../semantics/index.ts'
import type { Semantics } from '../semantics/processor.ts'
import { Vector } from '../state/layout.ts'
import type { Action, Core } from '../system/core.ts'
import { Fault, LeftGuest, raise } from '../system/fault.ts'
import { CodeFetch } from './fetch.ts'
import { ReferenceProcessor } from './processor.ts'

/** What is to be done for one row of the instruction table: an action where there is one, else semantics. */
export interface Meaning {
  action: Action | undefined
  readonly semantics: Semantics | undefined
}

/** Operations that go by another name with a segment, control or debug register. */
const BY_REGISTER_FILE: Partial<Record<number, string>> = {
  [Kind.seg]: 'mov_seg',
  [Kind.cr]: 'mov_cr',
  [Kind.dr]: 'mov_dr',
}

/** The name of an instruction's operation among semantics and actions. */
function operationOf(insn: Insn): string {
  if (insn.op !== 'mov') return insn.op
  for (const operand of insn.operands) {
    const name = BY_REGISTER_FILE[operand.kind]
    if (name) return name
  }
  return 'mov'
}

/** Is the instruction executed by plain TypeScript in every engine? */
export function isAction(insn: Insn): boolean {
  const name = operationOf(insn)
  return actions[name] !== undefined || semantics[name] === undefined
}

/** Has an operation of the instruction table a meaning? */
export function hasMeaning(op: string): boolean {
  return actions[op] !== undefined || semantics[op] !== undefined
}

export class ReferenceEngine {
  readonly #core: Core
  readonly #processor: ReferenceProcessor
  readonly #meanings = new Map<Row, Meaning>()
  /** Checked before each instruction: raises #GP(0) where the CPU's `sensitiveTraps` option says so. */
  readonly #sensitive: ((core: Core, insn: Insn) => void) | undefined
  readonly fetch: CodeFetch

  constructor(
    core: Core,
    paging: Translator,
    memory: PhysicalMemory,
    decoder: Decoder,
    sensitive?: (core: Core, insn: Insn) => void,
  ) {
    this.#core = core
    this.#processor = new ReferenceProcessor(core)
    this.#sensitive = sensitive
    this.fetch = new CodeFetch(core.state, paging, memory, decoder)
  }

  /**
   * Execute one instruction (of a REP, one iteration). False if it has left a guest instead, and is not retired. @throws Fault with `ip` at the instruction and all
   * that the instruction would have changed unchanged, unless the fault is `committed`.
   */
  step(): boolean {
    const start = this.#core.state.ip
    return this.perform(this.fetch.fetch(start), start)
  }

  /** The same for an instruction at `start` that was fetched and decoded before. */
  perform(insn: Insn, start: number): boolean {
    const { state, vmx } = this.#core
    // Whoever it has left to may have done it, and be in the guest again.
    if (vmx?.nonRoot && vmx.interceptInstruction(insn, start)) return vmx.nonRoot
    const next = this.#advance(start, insn)
    state.ip = next
    try {
      if (this.#sensitive) this.#sensitive(this.#core, insn)
      const meaning = this.#meanings.get(insn.row) ?? this.#resolve(insn)
      if (meaning.action) meaning.action(this.#core, insn)
      else {
        this.#processor.begin(insn, start, next)
        meaning.semantics!(this.#processor, insn)
      }
      return true
    } catch (error) {
      if (error instanceof LeftGuest) return false
      if (error instanceof Fault && !error.committed) state.ip = start
      throw error
    }
  }

  /** `ip` runs on to 2^32 in 16- and 32-bit code; running past the segment's limit faults at the next fetch. */
  #advance(start: number, insn: Insn): number {
    const next = start + insn.length
    return next > 0xffff_ffff && !this.#core.state.long64 ? next - 0x1_0000_0000 : next
  }

  /** What the table decodes and nobody has given a meaning is #UD, as on a processor without it. */
  #resolve(insn: Insn): Meaning {
    const name = operationOf(insn)
    const meaning: Meaning = { action: actions[name], semantics: semantics[name] }
    if (!hasMeaning(name)) meaning.action = undefinedOpcode
    this.#meanings.set(insn.row, meaning)
    return meaning
  }
}

const undefinedOpcode: Action = () => raise(Vector.UD)
