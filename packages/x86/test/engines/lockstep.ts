/** Runs a random machine on two engines, window by window, and compares them after each. */
import { createDecoder, createInsn, disassemble } from '@vmexit/x86-decoder'
import type { CpuExit, EngineChoice } from '../../src/index.ts'
import { Random } from '../random.ts'
import { allDifferences, differences } from './compare.ts'
import { Instructions } from './encode.ts'
import { elsewhere, image } from './image.ts'
import { At, CODE_BYTES, type Kind, segmentsOf } from './layout.ts'
import { Machine } from './machine.ts'

export interface Plan {
  readonly kind: Kind
  readonly seed: number
  readonly windows: number
  /** The first is what is right. */
  readonly engines: readonly [EngineChoice, EngineChoice]
}

/** Where a run is to stop, and what is to be noted of it. */
interface Probe {
  /** The window that is looked at, and the budget that it gets instead of its own. */
  readonly window: number
  readonly budget: number
}

export interface Outcome {
  readonly instructions: number
  readonly windows: number
  /** Undefined: the engines agree. */
  readonly mismatch?: { readonly window: number; readonly budget: number; readonly found: readonly string[] }
  /** Of a probe: the instruction behind the window. */
  readonly at: string
}

const GEOMETRIES = [
  { data: 4096, instruction: 1024 },
  { data: 64, instruction: 16 },
  { data: 4, instruction: 2 },
  { data: 1, instruction: 1 },
]
const MEMORY_EVERY = 64
/** Steps from the reset to the machine's code, at the most. */
const BOOT_LIMIT = 200

/** Instructions of a report. */
const SHOWN = 12

/** Both engines on one plan. */
export class Lockstep {
  readonly #plan: Plan
  readonly #random: Random
  readonly #first: Machine
  readonly #second: Machine
  readonly #both: readonly Machine[]
  readonly #instructions: Instructions

  constructor(plan: Plan) {
    this.#plan = plan
    this.#random = new Random(plan.seed)
    const geometry = this.#random.pick(GEOMETRIES)
    this.#first = new Machine(plan.engines[0], plan.kind, plan.seed, geometry)
    this.#second = new Machine(plan.engines[1], plan.kind, plan.seed, geometry)
    this.#both = [this.#first, this.#second]
    const { bits, cpl } = plan.kind
    const { code, data } = segmentsOf(plan.kind)
    const target = { bits, cpl, code, data, codeBytes: CODE_BYTES, elsewhere: elsewhere(plan.kind) }
    this.#instructions = new Instructions(this.#random, target)
    this.#boot()
  }

  #write(at: number, bytes: Uint8Array): void {
    for (const { memory } of this.#both) memory.writeBytes(at, bytes)
  }

