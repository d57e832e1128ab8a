/**
 * A PCI function: the header of its configuration space, its windows, its interrupt and its way to memory (PCI Local Bus
 * Specification 3.0, chapter 6).
 */
import { type BusMaster, checkState, type Line, type State, type Stateful, VmexitError, type Width } from '@vmexit/core'
import { addCapabilities, type Capability } from './capability.ts'
import { type ConfigCell, type ConfigRegister, ConfigSpace, type ConfigState } from './config-space.ts'
import { Msi, type MsiOptions } from './msi.ts'
import { type Bar, commandBit, type Window } from './windows.ts'

/** Where a function is. */
export interface PciPlace {
  /** 0–31. */
  readonly device: number
  /** 0–7. */
  readonly function: number
}

/** What a function is. */
export interface PciFunctionOptions {
  /** In error messages, and the owner of what it claims. */
  readonly name: string
  readonly vendorId: number
  readonly deviceId: number
  /** 24 bits: class, subclass, programming interface. */
  readonly classCode: number
  readonly revision?: number
  readonly subsystemVendorId?: number
  readonly subsystemId?: number
  /** Where it is; function 0 of the first free device from 3 up unless stated. */
  readonly at?: { readonly device: number; readonly function?: number }
  readonly bars?: readonly Bar[]
  /** 1–4 for INTA–INTD; none unless stated. */
  readonly interruptPin?: 1 | 2 | 3 | 4
  readonly msi?: MsiOptions
  /** An expansion ROM. */
  readonly rom?: Uint8Array
  /** Registers of its own, from 0x40 on. */
  readonly config?: readonly ConfigRegister[]
  /** Capabilities beside messages. */
  readonly capabilities?: readonly Capability[]
  /** Which bits of the command register can be written, and which are set; 0x0547 and none unless stated. */
  readonly command?: { readonly writable: number; readonly value: number }
  /** The status register as it is at first, without capabilities; 0x0200 (medium DEVSEL timing) unless stated. */
  readonly status?: number
  /** Called when the command register has changed: {@link commandBit}. */
  readonly onCommand?: (command: number) => void
}

/** A saved function. */
export type PciFunctionState = State & {
  readonly version: 1
  readonly config: ConfigState
  /** What the function drives its interrupt to. */
  readonly interrupt: boolean
  /** Bits of the messages that wait because they are masked. */
  readonly pendingMessages: number
}

/** What a bus gives a function. */
export interface PciSurroundings {
  readonly place: PciPlace
  readonly master: BusMaster
  /** Where its interrupt pin goes. */
  readonly wire: Line
  /** Makes the windows; `changed` is to be called when a base address register was written. */
  windows(config: ConfigSpace, changed: () => void): readonly Window[]
  /** Puts windows where they are to be, after some have changed. */
  settle(): void
}

const interruptStatus = 0x08
const capabilitiesStatus = 0x10
/** Errors that are reported until a one is written to them. */
const reportedErrors = 0xf900
const multifunction = 0x80

