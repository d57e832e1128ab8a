import { describe, expect, it } from 'vitest'
import { At, Rig, Sel } from '../../test/system/rig.ts'
import { Flag, Layout, TR } from '../state/layout.ts'
import { loadDescriptor, writeSegment } from './segments.ts'

const levels = [0, 1, 2, 3] as const
const TARGET = 0x9000

/** JMP (EA) or CALL (9A) selector:offset with 32-bit operands. */
const far = (opcode: number, selector: number, offset = TARGET): number[] => [
  opcode,
  offset & 0xff,
  (offset >> 8) & 0xff,
  (offset >> 16) & 0xff,
  offset >>> 24,
  selector & 0xff,
  selector >> 8,
]
const JMP = 0xea
const CALL = 0x9a

describe('far JMP and CALL to a code segment', () => {
  it('obey type, DPL, CPL and RPL in every combination, and keep CPL', () => {
    for (const opcode of [JMP, CALL]) {
      for (const cpl of levels) {
        for (const rpl of levels) {
          for (let access = 0x10; access < 0x100; access += (access & 0x1f) === 0x1f ? 0x11 : 1) {
            const rig = new Rig().protectedMode(cpl)
            rig.descriptor(Sel.free, 0, 0xfffff, access, 0xc)
            const dpl = (access >> 5) & 3
            const code = (access & 8) !== 0
            const conforming = code && (access & 4) !== 0
            const right = code && (conforming ? dpl <= cpl : dpl === cpl && rpl <= cpl)
            const expected = !right
              ? { vector: 13, errorCode: Sel.free }
              : (access & 0x80) === 0
                ? { vector: 11, errorCode: Sel.free }
                : undefined
            expect(
              rig.exec(...far(opcode, Sel.free | rpl)),
              `${opcode} cpl ${cpl} rpl ${rpl} ${access.toString(16)}`,
            ).toEqual(expected)
            if (expected) continue
            expect([rig.state.selector(1), rig.state.ip, rig.state.cpl]).toEqual([Sel.free | cpl, TARGET, cpl])
            if (opcode === CALL) expect(rig.stack(2)).toEqual([At.code + 7, (Sel.code0 + cpl * 16) | cpl])
          }
        }
      }
    }
  })

  it('refuse a null selector, one beyond its table, and an offset beyond the limit', () => {
    const rig = new Rig().protectedMode(0)
    expect(rig.exec(...far(JMP, 2))).toEqual({ vector: 13, errorCode: 0 })
    expect(rig.exec(...far(JMP, 0x1235))).toEqual({ vector: 13, errorCode: 0x1234 })
    rig.descriptor(Sel.free, 0, 0x8fff, 0x9b, 4)
    expect(rig.exec(...far(CALL, Sel.free))).toEqual({ vector: 13, errorCode: 0 })
    expect(rig.state.reg32(4)).toBe(0x20000)
    expect(rig.exec(...far(CALL, Sel.free, 0x8fff))).toBeUndefined()
  })

  it('cut the offset to 16 bits with a 16-bit operand size, and push words', () => {
    const rig = new Rig().protectedMode(0)
    expect(rig.exec(0x66, 0x9a, 0x34, 0x12, Sel.code0, 0)).toBeUndefined()
    expect(rig.state.ip).toBe(0x1234)
    expect(rig.stack(2, 16)).toEqual([At.code + 6, Sel.code0])
  })

  it('take pointers from memory', () => {
    const rig = new Rig().protectedMode(0)
    rig.dword(0x7000, TARGET)
    rig.word(0x7004, Sel.code0)
    expect(rig.exec(0xff, 0x2d, 0, 0x70, 0, 0)).toBeUndefined()
    expect(rig.state.ip).toBe(TARGET)
    expect(rig.exec(0xff, 0x1d, 0, 0x70, 0, 0)).toBeUndefined()
    expect(rig.stack(2)).toEqual([TARGET + 6, Sel.code0])
  })

  it('make paragraphs of selectors in real mode', () => {
    const rig = new Rig()
    expect(rig.exec(0x9a, 0x78, 0x56, 0x34, 0x12)).toBeUndefined()
    expect([rig.state.selector(1), rig.state.segBase(1), rig.state.ip]).toEqual([0x1234, 0x12340, 0x5678])
    expect(rig.stack(2, 16)).toEqual([At.code + 5, 0])
    expect(rig.exec(0x66, 0xea, 0, 0, 1, 0, 0, 0)).toEqual({ vector: 13, errorCode: 0 })
  })
})

