/**
 * A network of containers: a bridge in a network namespace of its own, in which the gateway's address is, and a pair of veth devices
 * for each container (veth(4), Docker's bridge networks). Each port of the bridge lets in what its container sends in its own name
 * alone. Nothing leads out of it unless an outside is given, and no network leads to another.
 */
import type { NetNamespace } from '@vmexit/linux'
import { type AllowRule, formatIpv4, type Ipv4, type NetDevice, RouteOrigin, RouteType, sourceGuard } from '@vmexit/net'
import { containerError } from './errors.ts'
import type { ContainerHost } from './host.ts'
import { addressOf, macOf, NetworkAddresses } from './network-addresses.ts'
import { NetworkDns } from './network-dns.ts'
import { NetworkMember } from './network-member.ts'
import { checkNames, isName, NetworkNames } from './network-names.ts'
import type { OpenOutside, Outside, Publication } from './network-outside.ts'
import { connectUplink, type Uplink } from './network-uplink.ts'

/** What a network is made with. */
export interface NetworkOptions {
  /** Whose containers it joins. */
  readonly host: ContainerHost
  /** Its addresses: `10.88.1.0/24`, of which the first is the gateway's. One that no other network of the host has unless stated. */
  readonly subnet?: string
  /** What leads out of it, and into it from outside: nothing unless stated. See `hostOutside` of `@vmexit/container/node`, and `webOutside` of `@vmexit/container/web`. */
  readonly outside?: OpenOutside
  /** A link to containers elsewhere, which has the network's names and gives its addresses. None unless stated. */
  readonly uplink?: Uplink
}

/** A container that joins. */
export interface Joining {
  readonly name: string
  /** Further names. */
  readonly aliases?: readonly string[]
  /** The next one that is free unless stated. */
  readonly address?: string
  /** Further lines of its /etc/hosts: addresses by name. */
  readonly hosts?: Readonly<Record<string, string>>
}

/** What a container asks of its network. */
export interface Exposure {
  readonly publish?: readonly Publication[]
  readonly egress?: readonly AllowRule[]
}

const BRIDGE = 'br0'
/** The second byte of networks that are chosen: 10.88.0.0/16. */
const CHOSEN = 88
const MOST_CHOSEN = 256

/** A network. Dispose of it when its containers have ended. */
export class ContainerNetwork implements AsyncDisposable {
  readonly host: ContainerHost
  readonly #addresses: NetworkAddresses
  readonly #names = new NetworkNames()
  readonly #namespace: NetNamespace
  readonly #bridge: NetDevice
  readonly #members = new Map<Ipv4, NetworkMember>()
  readonly #dns: NetworkDns
  readonly #outside: Outside | undefined
  readonly #uplink: Uplink | undefined
  readonly #isPaced: boolean
  #ports = 0
  #isOver = false

