/// <reference types="node" />
/**
 * A gateway from a network of guests to the host's sockets, as slirp is for QEMU: a stack of its own at the guests' link, with DHCP
 * and DNS, joined with sockets of the host.
 */
import { type Clock, VmexitError } from '@vmexit/core'
import { AllowList, type AllowRule } from '../gateway/allow-list.ts'
import { DhcpServer } from '../gateway/dhcp.ts'
import { formatIpv4, type Ipv4, maskOf, parseCidr } from '../ip/address.ts'
import type { Port } from '../link/port.ts'
import { NetStack } from '../stack.ts'
import { DnsServer } from './dns-server.ts'
import { type Denial, HostSockets, type Publication } from './host-sockets.ts'

/** How a gateway is set up. */
export interface GatewayOptions {
  readonly clock: Clock
  readonly seed: number
  /** The link to the guests: the end of a cable, a port of a bridge. */
  readonly port: Port
  /** The guests' network: the gateway has its second address, DNS its third, DHCP gives out those from the 15th on. 10.0.2.0/24 unless stated. */
  readonly network?: string
  /** What guests may reach. Nothing unless stated. The gateway's own address is the host's 127.0.0.1. */
  readonly allow?: readonly AllowRule[]
  readonly publish?: readonly Publication[]
  /** Connections and exchanges of datagrams at one time; 256 unless stated. */
  readonly connections?: number
  /** Something came in from the host: virtual time should run. */
  readonly onActivity?: () => void
  readonly onDenied?: (denial: Denial) => void
}

/** Addresses given out by DHCP. */
const leaseLimit = 1024

/** Opens a gateway; publications are being listened at when it answers. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = new Gateway(options)
  try {
    for (const publication of options.publish ?? []) await gateway.publish(publication)
  } catch (error) {
    await gateway[Symbol.asyncDispose]()
    throw error
  }
  return gateway
}

/** An open gateway. Disposing it closes every socket of the host that it has. */
export class Gateway implements AsyncDisposable {
  /** Where guests send what is not for their own network, and where DNS answers. */
  readonly address: Ipv4
  readonly dns: Ipv4
  /** Publications, with the port that the host chose. */
  readonly published: Publication[] = []
  readonly #sockets: HostSockets
  readonly #dhcp: DhcpServer
  readonly #dnsServer: DnsServer

  /** @internal */
  constructor(options: GatewayOptions) {
    const { clock, seed, port, network = '10.0.2.0/24', allow = [] } = options
    const parsed = parseCidr(network)
    if (parsed === undefined || parsed.prefix > 27 || (parsed.address & ~maskOf(parsed.prefix)) !== 0) {
      throw new VmexitError('net-gateway', {
        problem: `${network} is no network for guests`,
        remedy: 'give one of at least 32 addresses, such as 10.0.2.0/24',
      })
    }
    const allowed = new AllowList(allow)
    const { onActivity = () => {}, onDenied = () => {} } = options
    this.address = parsed.address + 2
    this.dns = parsed.address + 3
    const stack = new NetStack({ clock, seed })
    const device = stack.addEthernet({ name: 'eth0' }, port)
    if (device === undefined) throw new Error('unreachable: a new stack has no eth0')
    stack.configure(device, `${formatIpv4(this.address)}/${parsed.prefix}`)
    stack.configure(device, `${formatIpv4(this.dns)}/${parsed.prefix}`)
    const last = (parsed.address | ~maskOf(parsed.prefix)) >>> 0
    this.#dhcp = new DhcpServer(stack, device, {
      ...{ address: this.address, prefix: parsed.prefix, router: this.address, dns: this.dns },
      range: [parsed.address + 15, Math.min(last - 1, parsed.address + 14 + leaseLimit)],
    })
    this.#dnsServer = new DnsServer(stack, this.dns, {
      allowed,
      denied: (host, guest) => onDenied({ protocol: 'dns', host, port: 53, guest: formatIpv4(guest) }),
      activity: onActivity,
    })
    this.#sockets = new HostSockets({
      ...{ stack, address: this.address, network: parsed, connections: options.connections },
      ...{ allowed: () => allowed, onActivity, onDenied },
    })
  }

  /** Connections and exchanges that are open. */
  get connections(): number {
    return this.#sockets.connections
  }

  /** Publishes a port of a guest; answers the port of the host. Throws a {@link VmexitError} `net-publish`. */
  async publish(publication: Publication): Promise<number> {
    const hostPort = await this.#sockets.publish(publication)
    this.published.push({ ...publication, hostPort })
    return hostPort
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#dhcp[Symbol.dispose]()
    this.#dnsServer[Symbol.dispose]()
    await this.#sockets[Symbol.asyncDispose]()
  }
}
