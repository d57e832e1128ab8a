/** Encodes instructions of a row of the instruction table, with random fields. */
import { createDecoder, createInsn, type Decoder, type Insn, type Row } from '@vmexit/x86-decoder'

export type Bits = 16 | 32 | 64

/** The parts of a row's opcode column. */
interface Opcode {
  readonly mandatory: number
  readonly wide: boolean
  /** 0F and 0F 38 in front. */
  readonly leading: readonly number[]
  readonly byte: number
  /** `+r`, `+cc`: how many opcodes. */
  readonly span: number
  /** ModRM.reg, 'r' for any, none without ModRM. */
  readonly extension: number | 'r' | 'none'
  /** A whole second or third byte that is a ModRM, and how many from it on. */
  readonly modrm: { readonly first: number; readonly span: number } | undefined
  readonly immediates: readonly string[]
}

const MANDATORY: { readonly [prefix: string]: number } = { NP: 0, '66': 0x66, F3: 0xf3, F2: 0xf2 }

function readOpcode(text: string): Opcode {
  const words = text.split(' ')
  let mandatory = -1
  let wide = false
  const bytes: { first: number; span: number }[] = []
  let extension: Opcode['extension'] = 'none'
  const immediates: string[] = []
  words.forEach((word, i) => {
    const spanned = /^([0-9A-F]{2})(\+\w+)?$/.exec(word)
    if (i === 0 && words.length > 1 && word in MANDATORY) mandatory = MANDATORY[word]!
    else if (word === 'REX.W') wide = true
    else if (spanned)
      bytes.push({
        first: Number.parseInt(spanned[1]!, 16),
        span: spanned[2] === undefined ? 1 : spanned[2] === '+cc' ? 16 : 8,
      })
    else if (word === '/r') extension = 'r'
    else if (word.startsWith('/')) extension = Number(word[1])
    else immediates.push(word)
  })
  const isPrefix = (byte: number): boolean => bytes.length > 1 && bytes[0]!.first === byte
  const leading: number[] = []
  if (isPrefix(0x0f)) {
    leading.push(bytes.shift()!.first)
    if (isPrefix(0x38)) leading.push(bytes.shift()!.first)
  }
  const [opcode, modrm] = bytes
  return { mandatory, wide, leading, byte: opcode!.first, span: opcode!.span, extension, modrm, immediates }
}

/** Addresses as an instruction may form them. */
export interface Address {
  /** 16, 32 or 64. */
  readonly size: Bits
  /** Register numbers, −1 for none; `rip`: relative to the next instruction. */
  readonly base: number
  readonly index: number
  readonly scale: 0 | 1 | 2 | 3
  readonly disp: number
  readonly rip?: boolean
}

export interface Choice {
  readonly operandSize: Bits
  /** Memory operand, or undefined for registers. */
  readonly address: Address | undefined
  /** Register fields: ModRM.reg, and ModRM.rm or the opcode's. */
  readonly reg: number
  readonly rm: number
  /** Low bits of the opcode: condition or stack register. */
  readonly low: number
  /** Prefix bytes in front: segments, LOCK, REP. */
  readonly prefixes: readonly number[]
  readonly rex: number
  /** Size of the immediate by letter gives its bytes. */
  immediate(code: string, bytes: number): readonly number[]
}

const decoder: Decoder = createDecoder()
const opcodes = new Map<Row, Opcode>()

