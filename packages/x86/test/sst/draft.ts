/** The expectation of a test, to be changed by rules before it is compared. */
import type { Insn } from '@vmexit/x86-decoder'
import { Flag } from '../../src/index.ts'
import type { Expectation } from './machine.ts'
import { type MachineState, mergeStates, type Registers, type SingleStepTest } from './moo.ts'

const PUSHED = 6

export class Draft implements Expectation {
  readonly ignored: Registers = {}
  readonly ignoredRam: Map<number, number> = new Map()
  readonly #test: SingleStepTest
  readonly #initial: Registers
  readonly #initialRam: Map<number, number>
  readonly #final: Registers
  readonly #finalRam: Map<number, number>

  constructor(test: SingleStepTest) {
    const merged = mergeStates(test.initial, test.final)
    this.#test = test
    this.#initial = { ...test.initial.registers }
    this.#final = { ...merged.registers }
    this.#initialRam = toMap(test.initial.ram)
    this.#finalRam = toMap(merged.ram)
  }

  get initial(): MachineState {
    return { registers: this.#initial, masks: {}, ram: toList(this.#initialRam) }
  }
  get final(): MachineState {
    return { registers: this.#final, masks: this.#test.final.masks, ram: toList(this.#finalRam) }
  }

  get initialFlags(): number {
    return this.#initial['flags']!
  }
  set initialFlags(value: number) {
    this.#initial['flags'] = value
  }

  /** Address of the byte at `offset` of the final stack. */
  #stack(offset: number): number {
    return this.#final['ss']! * 16 + ((this.#final['sp']! + offset) & 0xffff)
  }

  /** These bits do not count, in the register and in the image that an exception has pushed. */
  ignoreFlags(bits: number): void {
    this.ignored['flags'] = (this.ignored['flags'] ?? 0) | bits
    if (!this.#test.exception) return
    this.ignoredRam.set(this.#stack(4), bits & 0xff)
    this.ignoredRam.set(this.#stack(5), bits >> 8)
  }

  /** These bits of FLAGS are expected as in `value`, in the register and in the image that an exception has pushed. */
  expectFlags(bits: number, value: number): void {
    this.#final['flags'] = (this.#final['flags']! & ~bits) | (value & bits)
    for (const [n, shift] of [0, 8].entries()) {
      const at = this.#stack(4 + n)
      this.#finalRam.set(at, (this.#finalRam.get(at)! & ~(bits >> shift)) | ((value & bits) >> shift))
    }
  }

  /** The real-mode vector `other` leads where `vector` leads. */
  shareHandler(vector: number, other: number): void {
    for (let i = 0; i < 4; i++) {
      const byte = this.#initialRam.get(vector * 4 + i)
      if (byte === undefined) return
      this.#initialRam.set(other * 4 + i, byte)
      this.#finalRam.set(other * 4 + i, byte)
    }
  }

  /** SI, DI and CX are expected as before the element of a word string instruction that touches offset `at`. */
  beforeElementAt(at: number, insn: Insn): void {
    const { si, di, cx, flags } = this.#initial as Record<'si' | 'di' | 'cx' | 'flags', number>
    const step = flags & Flag.DF ? -2 : 2
    const source = ['movs', 'cmps', 'lods', 'outs'].includes(insn.op)
    const destination = ['movs', 'cmps', 'scas', 'stos', 'ins'].includes(insn.op)
    let done = 0
    const meets = (index: number): boolean => ((index + done * step) & 0xffff) === at
    while (!(source && meets(si)) && !(destination && meets(di))) done++
    if (source) this.#final['si'] = (si + done * step) & 0xffff
    if (destination) this.#final['di'] = (di + done * step) & 0xffff
    if (insn.rep !== 0) this.#final['cx'] = (cx - done) & 0xffff
  }

  /** What an exception has pushed is expected `by` bytes from where it lies; SP follows. */
  moveFrame(by: number): void {
    const bytes = Array.from({ length: PUSHED }, (_, i) => this.#finalRam.get(this.#stack(i))!)
    for (let i = 0; i < PUSHED; i++) {
      const at = this.#stack(i)
      const before = this.#initialRam.get(at)
      if (before === undefined) this.#finalRam.delete(at)
      else this.#finalRam.set(at, before)
    }
    this.#final['sp'] = (this.#final['sp']! + by) & 0xffff
    for (const [i, byte] of bytes.entries()) this.#finalRam.set(this.#stack(i), byte)
  }
}

const toMap = (ram: MachineState['ram']): Map<number, number> =>
  new Map(ram.map(({ address, value }) => [address, value]))
const toList = (ram: Map<number, number>): MachineState['ram'] =>
  [...ram].map(([address, value]) => ({ address, value }))
