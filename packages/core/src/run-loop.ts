/**
 * The run loop: CPUs, virtual time and input brought together, synchronously and deterministically.
 *
 * What happens depends on the machine and on the stamps of its inputs, never on how a run is cut into slices: running a
 * thousand instructions and then a thousand more is running two thousand.
 */
import type { Clock } from './clock.ts'
import type { Counters } from './counters.ts'
import type { Cpu, Exit } from './cpu.ts'
import { VmexitError } from './errors.ts'
import type { InputGate } from './input-gate.ts'
import type { Power } from './power.ts'

/** Why a run ended. */
export type StopReason =
  /** As many instructions were retired as were asked for. */
  | 'instructions'
  /** The virtual time that was asked for is reached. */
  | 'time'
  /** Every CPU waits, and no timer that would wake one is set, nor is an input there: only the outside can go on. */
  | 'idle'
  /** A CPU has shut down (triple fault). */
  | 'shutdown'
  /** The machine was asked to reset: `reset()` it and run on. */
  | 'reset'
  /** The machine was asked to power off. */
  | 'off'
  /** A CPU stopped for a reason of its own, in `exit`. */
  | 'exit'
  /** A CPU faults without end and never retires an instruction. */
  | 'stuck'
  /** The signal of the run was aborted; the machine stands between two instructions and can run on. */
  | 'aborted'

/** How a run ended. */
export interface Stop {
  readonly reason: StopReason
  /** Instructions retired in this run, by all CPUs. */
  readonly retired: number
  /** The virtual time. */
  readonly now: number
  /** The CPU that ended it, if one did. */
  readonly cpu?: Cpu
  /** What that CPU said: its one record, valid until it runs again. */
  readonly exit?: Exit
}

/** How far a slice goes at most. */
export interface SliceLimits {
  /** Instructions retired by all CPUs together. */
  readonly instructions?: number | undefined
  /** A virtual time in ticks, rounded up to a whole one. Timers of that time have been called when the slice ends. */
  readonly until?: number | undefined
}

/** What a run loop brings together. */
export interface RunLoopParts {
  readonly cpus: readonly Cpu[]
  readonly clock: Clock
  readonly input: InputGate
  readonly power: Power
  readonly counters: Counters
  /** Instructions a CPU runs before the next one has its turn, where there are several. */
  readonly quantum: number
}

/** A run loop in a saved state: whose turn it is, and for how many instructions yet. */
export type RunLoopState = { readonly version: 1; readonly turn: number; readonly left: number }

/** The longest run asked of a CPU, so that budgets fit engines' registers. */
const longestBurst = 2 ** 30

/** Runs of a CPU in a row that retire nothing before it is called stuck. */
const patience = 10_000

/**
 * Runs CPUs by turns in one thread. Every instruction of any CPU moves the clock by one tick, so time never goes back
 * from one CPU to the next.
 */
export class RunLoop implements Disposable {
  readonly parts: RunLoopParts
  readonly #idleTicks: number
  readonly #listening: readonly Disposable[]
  #running: Cpu | undefined
  #turn = 0
  #left: number

