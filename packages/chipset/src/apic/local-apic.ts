/** A local APIC (Intel SDM volume 3, chapter 11): registers at offsets of its page, each in the first 4 of 16 bytes. */
import { type Clock, checkState, type Device, type Line, type RegisterFile } from '@vmexit/core'
import { type ApicMessage, type CpuSignals, deliveryMode } from './message.ts'
import { ApicTimer, type ApicTimerState } from './timer.ts'
import { VectorSet } from './vector-set.ts'

/** What a {@link LocalApic} is connected to. */
export interface LocalApicOptions {
  readonly clock: Clock
  /** Its APIC ID, and the number of its CPU. */
  readonly id: number
  /** Bus cycles a second, for the timer. */
  readonly timerFrequency: number
  readonly signals: CpuSignals
  /** What it sends: `shorthand` is 0 for the destination, 1 self, 2 all, 3 all but itself. */
  readonly send: (message: ApicMessage, shorthand: number) => void
  /** A level-triggered interrupt has ended. */
  readonly onEndOfInterrupt: (vector: number) => void
  /** Something has changed that the CPU's pin depends on. */
  readonly onChange: () => void
  /** LINT0 is open for ExtINT after reset, as firmware leaves it on the first CPU. */
  readonly virtualWire: boolean
}

/** A saved local APIC. */
export type LocalApicState = {
  readonly version: 1
  readonly globallyEnabled: boolean
  readonly id: number
  readonly taskPriority: number
  readonly logicalDestination: number
  readonly destinationFormat: number
  readonly spurious: number
  readonly requests: readonly number[]
  readonly inService: readonly number[]
  readonly levels: readonly number[]
  readonly errors: number
  readonly reportedErrors: number
  readonly commandLow: number
  readonly commandHigh: number
  /** The LVT entries: timer, thermal, performance, LINT0, LINT1, error. */
  readonly lvt: readonly number[]
  readonly lint: readonly boolean[]
  readonly timer: ApicTimerState
}

/** Indices of LVT entries. */
const [lvtTimer, , , lint0, lint1, lvtError] = [0, 1, 2, 3, 4, 5]

/** Bits of an LVT entry that can be written. */
const lvtWritable = [0x3_00ff, 0x1_07ff, 0x1_07ff, 0x1_a7ff, 0x1_a7ff, 0x1_00ff]

const masked = 0x1_0000
const softwareEnabled = 0x100

/** Bits of the error status register. */
const sendIllegalVector = 0x20
const receivedIllegalVector = 0x40
const illegalRegister = 0x80

