/** The outside of a network by what a browser has: requests of HTTP are fetched, other connections go by a relay. */
import { formatIpv4, type Ipv4, parseIpv4 } from '@vmexit/net'
import { type Destinations, WebConnections, type WebOptions } from '@vmexit/net/web'
import { containerError } from '../errors.ts'
import type {
  NetworkDenial,
  OpenOutside,
  Outside,
  OutsideOfContainer,
  OutsideOptions,
  PublishedPort,
} from '../network-outside.ts'

/** What is told of it, and how much of it there is. */
export interface WebOutsideOptions extends Omit<WebOptions, 'connectionsOfGuest'> {
  /** A container tried what no rule of its own allows. */
  readonly onDenied?: (denial: NetworkDenial) => void
  /** Connections at one time, of all containers of the network; 1024 unless stated. */
  readonly connections?: number
  /** And of each; 256 unless stated. */
  readonly connectionsOfContainer?: number
}

/** Has a network's containers reach what their rules allow; the gateway's address leads to 127.0.0.1, if a rule allows that. */
export function webOutside(options: WebOutsideOptions = {}): OpenOutside {
  return (where) => new WebOutside(options, where)
}

class WebOutside implements Outside {
  readonly #containers = new Map<
    Ipv4,
    { readonly destinations: Destinations; readonly account: OutsideOfContainer['account'] }
  >()
  readonly #connections: WebConnections
  readonly #denied: (container: Ipv4, denial: Omit<NetworkDenial, 'container'>) => void

  constructor(options: WebOutsideOptions, { stack, address, network, nameOf, wake }: OutsideOptions) {
    const { onDenied = () => {}, connections = 1024, connectionsOfContainer = 256, ...web } = options
    this.#denied = (container, denial) => onDenied({ ...denial, container: nameOf(container) })
    this.#connections = new WebConnections({
      ...{ ...web, stack, address, network, connections, connectionsOfGuest: connectionsOfContainer },
      allowed: (container) => this.#containers.get(container)?.destinations,
      account: (container) => this.#containers.get(container)?.account,
      onActivity: wake,
      onDenied: ({ protocol, host, port, guest }) => this.#denied(parseIpv4(guest) ?? 0, { protocol, host, port }),
    })
  }

  admit(container: Ipv4, { rules, account }: OutsideOfContainer): void {
    this.#containers.set(container, { destinations: this.#connections.destinations(rules), account })
  }

  async dismiss(container: Ipv4): Promise<void> {
    this.#connections.closeGuest(container)
    this.#containers.delete(container)
  }

  async publish(container: Ipv4): Promise<PublishedPort> {
    return containerError(
      'options',
      `a port of ${formatIpv4(container)} is to be published, and a browser has none to listen at`,
      'publish none, or run it in Node with hostOutside() of @vmexit/container/node',
    )
  }

  async lookup(container: Ipv4, name: string): Promise<readonly Ipv4[] | 'refused'> {
    const destinations = this.#containers.get(container)?.destinations
    if (destinations?.allowsName(name)) return [destinations.addressOf(name)]
    this.#denied(container, { protocol: 'dns', host: name, port: 53 })
    return 'refused'
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connections[Symbol.dispose]()
  }
}
