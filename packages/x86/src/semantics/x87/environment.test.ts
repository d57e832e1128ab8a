/** The unit's images in memory, by the instructions that write and read them. */
import { describe, expect, it } from 'vitest'
import { Machine, OPERAND } from '../../../test/x87/machine.ts'
import { Layout, Vector } from '../../index.ts'
import type { Fault } from '../../system/fault.ts'
import { environmentImage, parseEnvironment, parseState, stateImage, type X87State } from './image.ts'

const ONE = '3fff8000000000000000'
const NAN = '7fffc000000000000001'
const ZERO = '00000000000000000000'
const DENORMAL = '00000000000000000001'
const [FNSTENV, FLDENV, FNSAVE, FRSTOR] = [
  [0xd9, 0x37],
  [0xd9, 0x27],
  [0xdd, 0x37],
  [0xdd, 0x27],
]
const [FXSAVE, FXRSTOR] = [
  [0x0f, 0xae, 0x07],
  [0x0f, 0xae, 0x0f],
]
/** Operand size 32 in 16-bit code. */
const WIDE = 0x66

/** Several bytes of memory at the operand. */
function bytes(m: Machine, length: number): number[] {
  const into = new Uint8Array(length)
  m.memory.readBytes(OPERAND, into)
  return [...into]
}
const word = (m: Machine, offset: number): number => m.memory.read16(OPERAND + offset)

describe('the environment', () => {
  it('says what the registers hold in the tag word, masks all exceptions and forgets the pending one', () => {
    const m = new Machine('reference')
    m.load([ONE, ZERO, NAN, DENORMAL], { control: 0x37b, status: 0x4504 })
    expect(m.status & 0x8080).toBe(0x8080)
    m.execute(...FNSTENV!)
    // R4 valid, R5 zero, R6 and R7 special, the rest empty.
    expect([word(m, 0), word(m, 2), word(m, 4)]).toEqual([0x37b, 0xe584, 0b10100100_11111111])
    expect(m.x87.control).toBe(0x37f)
    expect(m.status).toBe(0x6504)
    m.execute(...FLDENV!)
    expect(m.x87.control).toBe(0x37b)
    expect(m.status).toBe(0xe584)
    expect(m.x87.empty).toBe(0x0f)
  })

  it('has linear addresses in real mode, selectors in protected mode', () => {
    const state: X87State = {
      control: 0x37f,
      status: 0x3800,
      empty: 0xff,
      stack: Array.from({ length: 8 }, () => ({ significand: 0n, se: 0 })),
      opcode: 0x7a5,
      instruction: 0x1234n,
      codeSelector: 0xf00d,
      operand: 0x8765_4321n,
      dataSelector: 0xbeef,
    }
    const hex = (image: Uint8Array): string =>
      image.reduceRight((text, byte) => text + byte.toString(16).padStart(2, '0'), '')
    const real16 = environmentImage(state, { bits: 16, linear: true })
    expect(hex(real16)).toBe('1000' + '3211' + 'f7a5' + '1304' + 'ffff' + '3800' + '037f')
    const protected16 = environmentImage(state, { bits: 16, linear: false })
    expect(hex(protected16)).toBe('beef' + '4321' + 'f00d' + '1234' + 'ffff' + '3800' + '037f')
    const real32 = environmentImage(state, { bits: 32, linear: true })
    expect(hex(real32).slice(0, 32)).toBe('08771000' + 'ffff3211' + '0000f7a5' + 'ffff1304')
    const protected32 = environmentImage(state, { bits: 32, linear: false })
    expect(hex(protected32).slice(0, 32)).toBe('ffffbeef' + '87654321' + '07a5f00d' + '00001234')
    expect(parseEnvironment(protected32, { bits: 32, linear: false })).toMatchObject({
      opcode: 0x7a5,
      instruction: 0x1234n,
      codeSelector: 0xf00d,
      operand: 0x8765_4321n,
      dataSelector: 0xbeef,
    })
    expect(parseEnvironment(real32, { bits: 32, linear: true })).toMatchObject({
      instruction: 0xf1304n,
      opcode: 0x7a5,
      codeSelector: 0,
    })
    for (const bits of [16, 32] as const) {
      const image = stateImage(state, { bits, linear: false })
      expect(image.length).toBe(bits === 16 ? 94 : 108)
      expect(stateImage(parseState(image, { bits, linear: false }), { bits, linear: false })).toEqual(image)
    }
  })
})

