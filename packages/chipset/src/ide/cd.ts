/** An ATAPI CD drive: packets and their data over the taskfile (ATA/ATAPI-6, 8.24 and 9.8; SFF-8020i). */
import type { BlockDevice } from '@vmexit/block'
import { checkState, type Stateful } from '@vmexit/core'
import { CdUnit, type CdUnitState, type Outcome } from './cd-unit.ts'
import { bufferBytes, type DriveState, errorBit, IdeDrive } from './drive.ts'
import { identifyCd } from './identify.ts'
import { deviceBit, register } from './taskfile.ts'

/** What a CD drive is made of. */
export interface AtapiCdOptions {
  /** 2048-byte sectors. */
  readonly medium: BlockDevice | undefined
  /** 20 characters of ASCII at most. */
  readonly serial: string
  /** 40 characters of ASCII at most. */
  readonly model: string
}

/** A saved CD drive. */
export type AtapiCdState = DriveState & {
  readonly version: 1
  readonly unit: CdUnitState
  /**
   * What is done when the block has been moved. `answer` is the data of IDENTIFY PACKET DEVICE, after which there is no
   * interrupt.
   */
  readonly work: 'answer' | 'packet' | 'data'
  /** Whether the packet's data go by bus master. */
  readonly dma: boolean
  /** The most bytes that the host takes at a time. */
  readonly limit: number
  /** The sector after those in the buffer, and how many are to come from there on. */
  readonly sector: number
  readonly left: number
}

type Work = AtapiCdState['work']

const packetBytes = 12
const sectorBytes = 2048

/** What the count register says of a packet command: command or data, and the way of it. */
const reason = { command: 0x01, toHost: 0x02, done: 0x03 } as const

