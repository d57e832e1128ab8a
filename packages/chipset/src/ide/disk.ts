/** An ATA disk (ATA/ATAPI-6, 8): 28- and 48-bit addresses and CHS, PIO, blocks of several sectors, DMA. */
import type { BlockDevice } from '@vmexit/block'
import { checkState, type Stateful, VmexitError } from '@vmexit/core'
import { bufferBytes, type DriveState, errorBit, IdeDrive, type Phase } from './drive.ts'
import { identifyDisk } from './identify.ts'
import { type Geometry, register } from './taskfile.ts'

/** What a disk is made of. */
export interface AtaDiskOptions {
  /** 512-byte sectors. */
  readonly disk: BlockDevice
  /** 20 characters of ASCII at most. */
  readonly serial: string
  /** 40 characters of ASCII at most. */
  readonly model: string
}

/** A saved disk; what is on it is saved by who gave it. */
export type AtaDiskState = DriveState & {
  readonly version: 1
  /** How many the disk has: it goes back onto one of the same size. */
  readonly sectors: number
  readonly geometry: { readonly cylinders: number; readonly heads: number; readonly sectorsPerTrack: number }
  readonly multiple: number
  readonly writeCache: boolean
  readonly lookAhead: boolean
  readonly power: 'active' | 'idle' | 'standby'
  /** What is done when the block has been moved; `answer` is of data that are no sectors. */
  readonly work: 'answer' | 'read' | 'write'
  readonly extended: boolean
  /** The first sector of the block, the sectors from there on, and those in a whole block. */
  readonly sector: number
  readonly left: number
  readonly blockSectors: number
}

type Work = AtaDiskState['work']
type Power = AtaDiskState['power']

/** How a command moves sectors. */
interface Transfer {
  readonly write?: boolean
  readonly dma?: boolean
  /** 48-bit addresses. */
  readonly extended?: boolean
  /** In blocks of as many sectors as SET MULTIPLE said. */
  readonly multiple?: boolean
}

const sectorBytes = 512
const highestMultiple = 16

/** Of a disk whose addresses SET FEATURES and INITIALIZE DEVICE PARAMETERS have not changed. */
function defaultGeometryOf(sectors: number): Geometry {
  const heads = 16
  const sectorsPerTrack = 63
  const cylinders = Math.max(1, Math.min(16383, Math.floor(sectors / (heads * sectorsPerTrack))))
  return { cylinders, heads, sectorsPerTrack }
}

/** A command with sixteen codes. */
function sixteen(first: number, work: (disk: AtaDisk) => void): Record<number, (disk: AtaDisk) => void> {
  return Object.fromEntries(Array.from({ length: 16 }, (_, i) => [first + i, work]))
}

