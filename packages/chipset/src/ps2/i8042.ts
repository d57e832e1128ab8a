/**
 * The i8042 keyboard controller of a PC with a mouse port (IBM PS/2 technical reference, keyboard and auxiliary device
 * controller).
 *
 * | register file | read | written |
 * |---|---|---|
 * | `data` (0x60) | output buffer | parameter of a command, or a byte for the keyboard |
 * | `command` (0x64) | status | command |
 */
import {
  type Clock,
  checkState,
  type Device,
  type Line,
  type RegisterFile,
  type SavedTimer,
  type Timer,
} from '@vmexit/core'
import { byteRegisters } from '../registers.ts'
import type { Ps2Device } from './device.ts'
import { breakPrefix, translate } from './scan-codes.ts'

/** What an {@link I8042} is connected to. */
export interface I8042Options {
  readonly clock: Clock
  readonly keyboard: Ps2Device
  readonly mouse: Ps2Device
  /** Asserted while a byte of the keyboard or of the controller is in the output buffer. */
  readonly keyboardLine: Line
  /** Asserted while a byte of the mouse is in the output buffer. */
  readonly mouseLine: Line
  /** Bit 1 of the output port. */
  readonly onA20: (enabled: boolean) => void
  /** Bit 0 of the output port goes low. */
  readonly onReset: () => void
  /** Nanoseconds that a byte takes from a device to the output buffer; 880 µs, eleven bits, unless stated. */
  readonly byteTime?: number | undefined
  /**
   * Whether it is after a reset as firmware leaves it: devices on, their interrupts too, scan codes translated to set 1.
   * For machines without firmware; false unless stated.
   */
  readonly configured?: boolean | undefined
}

/** A saved controller. */
export type I8042State = {
  readonly version: 1
  readonly ram: readonly number[]
  readonly outputPort: number
  readonly buffer: number
  /** Whose byte is in the output buffer. */
  readonly source: 'keyboard' | 'mouse' | null
  /** What the controller has to say itself, each with the mark of a mouse's byte. */
  readonly answers: readonly number[]
  readonly selfTested: boolean
  /** The last byte was written to the command register. */
  readonly commanded: boolean
  /** The command whose parameter comes next. */
  readonly command: number | null
  /** A break prefix was translated away. */
  readonly broken: boolean
  readonly transfer: SavedTimer | null
}

type Source = NonNullable<I8042State['source']>

/** In `answers`: to be taken for a byte of the mouse. */
const fromMouse = 0x100

/** Bits of the command byte, which is byte 0 of the controller's RAM. */
const keyboardInterrupt = 0x01
const mouseInterrupt = 0x02
const systemFlag = 0x04
const keyboardDisabled = 0x10
const mouseDisabled = 0x20
const translation = 0x40
/** The command byte as firmware leaves it: both interrupts. */
const configuredCommand: number = 0x03 | systemFlag | translation

/** Bits of the output port. */
const notReset = 0x01
const a20 = 0x02

/** A keyboard controller. */
export class I8042 implements Device<I8042State> {
  readonly regions: { readonly data: RegisterFile; readonly command: RegisterFile } = {
    data: byteRegisters(
      1,
      () => this.#readData(),
      (_, value) => this.#writeData(value),
    ),
    command: byteRegisters(
      1,
      () => this.#status,
      (_, value) => this.#writeCommand(value),
    ),
  }
  readonly #options: I8042Options
  readonly #byteTime: number
  #ram = new Uint8Array(32)
  #outputPort = 0
  #buffer = 0
  #source: Source | undefined
  #answers: number[] = []
  #selfTested = false
  #commanded = false
  #command: number | undefined
  #broken = false
  #transfer: Timer | undefined

  constructor(options: I8042Options) {
    this.#options = options
    this.#byteTime = options.clock.ticks(options.byteTime ?? 880_000)
    options.keyboard.onWaiting = () => this.#pump()
    options.mouse.onWaiting = () => this.#pump()
    this.reset()
  }

  reset(): void {
    this.#transfer?.[Symbol.dispose]()
    this.#ram.fill(0)
    this.#ram[0] = this.#options.configured ? configuredCommand : keyboardDisabled | mouseDisabled
    this.#source = undefined
    this.#buffer = 0
    this.#answers = []
    this.#selfTested = false
    this.#commanded = false
    this.#command = undefined
    this.#broken = false
    this.#setOutputPort(notReset | a20)
    this.#drive()
  }

