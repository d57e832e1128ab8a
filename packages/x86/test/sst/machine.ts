/** A CPU in real mode over 16 MB of RAM, to run single-step tests on. */
import { GuestMemory } from '@vmexit/memory'
import { Cpu, type CpuModel, type EngineChoice, Flag, Layout, loadParagraph, Seg } from '../../src/index.ts'
import { type MachineState, mergeStates, type Registers, type SingleStepTest } from './moo.ts'

const GPRS = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di']
const SEGMENTS: Record<string, number> = { es: Seg.es, cs: Seg.cs, ss: Seg.ss, ds: Seg.ds, fs: Seg.fs, gs: Seg.gs }
/** More than any test needs to reach its HLT (a REP has at most 65,535 iterations). */
const LIMIT = 70_000
/** ET alone: as after a reset, in real mode. */
const CR0 = 0x10

/** Bits that exist, of registers that have fewer than their size; all else is neither loaded nor compared. */
const BITS: Readonly<Record<string, number>> = {
  flags: 0x7fd5,
  eflags: 0x7fd5 | Flag.RF,
  cr0: 0x0f,
  dr6: 0xe00f,
  dr7: 0xffff_03ff,
}

/** What of a test counts, and what is otherwise than it says. */
export interface Expectation {
  /** By register: bits that do not count. */
  readonly ignored: Registers
  /** By address: bits of the byte that do not count. */
  readonly ignoredRam: ReadonlyMap<number, number>
  /** Initial and final state to put in place of the test's. */
  readonly initial: MachineState
  readonly final: MachineState
}

export class SingleStepMachine {
  readonly memory: GuestMemory = new GuestMemory({ ranges: [{ start: 0, bytes: (16 << 20) + 0x10000, kind: 'ram' }] })
  readonly cpu: Cpu

  constructor(engine: EngineChoice, model: CpuModel) {
    this.cpu = new Cpu({ memory: this.memory, engine, model })
  }

  /** Run one test up to its HLT; the differences found, none when it passes. */
  run(test: SingleStepTest, expectation: Partial<Expectation> = {}): string[] {
    const initial = expectation.initial ?? test.initial
    const final = mergeStates(initial, expectation.final ?? test.final)
    this.#load(initial)
    const exit = this.cpu.run(LIMIT)
    const found: string[] = []
    if (exit.reason !== 'halt') found.push(`exit: ${exit.reason}`)
    for (const [name, want] of Object.entries(final.registers)) {
      const have = this.#read(name)
      const bits = (BITS[name] ?? -1) & (final.masks[name] ?? -1) & ~(expectation.ignored?.[name] ?? 0)
      if ((have ^ want) & bits) found.push(`${name} ${hex(have)} is not ${hex(want)} (of bits ${hex(bits)})`)
    }
    for (const { address, value } of final.ram) {
      const have = this.memory.read8(address)
      const bits = 0xff & ~(expectation.ignoredRam?.get(address) ?? 0)
      if ((have ^ value) & bits)
        found.push(`[${hex(address)}] ${hex(have)} is not ${hex(value)} (of bits ${hex(bits)})`)
    }
    this.#clear(final)
    return found
  }

  /** Run the test's first instruction only: the vector of the exception that it raised, if any. */
  raises(test: SingleStepTest): number | undefined {
    this.#load(test.initial)
    const before = [...this.cpu.counts.exceptions]
    this.cpu.run(1)
    const vector = before.findIndex((count, i) => count !== this.cpu.counts.exceptions[i])
    this.#clear(mergeStates(test.initial, test.final))
    return vector < 0 ? undefined : vector
  }

  #load(initial: MachineState): void {
    const { state, events } = this.cpu
    events.halted = false
    events.shutdown = false
    events.shadow = 'none'
    state.set32(Layout.cr0, CR0)
    state.set32(Layout.fcw, 0x37f)
    state.set32(Layout.fsw, 0)
    state.set32(Layout.empty, 0xff)
    for (const { address, value } of initial.ram) this.memory.write8(address, value)
    for (const [name, value] of Object.entries(initial.registers)) this.#write(name, value)
    events.modeChanged()
  }

  /** A test may have written where its lists do not say; what they say is cleared for the next one. */
  #clear(final: MachineState): void {
    for (const { address } of final.ram) this.memory.write8(address, 0)
  }

  #write(name: string, value: number): void {
    const { state } = this.cpu
    const bits = value & (BITS[name] ?? -1)
    const gpr = gprOf(name)
    if (gpr >= 0) state.setReg32(gpr, value)
    else if (SEGMENTS[name] !== undefined) loadParagraph(state, SEGMENTS[name], value)
    else if (name === 'ip' || name === 'eip') state.ip = value
    else if (name === 'flags' || name === 'eflags') state.eflags = bits
    else if (name === 'cr0') state.set32(Layout.cr0, bits | CR0)
    else if (name === 'cr3') state.setNumber(Layout.cr3, value)
    else state.set32(Layout.dr + Number(name[2]) * 8, bits)
  }

  #read(name: string): number {
    const { state } = this.cpu
    const gpr = gprOf(name)
    if (gpr >= 0) return name.length === 3 ? state.reg32(gpr) >>> 0 : state.reg16(gpr)
    if (SEGMENTS[name] !== undefined) return state.selector(SEGMENTS[name])
    if (name === 'ip' || name === 'eip') return name === 'ip' ? state.ip & 0xffff : state.ip
    if (name === 'flags' || name === 'eflags') return state.eflags
    if (name === 'cr0' || name === 'cr3') return state.get32(Layout[name]) >>> 0
    return state.get32(Layout.dr + Number(name[2]) * 8) >>> 0
  }
}

/** Number of a general register by its 16- or 32-bit name, or −1. */
function gprOf(name: string): number {
  return GPRS.indexOf(name.length === 3 && name[0] === 'e' ? name.slice(1) : name)
}

const hex = (value: number): string => (value >>> 0).toString(16)