/** A disk. */
export class AtaDisk extends IdeDrive implements Stateful<AtaDiskState> {
  /** By code. NOP is aborted by definition, as is what is not here. */
  // biome-ignore format: a table
  static readonly #commands: Readonly<Record<number, (disk: AtaDisk) => void>> = {
    ...sixteen(0x10, (disk) => disk.complete()),                                  // RECALIBRATE
    [0x20]: (disk) => disk.#transfer({}),                                         // READ SECTOR(S)
    [0x21]: (disk) => disk.#transfer({}),                                         // … without retries
    [0x24]: (disk) => disk.#transfer({ extended: true }),                         // READ SECTOR(S) EXT
    [0x25]: (disk) => disk.#transfer({ extended: true, dma: true }),              // READ DMA EXT
    [0x29]: (disk) => disk.#transfer({ extended: true, multiple: true }),         // READ MULTIPLE EXT
    [0x30]: (disk) => disk.#transfer({ write: true }),                            // WRITE SECTOR(S)
    [0x31]: (disk) => disk.#transfer({ write: true }),                            // … without retries
    [0x34]: (disk) => disk.#transfer({ write: true, extended: true }),            // WRITE SECTOR(S) EXT
    [0x35]: (disk) => disk.#transfer({ write: true, extended: true, dma: true }), // WRITE DMA EXT
    [0x39]: (disk) => disk.#transfer({ write: true, extended: true, multiple: true }), // WRITE MULTIPLE EXT
    [0x40]: (disk) => disk.#verify(false),                                        // READ VERIFY SECTOR(S)
    [0x41]: (disk) => disk.#verify(false),                                        // … without retries
    [0x42]: (disk) => disk.#verify(true),                                         // READ VERIFY SECTOR(S) EXT
    ...sixteen(0x70, (disk) => disk.#seek()),                                     // SEEK
    [0x91]: (disk) => disk.#setGeometry(),                                        // INITIALIZE DEVICE PARAMETERS
    [0x94]: (disk) => disk.#rest('standby'),                                      // STANDBY IMMEDIATE
    [0x95]: (disk) => disk.#rest('idle'),                                         // IDLE IMMEDIATE
    [0x96]: (disk) => disk.#rest('standby'),                                      // STANDBY
    [0x97]: (disk) => disk.#rest('idle'),                                         // IDLE
    [0x98]: (disk) => disk.#checkPower(),                                         // CHECK POWER MODE
    [0x99]: (disk) => disk.#rest('standby'),                                      // SLEEP: no deeper than STANDBY
    [0xc4]: (disk) => disk.#transfer({ multiple: true }),                         // READ MULTIPLE
    [0xc5]: (disk) => disk.#transfer({ write: true, multiple: true }),            // WRITE MULTIPLE
    [0xc6]: (disk) => disk.#setMultiple(),                                        // SET MULTIPLE MODE
    [0xc8]: (disk) => disk.#transfer({ dma: true }),                              // READ DMA
    [0xc9]: (disk) => disk.#transfer({ dma: true }),                              // … without retries
    [0xca]: (disk) => disk.#transfer({ write: true, dma: true }),                 // WRITE DMA
    [0xcb]: (disk) => disk.#transfer({ write: true, dma: true }),                 // … without retries
    [0xe0]: (disk) => disk.#rest('standby'),                                      // STANDBY IMMEDIATE
    [0xe1]: (disk) => disk.#rest('idle'),                                         // IDLE IMMEDIATE
    [0xe2]: (disk) => disk.#rest('standby'),                                      // STANDBY
    [0xe3]: (disk) => disk.#rest('idle'),                                         // IDLE
    [0xe5]: (disk) => disk.#checkPower(),                                         // CHECK POWER MODE
    [0xe6]: (disk) => disk.#rest('standby'),                                      // SLEEP: no deeper than STANDBY
    [0xe7]: (disk) => disk.#flush(),                                              // FLUSH CACHE
    [0xea]: (disk) => disk.#flush(),                                              // FLUSH CACHE EXT
    [0xec]: (disk) => disk.#identify(),                                           // IDENTIFY DEVICE
    [0xef]: (disk) => disk.#settle(disk.#setFeatures()),                          // SET FEATURES
  }
  readonly disk: BlockDevice
  readonly #options: AtaDiskOptions
  readonly #defaultGeometry: Geometry
  #geometry: Geometry
  #multiple = 0
  #writeCache = true
  #lookAhead = true
  #power: Power = 'active'
  #work: Work = 'answer'
  #extended = false
  #sector = 0
  #left = 0
  #blockSectors = 1

  /** Throws a {@link VmexitError} `ide-sectors` if the device has not sectors of 512 bytes, or none. */
  constructor(options: AtaDiskOptions) {
    super()
    this.#options = options
    const { disk } = options
    this.disk = disk
    if (disk.sectorBytes !== sectorBytes || disk.sectors < 1) {
      throw new VmexitError('ide-sectors', {
        problem: `an ATA disk cannot be made of ${disk.sectors} sectors of ${disk.sectorBytes} bytes`,
        remedy: 'give one sector at least, of 512 bytes, or make it { cd: … } if it is a CD',
      })
    }
    this.#defaultGeometry = defaultGeometryOf(disk.sectors)
    this.#geometry = this.#defaultGeometry
    this.reset()
  }

  override reset(): void {
    this.#work = 'answer'
    this.#extended = false
    this.#sector = this.#left = 0
    this.#blockSectors = 1
    this.#geometry = this.#defaultGeometry
    this.#multiple = 0
    this.#writeCache = this.#lookAhead = true
    this.#power = 'active'
    super.reset()
  }

