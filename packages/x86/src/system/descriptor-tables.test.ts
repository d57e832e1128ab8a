import { describe, expect, it } from 'vitest'
import { At, Rig, Sel } from '../../test/system/rig.ts'
import { Flag, Layout, LDTR, TR } from '../state/layout.ts'

const GP = { vector: 13, errorCode: 0 }
const UD = { vector: 6, errorCode: undefined }
const levels = [0, 1, 2, 3] as const

describe('LGDT, LIDT, SGDT, SIDT', () => {
  it('load 24 bits of base with a 16-bit operand size, 32 else; store all', () => {
    const rig = new Rig().protectedMode(0)
    rig.word(0x7000, 0x1234)
    rig.dword(0x7002, 0x89ab_cdef)
    expect(rig.exec(0x0f, 0x01, 0x15, 0, 0x70, 0, 0)).toBeUndefined()
    expect([rig.state.getNumber(Layout.gdtBase), rig.state.get32(Layout.gdtLimit)]).toEqual([0x89ab_cdef, 0x1234])
    expect(rig.exec(0x66, 0x0f, 0x01, 0x1d, 0, 0x70, 0, 0)).toBeUndefined()
    expect([rig.state.getNumber(Layout.idtBase), rig.state.get32(Layout.idtLimit)]).toEqual([0xab_cdef, 0x1234])
    expect(rig.exec(0x66, 0x0f, 0x01, 0x05, 0, 0x71, 0, 0)).toBeUndefined()
    expect([rig.wordAt(0x7100), rig.dwordAt(0x7102)]).toEqual([0x1234, 0x89ab_cdef])
  })
  it('storing is open to all levels and writes nothing when it faults', () => {
    const rig = new Rig().protectedMode(3)
    expect(rig.exec(0x0f, 0x01, 0x0d, 0, 0x71, 0, 0)).toBeUndefined()
    expect([rig.wordAt(0x7100), rig.dwordAt(0x7102)]).toEqual([0x7ff, At.idt])
    rig.linear.deny = (linear) => linear === 0x7205
    const changed = rig.watch()
    expect(rig.exec(0x0f, 0x01, 0x0d, 0, 0x72, 0, 0)).toEqual({ vector: 14, errorCode: 6 })
    expect(changed()).toEqual([])
  })
})

describe('in real and virtual-8086 mode', () => {
  it.each([
    { name: 'SLDT', bytes: [0x0f, 0x00, 0xc0] },
    { name: 'STR', bytes: [0x0f, 0x00, 0xc8] },
    { name: 'LLDT', bytes: [0x0f, 0x00, 0xd0] },
    { name: 'LTR', bytes: [0x0f, 0x00, 0xd8] },
    { name: 'VERR', bytes: [0x0f, 0x00, 0xe0] },
    { name: 'VERW', bytes: [0x0f, 0x00, 0xe8] },
    { name: 'LAR', bytes: [0x0f, 0x02, 0xc1] },
    { name: 'LSL', bytes: [0x0f, 0x03, 0xc1] },
    { name: 'ARPL', bytes: [0x63, 0xc1] },
  ])('$name is undefined', ({ bytes }) => {
    expect(new Rig().exec(...bytes)).toEqual(UD)
    expect(new Rig().virtual8086(3).exec(...bytes)).toEqual(UD)
  })
})

describe('LLDT and LTR', () => {
  const exec = (rig: Rig, op: 'lldt' | 'ltr', selector: number): ReturnType<Rig['exec']> => {
    rig.state.setReg32(0, selector)
    return rig.exec(0x0f, 0x00, op === 'lldt' ? 0xd0 : 0xd8)
  }
  it('take exactly their types, present, from the GDT', () => {
    for (let access = 0; access < 256; access++) {
      for (const op of ['lldt', 'ltr'] as const) {
        const rig = new Rig().protectedMode(0)
        rig.descriptor(Sel.free, 0x1_2345, 0x67, access)
        const right = op === 'lldt' ? (access & 0x1f) === 2 : (access & 0x1f) === 1 || (access & 0x1f) === 9
        const expected = !right ? 13 : (access & 0x80) === 0 ? 11 : undefined
        const outcome = exec(rig, op, Sel.free | 3)
        expect(outcome).toEqual(expected ? { vector: expected, errorCode: Sel.free } : undefined)
        if (outcome) continue
        const seg = op === 'lldt' ? LDTR : TR
        expect([rig.state.selector(seg), rig.state.segBase(seg), rig.state.segLimit(seg)]).toEqual([
          Sel.free | 3,
          0x1_2345,
          0x67,
        ])
        expect(rig.access(Sel.free)).toBe(op === 'ltr' ? access | 2 : access)
      }
    }
  })
  it('refuse the LDT, what lies beyond the GDT, and null for TR only', () => {
    const rig = new Rig().protectedMode(0)
    for (const op of ['lldt', 'ltr'] as const) {
      expect(exec(rig, op, Sel.ldt | 4)).toEqual({ vector: 13, errorCode: Sel.ldt | 4 })
      expect(exec(rig, op, 0x200)).toEqual({ vector: 13, errorCode: 0x200 })
    }
    expect(exec(rig, 'ltr', 3)).toEqual(GP)
    expect(exec(rig, 'lldt', 0)).toBeUndefined()
    rig.state.setReg32(0, 0x0c)
    expect(rig.exec(0x8e, 0xd8)).toEqual({ vector: 13, errorCode: 0x0c })
  })
  it('SLDT and STR read them at any level', () => {
    const rig = new Rig().protectedMode(3)
    rig.state.setReg32(0, -1)
    rig.exec(0x0f, 0x00, 0xc0)
    expect(rig.state.reg32(0)).toBe(Sel.ldt)
    rig.exec(0x66, 0x0f, 0x00, 0xc8)
    expect(rig.state.reg32(0)).toBe(Sel.tss32)
  })
})

