/**
 * ARP (RFC 826, RFC 1122 section 2.3.2): which MAC address an IPv4 address of the link has. Entries are asked for three
 * times, trusted for 30 s, and asked again when they are used later. Packets wait for the answer, so many and no more.
 */
import type { Clock, Timer } from '@vmexit/core'
import { get16, get32, set16, set32 } from '../bytes.ts'
import type { NetDevice } from '../link/device.ts'
import {
  broadcastMac,
  EtherType,
  etherHeader,
  getMac,
  isGroupMac,
  type Mac,
  setEtherHeader,
  setMac,
} from '../link/ethernet.ts'
import type { Ipv4 } from './address.ts'

/** States, as rtnetlink numbers them (`NUD_…`). */
export const NeighbourState = {
  incomplete: 1,
  reachable: 2,
  stale: 4,
  delay: 8,
  probe: 16,
  failed: 32,
  permanent: 128,
} as const

/** An entry of the cache. */
export interface Neighbour {
  readonly device: NetDevice
  readonly address: Ipv4
  readonly mac: Mac
  readonly state: number
}

/** Entries at most, packets that wait for one, and for all. */
const entryLimit = 1024
const waitingLimit = 64
const allWaitingLimit = 1024

const attempts = 3
const second = 1e9
const reachableTime = 30 * second
const delayTime = 5 * second

const opcode = { request: 1, reply: 2 }
const arpBytes = 28

class Entry {
  readonly device: NetDevice
  readonly address: Ipv4
  mac: Mac = 0
  state: number = NeighbourState.incomplete
  asked = 0
  timer: Timer | undefined
  waiting: Uint8Array[] = []

  constructor(device: NetDevice, address: Ipv4) {
    this.device = device
    this.address = address
  }
}

/** What the cache asks of its stack. */
export interface NeighbourHost {
  /** Whether a request for this address is answered at this device. */
  answers(device: NetDevice, address: Ipv4): boolean
  /** The address to ask from. */
  sourceOn(device: NetDevice, address: Ipv4): Ipv4 | undefined
  /** A frame that waited cannot be sent. */
  unreachable(frame: Uint8Array): void
}

/** The cache of one stack. */
export class Neighbours {
  readonly #clock: Clock
  readonly #host: NeighbourHost
  /** By device index and address; the one longest unused first. */
  readonly #entries = new Map<number, Entry>()
  #allWaiting = 0

  constructor(clock: Clock, host: NeighbourHost) {
    this.#clock = clock
    this.#host = host
  }

