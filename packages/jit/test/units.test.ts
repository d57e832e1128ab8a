/**
 * Random code of the x87 unit, MMX and SSE against the reference engine, in runs of every length: translations keep registers
 * in locals and take TOP, tags and the control word for known, so each way out and back must see to that.
 */
import { Layout } from '@vmexit/x86'
import { describe, expect, it } from 'vitest'
import { Random } from '../../x86/test/random.ts'
import { At, Both, hex, word } from './both.ts'
import { eager } from './eager.ts'

/** Operands: doubles, whose parts are singles and integers; behind them values of 80 bits and control words. */
const DATA = 0x2_0000
const OTHERS = DATA + 0x200
/** What is stored, in another page. */
const OUT = 0x2_2000
const bits = (value: number): bigint => {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  return view.getBigUint64(0)
}
const DOUBLES = [
  ...[0, -0, 1, -1, 3, -7, 0.5, 1e300, -1e-300, 1 / 3, Math.PI, -123456.789, 2 ** 40 + 1, 65537, 0.1].map(bits),
  // A denormal, an infinity, NaNs; what is no single either.
  ...[1n, 0x7ff0n << 48n, 0xfff8n << 48n, (0x7ff0n << 48n) | 1n, 0x0000_0001_7f80_0001n],
]
const SPECIAL = 5
/** The last four are denormal, a NaN, an unnormal and a signalling NaN. */
const EXTENDED = [
  ...[
    '0000000000000080ff3f',
    '00000000000000c00040',
    '0000000000000000ff3f',
    'ffffffffffffffffffbf',
    'abaaaaaaaaaaaaaafd3f',
  ],
  ...['01000000000000000000', '00000000000000c0ff7f', '0000000000000040ff3f', '0100000000000080ff7f'],
]
const CONTROL_WORDS = ['7f03', '7f02', '7f0f', '7f00', '7f07', '7b03', '5f03']
const MXCSRS = ['801f0000', 'a01f0000', 'c09f0000', '803f0000', '001f0000']
const AT = { extended: 0, control: 0x60, mxcsr: 0x70 } as const

const byte = (value: number): string => (value & 0xff).toString(16).padStart(2, '0')

/** One instruction or a few. ESI leads to the middle of the doubles, EBX to the others, EDI to what is stored. */
function instruction(random: Random, calm: boolean): string {
  const double = (): string => byte(random.below(DOUBLES.length - (calm ? SPECIAL : 0)) * 8 - 64)
  const st = random.below(calm ? 3 : 8)
  const [x, y] = [random.below(8), random.below(8)]
  const reg = byte(0xc0 + x * 8 + y)
  const memory = byte(0x46 + x * 8)
  const slot = byte(random.below(16) * 8)
  const usual: readonly (() => string)[] = [
    // fld m64, m32; fstp, fst m64; fstp m32
    () => `dd46${double()}`,
    () => `d946${double()}`,
    () => `dd5f${slot}`,
    () => `dd57${slot}`,
    () => `d95f${slot}`,
    // Arithmetic and comparison with m64, m32, m16int, m32int; between registers
    () => `${random.pick(['dc', 'd8', 'de', 'da'])}${memory}${double()}`,
    () => `${random.pick(['d8', 'dc', 'de'])}${byte(0xc0 + random.pick([0, 1, 4, 5, 6, 7]) * 8 + st)}`,
    () => `d8${byte(0xc0 + x * 8 + st)}`,
    // fld, fxch, ffree, fst, fstp, fucom
    () => `d9${byte(0xc0 + st)}`,
    () => `d9${byte(0xc8 + st)}`,
    () => `dd${byte(random.pick([0xc0, 0xd0, 0xd8, 0xd8, 0xe0, 0xe8]) + st)}`,
    // fld1, fldz, fldpi, fabs, fchs, fxam, ftst, fsqrt, frndint, fscale, fprem, fxtract, fdecstp, fincstp, fnop
    () =>
      `d9${random.pick(['e8', 'ee', 'eb', 'e1', 'e0', 'e5', 'e4', 'fa', 'fc', 'fd', 'f8', 'f4', 'f6', 'f7', 'd0'])}`,
    // fild; fist, fistp; fld, fstp m80
    () => `${random.pick(['df46', 'db46', 'df6e'])}${double()}`,
    () => `${random.pick(['df5f', 'db5f', 'df57', 'db57', 'df7f'])}${slot}`,
    () => `db6b${byte(random.below(EXTENDED.length - (calm ? 4 : 0)) * 10)}`,
    () => `db7f${slot}`,
    // fcomi, fucomip; fcmov; fnstsw ax, fnstcw, fnclex, fwait, fnstsw
    () => `${random.pick(['db', 'df'])}${byte(random.pick([0xe8, 0xf0]) + st)}`,
    () => `${random.pick(['da', 'db'])}${byte(0xc0 + random.below(4) * 8 + st)}`,
    () => random.pick(['dfe0', `d97f${slot}`, 'dbe2', '9b', `dd7f${slot}`]),
    // movsd: load, store, between; movss
    () => `f20f10${memory}${double()}`,
    () => `f20f11${byte(0x47 + x * 8)}${slot}`,
    () => `f30f10${memory}${double()}`,
    () => `f20f10${reg}`,
    // Arithmetic of scalars and vectors, with registers and memory
    () =>
      `${random.pick(['f2', 'f2', 'f3', '66', ''])}0f${random.pick(['58', '59', '5c', '5e', '51', '5d', '5f'])}${reg}`,
    () => `${random.pick(['f2', 'f2', 'f3'])}0f${random.pick(['58', '59', '5c', '5e'])}${memory}${double()}`,
    // comisd, cvtsi2sd, cvttsd2si, cvtss2sd, movaps, movd, movq, paddd and others, movaps to memory
    () => `660f2f${reg}`,
    () => `f20f2a${byte(0xc0 + x * 8)}`,
    () => `f20f2c${byte(0xd0 + y)}`,
    () => `f30f5a${reg}`,
    () => `0f28${reg}`,
    () => `660f${random.pick(['6e', '7e'])}${byte(0xc0 + x * 8)}`,
    () => `660fd6${byte(0x47 + x * 8)}${slot}`,
    () => `660f${random.pick(['fe', 'ef', 'd4'])}${reg}`,
    () => `0f29${byte(0x47 + x * 8)}${byte(random.below(4) * 16)}`,
  ]
  const rare: readonly (() => string)[] = [
    // fldcw, ldmxcsr, stmxcsr, fninit
    () => `d96b${byte(AT.control + random.below(calm ? 1 : CONTROL_WORDS.length) * 2)}`,
    () => `0fae53${byte(AT.mxcsr + random.below(calm ? 2 : MXCSRS.length) * 4)}`,
    () => `0fae5f${slot}`,
    () => 'dbe3',
    // movq mm0, paddb; pxor, emms; emms; fnsave, frstor; flags that are asked for
    () => `0f6f46${double()} 0ffc${reg}`,
    () => `0fef${reg} 0f77`,
    () => '0f77',
    () => 'ddb300020000 dda300020000',
    () => '83c00f 11c2',
  ]
  return random.pick(random.one(calm ? 30 : 10) ? rare : usual)()
}

