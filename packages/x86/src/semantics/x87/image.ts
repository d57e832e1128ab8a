/**
 * Images of the x87 unit in memory: the environment and the whole state in their 14-, 28-, 94- and 108-byte forms
 * (SDM vol. 1, figures 8-9 to 8-12). Pure functions.
 */

/** A stack register: significand unsigned; sign and exponent, 16 bits. */
export interface StackValue {
  readonly significand: bigint
  readonly se: number
}

/** The unit's state by name. */
export interface X87State {
  readonly control: number
  /** With TOP, ES and B. */
  readonly status: number
  /** Bit i: physical register i is empty. */
  readonly empty: number
  /** ST(0) to ST(7). */
  readonly stack: readonly StackValue[]
  readonly opcode: number
  /** Offset and selector of the last instruction and of its operand; offsets unsigned, 64 bits. */
  readonly instruction: bigint
  readonly codeSelector: number
  readonly operand: bigint
  readonly dataSelector: number
}
/** What an environment holds: no registers. */
export type Environment = Omit<X87State, 'stack'>

/** How an environment is laid out: operand size, and whether addresses are selectors and offsets or linear. */
export interface ImageLayout {
  readonly bits: 16 | 32
  /** Real and virtual-8086 mode. */
  readonly linear: boolean
}

export const environmentSize = ({ bits }: ImageLayout): number => (bits === 16 ? 14 : 28)
const REGISTER_BYTES = 10
export const stateSize = (layout: ImageLayout): number => environmentSize(layout) + 8 * REGISTER_BYTES

const topOf = (status: number): number => (status >> 11) & 7

/** The tag word: two bits a physical register, found by looking at what it holds (SDM vol. 1, 8.1.7). */
function tagWord({ status, empty, stack }: X87State): number {
  let tags = 0
  stack.forEach((value, i) => {
    const physical = (topOf(status) + i) & 7
    const tag = (empty >> physical) & 1 ? 3 : tagOf(value)
    tags |= tag << (2 * physical)
  })
  return tags
}
function tagOf({ significand, se }: StackValue): number {
  const exponent = se & 0x7fff
  if (exponent === 0 && significand === 0n) return 1
  const normal = exponent !== 0 && exponent !== 0x7fff && significand >> 63n === 1n
  return normal ? 0 : 2
}
function emptyOf(tags: number): number {
  let empty = 0
  for (let i = 0; i < 8; i++) if (((tags >> (2 * i)) & 3) === 3) empty |= 1 << i
  return empty
}

const linearAddress = (selector: number, offset: bigint): number =>
  (Number(offset & 0xffff_ffffn) + selector * 16) >>> 0

/** FNSTENV. Words that the manual calls reserved are all ones, as processors leave them. */
export function environmentImage(state: X87State, { bits, linear }: ImageLayout): Uint8Array {
  const image = new Uint8Array(environmentSize({ bits, linear }))
  const view = new DataView(image.buffer)
  const step = bits / 8
  const put = (n: number, value: number): void => {
    if (bits === 16) view.setUint16(n * step, value & 0xffff, true)
    else view.setUint32(n * step, value, true)
  }
  const word = (value: number): number => (bits === 16 ? value : (0xffff_0000 | value) >>> 0)
  put(0, word(state.control))
  put(1, word(state.status))
  put(2, word(tagWord(state)))
  if (linear) {
    const instruction = linearAddress(state.codeSelector, state.instruction)
    const operand = linearAddress(state.dataSelector, state.operand)
    // The upper part of an address sits above the 11 bits of the opcode: 4 bits of it, or 16.
    const upper = (address: number): number => (bits === 16 ? (address >>> 16) & 15 : address >>> 16) * 0x1000
    put(3, word(instruction & 0xffff))
    put(4, upper(instruction) | (state.opcode & 0x7ff))
    put(5, word(operand & 0xffff))
    put(6, upper(operand))
  } else {
    put(3, Number(state.instruction & 0xffff_ffffn))
    put(4, bits === 16 ? state.codeSelector : state.codeSelector | ((state.opcode & 0x7ff) << 16))
    put(5, Number(state.operand & 0xffff_ffffn))
    put(6, word(state.dataSelector))
  }
  return image
}

/** FLDENV. `opcode` is 0 where the layout has none. */
export function parseEnvironment(image: Uint8Array, { bits, linear }: ImageLayout): Environment {
  const view = new DataView(image.buffer, image.byteOffset)
  const step = bits / 8
  const get = (n: number): number => (bits === 16 ? view.getUint16(n * step, true) : view.getUint32(n * step, true))
  const common = { control: get(0) & 0xffff, status: get(1) & 0xffff, empty: emptyOf(get(2)) }
  if (!linear) {
    return {
      ...common,
      instruction: BigInt(get(3)),
      codeSelector: get(4) & 0xffff,
      opcode: bits === 32 ? (get(4) >>> 16) & 0x7ff : 0,
      operand: BigInt(get(5)),
      dataSelector: get(6) & 0xffff,
    }
  }
  const upper = (value: number): number => ((value >>> 12) & 0xffff) * 0x1_0000
  return {
    ...common,
    instruction: BigInt((get(3) & 0xffff) + upper(get(4))),
    codeSelector: 0,
    opcode: get(4) & 0x7ff,
    operand: BigInt((get(5) & 0xffff) + upper(get(6))),
    dataSelector: 0,
  }
}

function putRegister(view: DataView, at: number, { significand, se }: StackValue): void {
  view.setBigUint64(at, significand, true)
  view.setUint16(at + 8, se, true)
}
function getRegister(view: DataView, at: number): StackValue {
  return { significand: view.getBigUint64(at, true), se: view.getUint16(at + 8, true) }
}

/** FNSAVE: the environment, then ST(0) to ST(7). */
export function stateImage(state: X87State, layout: ImageLayout): Uint8Array {
  const image = new Uint8Array(stateSize(layout))
  image.set(environmentImage(state, layout))
  const view = new DataView(image.buffer)
  for (const [i, value] of state.stack.entries()) putRegister(view, environmentSize(layout) + i * REGISTER_BYTES, value)
  return image
}
/** FRSTOR. */
export function parseState(image: Uint8Array, layout: ImageLayout): X87State {
  const view = new DataView(image.buffer, image.byteOffset)
  const at = environmentSize(layout)
  const stack = Array.from({ length: 8 }, (_, i) => getRegister(view, at + i * REGISTER_BYTES))
  return { ...parseEnvironment(image, layout), stack }
}
