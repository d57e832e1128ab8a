/**
 * The MC146818 real-time clock (Motorola MC146818A datasheet) with the 128 bytes of CMOS memory of a PC.
 *
 * | offset | read | written |
 * |---|---|---|
 * | 0 | – | bits 6–0: index; bit 7: NMI is masked |
 * | 1 | the register or byte at the index | the same |
 *
 * Time comes from virtual time and is worked out when it is asked for; timers are set only for enabled interrupts.
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
import { dayOf } from './calendar.ts'
import { alarmTime, nextDay, register, secondOfDay, secondsToAlarm, setDay, setTime } from './time-of-day.ts'

/** What an {@link Mc146818} is connected to. */
export interface Mc146818Options {
  readonly clock: Clock
  /** The IRQ pin: asserted until register C is read. */
  readonly line: Line
  /** The time when virtual time is 0, in seconds since 1970-01-01 00:00 UTC. */
  readonly epoch: number
  /** Told whenever bit 7 of the index register changes. */
  readonly onNmiMask?: ((masked: boolean) => void) | undefined
}

/** A saved clock. */
export type Mc146818State = {
  readonly version: 1
  readonly cells: readonly number[]
  readonly index: number
  readonly nmiMasked: boolean
  /** Cycles of the crystal at which a second began; the seconds are counted from it. */
  readonly base: number
  /** Seconds since then that are in the registers. */
  readonly seconds: number
  /** Periods since time 0 that are in register C. */
  readonly periods: number
  readonly timer: SavedTimer | null
}

/** The crystal of a PC's clock, in hertz. */
const crystalFrequency = 32_768

/** Registers A–D. */
const [regA, regB, regC, regD] = [0x0a, 0x0b, 0x0c, 0x0d]

/** Bits of registers B and C. */
const updateEnded = 0x10
const alarm = 0x20
const periodic = 0x40
const set = 0x80

/** Cycles before a second begins in which the update is announced or made: 244 µs + 1984 µs. */
const updateCycles = 73

