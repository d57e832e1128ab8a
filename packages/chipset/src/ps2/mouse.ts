/** A PS/2 mouse that becomes an IntelliMouse with a wheel, or one with five buttons, when it is asked the known way. */
import { type Clock, checkState, type SavedTimer, type Stateful, type Timer } from '@vmexit/core'
import { answer, type Ps2Device } from './device.ts'

/** Something that is done with a mouse. */
export interface MouseMotion {
  /** Counts to the right, 0 unless stated. */
  readonly dx?: number
  /** Counts downwards, 0 unless stated. */
  readonly dy?: number
  /** Clicks of the wheel towards the user, 0 unless stated. */
  readonly wheel?: number
  /** The buttons that are down from now on: left 1, right 2, middle 4, fourth 8, fifth 16; as before unless stated. */
  readonly buttons?: number
}

/** A saved mouse. */
export type Ps2MouseState = {
  readonly version: 1
  readonly output: readonly number[]
  readonly lastSent: number
  readonly id: number
  readonly remote: boolean
  readonly wrap: boolean
  readonly reporting: boolean
  readonly scaled: boolean
  readonly resolution: number
  readonly rate: number
  /** The last three sampling rates that were set. */
  readonly rates: readonly number[]
  readonly command: number | null
  readonly buttons: number
  /** The buttons of the last report. */
  readonly reported: number
  readonly dx: number
  readonly dy: number
  readonly wheel: number
  /** The end of the sampling period. */
  readonly period: SavedTimer | null
}

const wheelId = 3
const fiveButtonId = 4

