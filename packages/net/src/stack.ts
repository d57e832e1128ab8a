/**
 * The network of one host, or of one network namespace: its own devices, addresses, routes, ports and sockets. Stacks
 * meet through veth pairs, bridges and cables.
 */
import type { Clock } from '@vmexit/core'
import type { Account } from './account.ts'
import { Errno } from './errno.ts'
import { type Ipv4, parseCidr, parseIpv4 } from './ip/address.ts'
import { Icmp } from './ip/icmp.ts'
import { Ip } from './ip/ip.ts'
import { Nat } from './ip/nat.ts'
import { Protocol } from './ip/packet.ts'
import { RouteOrigin, RouteType } from './ip/routes.ts'
import type { BridgeOptions } from './link/bridge.ts'
import {
  bridgeDevice,
  type DeviceSpecification,
  dummyDevice,
  ethernetDevice,
  loopbackDevice,
  type NetDevice,
  vethPair,
} from './link/device.ts'
import type { Mac } from './link/ethernet.ts'
import { type CableOptions, cable, type Port } from './link/port.ts'
import { Ports } from './ports.ts'
import { Random } from './random.ts'
import { AddressFamily, SocketType } from './socket/constants.ts'
import { PacketSocket } from './socket/packet-socket.ts'
import { PingSocket, RawSocket } from './socket/raw-socket.ts'
import type { Socket } from './socket/socket.ts'
import { StreamSocket } from './socket/stream-socket.ts'
import { UdpSocket } from './socket/udp-socket.ts'
import { Tcp } from './tcp/tcp.ts'
import { Udp } from './udp/udp.ts'

/** What a stack is made with. */
export interface NetStackOptions {
  /** Virtual time; the stacks that meet share it. */
  readonly clock: Clock
  /** Sequence numbers, ports, identifications and MAC addresses follow from it. Give each stack its own. */
  readonly seed: number
  /** Whether the loopback device is up from the start. Default: it is. */
  readonly loopback?: boolean
}

/** A device for {@link NetStack.addEthernet} and the like: the MAC address follows from the seed unless stated. */
export interface NewDevice {
  readonly name: string
  readonly mac?: Mac
  readonly mtu?: number
}

/** A TCP/IP stack. Its loopback device is there and, unless stated, up; it has 127.0.0.1/8 as soon as it is. */
export class NetStack {
  readonly clock: Clock
  readonly ip: Ip
  readonly icmp: Icmp
  readonly tcp: Tcp
  readonly udp: Udp
  readonly loopback: NetDevice
  readonly #random: Random
  readonly #pingIds: Ports
  #nat: Nat | undefined

