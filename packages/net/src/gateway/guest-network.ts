/** A gateway's own end of a network of guests: a stack at their link, with its addresses there and a DHCP server. */
import { type Clock, VmexitError } from '@vmexit/core'
import { formatIpv4, type Ipv4, maskOf, parseCidr } from '../ip/address.ts'
import type { Port } from '../link/port.ts'
import { NetStack } from '../stack.ts'
import { DhcpServer } from './dhcp.ts'

/** Where the guests are. */
export interface GuestNetworkOptions {
  readonly clock: Clock
  readonly seed: number
  /** The link to the guests: the end of a cable, a port of a bridge. */
  readonly port: Port
  /** The guests' network: the gateway has its second address, DNS its third, DHCP gives out those from the 15th on. 10.0.2.0/24 unless stated. */
  readonly network?: string
}

/** Addresses given out by DHCP. */
const leaseLimit = 1024

/** What a gateway has there. Disposing it ends DHCP. */
export class GuestNetwork implements Disposable {
  readonly stack: NetStack
  readonly network: { readonly address: Ipv4; readonly prefix: number }
  /** The gateway's address, and that of DNS. */
  readonly address: Ipv4
  readonly dns: Ipv4
  readonly #dhcp: DhcpServer

  /** @throws VmexitError `net-gateway` where the network is none. */
  constructor({ clock, seed, port, network = '10.0.2.0/24' }: GuestNetworkOptions) {
    const parsed = parseCidr(network)
    if (parsed === undefined || parsed.prefix > 27 || (parsed.address & ~maskOf(parsed.prefix)) !== 0) {
      throw new VmexitError('net-gateway', {
        problem: `${network} is no network for guests`,
        remedy: 'give one of at least 32 addresses, such as 10.0.2.0/24',
      })
    }
    this.network = parsed
    this.address = parsed.address + 2
    this.dns = parsed.address + 3
    this.stack = new NetStack({ clock, seed })
    const device = this.stack.addEthernet({ name: 'eth0' }, port)
    if (device === undefined) throw new Error('unreachable: a new stack has no eth0')
    this.stack.configure(device, `${formatIpv4(this.address)}/${parsed.prefix}`)
    this.stack.configure(device, `${formatIpv4(this.dns)}/${parsed.prefix}`)
    const last = (parsed.address | ~maskOf(parsed.prefix)) >>> 0
    this.#dhcp = new DhcpServer(this.stack, device, {
      ...{ address: this.address, prefix: parsed.prefix, router: this.address, dns: this.dns },
      range: [parsed.address + 15, Math.min(last - 1, parsed.address + 14 + leaseLimit)],
    })
  }

  [Symbol.dispose](): void {
    this.#dhcp[Symbol.dispose]()
  }
}
