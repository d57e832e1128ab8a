import { describe, expect, it } from 'vitest'
import { At, attributesOf, Rig, Sel } from '../../test/system/rig.ts'
import { Flag, Layout, TR } from '../state/layout.ts'
import type { CpuEvent } from './event.ts'
import { combine, deliver, vectorThrough } from './exceptions.ts'
import { Fault } from './fault.ts'
import { writeSegment } from './segments.ts'

const HANDLER = 0x9000
const fault = (vector: number, errorCode?: number): CpuEvent => ({ vector, source: 'fault', errorCode })
const software = (vector: number): CpuEvent => ({ vector, source: 'software' })
const external = (vector: number): CpuEvent => ({ vector, source: 'external' })

describe('real mode', () => {
  it('pushes FLAGS, CS and IP, clears IF, TF and AC, and goes through the vector table', () => {
    const rig = new Rig()
    rig.dword(0x21 * 4, 0x1234_5678)
    rig.state.eflags = Flag.IF | Flag.TF | Flag.AC | Flag.CF | 0x3000
    writeSegment(rig.state, 1, 0x800, 0x8000, 0xffff, 0x93)
    rig.state.ip = 0x42
    deliver(rig, external(0x21))
    expect(rig.stack(3, 16)).toEqual([0x42, 0x800, 0x3303])
    expect([rig.state.selector(1), rig.state.segBase(1), rig.state.ip]).toEqual([0x1234, 0x12340, 0x5678])
    expect(rig.state.eflags).toBe(Flag.CF | 0x3002)
    expect(rig.state.reg16(4)).toBe(0x7000 - 6)
  })

  it('pushes no error code', () => {
    const rig = new Rig()
    deliver(rig, fault(13, 0))
    expect(rig.state.reg16(4)).toBe(0x7000 - 6)
  })

  it('shuts down when the table has no room for #GP and #DF', () => {
    const rig = new Rig()
    rig.state.set32(Layout.idtLimit, 7)
    deliver(rig, fault(6))
    expect(rig.events.shutdown).toBe(true)
  })

  it('leaves no interrupt shadow in a shutdown', () => {
    const rig = new Rig()
    rig.state.set32(Layout.idtLimit, 7)
    rig.events.shadow = 'sti'
    deliver(rig, fault(6))
    expect([rig.events.shutdown, rig.events.shadow]).toEqual([true, 'none'])
  })

  it('makes #GP of a vector beyond the table', () => {
    const rig = new Rig()
    rig.state.set32(Layout.idtLimit, 0x1ff)
    rig.dword(13 * 4, 0x5555)
    deliver(rig, external(0x80))
    expect([rig.events.shutdown, rig.state.ip]).toEqual([false, 0x5555])
  })

  it('shuts down when a stack error finds no stack to be reported on', () => {
    const rig = new Rig()
    rig.state.setReg16(4, 3)
    deliver(rig, fault(12, 0))
    expect(rig.events.shutdown).toBe(true)
  })
})

