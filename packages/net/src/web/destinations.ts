/**
 * What a guest's connections lead to, without sockets. A browser resolves names itself and shows no addresses, so the gateway's DNS has
 * addresses of its own, each of which stands for a name.
 */
import { AllowList, type AllowRule } from '../gateway/allow-list.ts'
import { formatIpv4, type Ipv4, isWithin, parseIpv4 } from '../ip/address.ts'

/** The addresses that stand for names: 198.18.0.0/15, which nobody on the Internet has (RFC 2544). */
export const namesNetwork: { readonly address: Ipv4; readonly prefix: number } = { address: 0xc612_0000, prefix: 15 }
const namesBound = 2 ** 17 - 2
/** Names of one guest that have an address; the one longest unused loses it. */
const namesLimit = 1024

/** Where a connection leads, and how. */
export interface Destination {
  /** A name, or an address. */
  readonly host: string
  readonly isNamed: boolean
  readonly port: number
  readonly by: 'http' | 'https' | 'relay'
}

/** The rules of a guest, and the addresses of names in them. */
export class Destinations {
  readonly #allowed: AllowList
  readonly #hasRelay: boolean
  /** The one longest unused first. */
  readonly #addresses = new Map<string, Ipv4>()
  readonly #names = new Map<Ipv4, string>()
  #next = 0

  constructor(rules: readonly AllowRule[], hasRelay: boolean) {
    this.#allowed = new AllowList(rules)
    this.#hasRelay = hasRelay
  }

  /** Whether a name may be asked for. This host has no name here: what leads to it is a rule of 127.0.0.0/8. */
  allowsName(name: string): boolean {
    return !/(^|\.)localhost$/.test(canonical(name)) && this.#allowed.allowsName(name)
  }

  /** The address that stands for a name which is allowed. */
  addressOf(name: string): Ipv4 {
    const key = canonical(name)
    const address = this.#addresses.get(key) ?? this.#newAddress()
    this.#addresses.delete(key)
    this.#addresses.set(key, address)
    this.#names.set(address, key)
    if (this.#addresses.size > namesLimit) {
      const [oldest, freed] = this.#addresses.entries().next().value as [string, Ipv4]
      this.#addresses.delete(oldest)
      this.#names.delete(freed)
    }
    return address
  }

  /** Where a connection to an address leads; undefined where it must not. */
  destinationOf(address: Ipv4, port: number): Destination | undefined {
    const name = this.#names.get(address)
    if (name !== undefined) return this.#destination(name, true, port, this.#allowed.ruleOfName('tcp', name, port))
    if (isWithin(address, namesNetwork.address, namesNetwork.prefix)) return undefined
    return this.#destination(formatIpv4(address), false, port, this.#allowed.ruleOfAddress('tcp', address, port))
  }

  /** What stands for an address in reports: its name, if it has one. */
  hostOf(address: Ipv4): string {
    return this.#names.get(address) ?? formatIpv4(address)
  }

  /** Whether answers may come from there, when they were asked for elsewhere. */
  allowsUrl({ protocol, hostname, port }: URL, from: Pick<Destination, 'host' | 'port'>): boolean {
    if (protocol !== 'http:' && protocol !== 'https:') return false
    const number = Number(port || (protocol === 'http:' ? 80 : 443))
    // A browser goes from HTTP to HTTPS by itself where it knows that a server wants that (RFC 6797).
    if (hostname === from.host && from.port === 80 && protocol === 'https:' && number === 443) return true
    const address = parseIpv4(hostname)
    const ruleAt = (at: number) =>
      address === undefined
        ? this.allowsName(hostname) && this.#allowed.ruleOfName('tcp', hostname, at)
        : this.#allowed.ruleOfAddress('tcp', address, at)
    if (ruleAt(number)) return true
    // What a guest reaches at port 80, by HTTPS.
    const rule = number === 443 && protocol === 'https:' && ruleAt(80)
    return rule !== false && rule?.by === 'https'
  }

  #destination(host: string, isNamed: boolean, port: number, rule: AllowRule | undefined): Destination | undefined {
    if (rule === undefined) return undefined
    const by = rule.by ?? (this.#hasRelay && port !== 80 ? 'relay' : 'http')
    return by === 'relay' && !this.#hasRelay ? undefined : { host, isNamed, port, by }
  }

  #newAddress(): Ipv4 {
    do this.#next = (this.#next % namesBound) + 1
    while (this.#names.has(namesNetwork.address + this.#next))
    return namesNetwork.address + this.#next
  }
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
