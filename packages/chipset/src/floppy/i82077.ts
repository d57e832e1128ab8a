/**
 * The 82077AA floppy disk controller (Intel 82077AA data sheet, order number 290166) as a PC AT has it.
 *
 * | offset | read | written |
 * |---|---|---|
 * | 2 | DOR | digital output: drive, reset, DMA and interrupt, motors |
 * | 3 | TDR | tape drive |
 * | 4 | MSR | DSR: data rate, reset |
 * | 5 | results and data | commands and data |
 * | 7 | DIR: disk change | CCR: data rate |
 *
 * Offsets 0 and 1 are of the PS/2; offset 6 is the hard disk controller's, as are the lower bits of offset 7.
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
  VmexitError,
} from '@vmexit/core'
import type { DmaChannel } from '../dma/channel.ts'
import { byteRegisters } from '../registers.ts'
import { type CommandDefinition, commandOf, st0 } from './commands.ts'
import { type DataCommand, dataCommand } from './data-command.ts'
import type { FloppyDrive, FloppyDriveState } from './drive.ts'
import { Execution, type ExecutionState } from './execution.ts'
import { Seeks, type SeeksState } from './seeks.ts'

/** What an {@link I82077} is connected to. */
export interface I82077Options {
  readonly clock: Clock
  /** The INT pin. The digital output register lets it through. */
  readonly line: Line
  readonly dma: DmaChannel
  /** Drives 0–3; undefined where there is none. */
  readonly drives: readonly (FloppyDrive | undefined)[]
}

/** A saved controller with its drives. */
export type I82077State = State & {
  readonly version: 1
  /** Digital output register. */
  readonly output: number
  readonly tape: number
  /** Bits 1–0: the data rate; the rest as it was written to DSR. */
  readonly rate: number
  /** Bytes of the command that is being written. */
  readonly command: readonly number[]
  /** Bytes still to be read. */
  readonly results: readonly number[]
  /** The end of a command's execution is to be told. */
  readonly interrupt: boolean
  /** The end of a seek or of a reset is to be told. */
  readonly seekInterrupt: boolean
  /** SPECIFY: step rate and head unload time; head load time and whether DMA is off. */
  readonly specified: readonly number[]
  /** CONFIGURE: its second byte, and the track of write precompensation. */
  readonly configured: readonly number[]
  readonly perpendicular: number
  readonly locked: boolean
  /** EOT, or the sectors per track, of the last command that said it. */
  readonly lastSector: number
  /** The polling after a reset. */
  readonly poll: SavedTimer | null
  readonly seeks: SeeksState
  readonly execution: ExecutionState
  readonly drives: readonly (FloppyDriveState | null)[]
}

/** Bits of the digital output register. */
const notReset = 0x04
const dmaGate = 0x08

/** Bits of the main status register. */
const ready = 0x80
const fromController = 0x40
const nonDma = 0x20
const commandBusy = 0x10

/** CONFIGURE: implied seek, FIFO off, polling off. After a reset the FIFO is off. */
const impliedSeek = 0x40
const noPolling = 0x10
const defaultConfiguration = [0x20, 0]

/** kbit/s by the code of the data rate. */
const rates = [500, 300, 250, 1000]

/** Microseconds from the end of a reset to the polling: time to turn it off. */
const pollTime = 250

/** A floppy disk controller. */
export class I82077 implements Device<I82077State> {
  readonly regions: { readonly registers: RegisterFile } = {
    registers: byteRegisters(
      8,
      (offset) => this.#read(offset),
      (offset, value) => this.#write(offset, value),
    ),
  }
  readonly #options: I82077Options
  readonly #execution: Execution
  readonly #seeks: Seeks
  #output = 0
  #tape = 0
  #rate = 2
  #command: number[] = []
  #results: number[] = []
  #interrupt = false
  #seekInterrupt = false
  #specified = [0, 0]
  #configured = [...defaultConfiguration]
  #perpendicular = 0
  #locked = false
  #lastSector = 0
  #poll: Timer | undefined

