/** What guests may reach outside: rules of hosts, networks and ports. What no rule allows is denied. */
import { type Ipv4, isMulticast, isWithin, limitedBroadcast, parseCidr } from '../ip/address.ts'

/** One rule. All that it names must fit. */
export interface AllowRule {
  /** Both unless stated. */
  readonly protocol?: 'tcp' | 'udp'
  /**
   * An address or a network such as `93.184.216.0/24`; this host (127.0.0.0/8) and link-local addresses only by
   * a rule of such a network. Or a name such as `deb.debian.org` or `*.debian.org`. A name
   * allows the addresses the gateway's DNS has answered for it, but for those of private networks and of this host,
   * which only a rule of addresses allows.
   */
  readonly host: string
  /** One port, or the first and the last of some; all unless stated. */
  readonly ports?: number | readonly [number, number]
  /**
   * How a gateway without sockets, as in browsers, carries a connection: as requests that it fetches by HTTP or by HTTPS, or by a
   * relay. Unless stated the relay, where there is one, for all ports but 80, and HTTP for others. One with sockets needs no word of it.
   */
  readonly by?: 'http' | 'https' | 'relay'
}

/** Networks that a name does not lead to (RFC 6890): otherwise who owns a name could choose a host of the user's. */
const privateNetworks = ['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12']
  .concat('192.0.0.0/24', '192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/4', '240.0.0.0/4')
  .map((text) => parseCidr(text) ?? { address: 0, prefix: 0 })

/** Networks that only a rule of their own allows: 0.0.0.0/0 means the world, not this host or its cloud's metadata. */
const guarded = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16'].map(
  (text) => parseCidr(text) ?? { address: 0, prefix: 0 },
)

/** Addresses remembered for names at most. */
const resolvedLimit = 4096

/** Rules, and the addresses of the names in them. */
export class AllowList {
  readonly #rules: readonly (AllowRule & { readonly network: { address: Ipv4; prefix: number } | undefined })[]
  /** Names by address, the one longest unused first. */
  readonly #names = new Map<Ipv4, Set<string>>()

  constructor(rules: readonly AllowRule[]) {
    this.#rules = rules.map((rule) => ({ ...rule, network: parseCidr(rule.host) }))
  }

  /** Whether a name may be asked for. */
  allowsName(name: string): boolean {
    return this.#rules.some(({ host, network }) => network === undefined && fits(name, host))
  }

  /** The DNS has answered with these addresses. */
  resolved(name: string, addresses: readonly Ipv4[]): void {
    for (const address of addresses) {
      if (privateNetworks.some((network) => isWithin(address, network.address, network.prefix))) continue
      const names = this.#names.get(address) ?? new Set()
      this.#names.delete(address)
      this.#names.set(address, names.add(name.toLowerCase()))
    }
    while (this.#names.size > resolvedLimit) this.#names.delete(this.#names.keys().next().value as Ipv4)
  }

  /** Whether a connection may be made, or a datagram sent. */
  allows(protocol: 'tcp' | 'udp', address: Ipv4, port: number): boolean {
    if (this.ruleOfAddress(protocol, address, port) !== undefined) return true
    return [...(this.#names.get(address) ?? [])].some((name) => this.ruleOfName(protocol, name, port) !== undefined)
  }

  /** The first rule of addresses that fits. */
  ruleOfAddress(protocol: 'tcp' | 'udp', address: Ipv4, port: number): AllowRule | undefined {
    if (isMulticast(address) || address === limitedBroadcast) return undefined
    return this.#rules.find(
      (rule) => isFor(rule, protocol, port) && rule.network !== undefined && leadsTo(rule.network, address),
    )
  }

  /** The first rule of names that fits. */
  ruleOfName(protocol: 'tcp' | 'udp', name: string, port: number): AllowRule | undefined {
    return this.#rules.find(
      (rule) => isFor(rule, protocol, port) && rule.network === undefined && fits(name, rule.host),
    )
  }
}

function isFor({ protocol, ports }: AllowRule, wanted: 'tcp' | 'udp', port: number): boolean {
  if (port === 0 || (protocol !== undefined && protocol !== wanted)) return false
  return ports === undefined || inPorts(port, ports)
}

function leadsTo(network: { address: Ipv4; prefix: number }, address: Ipv4): boolean {
  const guard = guarded.find((one) => isWithin(address, one.address, one.prefix))
  if (guard !== undefined && network.prefix < guard.prefix) return false
  return isWithin(address, network.address, network.prefix)
}

function fits(name: string, rule: string): boolean {
  const [given, wanted] = [name.toLowerCase().replace(/\.$/, ''), rule.toLowerCase()]
  return wanted.startsWith('*.') ? given.endsWith(wanted.slice(1)) : given === wanted
}

function inPorts(port: number, ports: number | readonly [number, number]): boolean {
  return typeof ports === 'number' ? port === ports : port >= ports[0] && port <= ports[1]
}
