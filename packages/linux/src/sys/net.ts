/**
 * /sys/class/net: the devices of one network, as `brctl`, udev and monitoring programs read them
 * (Linux's Documentation/ABI/testing/sysfs-class-net and sysfs-class-net-statistics).
 */
import {
  broadcastMac,
  type DeviceCounters,
  DeviceFlag,
  formatMac,
  Hardware,
  interfaceRequest,
  type NetDevice,
  Sioc,
} from '@vmexit/net'
import { toText } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { NetNamespace } from '../net/namespace.ts'
import { mayAdminister } from '../net/privilege.ts'
import { link, type ProcDirectory, type ProcLink, type ProcNode } from '../proc/node.ts'
import type { Kernel } from '../system.ts'
import { attribute, collection, object, type Store, uevent, unsigned } from './attribute.ts'

/** The files of `statistics`, and what of the counters each is; the others count what does not happen here. */
// biome-ignore format: a table
const STATISTICS: Readonly<Record<string, keyof DeviceCounters | undefined>> = {
  collisions: undefined, multicast: 'multicast',
  rx_bytes: 'rxBytes', rx_compressed: undefined, rx_crc_errors: undefined, rx_dropped: 'rxDropped', rx_errors: 'rxErrors',
  rx_fifo_errors: undefined, rx_frame_errors: undefined, rx_length_errors: undefined, rx_missed_errors: undefined,
  rx_nohandler: undefined, rx_over_errors: undefined, rx_packets: 'rxPackets',
  tx_aborted_errors: undefined, tx_bytes: 'txBytes', tx_carrier_errors: undefined, tx_compressed: undefined,
  tx_dropped: 'txDropped', tx_errors: 'txErrors', tx_fifo_errors: undefined, tx_heartbeat_errors: undefined,
  tx_packets: 'txPackets', tx_window_errors: undefined,
}
/** Speed in Mbit/s and duplex, as Linux's drivers say them of what has neither. */
const LINKS: Readonly<Partial<Record<NetDevice['kind'], readonly [speed: string, duplex: string]>>> = {
  ...{ veth: ['10000', 'full'], bridge: ['-1', 'unknown'], ethernet: ['-1', 'unknown'] },
}
/** What of the flags is state. */
const STATE = DeviceFlag.running | DeviceFlag.lowerUp
/** IEEE 802.1D's states of a port. */
const PortState = { disabled: 0, forwarding: 3 } as const
const BRIDGE_PRIORITY = 0x8000
/** What links from a bridge to its ports begin with. */
const LOWER = 'lower_'

/** Directories of devices, and the links of the class that lead to them. */
export interface NetClass {
  readonly devices: ProcDirectory
  readonly links: ProcDirectory
}

/** What stands for one device. */
interface DeviceNodes {
  readonly directory: ProcDirectory
  readonly link: ProcLink
  /** Of a bridge's port: its `brport`, and the links to it and from it. */
  readonly port: ProcDirectory
  readonly inBridge: ProcLink
  readonly lower: ProcLink
  readonly master: ProcLink
}

/** The devices of a network. */
export function netClass(kernel: Kernel, namespace: NetNamespace): NetClass {
  const { stack } = namespace
  const known = new WeakMap<NetDevice, DeviceNodes>()
  const nodesOf: NodesOf = (device) => {
    let nodes = known.get(device)
    if (nodes === undefined) {
      nodes = deviceNodes(kernel, namespace, device, nodesOf)
      known.set(device, nodes)
    }
    return nodes
  }
  const named = (name: string): DeviceNodes | undefined => {
    const device = stack.device(name)
    return device && nodesOf(device)
  }
  const names = (): string[] => stack.devices.map(({ name }) => name)
  return {
    devices: collection(
      (name) => named(name)?.directory,
      names,
      () => stack.devices.length,
    ),
    links: collection((name) => named(name)?.link, names),
  }
}

type NodesOf = (device: NetDevice) => DeviceNodes

function deviceNodes(kernel: Kernel, namespace: NetNamespace, device: NetDevice, nodesOf: NodesOf): DeviceNodes {
  const isHere = (): boolean => isIn(namespace, device)
  /** Whoever keeps one of a device that has left learns nothing of where it is now. */
  const leading = (to: string, other: () => NetDevice | undefined, rest = '') =>
    link(() => {
      const name = isHere() ? other()?.name : undefined
      return name === undefined ? -Errno.ENOENT : `${to}${name}${rest}`
    })
  const [self, upper] = [() => device, () => device.master]
  return {
    directory: deviceDirectory(kernel, namespace, device, nodesOf),
    link: leading('../../devices/virtual/net/', self),
    port: object({
      bridge: leading('../../', upper),
      state: attribute(() => {
        if (!isHere() || device.master === undefined) return -Errno.ENODEV
        return String(device.carrier ? PortState.forwarding : PortState.disabled)
      }),
    }),
    inBridge: leading('../../', self, '/brport'),
    lower: leading('../', self),
    master: leading('../', upper),
  }
}

/** Whether a device is in this network still: who has a file of one open may outlast it. */
function isIn({ stack }: NetNamespace, device: NetDevice): boolean {
  return stack.ip.interfaces.byIndex(device.index) === device
}

