/// <reference types="node" />
/** The outside of a network by sockets of this machine: published ports, and what rules allow a container to reach. */
import { formatIpv4, type Ipv4, parseIpv4 } from '@vmexit/net'
import { AllowList, HostSockets, lookUp } from '@vmexit/net/node'
import type {
  NetworkDenial,
  OpenOutside,
  Outside,
  OutsideOfContainer,
  OutsideOptions,
  Publication,
  PublishedPort,
} from '../network-outside.ts'

/** What is told of it, and how much of it there is. */
export interface HostOutsideOptions {
  /** A container tried what no rule of its own allows. */
  readonly onDenied?: (denial: NetworkDenial) => void
  /** Connections and exchanges of datagrams at one time, of all containers of the network and of each; 1024 and 256 unless stated. */
  readonly connections?: number
  readonly connectionsOfContainer?: number
}

/** Opens sockets of this machine for a network's containers; the gateway's address leads to 127.0.0.1, if a rule allows that. */
export function hostOutside(options: HostOutsideOptions = {}): OpenOutside {
  return (where) => new HostOutside(options, where)
}

class HostOutside implements Outside {
  readonly #containers = new Map<
    Ipv4,
    { readonly allowed: AllowList; readonly account: OutsideOfContainer['account'] }
  >()
  readonly #sockets: HostSockets
  readonly #denied: (container: Ipv4, denial: Omit<NetworkDenial, 'container'>) => void

  constructor(options: HostOutsideOptions, { stack, address, network, nameOf, wake }: OutsideOptions) {
    const { onDenied = () => {}, connections = 1024, connectionsOfContainer = 256 } = options
    this.#denied = (container, denial) => onDenied({ ...denial, container: nameOf(container) })
    this.#sockets = new HostSockets({
      ...{ stack, address, network, connections, connectionsOfGuest: connectionsOfContainer },
      allowed: (container) => this.#containers.get(container)?.allowed,
      account: (container) => this.#containers.get(container)?.account,
      onActivity: wake,
      onDenied: ({ protocol, host, port, guest }) => this.#denied(parseIpv4(guest) ?? 0, { protocol, host, port }),
    })
  }

  admit(container: Ipv4, { rules, account }: OutsideOfContainer): void {
    this.#containers.set(container, { allowed: new AllowList(rules), account })
  }

  async dismiss(container: Ipv4): Promise<void> {
    await this.#sockets.closeGuest(container)
    this.#containers.delete(container)
  }

  async publish(
    container: Ipv4,
    { protocol = 'tcp', hostAddress = '127.0.0.1', hostPort = 0, port }: Publication,
  ): Promise<PublishedPort> {
    const guestAddress = formatIpv4(container)
    const chosen = await this.#sockets.publish({ protocol, hostAddress, hostPort, guestAddress, guestPort: port })
    return { protocol, hostAddress, hostPort: chosen, port }
  }

  async lookup(container: Ipv4, name: string): Promise<readonly Ipv4[] | 'refused' | undefined> {
    const allowed = this.#containers.get(container)?.allowed
    if (allowed?.allowsName(name)) return await lookUp(name, allowed)
    this.#denied(container, { protocol: 'dns', host: name, port: 53 })
    return 'refused'
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#sockets[Symbol.asyncDispose]()
  }
}
