/** A PS/2 keyboard with 104 keys, scan code sets 1 and 2 (IBM PS/2 technical reference, keyboards). */
import { type Clock, checkState, type SavedTimer, type Stateful, type Timer } from '@vmexit/core'
import { answer, type Ps2Device } from './device.ts'
import { breakCode, makeCode, toSet1 } from './scan-codes.ts'

/** The lights of a keyboard. */
export interface KeyboardLeds {
  readonly scrollLock: boolean
  readonly numLock: boolean
  readonly capsLock: boolean
}

/** What a {@link Ps2Keyboard} is connected to. */
export interface Ps2KeyboardOptions {
  readonly clock: Clock
  /** Told whenever the guest sets the lights. */
  readonly onLeds?: ((leds: KeyboardLeds) => void) | undefined
}

/** A saved keyboard. */
export type Ps2KeyboardState = {
  readonly version: 1
  readonly output: readonly number[]
  readonly lastSent: number
  readonly scanning: boolean
  readonly scanSet: number
  readonly leds: number
  readonly typematic: number
  /** The command whose parameter comes next. */
  readonly command: number | null
  /** The key that repeats. */
  readonly held: string | null
  readonly repeat: SavedTimer | null
}

/** 500 ms, then 10.9 a second. */
const defaultTypematic = 0x2b

/** A keyboard. Nothing that is typed is lost: what the guest has not read waits. */
export class Ps2Keyboard implements Ps2Device, Stateful<Ps2KeyboardState> {
  onWaiting: () => void = () => {}
  readonly #clock: Clock
  readonly #onLeds: (leds: KeyboardLeds) => void
  #output: number[] = []
  #lastSent = 0
  #scanning = true
  #scanSet = 2
  #leds = 0
  #typematic = defaultTypematic
  #command: number | undefined
  #held: string | undefined
  #repeat: Timer | undefined

  constructor({ clock, onLeds = () => {} }: Ps2KeyboardOptions) {
    this.#clock = clock
    this.#onLeds = onLeds
  }

  get waiting(): boolean {
    return this.#output.length > 0
  }

  take(): number | undefined {
    const byte = this.#output.shift()
    if (byte !== undefined) this.#lastSent = byte
    return byte
  }

  /** A key goes down; it repeats until another one does or it goes up. Names that are no key's do nothing. */
  press(key: string): void {
    if (makeCode(key) === undefined) return
    this.#sendKey(makeCode(key)!)
    this.#held = key
    this.#repeatAfter((1 + ((this.#typematic >> 5) & 3)) * 250e6)
  }

  /** A key goes up. */
  release(key: string): void {
    if (makeCode(key) === undefined) return
    this.#sendKey(breakCode(key))
    if (key === this.#held) this.#endRepeat()
  }

  write(byte: number): void {
    const command = this.#command
    // A host that speaks wants no keys of before.
    this.#output.length = 0
    if (command !== undefined && byte < 0xed) {
      this.#command = undefined
      this.#parameter(command, byte)
    } else this.#begin(byte)
    if (this.waiting) this.onWaiting()
  }

  /** The state after power-on. It says so by itself: the self-test has passed. */
  reset(): void {
    this.#output = [answer.selfTestPassed]
    this.#command = undefined
    this.#lastSent = 0
    this.#setLeds(0)
    this.#setDefaults()
    this.#scanning = true
    this.onWaiting()
  }

  /** Firmware has read what it had to say. */
  discard(): void {
    this.#output = []
  }

  save(): Ps2KeyboardState {
    return {
      version: 1,
      output: [...this.#output],
      lastSent: this.#lastSent,
      scanning: this.#scanning,
      scanSet: this.#scanSet,
      leds: this.#leds,
      typematic: this.#typematic,
      command: this.#command ?? null,
      held: this.#held ?? null,
      repeat: this.#repeat?.pending ? this.#repeat.save() : null,
    }
  }

  restore(state: Ps2KeyboardState): void {
    const saved = checkState('the keyboard', state, this.save())
    this.#endRepeat()
    this.#output = [...saved.output]
    this.#lastSent = saved.lastSent
    this.#scanning = saved.scanning
    this.#scanSet = saved.scanSet
    this.#setLeds(saved.leds)
    this.#typematic = saved.typematic
    this.#command = saved.command ?? undefined
    this.#held = saved.held ?? undefined
    this.#repeat = saved.repeat ? this.#clock.resume(saved.repeat, () => this.#again()) : undefined
  }

  #begin(command: number): void {
    this.#command = undefined
    switch (command) {
      case 0xed: // set the lights
      case 0xf0: // scan code set
      case 0xf3: // typematic rate and delay
        this.#command = command
        this.#send(answer.acknowledge)
        return
      case 0xee:
        this.#send(answer.echo)
        return
      case 0xf2:
        this.#send(answer.acknowledge, 0xab, 0x83)
        return
      case 0xf4:
        this.#scanning = true
        this.#send(answer.acknowledge)
        return
      case 0xf5:
        this.#setDefaults()
        this.#scanning = false
        this.#send(answer.acknowledge)
        return
      case 0xf6:
        this.#setDefaults()
        this.#send(answer.acknowledge)
        return
      case 0xfe:
        this.#send(this.#lastSent)
        return
      case 0xff:
        this.#setLeds(0)
        this.#setDefaults()
        this.#scanning = true
        this.#send(answer.acknowledge, answer.selfTestPassed)
        return
      default:
        this.#send(answer.resend)
        return
    }
  }

  #parameter(command: number, value: number): void {
    if (command === 0xed) this.#setLeds(value & 7)
    else if (command === 0xf3) this.#typematic = value & 0x7f
    else if (value > 2) {
      this.#send(answer.resend)
      return
    } else if (value > 0) this.#scanSet = value
    this.#send(answer.acknowledge)
    if (command === 0xf0 && value === 0) this.#send(this.#scanSet)
  }

  #setDefaults(): void {
    this.#endRepeat()
    this.#scanSet = 2
    this.#typematic = defaultTypematic
  }

  #setLeds(leds: number): void {
    if (leds === this.#leds) return
    this.#leds = leds
    this.#onLeds({ scrollLock: (leds & 1) !== 0, numLock: (leds & 2) !== 0, capsLock: (leds & 4) !== 0 })
  }

  #sendKey(codes: readonly number[]): void {
    if (!this.#scanning || codes.length === 0) return
    this.#output.push(...(this.#scanSet === 1 ? toSet1(codes) : codes))
    this.onWaiting()
  }

  #send(...bytes: number[]): void {
    this.#output.push(...bytes)
  }

  #repeatAfter(nanoseconds: number): void {
    this.#repeat?.[Symbol.dispose]()
    this.#repeat = this.#clock.after(this.#clock.ticks(nanoseconds), () => this.#again())
  }

  /** The held key once more, unless its last code was not even taken; Pause does not repeat. */
  #again(): void {
    if (this.#held === undefined || this.#held === 'Pause') return
    if (!this.waiting) this.#sendKey(makeCode(this.#held)!)
    const rate = this.#typematic & 0x1f
    this.#repeatAfter((8 + (rate & 7)) * (1 << (rate >> 3)) * 4_170_000)
  }

  #endRepeat(): void {
    this.#repeat?.[Symbol.dispose]()
    this.#held = undefined
  }
}
