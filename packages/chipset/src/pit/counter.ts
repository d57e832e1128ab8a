/**
 * One counter of an 8254 (Intel 8254 datasheet, order number 231164, “Mode definitions”). It is told how many CLK pulses
 * went by, and goes from one event to the next: nothing is done for each pulse.
 */
import { checkState, type Stateful } from '@vmexit/core'

/** How a counter is accessed: RW1 and RW0 of the control word. */
type Access = 1 | 2 | 3

/** A saved counter. */
export type CounterState = {
  readonly version: 1
  /** Bits 5–0 of the control word: access, mode, BCD. */
  readonly control: number
  /** The count register: what was written last, 0 for the greatest count. */
  readonly reload: number
  /** The counting element. */
  readonly count: number
  readonly out: boolean
  readonly gate: boolean
  /** The count register goes into the counting element at the next pulse. */
  readonly loadDue: boolean
  /** The count register is not in the counting element yet. */
  readonly nullCount: boolean
  /** A count was loaded since the control word. */
  readonly running: boolean
  /** Modes 4 and 5: the strobe is still to come. */
  readonly armed: boolean
  /** Mode 3: the count in use is odd. */
  readonly odd: boolean
  /** Which byte is next where a count is written in two. */
  readonly writesHigh: boolean
  readonly lowByte: number
  readonly readsHigh: boolean
  readonly latchedCount: number | null
  readonly latchedStatus: number | null
}

const powerOn: CounterState = {
  version: 1,
  control: 0x30,
  reload: 0,
  count: 0,
  out: false,
  gate: true,
  loadDue: false,
  nullCount: true,
  running: false,
  armed: false,
  odd: false,
  writesHigh: false,
  lowByte: 0,
  readsHigh: false,
  latchedCount: null,
  latchedStatus: null,
}

/** A counter: `out` is told of each change of its output. */
export class Counter implements Stateful<CounterState> {
  readonly #onOut: (level: boolean) => void
  #s: { -readonly [K in keyof CounterState]: CounterState[K] } = { ...powerOn }

  constructor(onOut: (level: boolean) => void) {
    this.#onOut = onOut
  }

  /** The level of the output. */
  get out(): boolean {
    return this.#s.out
  }

  /** The level of the gate. */
  get gate(): boolean {
    return this.#s.gate
  }

