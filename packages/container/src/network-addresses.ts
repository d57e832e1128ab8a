/** Addresses of a network of containers: the first is its gateway's, the others are given out in order, and one that is free again last. */
import { formatIpv4, type Ipv4, type Mac, maskOf, parseCidr, parseIpv4 } from '@vmexit/net'
import { containerError } from './errors.ts'

/** A network that leaves room for two containers at least, and for a gateway. */
const SHORTEST = 8
const LONGEST = 29

/** The first bytes of addresses that Docker gives to cards: the IPv4 address stands behind them. */
const MAC_PREFIX = 0x0242_0000_0000

/** The MAC address of whoever has an address. */
export function macOf(address: Ipv4): Mac {
  return MAC_PREFIX + address
}

/** The address of whoever has a MAC address of {@link macOf}. */
export function addressOf(mac: Mac): Ipv4 {
  return mac - MAC_PREFIX
}

/** The addresses of one network. */
export class NetworkAddresses {
  readonly network: Ipv4
  readonly prefix: number
  readonly gateway: Ipv4
  readonly #taken = new Set<Ipv4>()
  #last: Ipv4

  /** @throws VmexitError `container-options` for a text other than `10.88.1.0/24`. */
  constructor(subnet: string) {
    const parsed = parseCidr(subnet)
    const isOne =
      parsed !== undefined &&
      parsed.prefix >= SHORTEST &&
      parsed.prefix <= LONGEST &&
      (parsed.address & ~maskOf(parsed.prefix)) === 0 &&
      parsed.address >>> 24 !== 127 &&
      parsed.address >>> 24 < 224 &&
      parsed.address >>> 24 > 0
    if (!isOne)
      containerError(
        'options',
        `${subnet} is no network for containers`,
        `give one of ${SHORTEST} to ${LONGEST} bits, such as 10.88.1.0/24`,
      )
    this.network = parsed.address
    this.prefix = parsed.prefix
    this.gateway = parsed.address + 1
    this.#last = this.gateway
  }

  /** `10.88.1.0/24`. */
  get subnet(): string {
    return `${formatIpv4(this.network)}/${this.prefix}`
  }

  /** `10.88.1.2/24`. */
  withPrefix(address: Ipv4): string {
    return `${formatIpv4(address)}/${this.prefix}`
  }

  /** Takes the next one that is free, or the one that is wanted. @throws VmexitError `container-options`. */
  take(wanted?: string): Ipv4 {
    const address = wanted === undefined ? this.#next() : this.#wanted(wanted)
    this.#taken.add(address)
    return address
  }

  /** Gives one back. */
  release(address: Ipv4): void {
    this.#taken.delete(address)
  }

  get #broadcast(): Ipv4 {
    return (this.network | ~maskOf(this.prefix)) >>> 0
  }

  #next(): Ipv4 {
    const count = this.#broadcast - this.gateway - 1
    for (let tried = 0; tried <= this.#taken.size && tried < count; tried++) {
      this.#last = this.#last + 1 < this.#broadcast ? this.#last + 1 : this.gateway + 1
      if (!this.#taken.has(this.#last)) return this.#last
    }
    return containerError('options', `${this.subnet} has no address left`, 'end a container, or make a larger network')
  }

  #wanted(text: string): Ipv4 {
    const address = parseIpv4(text)
    if (address === undefined || address <= this.gateway || address >= this.#broadcast)
      return containerError('options', `${text} is no address of ${this.subnet}`, 'give one, or leave it out')
    if (this.#taken.has(address))
      return containerError('options', `${text} is another container's`, 'give another one, or leave it out')
    return address
  }
}
