/** The decoder: bytes to an instruction, by opcode maps built from the table. SDM volume 2, chapter 2. */
import { type Form, memorySlots, sizeCount, slotsWithoutRex, Tail } from './form.ts'
import type { DecodeFailure, Insn, Seg } from './insn.ts'
import { buildOpcodeMap, columnLength, mapBase, type OpcodeMap } from './opcode-map.ts'
import type { Feature } from './row.ts'
import { table } from './table/index.ts'

/** Failure codes of `Decoder.decode`: negative, so that a length is always positive. */
export const Failure = { truncated: -1, tooLong: -2, undefined: -3 } as const
export type Failure = (typeof Failure)[keyof typeof Failure]

const failureNames: readonly DecodeFailure[] = ['truncated', 'tooLong', 'undefined']

/** The name of a failure code. */
export function failureName(code: number): DecodeFailure {
  return failureNames[-1 - code]!
}

/** No instruction is longer (SDM volume 2, section 2.3.11); a longer one raises #GP. */
export const maxLength = 15

/** Every feature that rows of the table name. */
export const allFeatures: readonly Feature[] = [...new Set(table.map((row) => row.feature))]

/** What a decoder knows. */
export interface DecoderOptions {
  /** Features of the processor; rows of others are undefined. Default: all. `386` is always present. */
  readonly features?: Iterable<Feature>
}

/** A decoder for one set of features: {@link createDecoder}. */
export interface Decoder {
  /**
   * Decodes the instruction at `bytes[offset]`, of which bytes up to `end` may be read, into `out`.
   * Returns its length 1–15, or a `Failure`; after a failure `out` holds no instruction.
   * `bits` is the code segment's default size, 64 for a 64-bit code segment.
   */
  decode(bytes: Uint8Array, offset: number, end: number, bits: 16 | 32 | 64, out: Insn): number
}

/** Bytes in front of the opcode. */
const Prefix = { none: 0, operandSize: 1, addressSize: 2, rep: 3, lock: 4, segment: 5, ignored: 6, rex: 7 } as const

function prefixTable(long: boolean): Uint8Array {
  const kinds = new Uint8Array(256)
  kinds[0x66] = Prefix.operandSize
  kinds[0x67] = Prefix.addressSize
  kinds[0xf2] = Prefix.rep
  kinds[0xf3] = Prefix.rep
  kinds[0xf0] = Prefix.lock
  kinds.fill(Prefix.segment, 0x64, 0x66)
  for (const byte of [0x26, 0x2e, 0x36, 0x3e]) kinds[byte] = long ? Prefix.ignored : Prefix.segment
  if (long) kinds.fill(Prefix.rex, 0x40, 0x50)
  return kinds
}

const legacyPrefixes = prefixTable(false)
const longPrefixes = prefixTable(true)

/** 16-bit addressing by ModRM.rm: base and index of BX 3, BP 5, SI 6, DI 7. */
const bases16 = new Int8Array([3, 3, 5, 5, 6, 7, 5, 3])
const indexes16 = new Int8Array([6, 7, 6, 7, -1, -1, -1, -1])

const sizes = [16, 32, 64] as const
const ds = 3
const ss = 2
const es = 0

function word(bytes: Uint8Array, p: number): number {
  return bytes[p]! | (bytes[p + 1]! << 8)
}

function dword(bytes: Uint8Array, p: number): number {
  return bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24)
}

/** Bytes that a tail takes, for operand size index 0–2 and address size index 0–2. */
function tailLength(tail: Tail, size: number, addressSize: number): number {
  switch (tail) {
    case Tail.none:
      return 0
    case Tail.byte:
    case Tail.signedByte:
      return 1
    case Tail.word:
      return 2
    case Tail.enter:
      return 3
    case Tail.z:
    case Tail.relative:
      return size === 0 ? 2 : 4
    case Tail.farPointer:
      return size === 0 ? 4 : 6
    case Tail.v:
      return 2 << size
    default:
      return 2 << addressSize
  }
}

/**
 * The failure of an encoding that is undefined, once its ModRM byte is read: the rest of its bytes is measured first, because an
 * instruction that is too long, or not all there, is so before it is undefined.
 */
