/** Addresses, routes and neighbours in rtnetlink: how they are shown, added and deleted. */
import { get32, set32 } from '../bytes.ts'
import { Errno } from '../errno.ts'
import { isLoopback } from '../ip/address.ts'
import type { Neighbour } from '../ip/neighbours.ts'
import { type Route, RouteOrigin, RouteType } from '../ip/routes.ts'
import type { DeviceAddress, NetDevice } from '../link/device.ts'
import { getMac, setMac } from '../link/ethernet.ts'
import { AddressFamily } from '../socket/constants.ts'
import type { NetStack } from '../stack.ts'
import { NetlinkFlag, type NetlinkWriter, numberIn, readAttributes, textIn } from './codec.ts'
import { Ifa, Nda, Rta, Scope, Table } from './numbers.ts'

/** Bytes of `struct ifaddrmsg`, `struct rtmsg` and `struct ndmsg`. */
const addressHeader = 8
const routeHeader = 12
const neighbourHeader = 12

const { inet } = AddressFamily
const permanent = 0x80

export function writeAddress(writer: NetlinkWriter, device: NetDevice, entry: DeviceAddress): void {
  const scope = isLoopback(entry.address) ? Scope.host : Scope.universe
  writer.u8(inet).u8(entry.prefix).u8(permanent).u8(scope).u32(device.index)
  writer.attribute(Ifa.address, ipv4Bytes(entry.peer ?? entry.address)).attribute(Ifa.local, ipv4Bytes(entry.address))
  if (entry.broadcast !== 0 && device.kind !== 'loopback') {
    writer.attribute(Ifa.broadcast, ipv4Bytes(entry.broadcast))
  }
  writer.attribute(Ifa.label, entry.label).attribute(Ifa.flags, permanent)
  writer.nested(Ifa.cacheInfo, (inner) => inner.u32(0xffff_ffff).u32(0xffff_ffff).u32(0).u32(0))
}

/** 0 or a negated error number. */
export function changeAddress(stack: NetStack, payload: Uint8Array, add: boolean): number {
  if (payload.length < addressHeader) return -Errno.EINVAL
  if (payload[0] !== inet) return -Errno.EAFNOSUPPORT
  const attributes = readAttributes(payload.subarray(addressHeader))
  if (attributes === undefined) return -Errno.EINVAL
  const device = stack.ip.interfaces.byIndex(numberIn(payload.subarray(4)) ?? 0)
  if (device === undefined) return -Errno.ENODEV
  const other = addressIn(attributes.get(Ifa.address))
  const address = addressIn(attributes.get(Ifa.local)) ?? other
  if (address === undefined) return -Errno.EINVAL
  const prefix = payload[1]
  if (!add) return stack.ip.interfaces.removeAddress(device, address, prefix)
  const added = stack.ip.interfaces.addAddress(device, {
    ...{ address, prefix, peer: other === address ? undefined : other },
    ...{ broadcast: addressIn(attributes.get(Ifa.broadcast)), label: textIn(attributes.get(Ifa.label)) },
  })
  if (added === 0 && device.up && device !== stack.loopback) stack.ip.neighbours.announce(device, address)
  return added
}

export function writeRoute(writer: NetlinkWriter, route: Route, host?: number): void {
  const direct = route.gateway === undefined && route.type === RouteType.unicast
  const scope = direct ? Scope.link : route.type === RouteType.local ? Scope.host : Scope.universe
  const table = route.type === RouteType.local ? Table.local : Table.main
  writer
    .u8(inet)
    .u8(host === undefined ? route.prefix : 32)
    .u8(0)
    .u8(0)
  writer.u8(table).u8(route.origin).u8(scope).u8(route.type).u32(0)
  writer.attribute(Rta.table, table)
  if (host !== undefined || route.prefix > 0) writer.attribute(Rta.destination, ipv4Bytes(host ?? route.destination))
  if (route.metric !== 0) writer.attribute(Rta.priority, route.metric)
  if (route.gateway !== undefined) writer.attribute(Rta.gateway, ipv4Bytes(route.gateway))
  if (route.source !== undefined) writer.attribute(Rta.preferredSource, ipv4Bytes(route.source))
  if (route.device !== undefined) writer.attribute(Rta.outDevice, route.device.index)
}

/** 0 or a negated error number. */
export function changeRoute(stack: NetStack, payload: Uint8Array, add: boolean, flags: number): number {
  const route = readRoute(stack, payload)
  if (typeof route === 'number') return route
  const { routes } = stack.ip
  const { destination, prefix, gateway, device, metric } = route.fields
  if (!add) {
    const match = { destination, prefix, ...route.given }
    return routes.remove(match) === 0 ? 0 : -Errno.ESRCH
  }
  if (route.fields.type === RouteType.unicast) {
    if (device === undefined) return -Errno.ENODEV
    if (!device.up) return -Errno.ENETDOWN
    const onLink = gateway === undefined ? undefined : routes.lookup(gateway, device)
    if (gateway !== undefined && (onLink === undefined || onLink.gateway !== undefined)) return -Errno.ENETUNREACH
  }
  if (flags & NetlinkFlag.replace) routes.remove({ destination, prefix, metric })
  return routes.add(route.fields)
}

