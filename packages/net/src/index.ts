/**
 * A network in TypeScript: links, switches, a TCP/IP stack with sockets that never wait, translation, rtnetlink,
 * captures. Time and chance come from outside.
 *
 * @packageDocumentation
 */
export type { Account } from './account.ts'
export { Errno } from './errno.ts'
export { AllowList, type AllowRule } from './gateway/allow-list.ts'
export { DnsCode, type DnsQuery, DnsType, readQuery, writeAnswer } from './gateway/dns.ts'
export { interfaceList, interfaceName, interfaceRequest, type RouteRequest, routeRequest, Sioc } from './ioctl.ts'
export * from './ip/address.ts'
export type { Direction, TrackedConnection, Tuple } from './ip/connection-table.ts'
export { Icmp, IcmpType } from './ip/icmp.ts'
export { Interfaces, type NewAddress } from './ip/interfaces.ts'
export {
  IcmpError,
  Ip,
  type IpCounters,
  type Outgoing,
  type ProtocolHandler,
  type ReportedError,
  type Tracked,
  type Translation,
} from './ip/ip.ts'
export { type Masquerade, Nat, type PublishedPort, type TrackedPacket } from './ip/nat.ts'
export { type Neighbour, type NeighbourHost, NeighbourState, Neighbours } from './ip/neighbours.ts'
export { type Packet, Protocol } from './ip/packet.ts'
export { Reassembly } from './ip/reassembly.ts'
export { type Route, RouteOrigin, RouteTable, RouteType } from './ip/routes.ts'
export { Bridge, type BridgeOptions, BridgePort } from './link/bridge.ts'
export * from './link/device.ts'
export * from './link/ethernet.ts'
export { type ImpairmentCounts, type ImpairmentOptions, impair } from './link/impair.ts'
export * from './link/pcap.ts'
export { type CableOptions, cable, type Port } from './link/port.ts'
export { type Station, sourceGuard } from './link/source-guard.ts'
export {
  NetlinkFlag,
  type NetlinkMessage,
  NetlinkType,
  NetlinkWriter,
  numberIn,
  readAttributes,
  readMessages,
  textIn,
} from './netlink/codec.ts'
export type { FindNamespace } from './netlink/links.ts'
export * from './netlink/numbers.ts'
export { type RtnetlinkOptions, RtnetlinkSocket, rtnetlink } from './netlink/rtnetlink.ts'
export { type Binding, Ports } from './ports.ts'
export {
  procNetArp,
  procNetDev,
  procNetRaw,
  procNetRoute,
  procNetTcp,
  procNetUdp,
  type SocketOwner,
} from './proc.ts'
export { Random } from './random.ts'
export * from './socket/constants.ts'
export { DatagramQueue } from './socket/datagram-queue.ts'
export { MessageSocket } from './socket/message-socket.ts'
export { everyType, type PacketAddress, PacketSocket, PacketType } from './socket/packet-socket.ts'
export { PingSocket, RawSocket } from './socket/raw-socket.ts'
export { type Received, received, Socket, type SocketAddress } from './socket/socket.ts'
export { StreamSocket, type TcpInfo } from './socket/stream-socket.ts'
export { UdpSocket } from './socket/udp-socket.ts'
export { NetStack, type NetStackOptions, type NewDevice } from './stack.ts'
export { Connection, type ConnectionHost } from './tcp/connection.ts'
export { NewReno } from './tcp/new-reno.ts'
export type { Ends, OutletHost } from './tcp/outlet.ts'
export { Receiver } from './tcp/receiver.ts'
export { ByteRing } from './tcp/ring.ts'
export { RttEstimator } from './tcp/rtt.ts'
export type { Segment } from './tcp/segment.ts'
export { Sender, type SenderCounters, type SenderHost, type SenderStart } from './tcp/sender.ts'
export { type TcpOptions, type TcpState, tcpDefaults, tcpStateNumber } from './tcp/state.ts'
export { Listener, Tcp, type TcpCounters } from './tcp/tcp.ts'
export { Udp, type UdpCounters, type UdpEndpoint } from './udp/udp.ts'
