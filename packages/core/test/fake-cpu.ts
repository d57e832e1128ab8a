/** A CPU for tests: instructions are TypeScript functions, and interrupts call a handler. */
import type { Cpu, Exit, ExitReason } from '../src/cpu.ts'
import type { InterruptSource } from '../src/interrupts.ts'
import { checkState, type State } from '../src/state.ts'

/** One instruction. `again` jumps back to the first one. */
export type Instruction = (cpu: FakeCpu) => void

/** Does nothing. */
export const nop: Instruction = () => {}

/** Waits for an interrupt. */
export const halt: Instruction = (cpu) => {
  cpu.waiting = true
}

/** Goes back to the first instruction. */
export const again: Instruction = (cpu) => {
  cpu.next = 0
}

/** Stops the CPU for the reason given. */
export const stopFor =
  (reason: ExitReason): Instruction =>
  (cpu) => {
    cpu.stopping = reason
  }

export class FakeCpu implements Cpu {
  readonly id: number
  retired = 0
  /** Index of the next instruction; past the last one it shuts down. */
  next = 0
  waiting = false
  wakeable = true
  stopping: ExitReason | undefined
  /** Vectors taken, with the instruction count at which they were. */
  readonly taken: [vector: number, at: number][] = []
  readonly program: readonly Instruction[]
  readonly #exit: { reason: ExitReason } = { reason: 'budget' }
  #left = 0
  #interrupts: InterruptSource | undefined

  constructor(program: readonly Instruction[], id = 0) {
    this.program = program
    this.id = id
  }

  get halted(): boolean {
    return this.waiting && !this.#interrupts?.pending
  }

  run(budget: number): Exit {
    this.#left = budget
    this.stopping = undefined
    while (this.#left > 0 && this.stopping === undefined) {
      if (this.#interrupts?.pending) {
        this.taken.push([this.#interrupts.acknowledge(), this.retired])
        this.waiting = false
      }
      if (this.waiting) this.stopping = 'halt'
      else this.#step()
    }
    this.#exit.reason = this.stopping ?? 'budget'
    return this.#exit
  }

  shorten(remaining: number): void {
    this.#left = Math.min(this.#left, Math.max(1, remaining))
  }

  connect(interrupts: InterruptSource): void {
    this.#interrupts = interrupts
  }

  reset(): void {
    this.next = 0
    this.waiting = false
  }

  save(): State {
    return { version: 1, retired: this.retired, next: this.next, waiting: this.waiting }
  }

  restore(state: State): void {
    const like = { version: 1, retired: 0, next: 0, waiting: false }
    const { retired, next, waiting } = checkState('the fake CPU', state as typeof like, like)
    Object.assign(this, { retired, next, waiting })
  }

  #step(): void {
    const instruction = this.program[this.next++] ?? stopFor('shutdown')
    instruction(this)
    this.retired++
    this.#left--
  }
}
