/** The routing table: the longest prefix wins, then the lowest metric, then what was added first (RFC 1812, 5.2.4.3). */
import { Errno } from '../errno.ts'
import type { NetDevice } from '../link/device.ts'
import { type Ipv4, isWithin, maskOf } from './address.ts'

/** What becomes of packets (`RTN_…` of rtnetlink(7)). */
export const RouteType = { unicast: 1, local: 2, blackhole: 6, unreachable: 7, prohibit: 8 } as const

/** Who made a route (`RTPROT_…`). */
export const RouteOrigin = { kernel: 2, boot: 3, static: 4 } as const

/** A route. */
export interface Route {
  readonly destination: Ipv4
  readonly prefix: number
  /** Undefined where the destination itself is on the link. */
  readonly gateway: Ipv4 | undefined
  /** Undefined for those that lead nowhere. */
  readonly device: NetDevice | undefined
  readonly metric: number
  /** The address packets are sent from unless their socket has one. */
  readonly source: Ipv4 | undefined
  readonly type: number
  readonly origin: number
}

/** Routes it holds at most. */
const limit = 4096

/** The table of one stack. */
export class RouteTable {
  /** In the order of preference. */
  #routes: Route[] = []

  get all(): readonly Route[] {
    return this.#routes
  }

  /** The routes as Linux lists them: by destination, without those of the loopback network. */
  get listed(): Route[] {
    const shown = this.#routes.filter(({ device }) => device?.kind !== 'loopback')
    return shown.sort((one, other) => one.destination - other.destination || one.prefix - other.prefix)
  }

  /** Adds a route, or answers −EEXIST, −ENOBUFS or −EINVAL (bits behind the prefix). */
  add(route: Route): number {
    if ((route.destination & ~maskOf(route.prefix)) !== 0 || route.prefix > 32) return -Errno.EINVAL
    if (this.#routes.some((other) => isSame(other, route))) return -Errno.EEXIST
    if (this.#routes.length >= limit) return -Errno.ENOBUFS
    const at = this.#routes.findIndex((other) => comesBefore(route, other))
    this.#routes.splice(at < 0 ? this.#routes.length : at, 0, route)
    return 0
  }

  /** Removes the first route that all given fields fit; −ENOENT (as Linux: ESRCH is rtnetlink's word) if none does. */
  remove(match: Partial<Route> & Pick<Route, 'destination' | 'prefix'>): number {
    const at = this.#routes.findIndex((route) =>
      Object.entries(match).every(([key, value]) => value === undefined || route[key as keyof Route] === value),
    )
    if (at < 0) return -Errno.ENOENT
    this.#routes.splice(at, 1)
    return 0
  }

  /** Removes routes by a rule of the caller's. */
  removeWhere(rule: (route: Route) => boolean): void {
    this.#routes = this.#routes.filter((route) => !rule(route))
  }

  /** The route to a destination, through `device` if one is given. */
  lookup(destination: Ipv4, device?: NetDevice): Route | undefined {
    for (const route of this.#routes) {
      if (!isWithin(destination, route.destination, route.prefix)) continue
      if (device !== undefined && route.device !== device) continue
      if (route.device === undefined || route.device.up) return route
    }
    return undefined
  }
}

function comesBefore(one: Route, other: Route): boolean {
  return one.prefix > other.prefix || (one.prefix === other.prefix && one.metric < other.metric)
}

function isSame(one: Route, other: Route): boolean {
  if (one.destination !== other.destination || one.prefix !== other.prefix || one.metric !== other.metric) return false
  // Connected routes of two devices to one network stand beside each other; the first is used.
  return one.origin !== RouteOrigin.kernel || one.device === other.device
}
