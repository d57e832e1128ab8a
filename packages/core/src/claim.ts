/** A claim: registers attached to a bus at an address. */
import type { RegisterFile, Width } from './device.ts'

/** What a bus does for its claims. */
export interface Placement {
  /** Lets the claim answer at its base, if that is free and on the bus; else notes that it waits. */
  place(claim: Claim): boolean
  /** Takes away a claim that answers or waits; called while `answering` is still what it was. */
  remove(claim: Claim): void
}

/** Registers attached to a bus, made by `Bus.claim` or `Bus.claimLater`. Disposing it takes them off. */
export class Claim implements Disposable {
  readonly owner: string
  readonly registers: RegisterFile
  /** The widest access that the registers take whole, in bytes. */
  readonly widest: Width
  readonly #bus: Placement
  #base: number
  #enabled = false
  #answering = false

  /**
   * For `Bus`: the registers do not answer before they are enabled.
   *
   * @internal
   */
  constructor(owner: string, base: number, registers: RegisterFile, bus: Placement) {
    this.owner = owner
    this.registers = registers
    this.widest = registers.widest ?? 4
    this.#base = base
    this.#bus = bus
  }

  get base(): number {
    return this.#base
  }

  /** Whether accesses reach the registers now. */
  get answering(): boolean {
    return this.#answering
  }

  /**
   * Lets the registers answer, as a PCI command register does. Returns whether they do: a guest may have put them where
   * others are, or off the bus, which is no error. Where others are, they answer as soon as those have gone.
   */
  enable(): boolean {
    if (this.#enabled) return this.#answering
    this.#enabled = true
    this.#answering = this.#bus.place(this)
    return this.#answering
  }

  /** Takes the registers off the bus and keeps the address. */
  disable(): void {
    this.#enabled = false
    this.#bus.remove(this)
    this.#answering = false
  }

  /** Sets the address, as a PCI base address register does. Returns whether the registers answer there. */
  move(base: number): boolean {
    const enabled = this.#enabled
    this.disable()
    this.#base = base
    return enabled && this.enable()
  }

  /** For the bus: the claim waited, and something has gone. */
  retry(): void {
    this.#answering = this.#bus.place(this)
  }

  [Symbol.dispose](): void {
    this.disable()
  }
}