describe('the whole state', () => {
  it.each([
    ['94 bytes', [], 94],
    ['108 bytes', [WIDE], 108],
  ])('is saved in %s, initialised, and restored', (_, prefix, length) => {
    const m = new Machine('reference')
    m.load([ONE, NAN, ZERO], { control: 0xb7f, status: 0x20 })
    const before = { ...m.x87, codeSelector: 0, dataSelector: 0 }
    m.memory.writeBytes(OPERAND, new Uint8Array(128).fill(0xee))
    m.execute(...prefix, ...FNSAVE!)
    expect(m.x87).toMatchObject({ control: 0x37f, status: 0, empty: 0xff })
    expect(bytes(m, 128).slice(length)).toEqual(new Array(128 - length).fill(0xee))
    m.execute(...prefix, ...FRSTOR!)
    expect(m.x87).toEqual(before)
  })

  it('goes with MXCSR and XMM registers into the 512 bytes of FXSAVE, of which the last are not touched', () => {
    const m = new Machine('reference')
    const { state } = m.cpu
    m.load([ONE, NAN], { status: 0x4000 })
    const before = m.x87
    state.set32(Layout.cr4, 0x200)
    state.set32(Layout.mxcsr, 0x1fa0)
    state.set64(Layout.xmm + 7 * 16 + 8, 0x1122_3344_5566_7788n)
    m.memory.writeBytes(OPERAND, new Uint8Array(512).fill(0xee))
    m.execute(...FXSAVE!)
    expect(m.x87).toEqual(before)
    expect([word(m, 0), word(m, 2), word(m, 4)]).toEqual([0x37f, 0x7000, 0xc0])
    expect(m.memory.read32(OPERAND + 24)).toBe(0x1fa0)
    expect(m.memory.read32(OPERAND + 28)).toBe(0xffff)
    expect(bytes(m, 42).slice(32)).toEqual([0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f])
    expect(bytes(m, 288).slice(280)).toEqual([0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11])
    expect(bytes(m, 512).slice(288)).toEqual(new Array(224).fill(0xee))
    m.execute(0xdb, 0xe3)
    state.set32(Layout.mxcsr, 0x1f80)
    state.set64(Layout.xmm + 7 * 16 + 8, 0n)
    m.execute(...FXRSTOR!)
    expect(m.x87).toEqual(before)
    expect([state.get32(Layout.mxcsr), state.get64(Layout.xmm + 7 * 16 + 8)]).toEqual([0x1fa0, 0x1122_3344_5566_7788n])
  })

  it('is refused with #GP(0) off a 16-byte boundary and with reserved bits of MXCSR', () => {
    const m = new Machine('reference')
    const vectorOf = (...code: number[]): number => {
      try {
        return m.execute(...code)
      } catch (error) {
        return (error as Fault).vector
      }
    }
    m.load([ONE])
    const before = m.x87
    m.cpu.state.set32(Layout.cr4, 0x200)
    expect(vectorOf(0x0f, 0xae, 0x47, 0x08)).toBe(Vector.GP) // FXSAVE [BX+8]
    expect(vectorOf(...FXSAVE!)).toBe(-1)
    m.memory.write32(OPERAND + 24, 0x1_0000)
    m.memory.write16(OPERAND, 0x27f)
    expect(vectorOf(...FXRSTOR!)).toBe(Vector.GP)
    expect(m.x87).toEqual(before)
  })
})
