/** Links in rtnetlink: how a device is shown, and how one is made, changed and deleted. */
import { Errno } from '../errno.ts'
import { DeviceFlag, type NetDevice } from '../link/device.ts'
import { broadcastMac, getMac, setMac } from '../link/ethernet.ts'
import type { NetStack } from '../stack.ts'
import { type NetlinkWriter, numberIn, readAttributes, textIn } from './codec.ts'
import { Hardware, Ifla, LinkInfo, Operational, VethInfo } from './numbers.ts'

/** Finds the stack of another network namespace, by a descriptor or a process of the caller; undefined where there is none. */
export type FindNamespace = (by: 'fd' | 'pid', number: number) => NetStack | undefined

/** Bytes of `struct ifinfomsg`. */
const linkHeader = 16

/** Lowest and highest MTU that can be set. */
const mtuRange = [68, 65535]

/** Writes a link. */
export function writeLink(writer: NetlinkWriter, device: NetDevice): void {
  const isLoopback = device.kind === 'loopback'
  writer
    .u8(0)
    .u8(0)
    .u16(isLoopback ? Hardware.loopback : Hardware.ethernet)
  writer.u32(device.index).u32(device.flags).u32(0)
  writer.attribute(Ifla.name, device.name).attribute(Ifla.txQueueLength, device.txQueueLength)
  writer.nested(Ifla.operationalState, (inner) => inner.u8(stateOf(device)))
  writer.nested(Ifla.linkMode, (inner) => inner.u8(0))
  writer.attribute(Ifla.mtu, device.mtu).attribute(Ifla.group, 0)
  writer.attribute(Ifla.promiscuity, Number(device.promiscuous))
  writer.attribute(Ifla.txQueues, 1).attribute(Ifla.rxQueues, 1)
  writer.nested(Ifla.carrier, (inner) => inner.u8(Number(device.carrier)))
  writer.attribute(Ifla.qdisc, device.up || isLoopback ? 'noqueue' : 'noop')
  writer.attribute(Ifla.address, macBytes(device.mac))
  writer.attribute(Ifla.broadcast, macBytes(isLoopback ? 0 : broadcastMac))
  if (device.peer !== undefined) writer.attribute(Ifla.link, device.peer.index)
  if (device.master !== undefined) writer.attribute(Ifla.master, device.master.index)
  const counts = countersOf(device)
  writer.nested(Ifla.stats64, (inner) => {
    for (const count of counts) inner.u32(count % 2 ** 32).u32(Math.floor(count / 2 ** 32))
  })
  writer.nested(Ifla.stats, (inner) => {
    for (const count of counts) inner.u32(count % 2 ** 32)
  })
  if (device.kind === 'ethernet' || isLoopback) return
  writer.nested(Ifla.linkInfo, (inner) => {
    inner.attribute(LinkInfo.kind, device.kind)
    if (device.master !== undefined) inner.attribute(LinkInfo.slaveKind, 'bridge')
  })
}

/** The device a message is about, by index or name. */
export function findLink(stack: NetStack, payload: Uint8Array): NetDevice | number {
  const request = readLink(payload)
  if (request === undefined) return -Errno.EINVAL
  if (request.index > 0) return stack.ip.interfaces.byIndex(request.index) ?? -Errno.ENODEV
  if (request.name === undefined) return -Errno.EINVAL
  return stack.device(request.name) ?? -Errno.ENODEV
}

/** Makes a link: 0 or a negated error number. */
export function createLink(stack: NetStack, payload: Uint8Array, namespace: FindNamespace): number {
  const request = readLink(payload)
  if (request === undefined) return -Errno.EINVAL
  const info = request.attributes.get(Ifla.linkInfo)
  const link = info && readAttributes(info)
  const kind = textIn(link?.get(LinkInfo.kind))
  const target = targetOf(stack, request, namespace)
  if (typeof target === 'number') return target
  const name = target.ip.interfaces.freeName(request.name ?? `${kind ?? ''}%d`)
  if (target.device(name) !== undefined) return -Errno.EEXIST
  let device: NetDevice | undefined
  if (kind === 'bridge') device = target.addBridge({ ...request.made, name })
  else if (kind === 'dummy') device = target.addDummy({ ...request.made, name })
  else if (kind === 'veth') {
    const made = createVeth(stack, target, { ...request.made, name }, link?.get(LinkInfo.data), namespace)
    if (typeof made === 'number') return made
    device = made
  } else return -Errno.EOPNOTSUPP
  if (device === undefined) return -Errno.EINVAL
  if (request.change & request.flags & DeviceFlag.up) target.setUp(device, true)
  return 0
}

/** Changes a link: 0 or a negated error number. */
export function changeLink(stack: NetStack, payload: Uint8Array, namespace: FindNamespace): number {
  const request = readLink(payload)
  const device = findLink(stack, payload)
  if (request === undefined) return -Errno.EINVAL
  if (typeof device === 'number') return device
  const { mac, mtu } = request.made
  if (mtu !== undefined && (mtu < mtuRange[0] || mtu > mtuRange[1])) return -Errno.EINVAL
  const master = request.attributes.get(Ifla.master)
  if (master !== undefined) {
    const bridge = numberIn(master) === 0 ? undefined : stack.ip.interfaces.byIndex(numberIn(master) ?? -1)
    if (numberIn(master) !== 0 && bridge === undefined) return -Errno.ENODEV
    if (bridge !== undefined && (bridge.bridge === undefined || bridge === device)) return -Errno.EINVAL
    if (device.kind === 'loopback' || device.kind === 'bridge') return -Errno.EINVAL
    device.enslave(bridge)
  }
  if (request.name !== undefined && request.index > 0 && request.name !== device.name) {
    const renamed = stack.ip.interfaces.rename(device, request.name)
    if (renamed !== 0) return renamed
  }
  if (mac !== undefined) device.mac = mac
  if (mtu !== undefined) device.mtu = mtu
  const queue = numberIn(request.attributes.get(Ifla.txQueueLength))
  if (queue !== undefined) device.txQueueLength = queue
  setLinkFlags(stack, device, request.flags, request.change)
  const target = targetOf(stack, request, namespace)
  if (typeof target === 'number') return target
  return target === stack ? 0 : moveLink(stack, device, target)
}