describe('call gates', () => {
  const gated = (cpl: 0 | 1 | 2 | 3, access: number, target: number, parameters = 0): Rig => {
    const rig = new Rig().protectedMode(cpl)
    rig.gate(Sel.free, target, TARGET, access, parameters)
    return rig
  }

  it('obey gate DPL, code DPL and conformity in every combination', () => {
    for (const opcode of [JMP, CALL]) {
      for (const cpl of levels) {
        for (const rpl of levels) {
          for (const gateDpl of levels) {
            for (const codeDpl of levels) {
              for (const conforming of [false, true]) {
                const rig = gated(cpl, 0x8c | (gateDpl << 5), Sel.free2 | 3)
                rig.descriptor(Sel.free2, 0, 0xfffff, (conforming ? 0x9f : 0x9b) | (codeDpl << 5), 0xc)
                const open = gateDpl >= cpl && gateDpl >= rpl
                const reaches = conforming ? codeDpl <= cpl : opcode === JMP ? codeDpl === cpl : codeDpl <= cpl
                const expected = !open
                  ? { vector: 13, errorCode: Sel.free }
                  : !reaches
                    ? { vector: 13, errorCode: Sel.free2 }
                    : undefined
                expect(rig.exec(...far(opcode, Sel.free | rpl, 0x7777))).toEqual(expected)
                if (expected) continue
                const level = conforming ? cpl : codeDpl
                expect([rig.state.selector(1), rig.state.ip, rig.state.cpl]).toEqual([Sel.free2 | level, TARGET, level])
                if (opcode === JMP) continue
                const back = [At.code + 7, (Sel.code0 + cpl * 16) | cpl]
                if (level === cpl) expect(rig.stack(2)).toEqual(back)
                else expect(rig.stack(4)).toEqual([...back, 0x20000 + cpl * 0x1000, (Sel.data0 + cpl * 16) | cpl])
              }
            }
          }
        }
      }
    }
  })

  it('copy parameters in order, dwords through a 32-bit gate', () => {
    const rig = gated(3, 0xec, Sel.code0, 3)
    for (let n = 0; n < 3; n++) rig.dword(0x23000 + n * 4, 0x1111_0000 + n)
    expect(rig.exec(...far(CALL, Sel.free))).toBeUndefined()
    expect(rig.stack(7)).toEqual([
      At.code + 7,
      Sel.code3 | 3,
      0x1111_0000,
      0x1111_0001,
      0x1111_0002,
      0x23000,
      Sel.data3 | 3,
    ])
    expect(rig.state.reg32(4)).toBe(At.stack0 - 28)
  })

  it('copy parameters as words through a 16-bit gate, to a 16-bit offset', () => {
    const rig = new Rig().protectedMode(3)
    rig.gate(Sel.free, Sel.code0, 0x12_9000, 0xe4, 31)
    for (let n = 0; n < 31; n++) rig.word(0x23000 + n * 2, 0x100 + n)
    expect(rig.exec(...far(CALL, Sel.free))).toBeUndefined()
    expect(rig.state.ip).toBe(TARGET)
    const words = rig.stack(35, 16)
    expect(words.slice(0, 3)).toEqual([At.code + 7, Sel.code3 | 3, 0x100])
    expect(words.slice(32)).toEqual([0x100 + 30, 0x3000, Sel.data3 | 3])
  })

  it.each([
    {
      name: 'gate not present',
      break: (rig: Rig) => rig.gate(Sel.free, Sel.code0, TARGET, 0x6c),
      vector: 11,
      errorCode: Sel.free,
    },
    { name: 'null code', break: (rig: Rig) => rig.gate(Sel.free, 3, TARGET, 0xec), vector: 13, errorCode: 0 },
    {
      name: 'code beyond the table',
      break: (rig: Rig) => rig.gate(Sel.free, 0x200, TARGET, 0xec),
      vector: 13,
      errorCode: 0x200,
    },
    {
      name: 'data for code',
      break: (rig: Rig) => rig.gate(Sel.free, Sel.data0, TARGET, 0xec),
      vector: 13,
      errorCode: Sel.data0,
    },
    {
      name: 'code not present',
      break: (rig: Rig) => rig.descriptor(Sel.code0, 0, 0xfffff, 0x1b, 0xc),
      vector: 11,
      errorCode: Sel.code0,
    },
    {
      name: 'TSS too short',
      break: (rig: Rig) => writeSegment(rig.state, TR, Sel.tss32, At.tss32, 10, 0x8b),
      vector: 10,
      errorCode: Sel.tss32,
    },
    { name: 'null inner stack', break: (rig: Rig) => rig.word(At.tss32 + 8, 0), vector: 10, errorCode: 0 },
    {
      name: 'inner stack of another level',
      break: (rig: Rig) => rig.word(At.tss32 + 8, Sel.data1 | 1),
      vector: 10,
      errorCode: Sel.data1,
    },
    {
      name: 'inner stack not present',
      break: (rig: Rig) => rig.descriptor(Sel.data0, 0, 0xfffff, 0x13, 0xc),
      vector: 12,
      errorCode: Sel.data0,
    },
    {
      name: 'inner stack too small',
      break: (rig: Rig) => rig.descriptor(Sel.data0, 0, 0xffee, 0x93, 4),
      vector: 12,
      errorCode: Sel.data0,
    },
    {
      name: 'parameters beyond the outer stack',
      break: (rig: Rig) => writeSegment(rig.state, 2, Sel.data3 | 3, 0, 0x23006, 0x4f3),
      vector: 12,
      errorCode: 0,
    },
    {
      name: 'offset beyond the limit',
      break: (rig: Rig) => rig.descriptor(Sel.code0, 0, 0x8fff, 0x9b, 4),
      vector: 13,
      errorCode: 0,
    },
  ])('refuse: $name, and change no register', ({ break: breakIt, vector, errorCode }) => {
    const rig = gated(3, 0xec, Sel.code0, 2)
    breakIt(rig)
    const changed = rig.watch()
    expect(rig.exec(...far(CALL, Sel.free))).toEqual({ vector, errorCode })
    expect(changed()).toEqual([])
  })

  it('cannot be reached through types that mean nothing', () => {
    for (let type = 0; type < 16; type++) {
      if ([1, 4, 5, 9, 12].includes(type)) continue
      const rig = gated(0, 0x80 | type, Sel.code0)
      expect(rig.exec(...far(CALL, Sel.free)), `type ${type}`).toEqual({ vector: 13, errorCode: Sel.free })
    }
  })
})

