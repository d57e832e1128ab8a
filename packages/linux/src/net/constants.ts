/** Numbers of the socket calls on x86 that `@vmexit/net` does not need (socket(2), send(2), unix(7), cmsg(3)). */

/** Families of addresses. */
export const Family = { UNSPEC: 0, UNIX: 1, INET: 2, INET6: 10, NETLINK: 16, PACKET: 17 } as const
/** One more than the highest family that Linux knows. */
export const FAMILIES = 46

/** Types of sockets; flags stand beside them. */
export const Type = { STREAM: 1, DGRAM: 2, RAW: 3, SEQPACKET: 5, MASK: 0xf, MOST: 10 } as const

/** Flags of send(2) and recv(2). */
// biome-ignore format: a table
export const Msg = {
  OOB: 1, PEEK: 2, DONTROUTE: 4, CTRUNC: 8, TRUNC: 0x20, DONTWAIT: 0x40, EOR: 0x80, WAITALL: 0x100, NOSIGNAL: 0x4000,
  MORE: 0x8000, WAITFORONE: 0x1_0000, ERRQUEUE: 0x2000, CMSG_CLOEXEC: 0x4000_0000,
} as const

/** Levels of options and of control messages. */
export const Level = { SOCKET: 1, IP: 0, TCP: 6, UDP: 17, RAW: 255, NETLINK: 270 } as const

/** Options of every socket that are the kernel's. */
// biome-ignore format: a table
export const Option = {
  TYPE: 3, ERROR: 4, SNDBUF: 7, RCVBUF: 8, LINGER: 13, PASSCRED: 16, PEERCRED: 17, RCVTIMEO: 20, SNDTIMEO: 21,
  BINDTODEVICE: 25, ACCEPTCONN: 30, SNDBUFFORCE: 32, RCVBUFFORCE: 33, PROTOCOL: 38, DOMAIN: 39, PEERGROUPS: 59,
  RCVTIMEO_NEW: 66, SNDTIMEO_NEW: 67, PRIORITY: 12, REUSEADDR: 2, REUSEPORT: 15, KEEPALIVE: 9, BROADCAST: 6, OOBINLINE: 10,
  DONTROUTE: 5, RCVLOWAT: 18, SNDLOWAT: 19,
} as const

/** Control messages of the level of sockets. */
export const Scm = { RIGHTS: 1, CREDENTIALS: 2 } as const
/** Descriptors of one message. */
export const MOST_RIGHTS = 253
