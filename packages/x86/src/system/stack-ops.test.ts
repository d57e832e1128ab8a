import { describe, expect, it } from 'vitest'
import { At, Rig, Sel } from '../../test/system/rig.ts'
import { Layout } from '../state/layout.ts'
import { writeSegment } from './segments.ts'

const numbered = (rig: Rig): Rig => {
  for (let n = 0; n < 8; n++) if (n !== 4) rig.state.setReg32(n, 0x1111_0000 * (n + 1) + n)
  return rig
}
const registers = (rig: Rig): number[] => [0, 1, 2, 3, 4, 5, 6, 7].map((n) => rig.state.reg32(n) >>> 0)

describe('PUSHA and POPA', () => {
  it.each([16, 32] as const)('keep registers, with the old stack pointer in the image: %i bits', (bits) => {
    const rig = numbered(new Rig().protectedMode(0))
    const before = registers(rig)
    const prefix = bits === 16 ? [0x66] : []
    expect(rig.exec(...prefix, 0x60)).toBeUndefined()
    const mask = bits === 16 ? 0xffff : 0xffff_ffff
    expect(rig.stack(8, bits)).toEqual([7, 6, 5, 4, 3, 2, 1, 0].map((n) => (before[n]! & mask) >>> 0))
    for (let n = 0; n < 8; n++) if (n !== 4) rig.state.setReg32(n, 0)
    expect(rig.exec(...prefix, 0x61)).toBeUndefined()
    expect(registers(rig)).toEqual(before.map((value, n) => (n === 4 ? value : (value & mask) >>> 0)))
  })

  it('PUSHA writes nothing when the image does not fit', () => {
    const rig = new Rig().protectedMode(0)
    writeSegment(rig.state, 2, Sel.data0, 0, 0x1fff0, 0x497)
    const changed = rig.watch()
    expect(rig.exec(0x60)).toEqual({ vector: 12, errorCode: 0 })
    expect(changed()).toEqual([])
  })

  it('PUSHA in real mode: SP 7 to 15 raise #GP, 1 to 5 #SS, the rest goes round', () => {
    const outcome = (sp: number): number | undefined => {
      const rig = new Rig()
      rig.state.setReg16(4, sp)
      return rig.exec(0x60)?.vector
    }
    expect([1, 3, 5].map(outcome)).toEqual([12, 12, 12])
    expect([7, 9, 11, 13, 15].map(outcome)).toEqual([13, 13, 13, 13, 13])
    expect([0, 2, 8, 16, 17].map(outcome)).toEqual([undefined, undefined, undefined, undefined, undefined])
  })

  it('POPA changes nothing when it faults', () => {
    const rig = numbered(new Rig().protectedMode(0))
    rig.linear.deny = (linear) => linear === 0x2001c
    const changed = rig.watch()
    expect(rig.exec(0x61)).toEqual({ vector: 14, errorCode: 0 })
    expect(changed()).toEqual([])
  })
})

