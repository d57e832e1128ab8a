/** Buses: which register file answers at which address. One class serves I/O ports and memory-mapped registers. */
import { Claim, type Placement } from './claim.ts'
import { Counters } from './counters.ts'
import type { RegisterFile, Width } from './device.ts'
import { hex, hexRange, VmexitError } from './errors.ts'
import { Ranges } from './ranges.ts'

/** An access that no register file answered. */
export interface UnclaimedAccess {
  readonly bus: string
  readonly address: number
  /** In bytes. */
  readonly width: Width
  /** What was written and dropped; undefined for a read, which gave all ones. */
  readonly written?: number
}

/** How a bus is made. */
export interface BusOptions {
  /** The bus in error messages and counter names: `ports`, `mmio`. */
  readonly name: string
  /** Width of its addresses in bits: 16 for I/O ports, up to 52 for memory-mapped registers. */
  readonly addressBits: number
  /** Where it counts `<name>-unclaimed-reads` and `<name>-unclaimed-writes`. */
  readonly counters?: Counters
}

/**
 * A bus of disjoint claims.
 *
 * An access inside one claim and not wider than its registers are is one call of the register file. Any other is taken
 * apart into bytes, and each byte is answered by the claim it falls in if that claim's registers allow the `split`, as
 * the ISA bus does for 8-bit chips. Bytes that nobody answers read as ones; writes to them are dropped. An access that
 * nobody answers at all is counted, and told to who listens.
 *
 * Values are unsigned. A wider access than 4 bytes is two accesses of 4, low half first: the CPU's affair.
 */
export class Bus {
  readonly name: string
  /** Addresses run from 0 to `limit − 1`. */
  readonly limit: number
  readonly #ranges = new Ranges<Claim>()
  readonly #ports: PortTable | undefined
  /** Claims that want a range another one holds. The guest can bring that about; the longest waiting goes first. */
  readonly #waiting = new Set<Claim>()
  readonly #listeners = new Set<(access: UnclaimedAccess) => void>()
  readonly #counters: Counters
  readonly #unclaimedReads: number
  readonly #unclaimedWrites: number
  readonly #placement: Placement = { place: (claim) => this.#place(claim), remove: (claim) => this.#remove(claim) }

  constructor({ name, addressBits, counters = new Counters() }: BusOptions) {
    this.name = name
    this.limit = 2 ** addressBits
    this.#ports = addressBits <= 16 ? new PortTable() : undefined
    this.#counters = counters
    this.#unclaimedReads = counters.declare(`${name}-unclaimed-reads`, `Reads that nothing on ${name} answered`)
    this.#unclaimedWrites = counters.declare(`${name}-unclaimed-writes`, `Writes that nothing on ${name} answered`)
  }

  /** Reads `width` bytes. Never throws for an address, whatever it is. */
  read(address: number, width: Width): number {
    const claim = this.#find(address)
    if (claim !== undefined) {
      const { base, registers } = claim
      if (width <= claim.widest && address + width <= base + registers.size) {
        return unsigned(registers.read(address - base, width), width)
      }
    }
    return this.#readBytes(address, width)
  }

  /** Writes the low `width` bytes of `value`. Never throws for an address, whatever it is. */
  write(address: number, width: Width, value: number): void {
    const claim = this.#find(address)
    if (claim !== undefined) {
      const { base, registers } = claim
      if (width <= claim.widest && address + width <= base + registers.size) {
        registers.write(address - base, width, unsigned(value, width))
        return
      }
    }
    this.#writeBytes(address, width, value)
  }

