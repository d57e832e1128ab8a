/**
 * A gateway from a network of guests to what a browser has, `fetch` and WebSockets: a stack of its own at the guests' link, with DHCP and
 * DNS. It is as well at home in a worker, and in Node.
 */
import type { AllowRule } from '../gateway/allow-list.ts'
import { DnsServer } from '../gateway/dns-server.ts'
import { GuestNetwork, type GuestNetworkOptions } from '../gateway/guest-network.ts'
import { formatIpv4, type Ipv4 } from '../ip/address.ts'
import { WebConnections, type WebDenial, type WebOptions } from './web-connections.ts'

/** How a gateway is set up. */
export interface WebGatewayOptions extends GuestNetworkOptions, WebOptions {
  /** What guests may reach. Nothing unless stated. The gateway's own address is this host's 127.0.0.1. */
  readonly allow?: readonly AllowRule[]
  /** Something came in: virtual time should run. */
  readonly onActivity?: () => void
  readonly onDenied?: (denial: WebDenial) => void
}

/** Opens a gateway. @throws VmexitError `net-gateway` or `net-relay` where an option is none. */
export function openWebGateway(options: WebGatewayOptions): WebGateway {
  return new WebGateway(options)
}

/** An open gateway. Disposing it ends every request and every WebSocket that it has. */
export class WebGateway implements Disposable {
  /** Where guests send what is not for their own network, and where DNS answers. */
  readonly address: Ipv4
  readonly dns: Ipv4
  readonly #guests: GuestNetwork
  readonly #connections: WebConnections
  readonly #dnsServer: DnsServer

  /** @internal */
  constructor(options: WebGatewayOptions) {
    const { allow = [], onActivity = () => {}, onDenied = () => {}, ...rest } = options
    this.#guests = new GuestNetwork(options)
    const { stack, address, dns, network } = this.#guests
    this.address = address
    this.dns = dns
    this.#connections = new WebConnections({
      ...{ ...rest, stack, address, network, onActivity, onDenied },
      allowed: () => destinations,
    })
    const destinations = this.#connections.destinations(allow)
    this.#dnsServer = new DnsServer(stack, dns, {
      allowsName: (name) => destinations.allowsName(name),
      lookUp: async (name) => [destinations.addressOf(name)],
      denied: (host, guest) => onDenied({ protocol: 'dns', host, port: 53, guest: formatIpv4(guest) }),
      activity: onActivity,
    })
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#connections.connections
  }

  [Symbol.dispose](): void {
    this.#guests[Symbol.dispose]()
    this.#dnsServer[Symbol.dispose]()
    this.#connections[Symbol.dispose]()
  }
}