function undefinedUnlessLonger(
  bytes: Uint8Array,
  p: number,
  limit: number,
  short: number,
  modrm: number,
  addressSize: number,
  tail: Tail,
): number {
  const mod = modrm >> 6
  const rm = modrm & 7
  let length = 0
  if (mod === 1) length = 1
  else if (mod === 2) length = addressSize === 0 ? 2 : 4
  else if (mod === 0 && addressSize === 0 && rm === 6) length = 2
  else if (mod === 0 && addressSize !== 0 && rm === 5) length = 4
  if (mod !== 3 && addressSize !== 0 && rm === 4) {
    if (p >= limit) return short
    length += mod === 0 && (bytes[p]! & 7) === 5 ? 5 : 1
  }
  return p + length + tailLength(tail, 0, addressSize) > limit ? short : Failure.undefined
}

/**
 * One long function over small tables, because a CPU that decodes every time lives in it: 21 M instructions/s over the text of a
 * 64-bit shell (Node 24, one core of a shared machine), 27 M/s in 32-bit mode.
 */
class TableDecoder implements Decoder {
  readonly #legacy: OpcodeMap
  readonly #long: OpcodeMap

  constructor(features: ReadonlySet<Feature>) {
    this.#legacy = buildOpcodeMap(table, features, false)
    this.#long = buildOpcodeMap(table, features, true)
  }