  constructor(parts: RunLoopParts) {
    const { clock, input, power, counters, cpus, quantum } = parts
    this.parts = parts
    this.#left = quantum
    this.#idleTicks = counters.declare('idle-ticks', 'Ticks of virtual time in which every CPU waited')
    counters.derive('instructions', 'Instructions retired', () => cpus.reduce((sum, cpu) => sum + cpu.retired, 0))
    this.#listening = [
      clock.onSooner((deadline) => this.#running?.shorten(Math.max(0, deadline - clock.now))),
      input.onPost(() => this.#running?.shorten(0)),
      power.onRequest(() => this.#running?.shorten(0)),
    ]
  }

  /**
   * Runs until a limit is reached or something stops it. Throws a {@link VmexitError}: `run-busy` if it runs already,
   * `cpu-overran` if a CPU does not keep to its budget.
   */
  runSlice({ instructions = Number.POSITIVE_INFINITY, ...limits }: SliceLimits = {}): Stop {
    this.#mustStand('run')
    const until = Math.ceil(limits.until ?? Number.POSITIVE_INFINITY)
    const { clock, input, power, counters } = this.parts
    let retired = 0
    let fruitless = 0
    const stop = (reason: StopReason, more: Pick<Stop, 'cpu' | 'exit'> = {}): Stop => {
      return { reason, retired, now: clock.now, ...more }
    }
    for (;;) {
      clock.advanceTo(clock.now)
      input.drain(clock.now)
      const pressed = power.take()
      if (pressed !== undefined) return stop(pressed)
      if (retired >= instructions) return stop('instructions')
      if (clock.now >= until) return stop('time')

      const event = Math.min(clock.deadline, input.nextStamp)
      if (event <= clock.now) continue
      const next = Math.min(event, until)
      const cpu = this.#choose()
      if (cpu === undefined) {
        const wakeable = this.parts.cpus.some((each) => each.wakeable !== false)
        if (event === Number.POSITIVE_INFINITY || !wakeable) return stop('idle')
        counters.slots[this.#idleTicks]! += next - clock.now
        clock.advanceTo(next)
        continue
      }
      const before = cpu.retired
      // One CPU alone has all the turns. (To be cut short each quantum took the interpreter 3 µs.)
      const turn = this.parts.cpus.length > 1 ? this.#left : longestBurst
      const exit = this.#burst(cpu, Math.min(instructions - retired, next - clock.now, turn, longestBurst))
      const done = cpu.retired - before
      retired += done
      if (this.parts.cpus.length > 1) this.#left -= done
      if (exit.reason === 'shutdown') return stop('shutdown', { cpu, exit })
      if (exit.reason !== 'budget' && exit.reason !== 'halt') return stop('exit', { cpu, exit })
      fruitless = done > 0 || cpu.halted ? 0 : fruitless + 1
      if (fruitless === patience) return stop('stuck', { cpu, exit })
    }
  }

  /** Ticks of virtual time so far in which every CPU waited. */
  get idleTicks(): number {
    return this.parts.counters.slots[this.#idleTicks]!
  }

  /** Throws a {@link VmexitError} `run-busy` while a CPU runs. */
  save(): RunLoopState {
    this.#mustStand('saved')
    return { version: 1, turn: this.#turn, left: this.#left }
  }

  restore({ turn, left }: RunLoopState): void {
    this.#turn = turn
    this.#left = left
  }

  [Symbol.dispose](): void {
    for (const listening of this.#listening) listening[Symbol.dispose]()
  }

  #mustStand(done: string): void {
    if (this.#running === undefined) return
    throw new VmexitError('run-busy', {
      problem: `the machine is ${done} by a device while it runs`,
      remedy: 'set a timer or post an input, and do it there',
    })
  }

  /** The CPU whose turn it is; undefined, and nothing changed, if all of them wait. */
  #choose(): Cpu | undefined {
    const { cpus, quantum } = this.parts
    const turn = this.#left > 0 ? this.#turn : this.#turn + 1
    for (let i = 0; i < cpus.length; i++) {
      const candidate = (turn + i) % cpus.length
      const cpu = cpus[candidate]!
      if (cpu.halted) continue
      if (candidate !== this.#turn || this.#left <= 0) this.#left = quantum
      this.#turn = candidate
      return cpu
    }
    return undefined
  }

  #burst(cpu: Cpu, budget: number): Exit {
    const { clock } = this.parts
    const before = cpu.retired
    clock.follow(cpu)
    this.#running = cpu
    let exit: Exit
    try {
      exit = cpu.run(budget)
    } finally {
      this.#running = undefined
      clock.settle()
    }
    if (cpu.retired - before > budget) {
      throw new VmexitError('cpu-overran', {
        problem: `CPU ${cpu.id} retired ${cpu.retired - before} instructions of a budget of ${budget}`,
        remedy: 'its engine must stop exactly, or timers and inputs come at the wrong instruction',
      })
    }
    return exit
  }
}
