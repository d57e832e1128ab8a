/**
 * A network device of a stack, as Linux has them: a name, an index, a MAC address, counters, and a port behind it. An
 * emulated card, a veth pair, a tap of the host differ only in that port. See netdevice(7).
 */
import type { Clock } from '@vmexit/core'
import { Bridge, type BridgeOptions, type BridgePort } from './bridge.ts'
import { etherHeader, type Mac } from './ethernet.ts'
import { FrameLine } from './frame-line.ts'
import type { Port } from './port.ts'

/** What a device is; all but its port and its flags is alike. */
export type DeviceKind = 'loopback' | 'ethernet' | 'veth' | 'bridge' | 'dummy'

/** Flags of a device (`linux/if.h`). */
export const DeviceFlag = {
  up: 0x1,
  broadcast: 0x2,
  loopback: 0x8,
  running: 0x40,
  noArp: 0x80,
  promiscuous: 0x100,
  multicast: 0x1000,
  lowerUp: 0x1_0000,
} as const

/** What passed, as `/proc/net/dev` counts it. */
export interface DeviceCounters {
  rxBytes: number
  rxPackets: number
  rxErrors: number
  rxDropped: number
  multicast: number
  txBytes: number
  txPackets: number
  txErrors: number
  txDropped: number
}

/** An address of a device. */
export interface DeviceAddress {
  readonly address: number
  readonly prefix: number
  /** The other end of a point-to-point link. */
  readonly peer: number | undefined
  readonly broadcast: number
  /** As `ip addr` shows it; the name of the device unless stated. */
  readonly label: string
}

/** Sees each frame that passes a device. */
export type Tap = (frame: Uint8Array, direction: 'in' | 'out') => void

/** What a device is made of. */
export interface DeviceSpecification {
  readonly name: string
  readonly mac: Mac
  readonly mtu?: number
}

/** A device. It belongs to one stack at a time, which sets {@link input}. */
export class NetDevice {
  readonly kind: DeviceKind
  name: string
  mac: Mac
  /** Bytes of the largest packet, without the Ethernet header. */
  mtu: number
  /** Its number in its stack, from 1 on. */
  index = 0
  up = false
  promiscuous = false
  noArp = false
  txQueueLength = 1000
  readonly addresses: DeviceAddress[] = []
  readonly counters: DeviceCounters
  /** The other device of a veth pair. */
  peer: NetDevice | undefined
  /** The bridge device it is a port of. */
  master: NetDevice | undefined
  /** The switch inside of a bridge device. */
  readonly bridge: Bridge | undefined
  /** The stack's: takes the device out of it. */
  withdraw: (() => void) | undefined
  /** Asked about each frame that comes in; what it refuses is dropped and counted. */
  guard: ((frame: Uint8Array) => boolean) | undefined
  /** The stack's: takes what comes in. */
  input: ((device: NetDevice, frame: Uint8Array) => void) | undefined
  readonly #port: Port | undefined
  #bridgePort: BridgePort | undefined
  readonly #taps = new Set<Tap>()

  /** @internal */
  constructor(kind: DeviceKind, { name, mac, mtu = 1500 }: DeviceSpecification, port?: Port, bridge?: Bridge) {
    this.kind = kind
    this.name = name
    this.mac = mac
    this.mtu = mtu
    this.bridge = bridge
    this.#port = port
    this.counters = {
      ...{ rxBytes: 0, rxPackets: 0, rxErrors: 0, rxDropped: 0, multicast: 0 },
      ...{ txBytes: 0, txPackets: 0, txErrors: 0, txDropped: 0 },
    }
    port?.attach((frame) => this.receive(frame))
  }

  /** Flags, as SIOCGIFFLAGS and rtnetlink give them. */
  get flags(): number {
    let flags = this.kind === 'loopback' ? DeviceFlag.loopback : DeviceFlag.broadcast | DeviceFlag.multicast
    if (this.up) flags |= DeviceFlag.up
    if (this.carrier) flags |= DeviceFlag.running | DeviceFlag.lowerUp
    if (this.promiscuous) flags |= DeviceFlag.promiscuous
    if (this.noArp) flags |= DeviceFlag.noArp
    return flags
  }

