/** A CPU in real mode over 16 MB of RAM, to run single-step tests on. */
import { GuestMemory } from '@vmexit/memory'
import { Cpu, type CpuModel, type Engine, Layout, loadParagraph, Seg } from '../../src/index.ts'
import type { MachineState, Registers, SingleStepTest } from './moo.ts'

const GPRS = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di']
const SEGMENTS: Record<string, number> = { es: Seg.es, cs: Seg.cs, ss: Seg.ss, ds: Seg.ds, fs: Seg.fs, gs: Seg.gs }
/** More than any test needs to reach its HLT (a REP has at most 65,535 iterations). */
const LIMIT = 70_000

export class SingleStepMachine {
  readonly memory: GuestMemory = new GuestMemory({ ranges: [{ start: 0, bytes: (16 << 20) + 0x10000, kind: 'ram' }] })
  readonly cpu: Cpu
  /** 32-bit registers, as the 80386 form has them. */
  readonly wide: boolean

  constructor(engine: Engine, wide: boolean, model?: CpuModel) {
    this.wide = wide
    this.cpu = new Cpu({ memory: this.memory, engine, ...(model ? { model } : {}) })
    this.cpu.state.set32(Layout.cr0, 0x10)
  }

  /** Run one test; the differences found, none when it passes. `mask` gives the bits of a register that count. */
  run(test: SingleStepTest, mask: (register: string) => number): string[] {
    this.#load(test.initial)
    const exit = this.cpu.run(LIMIT)
    const found: string[] = []
    if (exit.reason !== 'halt') found.push(`exit ${exit.reason}`)
    this.cpu.events.halted = false
    this.cpu.events.shutdown = false
    this.cpu.events.shadow = 'none'
    const registers = this.registers()
    for (const [name, initial] of Object.entries(test.initial.registers)) {
      const want = test.final.registers[name] ?? initial
      const bits = mask(name) & (test.final.masks[name] ?? -1)
      if ((registers[name]! ^ want) & bits) found.push(`${name} ${hex(registers[name]!)} is not ${hex(want)} (mask ${hex(bits >>> 0)})`)
    }
    const changed = new Map(test.initial.ram.map(({ address, value }) => [address, value]))
    for (const { address, value } of test.final.ram) changed.set(address, value)
    for (const [address, value] of changed) {
      const have = this.memory.read8(address)
      if (have !== value) found.push(`[${hex(address)}] ${hex(have)} is not ${hex(value)}`)
    }
    for (const address of changed.keys()) this.memory.write8(address, 0)
    return found
  }

  #load(initial: MachineState): void {
    const { state } = this.cpu
    for (const { address, value } of initial.ram) this.memory.write8(address, value)
    for (const [name, value] of Object.entries(initial.registers)) {
      const gpr = GPRS.indexOf(this.wide ? name.slice(1) : name)
      if (gpr >= 0) state.setReg32(gpr, value)
      else if (SEGMENTS[name] !== undefined) loadParagraph(state, SEGMENTS[name], value)
      else if (name === 'ip' || name === 'eip') state.ip = value
      else if (name === 'flags' || name === 'eflags') state.eflags = value & 0x3fffff
    }
    this.cpu.events.modeChanged()
  }

  registers(): Registers {
    const { state } = this.cpu
    const out: Registers = {}
    GPRS.forEach((name, n) => {
      if (this.wide) out[`e${name}`] = state.reg32(n) >>> 0
      else out[name] = state.reg16(n)
    })
    for (const [name, seg] of Object.entries(SEGMENTS)) out[name] = state.selector(seg)
    out['ip'] = state.ip & 0xffff
    out['eip'] = state.ip
    out['flags'] = state.eflags & 0xffff
    out['eflags'] = state.eflags
    out['cr0'] = state.get32(Layout.cr0) >>> 0
    out['cr3'] = state.getNumber(Layout.cr3)
    out['dr6'] = state.get32(Layout.dr + 48) >>> 0
    out['dr7'] = state.get32(Layout.dr + 56) >>> 0
    return out
  }
}

const hex = (value: number): string => value.toString(16)