describe('far RET', () => {
  const push = (rig: Rig, ...values: number[]): void => {
    const sp = rig.state.reg32(4) - values.length * 4
    for (const [n, value] of values.entries()) rig.dword(sp + n * 4, value)
    rig.state.setReg32(4, sp)
  }

  it('obeys type, DPL, CPL and RPL in every combination', () => {
    for (const cpl of levels) {
      for (const rpl of levels) {
        for (let access = 0x10; access < 0x100; access += (access & 0x1f) === 0x1f ? 0x11 : 1) {
          const rig = new Rig().protectedMode(cpl)
          rig.descriptor(Sel.free, 0, 0xfffff, access, 0xc)
          push(rig, TARGET, Sel.free | rpl, 0x5000, (Sel.data0 + rpl * 16) | rpl)
          const dpl = (access >> 5) & 3
          const code = (access & 8) !== 0
          const right = code && rpl >= cpl && ((access & 4) !== 0 ? dpl <= rpl : dpl === rpl)
          const expected = !right
            ? { vector: 13, errorCode: Sel.free }
            : (access & 0x80) === 0
              ? { vector: 11, errorCode: Sel.free }
              : undefined
          expect(rig.exec(0xcb), `cpl ${cpl} rpl ${rpl} ${access.toString(16)}`).toEqual(expected)
          if (expected) continue
          expect([rig.state.selector(1), rig.state.ip, rig.state.cpl]).toEqual([Sel.free | rpl, TARGET, rpl])
          expect(rig.state.reg32(4)).toBe(rpl > cpl ? 0x5000 : 0x20000 + cpl * 0x1000 - 8)
        }
      }
    }
  })

  it('releases parameters from both stacks', () => {
    const rig = new Rig().protectedMode(0)
    push(rig, TARGET, Sel.code3 | 3, 0xaaaa, 0xbbbb, 0x5000, Sel.data3 | 3)
    expect(rig.exec(0xca, 8, 0)).toBeUndefined()
    expect([rig.state.reg32(4), rig.state.selector(2)]).toEqual([0x5008, Sel.data3 | 3])
  })

  it('releases parameters at the same level', () => {
    const rig = new Rig().protectedMode(0)
    push(rig, TARGET, Sel.code0)
    rig.exec(0xca, 0x10, 0)
    expect(rig.state.reg32(4)).toBe(0x20010)
  })

  it('makes data segments null that the outer level may not see', () => {
    const rig = new Rig().protectedMode(0)
    const set = (seg: number, access: number): void => {
      rig.descriptor(Sel.free, 0, 0xfffff, access, 0xc)
      const at = At.gdt + Sel.free
      loadDescriptor(rig.state, seg, Sel.free, {
        selector: Sel.free,
        address: at,
        low: rig.dwordAt(at) | 0,
        high: rig.dwordAt(at + 4) | 0,
      })
    }
    set(0, 0x93)
    set(3, 0xf3)
    set(4, 0x9f)
    set(5, 0xd3)
    push(rig, TARGET, Sel.code3 | 3, 0x5000, Sel.data3 | 3)
    expect(rig.exec(0xcb)).toBeUndefined()
    expect(rig.selectors()).toEqual([0, Sel.code3 | 3, Sel.data3 | 3, Sel.free, Sel.free, 0])
  })

  it.each([
    { name: 'null code', frame: [TARGET, 3], vector: 13, errorCode: 0 },
    { name: 'code beyond the table', frame: [TARGET, 0x203], vector: 13, errorCode: 0x200 },
    { name: 'null stack', frame: [TARGET, Sel.code3 | 3, 0x5000, 0], vector: 13, errorCode: 0 },
    {
      name: 'stack of another RPL',
      frame: [TARGET, Sel.code3 | 3, 0x5000, Sel.data3 | 2],
      vector: 13,
      errorCode: Sel.data3,
    },
    {
      name: 'stack of another DPL',
      frame: [TARGET, Sel.code3 | 3, 0x5000, Sel.data2 | 3],
      vector: 13,
      errorCode: Sel.data2,
    },
    { name: 'code for stack', frame: [TARGET, Sel.code3 | 3, 0x5000, Sel.code3 | 3], vector: 13, errorCode: Sel.code3 },
    {
      name: 'stack not present',
      frame: [TARGET, Sel.code3 | 3, 0x5000, Sel.free | 3],
      vector: 12,
      errorCode: Sel.free,
    },
    {
      name: 'offset beyond the limit',
      frame: [0x1_0000, Sel.free2 | 3, 0x5000, Sel.data3 | 3],
      vector: 13,
      errorCode: 0,
    },
  ])('refuses: $name, and changes nothing', ({ frame, vector, errorCode }) => {
    for (const opcode of [0xcb, 0xcf]) {
      const rig = new Rig().protectedMode(0)
      rig.descriptor(Sel.free, 0, 0xfffff, 0x73, 0xc)
      rig.descriptor(Sel.free2, 0, 0xffff, 0xfb, 4)
      push(rig, ...(opcode === 0xcb ? frame : [frame[0]!, frame[1]!, 2, ...frame.slice(2)]))
      const changed = rig.watch()
      expect(rig.exec(opcode)).toEqual({ vector, errorCode })
      expect(changed()).toEqual([])
    }
  })

  it('needs the whole frame within the stack', () => {
    const rig = new Rig().protectedMode(0)
    push(rig, TARGET, Sel.code3 | 3, 0x5000, Sel.data3 | 3)
    writeSegment(rig.state, 2, Sel.data0, 0, 0x20000 - 2, 0x493)
    expect(rig.exec(0xcb)).toEqual({ vector: 12, errorCode: 0 })
  })

  it('goes to paragraphs in real mode', () => {
    const rig = new Rig()
    rig.word(0x7000, 0x5678)
    rig.word(0x7002, 0x1234)
    expect(rig.exec(0xca, 2, 0)).toBeUndefined()
    expect([rig.state.segBase(1), rig.state.ip, rig.state.reg16(4)]).toEqual([0x12340, 0x5678, 0x7006])
  })
})