/** Answers which way a destination is, as `ip route get` asks: a route, or a negated error number. */
export function lookupRoute(stack: NetStack, payload: Uint8Array): { route: Route; host: number } | number {
  const attributes = payload.length < routeHeader ? undefined : readAttributes(payload.subarray(routeHeader))
  const host = addressIn(attributes?.get(Rta.destination))
  if (host === undefined) return -Errno.EINVAL
  const source = stack.ip.sourceFor(host)
  if (stack.isLocal(host)) {
    const fields = { destination: host, prefix: 32, gateway: undefined, device: stack.loopback, metric: 0, source }
    return { host, route: { ...fields, type: RouteType.local, origin: RouteOrigin.kernel } }
  }
  const route = stack.ip.routeTo(host)
  return typeof route === 'number' ? route : { host, route: { ...route, source } }
}

export function writeNeighbour(writer: NetlinkWriter, neighbour: Neighbour): void {
  writer.u8(inet).u8(0).u16(0).u32(neighbour.device.index).u16(neighbour.state).u8(0).u8(RouteType.unicast)
  writer.attribute(Nda.destination, ipv4Bytes(neighbour.address))
  if (neighbour.mac === 0) return
  const mac = new Uint8Array(6)
  setMac(mac, 0, neighbour.mac)
  writer.attribute(Nda.linkAddress, mac)
}

/** 0 or a negated error number. */
export function changeNeighbour(stack: NetStack, payload: Uint8Array, add: boolean): number {
  const attributes = payload.length < neighbourHeader ? undefined : readAttributes(payload.subarray(neighbourHeader))
  const address = addressIn(attributes?.get(Nda.destination))
  const device = stack.ip.interfaces.byIndex(numberIn(payload.subarray(4)) ?? 0)
  const mac = attributes?.get(Nda.linkAddress)
  if (address === undefined || (add && mac?.length !== 6)) return -Errno.EINVAL
  if (device === undefined) return -Errno.ENODEV
  const done = stack.ip.neighbours.set(device, address, add && mac !== undefined ? getMac(mac, 0) : undefined)
  return done ? 0 : add ? -Errno.ENOBUFS : -Errno.ENOENT
}

/** A route as a message says it; `given` are the fields it names, to find one that is there. */
function readRoute(stack: NetStack, payload: Uint8Array): { fields: Route; given: Partial<Route> } | number {
  if (payload.length < routeHeader) return -Errno.EINVAL
  if (payload[0] !== inet) return -Errno.EAFNOSUPPORT
  const attributes = readAttributes(payload.subarray(routeHeader))
  if (attributes === undefined || payload[1] > 32) return -Errno.EINVAL
  const table = numberIn(attributes.get(Rta.table)) ?? payload[4]
  if (table !== Table.main && table !== Table.unspecified) return -Errno.EOPNOTSUPP
  const gateway = addressIn(attributes.get(Rta.gateway))
  const index = numberIn(attributes.get(Rta.outDevice))
  const device = index === undefined ? undefined : stack.ip.interfaces.byIndex(index)
  if (index !== undefined && device === undefined) return -Errno.ENODEV
  const metric = numberIn(attributes.get(Rta.priority))
  const type = payload[7] === 0 ? RouteType.unicast : payload[7]
  const through = device ?? (gateway === undefined ? undefined : stack.ip.routes.lookup(gateway)?.device)
  if (gateway !== undefined && through === undefined && type === RouteType.unicast) return -Errno.ENETUNREACH
  return {
    fields: {
      ...{ destination: addressIn(attributes.get(Rta.destination)) ?? 0, prefix: payload[1], gateway },
      ...{ device: type === RouteType.unicast ? through : undefined, metric: metric ?? 0, type },
      ...{ source: addressIn(attributes.get(Rta.preferredSource)), origin: payload[5] || RouteOrigin.boot },
    },
    given: {
      ...(gateway !== undefined && { gateway }),
      ...(device !== undefined && { device }),
      ...(metric !== undefined && { metric }),
    },
  }
}

function addressIn(attribute: Uint8Array | undefined): number | undefined {
  return attribute?.length === 4 ? get32(attribute, 0) : undefined
}

function ipv4Bytes(address: number): Uint8Array {
  const bytes = new Uint8Array(4)
  set32(bytes, 0, address)
  return bytes
}