describe('ENTER', () => {
  it('makes a frame', () => {
    const rig = new Rig().protectedMode(0)
    rig.state.setReg32(5, 0x1234_5678)
    expect(rig.exec(0xc8, 0x20, 0, 0)).toBeUndefined()
    expect([rig.state.reg32(5), rig.state.reg32(4)]).toEqual([0x1fffc, 0x1fffc - 0x20])
    expect(rig.dwordAt(0x1fffc)).toBe(0x1234_5678)
  })

  it.each([1, 2, 3, 31, 32, 33])('copies the display of level %i', (level) => {
    const rig = new Rig().protectedMode(0)
    rig.state.setReg32(5, 0x2f000)
    for (let n = 1; n < 32; n++) rig.dword(0x2f000 - 4 * n, 0xd000 + n)
    expect(rig.exec(0xc8, 8, 0, level)).toBeUndefined()
    const depth = level & 31
    expect(rig.state.reg32(5)).toBe(0x1fffc)
    const sp = 0x1fffc - 4 * depth - 8
    expect(rig.state.reg32(4)).toBe(sp)
    const frame = Array.from({ length: depth + 1 }, (_, n) => rig.dwordAt(0x1fffc - 4 * n))
    const display = Array.from({ length: Math.max(depth - 1, 0) }, (_, n) => 0xd001 + n)
    expect(frame).toEqual([0x2f000, ...display, ...(depth > 0 ? [0x1fffc] : [])])
  })

  it('leaves the upper half of EBP with a 16-bit operand size', () => {
    const rig = new Rig().protectedMode(0)
    rig.state.setReg32(5, 0x1234_5678)
    rig.exec(0x66, 0xc8, 0, 0, 0)
    expect([rig.state.reg32(5), rig.state.reg32(4)]).toEqual([0x1234_fffe, 0x1fffe])
  })

  it('needs the final stack pointer to be writable, and changes no register else', () => {
    const rig = new Rig().protectedMode(0)
    rig.linear.deny = (linear) => linear < 0x1f000
    expect(rig.exec(0xc8, 0, 0x20, 0)).toEqual({ vector: 14, errorCode: 2 })
    expect(rig.state.reg32(4)).toBe(0x20000)
    const small = new Rig().protectedMode(0)
    writeSegment(small.state, 2, Sel.data0, 0, 0x1f000, 0x497)
    expect(small.exec(0xc8, 0, 0x20, 0)).toEqual({ vector: 12, errorCode: 0 })
    expect([small.state.reg32(4), small.state.reg32(5)]).toEqual([0x20000, 0])
  })
})

describe('BOUND', () => {
  it('compares with sign, bounds included', () => {
    for (const [index, fault] of [
      [-6, true],
      [-5, false],
      [0, false],
      [10, false],
      [11, true],
    ] as const) {
      const rig = new Rig().protectedMode(0)
      rig.dword(0x7000, -5)
      rig.dword(0x7004, 10)
      rig.state.setReg32(0, index)
      expect(rig.exec(0x62, 0x05, 0, 0x70, 0, 0)).toEqual(fault ? { vector: 5, errorCode: undefined } : undefined)
      rig.word(0x7000, -5)
      rig.word(0x7002, 10)
      expect(rig.exec(0x66, 0x62, 0x05, 0, 0x70, 0, 0)).toEqual(fault ? { vector: 5, errorCode: undefined } : undefined)
    }
  })
})

describe('segment registers on the stack and in pointers', () => {
  it('PUSH zero-extends to the operand size, POP takes the low word', () => {
    const rig = new Rig().protectedMode(0)
    rig.dword(0x1fffc, 0xffff_ffff)
    expect(rig.exec(0x0e)).toBeUndefined()
    expect(rig.stack(1)).toEqual([Sel.code0])
    rig.dword(0x1fffc, 0xabcd_0000 | Sel.data3)
    expect(rig.exec(0x1f)).toBeUndefined()
    expect([rig.state.selector(3), rig.state.reg32(4)]).toEqual([Sel.data3, 0x20000])
  })

  it('POP of a bad selector leaves the stack pointer', () => {
    const rig = new Rig().protectedMode(0)
    rig.dword(0x20000, 0x200)
    expect(rig.exec(0x07)).toEqual({ vector: 13, errorCode: 0x200 })
    expect(rig.state.reg32(4)).toBe(0x20000)
  })

  it('POP SS holds interrupts off, LSS does not', () => {
    const rig = new Rig().protectedMode(0)
    rig.dword(0x20000, Sel.data0)
    rig.exec(0x17)
    expect(rig.events.shadow).toBe('ss')
    rig.events.shadow = 'none'
    rig.dword(0x7000, 0x1234)
    rig.word(0x7004, Sel.data0)
    expect(rig.exec(0x0f, 0xb2, 0x25, 0, 0x70, 0, 0)).toBeUndefined()
    expect([rig.events.shadow, rig.state.reg32(4)]).toEqual(['none', 0x1234])
  })

  it('LDS loads both or neither', () => {
    const rig = new Rig().protectedMode(0)
    rig.dword(0x7000, 0x5555_6666)
    rig.word(0x7004, 0x200)
    const changed = rig.watch()
    expect(rig.exec(0xc5, 0x05, 0, 0x70, 0, 0)).toEqual({ vector: 13, errorCode: 0x200 })
    expect(changed()).toEqual([])
    rig.word(0x7004, Sel.data3 | 3)
    expect(rig.exec(0xc5, 0x05, 0, 0x70, 0, 0)).toBeUndefined()
    expect([rig.state.reg32(0), rig.state.selector(3)]).toEqual([0x5555_6666, Sel.data3 | 3])
  })

  it('MOV from a segment register zero-extends in a register and writes a word to memory', () => {
    const rig = new Rig().protectedMode(3)
    rig.state.setReg32(0, -1)
    rig.exec(0x8c, 0xc8)
    expect(rig.state.reg32(0)).toBe(Sel.code3 | 3)
    rig.state.setReg32(0, -1)
    rig.exec(0x66, 0x8c, 0xc8)
    expect(rig.state.reg32(0) >>> 0).toBe((0xffff_0000 | Sel.code3 | 3) >>> 0)
    rig.dword(0x7000, 0xffff_ffff)
    rig.exec(0x8c, 0x0d, 0, 0x70, 0, 0)
    expect(rig.dwordAt(0x7000)).toBe((0xffff_0000 | Sel.code3 | 3) >>> 0)
  })
})

