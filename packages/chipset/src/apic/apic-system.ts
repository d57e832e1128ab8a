/**
 * The interrupt system of a PC with APICs: a local APIC for each CPU, an I/O APIC, and the two 8259As, whose INT goes to
 * LINT0 of the local APICs and to input 0 of the I/O APIC (MultiProcessor Specification 1.4, 3.6.2).
 *
 * It looks like one controller: inputs 0–15 are the ISA interrupts, wired to the 8259As and to the I/O APIC (0 to its
 * input 2), and 16–23 the I/O APIC's own.
 */
import {
  type Clock,
  checkState,
  type InterruptController,
  type InterruptSource,
  type Line,
  type MsiMessage,
  type MsiTarget,
  type RegisterFile,
  type State,
  type Stateful,
  sharedLine,
  VmexitError,
} from '@vmexit/core'
import { IntrPin } from '../intr-pin.ts'
import { PicPair, type PicPairState } from '../pic/pair.ts'
import { byteRegisters } from '../registers.ts'
import { IoApic, type IoApicState, ioApicInputs } from './io-apic.ts'
import { LocalApic, type LocalApicState } from './local-apic.ts'
import { type ApicMessage, type CpuSignals, deliveryMode } from './message.ts'

/** How an {@link ApicSystem} is made. */
export interface ApicSystemOptions extends CpuSignals {
  readonly clock: Clock
  /** CPUs; 1 unless stated. */
  readonly cpus?: number | undefined
  /** Cycles of the bus a second, which the timers count; 10^8 unless stated. */
  readonly timerFrequency?: number | undefined
  /** The CPU that makes the access in progress, for the page where each finds its own; 0 unless stated. */
  readonly currentCpu?: (() => number) | undefined
  /** Whether LINT0 of CPU 0 is open for the 8259As after reset, as firmware leaves it; true unless stated. */
  readonly virtualWire?: boolean | undefined
  /** Whether there is an IMCR. The machine then starts in PIC mode, the 8259As wired to CPU 0; false unless stated. */
  readonly imcr?: boolean | undefined
}

/** A saved interrupt system. */
export type ApicSystemState = State & {
  readonly version: 1
  readonly pair: PicPairState
  readonly ioApic: IoApicState
  readonly local: readonly LocalApicState[]
  readonly imcrIndex: number
  readonly picMode: boolean
}

/** The index of the IMCR behind port 0x22. */
const imcrIndex = 0x70

/** Local APICs, I/O APIC and 8259As together. */
export class ApicSystem implements InterruptController, MsiTarget, Stateful<ApicSystemState> {
  readonly inputs: number = ioApicInputs
  readonly pair: PicPair
  readonly ioApic: IoApic
  /** The local APICs, by number of the CPU. */
  readonly local: readonly LocalApic[]
  /** The wire that says NMI: LINT1 of every local APIC. */
  readonly nmi: Line
  /** The local APIC's page as the CPU that accesses it sees it, and the IMCR's two ports. */
  readonly regions: { readonly local: RegisterFile; readonly imcr: RegisterFile }
  readonly #pins: readonly IntrPin[]
  readonly #ioInputs: readonly (() => Line)[]
  readonly #startsInPicMode: boolean
  #picInt = false
  #imcrIndex = 0
  #picMode: boolean

