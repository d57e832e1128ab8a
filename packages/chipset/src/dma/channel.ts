/** One channel of an 8237A (Intel 8237A data sheet, order number 231466, “Register description”). */
import { type BusMaster, checkState, type Line, type Stateful } from '@vmexit/core'

/** How a device's part of a transfer went. */
export interface DmaProgress {
  /** Bytes that went over the bus; fewer than asked where the count ran out, none where the channel does not serve. */
  readonly bytes: number
  /** The TC pin: the count has run out. */
  readonly terminalCount: boolean
}

/** A DMA channel as the device sees it that has its DREQ and DACK wires. */
export interface DmaChannel {
  /** DREQ. The status register shows it; the transfer is what `read` and `write` do. */
  readonly request: Line
  /** Whether a request would be served: the channel is not masked, and its controllers are set up and enabled. */
  readonly ready: boolean
  /** The device reads what memory has: fills `into` as far as the count goes. What does not come from memory is ones. */
  read(into: Uint8Array): DmaProgress
  /** The device writes `from` to memory, as far as the count goes. */
  write(from: Uint8Array): DmaProgress
}

/** A saved channel. */
export type ChannelState = {
  readonly version: 1
  readonly baseAddress: number
  readonly baseCount: number
  readonly address: number
  /** Transfers still to be made, less one. */
  readonly count: number
  /** Bits 7–2 of the mode register. */
  readonly mode: number
  readonly masked: boolean
  /** DREQ. */
  readonly requested: boolean
  /** The bit of the request register. */
  readonly softwareRequested: boolean
  /** The bit of the status register: the count has run out since it was read. */
  readonly terminalCount: boolean
}

const powerOn: ChannelState = {
  version: 1,
  baseAddress: 0,
  baseCount: 0,
  address: 0,
  count: 0,
  mode: 0,
  masked: true,
  requested: false,
  softwareRequested: false,
  terminalCount: false,
}

/** Bits of the mode register. */
const toMemory = 0x04
const fromMemory = 0x08
const transfer = 0x0c
const autoInitialize = 0x10
const decrement = 0x20
const modeSelect = 0xc0
const blockMode = 0x80
const cascadeMode = 0xc0

/** What a {@link Channel} is connected to. */
export interface ChannelOptions {
  readonly memory: BusMaster
  /** Bytes of one transfer: 2 on the second controller of an AT, whose addresses are of words. */
  readonly unit: 1 | 2
  /** The page register: address bits 16–23, of which bit 16 means nothing where transfers are of words. */
  readonly page: () => number
}

/** Address, count and mode of a channel, and the transfers. Whether it may transfer is its controller's to say. */
export class Channel implements Stateful<ChannelState> {
  readonly #options: ChannelOptions
  #s: { -readonly [K in keyof ChannelState]: ChannelState[K] } = { ...powerOn }

  constructor(options: ChannelOptions) {
    this.#options = options
  }

  /** The channel passes on the requests of another controller and does nothing itself. */
  get cascades(): boolean {
    return (this.#s.mode & modeSelect) === cascadeMode
  }

  get masked(): boolean {
    return this.#s.masked
  }

  /** The bits of the status register: the count has run out, something asks for service. */
  get status(): { readonly terminalCount: boolean; readonly requested: boolean } {
    const { terminalCount, requested, softwareRequested } = this.#s
    return { terminalCount, requested: requested || softwareRequested }
  }

  /** The request register asks for what is not masked by the mask register, in block mode only. */
  get wantsBlock(): boolean {
    return this.#s.softwareRequested && (this.#s.mode & modeSelect) === blockMode
  }

  setMask(masked: boolean): void {
    this.#s.masked = masked
  }

  setMode(mode: number): void {
    this.#s.mode = mode & 0xfc
  }

  setRequest(level: boolean): void {
    this.#s.requested = level
  }

  setSoftwareRequest(level: boolean): void {
    this.#s.softwareRequested = level
  }

  clearTerminalCount(): void {
    this.#s.terminalCount = false
  }

  /** A byte of the current address or count, the upper one or the lower one. */
  read(register: 'address' | 'count', upper: boolean): number {
    return upper ? this.#s[register] >> 8 : this.#s[register] & 0xff
  }

  /** Writes a byte of base and current address or count. */
  write(register: 'address' | 'count', upper: boolean, value: number): void {
    const s = this.#s
    const base = register === 'address' ? 'baseAddress' : 'baseCount'
    const put = (before: number) => (upper ? (before & 0xff) | (value << 8) : (before & 0xff00) | value)
    s[base] = put(s[base])
    s[register] = put(s[register])
  }

  /** Fills `into` from memory, as {@link DmaChannel.read}. */
  load(into: Uint8Array): DmaProgress {
    const moves = (this.#s.mode & transfer) === fromMemory
    return this.#move(into.length, (address, start, end) => {
      if (moves) this.#options.memory.read(address, into.subarray(start, end))
      else into.fill(0xff, start, end)
    })
  }

  /** Writes `from` to memory, as {@link DmaChannel.write}. */
  store(from: Uint8Array): DmaProgress {
    const moves = (this.#s.mode & transfer) === toMemory
    return this.#move(from.length, (address, start, end) => {
      if (moves) this.#options.memory.write(address, from.subarray(start, end))
    })
  }

  /** Transfers with no device until the count runs out, for the request register. Nobody drives the bus: it has ones. */
  runBlock(): void {
    const bytes = (this.#s.count + 1) * this.#options.unit
    if ((this.#s.mode & transfer) === toMemory) this.store(new Uint8Array(bytes).fill(0xff))
    else this.load(new Uint8Array(bytes))
  }

  /** The state after RESET or a master clear: addresses, counts and modes stay, DREQ is the device's. */
  clear(): void {
    Object.assign(this.#s, { masked: true, softwareRequested: false, terminalCount: false })
  }

  /** The state after power-on, with DREQ as it is. */
  reset(): void {
    const { requested } = this.#s
    this.#s = { ...powerOn, requested }
  }

  save(): ChannelState {
    return { ...this.#s }
  }

  restore(state: ChannelState): void {
    this.#s = { ...checkState('a channel of the 8237A', state, this.save()) }
  }

  /** Counts transfers of `wanted` bytes, and has each stretch moved that is not interrupted by the address's wrapping. */
  #move(wanted: number, move: (address: number, start: number, end: number) => void): DmaProgress {
    const { unit } = this.#options
    const units = Math.min(Math.floor(wanted / unit), this.#s.count + 1)
    for (let done = 0; done < units; ) {
      const stretch = this.#s.mode & decrement ? 1 : Math.min(units - done, 0x1_0000 - this.#s.address)
      move(this.#busAddress, done * unit, (done + stretch) * unit)
      this.#s.address = (this.#s.address + (this.#s.mode & decrement ? -stretch : stretch)) & 0xffff
      done += stretch
    }
    const terminalCount = units > this.#s.count
    this.#s.count = (this.#s.count - units) & 0xffff
    if (terminalCount) this.#end()
    return { bytes: units * unit, terminalCount }
  }

  get #busAddress(): number {
    const page = this.#options.page()
    if (this.#options.unit === 1) return page * 0x1_0000 + this.#s.address
    return (page & 0xfe) * 0x1_0000 + this.#s.address * 2
  }

  #end(): void {
    const s = this.#s
    s.terminalCount = true
    s.softwareRequested = false
    if (s.mode & autoInitialize) {
      s.address = s.baseAddress
      s.count = s.baseCount
    } else s.masked = true
  }
}
