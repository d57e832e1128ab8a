/**
 * What the drives of a channel have in common: taskfile, status, interrupt, and a buffer that data go through block by
 * block, whether through the data port or by bus master (ATA/ATAPI-6, 6 and 9).
 */
import type { State } from '@vmexit/core'
import { register, Taskfile, type TaskfileState } from './taskfile.ts'
import { isTransferMode } from './transfer-mode.ts'

/** Bits of the status register. */
const statusBit = {
  busy: 0x80,
  ready: 0x40,
  fault: 0x20,
  seekDone: 0x10,
  dataRequest: 0x08,
  error: 0x01,
} as const

/** Bits of the error register. */
export const errorBit = { uncorrectable: 0x40, notFound: 0x10, abort: 0x04 } as const

/** Which way data go, seen from the host, and through what; `none` where no data are to be moved. */
export type Phase = 'none' | 'pio-in' | 'pio-out' | 'dma-in' | 'dma-out'

/** What a drive tells its channel. */
export interface DriveHost {
  /** The drive's interrupt request is another. */
  interruptChanged(): void
  /** The drive wants its data moved by the bus master, or no longer. */
  dmaChanged(): void
}

/** A drive without a channel. */
const nowhere: DriveHost = { interruptChanged() {}, dmaChanged() {} }

/** What every drive saves. */
export type DriveState = State & {
  readonly taskfile: TaskfileState
  readonly status: number
  readonly error: number
  readonly interrupt: boolean
  readonly transferMode: number
  readonly phase: Phase
  readonly position: number
  /** Where the block that is being moved ends in the buffer. */
  readonly end: number
  /** The buffer, as far as it is used. */
  readonly buffer: Uint8Array
}

/** Bytes of the buffer: the largest block. */
export const bufferBytes = 0x1_0000

/** One of the two drives of a channel. */
export abstract class IdeDrive {
  readonly taskfile: Taskfile = new Taskfile()
  host: DriveHost = nowhere
  /** Whether the bus master moves data now. The channel's to set. */
  moving = false
  protected readonly buffer: Uint8Array<ArrayBuffer> = new Uint8Array(bufferBytes)
  protected error = 0
  /** The status register, without what comes from a data phase. */
  protected settled = 0
  /** Set by SET FEATURES. */
  protected transferMode: number = defaultTransferMode
  #phase: Phase = 'none'
  #position = 0
  #end = 0
  #interrupt = false

  /** The status register. */
  get status(): number {
    switch (this.#phase) {
      case 'none':
        return this.settled
      case 'pio-in':
      case 'pio-out':
        return this.settled | statusBit.dataRequest
      default:
        return this.settled | (this.moving ? statusBit.busy : statusBit.dataRequest)
    }
  }

  /** Whether it takes no other command now. */
  get occupied(): boolean {
    return (this.status & (statusBit.busy | statusBit.dataRequest)) !== 0
  }

  /** Whether it asks for an interrupt. */
  get interrupt(): boolean {
    return this.#interrupt
  }

  /** The way in which it wants data moved by the bus master. */
  get dma(): 'in' | 'out' | undefined {
    return this.#phase === 'dma-in' ? 'in' : this.#phase === 'dma-out' ? 'out' : undefined
  }

  /** Bytes left of the block that is being moved. */
  get remaining(): number {
    return this.#end - this.#position
  }

  /** Where the block that is being moved, or has been, ends in the buffer. */
  protected get blockEnd(): number {
    return this.#end
  }

  /** Bytes of the buffer that are to be saved. */
  protected get bufferUsed(): number {
    return this.#end
  }

  /** A register, 1–7, as it is read; `before` is HOB. */
  read(offset: number, before: boolean): number {
    if (offset === register.command) return this.status
    return offset === register.features ? this.error : this.taskfile.read(offset, before)
  }

  /** The status was read, or another command is there: the interrupt is acknowledged. */
  acknowledge(): void {
    this.#setInterrupt(false)
  }