const sizeOf = (code: string): number => code.replaceAll(' ', '').length / 2

/** What is done over and over: a loop, a call that leaves a value, a page that goes away, code that changes itself. */
function program(seed: number): Record<number, string> {
  const random = new Random(seed)
  const calm = seed % 4 !== 3
  const some = (count: number): string =>
    Array.from({ length: 1 + random.below(count) }, () => instruction(random, calm)).join(' ')
  // mov eax, 600h; mov cr4, eax; mov esi; mov edi; mov ebx
  let text = `b800060000 0f22e0 be${word(DATA + 64)} bf${word(OUT)} bb${word(OTHERS)}`
  // fninit, or fnclex and fldcw, so that the stack goes on from one time to the next
  if (calm || random.one(2)) text += random.one(2) ? ' dbe3' : ` dbe2 d96b${byte(AT.control)}`
  text += ` ${some(12)}`
  // mov ecx, 3; some; dec ecx; jnz
  const inner = some(10)
  text += ` b903000000 ${inner} 49 0f85${word(-(sizeOf(inner) + 7))}`
  // The page that is stored to becomes absent.
  if (random.one(3)) text += ` 832588400000fe 0f013d${word(OUT)}`
  text += ` ${some(8)}`
  // The function: some, fld1, ret; fstp st(0), mostly.
  text += ` e8${word(At.far - (At.code + sizeOf(text) + 5))}`
  if (!random.one(6)) text += ' ddd8'
  // inc byte [the immediate]; mov edx, 0
  if (random.one(2)) text += ` fe05${word(At.code + sizeOf(text) + 7)} ba00000000`
  text += ` ${some(6)}`
  text += ` e9${word(At.code - (At.code + sizeOf(text) + 5))}`
  return { [At.code]: text, [At.far]: `${some(3)} d9e8 c3` }
}

/** All of the units, with what no register shows. */
function unitWords({ all }: Both): number[][] {
  return all.map(({ cpu: { state } }) => {
    const from = (state.base + Layout.fpr) >> 2
    return [...state.host.i32.subarray(from, from + ((Layout.xmm + 8 * 16 - Layout.fpr) >> 2))]
  })
}

describe.each([1, 2] as const)('translated the %i. time', (threshold) => {
  const seeds = Array.from({ length: 24 }, (_, n) => n + threshold * 1000)
  it.each(seeds)('random code of the units leaves what the reference engine leaves, wherever runs end: %i', (seed) => {
    const both = new Both(program(seed), { engine: eager(threshold), paging: true })
    const write = (at: number, values: readonly string[], size: number): void => {
      for (const [n, value] of values.entries()) both.write(at + n * size, hex(value))
    }
    const doubles = DOUBLES.map((value) => word(Number(value & 0xffff_ffffn)) + word(Number(value >> 32n)))
    write(DATA, doubles, 8)
    write(OTHERS + AT.extended, EXTENDED, 10)
    write(OTHERS + AT.control, CONTROL_WORDS, 2)
    write(OTHERS + AT.mxcsr, MXCSRS, 4)
    for (let n = 0; n < 150; n++) {
      both.run(1 + ((n * 7) % 83))
      const [a, b] = unitWords(both)
      expect(b).toEqual(a)
    }
    both.end()
  })
})