  command(code: number): void {
    this.begin()
    const work = AtaDisk.#commands[code]
    if (work === undefined) this.fail(errorBit.abort)
    else work(this)
  }

  save(): AtaDiskState {
    return {
      version: 1,
      ...this.saveDrive(),
      sectors: this.disk.sectors,
      geometry: { ...this.#geometry },
      multiple: this.#multiple,
      writeCache: this.#writeCache,
      lookAhead: this.#lookAhead,
      power: this.#power,
      work: this.#work,
      extended: this.#extended,
      sector: this.#sector,
      left: this.#left,
      blockSectors: this.#blockSectors,
    } as AtaDiskState
  }

  /** Throws a {@link VmexitError} `state-mismatch` if the saved disk had another number of sectors. */
  restore(state: AtaDiskState): void {
    const s = checkState('the ATA disk', state, this.save())
    if (s.sectors !== this.disk.sectors) {
      throw new VmexitError('state-mismatch', {
        problem: `the saved ATA disk has ${s.sectors} sectors, this one ${this.disk.sectors}`,
        remedy: 'compose the machine with the disk that it was saved with',
      })
    }
    this.restoreDrive(s)
    this.#geometry = { ...s.geometry }
    this.#multiple = s.multiple
    this.#writeCache = s.writeCache
    this.#lookAhead = s.lookAhead
    this.#power = s.power
    this.#work = s.work
    this.#extended = s.extended
    this.#sector = s.sector
    this.#left = s.left
    this.#blockSectors = s.blockSectors
  }

  protected override sign(): void {
    this.taskfile.sign(0, 0)
  }

  protected override blockMoved(): void {
    if (this.#work === 'answer') this.complete(false)
    else if (this.#work === 'write') this.#written()
    else this.#read()
  }

  #settle(done: boolean): void {
    if (done) this.complete()
    else this.fail(errorBit.abort)
  }

  #flush(): void {
    this.#settle(this.#attempt(() => this.disk.flush()))
  }

  #checkPower(): void {
    this.taskfile.answer(register.count, { active: 0xff, idle: 0x80, standby: 0x00 }[this.#power])
    this.complete()
  }

  #rest(power: Power): void {
    const flushed = this.#attempt(() => this.disk.flush())
    this.#power = power
    this.#settle(flushed)
  }

  #identify(): void {
    const { serial, model } = this.#options
    this.buffer.set(
      identifyDisk({
        serial,
        model,
        transferMode: this.transferMode,
        sectors: this.disk.sectors,
        defaultGeometry: this.#defaultGeometry,
        geometry: this.#geometry,
        multiple: this.#multiple,
        highestMultiple,
        writeCache: this.#writeCache,
        lookAhead: this.#lookAhead,
      }),
    )
    this.#work = 'answer'
    this.open('pio-in', 0, sectorBytes, true)
  }

