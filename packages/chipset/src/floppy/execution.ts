/**
 * The execution phase of the commands that go over a disk's data (82077AA data sheet, 5.1 and 5.2.4–5.2.5): finding the
 * sector as the disk turns, moving its bytes, going on to the next.
 */
import { type Clock, checkState, type SavedTimer, type Stateful, type Timer } from '@vmexit/core'
import type { DmaChannel } from '../dma/channel.ts'
import { type CommandName, st0, st1, st2 } from './commands.ts'
import type { DataCommand } from './data-command.ts'
import type { FloppyDrive, Track } from './drive.ts'
import { sectorBytes } from './formats.ts'

/** A saved execution phase. */
export type ExecutionState = {
  readonly version: 1
  readonly command: DataCommand | null
  readonly head: number
  /** C, H, R and N of the next sector. */
  readonly id: readonly number[]
  /** READ TRACK and FORMAT TRACK: sectors done. VERIFY: sectors gone over. */
  readonly done: number
  /** Bits that status registers 1 and 2 will have though the command goes on. */
  readonly status1: number
  readonly status2: number
  /** Bytes between the host and the disk, without DMA. */
  readonly buffer: readonly number[]
  readonly at: number
  /** The host is to read or write the buffer. */
  readonly host: 'reads' | 'writes' | null
  /** What comes when the timer is due. */
  readonly next: 'seek' | 'sector' | 'give-up' | null
  readonly timer: SavedTimer | null
}

/** What the execution phase is connected to. */
export interface ExecutionOptions {
  readonly clock: Clock
  readonly dma: DmaChannel
  readonly drive: (number: number) => FloppyDrive | undefined
  /** Whether the disk of a drive turns. */
  readonly turning: (number: number) => boolean
  /** The data rate in kbit/s. */
  readonly rate: () => number
  /** Whether data goes by DMA. */
  readonly usesDma: () => boolean
  /** The command is through: the result phase begins. */
  readonly onResult: (results: readonly number[]) => void
  /** The host has bytes to read or to write, or none any more. */
  readonly onChange: () => void
}

/** Numbers of C, H, R and N in an address mark. */
const [C, H, R, N] = [0, 1, 2, 3] as const

const fromHost: readonly CommandName[] = ['write-data', 'write-deleted-data', 'format-track']

/** At most one command is in its execution phase. */
export class Execution implements Stateful<ExecutionState> {
  readonly #options: ExecutionOptions
  #command: DataCommand | undefined
  #head = 0
  #id = [0, 0, 0, 0]
  #done = 0
  #status1 = 0
  #status2 = 0
  #buffer: number[] = []
  #at = 0
  #host: ExecutionState['host'] = null
  #next: ExecutionState['next'] = null
  #timer: Timer | undefined

  constructor(options: ExecutionOptions) {
    this.#options = options
  }

  /** Whether a command is in its execution phase. */
  get busy(): boolean {
    return this.#command !== undefined
  }

  /** Whether the host is to read or write a byte; without DMA only. */
  get host(): ExecutionState['host'] {
    return this.#host
  }

  /** Begins a command after `delay` ticks; `steps` is where the heads go first. */
  begin(command: DataCommand, steps: number, delay: number): void {
    this.#command = command
    this.#head = command.head
    this.#id = [...command.id]
    this.#done = this.#status1 = this.#status2 = 0
    this.#wait('seek', this.#options.clock.now + delay)
    this.#drive?.step(steps)
  }

  /** The host reads a byte. */
  readByte(): number {
    const byte = this.#buffer[this.#at++] ?? 0
    if (this.#at >= this.#buffer.length) this.#exchanged()
    return byte
  }

  /** The host writes a byte. */
  writeByte(value: number): void {
    this.#buffer[this.#at++] = value
    if (this.#at >= this.#unit) this.#exchanged()
  }

  /** Ends whatever is going on. */
  abort(): void {
    this.#timer?.[Symbol.dispose]()
    this.#command = undefined
    this.#head = this.#done = this.#status1 = this.#status2 = 0
    this.#id = [0, 0, 0, 0]
    this.#next = null
    this.#host = null
    this.#buffer = []
    this.#at = 0
    this.#options.dma.request.set(false)
  }

  save(): ExecutionState {
    return {
      version: 1,
      command: this.#command === undefined ? null : { ...this.#command },
      head: this.#head,
      id: [...this.#id],
      done: this.#done,
      status1: this.#status1,
      status2: this.#status2,
      buffer: [...this.#buffer],
      at: this.#at,
      host: this.#host,
      next: this.#next,
      timer: this.#timer?.pending ? this.#timer.save() : null,
    }
  }

  restore(state: ExecutionState): void {
    const saved = checkState('the floppy controller', state, this.save())
    this.#timer?.[Symbol.dispose]()
    this.#command = saved.command === null ? undefined : { ...saved.command }
    this.#head = saved.head
    this.#id = [...saved.id]
    this.#done = saved.done
    this.#status1 = saved.status1
    this.#status2 = saved.status2
    this.#buffer = [...saved.buffer]
    this.#at = saved.at
    this.#host = saved.host
    this.#next = saved.next
    this.#timer = saved.timer === null ? undefined : this.#options.clock.resume(saved.timer, () => this.#wake())
  }

  get #drive(): FloppyDrive | undefined {
    return this.#options.drive(this.#command!.drive)
  }

  /** The track under the head, if its address marks can be read. */
  get #track(): Track | undefined {
    return this.#command!.mfm ? this.#drive?.track(this.#head, this.#options.rate()) : undefined
  }

  /** Bytes that go over the bus for one sector. */
  get #unit(): number {
    return this.#command!.name === 'format-track' ? 4 : sectorBytes
  }

  #wait(next: NonNullable<ExecutionState['next']>, time: number): void {
    this.#next = next
    this.#timer = this.#options.clock.at(time, () => this.#wake())
  }