  constructor({ clock, seed, loopback = true }: NetStackOptions) {
    this.clock = clock
    this.#random = new Random(seed)
    this.ip = new Ip(clock, this.#random)
    this.icmp = new Icmp(this.ip)
    this.tcp = new Tcp(this.ip, this.#random)
    this.udp = new Udp(this.ip, this.#random)
    this.#pingIds = new Ports(this.#random.next())
    this.loopback = loopbackDevice(clock)
    this.addDevice(this.loopback)
    if (loopback) this.setUp(this.loopback, true)
  }

  /** All devices, by index. */
  get devices(): NetDevice[] {
    return this.ip.interfaces.all
  }

  /** The device of this name. */
  device(name: string): NetDevice | undefined {
    return this.ip.interfaces.byName(name)
  }

  /** Takes a device in: 0, −EEXIST, −EINVAL or −ENOBUFS. */
  addDevice(device: NetDevice): number {
    const added = this.ip.interfaces.add(device)
    if (added === 0) device.withdraw = () => this.removeDevice(device)
    return added
  }

  /** Takes a device out; it keeps its name and can be added to another stack. The other end of a veth pair stays. */
  removeDevice(device: NetDevice): void {
    this.ip.interfaces.remove(device)
    this.ip.neighbours.flush(device)
    device.withdraw = undefined
  }

  /** Takes a device out for good, and the other end of a veth pair out of the stack it is in. */
  deleteDevice(device: NetDevice): void {
    this.removeDevice(device)
    device.peer?.withdraw?.()
  }

  /** A card at a port. The device is undefined where there is one of this name. */
  addEthernet(device: NewDevice, port: Port): NetDevice | undefined {
    return this.#added(ethernetDevice(this.specify(device), port))
  }

  /** A bridge device. */
  addBridge(device: NewDevice, options?: BridgeOptions): NetDevice | undefined {
    return this.#added(bridgeDevice(this.clock, this.specify(device), options))
  }

  /** A device that swallows what is sent. */
  addDummy(device: NewDevice): NetDevice | undefined {
    return this.#added(dummyDevice(this.specify(device)))
  }

  /** A veth pair with one end here and one in `other`, which may be this stack. Undefined where a name is taken. */
  addVeth(
    here: NewDevice,
    other: NetStack,
    there: NewDevice,
    options?: CableOptions,
  ): [NetDevice, NetDevice] | undefined {
    const pair = vethPair(cable(this.clock, options), this.specify(here), other.specify(there))
    if (this.addDevice(pair[0]) !== 0) return undefined
    if (other.addDevice(pair[1]) === 0) return pair
    this.removeDevice(pair[0])
    return undefined
  }

  /** Gives a device an address such as `10.0.0.1/24` and turns it on: 0 or a negated error number. */
  configure(device: NetDevice, cidr: string): number {
    const parsed = parseCidr(cidr)
    if (parsed === undefined) return -Errno.EINVAL
    const added = this.ip.interfaces.addAddress(device, parsed)
    if (added !== 0) return added
    this.setUp(device, true)
    return 0
  }

  /** Turns a device on or off. What comes up tells the link of its addresses. */
  setUp(device: NetDevice, up: boolean): void {
    if (up && device === this.loopback) this.ip.interfaces.addAddress(device, { address: 0x7f00_0001, prefix: 8 })
    this.ip.interfaces.setUp(device, up)
    if (!up) this.ip.neighbours.flush(device)
    else if (device !== this.loopback) {
      for (const { address } of device.addresses) this.ip.neighbours.announce(device, address)
    }
  }

  /** Adds a route such as `0.0.0.0/0` by a gateway: 0, −EINVAL, −ENETUNREACH (the gateway is on no link), −EEXIST. */
  addRoute(destination: string, gateway: string): number {
    const network = parseCidr(destination)
    const by = parseIpv4(gateway)
    if (network === undefined || by === undefined) return -Errno.EINVAL
    const link = this.ip.routes.lookup(by)
    if (link?.device === undefined || link.gateway !== undefined) return -Errno.ENETUNREACH
    return this.ip.routes.add({
      ...{ destination: network.address, prefix: network.prefix, gateway: by, device: link.device },
      ...{ metric: 0, source: undefined, type: RouteType.unicast, origin: RouteOrigin.boot },
    })
  }

  /** Address translation, made when it is first asked for: masquerading and published ports. */
  get nat(): Nat {
    if (this.#nat === undefined) {
      this.#nat = new Nat(this.clock, this.ip.interfaces, this.#random)
      this.ip.translation = this.#nat
    }
    return this.#nat
  }

  /**
   * A socket as of socket(2), without flags: or −EAFNOSUPPORT (anything but AF_INET), −EPROTONOSUPPORT, −ESOCKTNOSUPPORT.
   * Whether a program may have a raw socket is the kernel's to say. `account` pays for its buffers.
   */
  socket(family: number, type: number, protocol = 0, account?: Account): Socket | number {
    if (family !== AddressFamily.inet) return -Errno.EAFNOSUPPORT
    switch (type) {
      case SocketType.stream:
        return protocol === 0 || protocol === Protocol.tcp ? this.streamSocket(account) : -Errno.EPROTONOSUPPORT
      case SocketType.datagram:
        if (protocol === Protocol.icmp) return new PingSocket(this.ip, this.icmp, this.#pingIds, account)
        return protocol === 0 || protocol === Protocol.udp ? this.udpSocket(account) : -Errno.EPROTONOSUPPORT
      case SocketType.raw:
        return protocol > 0 && protocol < 256 ? new RawSocket(this.ip, protocol, account) : -Errno.EPROTONOSUPPORT
      default:
        return -Errno.ESOCKTNOSUPPORT
    }
  }

  /** A TCP socket. */
  streamSocket(account?: Account): StreamSocket {
    return new StreamSocket(this.ip, this.tcp, { account })
  }

  /** A UDP socket. */
  udpSocket(account?: Account): UdpSocket {
    return new UdpSocket(this.ip, this.udp, account)
  }

  /** A packet socket as of socket(AF_PACKET, …), or −ESOCKTNOSUPPORT. `protocol` is an ether type. */
  packetSocket(type: number, protocol: number, account?: Account): PacketSocket | number {
    const known = type === SocketType.raw || type === SocketType.datagram
    return known ? new PacketSocket(this.ip.interfaces, type, protocol, account) : -Errno.ESOCKTNOSUPPORT
  }

  /** Whether packets for others are passed on. */
  get forwarding(): boolean {
    return this.ip.forwarding
  }

  set forwarding(on: boolean) {
    this.ip.forwarding = on
  }

  /** Whether an address is this stack's own. */
  isLocal(address: Ipv4): boolean {
    return this.ip.interfaces.isLocal(address)
  }

  /** What a device is made with, MAC address included: locally administered, of one station. */
  specify({ name, mac, mtu }: NewDevice): DeviceSpecification {
    const own = mac ?? 0x0200_0000_0000 + this.#random.below(256) * 0x1_0000_0000 + this.#random.next()
    return { name, mac: own, ...(mtu !== undefined && { mtu }) }
  }

  #added(device: NetDevice): NetDevice | undefined {
    return this.addDevice(device) === 0 ? device : undefined
  }
}