describe('IRET', () => {
  const frame = (rig: Rig, ...values: number[]): Rig => {
    const sp = rig.state.reg32(4) - values.length * 4
    for (const [n, value] of values.entries()) rig.dword(sp + n * 4, value)
    rig.state.setReg32(4, sp)
    return rig
  }
  const ALL = 0x3f_7fd7

  it('changes the flags that the level allows', () => {
    const kept = (cpl: 0 | 1 | 2 | 3, iopl: number, bits: 16 | 32, image: number): number => {
      const rig = new Rig().protectedMode(cpl)
      rig.state.eflags = iopl << 12
      const cs = (Sel.code0 + cpl * 16) | cpl
      if (bits === 32) frame(rig, TARGET, cs, image)
      else {
        const sp = 0x20000 + cpl * 0x1000 - 6
        for (const [n, value] of [TARGET, cs, image].entries()) rig.word(sp + n * 2, value)
        rig.state.setReg32(4, sp)
      }
      expect(bits === 32 ? rig.exec(0xcf) : rig.exec(0x66, 0xcf)).toBeUndefined()
      return rig.state.eflags
    }
    const status = Flag.CF | Flag.PF | Flag.AF | Flag.ZF | Flag.SF | Flag.OF | Flag.TF | Flag.DF | 2
    const image = ALL & ~(Flag.VM | Flag.NT)
    expect(kept(0, 0, 32, image)).toBe(status | Flag.IF | Flag.IOPL | Flag.RF | Flag.AC | Flag.VIF | Flag.VIP | Flag.ID)
    expect(kept(1, 2, 32, image)).toBe(status | Flag.IF | 0x2000 | Flag.RF | Flag.AC | Flag.ID)
    expect(kept(3, 2, 32, image)).toBe(status | 0x2000 | Flag.RF | Flag.AC | Flag.ID)
    expect(kept(0, 0, 16, image)).toBe(status | Flag.IF | Flag.IOPL)
    expect(kept(3, 0, 16, image)).toBe(status)
    expect(kept(3, 0, 32, ALL)).toBe(status | Flag.NT | Flag.RF | Flag.AC | Flag.ID)
  })

  it('returns outward with the flags of the level it leaves', () => {
    const rig = frame(new Rig().protectedMode(0), TARGET, Sel.code3 | 3, Flag.IF | 0x3000, 0x5000, Sel.data3 | 3)
    expect(rig.exec(0xcf)).toBeUndefined()
    expect([rig.state.cpl, rig.state.ip, rig.state.eflags, rig.state.reg32(4)]).toEqual([3, TARGET, 0x3202, 0x5000])
    expect(rig.selectors()).toEqual([0, Sel.code3 | 3, Sel.data3 | 3, 0, 0, 0])
  })

  it('enters virtual-8086 mode from ring 0', () => {
    const rig = frame(
      new Rig().protectedMode(0),
      0x5678,
      0x1234,
      Flag.VM | Flag.IF | 0x3000,
      0xfffe,
      0x2000,
      0x3000,
      0x4000,
      0x5000,
      0x6000,
    )
    expect(rig.exec(0xcf)).toBeUndefined()
    expect([rig.state.virtual8086, rig.state.cpl, rig.state.ip, rig.state.reg32(4)]).toEqual([true, 3, 0x5678, 0xfffe])
    expect(rig.selectors()).toEqual([0x3000, 0x1234, 0x2000, 0x4000, 0x5000, 0x6000])
    expect(rig.state.segBase(1)).toBe(0x12340)
    expect([rig.state.segLimit(3), rig.state.attributes(3)]).toEqual([0xffff, 0xf3])
  })

  it('does not enter virtual-8086 mode from elsewhere, nor beyond 64 KB', () => {
    const outer = frame(new Rig().protectedMode(3), TARGET, Sel.code3 | 3, Flag.VM)
    expect(outer.exec(0xcf)).toBeUndefined()
    expect(outer.state.virtual8086).toBe(false)
    const far = frame(new Rig().protectedMode(0), 0x1_0000, 0x1234, Flag.VM, 0, 0, 0, 0, 0, 0)
    const changed = far.watch()
    expect(far.exec(0xcf)).toEqual({ vector: 13, errorCode: 0 })
    expect(changed()).toEqual([])
  })

  it('in virtual-8086 mode needs IOPL 3, and keeps IOPL and VM', () => {
    const rig = new Rig().virtual8086(2)
    expect(rig.exec(0xcf)).toEqual({ vector: 13, errorCode: 0 })
    const free = new Rig().virtual8086(3)
    free.word(0x18000, 0x5678)
    free.word(0x18002, 0x1234)
    free.word(0x18004, 0x0001)
    expect(free.exec(0xcf)).toBeUndefined()
    expect([free.state.ip, free.state.segBase(1), free.state.eflags]).toEqual([0x5678, 0x12340, Flag.VM | 0x3003])
  })

  it('in real mode changes everything but VM, VIF and VIP', () => {
    const rig = new Rig()
    rig.dword(0x7000, 0x5678)
    rig.dword(0x7004, 0x1234)
    rig.dword(0x7008, 0xffff_ffff)
    expect(rig.exec(0x66, 0xcf)).toBeUndefined()
    expect(rig.state.eflags).toBe(0x25_7fd7)
    expect(rig.state.reg16(4)).toBe(0x700c)
  })

  it('opens the door to NMIs even when it faults', () => {
    const rig = new Rig().virtual8086(0)
    rig.events.nmiBlocked = true
    expect(rig.exec(0xcf)?.vector).toBe(13)
    expect(rig.events.nmiBlocked).toBe(false)
  })

  it('raises #GP at the target when it makes a virtual interrupt pending', () => {
    const rig = new Rig().protectedMode(0)
    rig.state.set32(Layout.cr4, 1)
    frame(rig, 0x5678, 0x1234, Flag.VM | Flag.VIF | Flag.VIP, 0xfffe, 0, 0, 0, 0, 0)
    expect(rig.exec(0xcf)).toEqual({ vector: 13, errorCode: 0 })
    expect([rig.state.virtual8086, rig.state.ip]).toEqual([true, 0x5678])
  })
})