describe('16-bit addressing', () => {
  it('wraps the offset, and not the access', () => {
    const rig = new Rig()
    rig.state.setReg32(3, 0xffff)
    rig.state.setReg32(6, 1)
    rig.word(0, Sel.data0)
    // MOV ES, [BX+SI]; then at 0xFFFF.
    expect(rig.exec(0x8e, 0x00)).toBeUndefined()
    expect(rig.state.selector(0)).toBe(Sel.data0)
    rig.state.setReg32(6, 0)
    expect(rig.exec(0x8e, 0x00)).toEqual({ vector: 13, errorCode: 0 })
    expect(rig.state.ip).toBe(At.code + 2)
  })
})

describe('64-bit code', () => {
  const long = (): Rig => {
    const rig = new Rig().protectedMode(3)
    rig.state.set32(Layout.efer, 0x500)
    writeSegment(rig.state, 1, Sel.code3 | 3, 0, 0xffff_ffff, 0xafb)
    return rig
  }
  it('ENTER keeps all 64 bits of frame pointers', () => {
    const rig = long()
    rig.state.setReg64(5, 0x2f008n)
    rig.dword(0x2f000, 0x9abc_def1)
    rig.dword(0x2f004, 0x1234_5678)
    expect(rig.exec(0xc8, 0x10, 0, 2)).toBeUndefined()
    expect([rig.state.reg64(5), rig.state.reg64(4)]).toEqual([0x22ff8n, 0x22ff8n - 0x20n])
    expect([rig.dwordAt(0x22ff0), rig.dwordAt(0x22ff4), rig.dwordAt(0x22fe8)]).toEqual([
      0x9abc_def1, 0x1234_5678, 0x22ff8,
    ])
  })
  it('PUSH and POP of FS move 8 bytes', () => {
    const rig = long()
    expect(rig.exec(0x0f, 0xa0)).toBeUndefined()
    expect([rig.state.reg64(4), rig.stack(2)]).toEqual([0x22ff8n, [Sel.data3 | 3, 0]])
    rig.dword(0x22ff8, 0)
    expect(rig.exec(0x0f, 0xa1)).toBeUndefined()
    expect([rig.state.reg64(4), rig.state.selector(4)]).toEqual([0x23000n, 0])
  })
  it('a stack pointer that is not canonical raises #SS(0)', () => {
    for (const sp of [0x0000_8000_0000_0000n, 0x7fff_ffff_ffff_ffffn, -0x8000_0000_0000_0000n]) {
      const rig = long()
      rig.state.setReg64(4, sp)
      expect(rig.exec(0x9d)).toEqual({ vector: 12, errorCode: 0 })
      expect(rig.state.reg64(4)).toBe(sp)
    }
  })
  it('the upper half of the address space is as good', () => {
    const rig = long()
    rig.state.setReg64(4, -0x1000n)
    expect(rig.exec(0x9c)).toBeUndefined()
    expect(rig.state.reg64(4)).toBe(-0x1008n)
  })
})