  /**
   * Attaches registers at `base` for `owner`. Throws a {@link VmexitError}: `bus-range` if they do not fit on the bus,
   * `bus-overlap` if another claim is there; it names both.
   */
  claim(owner: string, base: number, registers: RegisterFile): Claim {
    const { size } = registers
    if (!this.#fits(base, size)) {
      throw new VmexitError('bus-range', {
        problem: `${owner} claims ${size} addresses from ${base} on ${this.name}`,
        remedy: `stay within whole numbers from 0 to ${hex(this.limit - 1)}, and claim one address at least`,
      })
    }
    const other = this.#ranges.overlapping(base, size)
    if (other !== undefined) {
      const theirs = hexRange(other.base, other.registers.size)
      throw new VmexitError('bus-overlap', {
        problem: `${owner} claims ${this.name} ${hexRange(base, size)}, but ${other.owner} has ${theirs}`,
        remedy: `move ${owner} or ${other.owner}, or leave one of them out`,
      })
    }
    const claim = new Claim(owner, base, registers, this.#placement)
    claim.enable()
    return claim
  }

  /**
   * Registers for `owner` that are attached when and where the guest says, as behind a PCI base address register: `move`
   * the claim and `enable` it. Until then it is at 0 and does not answer.
   */
  claimLater(owner: string, registers: RegisterFile): Claim {
    return new Claim(owner, 0, registers, this.#placement)
  }

  /** What answers now, by ascending address. */
  claims(): readonly Claim[] {
    return this.#ranges.values()
  }

  /** Calls `listener` for each access that nobody answers, until the returned object is disposed. */
  onUnclaimed(listener: (access: UnclaimedAccess) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  #find(address: number): Claim | undefined {
    return this.#ports === undefined ? this.#ranges.find(address) : this.#ports.find(address)
  }

  #fits(base: number, size: number): boolean {
    return Number.isInteger(base) && Number.isInteger(size) && base >= 0 && size > 0 && base + size <= this.limit
  }

  #readBytes(address: number, width: Width): number {
    let value = 0
    let answered = false
    for (let i = 0; i < width; i++) {
      const claim = this.#splitting(address + i)
      if (claim !== undefined) answered = true
      const byte = claim === undefined ? 0xff : claim.registers.read(address + i - claim.base, 1) & 0xff
      value |= byte << (8 * i)
    }
    if (!answered) this.#unclaimed(this.#unclaimedReads, { bus: this.name, address, width })
    return unsigned(value, width)
  }

  #writeBytes(address: number, width: Width, value: number): void {
    let answered = false
    for (let i = 0; i < width; i++) {
      const claim = this.#splitting(address + i)
      if (claim === undefined) continue
      answered = true
      claim.registers.write(address + i - claim.base, 1, (value >>> (8 * i)) & 0xff)
    }
    const written = unsigned(value, width)
    if (!answered) this.#unclaimed(this.#unclaimedWrites, { bus: this.name, address, width, written })
  }

  #splitting(address: number): Claim | undefined {
    const claim = this.#find(address)
    return claim?.registers.split ? claim : undefined
  }

  #unclaimed(counter: number, access: UnclaimedAccess): void {
    this.#counters.slots[counter]!++
    for (const listener of this.#listeners) listener(access)
  }

  #place(claim: Claim): boolean {
    const { base, registers } = claim
    if (!this.#fits(base, registers.size)) return false
    if (this.#ranges.overlapping(base, registers.size) !== undefined) {
      this.#waiting.add(claim)
      return false
    }
    this.#ranges.add(base, registers.size, claim)
    this.#ports?.fill(base, registers.size, claim)
    return true
  }

  #remove(claim: Claim): void {
    if (this.#waiting.delete(claim) || !claim.answering) return
    this.#ranges.remove(claim.base)
    this.#ports?.fill(claim.base, claim.registers.size, undefined)
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const other of waiting) other.retry()
  }
}

/** I/O ports have few addresses: a table of pages of 256 finds one in 3 ns. */
class PortTable {
  readonly #pages = new Array<(Claim | undefined)[] | undefined>(256)

  find(port: number): Claim | undefined {
    return this.#pages[port >>> 8]?.[port & 0xff]
  }

  fill(base: number, size: number, claim: Claim | undefined): void {
    for (let port = base; port < base + size; port++) {
      const page = (this.#pages[port >>> 8] ??= new Array<Claim | undefined>(256))
      page[port & 0xff] = claim
    }
  }
}

/** `value`'s low `width` bytes as a number from 0. */
function unsigned(value: number, width: Width): number {
  return width === 4 ? value >>> 0 : value & (width === 2 ? 0xffff : 0xff)
}
