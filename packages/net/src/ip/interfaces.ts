/** The devices of one stack and their addresses, with the routes that follow from them. */
import { Errno } from '../errno.ts'
import type { DeviceAddress, NetDevice } from '../link/device.ts'
import { type Ipv4, isLoopback, isMulticast, isWithin, limitedBroadcast, maskOf } from './address.ts'
import { RouteOrigin, type RouteTable, RouteType } from './routes.ts'

/** Devices and addresses of one stack at most: a program in it must not fill the host's memory. */
const deviceLimit = 4096
const addressLimit = 4096

/** Bytes of a name, without its closing zero (IFNAMSIZ − 1). */
const nameLimit = 15

/** An address to be added. */
export interface NewAddress {
  readonly address: Ipv4
  readonly prefix: number
  readonly peer?: Ipv4 | undefined
  readonly broadcast?: Ipv4 | undefined
  readonly label?: string | undefined
}

/** The table of devices. */
export class Interfaces {
  readonly #routes: RouteTable
  readonly #input: (device: NetDevice, frame: Uint8Array) => void
  readonly #devices = new Map<number, NetDevice>()
  readonly #owners = new Map<Ipv4, NetDevice>()
  /** Broadcast addresses, with how many addresses have each. */
  readonly #broadcasts = new Map<Ipv4, number>()
  #nextIndex = 1

  constructor(routes: RouteTable, input: (device: NetDevice, frame: Uint8Array) => void) {
    this.#routes = routes
    this.#input = input
  }