  /** Whether frames can pass: it is up, and so is the other end of a veth pair. */
  get carrier(): boolean {
    return this.up && (this.kind !== 'veth' || this.peer?.up === true)
  }

  /** Sends a frame; false where it is dropped. */
  transmit(frame: Uint8Array): boolean {
    const { counters } = this
    if (!this.carrier || frame.length > this.mtu + etherHeader || frame.length < etherHeader) {
      counters.txDropped++
      return false
    }
    for (const tap of this.#taps) tap(frame, 'out')
    if (this.bridge !== undefined) this.#bridgePort?.receive(frame)
    else if (this.#port?.send(frame) === false) {
      counters.txDropped++
      return false
    }
    counters.txPackets++
    counters.txBytes += frame.length
    return true
  }

  /** A frame comes in from the port. */
  receive(frame: Uint8Array): void {
    const { counters } = this
    if (!this.up || frame.length > this.mtu + etherHeader + 4) {
      counters.rxDropped++
      return
    }
    if (frame.length < etherHeader) {
      counters.rxErrors++
      return
    }
    if (this.guard?.(frame) === false) {
      counters.rxDropped++
      return
    }
    counters.rxPackets++
    counters.rxBytes += frame.length
    if (frame[0] & 1) counters.multicast++
    for (const tap of this.#taps) tap(frame, 'in')
    if (this.master !== undefined) this.#bridgePort?.receive(frame)
    else this.input?.(this, frame)
  }

  /** Shows each frame that passes. Disposing ends it. */
  tap(tap: Tap): Disposable {
    this.#taps.add(tap)
    return { [Symbol.dispose]: () => void this.#taps.delete(tap) }
  }

  /** Makes it a port of a bridge device, or of none. */
  enslave(master: NetDevice | undefined): void {
    this.#bridgePort?.leave()
    this.#bridgePort = master?.bridge?.join((frame) => this.transmit(frame))
    this.master = master
  }

  /** @internal A bridge device is itself at one port of its switch. */
  joinOwnBridge(): void {
    this.#bridgePort = this.bridge?.join((frame) => this.receive(frame))
  }
}

/** A device at a port: the card of a stack. */
export function ethernetDevice(specification: DeviceSpecification, port: Port): NetDevice {
  return new NetDevice('ethernet', specification, port)
}

/** A device that swallows what is sent. */
export function dummyDevice(specification: DeviceSpecification): NetDevice {
  return new NetDevice('dummy', specification)
}

/** `lo`: what is sent comes back, a microsecond later. */
export function loopbackDevice(clock: Clock): NetDevice {
  const line = new FrameLine(clock, Math.max(1, clock.ticks(1000)), 10_000)
  const port: Port = { send: (frame) => line.put(frame), attach: (receive) => void (line.deliver = receive) }
  return new NetDevice('loopback', { name: 'lo', mac: 0, mtu: 65536 }, port)
}

/** A bridge as a device: a switch, with a port for the stack itself. Other devices become ports by `enslave`. */
export function bridgeDevice(clock: Clock, specification: DeviceSpecification, options?: BridgeOptions): NetDevice {
  const device = new NetDevice('bridge', specification, undefined, new Bridge(clock, options))
  device.joinOwnBridge()
  return device
}

/** Two devices, each the other's other end, for two stacks or for one. */
export function vethPair(
  ports: readonly [Port, Port],
  one: DeviceSpecification,
  other: DeviceSpecification,
): [NetDevice, NetDevice] {
  const pair: [NetDevice, NetDevice] = [new NetDevice('veth', one, ports[0]), new NetDevice('veth', other, ports[1])]
  pair[0].peer = pair[1]
  pair[1].peer = pair[0]
  return pair
}
