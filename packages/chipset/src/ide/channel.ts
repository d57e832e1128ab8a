/** An IDE channel: the registers of up to two drives, of which one is selected, and their interrupt (ATA/ATAPI-6, 6). */
import {
  type BusMaster,
  type Clock,
  checkState,
  type Line,
  type RegisterFile,
  type State,
  type Stateful,
} from '@vmexit/core'
import { IdeBusMaster, type IdeBusMasterState } from './bus-master.ts'
import type { IdeDrive } from './drive.ts'
import { deviceBit, register } from './taskfile.ts'

/** What a channel is connected to. */
export interface IdeChannelOptions {
  /** Device 0 and device 1. */
  readonly master: IdeDrive | undefined
  readonly slave: IdeDrive | undefined
  /** The interrupt. */
  readonly line: Line
  readonly clock: Clock
  /** The way to memory of its bus master. */
  readonly memory: BusMaster
}

/** A saved channel, without its drives. */
export type IdeChannelState = State & {
  readonly version: 1
  /** 0 or 1. */
  readonly selected: number
  /** The device control register. */
  readonly control: number
  readonly busMaster: IdeBusMasterState
}

/** Bits of the device control register. */
const control = { noInterrupts: 0x02, softReset: 0x04, before: 0x80 } as const

const executeDiagnostic = 0x90
const deviceReset = 0x08

/**
 * A channel. Where no drive is, its registers read as zeros. A drive that is busy or has data to move takes no writes
 * to its registers, but DEVICE RESET and the device control register are heard.
 */
export class IdeChannel implements Stateful<IdeChannelState> {
  readonly regions: { readonly command: RegisterFile; readonly control: RegisterFile } = {
    command: {
      size: 8,
      widest: 4,
      split: true,
      read: (offset, width) => (offset === 0 ? this.#readData(width) : this.#readBytes(offset, width)),
      write: (offset, width, value) => {
        if (offset === 0) this.#selected?.writeData(width, value)
        else for (let i = 0; i < width; i++) this.#write(offset + i, (value >>> (8 * i)) & 0xff)
      },
    },
    control: {
      size: 1,
      widest: 1,
      split: true,
      read: () => this.#selected?.status ?? 0,
      write: (_, __, value) => this.#writeControl(value),
    },
  }
  readonly master: IdeDrive | undefined
  readonly slave: IdeDrive | undefined
  readonly busMaster: IdeBusMaster
  readonly #line: Line
  #selected: IdeDrive | undefined
  #control = 0
  #interrupt = false

  constructor({ master, slave, line, clock, memory }: IdeChannelOptions) {
    this.master = master
    this.slave = slave
    this.#line = line
    this.#selected = master
    this.busMaster = new IdeBusMaster({ clock, memory, drive: () => this.#selected })
    for (const drive of this.#drives) {
      drive.host = {
        interruptChanged: () => this.#drive(),
        dmaChanged: () => {
          if (drive === this.#selected) this.busMaster.driveChanged()
        },
      }
    }
  }

  reset(): void {
    for (const drive of this.#drives) drive.reset()
    this.#selected = this.master
    this.#control = 0
    this.busMaster.reset()
    this.#drive()
  }

  save(): IdeChannelState {
    return {
      version: 1,
      selected: this.#selected === this.master ? 0 : 1,
      control: this.#control,
      busMaster: this.busMaster.save(),
    }
  }

  /** To be called when the drives have been restored. */
  restore(state: IdeChannelState): void {
    const s = checkState('the IDE channel', state, this.save())
    this.#selected = s.selected === 0 ? this.master : this.slave
    this.#control = s.control
    this.busMaster.restore(s.busMaster)
    this.#interrupt = this.#wanted
    this.#line.set(this.#interrupt)
  }

  get #drives(): readonly IdeDrive[] {
    return [this.master, this.slave].filter((drive) => drive !== undefined)
  }

  #readData(width: number): number {
    return this.#selected === undefined ? 0 : this.#selected.readData(width)
  }

  #readBytes(offset: number, width: number): number {
    let value = 0
    for (let i = 0; i < width; i++) value |= this.#read(offset + i) << (8 * i)
    return value
  }

  #read(offset: number): number {
    const drive = this.#selected
    if (drive === undefined) return 0
    const value = drive.read(offset, (this.#control & control.before) !== 0)
    if (offset === register.command) drive.acknowledge()
    return value
  }

  #write(offset: number, value: number): void {
    this.#control &= ~control.before
    if (this.#control & control.softReset) return
    if (this.#selected?.occupied) {
      if (offset === register.command && value === deviceReset) this.#selected.command(value)
      return
    }
    if (offset === register.command) this.#command(value)
    else {
      for (const drive of this.#drives) drive.taskfile.write(offset, value)
      if (offset === register.device) this.#select(value & deviceBit.select ? this.slave : this.master)
    }
  }

  #select(drive: IdeDrive | undefined): void {
    this.#selected = drive
    this.#drive()
  }

  #command(code: number): void {
    if (code === executeDiagnostic) {
      this.#diagnose()
      this.master?.tellDiagnosed()
      return
    }
    this.#selected?.acknowledge()
    this.#selected?.command(code)
  }

  /** Both drives test themselves and show their signatures; device 0 is selected. */
  #diagnose(): void {
    for (const drive of this.#drives) drive.diagnose()
    this.#select(this.master)
  }

  #writeControl(value: number): void {
    const before = this.#control
    this.#control = value & (control.noInterrupts | control.softReset | control.before)
    if (value & ~before & control.softReset) for (const drive of this.#drives) drive.beginReset()
    if (before & ~value & control.softReset) this.#diagnose()
    this.#drive()
  }

  /** What the interrupt is to be: the selected drive's, unless it is off. */
  get #wanted(): boolean {
    return (this.#control & control.noInterrupts) === 0 && (this.#selected?.interrupt ?? false)
  }

  #drive(): void {
    const interrupt = this.#wanted
    if (interrupt === this.#interrupt) return
    this.#interrupt = interrupt
    if (interrupt) this.busMaster.interruptRose()
    this.#line.set(interrupt)
  }
}
