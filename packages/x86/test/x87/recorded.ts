/** The vectors of `vectors/x87`: see `generate.c` there for the format and for how they came about. */
import type { StackValue } from '../../src/semantics/x87/image.ts'

export interface Recorded {
  /** Opcode, and ModRM for a memory operand that [BX] names. */
  readonly code: readonly [opcode: number, modrm: number]
  readonly before: Snapshot
  readonly after: Snapshot
}
export interface Snapshot {
  readonly control: number
  /** With TOP, without ES and B. */
  readonly status: number
  readonly empty: number
  /** The six status flags. */
  readonly eflags: number
  /** By physical number. */
  readonly registers: readonly StackValue[]
  readonly memory: Uint8Array
}

const value = (se: number, significand: bigint): StackValue => ({ se, significand })
/** ST(2) to ST(7) of every vector. */
const REST = [
  value(0x3fff, 0x8000_0000_0000_0000n),
  value(0xc000, 0xa000_0000_0000_0000n),
  value(0, 0n),
  value(0x7fff, 0x8000_0000_0000_0000n),
  value(0xffff, 0xc123_4567_89ab_cdefn),
  value(0x403d, 0x8000_0001_0000_0000n),
]

export function* readRecording(bytes: Uint8Array): Generator<Recorded> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  const byte = (): number => view.getUint8(at++)
  const word = (): number => {
    at += 2
    return view.getUint16(at - 2, true)
  }
  const register = (): StackValue => {
    at += 10
    return value(view.getUint16(at - 2, true), view.getBigUint64(at - 10, true))
  }
  const memory = (): Uint8Array => {
    at += 10
    return bytes.slice(at - 10, at)
  }
  while (at < bytes.length) {
    const [opcode, modrm] = [byte(), byte()]
    const [control, status, empty, eflags] = [word(), word(), byte(), word()]
    const top = (status >> 11) & 7
    const stack = [register(), register(), ...REST]
    const registers = stack.map((_, physical) => stack[(physical - top) & 7]!)
    const before = { control, status, empty, eflags, registers, memory: memory() }
    const words = { control: word(), status: word(), empty: byte(), eflags: word(), memory: memory() }
    const changed = byte()
    const after = { ...words, registers: registers.map((old, i) => ((changed >> i) & 1 ? register() : old)) }
    // In the recording memory operands are [RCX].
    yield { code: [opcode, modrm < 0xc0 ? modrm | 7 : modrm], before, after }
  }
}