/** One function on the bus, made by `PciBus.add`. */
export class PciFunction implements Stateful<PciFunctionState> {
  readonly name: string
  readonly place: PciPlace
  /** Its way to memory, open while the command register says so. */
  readonly master: BusMaster
  /** Drives the interrupt: the pin, or message 0 at each rise once the system has turned messages on. */
  readonly interrupt: Line = { set: (level) => this.#setInterrupt(level) }
  /** Where its base address registers, and last its expansion ROM, are seen. */
  readonly windows: readonly Window[]
  /** 0 for none. */
  readonly interruptPin: number
  readonly #config: ConfigSpace
  readonly #command: ConfigCell
  readonly #interruptLine: ConfigCell
  readonly #headerType: ConfigCell
  readonly #msi: Msi | undefined
  readonly #wire: Line
  readonly #settle: () => void
  readonly #onCommand: ((command: number) => void) | undefined
  #level = false

  /**
   * For `PciBus.add`.
   *
   * @internal
   */
  constructor(options: PciFunctionOptions, { place, master, wire, windows, settle }: PciSurroundings) {
    const { name, interruptPin = 0, msi, config = [], capabilities = [] } = options
    this.name = name
    this.place = place
    this.master = master
    this.interruptPin = interruptPin
    this.#wire = wire
    this.#settle = settle
    this.#onCommand = options.onCommand
    this.#config = new ConfigSpace(name)
    const { command, interruptLine, headerType } = this.#addHeader(
      options,
      msi !== undefined || capabilities.length > 0,
    )
    this.#command = command
    this.#interruptLine = interruptLine
    this.#headerType = headerType
    for (const register of config) this.#config.add(register)
    this.#msi = msi && new Msi(name, msi, master, () => this.#drive())
    addCapabilities(this.#config, name, [...(this.#msi ? [this.#msi.capability] : []), ...capabilities])
    this.windows = []
    this.windows = windows(this.#config, () => this.#update())
    this.#update()
  }

  /** The command register: {@link commandBit}. */
  get command(): number {
    return this.#command.value
  }

  /** Whether the system has turned interrupt messages on. */
  get messagesEnabled(): boolean {
    return this.#msi?.enabled ?? false
  }

  /**
   * Sends interrupt message `n`, if the system has turned messages on; of fewer that it allows, the one that `n` shares
   * with others. Returns whether it went out, or will when it is unmasked.
   */
  signal(n: number): boolean {
    return this.#msi?.signal(n) ?? false
  }

  /** A configuration read; `offset + width ≤ 256`. */
  readConfig(offset: number, width: Width): number {
    return this.#config.read(offset, width)
  }

  /** A configuration write; `offset + width ≤ 256`. */
  writeConfig(offset: number, width: Width, value: number): void {
    this.#config.write(offset, width, value)
  }

  /** For the bus: the device has more functions than this one. */
  becomeMultifunction(): void {
    this.#headerType.setInitial(multifunction)
  }

  /** For the bus, as firmware would: what the command and interrupt line registers hold after each reset. */
  configure({ command, interruptLine }: { readonly command: number; readonly interruptLine: number }): void {
    const { writable = 0 } = this.#command.register
    this.#command.setInitial(this.#command.value | (command & writable))
    this.#interruptLine.setInitial(interruptLine)
  }

  reset(): void {
    this.#config.reset()
    if (this.#msi !== undefined) this.#msi.pending = 0
    this.#update()
  }

  save(): PciFunctionState {
    const pendingMessages = this.#msi?.pending ?? 0
    return { version: 1, config: this.#config.save(), interrupt: this.#level, pendingMessages }
  }

  /** What was saved; nothing is sent by it. Throws a {@link VmexitError} `state-mismatch`. */
  restore(state: PciFunctionState): void {
    const { config, interrupt, pendingMessages } = checkState(this.name, state, this.save())
    if (this.#msi !== undefined) this.#msi.pending = 0
    this.#config.restore(config)
    this.#level = interrupt
    if (this.#msi !== undefined) this.#msi.pending = pendingMessages
    this.#update()
  }

  #addHeader(options: PciFunctionOptions, hasCapabilities: boolean) {
    const { name, vendorId, deviceId, classCode, revision = 0, subsystemVendorId = 0, subsystemId = 0 } = options
    const { command = { writable: 0x0547, value: 0 }, status = 0x0200, interruptPin = 0 } = options
    const fields = { vendorId, deviceId, subsystemVendorId, subsystemId }
    for (const [field, value] of Object.entries(fields)) demandBits(name, field, value, 16)
    demandBits(name, 'classCode', classCode, 24)
    demandBits(name, 'revision', revision, 8)
    const config = this.#config
    const add = (at: number, bytes: Width, register: string, value: number, more: Partial<ConfigRegister> = {}) =>
      config.add({ name: register, offset: at, bytes, value, ...more })
    add(0x00, 2, 'vendor', vendorId)
    add(0x02, 2, 'device', deviceId)
    add(0x06, 2, 'status', status | (hasCapabilities ? capabilitiesStatus : 0), {
      clearable: reportedErrors,
      onRead: (value) => value | (this.#level && interruptPin > 0 ? interruptStatus : 0),
    })
    add(0x08, 4, 'class', classCode * 0x100 + revision)
    add(0x0c, 1, 'cache line size', 0, { writable: 0xff })
    add(0x0d, 1, 'latency timer', 0, { writable: 0xff })
    add(0x2c, 2, 'subsystem vendor', subsystemVendorId)
    add(0x2e, 2, 'subsystem', subsystemId)
    add(0x3d, 1, 'interrupt pin', interruptPin)
    return {
      command: add(0x04, 2, 'command', command.value, { writable: command.writable, onWrite: () => this.#commanded() }),
      headerType: add(0x0e, 1, 'header type', 0),
      interruptLine: add(0x3c, 1, 'interrupt line', 0, { writable: 0xff }),
    }
  }

  #setInterrupt(level: boolean): void {
    if (level === this.#level) return
    this.#level = level
    if (level) this.#msi?.signal(0)
    this.#drive()
  }

  #drive(): void {
    const disabled = (this.command & commandBit.interruptDisable) !== 0
    this.#wire.set(this.#level && !disabled && !this.messagesEnabled)
  }

  #commanded(): void {
    this.#update()
    this.#onCommand?.(this.command)
  }

  #update(): void {
    this.master.enabled = (this.command & commandBit.master) !== 0
    for (const window of this.windows) window.update(this.command)
    this.#settle()
    this.#drive()
  }
}

function demandBits(owner: string, field: string, value: number, bits: number): void {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** bits) return
  throw new VmexitError('pci-identity', {
    problem: `${owner} has ${field} ${value}`,
    remedy: `give a whole number of ${bits} bits`,
  })
}