/** A device's own attributes, and what it has as a bridge or as a port of one. */
function deviceDirectory(kernel: Kernel, namespace: NetNamespace, device: NetDevice, nodesOf: NodesOf): ProcDirectory {
  const { stack } = namespace
  const isHere = (): boolean => isIn(namespace, device)
  const fixed: Readonly<Record<string, ProcNode>> = {
    ...attributesOf(kernel, namespace, device, isHere),
    ...(device.bridge !== undefined && bridgeNodes(namespace, device, nodesOf)),
  }
  return {
    ...collection(
      (name) => {
        if (!isHere()) return undefined
        if (Object.hasOwn(fixed, name)) return fixed[name]
        if (device.master !== undefined) {
          const { port, master } = nodesOf(device)
          if (name === 'brport') return port
          if (name === 'master' || name === `upper_${device.master.name}`) return master
        }
        const lower = name.startsWith(LOWER) ? stack.device(name.slice(LOWER.length)) : undefined
        return lower?.master === device ? nodesOf(lower).lower : undefined
      },
      () => {
        if (!isHere()) return []
        const above = device.master === undefined ? [] : ['brport', 'master', `upper_${device.master.name}`]
        return [...Object.keys(fixed), ...above, ...portsOf(namespace, device).map(({ name }) => LOWER + name)]
      },
      () => Object.values(fixed).filter(({ kind }) => kind === 'directory').length + (device.master ? 1 : 0),
    ),
    // They belong to the network's root.
    owner: () => {
      const { uids, gids } = namespace.owner
      return { uid: Math.max(0, uids.toKernel(0)), gid: Math.max(0, gids.toKernel(0)) }
    },
  }
}

function portsOf({ stack }: NetNamespace, bridge: NetDevice): NetDevice[] {
  return bridge.bridge === undefined ? [] : stack.devices.filter(({ master }) => master === bridge)
}

function attributesOf(
  kernel: Kernel,
  namespace: NetNamespace,
  device: NetDevice,
  isHere: () => boolean,
): Record<string, ProcNode> {
  const { stack } = namespace
  const shown = (value: () => string | number, store?: Store) =>
    attribute(() => (isHere() ? value() : -Errno.ENODEV), store)
  const settable = (value: () => string, request: number) =>
    shown(value, (text) => {
      const { current } = kernel
      if (current !== undefined && !mayAdminister(current, namespace)) return -Errno.EPERM
      const number = unsigned(text)
      if (number < 0) return number
      return isHere() ? interfaceRequest(stack, request, device.name, number) : -Errno.ENODEV
    })
  const whileUp = (value: () => string | number) => shown(() => (device.up ? value() : -Errno.EINVAL))
  const isLoopback = device.kind === 'loopback'
  const [speed, duplex] = LINKS[device.kind] ?? []
  const ofLink = (value: string | undefined) => whileUp(() => value ?? -Errno.EINVAL)
  return {
    addr_len: shown(() => '6'),
    address: shown(() => formatMac(device.mac)),
    broadcast: shown(() => formatMac(isLoopback ? 0 : broadcastMac)),
    carrier: whileUp(() => String(Number(device.carrier))),
    dev_id: shown(() => '0x0'),
    dev_port: shown(() => '0'),
    dormant: whileUp(() => '0'),
    duplex: ofLink(duplex),
    flags: settable(() => `0x${(device.flags & ~STATE).toString(16)}`, Sioc.setFlags),
    ifindex: shown(() => String(device.index)),
    iflink: shown(() => String(device.peer?.index ?? device.index)),
    link_mode: shown(() => '0'),
    mtu: settable(() => String(device.mtu), Sioc.setMtu),
    netdev_group: shown(() => '0'),
    operstate: shown(() => operationalState(device)),
    speed: ofLink(speed),
    statistics: statistics(device, shown),
    subsystem: link(() => '../../../../class/net'),
    testing: whileUp(() => '0'),
    tx_queue_len: settable(() => String(device.txQueueLength), Sioc.setTxQueueLength),
    type: shown(() => String(isLoopback ? Hardware.loopback : Hardware.ethernet)),
    uevent: uevent(() => (isHere() ? [`INTERFACE=${toText(device.name)}`, `IFINDEX=${device.index}`] : -Errno.ENODEV)),
  }
}

function operationalState({ kind, up, carrier }: NetDevice): string {
  if (!up) return 'down'
  if (kind === 'loopback' || kind === 'dummy') return 'unknown'
  return carrier ? 'up' : 'lowerlayerdown'
}

function statistics({ counters }: NetDevice, shown: (value: () => string) => ProcNode): ProcDirectory {
  return object(
    Object.fromEntries(
      Object.entries(STATISTICS).map(([name, which]) => [
        name,
        shown(() => (which === undefined ? '0' : String(counters[which]))),
      ]),
    ),
  )
}

/** A bridge without the spanning tree: it takes itself for the root. */
function bridgeNodes(namespace: NetNamespace, bridge: NetDevice, nodesOf: NodesOf): Record<string, ProcNode> {
  const shown = (value: () => string) => attribute(() => (isIn(namespace, bridge) ? value() : -Errno.ENODEV))
  const id = shown(() => `${BRIDGE_PRIORITY.toString(16)}.${formatMac(bridge.mac).replaceAll(':', '')}`)
  const none = shown(() => '0')
  const portNamed = (name: string): NetDevice | undefined => {
    const port = namespace.stack.device(name)
    return port?.master === bridge ? port : undefined
  }
  return {
    bridge: object({
      bridge_id: id,
      priority: shown(() => String(BRIDGE_PRIORITY)),
      root_id: id,
      root_path_cost: none,
      root_port: none,
      stp_state: none,
    }),
    brif: collection(
      (name) => {
        const port = portNamed(name)
        return port && nodesOf(port).inBridge
      },
      () => portsOf(namespace, bridge).map(({ name }) => name),
    ),
  }
}