  #setGeometry(): void {
    const heads = (this.taskfile.device & 0x0f) + 1
    const sectorsPerTrack = this.taskfile.read(register.count, false)
    const allowed = sectorsPerTrack >= 1 && sectorsPerTrack <= 63
    if (allowed) {
      const cylinders = Math.min(65535, Math.floor(this.disk.sectors / (heads * sectorsPerTrack)))
      this.#geometry = { cylinders, heads, sectorsPerTrack }
    }
    this.#settle(allowed)
  }

  #setMultiple(): void {
    const sectors = this.taskfile.read(register.count, false)
    const allowed = sectors <= highestMultiple && (sectors & (sectors - 1)) === 0
    if (allowed) this.#multiple = sectors
    this.#settle(allowed)
  }

  #setFeatures(): boolean {
    switch (this.taskfile.features) {
      case 0x02:
      case 0x82:
        this.#writeCache = this.taskfile.features === 0x02
        return this.#writeCache || this.#attempt(() => this.disk.flush())
      case 0x03:
        return this.setTransferMode()
      case 0xaa:
      case 0x55:
        this.#lookAhead = this.taskfile.features === 0xaa
        return true
      case 0x66: // what was set outlasts a software reset, or not: it does
      case 0xcc:
        return true
      default:
        return false
    }
  }

  #seek(): void {
    if (this.#span(false, 1)) this.complete()
  }

  #verify(extended: boolean): void {
    if (!this.#span(extended, this.taskfile.sectorCount(extended))) return
    while (this.#left > 0) {
      const count = this.#readable(Math.min(this.#left, bufferBytes / sectorBytes))
      if (count === 0) {
        this.#failAt(errorBit.uncorrectable)
        return
      }
      this.#advance(count)
    }
    this.complete()
  }

  #transfer({ write = false, dma = false, extended = false, multiple = false }: Transfer): void {
    const refused = (multiple && this.#multiple === 0) || (write && this.disk.readOnly)
    if (refused) this.fail(errorBit.abort)
    else if (this.#span(extended, this.taskfile.sectorCount(extended))) {
      this.#blockSectors = dma ? bufferBytes / sectorBytes : multiple ? this.#multiple : 1
      this.#work = write ? 'write' : 'read'
      if (write) this.#openBlock(dma ? 'dma-out' : 'pio-out', false)
      else this.#load(dma ? 'dma-in' : 'pio-in')
    }
  }

  /** Takes the sectors that are meant. Returns false if they are not on the disk; the command has failed then. */
  #span(extended: boolean, count: number): boolean {
    this.#power = 'active'
    this.#extended = extended
    const sector = this.taskfile.address(extended, this.#geometry)
    if (sector === undefined || sector + count > this.disk.sectors) {
      this.fail(errorBit.notFound)
      return false
    }
    this.#sector = sector
    this.#left = count
    return true
  }

  get #block(): number {
    return Math.min(this.#left, this.#blockSectors)
  }

  #advance(sectors: number): void {
    this.#sector += sectors
    this.#left -= sectors
  }

  /** Reads the next block into the buffer and opens the phase; before a sector that cannot be read the block ends. */
  #load(phase: Phase): void {
    const count = this.#readable(this.#block)
    if (count === 0) this.#failAt(errorBit.uncorrectable)
    else this.open(phase, 0, count * sectorBytes, phase === 'pio-in')
  }

  /** The host has the block. */
  #read(): void {
    const phase = this.dma === undefined ? 'pio-in' : 'dma-in'
    this.#advance(this.blockEnd / sectorBytes)
    if (this.#left > 0) this.#load(phase)
    else this.complete(phase === 'dma-in')
  }

  /** Waits for the next block to be written. */
  #openBlock(phase: Phase, interrupt: boolean): void {
    this.open(phase, 0, this.#block * sectorBytes, interrupt)
  }

  /** The host has filled the block. */
  #written(): void {
    const phase = this.dma === undefined ? 'pio-out' : 'dma-out'
    const bytes = this.buffer.subarray(0, this.#block * sectorBytes)
    if (this.#attempt(() => this.disk.write(this.#sector, bytes))) {
      this.#advance(bytes.length / sectorBytes)
      if (this.#left > 0) this.#openBlock(phase, phase === 'pio-out')
      else this.#settle(this.#writeCache || this.#attempt(() => this.disk.flush()))
    } else {
      this.#writeSingly(bytes)
      this.#failAt(errorBit.abort)
    }
  }

  /** Reads up to `count` sectors into the buffer; returns how many of them could be read. */
  #readable(count: number): number {
    const { buffer, disk } = this
    if (this.#attempt(() => disk.read(this.#sector, buffer.subarray(0, count * sectorBytes)))) return count
    for (let i = 0; i < count; i++) {
      const bytes = buffer.subarray(i * sectorBytes, (i + 1) * sectorBytes)
      if (!this.#attempt(() => disk.read(this.#sector + i, bytes))) return i
    }
    return count
  }

  /** Writes the sectors of a block one by one until one cannot be written. */
  #writeSingly(bytes: Uint8Array): void {
    const write = (at: number) => this.disk.write(this.#sector, bytes.subarray(at, at + sectorBytes))
    for (let at = 0; at < bytes.length && this.#attempt(() => write(at)); at += sectorBytes) this.#advance(1)
  }

  /** The command has failed at the sector that is next. */
  #failAt(error: number): void {
    this.taskfile.answerAddress(this.#sector, this.#extended, this.#geometry)
    this.fail(error)
  }

  /** Whether what the disk is asked for is done. */
  #attempt(work: () => void): boolean {
    try {
      work()
      return true
    } catch {
      return false
    }
  }
}
