/**
 * The ioctls of netdevice(7) that `ifconfig`, `route` and busybox use, over plain values: how they lie in memory is the
 * kernel's to know. Addresses are numbers as `Ipv4`, MAC addresses as `Mac`.
 */
import { Errno } from './errno.ts'
import { type Ipv4, maskOf } from './ip/address.ts'
import { RouteOrigin, RouteType } from './ip/routes.ts'
import type { NetDevice } from './link/device.ts'
import { DeviceFlag } from './link/device.ts'
import { setLinkFlags } from './netlink/links.ts'
import type { NetStack } from './stack.ts'

/** Their numbers (`linux/sockios.h`). */
export const Sioc = {
  getName: 0x8910,
  getFlags: 0x8913,
  setFlags: 0x8914,
  getAddress: 0x8915,
  setAddress: 0x8916,
  getPeer: 0x8917,
  getBroadcast: 0x8919,
  setBroadcast: 0x891a,
  getNetmask: 0x891b,
  setNetmask: 0x891c,
  getMetric: 0x891d,
  getMtu: 0x8921,
  setMtu: 0x8922,
  setMac: 0x8924,
  getMac: 0x8927,
  getIndex: 0x8933,
  getTxQueueLength: 0x8942,
  setTxQueueLength: 0x8943,
  addBridge: 0x89a0,
  deleteBridge: 0x89a1,
  addToBridge: 0x89a2,
  deleteFromBridge: 0x89a3,
} as const

/**
 * One request about a device: the value that was asked for, or 0, or a negated error number. `value` is what is to be
 * set; of `addToBridge` and `deleteFromBridge`, the index of the port. Whether a program may is the kernel's to say.
 */
export function interfaceRequest(stack: NetStack, request: number, name: string, value = 0): number {
  if (request === Sioc.addBridge) return stack.device(name) ? -Errno.EEXIST : made(stack.addBridge({ name }))
  const device = stack.device(name.split(':')[0])
  if (device === undefined) return request === Sioc.deleteBridge ? -Errno.ENXIO : -Errno.ENODEV
  const entry = device.addresses.find(({ label }) => label === name) ?? device.addresses[0]
  const asked = read(device, request, entry)
  return asked === undefined ? write(stack, device, request, entry?.address, value) : asked
}

/** The devices that have an address, with each of them (SIOCGIFCONF). */
export function interfaceList(stack: NetStack): { readonly name: string; readonly address: Ipv4 }[] {
  return stack.devices.flatMap(({ addresses }) => addresses.map(({ label, address }) => ({ name: label, address })))
}

/** The name of a device (SIOCGIFNAME), or −ENODEV. */
export function interfaceName(stack: NetStack, index: number): string | number {
  return stack.ip.interfaces.byIndex(index)?.name ?? -Errno.ENODEV
}

/** A route, as `struct rtentry` says it. */
export interface RouteRequest {
  readonly destination: Ipv4
  readonly netmask: Ipv4
  readonly gateway: Ipv4 | undefined
  readonly metric: number
  readonly device: string | undefined
}

/** SIOCADDRT and SIOCDELRT: 0 or a negated error number. */
export function routeRequest(stack: NetStack, add: boolean, request: RouteRequest): number {
  const length = Math.clz32(~request.netmask)
  if (maskOf(length) !== request.netmask >>> 0) return -Errno.EINVAL
  const named = request.device === undefined ? undefined : stack.device(request.device)
  if (request.device !== undefined && named === undefined) return -Errno.ENODEV
  const { destination, gateway } = request
  if (!add) {
    const match = { destination, prefix: length, ...(gateway !== undefined && { gateway }) }
    return stack.ip.routes.remove({ ...match, ...(named && { device: named }) }) === 0 ? 0 : -Errno.ESRCH
  }
  const link = gateway === undefined ? undefined : stack.ip.routes.lookup(gateway, named)
  if (gateway !== undefined && (link?.device === undefined || link.gateway !== undefined)) return -Errno.ENETUNREACH
  const device = named ?? link?.device
  if (device === undefined) return -Errno.ENODEV
  return stack.ip.routes.add({
    ...{ destination, prefix: length, gateway, device, metric: request.metric, source: undefined },
    ...{ type: RouteType.unicast, origin: RouteOrigin.boot },
  })
}

