/** Numbers of the socket calls as Linux has them on x86: socket(7), ip(7), tcp(7), udp(7), poll(2). */

export const AddressFamily = { unspecified: 0, unix: 1, inet: 2, inet6: 10, netlink: 16, packet: 17 } as const

/** Types of sockets. */
export const SocketType = { stream: 1, datagram: 2, raw: 3 } as const

/** Bits of poll(2). */
export const Poll = { in: 0x1, pri: 0x2, out: 0x4, err: 0x8, hup: 0x10, rdhup: 0x2000 } as const

/** Flags of send(2) and recv(2). Whether to block is the caller's. */
export const Message = {
  outOfBand: 0x1,
  peek: 0x2,
  truncated: 0x20,
  waitAll: 0x100,
  more: 0x8000,
} as const

/** What shutdown(2) ends. */
export const Shutdown = { read: 0, write: 1, both: 2 } as const

/** Levels of options. */
export const Level = { socket: 1, ip: 0, tcp: 6, udp: 17 } as const

/** Options of the level of sockets. */
export const SocketOption = {
  reuseAddress: 2,
  type: 3,
  error: 4,
  dontRoute: 5,
  broadcast: 6,
  sendBuffer: 7,
  receiveBuffer: 8,
  keepalive: 9,
  oobInline: 10,
  priority: 12,
  linger: 13,
  reusePort: 15,
  receiveLowWater: 18,
  sendLowWater: 19,
  acceptsConnections: 30,
  protocol: 38,
  domain: 39,
} as const

/** Options of IPv4. */
export const IpOption = {
  tos: 1,
  ttl: 2,
  headerIncluded: 3,
  packetInfo: 8,
  mtuDiscovery: 10,
  receiveErrors: 11,
  receiveTtl: 12,
  mtu: 14,
  multicastInterface: 32,
  multicastTtl: 33,
  multicastLoop: 34,
  addMembership: 35,
  dropMembership: 36,
} as const

/** Options of TCP. */
export const TcpOption = {
  noDelay: 1,
  maxSegment: 2,
  cork: 3,
  keepaliveIdle: 4,
  keepaliveInterval: 5,
  keepaliveCount: 6,
  synCount: 7,
  linger2: 8,
  deferAccept: 9,
  quickAck: 12,
  userTimeout: 18,
} as const
