/** The router of a PIIX3: four interrupt wires of the PCI bus go to ISA interrupts (82371SB datasheet, 2.3.9). */
import type { Line } from '@vmexit/core'

/** The ISA interrupts that a wire can go to; the others are taken by devices that share with nobody. */
export const routableInterrupts: readonly number[] = [3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15]

/** What a wire's register holds where it goes nowhere. */
export const notRouted = 0x80

/** Routes PIRQA–PIRQD. An ISA interrupt is asserted while any wire that goes there is. */
export class PirqRouter {
  /** PIRQA–PIRQD. */
  readonly inputs: readonly [Line, Line, Line, Line] = [this.#input(0), this.#input(1), this.#input(2), this.#input(3)]
  readonly #outputs: ReadonlyMap<number, Line>
  readonly #levels = [false, false, false, false]
  readonly #routes = [notRouted, notRouted, notRouted, notRouted]

  /** `output` gives the wire into one of the {@link routableInterrupts}. */
  constructor(output: (interrupt: number) => Line) {
    this.#outputs = new Map(routableInterrupts.map((interrupt) => [interrupt, output(interrupt)]))
  }

  /** What the route register of a wire, 0–3, holds: the interrupt in bits 3–0, bit 7 for none. */
  route(wire: number, value: number): void {
    this.#routes[wire] = value
    this.#drive()
  }

  #input(wire: number): Line {
    return {
      set: (level) => {
        this.#levels[wire] = level
        this.#drive()
      },
    }
  }

  #drive(): void {
    for (const [interrupt, line] of this.#outputs) {
      line.set(this.#routes.some((route, wire) => route === interrupt && this.#levels[wire]))
    }
  }
}
