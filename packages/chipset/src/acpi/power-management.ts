/**
 * ACPI's fixed hardware (ACPI 6.4, 4.8) with the offsets of the 82371AB: the PM timer, power button, sleep control.
 *
 * | offset | register |
 * |---|---|
 * | 0 | PM1 status, 16 bits: writing ones clears |
 * | 2 | PM1 enable, 16 bits |
 * | 4 | PM1 control, 16 bits |
 * | 8 | PM timer, 32 bits, of which 24 count at 3.579545 MHz; read only |
 */
import {
  type Clock,
  checkState,
  type Device,
  type Line,
  Oscillator,
  type RegisterFile,
  type SavedTimer,
  type Timer,
} from '@vmexit/core'
import { byteRegisters } from '../registers.ts'

/** What a {@link PowerManagement} is connected to. */
export interface PowerManagementOptions {
  readonly clock: Clock
  /** The system control interrupt, a level. */
  readonly sci: Line
  /** The guest asks for the sleeping state S5. */
  readonly onSoftOff: () => void
}

/** Saved power management. */
export type PowerManagementState = {
  readonly version: 1
  readonly status: number
  readonly enable: number
  readonly control: number
  readonly command: number
  readonly commandStatus: number
  /** Half-turns of the timer that are in the status register. */
  readonly halfTurns: number
  readonly timer: SavedTimer | null
}

/** What the PM timer counts with, in hertz. */
export const pmTimerFrequency = 3_579_545

/** The value that the DSDT's `\_S5` gives for both sleep types: that of the 82371AB's soft-off. */
export const softOffType = 0

/** Written to the command port, it takes the fixed hardware from the firmware. */
export const acpiEnable = 0xf1

/** Written to the command port, it gives the fixed hardware back to the firmware. */
export const acpiDisable = 0xf0

/** Bits of PM1 status and enable. */
const timerBit = 0x0001
const powerButtonBit = 0x0100
const statusBits = 0x8731
const enableBits = 0x0721

/** Bits of PM1 control. */
const sciEnable = 0x0001
const sleepEnable = 0x2000

/** Counts after which the timer's top bit changes. */
const halfTurn = 2 ** 23

/** Fixed hardware. The timer is worked out when it is read; a timer is set on the clock only for its interrupt. */
export class PowerManagement implements Device<PowerManagementState> {
  readonly regions: { readonly registers: RegisterFile; readonly command: RegisterFile }
  readonly #options: PowerManagementOptions
  readonly #crystal: Oscillator
  #status = 0
  #enable = 0
  #control = 0
  #command = 0
  #commandStatus = 0
  #halfTurns: number
  #timer: Timer | undefined

  constructor(options: PowerManagementOptions) {
    this.#options = options
    this.#crystal = new Oscillator(options.clock.frequency, pmTimerFrequency)
    this.#halfTurns = this.#halfTurnsNow
    const registers: RegisterFile = {
      size: 12,
      split: true,
      read: (offset, width) => this.#read(offset, width),
      write: (offset, width, value) => this.#write(offset, width, value),
    }
    this.regions = {
      registers,
      // The APM control and status ports of the 82371AB. No SMI comes of them: what firmware would do is done at once.
      command: byteRegisters(
        2,
        (offset) => (offset === 0 ? this.#command : this.#commandStatus),
        (offset, value) => (offset === 0 ? this.#setCommand(value) : (this.#commandStatus = value)),
      ),
    }
  }

  /** The power button is pressed. */
  pressPowerButton(): void {
    this.#status |= powerButtonBit
    this.#update()
  }

  reset(): void {
    this.#sync()
    this.#status = this.#enable = this.#control = this.#command = this.#commandStatus = 0
    this.#update()
  }

  save(): PowerManagementState {
    this.#sync()
    return {
      version: 1,
      status: this.#status,
      enable: this.#enable,
      control: this.#control,
      command: this.#command,
      commandStatus: this.#commandStatus,
      halfTurns: this.#halfTurns,
      timer: this.#timer?.pending ? this.#timer.save() : null,
    }
  }

  restore(state: PowerManagementState): void {
    const saved = checkState('ACPI power management', state, this.save())
    this.#timer?.[Symbol.dispose]()
    this.#status = saved.status
    this.#enable = saved.enable
    this.#control = saved.control
    this.#command = saved.command
    this.#commandStatus = saved.commandStatus
    this.#halfTurns = saved.halfTurns
    this.#timer = saved.timer ? this.#options.clock.resume(saved.timer, () => this.#update()) : undefined
    this.#options.sci.set(this.#asserted)
  }

  get #halfTurnsNow(): number {
    return Math.floor(this.#crystal.cycles(this.#options.clock.now) / halfTurn)
  }

  get #asserted(): boolean {
    return (this.#control & sciEnable) !== 0 && (this.#status & this.#enable & enableBits) !== 0
  }

  #sync(): void {
    const halfTurns = this.#halfTurnsNow
    if (halfTurns > this.#halfTurns) this.#status |= timerBit
    this.#halfTurns = halfTurns
  }

  /** Brings the status up to date, drives the interrupt, and sets a timer if the PM timer's is the next to come. */
  #update(): void {
    this.#sync()
    this.#options.sci.set(this.#asserted)
    const wanted = this.#control & sciEnable && this.#enable & ~this.#status & timerBit
    const time = this.#crystal.timeOf((this.#halfTurns + 1) * halfTurn)
    if (wanted && this.#timer?.pending && this.#timer.time === time) return
    this.#timer?.[Symbol.dispose]()
    this.#timer = wanted ? this.#options.clock.at(time, () => this.#update()) : undefined
  }

  #read(offset: number, width: number): number {
    this.#sync()
    const count = this.#crystal.cycles(this.#options.clock.now) % 2 ** 24
    const words = [this.#status, this.#enable, this.#control, 0, count & 0xffff, count >>> 16]
    let value = 0
    for (let i = 0; i < width; i++) {
      const at = offset + i
      value += ((words[at >> 1]! >> (8 * (at & 1))) & 0xff) * 2 ** (8 * i)
    }
    return value
  }

  /** Done a byte at a time, the last byte of a register last: what a write to PM1 control does comes with its upper byte. */
  #write(offset: number, width: number, value: number): void {
    this.#sync()
    for (let i = 0; i < width; i++) this.#writeByte(offset + i, (value >>> (8 * i)) & 0xff)
    this.#update()
  }

  #writeByte(offset: number, byte: number): void {
    const shift = 8 * (offset & 1)
    const mask = 0xff << shift
    const bits = byte << shift
    switch (offset >> 1) {
      case 0:
        this.#status &= ~(bits & statusBits)
        return
      case 1:
        this.#enable = (this.#enable & ~mask) | (bits & enableBits)
        return
      case 2:
        this.#control = (this.#control & ~mask) | (bits & 0x1c03)
        if (bits & sleepEnable && ((this.#control >> 10) & 7) === softOffType) this.#options.onSoftOff()
    }
  }

  #setCommand(value: number): void {
    this.#command = value
    if (value === acpiEnable) this.#control |= sciEnable
    if (value === acpiDisable) this.#control &= ~sciEnable
    this.#update()
  }
}