/** The instruction's bytes, or undefined where the row has no such encoding. `insn` is filled in. */
export function encode(row: Row, bits: Bits, choice: Choice, insn: Insn): Uint8Array | undefined {
  const opcode = opcodes.get(row) ?? readOpcode(row.opcode)
  opcodes.set(row, opcode)
  const bytes: number[] = [...choice.prefixes]
  const size = choice.operandSize
  if (opcode.mandatory > 0) bytes.push(opcode.mandatory)
  else if (bits === 64 ? size === 16 : size !== bits) bytes.push(0x66)
  const { address } = choice
  const addressSize = address?.size ?? bits
  if (addressSize !== bits) bytes.push(0x67)
  let rex = choice.rex
  if (opcode.wide || (size === 64 && row.width === 'v')) rex |= 0x48
  if (bits === 64) {
    if (choice.reg & 8) rex |= 0x44
    if (address ? address.base >= 8 : choice.rm & 8) rex |= 0x41
    if (address && address.index >= 8) rex |= 0x42
    if (rex !== 0) bytes.push(rex)
  }
  bytes.push(...opcode.leading)
  const hasModrm = opcode.extension !== 'none'
  bytes.push(opcode.byte + (opcode.span === 16 ? choice.low & 15 : opcode.span === 8 ? choice.rm & 7 : 0))
  if (opcode.modrm) bytes.push(opcode.modrm.first + (opcode.modrm.span === 8 ? choice.low & 7 : 0))
  else if (hasModrm) {
    const reg = opcode.extension === 'r' ? choice.reg & 7 : (opcode.extension as number)
    if (address) bytes.push(...addressBytes(address, reg, bits))
    else bytes.push(0xc0 | (reg << 3) | (choice.rm & 7))
  }
  for (const code of opcode.immediates) bytes.push(...choice.immediate(code, immediateBytes(code, size, addressSize)))
  const out = Uint8Array.from(bytes)
  const padded = new Uint8Array(16)
  if (out.length > 15) return undefined
  padded.set(out)
  const length = decoder.decode(padded, 0, 16, bits, insn)
  return length === out.length && insn.row === row ? out : undefined
}

function immediateBytes(code: string, size: number, addressSize: number): number {
  switch (code) {
    case 'ib':
    case 'cb':
      return 1
    case 'iw':
      return 2
    case 'iz':
    case 'cz':
      return size === 16 ? 2 : 4
    case 'iv':
      return size >> 3
    case 'mo':
      return addressSize >> 3
    default:
      return size === 16 ? 4 : 6
  }
}

const FORMS16: readonly (readonly [base: number, index: number])[] = [
  [3, 6],
  [3, 7],
  [5, 6],
  [5, 7],
  [6, -1],
  [7, -1],
  [5, -1],
  [3, -1],
]

function addressBytes(address: Address, reg: number, bits: Bits): number[] {
  const { base, index, scale, disp } = address
  const little = (count: number): number[] => Array.from({ length: count }, (_, i) => (disp >> (8 * i)) & 0xff)
  const small = disp >= -128 && disp < 128
  if (address.size === 16) {
    if (base < 0) return [(reg << 3) | 6, ...little(2)]
    const rm = FORMS16.findIndex(([b, i]) => b === base && i === index)
    if (disp === 0 && rm !== 6) return [(reg << 3) | rm]
    return small ? [0x40 | (reg << 3) | rm, ...little(1)] : [0x80 | (reg << 3) | rm, ...little(2)]
  }
  if (address.rip) return [(reg << 3) | 5, ...little(4)]
  const sib = index >= 0 || base < 0 || (base & 7) === 4
  // Without a SIB byte, 64-bit code would read an absolute address as relative to the instruction.
  if (base < 0 && index < 0 && bits !== 64) return [(reg << 3) | 5, ...little(4)]
  const rm = sib ? 4 : base & 7
  const tail = sib ? [(scale << 6) | ((index < 0 ? 4 : index & 7) << 3) | (base < 0 ? 5 : base & 7)] : []
  if (base < 0) return [(reg << 3) | rm, ...tail, ...little(4)]
  if (disp === 0 && (base & 7) !== 5) return [(reg << 3) | rm, ...tail]
  return small ? [0x40 | (reg << 3) | rm, ...tail, ...little(1)] : [0x80 | (reg << 3) | rm, ...tail, ...little(4)]
}

/** All pairs of base and index that 16-bit addressing has, and none. */
export const addressForms16: readonly (readonly [base: number, index: number])[] = [...FORMS16, [-1, -1]]

/** An instruction to encode into. */
export const scratchInsn: () => Insn = createInsn
