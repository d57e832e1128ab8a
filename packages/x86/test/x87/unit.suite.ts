/** What the x87 unit does around its instructions: faults before and after them, pointers, stack faults, precise stores. */
import { describe, expect, it } from 'vitest'
import { type EngineChoice, Layout, Vector } from '../../src/index.ts'
import { refreshMode } from '../../src/system/mode.ts'
import { nameOf } from '../engine.ts'
import { Machine, OPERAND } from './machine.ts'

const ONE = '3fff8000000000000000'
const THIRD = '3ffdaaaaaaaaaaaaaaab'
const ZERO = '00000000000000000000'

/** ModRM of [BX]. */
const memory = (extension: number): number => (extension << 3) | 7
const FDIV_ST1 = [0xd8, 0xf1]
const FWAIT = [0x9b]
const FNSTSW_AX = [0xdf, 0xe0]
const FNCLEX = [0xdb, 0xe2]

export function unitSuite(engine: EngineChoice): void {
  describe(`the x87 unit on the ${nameOf(engine)}`, () => {
    it('raises #MF at the next instruction that waits, and not before', () => {
      const m = new Machine(engine)
      m.load([ONE, ZERO], { control: 0x37b }) // divide-by-zero is not masked
      expect(m.execute(...FDIV_ST1)).toBe(-1)
      expect(m.st(0)).toBe(ONE)
      expect(m.status & 0x80ff).toBe(0x8084)
      expect(m.execute(...FNSTSW_AX)).toBe(-1)
      expect(m.execute(0xd9, 0xe0)).toBe(Vector.MF) // FCHS
      expect(m.st(0)).toBe(ONE)
      expect(m.execute(...FWAIT)).toBe(Vector.MF)
      expect(m.execute(...FNCLEX)).toBe(-1)
      expect(m.execute(...FWAIT)).toBe(-1)
      expect(m.status & 0x80ff).toBe(0)
    })

    it('makes a pending exception of a flag whose mask is taken away, and forgets it when the mask comes back', () => {
      const m = new Machine(engine)
      m.load([THIRD], { status: 0x20 })
      m.operand = Uint8Array.of(0x5f, 0x03)
      expect(m.execute(0xd9, memory(5))).toBe(-1) // FLDCW
      expect(m.status & 0x80ff).toBe(0x80a0)
      expect(m.execute(0xd9, memory(5))).toBe(Vector.MF)
      expect(m.execute(0xd9, memory(7))).toBe(-1) // FNSTCW does not wait
      expect([...m.operand.subarray(0, 2)]).toEqual([0x5f, 0x03])
    })

    it('raises #NM when the unit is switched off, FWAIT only with CR0.MP', () => {
      const m = new Machine(engine)
      const { state } = m.cpu
      const withCr0 = (bits: number, ...code: number[]): number => {
        const cr0 = state.get32(Layout.cr0)
        state.set32(Layout.cr0, cr0 | bits)
        refreshMode(m.cpu)
        const vector = m.execute(...code)
        state.set32(Layout.cr0, cr0)
        refreshMode(m.cpu)
        return vector
      }
      m.load([ONE])
      const [MP, EM, TS] = [2, 4, 8]
      expect(withCr0(TS, 0xd9, 0xe0)).toBe(Vector.NM)
      expect(withCr0(EM, 0xd9, 0xe0)).toBe(Vector.NM)
      expect(withCr0(EM, 0xdb, 0xe3)).toBe(Vector.NM) // FNINIT
      expect(m.st(0)).toBe(ONE)
      expect(withCr0(TS, ...FWAIT)).toBe(-1)
      expect(withCr0(EM, ...FWAIT)).toBe(-1)
      expect(withCr0(MP | TS, ...FWAIT)).toBe(Vector.NM)
    })

    it('notes where the last instruction and its operand are, control instructions aside', () => {
      const m = new Machine(engine)
      const { state } = m.cpu
      m.load([ONE])
      m.operand = new Uint8Array(10)
      m.execute(0x26, 0xd8, memory(0)) // FADD ES:[BX], real mode: selector 0
      const { opcode, instruction, operand } = m.x87
      expect([opcode, operand]).toEqual([memory(0), BigInt(OPERAND)])
      expect(instruction).toBe(BigInt(state.ip - 3))
      m.execute(...FNSTSW_AX)
      m.execute(...FNCLEX)
      m.execute(0xd9, memory(7))
      expect(m.x87).toMatchObject({ opcode, instruction, operand })
      m.execute(0xdc, 0xc9) // FMUL ST(1), ST(0)
      expect(m.x87).toMatchObject({ opcode: 0x4c9, operand })
    })

    it('fills what a masked stack fault finds empty, and says in C1 which way it was', () => {
      const m = new Machine(engine)
      m.load([ONE])
      m.execute(0xd8, 0xc1) // FADD ST, ST(1): ST(1) is empty
      expect(m.st(0)).toBe('ffffc000000000000000')
      expect(m.status & 0x24f).toBe(0x41)
      m.load([ONE, ONE, ONE, ONE, ONE, ONE, ONE, THIRD])
      m.execute(0xd9, 0xe8) // FLD1 over ST(7)
      expect(m.st(0)).toBe('ffffc000000000000000')
      expect(m.status & 0x24f).toBe(0x241)
      m.load([])
      m.execute(0xd9, memory(3)) // FSTP m32
      expect([...m.operand.subarray(0, 4)]).toEqual([0, 0, 0xc0, 0xff])
      expect((m.status >> 11) & 7).toBe(1)
    })

    it('stores nothing and pops nothing when a store faults', () => {
      const m = new Machine(engine)
      m.load([THIRD])
      const { x87 } = m
      // FSTP m64 at FFFC: the last bytes are beyond the limit of 64 KB.
      for (const store of [
        [0xdd, 0x1e, 0xfc, 0xff], // m64fp
        [0xdb, 0x3e, 0xf8, 0xff], // m80fp
        [0xdf, 0x36, 0xf8, 0xff], // FBSTP
        [0xdf, 0x3e, 0xfc, 0xff], // m64int
      ]) {
        m.memory.write32(0xfff8, 0x11111111)
        m.memory.write32(0xfffc, 0x22222222)
        expect(m.execute(...store)).toBe(Vector.GP)
        expect(m.x87).toEqual(x87)
        expect([m.memory.read32(0xfff8), m.memory.read32(0xfffc)]).toEqual([0x11111111, 0x22222222])
      }
    })

    it('rounds the constants in the direction of RC', () => {
      const m = new Machine(engine)
      const values = [0, 1, 2, 3].map((rounding) => {
        m.load([], { control: 0x37f | (rounding << 10) })
        m.execute(0xd9, 0xeb) // FLDPI
        return m.st(0).slice(-2)
      })
      expect(values).toEqual(['35', '34', '35', '34'])
    })
  })
}
