/** Writes classic BPF with labels: jumps lead forward, at most 255 instructions by a condition. */
import { Bpf, type BpfInstruction } from './bpf.ts'

/** A place in a program, once it is known. */
export interface Label {
  at: number
}

interface Pending {
  readonly code: number
  readonly k: number
  readonly yes: Label | undefined
  readonly no: Label | undefined
}

/** A program that is being written. */
export class Assembler {
  readonly #code: Pending[] = []

  label(): Label {
    return { at: -1 }
  }
  place(label: Label): void {
    label.at = this.#code.length
  }

  #put(code: number, k: number, yes?: Label, no?: Label): void {
    this.#code.push({ code, k, yes, no })
  }

  /** A word of the data to A. */
  load(at: number): void {
    this.#put(Bpf.LD | Bpf.ABS, at)
  }
  and(mask: number): void {
    this.#put(Bpf.ALU | Bpf.AND | Bpf.K, mask)
  }
  answer(value: number): void {
    this.#put(Bpf.RET | Bpf.K, value)
  }
  /** Compares A, and goes to a label that is near; undefined is what follows. */
  jump(condition: number, k: number, yes: Label | undefined, no: Label | undefined): void {
    this.#put(Bpf.JMP | condition | Bpf.K, k, yes, no)
  }
  /** Goes on where the condition does not hold, and else to a label however far. */
  branch(condition: number, k: number, yes: Label): void {
    const below = this.label()
    this.jump(condition, k, undefined, below)
    this.#put(Bpf.JMP | Bpf.JA, 0, yes)
    this.place(below)
  }

  program(): BpfInstruction[] {
    return this.#code.map(({ code, k, yes, no }, pc) => {
      const distance = (label: Label | undefined): number => (label === undefined ? 0 : label.at - pc - 1)
      if (code === (Bpf.JMP | Bpf.JA)) return { code, jt: 0, jf: 0, k: distance(yes) }
      return { code, jt: distance(yes), jf: distance(no), k }
    })
  }
}