/** A clock with its memory. */
export class Mc146818 implements Device<Mc146818State> {
  readonly regions: { readonly registers: RegisterFile } = {
    registers: byteRegisters(
      2,
      (offset) => (offset === 0 ? 0xff : this.#read()),
      (offset, value) => (offset === 0 ? this.#setIndex(value) : this.#write(value)),
    ),
  }
  readonly #options: Mc146818Options
  readonly #crystal: Oscillator
  readonly #cells = new Uint8Array(128)
  #index = 0
  #nmiMasked = false
  #base: number
  #seconds = 0
  #periods = 0
  #timer: Timer | undefined

  constructor(options: Mc146818Options) {
    const { clock, epoch } = options
    this.#options = options
    this.#crystal = new Oscillator(clock.frequency, crystalFrequency)
    const cycles = this.#crystal.cycles(clock.now)
    const elapsed = Math.floor(cycles / crystalFrequency)
    this.#base = elapsed * crystalFrequency
    this.#cells[regA] = 0x26
    this.#cells[regB] = 0x02
    this.#cells[regD] = 0x80
    const time = Math.floor(epoch) + elapsed
    const days = Math.floor(time / 86_400)
    setTime(this.#cells, this.#cells[regB]!, time - days * 86_400)
    setDay(this.#cells, this.#cells[regB]!, dayOf(days))
    this.#periods = this.#periodsNow()
  }

  /** Whether bit 7 of the index register masks NMI. */
  get nmiMasked(): boolean {
    return this.#nmiMasked
  }

  /** The memory as firmware sets it up: bytes 0x0e–0x7f may be written. Registers are read as the guest reads them. */
  peek(index: number): number {
    this.#sync()
    return this.#cells[index]!
  }

  /** Sets a byte of the memory, not a register of the clock. */
  poke(index: number, value: number): void {
    if (index > regD) this.#cells[index] = value
  }

  /** The RESET pin: interrupts are off and forgotten. Time, memory and modes stay, they have a battery. */
  reset(): void {
    this.#sync()
    this.#cells[regB]! &= ~(periodic | alarm | updateEnded | 0x08)
    this.#cells[regC] = 0
    this.#setIndex(0)
    this.#update()
  }

  save(): Mc146818State {
    this.#sync()
    return {
      version: 1,
      cells: [...this.#cells],
      index: this.#index,
      nmiMasked: this.#nmiMasked,
      base: this.#base,
      seconds: this.#seconds,
      periods: this.#periods,
      timer: this.#timer?.pending ? this.#timer.save() : null,
    }
  }

  restore(state: Mc146818State): void {
    const saved = checkState('the MC146818', state, this.save())
    this.#timer?.[Symbol.dispose]()
    this.#cells.set(saved.cells)
    this.#index = saved.index
    this.#nmiMasked = saved.nmiMasked
    this.#base = saved.base
    this.#seconds = saved.seconds
    this.#periods = saved.periods
    this.#timer = saved.timer === null ? undefined : this.#options.clock.resume(saved.timer, () => this.#update())
    this.#options.line.set((this.#cells[regC]! & set) !== 0)
  }

  get #cycles(): number {
    return this.#crystal.cycles(this.#options.clock.now)
  }

  /** The divider chain runs: bits 6–4 of register A are 010, for a crystal of 32,768 Hz. */
  get #running(): boolean {
    return (this.#cells[regA]! & 0x70) === 0x20
  }

  /** Cycles of one period of the periodic interrupt; 0 if there is none. */
  get #period(): number {
    const rate = this.#cells[regA]! & 0x0f
    if (rate === 0 || !this.#running) return 0
    return rate < 3 ? 64 << rate : 1 << (rate - 1)
  }

  #periodsNow(): number {
    return this.#period === 0 ? 0 : Math.floor((this.#cycles - this.#base) / this.#period)
  }

  /** Brings the registers up to date. */
  #sync(): void {
    const cells = this.#cells
    const periods = this.#periodsNow()
    if (periods > this.#periods) cells[regC]! |= periodic
    this.#periods = periods
    if (!this.#running) return
    const seconds = Math.floor((this.#cycles - this.#base) / crystalFrequency)
    const passed = seconds - this.#seconds
    if (passed <= 0) return
    this.#seconds = seconds
    if (cells[regB]! & set) return
    cells[regC]! |= updateEnded
    this.#pass(passed)
  }

  #pass(seconds: number): void {
    const cells = this.#cells
    const b = cells[regB]!
    const before = secondOfDay(cells, b)
    if (secondsToAlarm(before, alarmTime(cells, b)) <= seconds) cells[regC]! |= alarm
    let time = before + seconds
    for (; time >= 86_400; time -= 86_400) nextDay(cells, b)
    setTime(cells, b, time)
  }

  /** Brings everything up to date, drives the line, and sets the timer for the next interrupt that is enabled. */
  #update(): void {
    this.#sync()
    const cells = this.#cells
    const c = cells[regC]! & 0x7f
    const enabled = cells[regB]! & (periodic | alarm | updateEnded)
    const asserted = (c & enabled) !== 0
    cells[regC] = asserted ? c | set : c
    this.#options.line.set(asserted)
    this.#schedule(enabled & ~c)
  }

  /** Sets the timer for the first of these causes; one that is in register C already needs none. */
  #schedule(causes: number): void {
    let cycle = Number.POSITIVE_INFINITY
    if (causes & periodic && this.#period > 0) cycle = this.#base + (this.#periods + 1) * this.#period
    const updating = this.#running && !(this.#cells[regB]! & set)
    const inSeconds = (seconds: number) => this.#base + (this.#seconds + seconds) * crystalFrequency
    if (updating && causes & updateEnded) cycle = Math.min(cycle, inSeconds(1))
    if (updating && causes & alarm) {
      const b = this.#cells[regB]!
      cycle = Math.min(cycle, inSeconds(secondsToAlarm(secondOfDay(this.#cells, b), alarmTime(this.#cells, b))))
    }
    const time = cycle === Number.POSITIVE_INFINITY ? cycle : this.#crystal.timeOf(cycle)
    if (this.#timer?.pending && this.#timer.time === time) return
    this.#timer?.[Symbol.dispose]()
    this.#timer = time === Number.POSITIVE_INFINITY ? undefined : this.#options.clock.at(time, () => this.#update())
  }

  #setIndex(value: number): void {
    this.#index = value & 0x7f
    const masked = (value & 0x80) !== 0
    if (masked === this.#nmiMasked) return
    this.#nmiMasked = masked
    this.#options.onNmiMask?.(masked)
  }

  #read(): number {
    this.#sync()
    const value = this.#cells[this.#index]!
    if (this.#index === regA) return this.#updating() ? value | 0x80 : value
    if (this.#index === regC) {
      this.#update()
      const causes = this.#cells[regC]!
      this.#cells[regC] = 0
      this.#update()
      return causes
    }
    return value
  }

  /** UIP: an update is about to be made, or being made. The registers change at its end. */
  #updating(): boolean {
    if (!this.#running || this.#cells[regB]! & set) return false
    const intoSecond = (this.#cycles - this.#base) % crystalFrequency
    return intoSecond >= crystalFrequency - updateCycles
  }

  #write(value: number): void {
    this.#sync()
    const cells = this.#cells
    switch (this.#index) {
      case regA:
        this.#setA(value & 0x7f)
        break
      case regB:
        // Setting SET ends an update, and its interrupt is off.
        cells[regB] = value & set ? value & ~updateEnded : value
        break
      case regC:
      case regD:
        return
      case register.seconds:
        cells[register.seconds] = value & 0x7f
        break
      default:
        cells[this.#index] = value
    }
    this.#update()
  }

  /** The first update comes half a second after the divider chain starts. */
  #setA(value: number): void {
    const ran = this.#running
    this.#cells[regA] = value
    if (this.#running && !ran) {
      this.#base = this.#cycles - crystalFrequency / 2
      this.#seconds = 0
    }
    this.#periods = this.#periodsNow()
  }
}
