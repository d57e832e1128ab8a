import { type Insn, Kind, type Operand, type Row, table } from '@vmexit/x86-decoder'
import { describe, expect, it } from 'vitest'
import { At, MEMORY_BYTES, nameOf, Rig, Sel } from '../../test/system/rig.ts'
import { Layout, LDTR, TR } from '../state/layout.ts'
import { deliver } from './exceptions.ts'
import { actions } from './index.ts'
import { refreshMode } from './mode.ts'
import { createModel, type ModelName } from './models.ts'
import { writeSegment } from './segments.ts'

/** Mulberry32, so that every run meets the same states. */
function randomFrom(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }
}

/** Numbers at which something happens. */
const EDGES = [0, 1, 2, 3, 7, 0xffff, 0x10000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff]

class Chaos {
  readonly next: () => number
  constructor(seed: number) {
    this.next = randomFrom(seed)
  }
  below(n: number): number {
    return this.next() % n
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!
  }
  /** A number of any size, often at an edge or within memory. */
  value(): number {
    switch (this.below(4)) {
      case 0:
        return this.pick(EDGES)
      case 1:
        return this.below(MEMORY_BYTES)
      case 2:
        return this.below(0x100)
      default:
        return this.next()
    }
  }
  selector(): number {
    return this.below(3) === 0
      ? this.below(0x10000)
      : (this.pick(Object.values(Sel)) ^ this.below(4)) | (this.below(8) === 0 ? 4 : 0)
  }

  /** Garbage everywhere, over tables that are mostly sound. */
  scramble(rig: Rig): void {
    const { state, linear } = rig
    rig.protectedMode(0)
    for (let n = 0; n < 8; n++) state.setReg32(n, this.value())
    state.setReg32(4, this.below(2) === 0 ? At.stack0 + this.below(0x100) * 2 : this.value())
    for (let n = 0; n < 24; n++) this.scrambleDescriptor(rig, At.gdt + this.below(0x20) * 8)
    for (let vector = 0; vector < 32; vector++) {
      rig.idt(
        vector,
        this.pick([Sel.code0, Sel.code0, Sel.tss16, Sel.other, this.selector()]),
        this.below(0x10000),
        this.next() & 0xff,
      )
    }
    for (const tss of [At.tss32, At.tss16, At.otherTss]) {
      for (let at = 0; at < 0x68; at += 2)
        if (this.below(2) === 0) rig.word(tss + at, this.below(2) === 0 ? this.selector() : this.value())
    }
    for (let n = 0; n < 64; n++) rig.dword(At.stack0 + n * 4, this.below(2) === 0 ? this.selector() : this.value())
    state.eflags = this.next() & (this.below(4) === 0 ? 0x3f_7fd7 : 0x1d_7fd7)
    state.set32(Layout.cr4, this.next() & rig.model.cr4Mask)
    state.set32(Layout.cr0, this.pick([0x10, 0x11, 0x8004_0011, 0x6000_0010]))
    state.set32(Layout.gdtLimit, this.pick([0xff, 0xff, 0xffff, this.below(0x100)]))
    state.set32(Layout.idtLimit, this.pick([0x7ff, 0x7ff, 0x3ff, this.below(0x100)]))
    state.set32(Layout.dr + 56, this.next() | 0x400)
    state.ip = this.value()
    for (let seg = 0; seg < 6; seg++) {
      const attributes = this.pick([0xc93, 0xcf3, 0x93, 0xc9b, 0xcfb, this.next() & 0xfff])
      writeSegment(
        state,
        seg,
        this.selector(),
        this.pick([0, 0, 0x10000, this.next()]),
        this.pick([0xffff_ffff, 0xffff, this.value()]),
        attributes,
      )
    }
    writeSegment(state, LDTR, this.selector(), this.pick([At.ldt, this.next()]), this.value(), this.pick([0x82, 0]))
    writeSegment(
      state,
      TR,
      this.selector(),
      this.pick([At.tss32, At.tss16, this.next()]),
      this.pick([0xfff, 0x67, this.value()]),
      this.pick([0x8b, 0x83, 0]),
    )
    rig.msrs.sysenterCs = this.value()
    const hole = this.next()
    linear.deny =
      this.below(3) === 0
        ? (at, write) => ((at ^ hole) & 0x1f00) === 0 && (write || (hole & 0x2000) !== 0)
        : () => false
    Object.assign(rig.events, { halted: false, shutdown: false, shadow: 'none', pendingDebug: 0 })
    refreshMode(rig)
  }
  scrambleDescriptor(rig: Rig, at: number): void {
    rig.dword(at, this.next())
    rig.dword(at + 4, this.pick([this.next(), (this.next() & 0x00cf_0000) | 0x8000 | (this.next() & 0x7f00)]))
  }

