/**
 * A link from a network to containers of other kernels. What stands for the gateway stays here: each kernel has it for its own
 * containers, so no frame to it or from it passes, and none comes that says it is from a container here.
 */
import { cable, EtherType, etherHeader, getMac, type Ipv4, type Mac, type NetDevice, type NetStack } from '@vmexit/net'
import { macOf } from './network-addresses.ts'

/** The other end: a switch, with who is behind it. */
export interface Uplink extends AsyncDisposable {
  /** Sends an Ethernet frame; one that there is no room for is dropped. */
  send(frame: Uint8Array): void
  /** Says who takes frames from elsewhere. False is answered where there is no room: the same frame is to be given again later. */
  attach(receive: (frame: Uint8Array) => boolean): void
  /** The addresses of a name elsewhere. */
  lookup(name: string): readonly Ipv4[]
}

/** Where the target of an ARP packet stands in its frame (RFC 826). */
const ARP_TARGET = etherHeader + 24
const ARP_BYTES = etherHeader + 28

/** What it needs to know of its network. */
export interface UplinkOptions {
  readonly gateway: Ipv4
  /** Whether a station is a container of this kernel. */
  isHere(mac: Mac): boolean
  wake(): void
}

/** Plugs it into a bridge. */
export function connectUplink(
  stack: NetStack,
  bridge: NetDevice,
  uplink: Uplink,
  { gateway, isHere, wake }: UplinkOptions,
): void {
  const mac = macOf(gateway)
  const [inner, outer] = cable(stack.clock)
  const device = stack.addEthernet({ name: 'uplink' }, inner)
  if (device === undefined) throw new Error('unreachable: a new stack has no uplink')
  const mayPass = (frame: Uint8Array): boolean =>
    frame.length >= etherHeader && getMac(frame, 0) !== mac && getMac(frame, 6) !== mac && !asksFor(frame, gateway)
  device.guard = (frame) => mayPass(frame) && !isHere(getMac(frame, 6))
  device.enslave(bridge)
  stack.setUp(device, true)
  outer.attach((frame) => {
    if (mayPass(frame)) uplink.send(frame)
  })
  uplink.attach((frame) => {
    const isTaken = outer.send(frame)
    wake()
    return isTaken
  })
}

function asksFor(frame: Uint8Array, address: Ipv4): boolean {
  if (frame.length < ARP_BYTES) return false
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length)
  return view.getUint16(12) === EtherType.arp && view.getUint32(ARP_TARGET) === address
}
