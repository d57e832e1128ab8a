/** Files of `/proc/net` (proc(5)), which `ifconfig`, `netstat`, `route` and `arp` read. */

import { formatIpv4, type Ipv4, maskOf } from './ip/address.ts'
import { NeighbourState } from './ip/neighbours.ts'
import { RouteType } from './ip/routes.ts'
import type { NetDevice } from './link/device.ts'
import { formatMac } from './link/ethernet.ts'
import { SocketType } from './socket/constants.ts'
import type { Socket, SocketAddress } from './socket/socket.ts'
import type { NetStack } from './stack.ts'
import { tcpStateNumber } from './tcp/state.ts'

/** `/proc/net/dev`. */
export function procNetDev(stack: NetStack): string {
  const head =
    'Inter-|   Receive                                                |  Transmit\n' +
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n'
  return head + stack.devices.map(deviceLine).join('')
}

function deviceLine({ name, counters }: NetDevice): string {
  const { rxBytes, rxPackets, rxErrors, rxDropped, multicast, txBytes, txPackets, txErrors, txDropped } = counters
  const columns = (values: readonly number[], widths: readonly number[]) =>
    values.map((value, index) => `${value}`.padStart(widths[index])).join(' ')
  const received = columns([rxBytes, rxPackets, rxErrors, rxDropped, 0, 0, 0, multicast], [7, 7, 4, 4, 4, 5, 10, 9])
  const sent = columns([txBytes, txPackets, txErrors, txDropped, 0, 0, 0, 0], [8, 7, 4, 4, 4, 5, 7, 10])
  return `${name.padStart(6)}: ${received} ${sent}\n`
}

/** `/proc/net/route`. */
export function procNetRoute(stack: NetStack): string {
  const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT'
  const lines = stack.ip.routes.listed.map(({ destination, prefix, gateway, device, metric, type }) => {
    const rejects = type !== RouteType.unicast
    const flags = 1 | (gateway === undefined ? 0 : 2) | (prefix === 32 ? 4 : 0) | (rejects ? 0x200 : 0)
    const where = `${device?.name ?? '*'}\t${hostOrder(destination)}\t${hostOrder(gateway ?? 0)}`
    const rest = `${upper(flags, 4)}\t0\t0\t${metric}\t${hostOrder(maskOf(prefix))}\t0\t0\t0`
    return `${where}\t${rest}`
  })
  return [head, ...lines].map((line) => `${line.padEnd(127)}\n`).join('')
}

/** `/proc/net/arp`. */
export function procNetArp(stack: NetStack): string {
  const head = 'IP address       HW type     Flags       HW address            Mask     Device\n'
  return (
    head +
    stack.ip.neighbours.all
      .map(({ address, state, mac, device }) => {
        const known = state & (NeighbourState.incomplete | NeighbourState.failed) ? 0 : 2
        const flags = known | (state === NeighbourState.permanent ? 4 : 0)
        const left = `${formatIpv4(address).padEnd(16)} 0x1         0x${flags.toString(16).padEnd(10)}`
        return `${left}${formatMac(mac)}     *        ${device.name}\n`
      })
      .join('')
  )
}

/** Whose a socket is, and its inode: what only a kernel knows. */
export type SocketOwner = (endpoint: object) => { readonly uid: number; readonly inode: number } | undefined

const nobody: SocketOwner = () => undefined

/** `/proc/net/tcp`. Users and inodes of sockets without an owner are 0. */
export function procNetTcp(stack: NetStack, owner: SocketOwner = nobody): string {
  const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'
  const listening = stack.tcp.listeners.map((listener) => ({
    endpoint: listener as object,
    ...{ local: listener.binding.address, localPort: listener.binding.port, remote: 0, remotePort: 0 },
    ...{ state: tcpStateNumber.listen, sending: 0, receiving: listener.ready.length },
  }))
  const open = [...stack.tcp.connections].map((connection) => ({
    endpoint: connection as object,
    ...connection.ends,
    ...{ state: tcpStateNumber[connection.state], sending: connection.sender?.ring.length ?? 0 },
    receiving: connection.readable,
  }))
  const lines = [...listening, ...open].map(
    (one, index) =>
      `${`${index}`.padStart(4)}: ${end(one.local, one.localPort)} ${end(one.remote, one.remotePort)} ` +
      `${upper(one.state, 2)} ${upper(one.sending, 8)}:${upper(one.receiving, 8)} 00:00000000 00000000 ${owned(owner(one.endpoint))}`,
  )
  return [head, ...lines].map((line) => `${line.padEnd(149)}\n`).join('')
}

/** `/proc/net/udp`. */
export function procNetUdp(stack: NetStack, owner: SocketOwner = nobody): string {
  const head =
    '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops'
  const lines = stack.udp.endpoints.map((endpoint, index) =>
    messageLine(index, endpoint, endpoint.peer, owner(endpoint)),
  )
  return [head, ...lines].map((line) => `${line.padEnd(127)}\n`).join('')
}

/** `/proc/net/raw`: sockets as a kernel knows them. The port is the protocol. */
export function procNetRaw(
  sockets: readonly { readonly socket: Socket; readonly uid: number; readonly inode: number }[],
): string {
  const head =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops'
  const lines = sockets
    .filter(({ socket }) => socket.type === SocketType.raw)
    .map(({ socket, uid, inode }, index) => {
      const { remoteAddress } = socket
      const peer = typeof remoteAddress === 'number' ? undefined : { address: remoteAddress.address, port: 0 }
      return messageLine(index, { address: socket.localAddress.address, port: socket.protocol }, peer, { uid, inode })
    })
  return [head, ...lines].map((line) => `${line.padEnd(127)}\n`).join('')
}

function messageLine(
  index: number,
  local: SocketAddress,
  peer: SocketAddress | undefined,
  owner: ReturnType<SocketOwner>,
): string {
  return (
    `${`${index}`.padStart(5)}: ${end(local.address, local.port)} ${end(peer?.address ?? 0, peer?.port ?? 0)} ` +
    `${peer === undefined ? '07' : '01'} 00000000:00000000 00:00000000 00000000 ${owned(owner)} 2 0 0`
  )
}

function owned({ uid, inode }: { uid: number; inode: number } = { uid: 0, inode: 0 }): string {
  return `${`${uid}`.padStart(5)} ${'0'.padStart(8)} ${inode}`
}

function end(address: Ipv4, port: number): string {
  return `${hostOrder(address)}:${upper(port, 4)}`
}

/** An address as a number of a little-endian host. */
function hostOrder(address: Ipv4): string {
  const swapped = ((address & 0xff) << 24) | ((address & 0xff00) << 8) | ((address >>> 8) & 0xff00) | (address >>> 24)
  return upper(swapped >>> 0, 8)
}

function upper(value: number, width: number): string {
  return value.toString(16).toUpperCase().padStart(width, '0')
}