  /** Everything anew, from the reset on. */
  #boot(): void {
    const random = this.#random
    for (let at = 0; at < CODE_BYTES; at += 0x1000)
      this.#write(At.code + at, random.one(8) ? this.#noise(0x1000) : this.#instructions.fill(0x1000))
    this.#write(At.data, this.#noise(CODE_BYTES))
    for (const { at, bytes } of image(this.#plan.kind, random)) this.#write(at, bytes)
    this.#write(At.stack, this.#noise(0x1000))
    for (const { memory } of this.#both) memory.load(At.rom, new Uint8Array(0x100).fill(0x90))
    const { code, codeSelector } = segmentsOf(this.#plan.kind)
    let steps = 0
    for (const machine of this.#both) {
      const { cpu, pin } = machine
      pin.pending = false
      cpu.reset()
      cpu.startAt(0, At.boot)
      if (machine === this.#second) cpu.run(steps)
      else while ((cpu.state.ip !== code || cpu.state.selector(1) !== codeSelector) && steps++ < BOOT_LIMIT) cpu.run(1)
    }
    if (steps >= BOOT_LIMIT) throw new Error(`a machine of ${this.#plan.kind.name} does not start`)
  }

  /** Fresh CPUs, each of the engine that the machine has not had. */
  #exchange(): void {
    const [first, second] = this.#plan.engines
    this.#first.replace(second)
    this.#second.replace(first)
  }

  #noise(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#random.next() & 0xff)
  }

  /** The instruction that the first engine is at. */
  #where(): string {
    const { cpu } = this.#first
    const { state } = cpu
    const linear = (state.segBase(1) + state.ip) >>> 0
    const bytes = new Uint8Array(16)
    for (let i = 0; i < 16; i++) {
      const physical = cpu.paging.peek((linear + i) >>> 0, 16 | (state.cpl === 3 ? 4 : 0))
      bytes[i] = physical < 0 ? 0 : this.#first.memory.read8(physical)
    }
    const insn = createInsn()
    const length = createDecoder().decode(bytes, 0, 15, state.codeBits, insn)
    const text = length > 0 ? disassemble(insn, state.ip) : 'undefined'
    const hex = [...bytes.subarray(0, Math.max(1, length))].map((byte) => byte.toString(16).padStart(2, '0'))
    return `${state.selector(1).toString(16)}:${state.ip.toString(16)} ${text} (${hex.join(' ')})`
  }

  run(probe?: Probe): Outcome {
    const random = this.#random
    const [a, b] = [this.#first, this.#second]
    let instructions = 0
    let singles = 0
    for (let window = 0; window < this.#plan.windows; window++) {
      if (singles === 0 && random.one(20)) singles = random.below(40)
      const drawn = singles-- > 0 ? 1 : random.one(16) ? 200 + random.below(800) : 1 + random.below(60)
      singles = Math.max(0, singles)
      const probed = probe?.window === window
      const budget = probed ? probe.budget : drawn
      const before = a.cpu.retired
      const reasons = [{ ...a.cpu.run(budget) }, { ...b.cpu.run(budget) }] as [CpuExit, CpuExit]
      instructions += a.cpu.retired - before
      const found =
        window % MEMORY_EVERY === 0 || window === this.#plan.windows - 1 || probed
          ? allDifferences(a, b)
          : differences(a.cpu, b.cpu)
      if (reasons[0].reason !== reasons[1].reason) found.push(`exit: ${reasons[0].reason}, ${reasons[1].reason}`)
      if (found.length > 0) return { instructions, windows: window + 1, mismatch: { window, budget, found }, at: '' }
      if (probed) return { instructions, windows: window + 1, at: this.#where() }
      this.#between(reasons[0])
      if (window === this.#plan.windows >> 1 && this.#plan.seed % 4 === 0) this.#exchange()
    }
    return { instructions, windows: this.#plan.windows, at: '' }
  }

  /** What comes from outside, and what goes on after HLT or a shutdown. */
  #between({ reason }: CpuExit): void {
    const random = this.#random
    if (reason === 'shutdown' || random.one(250)) {
      this.#boot()
      return
    }
    if (reason === 'halt') {
      if (random.one(2)) for (const { cpu } of this.#both) cpu.nmi()
      else for (const { pin } of this.#both) pin.raise(0x20)
      if (random.one(4)) this.#boot()
      return
    }
    if (random.one(10)) {
      const vector = 0x20 + random.below(16)
      for (const { pin } of this.#both) pin.raise(vector)
    }
    if (random.one(60)) for (const { cpu } of this.#both) cpu.nmi()
    if (random.one(16)) this.#write(At.code + random.below(CODE_BYTES), this.#instructions.fill(1 + random.below(20)))
    if (random.one(24)) this.#write(At.data + random.below(CODE_BYTES - 16), this.#noise(1 + random.below(16)))
    if (random.one(150)) {
      // Each goes on with what the other has saved.
      const [x, y] = [this.#first.cpu.save(), this.#second.cpu.save()]
      this.#first.cpu.restore(y)
      this.#second.cpu.restore(x)
    }
  }
}

/** Run a plan; of a mismatch, everything that is needed to find its cause, else the number of instructions and windows. */
export function compareEngines(plan: Plan): { instructions: number; windows: number; report?: string } {
  const { instructions, windows, mismatch } = new Lockstep(plan).run()
  if (!mismatch) return { instructions, windows }
  // The smallest budget for that window with which the engines differ: its last instruction is the one.
  const probe = (budget: number): Outcome => new Lockstep(plan).run({ window: mismatch.window, budget })
  let equal = 0
  let last = mismatch
  while (last.budget - equal > 1) {
    const budget = (equal + last.budget) >> 1
    const again = probe(budget)
    if (again.mismatch) last = again.mismatch
    else equal = budget
  }
  const trace: string[] = []
  for (let budget = Math.max(0, last.budget - SHOWN); budget < last.budget; budget++) trace.push(probe(budget).at)
  const lines = [
    `${plan.kind.name}, seed ${plan.seed}, window ${mismatch.window} of ${mismatch.budget}: the engines differ`,
    ...last.found,
    `after ${last.budget} instructions of the window, of which the last are:`,
    ...trace,
  ]
  return { instructions, windows, report: lines.join('\n  ') }
}