  get all(): Neighbour[] {
    return [...this.#entries.values()]
  }

  /** Sends a frame to a neighbour, or has it wait. */
  send(device: NetDevice, address: Ipv4, frame: Uint8Array): void {
    const entry = this.#entries.get(keyOf(device, address)) ?? this.#create(device, address)
    if (entry === undefined) return
    switch (entry.state) {
      case NeighbourState.incomplete:
        this.#wait(entry, frame)
        return
      case NeighbourState.failed:
        entry.state = NeighbourState.incomplete
        entry.asked = 0
        this.#wait(entry, frame)
        this.#ask(entry)
        return
      case NeighbourState.stale:
        entry.state = NeighbourState.delay
        entry.asked = 0
        this.#in(entry, delayTime, () => this.#ask(entry))
    }
    setEtherHeader(frame, entry.mac, device.mac, EtherType.ipv4)
    device.transmit(frame)
  }

  /** An ARP packet comes in. */
  receive(device: NetDevice, frame: Uint8Array): void {
    const at = etherHeader
    if (frame.length < at + arpBytes || device.noArp) return
    if (get16(frame, at) !== 1 || get16(frame, at + 2) !== EtherType.ipv4 || get16(frame, at + 4) !== 0x0604) return
    const operation = get16(frame, at + 6)
    const mac = getMac(frame, at + 8)
    const sender = get32(frame, at + 14)
    const target = get32(frame, at + 24)
    if (isGroupMac(mac) || mac === 0) return
    const asked = operation === opcode.request && this.#host.answers(device, target)
    // Who asks us will hear from us: its entry is made at once. All others only correct an entry that is there.
    let entry =
      sender === 0 || this.#host.answers(device, sender) ? undefined : this.#entries.get(keyOf(device, sender))
    if (entry === undefined && asked && sender !== 0 && !this.#host.answers(device, sender)) {
      entry = this.#insert(device, sender)
      if (entry !== undefined) entry.state = NeighbourState.stale
    }
    if (entry !== undefined && entry.state !== NeighbourState.permanent) {
      this.#learn(entry, mac, operation === opcode.reply && target !== sender)
    }
    if (asked) this.#transmit(device, mac, opcode.reply, target, mac, sender)
  }

  /** Tells all stations of an address of this device (gratuitous ARP, RFC 5227 section 3). */
  announce(device: NetDevice, address: Ipv4): void {
    if (!device.noArp) this.#transmit(device, broadcastMac, opcode.request, address, 0, address)
  }

  /** Sets an entry for good, or forgets it. */
  set(device: NetDevice, address: Ipv4, mac: Mac | undefined): boolean {
    const known = this.#entries.get(keyOf(device, address))
    if (mac === undefined) {
      if (known !== undefined) this.#remove(known)
      return known !== undefined
    }
    const entry = known ?? this.#insert(device, address)
    if (entry === undefined) return false
    this.#learn(entry, mac, true)
    entry.timer?.[Symbol.dispose]()
    entry.state = NeighbourState.permanent
    return true
  }

  /** Forgets all that was learnt at a device. */
  flush(device: NetDevice): void {
    for (const entry of [...this.#entries.values()]) if (entry.device === device) this.#remove(entry)
  }

  #create(device: NetDevice, address: Ipv4): Entry | undefined {
    const entry = this.#insert(device, address)
    if (entry !== undefined) this.#ask(entry)
    return entry
  }

  #insert(device: NetDevice, address: Ipv4): Entry | undefined {
    if (this.#entries.size >= entryLimit) {
      for (const old of this.#entries.values()) {
        if (old.state === NeighbourState.permanent) continue
        this.#remove(old)
        break
      }
      if (this.#entries.size >= entryLimit) return undefined
    }
    const entry = new Entry(device, address)
    this.#entries.set(keyOf(device, address), entry)
    return entry
  }

  #wait(entry: Entry, frame: Uint8Array): void {
    if (entry.waiting.length >= waitingLimit || this.#allWaiting >= allWaitingLimit) {
      entry.device.counters.txDropped++
      return
    }
    entry.waiting.push(frame)
    this.#allWaiting++
  }

  #ask(entry: Entry): void {
    if (entry.asked === attempts) {
      const { waiting } = entry
      this.#allWaiting -= waiting.length
      entry.waiting = []
      entry.state = NeighbourState.failed
      for (const frame of waiting) this.#host.unreachable(frame)
      return
    }
    entry.asked++
    if (entry.state === NeighbourState.delay) entry.state = NeighbourState.probe
    const to = entry.state === NeighbourState.probe ? entry.mac : broadcastMac
    const source = this.#host.sourceOn(entry.device, entry.address) ?? 0
    this.#transmit(entry.device, to, opcode.request, source, 0, entry.address)
    this.#in(entry, second, () => this.#ask(entry))
  }

  #learn(entry: Entry, mac: Mac, confirmed: boolean): void {
    if (!confirmed && entry.mac === mac && entry.state !== NeighbourState.incomplete) return
    entry.mac = mac
    entry.asked = 0
    const { waiting } = entry
    this.#allWaiting -= waiting.length
    entry.waiting = []
    entry.state = NeighbourState.reachable
    this.#in(entry, reachableTime, () => {
      entry.state = NeighbourState.stale
    })
    for (const frame of waiting) {
      setEtherHeader(frame, mac, entry.device.mac, EtherType.ipv4)
      entry.device.transmit(frame)
    }
  }

  #in(entry: Entry, nanoseconds: number, then: () => void): void {
    entry.timer?.[Symbol.dispose]()
    entry.timer = this.#clock.after(this.#clock.ticks(nanoseconds), then)
  }

  #remove(entry: Entry): void {
    entry.timer?.[Symbol.dispose]()
    this.#allWaiting -= entry.waiting.length
    this.#entries.delete(keyOf(entry.device, entry.address))
  }

  #transmit(device: NetDevice, to: Mac, operation: number, source: Ipv4, targetMac: Mac, target: Ipv4): void {
    const frame = new Uint8Array(etherHeader + arpBytes)
    setEtherHeader(frame, to, device.mac, EtherType.arp)
    set16(frame, 14, 1)
    set16(frame, 16, EtherType.ipv4)
    set16(frame, 18, 0x0604)
    set16(frame, 20, operation)
    setMac(frame, 22, device.mac)
    set32(frame, 28, source)
    setMac(frame, 32, targetMac)
    set32(frame, 38, target)
    device.transmit(frame)
  }
}

function keyOf(device: NetDevice, address: Ipv4): number {
  return device.index * 0x1_0000_0000 + address
}