/** A CD drive. */
export class AtapiCd extends IdeDrive implements Stateful<AtapiCdState> {
  /** By code. READ SECTOR(S) and IDENTIFY DEVICE are how hosts find out that this is no disk. */
  // biome-ignore format: a table
  static readonly #commands: Readonly<Record<number, (cd: AtapiCd) => void>> = {
    [0x08]: (cd) => cd.#resetDevice(), // DEVICE RESET
    [0x20]: (cd) => cd.#refuse(),      // READ SECTOR(S)
    [0xa0]: (cd) => cd.#takePacket(),  // PACKET
    [0xa1]: (cd) => cd.#identify(),    // IDENTIFY PACKET DEVICE
    [0xe0]: (cd) => cd.complete(),     // STANDBY IMMEDIATE
    [0xe1]: (cd) => cd.complete(),     // IDLE IMMEDIATE
    [0xe2]: (cd) => cd.complete(),     // STANDBY
    [0xe3]: (cd) => cd.complete(),     // IDLE
    [0xe5]: (cd) => cd.#checkPower(),  // CHECK POWER MODE
    [0xe6]: (cd) => cd.complete(),     // SLEEP
    [0xec]: (cd) => cd.#refuse(),      // IDENTIFY DEVICE
    [0xef]: (cd) => cd.#setFeatures(), // SET FEATURES
  }
  readonly unit: CdUnit
  readonly #options: AtapiCdOptions
  #work: Work = 'answer'
  #dma = false
  #limit = 0
  /** Bytes in the buffer, of which the block is a part. */
  #loaded = 0
  #sector = 0
  #left = 0

  /** Throws a `VmexitError` `ide-sectors` for a medium whose sectors have not 2048 bytes. */
  constructor(options: AtapiCdOptions) {
    super()
    this.#options = options
    this.unit = new CdUnit(options.medium, options.model)
    this.diagnose()
  }

  override reset(): void {
    super.reset()
    this.unit.reset()
  }

  command(code: number): void {
    this.begin()
    const work = AtapiCd.#commands[code]
    if (work === undefined) this.fail(errorBit.abort)
    else work(this)
  }

  save(): AtapiCdState {
    return {
      version: 1,
      ...this.saveDrive(),
      unit: this.unit.save(),
      work: this.#work,
      dma: this.#dma,
      limit: this.#limit,
      sector: this.#sector,
      left: this.#left,
    } as AtapiCdState
  }

  /** Throws a `VmexitError` `state-mismatch` if another medium was in the saved drive. */
  restore(state: AtapiCdState): void {
    const s = checkState('the CD drive', state, this.save())
    this.unit.restore(s.unit)
    this.restoreDrive(s)
    this.#work = s.work
    this.#dma = s.dma
    this.#limit = s.limit
    this.#loaded = s.buffer.length
    this.#sector = s.sector
    this.#left = s.left
  }

  protected override get bufferUsed(): number {
    return this.#loaded
  }

  protected override sign(): void {
    this.taskfile.sign(0x14, 0xeb)
    this.settled = 0
  }

  protected override blockMoved(): void {
    if (this.#work === 'packet') this.#execute(this.unit.execute(this.buffer.slice(0, packetBytes)))
    else if (this.blockEnd < this.#loaded) this.#openData(this.blockEnd)
    else if (this.#work === 'answer') this.complete(false)
    else if (this.#left > 0) this.#loadSectors()
    else this.#finish()
  }

  #resetDevice(): void {
    const selected = this.taskfile.device & deviceBit.select
    this.diagnose()
    this.taskfile.answer(register.device, selected)
  }

  #refuse(): void {
    this.taskfile.sign(0x14, 0xeb)
    this.fail(errorBit.abort)
  }

  #identify(): void {
    const { serial, model } = this.#options
    this.buffer.set(identifyCd({ serial, model, transferMode: this.transferMode }))
    this.#work = 'answer'
    this.#loaded = 512
    this.open('pio-in', 0, this.#loaded, true)
  }

  #checkPower(): void {
    this.taskfile.answer(register.count, 0xff)
    this.complete()
  }

  #setFeatures(): void {
    if (this.taskfile.features === 0x03 && this.setTransferMode()) this.complete()
    else this.fail(errorBit.abort)
  }

  /** The packet is taken through the data port, without an interrupt. */
  #takePacket(): void {
    const { taskfile } = this
    this.#dma = (taskfile.features & 1) !== 0
    const limit = taskfile.read(register.lbaMid, false) | (taskfile.read(register.lbaHigh, false) << 8)
    // An odd number of bytes can only be the last; none at all is taken for the most there can be.
    this.#limit = limit > 1 ? limit & 0xfffe : 0xfffe
    this.#work = 'packet'
    this.#loaded = packetBytes
    taskfile.answer(register.count, reason.command)
    this.open('pio-out', 0, packetBytes, false)
  }

  #execute(outcome: Outcome): void {
    this.#work = 'data'
    this.#left = 0
    if (outcome.kind === 'failed') this.#fail()
    else if (outcome.kind === 'sectors') {
      this.#sector = outcome.sector
      this.#left = outcome.count
      this.#loadSectors()
    } else if (outcome.kind === 'data' && outcome.bytes.length > 0) {
      this.buffer.set(outcome.bytes)
      this.#loaded = outcome.bytes.length
      this.#openData(0)
    } else this.#finish()
  }

  #loadSectors(): void {
    const count = Math.min(this.#left, bufferBytes / sectorBytes)
    if (!this.#readSectors(count)) {
      this.#fail()
      return
    }
    this.#sector += count
    this.#left -= count
    this.#loaded = count * sectorBytes
    this.#openData(0)
  }

  #readSectors(count: number): boolean {
    return this.unit.read(this.#sector, this.buffer.subarray(0, count * sectorBytes))
  }

  /** Offers what is in the buffer from byte `from` on: all of it to the bus master, else as much as the host takes. */
  #openData(from: number): void {
    if (this.#dma) {
      this.open('dma-in', from, this.#loaded, false)
      return
    }
    const bytes = Math.min(this.#limit, this.#loaded - from)
    this.taskfile.answer(register.count, reason.toHost)
    this.taskfile.answer(register.lbaMid, bytes & 0xff)
    this.taskfile.answer(register.lbaHigh, bytes >> 8)
    this.open('pio-in', from, from + bytes, true)
  }

  #finish(): void {
    this.taskfile.answer(register.count, reason.done)
    this.complete()
  }

  #fail(): void {
    this.taskfile.answer(register.count, reason.done)
    this.fail((this.unit.senseKey << 4) | errorBit.abort)
  }
}