/** A mouse. Motion that was not reported yet adds up. */
export class Ps2Mouse implements Ps2Device, Stateful<Ps2MouseState> {
  onWaiting: () => void = () => {}
  readonly #clock: Clock
  #output: number[] = []
  #lastSent = 0
  #id = 0
  #remote = false
  #wrap = false
  #reporting = false
  #scaled = false
  #resolution = 2
  #rate = 100
  #rates: number[] = []
  #command: number | undefined
  #buttons = 0
  #reported = 0
  #dx = 0
  #dy = 0
  #wheel = 0
  #period: Timer | undefined

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock
  }

  get waiting(): boolean {
    return this.#output.length > 0
  }

  take(): number | undefined {
    const byte = this.#output.shift()
    if (byte !== undefined) this.#lastSent = byte
    if (!this.waiting) this.#report()
    return byte
  }

  move({ dx = 0, dy = 0, wheel = 0, buttons = this.#buttons }: MouseMotion): void {
    this.#dx += dx
    this.#dy -= dy
    this.#wheel += wheel
    this.#buttons = buttons & 0x1f
    this.#report()
  }

  write(byte: number): void {
    this.#output.length = 0
    const command = this.#command
    this.#command = undefined
    if (this.#wrap && byte !== 0xec && byte !== 0xff) this.#output.push(byte)
    else if (command !== undefined) this.#parameter(command, byte)
    else this.#begin(byte)
    if (this.waiting) this.onWaiting()
  }

  /** The state after power-on. It says so by itself: the self-test has passed, and it is a mouse. */
  reset(): void {
    this.#period?.[Symbol.dispose]()
    this.#setDefaults()
    this.#id = 0
    this.#rates = []
    this.#wrap = false
    this.#command = undefined
    this.#lastSent = 0
    this.#output = [answer.selfTestPassed, this.#id]
    this.onWaiting()
  }

  /** Firmware has read what it had to say. */
  discard(): void {
    this.#output = []
  }

  save(): Ps2MouseState {
    return {
      version: 1,
      output: [...this.#output],
      lastSent: this.#lastSent,
      id: this.#id,
      remote: this.#remote,
      wrap: this.#wrap,
      reporting: this.#reporting,
      scaled: this.#scaled,
      resolution: this.#resolution,
      rate: this.#rate,
      rates: [...this.#rates],
      command: this.#command ?? null,
      buttons: this.#buttons,
      reported: this.#reported,
      dx: this.#dx,
      dy: this.#dy,
      wheel: this.#wheel,
      period: this.#period?.pending ? this.#period.save() : null,
    }
  }

  restore(state: Ps2MouseState): void {
    const saved = checkState('the mouse', state, this.save())
    this.#period?.[Symbol.dispose]()
    this.#output = [...saved.output]
    this.#lastSent = saved.lastSent
    this.#id = saved.id
    this.#remote = saved.remote
    this.#wrap = saved.wrap
    this.#reporting = saved.reporting
    this.#scaled = saved.scaled
    this.#resolution = saved.resolution
    this.#rate = saved.rate
    this.#rates = [...saved.rates]
    this.#command = saved.command ?? undefined
    this.#buttons = saved.buttons
    this.#reported = saved.reported
    this.#dx = saved.dx
    this.#dy = saved.dy
    this.#wheel = saved.wheel
    this.#period = saved.period ? this.#clock.resume(saved.period, () => this.#report()) : undefined
  }

  #begin(command: number): void {
    const acknowledge = (...more: number[]) => void this.#output.push(answer.acknowledge, ...more)
    switch (command) {
      case 0xe6:
      case 0xe7:
        this.#scaled = command === 0xe7
        acknowledge()
        return
      case 0xe8: // resolution
      case 0xf3: // sampling rate
        this.#command = command
        acknowledge()
        return
      case 0xe9:
        acknowledge(this.#status(), this.#resolution, this.#rate)
        return
      case 0xea:
      case 0xf0:
        this.#remote = command === 0xf0
        acknowledge()
        return
      case 0xeb:
        acknowledge(...this.#packet())
        return
      case 0xec:
      case 0xee:
        this.#wrap = command === 0xee
        acknowledge()
        return
      case 0xf2:
        acknowledge(this.#id)
        return
      case 0xf4:
      case 0xf5:
        this.#reporting = command === 0xf4
        this.#forget()
        acknowledge()
        return
      case 0xf6:
        this.#setDefaults()
        acknowledge()
        return
      case 0xfe:
        this.#output.push(this.#lastSent)
        return
      case 0xff:
        this.reset()
        this.#output.unshift(answer.acknowledge)
        return
      default:
        this.#output.push(answer.resend)
    }
  }

  #parameter(command: number, value: number): void {
    if (command === 0xe8) this.#resolution = value & 3
    else this.#setRate(value)
    this.#output.push(answer.acknowledge)
  }

  /** Rates of 200, 100, 80 in a row ask for the wheel; then 200, 200, 80 for five buttons. */
  #setRate(rate: number): void {
    this.#rate = rate || 1
    this.#rates = [...this.#rates, rate].slice(-3)
    const knock = this.#rates.join()
    if (knock === '200,100,80') this.#id = wheelId
    if (knock === '200,200,80' && this.#id === wheelId) this.#id = fiveButtonId
  }

  #setDefaults(): void {
    this.#rate = 100
    this.#resolution = 2
    this.#scaled = false
    this.#remote = false
    this.#reporting = false
    this.#forget()
  }

  #forget(): void {
    this.#dx = this.#dy = this.#wheel = 0
    this.#reported = this.#buttons
  }

  #status(): number {
    const buttons = this.#buttons
    const pressed = ((buttons & 1) << 2) | ((buttons & 2) >> 1) | ((buttons & 4) >> 1)
    return (this.#remote ? 0x40 : 0) | (this.#reporting ? 0x20 : 0) | (this.#scaled ? 0x10 : 0) | pressed
  }

  /** Sends what has changed, in stream mode, at most once a sampling period, when the last report is out. */
  #report(): void {
    if (!this.#reporting || this.#remote || this.#wrap || this.waiting || this.#period?.pending) return
    if (!(this.#dx || this.#dy || this.#wheel || this.#buttons !== this.#reported)) return
    this.#output.push(...this.#packet())
    this.#period = this.#clock.after(Math.ceil(this.#clock.frequency / this.#rate), () => this.#report())
    this.onWaiting()
  }

  /** Three bytes, or four with a wheel; motion beyond nine bits is left for the next one. */
  #packet(): number[] {
    const [dx, dy] = [clamp(this.#dx, -256, 255), clamp(this.#dy, -256, 255)]
    const wheel = this.#id === 0 ? this.#wheel : clamp(this.#wheel, -8, 7)
    this.#dx -= dx
    this.#dy -= dy
    this.#wheel -= wheel
    this.#reported = this.#buttons
    const [x, y] = this.#scaled && !this.#remote ? [scale(dx), scale(dy)] : [dx, dy]
    const bytes = [0x08 | (this.#buttons & 7) | (x < 0 ? 0x10 : 0) | (y < 0 ? 0x20 : 0), x & 0xff, y & 0xff]
    if (this.#id === wheelId) bytes.push(wheel & 0xff)
    if (this.#id === fiveButtonId) bytes.push((wheel & 0x0f) | ((this.#buttons & 0x18) << 1))
    return bytes
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, Math.trunc(value)))
}

/** Scaling 2:1: small counts are made smaller, greater ones doubled as far as they fit. */
function scale(count: number): number {
  const size = Math.abs(count)
  const scaled = [0, 1, 1, 3, 6, 9][size] ?? 2 * size
  return count < 0 ? -Math.min(scaled, 256) : Math.min(scaled, 255)
}
