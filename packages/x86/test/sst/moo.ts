/**
 * Reader for single-step tests in the MOO container (80286 and 80386 forms): chunks of a 4-byte id, a length and a payload,
 * little-endian. The format is described beside the vectors.
 */

/** Registers of the 80286 form, in the order of its bit mask. */
export const REGISTERS_286 = [
  'ax',
  'bx',
  'cx',
  'dx',
  'cs',
  'ss',
  'ds',
  'es',
  'sp',
  'bp',
  'si',
  'di',
  'ip',
  'flags',
] as const
/** Registers of the 80386 form. */
export const REGISTERS_386 = [
  'cr0',
  'cr3',
  'eax',
  'ebx',
  'ecx',
  'edx',
  'esi',
  'edi',
  'ebp',
  'esp',
  'cs',
  'ds',
  'es',
  'fs',
  'gs',
  'ss',
  'eip',
  'eflags',
  'dr6',
  'dr7',
] as const

export type Registers = Record<string, number>

export interface MachineState {
  readonly registers: Registers
  /** Bits of registers that are undefined, by name; from RMSK or RM32. 1: the bit counts. */
  readonly masks: Registers
  readonly ram: readonly { readonly address: number; readonly value: number }[]
}

/** `before` with all that `after` lists put in its place; the masks are those of `after`. */
export function mergeStates(before: MachineState, after: MachineState): MachineState {
  const ram = new Map(before.ram.map(({ address, value }) => [address, value]))
  for (const { address, value } of after.ram) ram.set(address, value)
  return {
    registers: { ...before.registers, ...after.registers },
    masks: after.masks,
    ram: [...ram].map(([address, value]) => ({ address, value })),
  }
}

export interface SingleStepTest {
  readonly index: number
  readonly name: string
  readonly bytes: Uint8Array
  readonly initial: MachineState
  readonly final: MachineState
  readonly exception: { readonly vector: number; readonly flagsAddress: number } | undefined
}

export interface SingleStepFile {
  readonly cpu: string
  readonly mnemonic: string
  /** Masks for the whole file. */
  readonly masks: Registers
  readonly tests: readonly SingleStepTest[]
}

interface Chunk {
  readonly id: string
  readonly at: number
  readonly end: number
}

class Reader {
  readonly bytes: Uint8Array
  readonly #view: DataView

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
  u8(at: number): number {
    return this.#view.getUint8(at)
  }
  u16(at: number): number {
    return this.#view.getUint16(at, true)
  }
  u32(at: number): number {
    return this.#view.getUint32(at, true)
  }
  text(at: number, length: number): string {
    return String.fromCharCode(...this.bytes.subarray(at, at + length)).trimEnd()
  }
  *chunks(from: number, to: number): Generator<Chunk> {
    for (let at = from; at + 8 <= to; ) {
      const end = at + 8 + this.u32(at + 4)
      if (end > to)
        throw new RangeError(
          `the chunk ${this.text(at, 4)} at byte ${at} runs beyond its parent: the file is truncated`,
        )
      yield { id: this.text(at, 4), at: at + 8, end }
      at = end
    }
  }
}

/** Read an uncompressed MOO file. @throws RangeError when it is not one or is cut short. */
export function readMoo(bytes: Uint8Array): SingleStepFile {
  const reader = new Reader(bytes)
  let cpu = ''
  let mnemonic = ''
  let masks: Registers = {}
  const tests: SingleStepTest[] = []
  let first = true
  for (const chunk of reader.chunks(0, bytes.length)) {
    if (first && chunk.id !== 'MOO') throw new RangeError(`not a MOO file: it begins with ${JSON.stringify(chunk.id)}`)
    first = false
    if (chunk.id === 'MOO') cpu = reader.text(chunk.at + 8, 4)
    else if (chunk.id === 'META') mnemonic = reader.text(chunk.at + 7, 8)
    else if (chunk.id === 'RMSK') masks = registers16(reader, chunk)
    else if (chunk.id === 'RM32') masks = registers32(reader, chunk)
    else if (chunk.id === 'TEST') tests.push(readTest(reader, chunk))
  }
  return { cpu, mnemonic, masks, tests }
}

function readTest(reader: Reader, test: Chunk): SingleStepTest {
  let name = ''
  let bytes: Uint8Array = new Uint8Array(0)
  let initial: MachineState = { registers: {}, masks: {}, ram: [] }
  let final = initial
  let exception: SingleStepTest['exception']
  for (const chunk of reader.chunks(test.at + 4, test.end)) {
    if (chunk.id === 'NAME') name = reader.text(chunk.at + 4, reader.u32(chunk.at))
    else if (chunk.id === 'BYTS') bytes = reader.bytes.subarray(chunk.at + 4, chunk.at + 4 + reader.u32(chunk.at))
    else if (chunk.id === 'INIT') initial = readState(reader, chunk)
    else if (chunk.id === 'FINA') final = readState(reader, chunk)
    else if (chunk.id === 'EXCP') exception = { vector: reader.u8(chunk.at), flagsAddress: reader.u32(chunk.at + 1) }
  }
  return { index: reader.u32(test.at), name, bytes, initial, final, exception }
}

function readState(reader: Reader, state: Chunk): MachineState {
  let registers: Registers = {}
  let masks: Registers = {}
  const ram: { address: number; value: number }[] = []
  for (const chunk of reader.chunks(state.at, state.end)) {
    if (chunk.id === 'REGS') registers = registers16(reader, chunk)
    else if (chunk.id === 'RG32') registers = registers32(reader, chunk)
    else if (chunk.id === 'RMSK') masks = registers16(reader, chunk)
    else if (chunk.id === 'RM32') masks = registers32(reader, chunk)
    else if (chunk.id === 'RAM') {
      const count = reader.u32(chunk.at)
      for (let i = 0; i < count; i++)
        ram.push({ address: reader.u32(chunk.at + 4 + i * 5), value: reader.u8(chunk.at + 8 + i * 5) })
    }
  }
  return { registers, masks, ram }
}

function registers16(reader: Reader, chunk: Chunk): Registers {
  const present = reader.u16(chunk.at)
  const out: Registers = {}
  let at = chunk.at + 2
  REGISTERS_286.forEach((name, bit) => {
    if (!(present & (1 << bit))) return
    out[name] = reader.u16(at)
    at += 2
  })
  return out
}

function registers32(reader: Reader, chunk: Chunk): Registers {
  const present = reader.u32(chunk.at)
  const out: Registers = {}
  let at = chunk.at + 4
  REGISTERS_386.forEach((name, bit) => {
    if (!(present & (1 << bit))) return
    out[name] = reader.u32(at)
    at += 4
  })
  return out
}