describe('LAR, LSL, VERR, VERW', () => {
  const zf = (rig: Rig): boolean => (rig.state.statusFlags() & Flag.ZF) !== 0
  it('see by type, DPL, CPL and RPL, in every combination, and never fault', () => {
    for (const cpl of levels) {
      for (const rpl of levels) {
        const rig = new Rig().protectedMode(cpl)
        for (let access = 0; access < 256; access++) {
          rig.descriptor(Sel.free, 0x55_0000, 0x4_5678, access, 0xc)
          const dpl = (access >> 5) & 3
          const type = access & 0x1f
          const conforming = (type & 0x1c) === 0x1c
          const seen = conforming || (dpl >= cpl && dpl >= rpl)
          const check = (bytes: number[], expected: boolean, value?: number): void => {
            rig.state.ip = At.code
            rig.state.eflags = expected ? Flag.CF : Flag.CF | Flag.ZF
            rig.state.setReg32(0, 0x7777_7777)
            rig.state.setReg32(1, Sel.free | rpl)
            expect(rig.exec(...bytes)).toBeUndefined()
            expect(zf(rig), `access ${access.toString(16)} cpl ${cpl} rpl ${rpl}`).toBe(expected)
            expect(rig.state.statusFlags() & Flag.CF).toBe(Flag.CF)
            if (value !== undefined) expect(rig.state.reg32(0)).toBe(expected ? value : 0x7777_7777)
          }
          const rights = type >= 16 || [1, 2, 3, 4, 5, 9, 11, 12].includes(type)
          check([0x0f, 0x02, 0xc1], seen && rights, 0x00c4_0000 | (access << 8))
          const limit = type >= 16 || [1, 2, 3, 9, 11].includes(type)
          check([0x0f, 0x03, 0xc1], seen && limit, 0x4567_8fff)
          check([0x0f, 0x00, 0xe1], seen && type >= 16 && ((type & 8) === 0 || (type & 2) !== 0))
          check([0x0f, 0x00, 0xe9], seen && (type & 0x1a) === 0x12)
        }
      }
    }
  })
  it('clear ZF for null and for what lies beyond the table', () => {
    const rig = new Rig().protectedMode(0)
    for (const selector of [0, 3, 0x200]) {
      rig.state.setReg32(1, selector)
      rig.state.eflags = Flag.ZF
      expect(rig.exec(0x0f, 0x02, 0xc1)).toBeUndefined()
      expect(zf(rig)).toBe(false)
    }
  })
  it('cut to 16 bits', () => {
    const rig = new Rig().protectedMode(0)
    rig.state.setReg32(0, 0x7777_7777)
    rig.state.setReg32(1, Sel.code0)
    rig.exec(0x66, 0x0f, 0x02, 0xc1)
    expect(rig.state.reg32(0)).toBe(0x7777_9b00)
    rig.exec(0x66, 0x0f, 0x03, 0xc1)
    expect(rig.state.reg32(0)).toBe(0x7777_ffff)
  })
})

describe('ARPL', () => {
  it('raises the RPL, in register and memory', () => {
    for (const from of levels) {
      for (const to of levels) {
        const rig = new Rig().protectedMode(3)
        rig.state.setReg32(0, 0x1_0030 | from)
        rig.state.setReg32(1, 0x10 | to)
        rig.word(0x7000, 0x30 | from)
        expect(rig.exec(0x63, 0xc8)).toBeUndefined()
        expect([rig.state.reg32(0), rig.state.statusFlags()]).toEqual([
          0x1_0030 | Math.max(from, to),
          from < to ? Flag.ZF : 0,
        ])
        expect(rig.exec(0x63, 0x0d, 0, 0x70, 0, 0)).toBeUndefined()
        expect(rig.wordAt(0x7000)).toBe(0x30 | Math.max(from, to))
      }
    }
  })
  it('needs writable memory even where it changes nothing', () => {
    const rig = new Rig().protectedMode(3)
    rig.linear.deny = (_linear, write) => write
    rig.state.setReg32(1, 0)
    expect(rig.exec(0x63, 0x0d, 0, 0x70, 0, 0)).toEqual({ vector: 14, errorCode: 6 })
  })
})
