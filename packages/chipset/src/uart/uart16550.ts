/**
 * The 16550A UART (National Semiconductor PC16550D datasheet).
 *
 * | offset | read | written | with DLAB |
 * |---|---|---|---|
 * | 0 | RBR | THR | divisor, low |
 * | 1 | IER | IER | divisor, high |
 * | 2 | IIR | FCR | |
 * | 3 | LCR | LCR | |
 * | 4 | MCR | MCR | |
 * | 5 | LSR | – | |
 * | 6 | MSR | – | |
 * | 7 | SCR | SCR | |
 */
import {
  type Clock,
  checkState,
  type Device,
  type Line,
  type RegisterFile,
  type SavedTimer,
  type State,
  type Timer,
} from '@vmexit/core'
import { byteRegisters } from '../registers.ts'
import { type ModemControl, type ModemLines, ModemStatus, outputsOf } from './modem.ts'
import { breakReceived, framingError, Receiver, type ReceiverState } from './receiver.ts'
import { Transmitter, type TransmitterState } from './transmitter.ts'

/** What an {@link Uart16550} is connected to. */
export interface Uart16550Options {
  readonly clock: Clock
  /** The interrupt. PCs let it through while the modem control register's OUT2 is on. */
  readonly line: Line
  /** Characters that were sent. */
  readonly onTransmit?: ((bytes: Uint8Array) => void) | undefined
  /** A break that begins (true) or ends. */
  readonly onBreak?: ((active: boolean) => void) | undefined
  readonly onModemControl?: ((control: ModemControl) => void) | undefined
  /** What was given to `receive` has all been read by the guest. */
  readonly onDrain?: (() => void) | undefined
  /** Whether characters take the time that the line's speed says; false unless stated: they are through at once. */
  readonly paced?: boolean | undefined
  /** Whether the other side sends only while RTS is on; false unless stated. */
  readonly flowControl?: boolean | undefined
  /**
   * Whether after a reset the line is set up for 115,200 baud, 8N1, with DTR and RTS on, as firmware leaves it; false
   * unless stated: characters of five bits until the guest says otherwise.
   */
  readonly configured?: boolean | undefined
}

/** A saved 16550A. Registers are as they are read. */
export type Uart16550State = State & {
  readonly version: 1
  readonly ier: number
  readonly fcr: number
  readonly lcr: number
  readonly mcr: number
  readonly msr: number
  readonly scratch: number
  readonly divisor: number
  readonly receiver: ReceiverState
  readonly transmitter: TransmitterState
  readonly thrInterrupt: boolean
  readonly timedOut: boolean
  /** Lines of the other side, as the upper half of the modem status register. */
  readonly modemLines: number
  /** What the other side has sent and the receiver has no room for yet. */
  readonly waiting: readonly number[]
  readonly receiveTimer: SavedTimer | null
  readonly timeoutTimer: SavedTimer | null
}

const fifoSize = 16
const triggers = [1, 4, 8, 14]
/** Of 1.8432 MHz, divided by 16. */
const fastestBaud = 115_200

/** In `waiting`: a break instead of a character. */
const breakMark = 0x100

/** Bits of the line status register. */
const dataReady = 0x01
const anyLineError = 0x1e
const holdingEmpty = 0x20
const transmitterEmpty = 0x40

/** Bits of the modem control register. */
const rtsBit = 0x02
const out2Bit = 0x08

/** Reads of the line status without a character sent between: a sender waits for a few at most. */
const pollsOfListener = 100
const loopBit = 0x10