  #wake(): void {
    const next = this.#next
    this.#next = null
    if (next === 'seek') this.#look()
    else if (next === 'sector') this.#sector()
    else this.#finish(st0.abnormal)
  }

  /** What comes next: without DMA what is to be written comes from the host first. */
  #look(): void {
    const { name } = this.#command!
    const drive = this.#drive
    // Without index pulses a command never ends: no disk, or it does not turn.
    if (drive === undefined || !drive.hasDisk || !this.#options.turning(this.#command!.drive)) return
    if (fromHost.includes(name)) {
      if (drive.writeProtected) {
        this.#status1 |= st1.notWritable
        this.#finish(st0.abnormal)
        return
      }
      if (!this.#options.usesDma()) {
        this.#exchange('writes', [])
        return
      }
    }
    this.#find(drive)
  }

  /** Waits for the sector to come by, or for the index hole twice if it is not there. */
  #find(drive: FloppyDrive): void {
    const { name } = this.#command!
    const track = this.#track
    if (name === 'format-track') this.#wait('sector', this.#formatTime(drive))
    else if (track === undefined) this.#giveUp(drive, st1.missingAddressMark, 0)
    else if (name === 'read-id') {
      this.#id = [track.cylinder, track.head, drive.nextSector(track.sectors), 2]
      this.#wait('sector', drive.endOfSector(this.#id[R]!, track.sectors))
    } else if (name === 'read-track') {
      if (this.#done >= track.sectors) this.#giveUp(drive, st1.noData, 0)
      else if (this.#done === 0) this.#wait('sector', drive.indexAfter(1) + drive.sectorTime(track.sectors))
      else this.#wait('sector', drive.endOfSector(this.#done + 1, track.sectors))
    } else if (this.#matches(track)) this.#wait('sector', drive.endOfSector(this.#id[R]!, track.sectors))
    else this.#giveUp(drive, st1.noData, track.cylinder === this.#id[C] ? 0 : st2.wrongCylinder)
  }

  #matches({ cylinder, head, sectors }: Track): boolean {
    const [c, h, r, n] = this.#id as [number, number, number, number]
    return c === cylinder && h === head && r >= 1 && r <= sectors && n === 2
  }

  #giveUp(drive: FloppyDrive, status1: number, status2: number): void {
    this.#status1 |= status1
    this.#status2 |= status2
    this.#wait('give-up', drive.indexAfter(2))
  }

  /** FORMAT TRACK begins at the index hole and takes one turn. */
  #formatTime(drive: FloppyDrive): number {
    const { last } = this.#command!
    const turn = drive.indexAfter(2) - drive.indexAfter(1)
    return this.#done === 0 ? drive.indexAfter(1) + turn / (last || 1) : this.#options.clock.now + turn / (last || 1)
  }

  /** A sector has come by. */
  #sector(): void {
    const { name } = this.#command!
    const drive = this.#drive
    const track = this.#track
    if (drive === undefined || !drive.hasDisk || !this.#options.turning(this.#command!.drive)) return
    if (name === 'format-track') this.#formatSector(drive, track)
    else if (track === undefined) this.#giveUp(drive, st1.missingAddressMark, 0)
    else if (name === 'read-id') this.#finish(0)
    else if (name === 'verify') this.#verifySector(drive, track)
    else if (fromHost.includes(name)) this.#writeSector(drive, track)
    else this.#readSector(drive, track)
  }

  #readSector(drive: FloppyDrive, track: Track): void {
    const { name, skip } = this.#command!
    const whole = name === 'read-track'
    if (whole && !(this.#id[R] === this.#done + 1 && this.#matches(track))) this.#status1 |= st1.noData
    // No sector of an image is marked as deleted: READ DELETED DATA finds the wrong mark, and SK passes over it.
    const unwanted = name === 'read-deleted-data'
    if (unwanted) this.#status2 |= st2.controlMark
    if (unwanted && skip) {
      this.#advance(false)
      return
    }
    const data = drive.read(track, whole ? this.#done + 1 : this.#id[R]!)
    if (data === undefined) this.#dataError()
    else if (this.#options.usesDma()) this.#moved(this.#byDma('write', data), data.length)
    else this.#exchange('reads', [...data])
  }

  #verifySector(drive: FloppyDrive, track: Track): void {
    if (drive.read(track, this.#id[R]!) === undefined) this.#dataError()
    else this.#advance(++this.#done === this.#command!.count)
  }

  #writeSector(drive: FloppyDrive, track: Track): void {
    const data = new Uint8Array(sectorBytes)
    const progress = this.#takeFromHost(data)
    if (progress.bytes < data.length && !progress.terminalCount) this.#moved(progress, data.length)
    else if (!drive.write(track, this.#id[R]!, data)) this.#dataError()
    else this.#moved(progress, data.length)
  }

  /** A sector of FORMAT TRACK. Images have one layout: sectors that it has no room for are not there afterwards. */
  #formatSector(drive: FloppyDrive, track: Track | undefined): void {
    const { last, filler, id } = this.#command!
    const mark = new Uint8Array(4)
    const progress = last === 0 ? { bytes: 4, terminalCount: false } : this.#takeFromHost(mark)
    if (progress.bytes < 4 && !progress.terminalCount) {
      this.#status1 |= st1.overrun
      this.#finish(st0.abnormal)
      return
    }
    this.#id = [...mark.subarray(0, 3), id[N]!]
    const fits = track !== undefined && last > 0 && this.#matches(track) && mark[N] === 2
    if (fits && !drive.write(track, mark[R]!, new Uint8Array(sectorBytes).fill(filler))) this.#dataError()
    else if (progress.terminalCount || ++this.#done >= last) this.#finish(0)
    else this.#look()
  }

  #takeFromHost(into: Uint8Array): { readonly bytes: number; readonly terminalCount: boolean } {
    if (this.#options.usesDma()) return this.#byDma('read', into)
    into.set(this.#buffer.slice(0, into.length))
    this.#buffer = []
    this.#at = 0
    return { bytes: into.length, terminalCount: false }
  }

  /** A transfer by DMA: `write` is to memory. A byte that nobody takes in time, or gives, is an overrun. */
  #byDma(direction: 'read' | 'write', data: Uint8Array): { readonly bytes: number; readonly terminalCount: boolean } {
    const { dma } = this.#options
    dma.request.set(true)
    const progress = dma[direction](data)
    dma.request.set(false)
    if (direction === 'read') data.fill(0, progress.bytes)
    return progress
  }

  #moved({ bytes, terminalCount }: { readonly bytes: number; readonly terminalCount: boolean }, wanted: number): void {
    if (bytes < wanted && !terminalCount) {
      this.#status1 |= st1.overrun
      this.#finish(st0.abnormal)
    } else this.#advance(terminalCount)
  }

  #dataError(): void {
    this.#status1 |= st1.dataError
    this.#status2 |= st2.dataErrorInData
    this.#finish(st0.abnormal)
  }

  /** Hands a sector to the host, or asks it for one. */
  #exchange(host: NonNullable<ExecutionState['host']>, bytes: number[]): void {
    this.#host = host
    this.#buffer = bytes
    this.#at = 0
    this.#options.onChange()
  }

  /** The host has read or written all of the buffer. */
  #exchanged(): void {
    const reads = this.#host === 'reads'
    this.#host = null
    this.#options.onChange()
    if (reads) this.#advance(false)
    else this.#find(this.#drive!)
  }

  /** The sector is done. `ended`: it was the last one that is wanted. */
  #advance(ended: boolean): void {
    const { name, last, skip } = this.#command!
    if (name === 'read-track') {
      this.#done++
      this.#id[R] = (this.#id[R]! + 1) & 0xff
      if (ended || this.#done >= last) this.#finish(0)
      else this.#look()
      return
    }
    const beyond = this.#nextId()
    const marked = name === 'read-deleted-data' && !skip
    if (ended || marked) this.#finish(0)
    else if (!beyond) this.#look()
    else if (name === 'verify' && this.#command!.count === null) this.#finish(0)
    else {
      // Nobody said that this was the last: the controller would have gone beyond the end.
      this.#status1 |= st1.endOfCylinder
      this.#finish(st0.abnormal)
    }
  }

  /** Goes on to the next sector (table 5-6). Returns whether the last one of the track, or of both, is done. */
  #nextId(): boolean {
    const { multiTrack, last } = this.#command!
    if (this.#id[R] !== last) {
      this.#id[R] = (this.#id[R]! + 1) & 0xff
      return false
    }
    this.#id[R] = 1
    if (multiTrack) {
      this.#head ^= 1
      this.#id[H]! ^= 1
      if (this.#head === 1) return false
    }
    this.#id[C] = (this.#id[C]! + 1) & 0xff
    return true
  }

  #finish(status0: number): void {
    const { drive } = this.#command!
    const results = [status0 | (this.#head << 2) | drive, this.#status1, this.#status2, ...this.#id]
    this.abort()
    this.#options.onResult(results)
  }
}