  save(): I8042State {
    return {
      version: 1,
      ram: [...this.#ram],
      outputPort: this.#outputPort,
      buffer: this.#buffer,
      source: this.#source ?? null,
      answers: [...this.#answers],
      selfTested: this.#selfTested,
      commanded: this.#commanded,
      command: this.#command ?? null,
      broken: this.#broken,
      transfer: this.#transfer?.pending ? this.#transfer.save() : null,
    }
  }

  restore(state: I8042State): void {
    const saved = checkState('the i8042', state, this.save())
    this.#transfer?.[Symbol.dispose]()
    this.#ram = Uint8Array.from(saved.ram)
    this.#setOutputPort(saved.outputPort)
    this.#buffer = saved.buffer
    this.#source = saved.source ?? undefined
    this.#answers = [...saved.answers]
    this.#selfTested = saved.selfTested
    this.#commanded = saved.commanded
    this.#command = saved.command ?? undefined
    this.#broken = saved.broken
    this.#transfer = saved.transfer ? this.#options.clock.resume(saved.transfer, () => this.#transferred()) : undefined
    this.#drive()
  }

  get #status(): number {
    return (
      (this.#source !== undefined ? 0x01 : 0) |
      (this.#selfTested || this.#ram[0]! & systemFlag ? 0x04 : 0) |
      (this.#commanded ? 0x08 : 0) |
      0x10 |
      (this.#source === 'mouse' ? 0x20 : 0)
    )
  }

  #readData(): number {
    this.#source = undefined
    this.#drive()
    this.#pump()
    return this.#buffer
  }

  #writeData(value: number): void {
    this.#commanded = false
    const command = this.#command
    this.#command = undefined
    if (command !== undefined) this.#parameter(command, value)
    else {
      // A byte for the keyboard opens its line.
      this.#ram[0]! &= ~keyboardDisabled
      this.#options.keyboard.write(value)
    }
    this.#pump()
  }

  #writeCommand(command: number): void {
    this.#commanded = true
    this.#command = undefined
    if (command >= 0x20 && command <= 0x3f) this.#answer(this.#ram[command & 0x1f]!)
    else if ((command >= 0x60 && command <= 0x7f) || (command >= 0xd1 && command <= 0xd4)) this.#command = command
    else if (command >= 0xf0) this.#pulse(command & 0x0f)
    else this.#simpleCommand(command)
    this.#pump()
  }

  #simpleCommand(command: number): void {
    switch (command) {
      case 0xa4: // is a password there? no
        this.#answer(0xf1)
        return
      case 0xa7:
        this.#ram[0]! |= mouseDisabled
        return
      case 0xa8:
        this.#ram[0]! &= ~mouseDisabled
        return
      case 0xa9: // test of the mouse's line: passed
      case 0xab: // test of the keyboard's line: passed
        this.#answer(0x00)
        return
      case 0xaa:
        this.#selfTested = true
        this.#ram[0] = keyboardDisabled | mouseDisabled | systemFlag
        this.#answer(0x55)
        return
      case 0xad:
        this.#ram[0]! |= keyboardDisabled
        return
      case 0xae:
        this.#ram[0]! &= ~keyboardDisabled
        return
      case 0xc0: // the input port: the keyboard is not locked, a colour display
        this.#answer(0x80)
        return
      case 0xd0:
        this.#answer(
          this.#outputPort | (this.#source === 'keyboard' ? 0x10 : 0) | (this.#source === 'mouse' ? 0x20 : 0),
        )
        return
      case 0xdd:
      case 0xdf:
        this.#setOutputPort(command === 0xdf ? this.#outputPort | a20 : this.#outputPort & ~a20)
        return
      case 0xe0: // the test inputs: clock lines are low
        this.#answer(0x00)
    }
  }

  #parameter(command: number, value: number): void {
    switch (command) {
      case 0xd1:
        this.#setOutputPort(value)
        if (!(value & notReset)) this.#options.onReset()
        return
      case 0xd2:
        this.#answer(value)
        return
      case 0xd3:
        this.#answer(value | fromMouse)
        return
      case 0xd4:
        this.#ram[0]! &= ~mouseDisabled
        this.#options.mouse.write(value)
        return
      default:
        this.#ram[command & 0x1f] = value
        if (command === 0x60) this.#drive()
    }
  }

  /** Commands 0xf0–0xff: outputs whose bit is low are low for 6 µs. */
  #pulse(bits: number): void {
    if (!(bits & notReset)) this.#options.onReset()
  }

  #setOutputPort(value: number): void {
    this.#outputPort = value & ~0x30
    this.#options.onA20((value & a20) !== 0)
  }

  #answer(byte: number): void {
    this.#answers.push(byte)
  }

  /** Fills the output buffer if it is empty: with an answer at once, with a device's byte after its time on the line. */
  #pump(): void {
    if (this.#source !== undefined) return
    const answer = this.#answers.shift()
    if (answer !== undefined) this.#fill(answer & 0xff, answer & fromMouse ? 'mouse' : 'keyboard')
    else if (this.#sender !== undefined && !this.#transfer?.pending) {
      this.#transfer = this.#options.clock.after(this.#byteTime, () => this.#transferred())
    }
  }

  /** The device that has the line: the keyboard first. */
  get #sender(): Source | undefined {
    if (!(this.#ram[0]! & keyboardDisabled) && this.#options.keyboard.waiting) return 'keyboard'
    if (!(this.#ram[0]! & mouseDisabled) && this.#options.mouse.waiting) return 'mouse'
    return undefined
  }

  #transferred(): void {
    const sender = this.#source === undefined ? this.#sender : undefined
    if (sender === 'mouse') this.#fill(this.#options.mouse.take()!, 'mouse')
    else if (sender === 'keyboard') this.#fromKeyboard(this.#options.keyboard.take()!)
    this.#pump()
  }

  #fromKeyboard(byte: number): void {
    if (!(this.#ram[0]! & translation)) {
      this.#fill(byte, 'keyboard')
    } else if (byte === breakPrefix) {
      this.#broken = true
    } else {
      const broken = this.#broken
      this.#broken = false
      this.#fill(translate(byte, broken), 'keyboard')
    }
  }

  #fill(byte: number, source: Source): void {
    this.#buffer = byte
    this.#source = source
    this.#drive()
  }

  #drive(): void {
    const enabled = this.#ram[0]!
    this.#options.keyboardLine.set(this.#source === 'keyboard' && (enabled & keyboardInterrupt) !== 0)
    this.#options.mouseLine.set(this.#source === 'mouse' && (enabled & mouseInterrupt) !== 0)
  }
}