/** A UART. The other side of its line is `receive`, `receiveBreak`, `setModemLines` and the callbacks. */
export class Uart16550 implements Device<Uart16550State> {
  readonly regions: { readonly registers: RegisterFile } = {
    registers: byteRegisters(
      8,
      (offset) => this.#read(offset),
      (offset, value) => this.#write(offset, value),
    ),
  }
  readonly #options: Uart16550Options
  readonly #receiver = new Receiver()
  readonly #transmitter: Transmitter
  #polls = 0
  #ier = 0
  #fcr = 0
  #lcr = 0
  #mcr = 0
  readonly #modem = new ModemStatus()
  #scratch = 0
  #divisor = 12
  #thrInterrupt = false
  #timedOut = false
  #waiting: number[] = []
  /** How many of `#waiting` are taken: shifting a long array would move all of it for each character. */
  #taken = 0
  #receiveTimer: Timer | undefined
  #timeoutTimer: Timer | undefined

  constructor(options: Uart16550Options) {
    this.#options = options
    this.#transmitter = new Transmitter({
      clock: options.clock,
      characterTime: () => this.#characterTime,
      onSent: (byte) => {
        this.#send(byte)
        this.#drive()
      },
      onHoldingEmpty: () => {
        this.#thrInterrupt = true
        this.#drive()
      },
    })
    if (options.configured) this.#configure()
  }

  /**
   * Whether the guest takes characters: its driver has opened the port for interrupts, or it asks again and again whether
   * one has come. What is sent before that is lost when a driver clears the FIFO. No part of the state.
   */
  get listening(): boolean {
    const through = (this.#mcr & (out2Bit | loopBit)) === out2Bit
    return ((this.#ier & 0x01) !== 0 && through) || this.#polls >= pollsOfListener
  }

  /** Characters that wait for the guest to make room. */
  get waiting(): number {
    return this.#waiting.length - this.#taken
  }

  /** Characters from the other side. None is lost: what finds no room waits. */
  receive(bytes: Uint8Array): void {
    for (const byte of bytes) this.#waiting.push(byte)
    this.#pump()
  }

  /** A break from the other side. */
  receiveBreak(): void {
    this.#waiting.push(breakMark)
    this.#pump()
  }

  /** The other side drives its modem lines; CTS, DSR and DCD are on at first. */
  setModemLines(lines: ModemLines): void {
    this.#modem.setLines(lines, this.#mcr)
    this.#drive()
  }

  reset(): void {
    for (const timer of [this.#receiveTimer, this.#timeoutTimer]) timer?.[Symbol.dispose]()
    this.#ier = this.#fcr = this.#lcr = 0
    this.#transmitter.reset()
    this.#thrInterrupt = false
    this.#timedOut = false
    this.#receiver.resize(1)
    this.#receiver.clearErrors()
    this.#setModemControl(0)
    this.#modem.clear()
    if (this.#options.configured) this.#configure()
    this.#drive()
    this.#pump()
  }

  save(): Uart16550State {
    return {
      version: 1,
      ier: this.#ier,
      fcr: this.#fcr,
      lcr: this.#lcr,
      mcr: this.#mcr,
      msr: this.#modem.value,
      scratch: this.#scratch,
      divisor: this.#divisor,
      receiver: this.#receiver.save(),
      transmitter: this.#transmitter.save(),
      thrInterrupt: this.#thrInterrupt,
      timedOut: this.#timedOut,
      modemLines: this.#modem.lines,
      waiting: this.#waiting.slice(this.#taken),
      receiveTimer: saveTimer(this.#receiveTimer),
      timeoutTimer: saveTimer(this.#timeoutTimer),
    }
  }

  restore(state: Uart16550State): void {
    const s = checkState('the 16550A', state, this.save())
    for (const timer of [this.#receiveTimer, this.#timeoutTimer]) timer?.[Symbol.dispose]()
    this.#ier = s.ier
    this.#fcr = s.fcr
    this.#lcr = s.lcr
    this.#mcr = s.mcr
    this.#modem.restore(s.msr, s.modemLines)
    this.#scratch = s.scratch
    this.#divisor = s.divisor
    this.#receiver.restore(s.receiver)
    this.#transmitter.restore(s.transmitter)
    this.#thrInterrupt = s.thrInterrupt
    this.#timedOut = s.timedOut
    this.#waiting = [...s.waiting]
    this.#taken = 0
    const { clock } = this.#options
    this.#receiveTimer = s.receiveTimer ? clock.resume(s.receiveTimer, () => this.#arrived()) : undefined
    this.#timeoutTimer = s.timeoutTimer ? clock.resume(s.timeoutTimer, () => this.#timeOut()) : undefined
    this.#drive()
  }

  get #fifo(): boolean {
    return (this.#fcr & 1) !== 0
  }

  get #loop(): boolean {
    return (this.#mcr & loopBit) !== 0
  }

  get #divisorLatch(): boolean {
    return (this.#lcr & 0x80) !== 0
  }

  /** Ticks that a character takes: start bit, data, parity, stop bits. */
  get #characterTime(): number {
    const data = 5 + (this.#lcr & 3)
    const stop = this.#lcr & 4 ? (data === 5 ? 1.5 : 2) : 1
    const bits = 1 + data + (this.#lcr & 8 ? 1 : 0) + stop
    return Math.ceil((this.#options.clock.frequency * bits * (this.#divisor || 1)) / fastestBaud)
  }

  /** The bits of a character that the line carries. */
  get #dataMask(): number {
    return 0xff >> (3 - (this.#lcr & 3))
  }

  #read(offset: number): number {
    switch (offset) {
      case 0:
        return this.#divisorLatch ? this.#divisor & 0xff : this.#readReceiver()
      case 1:
        return this.#divisorLatch ? this.#divisor >> 8 : this.#ier
      case 2: {
        const cause = this.#cause
        if (cause === 0x02) this.#thrInterrupt = false
        this.#drive()
        return cause | (this.#fifo ? 0xc0 : 0)
      }
      case 3:
        return this.#lcr
      case 4:
        return this.#mcr
      case 5: {
        const status = this.#lineStatus
        this.#polls++
        this.#receiver.clearErrors()
        this.#drive()
        return status
      }
      case 6: {
        const status = this.#modem.read()
        this.#drive()
        return status
      }
      default:
        return this.#scratch
    }
  }

  #write(offset: number, value: number): void {
    switch (offset) {
      case 0:
        if (this.#divisorLatch) this.#divisor = (this.#divisor & 0xff00) | value
        else {
          this.#polls = 0
          this.#transmit(value & this.#dataMask)
        }
        break
      case 1:
        if (this.#divisorLatch) this.#divisor = (this.#divisor & 0xff) | (value << 8)
        else this.#setInterruptEnable(value & 0x0f)
        break
      case 2:
        this.#setFifoControl(value)
        break
      case 3:
        this.#setLineControl(value)
        break
      case 4:
        this.#setModemControl(value & 0x1f)
        break
      case 7:
        this.#scratch = value
    }
    this.#drive()
  }

  get #lineStatus(): number {
    return (
      (this.#receiver.length > 0 ? dataReady : 0) |
      this.#receiver.errors |
      (this.#transmitter.holdingEmpty ? holdingEmpty : 0) |
      (this.#transmitter.empty ? transmitterEmpty : 0) |
      (this.#fifo && this.#receiver.anyError ? 0x80 : 0)
    )
  }

  /** IIR bits 3–0: the interrupt of the highest priority, 1 for none. */
  get #cause(): number {
    if (this.#ier & 0x04 && this.#receiver.errors & anyLineError) return 0x06
    if (this.#ier & 0x01) {
      if (this.#receiver.length >= (this.#fifo ? triggers[this.#fcr >> 6]! : 1)) return 0x04
      if (this.#timedOut) return 0x0c
    }
    if (this.#ier & 0x02 && this.#thrInterrupt) return 0x02
    if (this.#ier & 0x08 && this.#modem.changed) return 0x00
    return 0x01
  }

  #drive(): void {
    // In loopback the outputs are off, OUT2 with them.
    const through = (this.#mcr & (out2Bit | loopBit)) === out2Bit
    this.#options.line.set(through && this.#cause !== 0x01)
  }

  #setInterruptEnable(ier: number): void {
    if (ier & ~this.#ier & 0x02 && this.#transmitter.holdingEmpty) this.#thrInterrupt = true
    this.#ier = ier
  }

  #setFifoControl(value: number): void {
    const toggled = ((value ^ this.#fcr) & 1) !== 0
    if (toggled) this.#receiver.resize(value & 1 ? fifoSize : 1)
    if (toggled || (value & 0x05) === 0x05) this.#transmitter.clear()
    if ((value & 0x03) === 0x03) this.#receiver.clear()
    this.#fcr = value & 1 ? value & 0xc9 : 0
    if (toggled || (value & 0x03) === 0x03) this.#restartTimeout()
    if (toggled || (value & 0x05) === 0x05) this.#thrInterrupt = true
    this.#pump()
  }

  #setLineControl(value: number): void {
    const changed = value ^ this.#lcr
    this.#lcr = value
    if (!(changed & 0x40)) return
    if (!this.#loop) this.#options.onBreak?.((value & 0x40) !== 0)
    else if (value & 0x40) this.#accept(0, breakReceived | framingError)
  }

  #setModemControl(value: number): void {
    const [before, after] = [outputsOf(this.#mcr), outputsOf(value)]
    this.#mcr = value
    this.#modem.update(value)
    if (after.dtr !== before.dtr || after.rts !== before.rts) this.#options.onModemControl?.(after)
    this.#pump()
  }

  /** What firmware does. */
  #configure(): void {
    this.#divisor = 1
    this.#lcr = 0x03
    this.#setModemControl(0x03)
  }

  #transmit(byte: number): void {
    this.#thrInterrupt = false
    if (this.#options.paced) this.#transmitter.write(byte, this.#fifo ? fifoSize : 1)
    else {
      this.#send(byte)
      this.#thrInterrupt = true
    }
  }

  #send(byte: number): void {
    if (this.#loop) this.#accept(byte, 0)
    else this.#options.onTransmit?.(Uint8Array.of(byte))
  }

  #readReceiver(): number {
    const byte = this.#receiver.shift()
    this.#restartTimeout()
    this.#pump()
    this.#drive()
    return byte
  }

  /** A character arrives from the line. */
  #accept(byte: number, errors: number): void {
    this.#receiver.push(byte & this.#dataMask, errors)
    this.#restartTimeout()
  }

  /** Lets in what waits, as far as there is room, or starts the next character on the line. */
  #pump(): void {
    const { paced, clock } = this.#options
    if (paced) {
      if (this.#mayReceive() && !this.#receiveTimer?.pending) {
        this.#receiveTimer = clock.after(this.#characterTime, () => this.#arrived())
      }
    } else while (this.#mayReceive()) this.#takeWaiting()
    this.#drive()
  }

  #mayReceive(): boolean {
    if (this.waiting === 0 || this.#receiver.full || this.#loop) return false
    return !this.#options.flowControl || (this.#mcr & rtsBit) !== 0
  }

  #arrived(): void {
    if (this.#mayReceive()) this.#takeWaiting()
    this.#pump()
  }

  #takeWaiting(): void {
    const next = this.#waiting[this.#taken++]!
    if (this.#taken === this.#waiting.length) {
      this.#waiting = []
      this.#taken = 0
    }
    if (next === breakMark) this.#accept(0, breakReceived | framingError)
    else this.#accept(next, 0)
    if (this.waiting === 0) this.#options.onDrain?.()
  }

  /** The character timeout: four character times in which a FIFO that is not empty was neither read nor filled. */
  #restartTimeout(): void {
    this.#timedOut = false
    this.#timeoutTimer?.[Symbol.dispose]()
    if (!this.#fifo || this.#receiver.length === 0) return
    this.#timeoutTimer = this.#options.clock.after(4 * this.#characterTime, () => this.#timeOut())
  }

  #timeOut(): void {
    this.#timedOut = true
    this.#drive()
  }
}

function saveTimer(timer: Timer | undefined): SavedTimer | null {
  return timer?.pending ? timer.save() : null
}