function read(device: NetDevice, request: number, entry: NetDevice['addresses'][number] | undefined) {
  switch (request) {
    case Sioc.getFlags:
      return device.flags & 0xffff
    case Sioc.getMtu:
      return device.mtu
    case Sioc.getMac:
      return device.mac
    case Sioc.getIndex:
      return device.index
    case Sioc.getMetric:
      return 0
    case Sioc.getTxQueueLength:
      return device.txQueueLength
    case Sioc.getAddress:
      return entry?.address ?? -Errno.EADDRNOTAVAIL
    case Sioc.getPeer:
      return entry?.peer ?? entry?.address ?? -Errno.EADDRNOTAVAIL
    case Sioc.getBroadcast:
      return entry?.broadcast ?? -Errno.EADDRNOTAVAIL
    case Sioc.getNetmask:
      return entry === undefined ? -Errno.EADDRNOTAVAIL : maskOf(entry.prefix)
    default:
      return undefined
  }
}

function write(stack: NetStack, device: NetDevice, request: number, address: Ipv4 | undefined, value: number): number {
  switch (request) {
    case Sioc.setFlags:
      setLinkFlags(stack, device, value, DeviceFlag.up | DeviceFlag.promiscuous | DeviceFlag.noArp)
      return 0
    case Sioc.setAddress: {
      if (address !== undefined) stack.ip.interfaces.removeAddress(device, address)
      if (value === 0) return 0
      const added = stack.ip.interfaces.addAddress(device, { address: value, prefix: classPrefix(value) })
      if (added === 0) stack.setUp(device, true) // as Linux does
      return added
    }
    case Sioc.setNetmask:
    case Sioc.setBroadcast:
      return address === undefined ? -Errno.EADDRNOTAVAIL : change(stack, device, request, address, value)
    case Sioc.setMtu:
      if (value < 68 || value > 65535) return -Errno.EINVAL
      device.mtu = value
      return 0
    case Sioc.setMac:
      device.mac = value
      return 0
    case Sioc.setTxQueueLength:
      device.txQueueLength = value
      return 0
    case Sioc.deleteBridge:
      if (device.kind !== 'bridge') return -Errno.EPERM
      if (device.up) return -Errno.EBUSY
      stack.deleteDevice(device)
      return 0
    case Sioc.addToBridge:
    case Sioc.deleteFromBridge: {
      const port = stack.ip.interfaces.byIndex(value)
      if (port === undefined || device.kind !== 'bridge' || port.kind === 'loopback') return -Errno.EINVAL
      if (request === Sioc.addToBridge && port.master !== undefined) return -Errno.EBUSY
      if (request === Sioc.deleteFromBridge && port.master !== device) return -Errno.EINVAL
      port.enslave(request === Sioc.addToBridge ? device : undefined)
      return 0
    }
    default:
      return -Errno.EINVAL
  }
}

/** Sets the mask or the broadcast address of an address: it is taken away and comes back. */
function change(stack: NetStack, device: NetDevice, request: number, address: Ipv4, value: number): number {
  const entry = device.addresses.find((one) => one.address === address)
  if (entry === undefined) return -Errno.EADDRNOTAVAIL
  const length = Math.clz32(~value)
  if (request === Sioc.setNetmask && maskOf(length) !== value >>> 0) return -Errno.EINVAL
  stack.ip.interfaces.removeAddress(device, address)
  const { peer, label } = entry
  return request === Sioc.setNetmask
    ? stack.ip.interfaces.addAddress(device, { address, prefix: length, peer, label })
    : stack.ip.interfaces.addAddress(device, { ...entry, broadcast: value })
}

/** The prefix of the old classes of addresses (RFC 791), which SIOCSIFADDR still means. */
function classPrefix(address: Ipv4): number {
  if (address >>> 31 === 0) return 8
  return address >>> 30 === 2 ? 16 : 24
}

function made(device: NetDevice | undefined): number {
  return device === undefined ? -Errno.EINVAL : 0
}
