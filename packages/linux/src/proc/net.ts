/** /proc/N/net: the network of a process (proc(5)), as `netstat`, `ifconfig`, `route` and `arp` read it. */
import { procNetArp, procNetDev, procNetRaw, procNetRoute, procNetTcp, procNetUdp, type SocketOwner } from '@vmexit/net'
import { toText } from '@vmexit/vfs'
import { InetFile } from '../net/inet-file.ts'
import type { NetNamespace } from '../net/namespace.ts'
import { NetlinkFile } from '../net/netlink-file.ts'
import { PacketFile } from '../net/packet-file.ts'
import { UnixFile } from '../net/unix/unix-file.ts'
import type { Kernel } from '../system.ts'
import { directory, file, type ProcDirectory } from './node.ts'

/** The directory; `namespace` says whose network it shows. Users are those of who reads. */
export function netNode(kernel: Kernel, namespace: () => NetNamespace): ProcDirectory {
  const shown = (uid: number): number => (kernel.current ?? kernel).ns.user.uids.shown(uid)
  const stack = () => namespace().stack
  const ofKind = <T>(kind: abstract new (...args: never[]) => T): T[] =>
    [...namespace().sockets].filter((socket) => socket instanceof kind) as T[]
  const owner = (): SocketOwner => {
    const files = new Map(ofKind(InetFile).map((one) => [one.endpoint as object | undefined, one]))
    return (endpoint) => {
      const found = files.get(endpoint)
      return found && { inode: found.inode, uid: shown(found.uid) }
    }
  }
  return directory({
    tcp: file(() => procNetTcp(stack(), owner())),
    udp: file(() => procNetUdp(stack(), owner())),
    raw: file(() => procNetRaw(ofKind(InetFile))),
    unix: file(() => unix(ofKind(UnixFile))),
    netlink: file(() => netlink(ofKind(NetlinkFile))),
    packet: file(() => packet(ofKind(PacketFile), shown)),
    dev: file(() => toText(procNetDev(stack()))),
    route: file(() => toText(procNetRoute(stack()))),
    arp: file(() => toText(procNetArp(stack()))),
    snmp: file(() => snmp(namespace())),
    sockstat: file(() => sockstat(namespace(), ofKind(InetFile))),
  })
}

const hex = (value: number, width: number): string => value.toString(16).toUpperCase().padStart(width, '0')

function unix(sockets: readonly UnixFile[]): string {
  const lines = sockets.map(({ end, type, inode, references }) => {
    const flags = end.isListening ? 0x1_0000 : 0
    const state = end.isListening ? 1 : end.peer !== undefined ? 3 : 1
    const name =
      end.name === undefined ? '' : ` ${end.name.startsWith('\0') ? '@' : ''}${toText(end.name.replaceAll('\0', ''))}`
    return `${hex(inode, 8)}: ${hex(references + 1, 8)} 00000000 ${hex(flags, 8)} ${hex(type, 4)} ${hex(state, 2)} ${String(inode).padStart(5)}${name}\n`
  })
  return `Num       RefCount Protocol Flags    Type St Inode Path\n${lines.join('')}`
}

function netlink(sockets: readonly NetlinkFile[]): string {
  const lines = sockets.map(
    ({ port, groups, protocol, inode, readable }) =>
      `${hex(inode, 8)} ${String(protocol).padEnd(3)} ${String(port).padEnd(10)} ${groups.toString(16).padStart(8, '0')} ${String(readable).padEnd(8)} 0        0     2        0        ${inode}\n`,
  )
  return `sk       Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n${lines.join('')}`
}

function packet(sockets: readonly PacketFile[], shown: (uid: number) => number): string {
  const lines = sockets.map(
    ({ inode, type, etherType, device, readable, uid }) =>
      `${hex(inode, 8)} 2      ${String(type).padEnd(4)} ${hex(etherType, 4).toLowerCase()}  ${String(device).padEnd(5)} 1 ${String(readable).padEnd(6)} ${String(shown(uid)).padEnd(6)} ${inode}\n`,
  )
  return `sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n${lines.join('')}`
}

/** Counters by their names: what is not counted is 0, as it does not happen here. */
function snmp({ stack }: NetNamespace): string {
  const { counters: tcp } = stack.tcp
  const { counters: udp } = stack.udp
  const open = [...stack.tcp.connections].filter(
    ({ state }) => state === 'established' || state === 'close-wait',
  ).length
  const tables: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
    ['Ip', { Forwarding: stack.forwarding ? 1 : 2, DefaultTTL: 64 }],
    [
      'Tcp',
      {
        ...{ RtoAlgorithm: 1, RtoMin: 200, RtoMax: 120000, MaxConn: -1, ActiveOpens: tcp.activeOpens },
        ...{ PassiveOpens: tcp.passiveOpens, AttemptFails: tcp.failedAttempts, EstabResets: 0, CurrEstab: open },
        ...{ InSegs: tcp.segmentsIn, OutSegs: tcp.segmentsOut, RetransSegs: 0, InErrs: tcp.badSegments },
        ...{ OutRsts: tcp.resetsOut, InCsumErrors: 0 },
      },
    ],
    [
      'Udp',
      {
        ...{ InDatagrams: udp.datagramsIn, NoPorts: udp.noPorts, InErrors: udp.errorsIn },
        ...{ OutDatagrams: udp.datagramsOut, RcvbufErrors: 0, SndbufErrors: 0, InCsumErrors: 0 },
      },
    ],
  ]
  return tables
    .map(([name, counts]) => `${name}: ${Object.keys(counts).join(' ')}\n${name}: ${Object.values(counts).join(' ')}\n`)
    .join('')
}

function sockstat({ sockets, stack }: NetNamespace, inet: readonly InetFile[]): string {
  const count = (protocol: number): number => inet.filter((one) => one.protocol === protocol).length
  const waiting = [...stack.tcp.connections].filter(({ state }) => state === 'time-wait').length
  return `sockets: used ${sockets.size}\nTCP: inuse ${count(6)} orphan 0 tw ${waiting} alloc ${count(6)} mem 0\nUDP: inuse ${count(17)} mem 0\nRAW: inuse ${inet.filter(({ type }) => type === 3).length}\nFRAG: inuse 0 memory 0\n`
}