describe('SYSENTER and SYSEXIT', () => {
  const ready = (cpl: 0 | 3): Rig => {
    const rig = new Rig().protectedMode(cpl)
    Object.assign(rig.msrs, { sysenterCs: 0x63, sysenterEsp: 0xc100_0000, sysenterEip: 0xc010_0000 })
    return rig
  }
  it('go to ring 0 and back without looking at descriptors', () => {
    const rig = ready(3)
    rig.state.eflags = Flag.IF | Flag.CF
    rig.state.set32(Layout.gdtLimit, 0)
    expect(rig.exec(0x0f, 0x34)).toBeUndefined()
    expect([rig.state.cpl, rig.state.ip, rig.state.reg32(4) >>> 0, rig.state.eflags]).toEqual([
      0, 0xc010_0000, 0xc100_0000, 3,
    ])
    expect([rig.state.selector(1), rig.state.selector(2)]).toEqual([0x60, 0x68])
    rig.state.setReg32(1, 0x1234)
    rig.state.setReg32(2, 0x5678)
    expect(rig.exec(0x0f, 0x35)).toBeUndefined()
    expect([rig.state.cpl, rig.state.ip, rig.state.reg32(4)]).toEqual([3, 0x5678, 0x1234])
    expect([rig.state.selector(1), rig.state.selector(2)]).toEqual([0x73, 0x7b])
    expect([rig.state.attributes(1), rig.state.attributes(2)]).toEqual([0xcfb, 0xcf3])
  })
  it('raise #GP(0) without a selector, in real mode, and SYSEXIT outside ring 0', () => {
    const gp = { vector: 13, errorCode: 0 }
    const none = ready(0)
    none.msrs.sysenterCs = 3
    expect([none.exec(0x0f, 0x34), none.exec(0x0f, 0x35)]).toEqual([gp, gp])
    expect(ready(3).exec(0x0f, 0x35)).toEqual(gp)
    expect(new Rig().exec(0x0f, 0x34)).toEqual(gp)
  })
})

