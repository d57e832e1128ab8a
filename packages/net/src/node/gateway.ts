/// <reference types="node" />
/**
 * A gateway from a network of guests to the host's sockets, as slirp is for QEMU: a stack of its own at the guests' link, with DHCP
 * and DNS, joined with sockets of the host.
 */
import { AllowList, type AllowRule } from '../gateway/allow-list.ts'
import { DnsServer } from '../gateway/dns-server.ts'
import { GuestNetwork, type GuestNetworkOptions } from '../gateway/guest-network.ts'
import { formatIpv4, type Ipv4 } from '../ip/address.ts'
import { type Denial, HostSockets, type Publication } from './host-sockets.ts'
import { lookUp } from './look-up.ts'

/** How a gateway is set up. */
export interface GatewayOptions extends GuestNetworkOptions {
  /** What guests may reach. Nothing unless stated. The gateway's own address is the host's 127.0.0.1. */
  readonly allow?: readonly AllowRule[]
  readonly publish?: readonly Publication[]
  /** Connections and exchanges of datagrams at one time; 256 unless stated. */
  readonly connections?: number
  /** Something came in from the host: virtual time should run. */
  readonly onActivity?: () => void
  readonly onDenied?: (denial: Denial) => void
}

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
  readonly #guests: GuestNetwork
  readonly #dnsServer: DnsServer

  /** @internal */
  constructor(options: GatewayOptions) {
    const { allow = [], onActivity = () => {}, onDenied = () => {} } = options
    const allowed = new AllowList(allow)
    this.#guests = new GuestNetwork(options)
    const { stack, address, dns, network } = this.#guests
    this.address = address
    this.dns = dns
    this.#dnsServer = new DnsServer(stack, dns, {
      allowsName: (name) => allowed.allowsName(name),
      lookUp: (name) => lookUp(name, allowed),
      denied: (host, guest) => onDenied({ protocol: 'dns', host, port: 53, guest: formatIpv4(guest) }),
      activity: onActivity,
    })
    this.#sockets = new HostSockets({
      ...{ stack, address, network, connections: options.connections },
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
    this.#guests[Symbol.dispose]()
    this.#dnsServer[Symbol.dispose]()
    await this.#sockets[Symbol.asyncDispose]()
  }
}