  constructor(options: I82077Options) {
    const { clock, dma, drives } = options
    const drive = (number: number) => drives[number]
    this.#options = options
    this.#execution = new Execution({
      clock,
      dma,
      drive,
      turning: (number) => (this.#output & (0x10 << number)) !== 0,
      rate: () => rates[this.#rate & 3]!,
      usesDma: () => this.#usesDma,
      onResult: (results) => this.#finish(results),
      onChange: () => this.#drive(),
    })
    this.#seeks = new Seeks({
      clock,
      drive,
      onEnd: () => {
        this.#seekInterrupt = true
        this.#drive()
      },
    })
  }

  reset(): void {
    this.#stop()
    this.#seeks.reset()
    this.#output = this.#tape = this.#perpendicular = this.#lastSector = 0
    this.#rate = 2
    this.#specified = [0, 0]
    this.#configured = [...defaultConfiguration]
    this.#locked = false
    for (const drive of this.#options.drives) drive?.reset()
    this.#drive()
  }

  save(): I82077State {
    return {
      version: 1,
      output: this.#output,
      tape: this.#tape,
      rate: this.#rate,
      command: [...this.#command],
      results: [...this.#results],
      interrupt: this.#interrupt,
      seekInterrupt: this.#seekInterrupt,
      specified: [...this.#specified],
      configured: [...this.#configured],
      perpendicular: this.#perpendicular,
      locked: this.#locked,
      lastSector: this.#lastSector,
      poll: this.#poll?.pending ? this.#poll.save() : null,
      seeks: this.#seeks.save(),
      execution: this.#execution.save(),
      drives: this.#options.drives.map((drive) => drive?.save() ?? null),
    }
  }

  restore(state: I82077State): void {
    const { clock, drives } = this.#options
    const saved = checkState('the 82077AA', state, this.save())
    for (const [i, drive] of drives.entries()) {
      const state = saved.drives[i] ?? null
      if ((state === null) !== (drive === undefined)) {
        throw new VmexitError('state-mismatch', {
          problem: `the state has ${state === null ? 'no' : 'a'} floppy drive ${'AB'[i]}, and here is ${drive === undefined ? 'none' : 'one'}`,
          remedy: 'connect the drives that were there when it was saved',
        })
      }
      if (state !== null) drive!.restore(state)
    }
    this.#seeks.restore(saved.seeks)
    this.#execution.restore(saved.execution)
    this.#output = saved.output
    this.#tape = saved.tape
    this.#rate = saved.rate
    this.#command = [...saved.command]
    this.#results = [...saved.results]
    this.#interrupt = saved.interrupt
    this.#seekInterrupt = saved.seekInterrupt
    this.#specified = [...saved.specified]
    this.#configured = [...saved.configured]
    this.#perpendicular = saved.perpendicular
    this.#locked = saved.locked
    this.#lastSector = saved.lastSector
    this.#poll?.[Symbol.dispose]()
    this.#poll = saved.poll === null ? undefined : clock.resume(saved.poll, () => this.#polled())
    this.#drive()
  }

  get #inReset(): boolean {
    return (this.#output & notReset) === 0
  }

  get #usesDma(): boolean {
    return (this.#specified[1]! & 1) === 0
  }

  /** Ticks of one step: 1–16 ms at 500 kbit/s. */
  get #stepTime(): number {
    return this.#time(16 - (this.#specified[0]! >> 4))
  }

  /** Ticks until the heads have settled on the disk: 2–254 ms at 500 kbit/s. */
  get #headLoadTime(): number {
    return this.#time(2 * (this.#specified[1]! >> 1 || 128))
  }

  /** Milliseconds at 500 kbit/s in ticks: SPECIFY's times are longer at lower rates. */
  #time(milliseconds: number): number {
    return this.#options.clock.ticks((milliseconds * 1e6 * 500) / rates[this.#rate & 3]!)
  }

  #drive(): void {
    const waits = this.#interrupt || this.#seekInterrupt || this.#execution.host !== null
    this.#options.line.set(waits && (this.#output & (dmaGate | notReset)) === (dmaGate | notReset))
  }

  #read(offset: number): number {
    switch (offset) {
      case 2:
        return this.#output
      case 3:
        return this.#tape
      case 4:
        return this.#mainStatus
      case 5:
        return this.#readData()
      case 7:
        return this.#options.drives[this.#output & 3]?.changed ? 0x80 : 0
      default:
        return 0xff
    }
  }

  #write(offset: number, value: number): void {
    switch (offset) {
      case 2:
        this.#setOutput(value)
        return
      case 3:
        this.#tape = value & 3
        return
      case 4:
        this.#rate = value & 0x7f
        if (value & 0x80 && !this.#inReset) this.#softwareReset()
        return
      case 5:
        if (!this.#inReset) this.#writeData(value)
        return
      case 7:
        this.#rate = (this.#rate & 0x7c) | (value & 3)
    }
  }

  get #mainStatus(): number {
    if (this.#inReset) return 0
    const drives = this.#seeks.busyBits
    if (this.#results.length > 0) return ready | fromController | commandBusy | drives
    if (!this.#execution.busy) return ready | (this.#command.length > 0 ? commandBusy : 0) | drives
    const { host } = this.#execution
    const asks = host === null ? 0 : host === 'reads' ? ready | fromController : ready
    return asks | (this.#usesDma ? 0 : nonDma) | commandBusy | drives
  }

  #setOutput(value: number): void {
    const was = this.#inReset
    this.#output = value
    if (this.#inReset) this.#stop()
    else if (was) this.#softwareReset()
    this.#drive()
  }

  /** What goes on ends, without a result. */
  #stop(): void {
    this.#execution.abort()
    this.#seeks.abort()
    this.#poll?.[Symbol.dispose]()
    this.#command = []
    this.#results = []
    this.#interrupt = this.#seekInterrupt = false
  }

  /** The end of a reset by DOR, or a reset by DSR: SPECIFY's times stay, and what LOCK holds. */
  #softwareReset(): void {
    this.#stop()
    this.#configured = this.#locked ? [this.#configured[0]! & 0x2f, this.#configured[1]!] : [...defaultConfiguration]
    this.#perpendicular &= 0x3c
    const { clock } = this.#options
    this.#poll = clock.after(clock.ticks(pollTime * 1000), () => this.#polled())
    this.#drive()
  }

  #polled(): void {
    if (this.#configured[0]! & noPolling) return
    this.#seeks.polled()
    this.#seekInterrupt = true
    this.#drive()
  }

  #readData(): number {
    if (this.#results.length > 0) {
      const result = this.#results.shift()!
      this.#interrupt = false
      this.#drive()
      return result
    }
    return this.#execution.host === 'reads' ? this.#execution.readByte() : 0
  }

  #writeData(value: number): void {
    if (this.#results.length > 0) return
    if (this.#execution.busy) {
      if (this.#execution.host === 'writes') this.#execution.writeByte(value)
      return
    }
    this.#command.push(value)
    const definition = commandOf(this.#command[0]!)
    if (this.#command.length <= definition.parameters) return
    const bytes = this.#command
    this.#command = []
    this.#execute(definition, bytes)
    this.#drive()
  }

  #execute({ name }: CommandDefinition, bytes: readonly number[]): void {
    const [first, chosen = 0, second = 0, third = 0] = bytes as [number, ...number[]]
    const number = chosen & 3
    switch (name) {
      case 'specify':
        this.#specified = [chosen, second]
        return
      case 'sense-drive-status':
        this.#results = [this.#driveStatus(chosen)]
        return
      case 'sense-interrupt-status':
        this.#results = [...(this.#seeks.sense() ?? [st0.invalid])]
        this.#seekInterrupt = this.#seeks.seekWaiting
        return
      case 'recalibrate':
        this.#seeks.recalibrate(number, this.#stepTime)
        return
      case 'seek':
        this.#seeks.seek(number, second - this.#seeks.cylinder(number), second, this.#stepTime)
        return
      case 'relative-seek': {
        const steps = first & 0x40 ? second : -second
        this.#seeks.seek(number, steps, (this.#seeks.cylinder(number) + steps) & 0xff, this.#stepTime)
        return
      }
      case 'configure':
        this.#configured = [second & 0x7f, third]
        return
      case 'perpendicular-mode':
        this.#perpendicular = chosen & 0x80 ? chosen & 0x3f : (this.#perpendicular & 0x3c) | (chosen & 3)
        return
      case 'lock':
        this.#locked = (first & 0x80) !== 0
        this.#results = [this.#locked ? 0x10 : 0]
        return
      case 'version':
        this.#results = [0x90]
        return
      case 'dump-registers':
        this.#results = this.#dump()
        return
      case 'invalid':
        this.#results = [st0.invalid]
        return
      default:
        this.#beginData(dataCommand(name, bytes))
    }
  }

  #beginData(command: DataCommand): void {
    const { name, drive, id } = command
    if (name !== 'read-id') this.#lastSector = command.last
    const seeks = this.#configured[0]! & impliedSeek && name !== 'read-id' && name !== 'format-track'
    const steps = seeks ? this.#seeks.implied(drive, id[0]!) : 0
    this.#execution.begin(command, steps, Math.abs(steps) * this.#stepTime + this.#headLoadTime)
  }

  #driveStatus(chosen: number): number {
    const drive = this.#options.drives[chosen & 3]
    return (drive?.writeProtected ? 0x40 : 0) | 0x28 | (drive?.atTrack0 ? 0x10 : 0) | (chosen & 7)
  }

  #dump(): number[] {
    return [
      ...[0, 1, 2, 3].map((drive) => this.#seeks.cylinder(drive)),
      ...this.#specified,
      this.#lastSector,
      (this.#locked ? 0x80 : 0) | this.#perpendicular,
      ...this.#configured,
    ]
  }

  #finish(results: readonly number[]): void {
    this.#results = [...results]
    this.#interrupt = true
    this.#drive()
  }
}