describe('INT in virtual-8086 mode', () => {
  const vme = (iopl: number, bit: 0 | 1): Rig => {
    const rig = new Rig().virtual8086(iopl)
    rig.state.set32(Layout.cr4, 1)
    rig.word(At.tss32 + 0x66, 0x100)
    rig.linear.bytes[At.tss32 + 0x100 - 32 + (0x21 >> 3)] = bit << (0x21 & 7)
    rig.dword(0x21 * 4, 0x4321_8765)
    rig.idt(0x21, Sel.code0, TARGET, 0xee)
    rig.state.setFlag(Flag.VIF, true)
    return rig
  }
  it('goes to the protected-mode handler at IOPL 3 (methods 1 and 4)', () => {
    for (const rig of [vme(3, 1), Object.assign(vme(3, 1), {})]) {
      expect(rig.exec(0xcd, 0x21)).toBeUndefined()
      expect([rig.state.virtual8086, rig.state.ip]).toEqual([false, TARGET])
    }
    const plain = vme(3, 0)
    plain.state.set32(Layout.cr4, 0)
    expect(plain.exec(0xcd, 0x21)).toBeUndefined()
    expect(plain.state.virtual8086).toBe(false)
  })
  it('raises #GP(0) below IOPL 3 (methods 2 and 3)', () => {
    expect(vme(0, 1).exec(0xcd, 0x21)).toEqual({ vector: 13, errorCode: 0 })
    const plain = vme(0, 0)
    plain.state.set32(Layout.cr4, 0)
    expect(plain.exec(0xcd, 0x21)).toEqual({ vector: 13, errorCode: 0 })
  })
  it('stays within the program at IOPL 3 (method 5)', () => {
    const rig = vme(3, 0)
    expect(rig.exec(0xcd, 0x21)).toBeUndefined()
    expect([rig.state.selector(1), rig.state.ip]).toEqual([0x4321, 0x8765])
    expect(rig.stack(3, 16)).toEqual([0x102, 0x1000, 0x3202])
    expect([rig.state.flag(Flag.IF), rig.state.flag(Flag.VIF)]).toEqual([false, true])
  })
  it('stays within the program below IOPL 3 with VIF for IF (method 6)', () => {
    const rig = vme(0, 0)
    rig.state.setFlag(Flag.IF, false)
    expect(rig.exec(0xcd, 0x21)).toBeUndefined()
    expect(rig.stack(3, 16)).toEqual([0x102, 0x1000, 0x3202])
    expect(rig.state.flag(Flag.VIF)).toBe(false)
  })
  it('does not redirect INT3 and INTO, and asks no IOPL of them', () => {
    const rig = vme(0, 0)
    rig.idt(3, Sel.code0, TARGET, 0xee)
    expect(rig.exec(0xcc)).toBeUndefined()
    expect(rig.state.virtual8086).toBe(false)
  })
  it('raises #GP(0) when the TSS holds no redirection map', () => {
    const rig = vme(3, 0)
    rig.word(At.tss32 + 0x66, 0x10)
    expect(rig.exec(0xcd, 0x21)).toEqual({ vector: 13, errorCode: 0 })
  })
})

describe('INT1 and INTO', () => {
  it('INTO acts on OF only', () => {
    const rig = new Rig().protectedMode(0)
    rig.idt(4, Sel.code0, TARGET, 0x8e)
    rig.exec(0xce)
    expect(rig.state.ip).toBe(At.code + 1)
    rig.state.eflags = Flag.OF
    rig.exec(0xce)
    expect(rig.state.ip).toBe(TARGET)
    expect(rig.stack(1)).toEqual([At.code + 2])
  })
  it('INT1 passes gates of ring 0 and leaves DR6 alone', () => {
    const rig = new Rig().protectedMode(3)
    rig.idt(1, Sel.code0, TARGET, 0x8e)
    rig.events.pendingDebug = 0x4000
    expect(rig.exec(0xf1)).toBeUndefined()
    expect([rig.state.cpl, rig.state.get32(Layout.dr + 48) >>> 0, rig.events.pendingDebug]).toEqual([0, 0xffff_0ff0, 0])
  })
})