  /** @throws VmexitError `container-options`. */
  constructor({ host, subnet, outside, uplink }: NetworkOptions) {
    this.host = host
    this.#addresses = new NetworkAddresses(subnet ?? chosenSubnet(host))
    this.#uplink = uplink
    this.#isPaced = host.isPaced
    if (uplink !== undefined && !this.#isPaced) unpaced()
    const { kernel } = host
    this.#namespace = kernel.network.newNamespace(kernel.ns.user)
    const { stack } = this.#namespace
    const { gateway, network, prefix } = this.#addresses
    const bridge = stack.addBridge({ name: BRIDGE, mac: macOf(gateway) })
    if (bridge === undefined) throw new Error('unreachable: a new stack has no bridge')
    this.#bridge = bridge
    stack.configure(bridge, this.#addresses.withPrefix(gateway))
    // What is for others is refused with a reason, in the place of silence.
    stack.forwarding = true
    stack.ip.routes.add({
      ...{ destination: 0, prefix: 0, gateway: undefined, device: undefined, metric: 0, source: undefined },
      ...{ type: RouteType.prohibit, origin: RouteOrigin.boot },
    })
    this.#dns = new NetworkDns(stack, gateway, {
      lookup: (name) => [...new Set([...this.#names.lookup(name), ...(uplink?.lookup(name) ?? [])])],
      lookupOutside: (who, name) => this.#lookupOutside(who, name),
      wake: () => host.wake(),
    })
    this.#outside = outside?.({
      ...{ stack, address: gateway, network: { address: network, prefix } },
      nameOf: (address) => this.#members.get(address)?.name ?? '',
      wake: () => host.wake(),
    })
    if (uplink !== undefined)
      connectUplink(stack, bridge, uplink, {
        ...{ gateway, wake: () => host.wake() },
        isHere: (mac) => this.#members.has(addressOf(mac)),
      })
  }

  /** `10.88.1.0/24`. */
  get subnet(): string {
    return this.#addresses.subnet
  }
  /** Where its containers send what is for others, and where DNS answers. */
  get gateway(): Ipv4 {
    return this.#addresses.gateway
  }
  /** The containers that are on it. */
  get members(): readonly NetworkMember[] {
    return [...this.#members.values()]
  }
  /** What of the network stands in its host's kernel: for captures, and for tests. */
  get namespace(): NetNamespace {
    return this.#namespace
  }

  /** Makes a container's network namespace, with `eth0` on this network. @throws VmexitError `container-options`. */
  join({ name, aliases = [], address: wanted, hosts = {} }: Joining): NetworkMember {
    if (this.#isOver) return containerError('options', 'the network has been disposed of', 'make another one')
    const names = [...(isName(name) ? [name] : []), ...aliases]
    checkNames(names)
    const address = this.#addresses.take(wanted)
    const { kernel } = this.host
    const namespace = kernel.network.newNamespace(kernel.ns.user)
    const { stack } = this.#namespace
    const mac = macOf(address)
    const pair = stack.addVeth({ name: `veth${++this.#ports}` }, namespace.stack, { name: 'eth0', mac })
    if (pair === undefined) {
      namespace.leave()
      this.#addresses.release(address)
      return containerError('options', 'the network has no port left', 'end a container, or make another network')
    }
    const [port, card] = pair
    port.guard = sourceGuard({ mac, address })
    port.enslave(this.#bridge)
    stack.setUp(port, true)
    namespace.stack.configure(card, this.#addresses.withPrefix(address))
    namespace.stack.addRoute('0.0.0.0/0', formatIpv4(this.gateway))
    this.#names.add(address, names)
    const member = new NetworkMember({
      ...{ host: this.host, name, namespace, hosts },
      card: {
        ...{ address, prefix: this.#addresses.prefix, gateway: this.gateway, outside: this.#outside },
        left: () => {
          this.#members.delete(address)
          this.#names.remove(address)
          stack.deleteDevice(port)
          this.#addresses.release(address)
        },
      },
    })
    this.#members.set(address, member)
    return member
  }

  /** Opens for a container that has joined what it asks for. @throws VmexitError `container-options` and others. */
  async expose(member: NetworkMember, { publish = [], egress = [] }: Exposure): Promise<void> {
    if (publish.length === 0 && egress.length === 0) return
    if (this.#outside === undefined)
      return containerError(
        'options',
        'ports are to be published, or hosts reached, and the network has no outside',
        'make it with one: hostOutside() of @vmexit/container/node, or webOutside() of @vmexit/container/web',
      )
    if (!this.#isPaced) unpaced()
    await member.expose(publish, egress)
  }

  /** Ends it: containers that are still on it lose their cards. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    for (const member of this.members) await member[Symbol.asyncDispose]()
    this.#dns[Symbol.dispose]()
    await this.#outside?.[Symbol.asyncDispose]()
    await this.#uplink?.[Symbol.asyncDispose]()
    const { stack } = this.#namespace
    for (const connection of [...stack.tcp.connections]) connection.abort()
    for (const device of stack.devices) stack.deleteDevice(device)
    this.#namespace.leave()
  }

  /** Undefined where there is nothing to ask: a container that may reach nothing has no names of others either. */
  #lookupOutside(who: Ipv4, name: string): Promise<readonly Ipv4[] | 'refused' | undefined> | undefined {
    const member = this.#members.get(who)
    return member?.hasEgress ? this.#outside?.lookup(who, name) : undefined
  }
}

/** How many networks each host has chosen addresses for. */
const chosen = new WeakMap<ContainerHost, number>()

function chosenSubnet(host: ContainerHost): string {
  const number = ((chosen.get(host) ?? 0) + 1) % MOST_CHOSEN
  chosen.set(host, number)
  return `10.${CHOSEN}.${number}.0/24`
}

function unpaced(): never {
  return containerError(
    'options',
    'idle time passes at once on this host, and does not wait for others',
    'make the host with a pace: hostTime() of @vmexit/container/node',
  )
}

/** Makes a network. @throws VmexitError `container-options`. */
export function createNetwork(options: NetworkOptions): ContainerNetwork {
  return new ContainerNetwork(options)
}