  /** Reads the data port. A string instruction calls this for each item, so the usual case comes first. */
  readData(width: number): number {
    const at = this.#position
    if (this.#phase !== 'pio-in' || at + width > this.#end) return this.#readRest(width)
    const { buffer } = this
    this.#position = at + width
    let value = buffer[at]!
    if (width > 1) value |= buffer[at + 1]! << 8
    if (width === 4) value |= (buffer[at + 2]! << 16) | (buffer[at + 3]! << 24)
    if (this.#position === this.#end) this.blockMoved()
    return value
  }

  /** Writes the data port. */
  writeData(width: number, value: number): void {
    if (this.#phase !== 'pio-out') return
    const count = Math.min(width, this.remaining)
    for (let i = 0; i < count; i++) this.buffer[this.#position + i] = value >>> (8 * i)
    this.#position += count
    if (this.#position === this.#end) this.blockMoved()
  }

  /** The next bytes that the bus master is to move, `most` at most: to be taken from, or filled. */
  dmaWindow(most: number): Uint8Array {
    return this.buffer.subarray(this.#position, Math.min(this.#position + most, this.#end))
  }

  /** The bus master has moved so many bytes of the window. */
  dmaMoved(bytes: number): void {
    this.#position += bytes
    if (this.#position === this.#end) this.blockMoved()
  }

  /** Executes a command. The channel has made sure that the drive is not occupied, or that it is DEVICE RESET. */
  abstract command(code: number): void

  /** Sets the registers to the drive's signature, and the error register to what the self-test found: nothing (9.12). */
  diagnose(): void {
    this.#reset()
    this.error = 0x01
    this.sign()
  }

  /** EXECUTE DEVICE DIAGNOSTIC is done, as this drive tells for both. */
  tellDiagnosed(): void {
    this.#setInterrupt(true)
  }

  /** A software reset begins: the drive is busy until {@link diagnose}. */
  beginReset(): void {
    this.#reset()
    this.settled = statusBit.busy
  }

  /** Power-on, or a reset of the bus. */
  reset(): void {
    this.taskfile.reset()
    this.transferMode = defaultTransferMode
    this.diagnose()
  }

  /** Puts the signature into the taskfile, and sets the status after a reset. */
  protected abstract sign(): void

  /** A block has been moved: the buffer's bytes are read by the host, or written. */
  protected abstract blockMoved(): void

  /** A command begins. */
  protected begin(): void {
    this.error = 0
    this.settled = statusBit.ready | statusBit.seekDone
  }

  /** Opens a data phase for bytes `from` to `end` of the buffer. With `interrupt` the host is told. */
  protected open(phase: Phase, from: number, end: number, interrupt: boolean): void {
    this.#position = from
    this.#end = end
    this.#setPhase(phase)
    if (interrupt) this.#setInterrupt(true)
  }

  /** The command is done. */
  protected complete(interrupt = true): void {
    this.#end = this.#position = 0
    this.settled = statusBit.ready | statusBit.seekDone
    this.#setPhase('none')
    if (interrupt) this.#setInterrupt(true)
  }

  /** The command has failed; `error` is for the error register. */
  protected fail(error: number): void {
    this.error = error
    this.complete(false)
    this.settled |= statusBit.error
    this.#setInterrupt(true)
  }

  /** SET FEATURES 0x03: the mode in the count register. */
  protected setTransferMode(): boolean {
    const mode = this.taskfile.read(register.count, false)
    if (!isTransferMode(mode)) return false
    this.transferMode = mode <= 1 ? defaultTransferMode : mode
    return true
  }

  /** What is saved of every drive. */
  protected saveDrive(): Omit<DriveState, 'version'> {
    return {
      taskfile: this.taskfile.save(),
      status: this.settled,
      error: this.error,
      interrupt: this.#interrupt,
      transferMode: this.transferMode,
      phase: this.#phase,
      position: this.#position,
      end: this.#end,
      buffer: this.buffer.slice(0, this.#phase === 'none' ? 0 : this.bufferUsed),
    }
  }

  /** The channel drives the interrupt and the bus master again after this. */
  protected restoreDrive(state: DriveState): void {
    this.taskfile.restore(state.taskfile)
    this.settled = state.status
    this.error = state.error
    this.#interrupt = state.interrupt
    this.transferMode = state.transferMode
    this.#phase = state.phase
    this.#position = state.position
    this.#end = state.end
    this.buffer.set(state.buffer)
  }

  #reset(): void {
    this.error = 0
    this.complete(false)
    this.#setInterrupt(false)
  }

  /** Fewer bytes than were asked for: the rest is zeros, and all ones where no data are to be read. */
  #readRest(width: number): number {
    if (this.#phase !== 'pio-in') return 0xffff_ffff
    const count = Math.min(width, this.remaining)
    let value = 0
    for (let i = 0; i < count; i++) value |= this.buffer[this.#position + i]! << (8 * i)
    this.#position = this.#end
    this.blockMoved()
    return value
  }

  #setPhase(phase: Phase): void {
    const before = this.dma
    this.#phase = phase
    if (this.dma !== before) this.host.dmaChanged()
  }

  #setInterrupt(interrupt: boolean): void {
    if (interrupt === this.#interrupt) return
    this.#interrupt = interrupt
    this.host.interruptChanged()
  }
}

/** Multiword DMA mode 2. */
const defaultTransferMode = 0x22