  /** All devices, by index. */
  get all(): NetDevice[] {
    return [...this.#devices.values()]
  }

  byIndex(index: number): NetDevice | undefined {
    return this.#devices.get(index)
  }

  byName(name: string): NetDevice | undefined {
    for (const device of this.#devices.values()) if (device.name === name) return device
    return undefined
  }

  /** Takes a device in: 0, −EEXIST if its name is there, −EINVAL if it is no name, −ENOBUFS if there are too many. */
  add(device: NetDevice): number {
    const problem = this.#checkName(device.name)
    if (problem !== 0) return problem
    if (this.#devices.size >= deviceLimit) return -Errno.ENOBUFS
    device.index = this.#nextIndex++
    device.input = this.#input
    this.#devices.set(device.index, device)
    return 0
  }

  /** Takes a device out, with its addresses and routes. It can go into another stack. */
  remove(device: NetDevice): void {
    this.setUp(device, false)
    for (const { address, prefix } of [...device.addresses]) this.removeAddress(device, address, prefix)
    device.enslave(undefined)
    for (const port of this.#devices.values()) if (port.master === device) port.enslave(undefined)
    device.input = undefined
    this.#devices.delete(device.index)
  }

  /** 0, −EEXIST or −EINVAL. */
  rename(device: NetDevice, name: string): number {
    const problem = name === device.name ? 0 : this.#checkName(name)
    if (problem === 0) device.name = name
    return problem
  }

  /** A name such as `veth%d` with the first free number in it. */
  freeName(pattern: string): string {
    if (!pattern.includes('%d')) return pattern
    for (let number = 0; ; number++) {
      const name = pattern.replace('%d', `${number}`)
      if (this.byName(name) === undefined) return name
    }
  }

  /** Turns a device on or off. Its routes go when it goes, and those to its own networks come when it comes. */
  setUp(device: NetDevice, up: boolean): void {
    if (device.up === up) return
    device.up = up
    if (!up) this.#routes.removeWhere((route) => route.device === device)
    else for (const address of device.addresses) this.#addConnected(device, address)
  }

  /** 0, −EEXIST, −EINVAL, −ENOBUFS. */
  addAddress(device: NetDevice, added: NewAddress): number {
    const { address, prefix, peer } = added
    if (address === 0 || isMulticast(address) || address === limitedBroadcast || prefix < 0 || prefix > 32) {
      return -Errno.EINVAL
    }
    if (device.addresses.some((other) => other.address === address && other.prefix === prefix)) return -Errno.EEXIST
    if (this.#owners.size >= addressLimit) return -Errno.ENOBUFS
    const broadcast = added.broadcast ?? (prefix < 31 ? (address | ~maskOf(prefix)) >>> 0 : 0)
    const entry = { address, prefix, peer, broadcast, label: added.label ?? device.name }
    device.addresses.push(entry)
    if (broadcast !== 0) this.#broadcasts.set(broadcast, (this.#broadcasts.get(broadcast) ?? 0) + 1)
    if (!this.#owners.has(address)) this.#owners.set(address, device)
    if (device.up) this.#addConnected(device, entry)
    return 0
  }

  /** 0 or −EADDRNOTAVAIL. */
  removeAddress(device: NetDevice, address: Ipv4, prefix?: number): number {
    const at = device.addresses.findIndex(
      (entry) => entry.address === address && (prefix === undefined || entry.prefix === prefix),
    )
    if (at < 0) return -Errno.EADDRNOTAVAIL
    const [gone] = device.addresses.splice(at, 1)
    const others = (this.#broadcasts.get(gone.broadcast) ?? 0) - 1
    if (others > 0) this.#broadcasts.set(gone.broadcast, others)
    else this.#broadcasts.delete(gone.broadcast)
    this.#removeConnected(device, gone)
    this.#owners.delete(address)
    const heir = this.all.find(({ addresses }) => addresses.some((entry) => entry.address === address))
    if (heir !== undefined) this.#owners.set(address, heir)
    return 0
  }

  /** Whether packets to an address are for this stack, however they came. */
  isLocal(address: Ipv4): boolean {
    return this.#owners.has(address) || isLoopback(address)
  }

  /** The device that has an address. */
  ownerOf(address: Ipv4): NetDevice | undefined {
    return this.#owners.get(address) ?? (isLoopback(address) ? this.byName('lo') : undefined)
  }

  /** Whether an address means all hosts of a link. */
  isBroadcast(address: Ipv4): boolean {
    return address === limitedBroadcast || this.#broadcasts.has(address)
  }

  /** The address that packets to a destination are sent from, through a device (RFC 1122, section 3.3.4.3). */
  sourceOn(device: NetDevice, destination: Ipv4): Ipv4 | undefined {
    const { addresses } = device
    return (addresses.find(({ address, prefix }) => isWithin(destination, address, prefix)) ?? addresses[0])?.address
  }

  #addConnected(device: NetDevice, entry: DeviceAddress): void {
    if (entry.prefix === 32 && entry.peer === undefined) return
    this.#routes.add(connectedRoute(device, entry))
  }

  #removeConnected(device: NetDevice, entry: DeviceAddress): void {
    const route = connectedRoute(device, entry)
    const keeper = device.addresses.find(
      (other) => other.prefix === entry.prefix && isWithin(other.address, route.destination, route.prefix),
    )
    const { destination, prefix, origin } = route
    this.#routes.remove({ destination, prefix, origin, device })
    if (keeper !== undefined && device.up) this.#addConnected(device, keeper)
    this.#routes.removeWhere((other) => other.source === entry.address && !this.#owners.has(entry.address))
  }

  #checkName(name: string): number {
    if (name === '' || name.length > nameLimit || /[/:\s]/.test(name) || name === '.' || name === '..') {
      return -Errno.EINVAL
    }
    return this.byName(name) === undefined ? 0 : -Errno.EEXIST
  }
}

function connectedRoute(device: NetDevice, { address, prefix, peer }: DeviceAddress) {
  return {
    destination: ((peer ?? address) & maskOf(prefix)) >>> 0,
    prefix,
    gateway: undefined,
    device,
    metric: 0,
    source: address,
    type: RouteType.unicast,
    origin: RouteOrigin.kernel,
  }
}