describe('through 32-bit gates', () => {
  it('keeps the stack at the same level: EFLAGS, CS, EIP, error code', () => {
    const rig = new Rig().protectedMode(0)
    rig.idt(13, Sel.code0, HANDLER, 0x8e)
    rig.state.eflags = Flag.IF | Flag.NT | Flag.TF
    deliver(rig, fault(13, 0x1234))
    expect(rig.stack(4)).toEqual([0x1234, At.code, Sel.code0, 0x14302 | Flag.RF])
    expect(rig.state.ip).toBe(HANDLER)
    expect(rig.state.eflags).toBe(2)
    expect(rig.state.reg32(4)).toBe(0x20000 - 16)
  })

  it('leaves IF alone in a trap gate', () => {
    const rig = new Rig().protectedMode(0)
    rig.idt(3, Sel.code0, HANDLER, 0x8f)
    rig.state.eflags = Flag.IF
    deliver(rig, fault(3))
    expect(rig.state.eflags).toBe(2 | Flag.IF)
  })

  it('switches to the inner stack of the TSS and pushes the outer one', () => {
    const rig = new Rig().protectedMode(3)
    rig.idt(14, Sel.code0, HANDLER, 0x8e)
    rig.state.eflags = Flag.IF | Flag.ZF
    deliver(rig, { vector: 14, source: 'fault', errorCode: 6, address: 0xdead_0000 })
    expect(rig.stack(6)).toEqual([6, At.code, Sel.code3 | 3, 0x10242, 0x23000, Sel.data3 | 3])
    expect(rig.state.getNumber(Layout.cr2)).toBe(0xdead_0000)
    expect([rig.state.selector(1), rig.state.selector(2), rig.state.cpl]).toEqual([Sel.code0, Sel.data0, 0])
    expect(rig.state.reg32(4)).toBe(At.stack0 - 24)
    expect(rig.state.selector(3)).toBe(Sel.data3 | 3)
  })

  it.each([1, 2] as const)('goes to ring %i where the code segment says so', (ring) => {
    const rig = new Rig().protectedMode(3)
    rig.idt(0x30, Sel.code0 + ring * 16, HANDLER, 0x8e)
    deliver(rig, external(0x30))
    expect(rig.state.cpl).toBe(ring)
    expect(rig.state.selector(1)).toBe((Sel.code0 + ring * 16) | ring)
    expect(rig.state.reg32(4)).toBe(At.stack0 + ring * 0x1000 - 20)
  })

  it('stays at its level in conforming code', () => {
    const rig = new Rig().protectedMode(3)
    rig.idt(0x30, Sel.conforming0, HANDLER, 0x8e)
    deliver(rig, external(0x30))
    expect([rig.state.cpl, rig.state.selector(1), rig.state.selector(2)]).toEqual([
      3,
      Sel.conforming0 | 3,
      Sel.data3 | 3,
    ])
    expect(rig.state.reg32(4)).toBe(0x23000 - 12)
  })

  it('pushes with the width of the gate, not of the code', () => {
    const rig = new Rig().protectedMode(3)
    rig.idt(13, Sel.code0, 0x1234_9000, 0x86)
    rig.state.eflags = Flag.AC | Flag.IF
    deliver(rig, fault(13, 0x18))
    expect(rig.stack(6, 16)).toEqual([0x18, At.code, Sel.code3 | 3, 0x202, 0x3000, Sel.data3 | 3])
    expect(rig.state.ip).toBe(0x9000)
  })

  it('moves only SP on a 16-bit stack', () => {
    const rig = new Rig().protectedMode(3)
    rig.descriptor(Sel.data0, 0x10000, 0xffff, 0x93, 0)
    rig.dword(At.tss32 + 4, 0x1234_8000)
    rig.state.setReg32(4, 0x5678_9abc)
    rig.idt(0x30, Sel.code0, HANDLER, 0x8e)
    deliver(rig, external(0x30))
    expect(rig.state.reg32(4)).toBe(0x5678_7fec)
    expect(rig.dwordAt(0x10000 + 0x7ff8)).toBe(0x5678_9abc)
  })

  it('takes stacks from a 16-bit TSS too', () => {
    const rig = new Rig().protectedMode(3)
    writeSegment(rig.state, TR, Sel.tss16, At.tss16, 0x2b, 0x83)
    rig.word(At.tss16 + 2, 0xf000)
    rig.word(At.tss16 + 4, Sel.data0)
    rig.idt(0x30, Sel.code0, HANDLER, 0x8e)
    deliver(rig, external(0x30))
    expect(rig.state.reg32(4)).toBe(0xf000 - 20)
  })
})

