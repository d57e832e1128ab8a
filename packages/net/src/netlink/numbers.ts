/** Numbers of rtnetlink(7) (`linux/rtnetlink.h`, `linux/if_link.h`, `linux/if_addr.h`, `linux/neighbour.h`). */

export const Rtm = {
  newLink: 16,
  delLink: 17,
  getLink: 18,
  setLink: 19,
  newAddress: 20,
  delAddress: 21,
  getAddress: 22,
  newRoute: 24,
  delRoute: 25,
  getRoute: 26,
  newNeighbour: 28,
  delNeighbour: 29,
  getNeighbour: 30,
} as const

/** Attributes of links. */
export const Ifla = {
  address: 1,
  broadcast: 2,
  name: 3,
  mtu: 4,
  link: 5,
  qdisc: 6,
  stats: 7,
  master: 10,
  txQueueLength: 13,
  operationalState: 16,
  linkMode: 17,
  linkInfo: 18,
  netnsPid: 19,
  stats64: 23,
  group: 27,
  netnsFd: 28,
  promiscuity: 30,
  txQueues: 31,
  rxQueues: 32,
  carrier: 33,
} as const

/** Nested in {@link Ifla.linkInfo}. */
export const LinkInfo = { kind: 1, data: 2, slaveKind: 4 } as const
/** Nested in the data of a veth link. */
export const VethInfo = { peer: 1 } as const

/** Attributes of addresses. */
export const Ifa = { address: 1, local: 2, label: 3, broadcast: 4, cacheInfo: 6, flags: 8 } as const

/** Attributes of routes. */
export const Rta = { destination: 1, outDevice: 4, gateway: 5, priority: 6, preferredSource: 7, table: 15 } as const

/** Attributes of neighbours. */
export const Nda = { destination: 1, linkAddress: 2 } as const

/** Scopes of addresses and routes. */
export const Scope = { universe: 0, link: 253, host: 254 } as const

/** Routing tables. */
export const Table = { unspecified: 0, main: 254, local: 255 } as const

/** Kinds of hardware (`ARPHRD_…`). */
export const Hardware = { ethernet: 1, loopback: 772 } as const
/** RFC 2863's operational states of links. */
export const Operational = { unknown: 0, down: 2, lowerLayerDown: 3, up: 6 } as const