/** A local APIC of the integrated kind, without x2APIC and TSC-deadline. */
export class LocalApic implements Device<LocalApicState> {
  readonly regions: { readonly registers: RegisterFile } = {
    registers: {
      size: 0x1000,
      read: (offset) => (offset & 15 ? 0 : this.#read(offset >> 4)),
      write: (offset, width, value) => {
        if (width === 4 && !(offset & 15)) this.#write(offset >> 4, value)
      },
    },
  }
  /** The inputs LINT0 and LINT1. */
  readonly lint: readonly Line[]
  readonly #options: LocalApicOptions
  readonly #requests = new VectorSet()
  readonly #inService = new VectorSet()
  readonly #levels = new VectorSet()
  readonly #timer: ApicTimer
  #globallyEnabled = true
  #id: number
  #taskPriority = 0
  #logicalDestination = 0
  #destinationFormat = 0xffff_ffff
  #spurious = 0xff
  #errors = 0
  #reportedErrors = 0
  #commandLow = 0
  #commandHigh = 0
  #lvt: number[] = []
  #lint = [false, false]

  constructor(options: LocalApicOptions) {
    const { clock, timerFrequency, id } = options
    this.#options = options
    this.#id = id
    this.#timer = new ApicTimer(clock, timerFrequency, () => this.#local(lvtTimer))
    this.lint = [0, 1].map((input) => ({ set: (level) => this.#setLint(input, level) }))
    this.#clear()
  }

  /** The APIC ID that messages name. */
  get id(): number {
    return this.#id
  }

  /** The global enable of IA32_APIC_BASE, which is the CPU's: without it LINT0 is the CPU's INTR pin. */
  get globallyEnabled(): boolean {
    return this.#globallyEnabled
  }

  setGloballyEnabled(enabled: boolean): void {
    this.#globallyEnabled = enabled
    if (!enabled) this.#clear()
    this.#options.onChange()
  }

  /** Whether an external controller on LINT0 reaches the CPU. */
  get passesExternal(): boolean {
    const entry = this.#lvt[lint0]!
    return !this.#globallyEnabled || (!(entry & masked) && ((entry >> 8) & 7) === deliveryMode.extInt)
  }

  /** The processor priority. */
  get priority(): number {
    const inService = Math.max(0, this.#inService.highest) & 0xf0
    return (this.#taskPriority & 0xf0) >= inService ? this.#taskPriority : inService
  }

  /** Whether a vector waits that the CPU is to take. */
  get pending(): boolean {
    return (
      this.#globallyEnabled && (this.#requests.highest & 0xf0) > (this.priority & 0xf0) && this.#requests.highest > 0
    )
  }

  /** The acknowledge cycle; the spurious vector if nothing is pending. */
  acknowledge(): number {
    if (!this.pending) return this.#spurious & 0xff
    const vector = this.#requests.highest
    this.#requests.put(vector, false)
    this.#inService.put(vector, true)
    this.#options.onChange()
    return vector
  }

  /** Whether a message with this destination is for it. */
  matches(destination: number, logical: boolean): boolean {
    if (!this.#globallyEnabled) return false
    if (destination === 0xff) return true
    if (!logical) return destination === this.#id
    const mine = this.#logicalDestination >>> 24
    if (this.#destinationFormat >>> 28 === 0xf) return (mine & destination) !== 0
    return mine >> 4 === destination >> 4 && (mine & destination & 0x0f) !== 0
  }

  /** Whether it takes part in the arbitration for the lowest priority. */
  get accepts(): boolean {
    return this.#globallyEnabled && (this.#spurious & softwareEnabled) !== 0
  }

  /** Takes a message that is for it. */
  receive({ mode, vector, level }: Pick<ApicMessage, 'mode' | 'vector' | 'level'>): void {
    const { signals, id: cpu } = this.#options
    switch (mode) {
      case deliveryMode.fixed:
      case deliveryMode.lowestPriority:
        if (this.accepts) this.#request(vector, level)
        return
      case deliveryMode.smi:
        signals.onSmi?.(cpu)
        return
      case deliveryMode.nmi:
        signals.onNmi?.(cpu)
        return
      case deliveryMode.init:
        this.#clear()
        this.#options.onChange()
        signals.onInit?.(cpu)
        return
      case deliveryMode.startup:
        signals.onStartup?.(cpu, vector)
    }
  }

  reset(): void {
    this.#id = this.#options.id
    this.#globallyEnabled = true
    this.#clear()
    this.#options.onChange()
  }

  save(): LocalApicState {
    return {
      version: 1,
      globallyEnabled: this.#globallyEnabled,
      id: this.#id,
      taskPriority: this.#taskPriority,
      logicalDestination: this.#logicalDestination,
      destinationFormat: this.#destinationFormat,
      spurious: this.#spurious,
      requests: this.#requests.save(),
      inService: this.#inService.save(),
      levels: this.#levels.save(),
      errors: this.#errors,
      reportedErrors: this.#reportedErrors,
      commandLow: this.#commandLow,
      commandHigh: this.#commandHigh,
      lvt: [...this.#lvt],
      lint: [...this.#lint],
      timer: this.#timer.save(),
    }
  }

  restore(state: LocalApicState): void {
    const saved = checkState('the local APIC', state, this.save())
    this.#globallyEnabled = saved.globallyEnabled
    this.#id = saved.id
    this.#taskPriority = saved.taskPriority
    this.#logicalDestination = saved.logicalDestination
    this.#destinationFormat = saved.destinationFormat
    this.#spurious = saved.spurious
    this.#requests.restore(saved.requests)
    this.#inService.restore(saved.inService)
    this.#levels.restore(saved.levels)
    this.#errors = saved.errors
    this.#reportedErrors = saved.reportedErrors
    this.#commandLow = saved.commandLow
    this.#commandHigh = saved.commandHigh
    this.#lvt = [...saved.lvt]
    this.#lint = [...saved.lint]
    this.#timer.restore(saved.timer)
    this.#options.onChange()
  }

  /** The state after INIT: all but the ID. */
  #clear(): void {
    this.#taskPriority = 0
    this.#logicalDestination = 0
    this.#destinationFormat = 0xffff_ffff
    this.#spurious = 0xff
    for (const set of [this.#requests, this.#inService, this.#levels]) set.clear()
    this.#errors = this.#reportedErrors = 0
    this.#commandLow = this.#commandHigh = 0
    this.#lvt = lvtWritable.map(() => masked)
    if (this.#options.virtualWire) this.#lvt[lint0] = deliveryMode.extInt << 8
    this.#timer.reset()
  }

  #request(vector: number, level: boolean): void {
    if (vector < 16) {
      this.#error(receivedIllegalVector)
      return
    }
    this.#requests.put(vector, true)
    this.#levels.put(vector, level)
    this.#options.onChange()
  }

  /** An interrupt of its own, as the LVT entry says. */
  #local(index: number): void {
    const entry = this.#lvt[index]!
    if (entry & masked || !this.#globallyEnabled) return
    const mode = index === lvtTimer || index === lvtError ? deliveryMode.fixed : (entry >> 8) & 7
    if (mode !== deliveryMode.extInt) this.receive({ mode, vector: entry & 0xff, level: false })
  }

  #setLint(input: number, level: boolean): void {
    if (level === this.#lint[input]) return
    this.#lint[input] = level
    if (level) this.#local(input === 0 ? lint0 : lint1)
    this.#options.onChange()
  }

  #error(bit: number): void {
    const before = this.#errors
    this.#errors |= bit
    if (before !== this.#errors) this.#local(lvtError)
  }

  #read(register: number): number {
    switch (register) {
      case 0x02:
        return (this.#id << 24) >>> 0
      case 0x03: // version 0x14, six LVT entries
        return 0x0005_0014
      case 0x08:
        return this.#taskPriority
      case 0x09:
      case 0x0a:
        return this.priority
      case 0x0d:
        return this.#logicalDestination
      case 0x0e:
        return this.#destinationFormat
      case 0x0f:
        return this.#spurious
      case 0x28:
        return this.#reportedErrors
      case 0x30:
        return this.#commandLow
      case 0x31:
        return this.#commandHigh
      case 0x38:
        return this.#timer.initial
      case 0x39:
        return this.#timer.current
      case 0x3e:
        return this.#timer.divide
    }
    if (register >= 0x10 && register < 0x18) return this.#inService.word(register & 7)
    if (register >= 0x18 && register < 0x20) return this.#levels.word(register & 7)
    if (register >= 0x20 && register < 0x28) return this.#requests.word(register & 7)
    if (register >= 0x32 && register < 0x38) return this.#lvt[register - 0x32]!
    if (register !== 0x0b) this.#error(illegalRegister)
    return 0
  }

  #write(register: number, value: number): void {
    switch (register) {
      case 0x02:
        this.#id = value >>> 24
        break
      case 0x08:
        this.#taskPriority = value & 0xff
        break
      case 0x0b:
        this.#endOfInterrupt()
        break
      case 0x0d:
        this.#logicalDestination = (value & 0xff00_0000) >>> 0
        break
      case 0x0e:
        this.#destinationFormat = (value | 0x0fff_ffff) >>> 0
        break
      case 0x0f:
        this.#setSpurious(value & 0x1ff)
        break
      case 0x28:
        this.#reportedErrors = this.#errors
        this.#errors = 0
        break
      case 0x30:
        this.#commandLow = value & 0xcdfff
        this.#sendCommand()
        break
      case 0x31:
        this.#commandHigh = (value & 0xff00_0000) >>> 0
        break
      case 0x38:
        this.#timer.start(value)
        break
      case 0x3e:
        this.#timer.setDivide(value)
        break
      case 0x03:
      case 0x09:
      case 0x0a:
      case 0x39:
        return
      default:
        if (register >= 0x32 && register < 0x38) this.#setLvt(register - 0x32, value)
        else if (register < 0x10 || register >= 0x28) this.#error(illegalRegister)
    }
    this.#options.onChange()
  }

  /** Software-disabled, every LVT entry is masked. */
  #setSpurious(value: number): void {
    this.#spurious = value
    if (!(value & softwareEnabled)) for (const i of this.#lvt.keys()) this.#setLvt(i, this.#lvt[i]! | masked)
  }

  #setLvt(index: number, value: number): void {
    const disabled = this.#spurious & softwareEnabled ? 0 : masked
    this.#lvt[index] = (value & lvtWritable[index]!) | disabled
    if (index !== lvtTimer) return
    const entry = this.#lvt[lvtTimer]!
    this.#timer.configure({ periodic: (entry & 0x2_0000) !== 0, listening: !(entry & masked) })
  }

  #endOfInterrupt(): void {
    const vector = this.#inService.highest
    if (vector < 0) return
    this.#inService.put(vector, false)
    if (this.#levels.has(vector)) this.#options.onEndOfInterrupt(vector)
  }

  #sendCommand(): void {
    const low = this.#commandLow
    const mode = (low >> 8) & 7
    const vector = low & 0xff
    // INIT with the level low only sets arbitration IDs, which there are none of.
    if (mode === deliveryMode.init && (low & 0xc000) === 0x8000) return
    if (mode <= deliveryMode.lowestPriority && vector < 16) {
      this.#error(sendIllegalVector)
      return
    }
    const message = { destination: this.#commandHigh >>> 24, logical: (low & 0x800) !== 0, mode, vector, level: false }
    this.#options.send(message, (low >> 18) & 3)
  }
}