  /** An instruction of a row, with operands that fit it. */
  insn(row: Row): Insn {
    const opSize = this.pick([16, 32] as const)
    const operands =
      row.operands === '' ? [] : row.operands.split(', ').map((notation) => this.operand(notation, opSize))
    return {
      row,
      op: row.op,
      length: 1 + this.below(15),
      opSize,
      addrSize: this.pick([16, 32] as const),
      operands,
      cc: 0,
      seg: this.below(6) as Insn['seg'],
      segOverride: false,
      base: this.below(9) - 1,
      index: this.below(9) - 1,
      scale: this.below(4) as 0,
      disp: this.value() | 0,
      dispHigh: 0,
      ripRelative: false,
      imm: this.value() | 0,
      immHigh: 0,
      imm2: this.selector(),
      rep: this.pick([0, 0, 0xf3, 0xf2] as const),
      lock: false,
      rex: 0,
      modrm: 0xc0,
    }
  }
  operand(notation: string, opSize: number): Operand {
    const size = /8/.test(notation) || notation === 'AL' ? 8 : /16/.test(notation) ? 16 : opSize
    const make = (kind: Kind, reg: number): Operand => ({ kind, reg, size, high: false })
    if (['ES', 'CS', 'SS', 'DS', 'FS', 'GS'].includes(notation))
      return make(Kind.seg, ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'].indexOf(notation))
    if (notation === 'Sreg') return make(Kind.seg, this.pick([0, 2, 3, 4, 5]))
    if (notation === 'CR') return make(Kind.cr, this.pick([0, 2, 3, 4]))
    if (notation === 'DR') return make(Kind.dr, this.below(8))
    if (notation.startsWith('imm')) return make(Kind.imm, 0)
    if (notation.startsWith('ptr')) return make(Kind.far, 0)
    if (notation === '3') return make(Kind.one, 3)
    if (notation.startsWith('m') || (notation.includes('/m') && this.below(2) === 0)) return make(Kind.mem, 0)
    return make(Kind.gpr, /AX|AL/.test(notation) ? 0 : notation === 'DX' ? 2 : this.below(8))
  }
}

const rows = table.filter(
  (row) => row.modes !== 'long' && (row.op === 'mov' ? /Sreg|CR|DR/.test(row.operands) : actions[row.op] !== undefined),
)
const MODELS: readonly ModelName[] = ['pentium-m', 'pentium', '486', 'i386']

describe('wild states', () => {
  it('have an action for every system row of the instruction table', () => {
    const missing = table.filter(
      (row) =>
        row.privilege !== 'user' &&
        row.feature !== 'vmx' &&
        row.feature !== 'lm' &&
        row.op !== 'mov' &&
        !actions[row.op],
    )
    expect(missing.map((row) => row.mnemonic)).toEqual([])
  })

  it.each(MODELS)('end in a fault or not, never in an error of ours: %s', (name) => {
    const rig = new Rig(createModel(name))
    for (let seed = 0; seed < 4000; seed++) {
      const chaos = new Chaos(seed)
      chaos.scramble(rig)
      const insn = chaos.insn(chaos.pick(rows))
      try {
        const outcome = rig.run(insn)
        if (outcome) {
          expect(outcome.vector).toBeLessThan(32)
          if (outcome.errorCode !== undefined) expect(outcome.errorCode & ~0xffff).toBe(0)
          deliver(rig, { vector: outcome.vector, source: 'fault', errorCode: outcome.errorCode })
        }
      } catch (error) {
        throw new Error(`seed ${seed}, ${insn.row.mnemonic} ${insn.row.operands}`, { cause: error })
      }
      expect(rig.state.ip, `seed ${seed} ${insn.row.mnemonic}`).toBeGreaterThanOrEqual(0)
      expect(rig.state.ip).toBeLessThan(2 ** 32)
      rig.linear.written.length = 0
    }
  })

  it('keep all registers when an instruction faults', () => {
    const rig = new Rig()
    for (let seed = 0; seed < 6000; seed++) {
      const chaos = new Chaos(0x1000_0000 + seed)
      chaos.scramble(rig)
      const insn = chaos.insn(chaos.pick(rows))
      // A task switch may fault in the new task.
      const tr = rig.state.selector(TR)
      const before = rig.state.host.u8.slice()
      const start = rig.state.ip
      const outcome = rig.run(insn)
      if (!outcome || rig.state.selector(TR) !== tr || rig.state.ip !== start) continue
      const changed = before.findIndex((byte, at) => byte !== rig.state.host.u8[at])
      expect(changed, `seed ${seed} ${nameOf(insn)}`).toBe(-1)
    }
  })
})
