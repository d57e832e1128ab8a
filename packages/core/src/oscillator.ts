/** Oscillators: the counting of a chip's own crystal, in exact whole numbers, from the machine's virtual time. */
import { VmexitError } from './errors.ts'

/**
 * A crystal of `hz` cycles a second beside a clock of `frequency` ticks a second. Both directions are exact and agree:
 * `cycles(timeOf(n)) ≥ n`, and one tick before it is less than n. So a timer set for cycle n never finds a counter that
 * has not got there.
 *
 * 1,193,182 Hz is the PIT's, 32,768 Hz the RTC's, 3,579,545 Hz the ACPI timer's, 14,318,180 Hz the HPET's.
 */
export class Oscillator {
  readonly hz: number
  /** `hz / frequency` in lowest terms. */
  readonly #cycles: number
  readonly #ticks: number

  /**
   * Throws a {@link VmexitError} `oscillator-hz` if `hz` is not a whole number of at least 1, or if its ratio to
   * `frequency` is too fine to be exact in 53 bits.
   */
  constructor(frequency: number, hz: number) {
    const divisor = greatestCommonDivisor(hz, frequency)
    this.hz = hz
    this.#cycles = hz / divisor
    this.#ticks = frequency / divisor
    if (Number.isInteger(hz) && hz >= 1 && this.#cycles * this.#ticks <= Number.MAX_SAFE_INTEGER) return
    throw new VmexitError('oscillator-hz', {
      problem: `an oscillator of ${hz} Hz cannot be counted exactly by a clock of ${frequency} ticks a second`,
      remedy:
        'use a whole number of hertz that shares factors with the clock (2,660,000,000 rather than 2,659,999,999)',
    })
  }

  /** Whole cycles completed at `time`, counted from time 0. */
  cycles(time: number): number {
    const rest = time % this.#ticks
    return ((time - rest) / this.#ticks) * this.#cycles + Math.floor((rest * this.#cycles) / this.#ticks)
  }

  /** The first tick at which `cycle` cycles are completed. */
  timeOf(cycle: number): number {
    const rest = cycle % this.#cycles
    return ((cycle - rest) / this.#cycles) * this.#ticks + Math.ceil((rest * this.#ticks) / this.#cycles)
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b > 0) [a, b] = [b, a % b]
  return a
}
