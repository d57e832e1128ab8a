/** A memory, a CPU and an interrupt controller that are just enough of each to show a device without a real machine. */
import {
  type Bus,
  type Cpu,
  checkState,
  definePart,
  type Exit,
  type ExitReason,
  type InterruptController,
  type InterruptSource,
  type Memory,
  type Part,
} from '@vmexit/core'

/** No memory at all: every access is refused. */
export function noMemory(): Part<{ name: 'no-memory'; gives: 'memory'; api: { memory: Memory } }> {
  const memory = { size: 0, read: () => false, write: () => false }
  return definePart({ name: 'no-memory', gives: ['memory'], build: () => ({ memory }) })
}

/** One instruction of the toy CPU. */
export type Instruction = (cpu: ToyCpu, ports: Bus) => void

/** Writes a byte to a port. */
export const out =
  (port: number, value: number): Instruction =>
  (_, ports) =>
    ports.write(port, 1, value)

/** Reads a byte from a port and appends it to the log. */
export const log =
  (port: number): Instruction =>
  (cpu, ports) =>
    void cpu.log.push(ports.read(port, 1))

/** Waits for an interrupt. */
export const wait: Instruction = (cpu) => {
  cpu.waiting = true
}

/** Saved toy CPU. */
type ToyState = { readonly version: 1; readonly retired: number; readonly next: number; readonly waiting: boolean }

/** Runs a list of instructions over and over. An interrupt only wakes it. */
export class ToyCpu implements Cpu {
  readonly id = 0
  readonly log: number[] = []
  retired = 0
  waiting = false
  #next = 0
  #left = 0
  #interrupts: InterruptSource | undefined
  readonly #program: readonly Instruction[]
  readonly #ports: Bus
  readonly #exit: { reason: ExitReason } = { reason: 'budget' }

  constructor(program: readonly Instruction[], ports: Bus) {
    this.#program = program
    this.#ports = ports
  }

  get halted(): boolean {
    return this.waiting && !this.#interrupts?.pending
  }

  run(budget: number): Exit {
    for (this.#left = budget; this.#left > 0 && !this.halted; this.#left--) {
      if (this.waiting) this.#interrupts!.acknowledge()
      this.waiting = false
      this.#program[this.#next]!(this, this.#ports)
      this.#next = (this.#next + 1) % this.#program.length
      this.retired++
    }
    this.#exit.reason = this.halted ? 'halt' : 'budget'
    return this.#exit
  }

  shorten(remaining: number): void {
    this.#left = Math.min(this.#left, Math.max(1, remaining))
  }

  connect(interrupts: InterruptSource): void {
    this.#interrupts = interrupts
  }

  reset(): void {
    this.#next = 0
    this.waiting = false
  }

  save(): ToyState {
    return { version: 1, retired: this.retired, next: this.#next, waiting: this.waiting }
  }

  restore(state: ToyState): void {
    const { retired, next, waiting } = checkState('the toy CPU', state, this.save())
    this.retired = retired
    this.#next = next
    this.waiting = waiting
  }
}

/** What `machine.of(cpu)` is. */
export interface ToyCpuApi {
  readonly cpu: ToyCpu
  reset(): void
  save(): ToyState
  restore(state: ToyState): void
}

/** A toy CPU with its program. */
export function toyCpu(program: readonly Instruction[]): Part<{
  name: 'toy-cpu'
  needs: 'ports'
  gives: 'cpu'
  api: ToyCpuApi
}> {
  return definePart({
    name: 'toy-cpu',
    needs: ['ports'],
    gives: ['cpu'],
    build({ ports }) {
      const cpu = new ToyCpu(program, ports)
      return {
        cpu,
        reset: () => cpu.reset(),
        save: () => cpu.save(),
        restore: (state: ToyState) => cpu.restore(state),
      }
    },
  })
}

/** An interrupt controller with eight inputs and no registers; the lowest input that is high goes first. */
export function toyPic(): Part<{ name: 'toy-pic'; gives: 'interrupts'; api: { interrupts: InterruptController } }> {
  return definePart({ name: 'toy-pic', gives: ['interrupts'], build: () => ({ interrupts: controller() }) })
}

function controller(): InterruptController {
  const levels = new Array<boolean>(8).fill(false)
  const watchers = new Set<(pending: boolean) => void>()
  const source: InterruptSource = {
    get pending() {
      return levels.includes(true)
    },
    acknowledge: () => 0x20 + levels.indexOf(true),
    watch(changed) {
      watchers.add(changed)
      return { [Symbol.dispose]: () => void watchers.delete(changed) }
    },
  }
  return {
    inputs: levels.length,
    line: (input) => ({
      set(level) {
        const before = source.pending
        levels[input] = level
        if (source.pending !== before) for (const changed of watchers) changed(source.pending)
      },
    }),
    source: () => source,
  }
}