  /** Pulses until something happens: a load, or a change of the output. Infinity if nothing will. */
  get pulsesToEvent(): number {
    const s = this.#s
    if (s.loadDue || this.#strobing) return 1
    if (!this.#counting) return Number.POSITIVE_INFINITY
    const left = s.count === 0 ? this.#modulus : s.count
    switch (this.#mode) {
      case 0:
      case 1:
        return s.out ? Number.POSITIVE_INFINITY : left
      case 2:
        return left === 1 ? 1 : left - 1
      case 3:
        return s.odd ? s.count / 2 + (s.out ? 1 : 0) : left / 2
      default:
        return s.armed ? left : Number.POSITIVE_INFINITY
    }
  }

  /** Lets `pulses` CLK pulses go by. */
  advance(pulses: number): void {
    const s = this.#s
    while (pulses > 0) {
      const toEvent = this.pulsesToEvent
      if (pulses < toEvent) break
      this.#count(toEvent - 1)
      this.#event()
      pulses -= toEvent
      const periodic = (this.#mode === 2 || this.#mode === 3) && this.#counting && !s.nullCount && !s.loadDue
      if (periodic) pulses %= this.#initialCount()
    }
    this.#count(pulses)
  }

  /** The control word's bits 5–0, with an access other than the counter latch command. */
  setControl(control: number): void {
    const { count, gate, reload } = this.#s
    const out = this.#s.out
    this.#s = { ...powerOn, control, count, gate, reload, out }
    this.#setOut(this.#mode !== 0)
  }

  setGate(level: boolean): void {
    const s = this.#s
    if (level === s.gate) return
    s.gate = level
    const mode = this.#mode
    if (mode === 0 || mode === 4) return
    if (!level) {
      if (mode === 2 || mode === 3) this.#setOut(true)
    } else if (mode === 1 || mode === 5 || s.running) {
      // A trigger: with no count written yet it loads what the count register has.
      s.loadDue = true
    }
  }

  /** A byte of the count. */
  write(value: number): void {
    const s = this.#s
    const access = this.#access
    if (access === 3 && !s.writesHigh) {
      s.lowByte = value
      s.writesHigh = true
      // Mode 0: the first byte stops the counting.
      if (this.#mode === 0) {
        s.running = false
        s.loadDue = false
        this.#setOut(false)
      }
      return
    }
    s.writesHigh = false
    s.reload = access === 1 ? value : (value << 8) | (access === 3 ? s.lowByte : 0)
    s.nullCount = true
    switch (this.#mode) {
      case 0:
        this.#setOut(false)
        s.loadDue = true
        return
      case 4:
        s.loadDue = true
        return
      case 2:
      case 3:
        if (!s.running) s.loadDue = true
    }
  }

  /** A byte of the status or the count, as latched or as it is. */
  read(): number {
    const s = this.#s
    if (s.latchedStatus !== null) {
      const status = s.latchedStatus
      s.latchedStatus = null
      return status
    }
    const count = s.latchedCount ?? this.#readable()
    const access = this.#access
    const high = access === 2 || (access === 3 && s.readsHigh)
    if (access === 3) s.readsHigh = !s.readsHigh
    if (access !== 3 || high) s.latchedCount = null
    return high ? count >> 8 : count & 0xff
  }

  /** The counter latch command: holds the count until it is read; a second one before that does nothing. */
  latchCount(): void {
    this.#s.latchedCount ??= this.#readable()
  }

  /** The read-back command for the status. */
  latchStatus(): void {
    const s = this.#s
    s.latchedStatus ??= (s.out ? 0x80 : 0) | (s.nullCount ? 0x40 : 0) | (s.control & 0x3f)
  }

  /** The state after power-on, with the gate as it is. */
  reset(): void {
    const { gate, out } = this.#s
    this.#s = { ...powerOn, gate, out }
    this.#setOut(false)
  }

  save(): CounterState {
    return { ...this.#s }
  }

  restore(state: CounterState): void {
    this.#s = { ...checkState('a counter of the 8254', state, this.save()) }
    this.#onOut(this.#s.out)
  }

  get #access(): Access {
    return ((this.#s.control >> 4) & 3) as Access
  }

  /** 0–5; the top bit means nothing in modes 2 and 3. */
  get #mode(): number {
    const mode = (this.#s.control >> 1) & 7
    return mode > 5 ? mode & 3 : mode
  }

  get #modulus(): number {
    return this.#s.control & 1 ? 10_000 : 0x10000
  }

  /** Modes 1 and 5 count whatever the gate is. */
  get #counting(): boolean {
    return this.#s.running && (this.#s.gate || this.#mode === 1 || this.#mode === 5)
  }

  get #strobing(): boolean {
    return this.#mode >= 4 && !this.#s.out
  }

  /** The count register as a number of pulses. 1 is illegal in modes 2 and 3; here it is 2. */
  #initialCount(): number {
    const { reload, control } = this.#s
    const count = (control & 1 ? fromBcd(reload) : reload) || this.#modulus
    return (this.#mode === 2 || this.#mode === 3) && count === 1 ? 2 : count
  }

  #readable(): number {
    return this.#s.control & 1 ? toBcd(this.#s.count) : this.#s.count
  }

  /** Pulses in which nothing but the count changes. */
  #count(pulses: number): void {
    if (!this.#counting || pulses === 0) return
    const modulus = this.#modulus
    const step = this.#mode === 3 ? 2 : 1
    this.#s.count = (((this.#s.count - pulses * step) % modulus) + modulus) % modulus
  }

  /** The pulse that `pulsesToEvent` told of. */
  #event(): void {
    const s = this.#s
    if (s.loadDue) {
      const strobed = this.#strobing
      this.#load()
      s.running = true
      s.armed = true
      if (this.#mode === 1) this.#setOut(false)
      else if (this.#mode === 2 || this.#mode === 3 || strobed) this.#setOut(true)
      return
    }
    if (this.#strobing) {
      this.#count(1)
      this.#setOut(true)
      return
    }
    switch (this.#mode) {
      case 2:
        if (s.out) {
          this.#count(1)
          this.#setOut(false)
        } else {
          this.#load()
          this.#setOut(true)
        }
        return
      case 3:
        this.#load()
        this.#setOut(!s.out)
        return
      case 4:
      case 5:
        this.#count(1)
        s.armed = false
        this.#setOut(false)
        return
      default:
        this.#count(1)
        this.#setOut(true)
    }
  }

  #load(): void {
    const s = this.#s
    const count = this.#initialCount()
    s.odd = this.#mode === 3 && (count & 1) === 1
    s.count = (s.odd ? count - 1 : count) % this.#modulus
    s.loadDue = false
    s.nullCount = false
  }

  #setOut(level: boolean): void {
    if (level === this.#s.out) return
    this.#s.out = level
    this.#onOut(level)
  }
}

function fromBcd(bcd: number): number {
  return (bcd >> 12) * 1000 + ((bcd >> 8) & 15) * 100 + ((bcd >> 4) & 15) * 10 + (bcd & 15)
}

function toBcd(value: number): number {
  return (
    (Math.trunc(value / 1000) << 12) |
    (Math.trunc((value % 1000) / 100) << 8) |
    (Math.trunc((value % 100) / 10) << 4) |
    (value % 10)
  )
}