describe('gates that do not let through', () => {
  const idtError = 0x30 * 8 + 2
  it('refuses every type but interrupt, trap and task gates', () => {
    for (let access = 0; access < 256; access++) {
      const rig = new Rig().protectedMode(0)
      rig.idt(0x30, Sel.code0, HANDLER, access)
      const type = access & 0x1f
      if (type === 5) continue
      const outcome = rig.attempt(() => vectorThrough(rig, external(0x30)))
      const known = [6, 7, 14, 15].includes(type)
      if (!known) expect(outcome).toEqual({ vector: 13, errorCode: idtError | 1 })
      else if ((access & 0x80) === 0) expect(outcome).toEqual({ vector: 11, errorCode: idtError | 1 })
      else expect(outcome).toBeUndefined()
    }
  })

  it('checks the gate’s DPL for INT n, INT3 and INTO only', () => {
    for (const cpl of [0, 1, 2, 3] as const) {
      for (const dpl of [0, 1, 2, 3]) {
        for (const source of ['software', 'int1', 'external', 'nmi', 'fault', 'trap'] as const) {
          const rig = new Rig().protectedMode(cpl)
          rig.idt(0x30, Sel.code0, HANDLER, 0x8e | (dpl << 5))
          const outcome = rig.attempt(() => vectorThrough(rig, { vector: 0x30, source }))
          expect(outcome).toEqual(source === 'software' && dpl < cpl ? { vector: 13, errorCode: idtError } : undefined)
        }
      }
    }
  })

  it('refuses a vector beyond the IDT', () => {
    const rig = new Rig().protectedMode(0)
    rig.state.set32(Layout.idtLimit, 0x30 * 8 + 6)
    expect(rig.attempt(() => vectorThrough(rig, software(0x30)))).toEqual({ vector: 13, errorCode: idtError })
  })

  interface Case {
    readonly name: string
    readonly break: (rig: Rig) => void
    readonly vector: number
    readonly errorCode: number
  }
  const stackSelector = At.tss32 + 8
  const cases: Case[] = [
    { name: 'null code selector', break: (rig) => rig.idt(0x30, 3, HANDLER, 0xee), vector: 13, errorCode: 0 },
    {
      name: 'code selector beyond the GDT',
      break: (rig) => rig.idt(0x30, 0x100, HANDLER, 0xee),
      vector: 13,
      errorCode: 0x100,
    },
    {
      name: 'data for code',
      break: (rig) => rig.idt(0x30, Sel.data0, HANDLER, 0xee),
      vector: 13,
      errorCode: Sel.data0,
    },
    {
      name: 'code not present',
      break: (rig) => rig.descriptor(Sel.code0, 0, 0xfffff, 0x1b, 0xc),
      vector: 11,
      errorCode: Sel.code0,
    },
    {
      name: 'offset beyond the code segment',
      break: (rig) => rig.descriptor(Sel.code0, 0, 0x100, 0x9b, 4),
      vector: 13,
      errorCode: 0,
    },
    {
      name: 'TSS too short',
      break: (rig) => writeSegment(rig.state, TR, Sel.tss32, At.tss32, 10, 0x8b),
      vector: 10,
      errorCode: Sel.tss32,
    },
    { name: 'null stack selector', break: (rig) => rig.word(stackSelector, 0), vector: 10, errorCode: 0 },
    {
      name: 'stack selector beyond the GDT',
      break: (rig) => rig.word(stackSelector, 0x100),
      vector: 10,
      errorCode: 0x100,
    },
    {
      name: 'stack selector with another RPL',
      break: (rig) => rig.word(stackSelector, Sel.data0 | 1),
      vector: 10,
      errorCode: Sel.data0,
    },
    {
      name: 'stack of another DPL',
      break: (rig) => rig.word(stackSelector, Sel.data1),
      vector: 10,
      errorCode: Sel.data1,
    },
    {
      name: 'stack not writable',
      break: (rig) => rig.descriptor(Sel.data0, 0, 0xfffff, 0x91, 0xc),
      vector: 10,
      errorCode: Sel.data0,
    },
    {
      name: 'stack not present',
      break: (rig) => rig.descriptor(Sel.data0, 0, 0xfffff, 0x13, 0xc),
      vector: 12,
      errorCode: Sel.data0,
    },
    {
      name: 'stack without room',
      break: (rig) => rig.descriptor(Sel.data0, 0, 0xffed, 0x93, 4),
      vector: 12,
      errorCode: Sel.data0,
    },
  ]
  it.each(cases)('$name', ({ break: breakIt, vector, errorCode }) => {
    for (const source of ['software', 'external'] as const) {
      const rig = new Rig().protectedMode(3)
      rig.idt(0x30, Sel.code0, HANDLER, 0xee)
      breakIt(rig)
      const changed = rig.watch()
      const ext = source === 'external' ? 1 : 0
      expect(rig.attempt(() => vectorThrough(rig, { vector: 0x30, source }))).toEqual({
        vector,
        errorCode: errorCode | ext,
      })
      expect(changed()).toEqual([])
    }
  })

  it('reports a full stack at the same level with selector 0', () => {
    const rig = new Rig().protectedMode(0)
    rig.idt(0x30, Sel.code0, HANDLER, 0x8e)
    writeSegment(rig.state, 2, Sel.data0, 0, 0x1fff0, 0x493)
    expect(rig.attempt(() => vectorThrough(rig, external(0x30)))).toEqual({ vector: 12, errorCode: 1 })
  })

  it('changes no register when the inner stack is not mapped', () => {
    const rig = new Rig().protectedMode(3)
    rig.idt(0x30, Sel.code0, HANDLER, 0x8e)
    rig.linear.deny = (linear, write) => write && linear < At.stack0 - 8
    const changed = rig.watch()
    expect(rig.attempt(() => vectorThrough(rig, external(0x30)))).toEqual({ vector: 14, errorCode: 2 })
    expect(changed().filter((change) => change.startsWith('state'))).toEqual([])
  })
})

