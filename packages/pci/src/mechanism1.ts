/**
 * Configuration mechanism #1 (PCI Local Bus Specification 3.0, 3.2.2.3.2) with the reset control register among its ports
 * (82371SB datasheet, 2.5.8).
 *
 * | offset | accessed as | register |
 * |---|---|---|
 * | 0 | 32 bits | address: enable in bit 31, bus 23–16, device 15–11, function 10–8, register 7–2 |
 * | 1 | 8 bits | reset control |
 * | 4–7 | 8, 16 or 32 bits | data: the bytes of the register that the address names |
 */
import { checkState, type Device, type RegisterFile, type Width } from '@vmexit/core'

/** What is configured: a bus, by numbers of bus, and of device · 8 + function. */
export interface ConfigAccess {
  readConfig(bus: number, place: number, offset: number, width: Width): number
  writeConfig(bus: number, place: number, offset: number, width: Width, value: number): void
}

/** What a {@link ConfigMechanism1} is connected to. */
export interface ConfigMechanism1Options {
  readonly bus: ConfigAccess
  /** Called when the reset control register resets the machine. */
  readonly onReset: () => void
}

/** A saved mechanism. */
export type ConfigMechanism1State = {
  readonly version: 1
  readonly address: number
  readonly resetControl: number
}

const enable = 0x8000_0000
/** Reserved bits, and the two that choose a byte, are zeros. */
const addressBits = 0x80ff_fffc
/** Bit 1 chooses a hard reset, which both are here; bit 2 going from 0 to 1 makes it. */
const resetBits = { hard: 0x02, reset: 0x04 } as const

/** The ports 0xcf8–0xcff. */
export class ConfigMechanism1 implements Device<ConfigMechanism1State> {
  readonly regions: { readonly registers: RegisterFile } = {
    registers: {
      size: 8,
      split: true,
      read: (offset, width) => this.#read(offset, width),
      write: (offset, width, value) => this.#write(offset, width, value),
    },
  }
  readonly #bus: ConfigAccess
  readonly #onReset: () => void
  #address = 0
  #resetControl = 0

  constructor({ bus, onReset }: ConfigMechanism1Options) {
    this.#bus = bus
    this.#onReset = onReset
  }

  reset(): void {
    this.#address = 0
    this.#resetControl = 0
  }

  save(): ConfigMechanism1State {
    return { version: 1, address: this.#address, resetControl: this.#resetControl }
  }

  restore(state: ConfigMechanism1State): void {
    const { address, resetControl } = checkState('configuration mechanism #1', state, this.save())
    this.#address = address
    this.#resetControl = resetControl
  }

  #read(offset: number, width: Width): number {
    if (offset === 0 && width === 4) return this.#address
    if (offset === 1 && width === 1) return this.#resetControl
    if (offset < 4 || !(this.#address & enable)) return 0xffff_ffff
    return this.#bus.readConfig(this.#busNumber, this.#place, this.#register + offset - 4, width)
  }

  #write(offset: number, width: Width, value: number): void {
    if (offset === 0 && width === 4) this.#address = (value & addressBits) >>> 0
    else if (offset === 1 && width === 1) this.#control(value)
    else if (offset >= 4 && this.#address & enable) {
      this.#bus.writeConfig(this.#busNumber, this.#place, this.#register + offset - 4, width, value)
    }
  }

  get #busNumber(): number {
    return (this.#address >>> 16) & 0xff
  }

  get #place(): number {
    return (this.#address >>> 8) & 0xff
  }

  get #register(): number {
    return this.#address & 0xfc
  }

  #control(value: number): void {
    const resets = value & ~this.#resetControl & resetBits.reset
    this.#resetControl = value & (resetBits.hard | resetBits.reset)
    if (resets) this.#onReset()
  }
}
