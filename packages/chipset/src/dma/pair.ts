/**
 * The two 8237As of an AT: channels 0–3 of bytes, 5–7 of words, channel 4 is where the first controller is cascaded; and
 * the page registers, which have the address bits above those (IBM PC AT technical reference, 1–9; 82371AB, 8.2.9).
 */
import { type BusMaster, checkState, type RegisterFile, type State, type Stateful, VmexitError } from '@vmexit/core'
import { byteRegisters } from '../registers.ts'
import type { DmaChannel, DmaProgress } from './channel.ts'
import { I8237, type I8237State } from './i8237.ts'

/** How a {@link DmaPair} is made. */
export interface DmaPairOptions {
  /** What all channels reach memory through. */
  readonly memory: BusMaster
  /** Whether channel 4 is in cascade mode and open after a reset, as firmware leaves it; false unless stated. */
  readonly configured?: boolean | undefined
}

/** A saved pair. */
export type DmaPairState = State & {
  readonly version: 1
  readonly low: I8237State
  readonly high: I8237State
  readonly pages: readonly number[]
}

/** Offsets of the page registers of channels 0–7; channel 4's is that of the refresh of memory. */
const pageOf = [0x7, 0x3, 0x1, 0x2, 0xf, 0xb, 0x9, 0xa]

const nothing: DmaProgress = { bytes: 0, terminalCount: false }

/** DMA controllers of a PC: the capability `dma`. */
export class DmaPair implements Stateful<DmaPairState> {
  /** Channels 0–3. */
  readonly low: I8237
  /** Channels 4–7: each register has two addresses. */
  readonly high: I8237
  /** Sixteen latches: eight page registers, and eight that mean nothing. */
  readonly pages: RegisterFile = byteRegisters(
    16,
    (offset) => this.#pages[offset]!,
    (offset, value) => {
      this.#pages[offset] = value
    },
  )
  readonly #pages = new Uint8Array(16)
  readonly #owners = new Map<number, string>()
  readonly #configured: boolean

  constructor({ memory, configured = false }: DmaPairOptions) {
    this.low = new I8237({ memory, page: (channel) => this.#pages[pageOf[channel]!]! })
    this.high = new I8237({ memory, unit: 2, page: (channel) => this.#pages[pageOf[4 + channel]!]! })
    this.#configured = configured
    this.reset()
  }

  /**
   * Gives `owner` the wires of channel `channel`: 0–3 or 5–7. Throws a {@link VmexitError} `dma-channel` for a number
   * that is none, for 4, and for one that somebody has.
   */
  channel(channel: number, owner: string): DmaChannel {
    const taken = this.#owners.get(channel)
    if (!Number.isInteger(channel) || channel < 0 || channel > 7 || channel === 4 || taken !== undefined) {
      throw new VmexitError('dma-channel', {
        problem: `${owner} wants DMA channel ${channel}${taken === undefined ? ', which is none' : `, which ${taken} has`}`,
        remedy: taken === undefined ? 'use one of 0–3 for bytes or 5–7 for words' : `give ${owner} another channel`,
      })
    }
    this.#owners.set(channel, owner)
    const chip = channel < 4 ? this.low : this.high
    const own = channel & 3
    const ready = () => chip.serves(own) && (channel > 4 || this.high.passes(0))
    return {
      request: { set: (level) => chip.setRequest(own, level) },
      get ready() {
        return ready()
      },
      read: (into) => (ready() ? chip.read(own, into) : nothing),
      write: (from) => (ready() ? chip.write(own, from) : nothing),
    }
  }

  reset(): void {
    this.low.reset()
    this.high.reset()
    this.#pages.fill(0)
    if (this.#configured) this.high.cascade(0)
  }

  save(): DmaPairState {
    return { version: 1, low: this.low.save(), high: this.high.save(), pages: [...this.#pages] }
  }

  restore(state: DmaPairState): void {
    const { low, high, pages } = checkState('the DMA controllers', state, this.save())
    this.low.restore(low)
    this.high.restore(high)
    this.#pages.set(pages.slice(0, 16))
  }
}