describe('from virtual-8086 mode', () => {
  it('pushes the data segments too and makes them null', () => {
    const rig = new Rig().virtual8086(3)
    for (const [seg, selector] of [
      [0, 0x1111],
      [3, 0x3333],
      [4, 0x4444],
      [5, 0x5555],
    ] as const) {
      writeSegment(rig.state, seg, selector, selector * 16, 0xffff, 0xf3)
    }
    rig.idt(13, Sel.code0, HANDLER, 0x8e)
    deliver(rig, fault(13, 0))
    expect(rig.stack(10)).toEqual([0, 0x100, 0x1000, 0x33202 | Flag.RF, 0x8000, 0x1000, 0x1111, 0x3333, 0x4444, 0x5555])
    expect(rig.selectors()).toEqual([0, Sel.code0, Sel.data0, 0, 0, 0])
    expect(rig.state.eflags).toBe(0x3002)
    expect([rig.state.cpl, attributesOf(rig, 3)]).toEqual([0, 0])
  })

  it.each([
    { name: 'ring 1', selector: Sel.code1 },
    { name: 'conforming code', selector: Sel.conforming0 },
  ])('lets nobody in but ring 0: $name', ({ selector }) => {
    const rig = new Rig().virtual8086(3)
    rig.idt(0x30, selector, HANDLER, 0xee)
    expect(rig.attempt(() => vectorThrough(rig, external(0x30)))).toEqual({ vector: 13, errorCode: selector | 1 })
    expect(rig.state.virtual8086).toBe(true)
  })

  it('pushes words through a 16-bit gate', () => {
    const rig = new Rig().virtual8086(3)
    rig.idt(0x30, Sel.code0, HANDLER, 0x86)
    deliver(rig, external(0x30))
    expect(rig.stack(9, 16)).toEqual([0x100, 0x1000, 0x3202, 0x8000, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000])
  })
})