/** Sets the flags that a program may set. */
export function setLinkFlags(stack: NetStack, device: NetDevice, flags: number, change: number): void {
  if (change & DeviceFlag.promiscuous) device.promiscuous = (flags & DeviceFlag.promiscuous) !== 0
  if (change & DeviceFlag.noArp) device.noArp = (flags & DeviceFlag.noArp) !== 0
  if (change & DeviceFlag.up) stack.setUp(device, (flags & DeviceFlag.up) !== 0)
}

/** Deletes a link, of a veth pair both ends: 0, −ENODEV, or −EOPNOTSUPP for what no program made. */
export function deleteLink(stack: NetStack, payload: Uint8Array): number {
  const device = findLink(stack, payload)
  if (typeof device === 'number') return device
  if (device.kind === 'loopback' || device.kind === 'ethernet') return -Errno.EOPNOTSUPP
  stack.deleteDevice(device)
  return 0
}

/** Moves a device into another stack, down and without addresses: 0, −EINVAL for loopback, −EEXIST. */
function moveLink(stack: NetStack, device: NetDevice, target: NetStack): number {
  if (device.kind === 'loopback' || device.kind === 'bridge') return -Errno.EINVAL
  if (target.device(device.name) !== undefined) return -Errno.EEXIST
  stack.removeDevice(device)
  return target.addDevice(device)
}

interface LinkRequest {
  readonly index: number
  readonly flags: number
  readonly change: number
  readonly name: string | undefined
  readonly made: { readonly mac?: number; readonly mtu?: number }
  readonly attributes: Map<number, Uint8Array>
}

function readLink(payload: Uint8Array): LinkRequest | undefined {
  if (payload.length < linkHeader) return undefined
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const attributes = readAttributes(payload.subarray(linkHeader))
  if (attributes === undefined) return undefined
  const mac = attributes.get(Ifla.address)
  const mtu = numberIn(attributes.get(Ifla.mtu))
  const flags = view.getUint32(8, true)
  const change = view.getUint32(12, true)
  return {
    index: view.getInt32(4, true),
    flags,
    // A mask of 0 means all that is set, as old programs leave it.
    change: change === 0 ? flags : change,
    name: textIn(attributes.get(Ifla.name)),
    made: { ...(mac?.length === 6 && { mac: getMac(mac, 0) }), ...(mtu !== undefined && { mtu }) },
    attributes,
  }
}

function targetOf(stack: NetStack, { attributes }: LinkRequest, namespace: FindNamespace): NetStack | number {
  const pid = numberIn(attributes.get(Ifla.netnsPid))
  const fd = numberIn(attributes.get(Ifla.netnsFd))
  if (pid !== undefined) return namespace('pid', pid) ?? -Errno.ESRCH
  return fd === undefined ? stack : (namespace('fd', fd) ?? -Errno.EINVAL)
}

function createVeth(
  stack: NetStack,
  target: NetStack,
  here: { readonly name: string; readonly mac?: number; readonly mtu?: number },
  data: Uint8Array | undefined,
  namespace: FindNamespace,
): NetDevice | number {
  const peer = data && readAttributes(data)?.get(VethInfo.peer)
  const request = peer && readLink(peer)
  if (peer !== undefined && request === undefined) return -Errno.EINVAL
  const other = request === undefined ? stack : targetOf(stack, request, namespace)
  if (typeof other === 'number') return other
  // The name of the first end is not free for the second one any more.
  const pattern = request?.name ?? 'veth%d'
  let name = other.ip.interfaces.freeName(pattern)
  if (name === here.name && other === target) {
    if (!pattern.includes('%d')) return -Errno.EEXIST
    name = `veth${Number(name.slice(4)) + 1}`
  }
  if (other.device(name) !== undefined) return -Errno.EEXIST
  return target.addVeth(here, other, { ...request?.made, name })?.[0] ?? -Errno.EINVAL
}

function stateOf(device: NetDevice): number {
  if (device.kind === 'loopback' || device.kind === 'dummy') return Operational.unknown
  if (!device.up) return Operational.down
  return device.carrier ? Operational.up : Operational.lowerLayerDown
}

/** `struct rtnl_link_stats64`: 24 counters. */
function countersOf({ counters }: NetDevice): number[] {
  const { rxPackets, txPackets, rxBytes, txBytes, rxErrors, txErrors, rxDropped, txDropped, multicast } = counters
  const counted = [rxPackets, txPackets, rxBytes, txBytes, rxErrors, txErrors, rxDropped, txDropped, multicast]
  return [...counted, ...new Array<number>(24 - counted.length).fill(0)]
}

function macBytes(mac: number): Uint8Array {
  const bytes = new Uint8Array(6)
  setMac(bytes, 0, mac)
  return bytes
}