  decode(bytes: Uint8Array, offset: number, end: number, bits: 16 | 32 | 64, out: Insn): number {
    const long = bits === 64
    const limit = end - offset < maxLength ? end : offset + maxLength
    const short = end - offset < maxLength ? Failure.truncated : Failure.tooLong
    const prefixes = long ? longPrefixes : legacyPrefixes
    const map = long ? this.#long : this.#legacy
    let p = offset

    let rex = 0
    let rep = 0
    let lock = false
    let has66 = false
    let has67 = false
    let override = -1
    let byte = 0
    for (;;) {
      if (p >= limit) return short
      byte = bytes[p++]!
      const prefix = prefixes[byte]!
      if (prefix === Prefix.none) break
      if (prefix === Prefix.rex) {
        rex = byte
        continue
      }
      // A REX that is not the last prefix is ignored.
      rex = 0
      if (prefix === Prefix.operandSize) has66 = true
      else if (prefix === Prefix.addressSize) has67 = true
      else if (prefix === Prefix.rep) rep = byte
      else if (prefix === Prefix.lock) lock = true
      else if (prefix === Prefix.segment) override = byte >= 0x64 ? byte - 0x60 : (byte >> 3) & 3
    }

    let base = mapBase.one as number
    if (byte === 0x0f) {
      if (p >= limit) return short
      byte = bytes[p++]!
      base = mapBase.two
      if (byte === 0x38) {
        if (p >= limit) return short
        byte = bytes[p++]!
        base = mapBase.three
      }
    }
    const column = rep !== 0 ? (rep === 0xf3 ? 2 : 3) : has66 ? 1 : 0
    const opcode = map[column * columnLength + base + byte]
    if (!opcode) return Failure.undefined

    const addressSize = long ? (has67 ? 1 : 2) : (bits === 32) !== has67 ? 1 : 0
    let form: Form | null = opcode.form
    let modrm = -1
    let slot: number
    out.base = -1
    out.index = -1
    out.scale = 0
    out.disp = 0
    out.dispHigh = 0
    out.ripRelative = false
    let segment = ds
    if (opcode.modrm) {
      if (p >= limit) return short
      modrm = bytes[p++]!
      const reg = (modrm >> 3) & 7
      const isRegister = modrm >= 0xc0
      if (opcode.group !== null) form = opcode.group[isRegister ? modrm - 0xb8 : reg]!
      if (form === null) return undefinedUnlessLonger(bytes, p, limit, short, modrm, addressSize, opcode.tail)
      if ((rex & 8) !== 0 && form.wide !== null) form = form.wide
      if ((rex & 4) !== 0 && ((form.extendedRegs >> reg) & 1) === 0) return Failure.undefined
      if (isRegister || form.ignoresMod) {
        slot = memorySlots + ((reg | ((rex & 4) << 1)) << 4) + ((modrm & 7) | ((rex & 1) << 3))
      } else {
        slot = reg | ((rex & 4) << 1)
        const mod = modrm >> 6
        const rm = modrm & 7
        if (addressSize === 0) {
          if (mod === 0 && rm === 6) {
            if (p + 2 > limit) return short
            out.disp = (word(bytes, p) << 16) >> 16
            p += 2
          } else {
            out.base = bases16[rm]!
            out.index = indexes16[rm]!
            if (out.base === 5) segment = ss
            if (mod === 1) {
              if (p >= limit) return short
              out.disp = (bytes[p++]! << 24) >> 24
            } else if (mod === 2) {
              if (p + 2 > limit) return short
              out.disp = (word(bytes, p) << 16) >> 16
              p += 2
            }
          }
        } else {
          let wide = mod === 2
          let low = rm
          if (rm === 4) {
            if (p >= limit) return short
            const sib = bytes[p++]!
            low = sib & 7
            const index = ((sib >> 3) & 7) | ((rex & 2) << 2)
            if (index !== 4) {
              out.index = index
              out.scale = (sib >> 6) as 0 | 1 | 2 | 3
            }
          }
          if (mod === 0 && low === 5) {
            wide = true
            out.ripRelative = long && rm === 5
          } else {
            const number = low | ((rex & 1) << 3)
            out.base = number
            if (number === 4 || number === 5) segment = ss
          }
          if (wide) {
            if (p + 4 > limit) return short
            out.disp = dword(bytes, p)
            p += 4
          } else if (mod === 1) {
            if (p >= limit) return short
            out.disp = (bytes[p++]! << 24) >> 24
          }
        }
        out.dispHigh = out.disp >> 31
      }
    } else {
      if ((rex & 1) !== 0 && opcode.extended !== null) form = opcode.extended
      if (form === null) return Failure.undefined
      slot = (byte & 7) | ((rex & 1) << 3)
    }

    const { row } = form
    const narrow = has66 && !form.sizeMandatory
    const size = long
      ? (rex & 8) !== 0 || row.width === 'f64'
        ? 2
        : narrow
          ? 0
          : row.width === 'd64'
            ? 2
            : 1
      : (bits === 32) !== narrow
        ? 1
        : 0

    let imm = 0
    let immHigh = 0
    let imm2 = 0
    const { tail } = form
    if (tail !== Tail.none) {
      const at = p
      p += tailLength(tail, size, addressSize)
      if (p > limit) return short
      if (tail === Tail.byte) imm = bytes[at]!
      else if (tail === Tail.signedByte) imm = (bytes[at]! << 24) >> 24
      else if (tail === Tail.z) imm = size === 0 ? word(bytes, at) : dword(bytes, at)
      else if (tail === Tail.relative) imm = size === 0 ? (word(bytes, at) << 16) >> 16 : dword(bytes, at)
      else if (tail === Tail.word) imm = word(bytes, at)
      else if (tail === Tail.v) imm = size === 0 ? word(bytes, at) : dword(bytes, at)
      else if (tail === Tail.enter) {
        imm = word(bytes, at)
        imm2 = bytes[at + 2]!
      } else if (tail === Tail.farPointer) {
        imm = size === 0 ? word(bytes, at) : dword(bytes, at)
        imm2 = word(bytes, p - 2)
      } else {
        out.disp = addressSize === 0 ? (word(bytes, at) << 16) >> 16 : dword(bytes, at)
        out.dispHigh = addressSize === 2 ? dword(bytes, at + 4) : out.disp >> 31
      }
      immHigh = tail === Tail.v && size === 2 ? dword(bytes, at + 4) : imm >> 31
    }

    const key = (slot + (rex !== 0 ? slotsWithoutRex : 0)) * sizeCount + size
    const operands = form.cache[key] ?? form.fill(key, byte, modrm, rex, size)
    // LOCK may stand only before an instruction that writes memory.
    if (lock && (!row.lockable || modrm >= 0xc0)) return Failure.undefined

    if (form.pointer >= 0) {
      out.base = form.pointer
      if (form.pointer === 7) segment = es
    }
    const overridden =
      override >= 0 &&
      override !== segment &&
      form.segmentUse !== 'never' &&
      (modrm < 0xc0 || form.segmentUse === 'always')
    const length = p - offset
    out.row = row
    out.op = form.op
    out.length = length
    out.opSize = sizes[size]!
    out.addrSize = sizes[addressSize]!
    out.operands = operands
    out.cc = form.conditional ? byte & 15 : 0
    out.seg = (overridden ? override : segment) as Seg
    out.segOverride = overridden
    out.imm = imm
    out.immHigh = immHigh
    out.imm2 = imm2
    out.rep = form.repeats && rep !== 0 ? (rep as 0xf3 | 0xf2) : 0
    out.lock = lock
    out.rex = rex
    out.modrm = modrm
    return length
  }
}

/** Decoders by their features: they keep nothing of what they have decoded for. */
const decoders = new Map<string, Decoder>()

/** A decoder for a processor with the given features. Its opcode maps are built once for them (which takes 7 ms). */
export function createDecoder(options: DecoderOptions = {}): Decoder {
  const features = new Set<Feature>(['386', ...(options.features ?? allFeatures)])
  const key = [...features].sort().join()
  const known = decoders.get(key) ?? new TableDecoder(features)
  decoders.set(key, known)
  return known
}
