/**
 * The 8237A DMA controller (Intel 8237A data sheet, order number 231466) as PC chipsets have it (82371AB data sheet,
 * 8.2): without memory-to-memory transfers.
 *
 * | offset | read | written |
 * |---|---|---|
 * | 0, 2, 4, 6 | current address of a channel, a byte at a time | base and current address |
 * | 1, 3, 5, 7 | current count | base and current count |
 * | 8 | status | command |
 * | 9 | – | request |
 * | 10 | – | one bit of the mask |
 * | 11 | – | mode |
 * | 12 | – | clear the byte pointer |
 * | 13 | temporary register | master clear |
 * | 14 | – | clear the mask |
 * | 15 | mask | mask |
 */
import { type BusMaster, checkState, type Device, type RegisterFile, type State } from '@vmexit/core'
import { byteRegisters } from '../registers.ts'
import { Channel, type ChannelState, type DmaProgress } from './channel.ts'

/** What an {@link I8237} is connected to. */
export interface I8237Options {
  readonly memory: BusMaster
  /** Bytes of one transfer; 1 unless stated. With 2 each register has two addresses, as on the AT. */
  readonly unit?: 1 | 2
  /** The page register of a channel, 0–3: address bits 16–23. */
  readonly page: (channel: number) => number
}

/** A saved 8237A. */
export type I8237State = State & {
  readonly version: 1
  readonly command: number
  /** The byte that is next of an address or a count is the upper one. */
  readonly upper: boolean
  readonly channels: readonly ChannelState[]
}

/** Command register: the controller does nothing. */
const disabled = 0x04

/** One 8237A. */
export class I8237 implements Device<I8237State> {
  readonly regions: { readonly registers: RegisterFile }
  readonly #channels: readonly Channel[]
  #command = 0
  #upper = false

  constructor({ memory, unit = 1, page }: I8237Options) {
    this.#channels = [0, 1, 2, 3].map((channel) => new Channel({ memory, unit, page: () => page(channel) }))
    const shift = unit - 1
    this.regions = {
      registers: byteRegisters(
        16 << shift,
        (offset) => this.#read(offset >> shift),
        (offset, value) => this.#write(offset >> shift, value),
      ),
    }
  }

  /** Whether a request of the channel would be served by this controller. */
  serves(channel: number): boolean {
    const { masked, cascades } = this.#channels[channel]!
    return this.#enabled && !masked && !cascades
  }

  /** Whether the channel passes on the requests of a controller below. */
  passes(channel: number): boolean {
    const { masked, cascades } = this.#channels[channel]!
    return this.#enabled && !masked && cascades
  }

  /** The DREQ pin of a channel. */
  setRequest(channel: number, level: boolean): void {
    this.#channels[channel]!.setRequest(level)
  }

  /** The acknowledge cycles in which the device reads: see `DmaChannel.read`. For who has seen that it `serves`. */
  read(channel: number, into: Uint8Array): DmaProgress {
    return this.#channels[channel]!.load(into)
  }

  /** The acknowledge cycles in which the device writes: see `DmaChannel.write`. For who has seen that it `serves`. */
  write(channel: number, from: Uint8Array): DmaProgress {
    return this.#channels[channel]!.store(from)
  }

  /** Sets a channel up as firmware does that passes on what is cascaded to it. */
  cascade(channel: number): void {
    this.#channels[channel]!.setMode(0xc0)
    this.#channels[channel]!.setMask(false)
  }

  reset(): void {
    this.#command = 0
    this.#upper = false
    for (const channel of this.#channels) channel.reset()
  }

  save(): I8237State {
    const channels = this.#channels.map((channel) => channel.save())
    return { version: 1, command: this.#command, upper: this.#upper, channels }
  }

  restore(state: I8237State): void {
    const { command, upper, channels } = checkState('the 8237A', state, this.save())
    this.#command = command
    this.#upper = upper
    for (const [i, channel] of this.#channels.entries()) channel.restore(channels[i]!)
  }

  get #enabled(): boolean {
    return (this.#command & disabled) === 0
  }

  #read(register: number): number {
    if (register < 8) return this.#channels[register >> 1]!.read(register & 1 ? 'count' : 'address', this.#nextByte())
    if (register === 8) return this.#readStatus()
    if (register === 15) return 0xf0 | this.#bits(({ masked }) => masked)
    return register === 13 ? 0 : 0xff
  }

  #write(register: number, value: number): void {
    const channel = this.#channels[value & 3]!
    switch (register) {
      case 8:
        this.#command = value
        break
      case 9:
        channel.setSoftwareRequest((value & 4) !== 0)
        break
      case 10:
        channel.setMask((value & 4) !== 0)
        return
      case 11:
        channel.setMode(value)
        return
      case 12:
        this.#upper = false
        return
      case 13:
        this.#command = 0
        this.#upper = false
        for (const each of this.#channels) each.clear()
        return
      case 14:
      case 15:
        for (const [i, each] of this.#channels.entries()) each.setMask(register === 15 && (value & (1 << i)) !== 0)
        return
      default:
        this.#channels[register >> 1]!.write(register & 1 ? 'count' : 'address', this.#nextByte(), value)
        return
    }
    if (this.#enabled) for (const each of this.#channels) if (each.wantsBlock) each.runBlock()
  }

  /** The byte pointer flip-flop, one for all channels: whether this is the upper byte. */
  #nextByte(): boolean {
    this.#upper = !this.#upper
    return !this.#upper
  }

  /** Reading the status forgets whose count has run out. */
  #readStatus(): number {
    const ended = this.#bits(({ status }) => status.terminalCount)
    for (const channel of this.#channels) channel.clearTerminalCount()
    return ended | (this.#bits(({ status }) => status.requested) << 4)
  }

  #bits(of: (channel: Channel) => boolean): number {
    return this.#channels.reduce((bits, channel, i) => bits | (of(channel) ? 1 << i : 0), 0)
  }
}