describe('faults during delivery', () => {
  const contributory = [0, 10, 11, 12, 13]
  const benign = [1, 3, 4, 5, 6, 7, 9, 16, 17, 18, 19]
  const second = (vector: number): Fault => Object.assign(new Fault(), { vector, errorCode: 0 })

  it('double as the table of the manual says', () => {
    for (const a of [...contributory, ...benign, 14]) {
      for (const b of [...contributory, ...benign, 14]) {
        const doubles =
          (contributory.includes(a) && contributory.includes(b)) || (a === 14 && (contributory.includes(b) || b === 14))
        expect(combine(fault(a, 0), second(b))?.vector, `${a} then ${b}`).toBe(doubles ? 8 : b)
      }
    }
  })
  it('never double when the first is an interrupt of whatever vector', () => {
    for (const source of ['software', 'external', 'nmi'] as const)
      expect(combine({ vector: 13, source }, second(13))?.vector).toBe(13)
  })
  it('end in a shutdown behind a double fault', () => {
    for (const b of [...contributory, 14]) expect(combine(fault(8, 0), second(b))).toBeUndefined()
  })

  it('are delivered with the return address of the first', () => {
    const rig = new Rig().protectedMode(3)
    rig.idt(14, Sel.data0, HANDLER, 0x8e)
    rig.idt(8, Sel.code0, 0xa000, 0x8e)
    deliver(rig, { vector: 14, source: 'fault', errorCode: 4, address: 0x1234 })
    expect(rig.state.ip).toBe(0xa000)
    expect(rig.stack(2)).toEqual([0, At.code])
    expect(rig.events.shutdown).toBe(false)
  })

  it('leave the address of the second page fault in CR2', () => {
    const rig = new Rig().protectedMode(3)
    rig.idt(14, Sel.code0, HANDLER, 0x8e)
    rig.idt(8, Sel.code1, 0xa000, 0x8e)
    rig.linear.deny = (linear, write) => write && linear >= At.stack0 - 0x100 && linear < At.stack0
    deliver(rig, { vector: 14, source: 'fault', errorCode: 4, address: 0x1234 })
    expect(rig.state.ip).toBe(0xa000)
    expect(rig.state.getNumber(Layout.cr2)).toBe(At.stack0 - 4)
  })

  it('set EXT for a fault after an interrupt, and lose the interrupt', () => {
    const rig = new Rig().protectedMode(3)
    rig.idt(13, Sel.code0, HANDLER, 0x8e)
    deliver(rig, external(0x40))
    expect(rig.stack(2)).toEqual([0x40 * 8 + 3, At.code])
  })
})

describe('what the handler finds', () => {
  const pushedRf = (event: CpuEvent, before = 0): boolean => {
    const rig = new Rig().protectedMode(0)
    rig.idt(event.vector, Sel.code0, HANDLER, 0xee)
    rig.state.eflags = before
    deliver(rig, event)
    return (rig.stack(event.errorCode === undefined ? 3 : 4).at(-1)! & Flag.RF) !== 0
  }
  it('is RF in the image of faults, and of interrupts within REP', () => {
    expect(pushedRf(fault(13, 0))).toBe(true)
    expect(pushedRf(fault(6))).toBe(true)
    expect(pushedRf(fault(8, 0))).toBe(false)
    expect(pushedRf(fault(18))).toBe(false)
    expect(pushedRf({ vector: 1, source: 'trap' })).toBe(false)
    expect(pushedRf(software(0x30))).toBe(false)
    expect(pushedRf(external(0x30))).toBe(false)
    expect(pushedRf({ vector: 0x30, source: 'external', resume: true })).toBe(true)
    expect(pushedRf(external(0x30), Flag.RF)).toBe(true)
  })

  it('is DR6 with what was pending, and DR7.GD clear', () => {
    const rig = new Rig().protectedMode(0)
    rig.idt(1, Sel.code0, HANDLER, 0x8e)
    rig.state.set32(Layout.dr + 56, 0x2400)
    rig.events.pendingDebug = 0x4001
    deliver(rig, { vector: 1, source: 'trap' })
    expect(rig.state.get32(Layout.dr + 48) >>> 0).toBe(0xffff_4ff1)
    expect(rig.state.get32(Layout.dr + 56)).toBe(0x400)
    expect(rig.events.pendingDebug).toBe(0)
  })

  it('is an NMI mask and a CPU that is not halted', () => {
    const rig = new Rig().protectedMode(0)
    rig.idt(2, Sel.code0, HANDLER, 0x8e)
    rig.events.halted = true
    deliver(rig, { vector: 2, source: 'nmi' })
    expect([rig.events.halted, rig.events.nmiBlocked]).toEqual([false, true])
  })
})
