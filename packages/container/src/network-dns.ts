/**
 * The DNS server of a network (RFC 1035, RFC 2308): the names of its containers come from here, with authority; all others do not exist,
 * but for those that the rules of whoever asks allow to ask for outside. It answers addresses of whoever asks alone, so it is no amplifier.
 */
import {
  DnsCode,
  type DnsQuery,
  DnsType,
  type Ipv4,
  type NetStack,
  readQuery,
  received,
  type UdpSocket,
  writeAnswer,
} from '@vmexit/net'

const PORT = 53
/** The largest query that is read; larger ones are cut, and are then none. */
const LARGEST = 1500
/** Names being looked up outside at one time, for all and for one container; further queries are dropped, and asked again. */
const MOST_LOOKUPS = 64
const MOST_LOOKUPS_OF_ONE = 16

/** Whom it asks. */
export interface NameSource {
  /** Addresses of the network's own names. */
  lookup(name: string): readonly Ipv4[]
  /** Those of others, for a container; `refused` where it may not ask, undefined where there are none. */
  lookupOutside(container: Ipv4, name: string): Promise<readonly Ipv4[] | 'refused' | undefined> | undefined
  /** An answer was sent while nobody ran. */
  wake(): void
}

/** What there is to say to a query for one of the network's own names; undefined where it is another's. */
export function answerOwn({ lookup }: Pick<NameSource, 'lookup'>, query: DnsQuery): Uint8Array | undefined {
  const addresses = lookup(query.name)
  if (addresses.length === 0) return undefined
  // A name that is there has no addresses but IPv4 ones, and nothing else (RFC 2308, section 2.2).
  return writeAnswer(query, DnsCode.ok, query.type === DnsType.a ? addresses : [], true)
}

/** Answers at one address of a stack. */
export class NetworkDns implements Disposable {
  readonly #names: NameSource
  readonly #socket: UdpSocket
  /** By who asks. */
  readonly #lookups = new Map<Ipv4, number>()
  #all = 0

  constructor(stack: NetStack, address: Ipv4, names: NameSource) {
    this.#names = names
    this.#socket = stack.udpSocket()
    this.#socket.bind({ address, port: PORT })
    this.#socket.wake = () => this.#serve()
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }

  #serve(): void {
    const buffer = new Uint8Array(LARGEST)
    const from = received()
    for (let size = this.#socket.receive(buffer, 0, from); size >= 0; size = this.#socket.receive(buffer, 0, from)) {
      const query = readQuery(buffer.subarray(0, size))
      if (query !== undefined) this.#answer(query, { address: from.address, port: from.port })
    }
  }

  #answer(query: DnsQuery, to: { readonly address: Ipv4; readonly port: number }): void {
    const own = answerOwn(this.#names, query)
    if (own !== undefined) {
      this.#socket.send(own, 0, to)
      return
    }
    const count = this.#lookups.get(to.address) ?? 0
    if (this.#all >= MOST_LOOKUPS || count >= MOST_LOOKUPS_OF_ONE) return
    const looking = this.#names.lookupOutside(to.address, query.name)
    if (looking === undefined) {
      this.#socket.send(writeAnswer(query, DnsCode.noSuchName, [], true), 0, to)
      return
    }
    this.#all++
    this.#lookups.set(to.address, count + 1)
    void looking
      .catch(() => undefined)
      .then((found) => {
        this.#all--
        const left = (this.#lookups.get(to.address) ?? 1) - 1
        if (left > 0) this.#lookups.set(to.address, left)
        else this.#lookups.delete(to.address)
        this.#socket.send(answerOfOutside(query, found), 0, to)
        this.#names.wake()
      })
  }
}

function answerOfOutside(query: DnsQuery, found: readonly Ipv4[] | 'refused' | undefined): Uint8Array {
  if (found === 'refused') return writeAnswer(query, DnsCode.refused)
  if (found === undefined) return writeAnswer(query, DnsCode.noSuchName)
  return writeAnswer(query, DnsCode.ok, query.type === DnsType.a ? found : [])
}
