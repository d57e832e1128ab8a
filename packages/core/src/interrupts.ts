/** The interrupt seam: lines, the controller between them and the CPUs, and message-signalled interrupts. */

/** One wire. Devices are given theirs; they do not know which input of which controller it goes to. */
export interface Line {
  /** Drives the wire high (asserted) or low. Setting the level it has changes nothing. */
  set(level: boolean): void
}

/** A wire that goes nowhere. */
export const openLine: Line = { set() {} }

/** Makes an edge: raises a line that is low and lowers it again. */
export function pulse(line: Line): void {
  line.set(true)
  line.set(false)
}

/**
 * Lets several devices share one level-triggered wire, as PCI devices do: it is high while any of them drives it high.
 * Each call of the returned function makes one more input.
 */
export function sharedLine(line: Line): () => Line {
  let asserted = 0
  return () => {
    let high = false
    return {
      set(level) {
        if (level === high) return
        high = level
        asserted += level ? 1 : -1
        if (asserted === (level ? 1 : 0)) line.set(level)
      },
    }
  }
}

/** What one CPU sees of the interrupt hardware: its INTR pin, and the cycle in which it asks for the vector. */
export interface InterruptSource {
  /** The level of the pin: an interrupt waits to be acknowledged. */
  readonly pending: boolean
  /** The interrupt-acknowledge cycle: returns the vector, 0–255. Asked without need, it gives the spurious vector. */
  acknowledge(): number
  /** Calls `changed` whenever `pending` changes, so that a running CPU need not poll. */
  watch(changed: (pending: boolean) => void): Disposable
  /**
   * The CPU turns its local interrupt controller on or off: the global enable of IA32_APIC_BASE on x86. Left out where the
   * CPU has none.
   */
  setEnabled?(enabled: boolean): void
}

/** An interrupt controller, or several that together look like one: the capability `interrupts`. */
export interface InterruptController {
  /** Its inputs, numbered from 0: on a PC the ISA interrupt number, or an I/O APIC input. */
  readonly inputs: number
  /** The wire into one input. Throws a `VmexitError` for a number that is no input. */
  line(input: number): Line
  /** What the CPU numbered `cpu` is connected to. */
  source(cpu: number): InterruptSource
}

/** A message-signalled interrupt: the memory write that a device makes instead of driving a wire (PCI 3.0, 6.8). */
export interface MsiMessage {
  /** Where it is written: on a PC 0xfee00000–0xfeefffff, which says which CPUs and how. */
  readonly address: number
  /** What is written: 32 bits, on a PC vector, delivery mode and trigger mode. */
  readonly data: number
}

/** What takes messages: the capability `msi`. */
export interface MsiTarget {
  /** Delivers a message; returns false if the address is not one of its own. */
  deliver(message: MsiMessage): boolean
}
