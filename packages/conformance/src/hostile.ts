/** A guest that does anything: reads and writes of every width, in any order, with time going by. The same one each time. */
import { Bus, type Device, type Line, type RegisterFile, type State, type Width } from '@vmexit/core'
import type { Bench } from './bench.ts'
import { Random } from './random.ts'

/** A device on its bench. */
export interface DeviceUnderTest {
  readonly device: Device
  /** Wires into the device. Whoever drives them drives them again when everything is restored. */
  readonly inputs?: readonly Line[]
  /** Something else from outside, chosen by `random`: a key, a character. */
  readonly stimulate?: (random: Random) => void
}

/** A device whose registers are on a bus, and what a hostile guest has seen of it. */
export class HostileGuest {
  readonly device: Device
  readonly bench: Bench
  /** What reads gave. */
  readonly seen: number[] = []
  readonly #subject: DeviceUnderTest
  readonly #levels = new Map<Line, boolean>()
  readonly #bus = new Bus({ name: 'registers', addressBits: 48 })
  readonly #regions: readonly { readonly name: string; readonly base: number; readonly registers: RegisterFile }[]

  constructor(subject: DeviceUnderTest, bench: Bench) {
    this.#subject = subject
    this.device = subject.device
    this.bench = bench
    let base = 0
    this.#regions = Object.entries(subject.device.regions).map(([name, registers]) => {
      const region = { name, base, registers }
      this.#bus.claim(name, base, checked(name, registers))
      base += 2 * registers.size + 0x100
      return region
    })
  }

  /** Restores the device, and what surrounds it as `other` has it. */
  restore(state: State, other: HostileGuest): void {
    this.device.restore(state)
    const [mine, theirs] = [this.#subject.inputs ?? [], other.#subject.inputs ?? []]
    for (const [i, input] of mine.entries()) {
      const level = other.#levels.get(theirs[i]!) ?? false
      this.#levels.set(input, level)
      input.set(level)
    }
  }

  /** Reads and writes at every offset with every width, at 4096 offsets of a region that has more. */
  sweep(seed: number): void {
    const random = new Random(seed)
    for (const { base, registers } of this.#regions) {
      for (let i = 0; i < Math.min(registers.size, 4096); i++) {
        const offset = registers.size <= 4096 ? i : random.below(registers.size)
        for (const width of [1, 2, 4] as const) {
          this.#read(base + offset, width)
          this.#bus.write(base + offset, width, random.value(width))
          this.#read(base + offset, width)
        }
      }
    }
  }

  /** So many steps of the same wandering for the same seed. */
  wander(seed: number, steps: number): void {
    const random = new Random(seed)
    for (let step = 0; step < steps; step++) {
      const { base, registers } = random.pick(this.#regions)
      const width = random.pick<Width>([1, 1, 1, 2, 4])
      const address = base + random.below(random.below(2) ? registers.size : Math.min(registers.size, 16))
      const action = random.below(8)
      if (action < 3) this.#read(address, width)
      else if (action < 6) this.#bus.write(address, width, random.value(width))
      else if (action === 6) this.bench.pass(random.below(random.pick([1000, 1e6, 1e8])))
      else this.#stimulate(random)
    }
  }

  #stimulate(random: Random): void {
    const { inputs = [], stimulate } = this.#subject
    if (inputs.length === 0 || (stimulate !== undefined && random.below(2) === 0)) {
      stimulate?.(random)
      return
    }
    const input = random.pick(inputs)
    const level = random.below(2) === 1
    this.#levels.set(input, level)
    input.set(level)
  }

  #read(address: number, width: Width): void {
    this.seen.push(this.#bus.read(address, width))
  }
}

/** Registers whose reads must give numbers. */
function checked(name: string, registers: RegisterFile): RegisterFile {
  return {
    ...registers,
    read(offset, width) {
      const value = registers.read(offset, width)
      if (typeof value === 'number' && Number.isFinite(value)) return value
      throw new TypeError(`a read of ${width} bytes at ${name} + ${offset} gives ${value}`)
    },
    write: (offset, width, value) => void registers.write(offset, width, value),
  }
}
