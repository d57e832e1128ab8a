/** DNS for guests: names that a rule allows are answered with the addresses that the gateway has for them, all others refused. */
import type { Ipv4 } from '../ip/address.ts'
import { received } from '../socket/socket.ts'
import type { UdpSocket } from '../socket/udp-socket.ts'
import type { NetStack } from '../stack.ts'
import { DnsCode, type DnsQuery, DnsType, readQuery, writeAnswer } from './dns.ts'

/** Names looked up at one time; further queries are dropped. */
const lookupLimit = 64

/** What the server needs of its gateway. */
export interface DnsServerOptions {
  allowsName(name: string): boolean
  /** The addresses of a name that is allowed; undefined where there is none of this name. */
  lookUp(name: string): Promise<readonly Ipv4[] | undefined>
  denied(name: string, guest: Ipv4): void
  /** An answer has been sent. */
  activity(): void
}

/** Answers at one address of a stack. */
export class DnsServer implements Disposable {
  readonly #options: DnsServerOptions
  readonly #socket: UdpSocket
  #lookups = 0

  constructor(stack: NetStack, address: Ipv4, options: DnsServerOptions) {
    this.#options = options
    this.#socket = stack.udpSocket()
    this.#socket.bind({ address, port: 53 })
    this.#socket.wake = () => this.#serve()
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }

  #serve(): void {
    const buffer = new Uint8Array(1500)
    const from = received()
    for (let size = this.#socket.receive(buffer, 0, from); size >= 0; size = this.#socket.receive(buffer, 0, from)) {
      const query = readQuery(buffer.subarray(0, size))
      if (query !== undefined && this.#lookups < lookupLimit) void this.#answer(query, { ...from })
    }
  }

  async #answer(query: DnsQuery, to: { readonly address: Ipv4; readonly port: number }): Promise<void> {
    this.#lookups++
    const answer = await this.#resolve(query, to.address)
    this.#lookups--
    this.#socket.send(answer, 0, to)
    this.#options.activity()
  }

  async #resolve(query: DnsQuery, guest: Ipv4): Promise<Uint8Array> {
    const { name, type } = query
    if (!this.#options.allowsName(name)) {
      this.#options.denied(name, guest)
      return writeAnswer(query, DnsCode.refused)
    }
    if (type === DnsType.aaaa) return writeAnswer(query, DnsCode.ok) // there is no IPv6
    if (type !== DnsType.a) return writeAnswer(query, DnsCode.notImplemented)
    const found = await this.#options.lookUp(name)
    return found === undefined ? writeAnswer(query, DnsCode.noSuchName) : writeAnswer(query, DnsCode.ok, found)
  }
}