  constructor(options: ApicSystemOptions) {
    const { clock, cpus = 1, timerFrequency = 1e8, currentCpu = () => 0, virtualWire = true, imcr = false } = options
    this.#startsInPicMode = imcr
    this.#picMode = imcr
    this.pair = new PicPair({ set: (level) => this.#setPicInt(level) })
    this.ioApic = new IoApic(
      (message) => this.#send(message),
      () => this.#update(),
    )
    this.local = Array.from(
      { length: cpus },
      (_, id) =>
        new LocalApic({
          clock,
          id,
          timerFrequency,
          signals: options,
          send: (message, shorthand) => this.#command(id, message, shorthand),
          onEndOfInterrupt: (vector) => this.ioApic.endOfInterrupt(vector),
          onChange: () => this.#update(),
          virtualWire: virtualWire && id === 0,
        }),
    )
    this.#pins = this.local.map(
      (apic, cpu) =>
        new IntrPin(
          () => this.#acknowledge(cpu),
          (enabled) => apic.setGloballyEnabled(enabled),
        ),
    )
    this.#ioInputs = Array.from({ length: ioApicInputs }, (_, input) =>
      sharedLine({ set: (level) => this.ioApic.setInput(input, level) }),
    )
    this.nmi = {
      set: (level) => {
        for (const apic of this.local) apic.lint[1]!.set(level)
      },
    }
    const mine = () => {
      const apic = this.local[currentCpu()]
      return apic?.globallyEnabled ? apic.regions.registers : undefined
    }
    this.regions = {
      local: {
        size: 0x1000,
        read: (offset, width) => mine()?.read(offset, width) ?? 0xffff_ffff,
        write: (offset, width, value) => mine()?.write(offset, width, value),
      },
      imcr: byteRegisters(
        2,
        (offset) => (offset === 1 && this.#imcrIndex === imcrIndex && !this.#picMode ? 1 : 0),
        (offset, value) => this.#writeImcr(offset, value),
      ),
    }
    this.#update()
  }

  /** Throws a {@link VmexitError} `apic-input` for a number that is no input; 2 is none, the 8259As use it themselves. */
  line(input: number): Line {
    const toIoApic = this.#ioInputs[input === 0 ? 2 : input]
    if (toIoApic === undefined || input === 2) {
      throw new VmexitError('apic-input', {
        problem: `the interrupt system has no input ${input}`,
        remedy: `use one of 0, 1 and 3–${ioApicInputs - 1}`,
      })
    }
    const wires = [toIoApic()]
    if (input < 16) wires.push(this.pair.line(input))
    return {
      set(level) {
        for (const wire of wires) wire.set(level)
      },
    }
  }

  /** Throws a {@link VmexitError} `apic-cpu` for a CPU that has no local APIC. */
  source(cpu: number): InterruptSource {
    const pin = this.#pins[cpu]
    if (pin !== undefined) return pin
    throw new VmexitError('apic-cpu', {
      problem: `CPU ${cpu} has no local APIC: there are ${this.#pins.length}`,
      remedy: `make the interrupt system for ${cpu + 1} CPUs`,
    })
  }

  /** Addresses 0xfee00000–0xfeefffff: destination and its kind in the address, the rest in the data (SDM 3, 11.11). */
  deliver({ address, data }: MsiMessage): boolean {
    if (address < 0xfee0_0000 || address > 0xfeef_ffff) return false
    this.#send({
      destination: (address >>> 12) & 0xff,
      logical: (address & 0x04) !== 0,
      mode: (data >> 8) & 7,
      vector: data & 0xff,
      level: (data & 0x8000) !== 0,
    })
    return true
  }

  reset(): void {
    this.#picMode = this.#startsInPicMode
    this.#imcrIndex = 0
    this.pair.reset()
    this.ioApic.reset()
    for (const apic of this.local) apic.reset()
    this.#update()
  }

  save(): ApicSystemState {
    return {
      version: 1,
      pair: this.pair.save(),
      ioApic: this.ioApic.save(),
      local: this.local.map((apic) => apic.save()),
      imcrIndex: this.#imcrIndex,
      picMode: this.#picMode,
    }
  }

  restore(state: ApicSystemState): void {
    const saved = checkState('the interrupt system', state, this.save())
    this.pair.restore(saved.pair)
    this.ioApic.restore(saved.ioApic)
    this.#imcrIndex = saved.imcrIndex
    this.#picMode = saved.picMode
    for (const [i, apic] of this.local.entries()) apic.restore(saved.local[i]!)
    this.#update()
  }

  /** Whether the 8259As' INT reaches a CPU: in PIC mode, through its LINT0, or through the I/O APIC. */
  #external(cpu: number): boolean {
    if (!this.#picInt) return false
    if (this.#picMode) return cpu === 0
    const apic = this.local[cpu]!
    if (apic.passesExternal && (cpu === 0 || apic.globallyEnabled)) return true
    const target = this.ioApic.externalTarget(0)
    return target !== undefined && apic.matches(target.destination, target.logical)
  }

  #acknowledge(cpu: number): number {
    const apic = this.local[cpu]!
    return !apic.pending && this.#external(cpu) ? this.pair.acknowledge() : apic.acknowledge()
  }

  #update(): void {
    for (const [cpu, pin] of this.#pins?.entries() ?? []) pin.set(this.local[cpu]!.pending || this.#external(cpu))
  }

  #setPicInt(level: boolean): void {
    this.#picInt = level
    this.ioApic.setInput(0, level)
    if (!this.#picMode) for (const apic of this.local) apic.lint[0]!.set(level)
    this.#update()
  }

  #writeImcr(offset: number, value: number): void {
    if (offset === 0) this.#imcrIndex = value
    else if (this.#imcrIndex === imcrIndex) {
      this.#picMode = (value & 1) === 0
      for (const apic of this.local) apic.lint[0]!.set(this.#picInt && !this.#picMode)
      this.#update()
    }
  }

  /** A command of a local APIC. */
  #command(from: number, message: ApicMessage, shorthand: number): void {
    if (shorthand === 0) this.#send(message)
    else
      this.#deliver(
        message,
        this.local.filter((_, cpu) => shorthand === 2 || (cpu === from) === (shorthand === 1)),
      )
  }

  #send(message: ApicMessage): void {
    this.#deliver(
      message,
      this.local.filter((apic) => apic.matches(message.destination, message.logical)),
    )
  }

  /** To all of them, or to the one of the lowest priority, the first of several. */
  #deliver(message: ApicMessage, targets: readonly LocalApic[]): void {
    if (message.mode !== deliveryMode.lowestPriority) {
      for (const apic of targets) apic.receive(message)
      return
    }
    const accepting = targets.filter((apic) => apic.accepts)
    const lowest = Math.min(...accepting.map((apic) => apic.priority))
    accepting.find((apic) => apic.priority === lowest)?.receive(message)
  }
}
