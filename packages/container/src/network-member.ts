/** A container on a network, or on none: its network namespace, what of it is open outside, and the end of all that. */
import type { NetNamespace } from '@vmexit/linux'
import { type Account, type AllowRule, formatIpv4, type Ipv4 } from '@vmexit/net'
import type { ContainerHost } from './host.ts'
import type { Outside, Publication, PublishedPort } from './network-outside.ts'

/** A card on a network. */
export interface Card {
  readonly address: Ipv4
  readonly prefix: number
  readonly gateway: Ipv4
  readonly outside: Outside | undefined
  /** Its container goes: the network forgets it. */
  left(): void
}

/** What a member is made of. */
export interface MemberOptions {
  readonly host: ContainerHost
  readonly name: string
  readonly namespace: NetNamespace
  /** Further lines of /etc/hosts. */
  readonly hosts: Readonly<Record<string, string>>
  /** Undefined where it has loopback alone. */
  readonly card?: Card
}

/** States of connections for which nobody waits. */
const QUIET: ReadonlySet<string> = new Set(['closed', 'listen', 'time-wait', 'fin-wait-2'])

/** How long a frame is on its way from one container to another, and more: nanoseconds. */
const UNDER_WAY = 1e6

/** The network that a container has. */
export class NetworkMember implements AsyncDisposable {
  readonly name: string
  readonly namespace: NetNamespace
  readonly #options: MemberOptions
  readonly #published: PublishedPort[] = []
  /** Pays for buffers of what is open outside; until there is one, nothing comes in. */
  payer: Account | undefined
  #hasEgress = false
  #isOver = false

  /** @internal */
  constructor(options: MemberOptions) {
    this.#options = options
    this.name = options.name
    this.namespace = options.namespace
  }

  /** `10.88.1.2`; undefined where it has loopback alone. */
  get address(): string | undefined {
    const { card } = this.#options
    return card && formatIpv4(card.address)
  }
  /** `10.88.1.1`, where DNS answers, too. */
  get gateway(): string | undefined {
    const { card } = this.#options
    return card && formatIpv4(card.gateway)
  }
  /** The ports of the host that lead to it. */
  get published(): readonly PublishedPort[] {
    return this.#published
  }
  /** Whether it may reach something outside. */
  get hasEgress(): boolean {
    return this.#hasEgress
  }

  /** What /etc/hosts and /etc/resolv.conf say in it. */
  files(hostname: string): { readonly hosts: string; readonly resolver?: string } {
    const { hosts } = this.#options
    const others = Object.entries(hosts).map(([name, address]) => `${address}\t${name}\n`)
    if (this.address === undefined) return { hosts: [`127.0.0.1\tlocalhost ${hostname}\n`, ...others].join('') }
    return {
      hosts: ['127.0.0.1\tlocalhost\n', `${this.address}\t${hostname}\n`, ...others].join(''),
      resolver: `nameserver ${this.gateway}\noptions ndots:0\n`,
    }
  }

  /** @internal See `ContainerNetwork.expose`. */
  async expose(publish: readonly Publication[], egress: readonly AllowRule[]): Promise<void> {
    const { card } = this.#options
    if (card?.outside === undefined) return
    this.#hasEgress = egress.length > 0
    card.outside.admit(card.address, {
      rules: egress,
      account: {
        charge: (bytes) => this.payer?.charge(bytes) ?? false,
        release: (bytes) => this.payer?.release(bytes),
      },
    })
    for (const one of publish) this.#published.push(await card.outside.publish(card.address, one))
  }

  /**
   * Lets what its programs have sent arrive, though they have ended; not for long. What is open then is reset, and its card,
   * its names and its ports go.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    const { host, namespace, card } = this.#options
    const { tcp } = namespace.stack
    if (card !== undefined) {
      await host.settle(() => [...tcp.connections].some(({ state }) => !QUIET.has(state)))
      await card.outside?.dismiss(card.address)
    }
    for (const connection of [...tcp.connections]) connection.abort()
    if (card !== undefined) {
      // Whoever it was connected with learns of the end.
      const { clock } = host.kernel.network
      const arrived = clock.now + clock.ticks(UNDER_WAY)
      await host.settle(() => clock.now < arrived && clock.deadline <= arrived)
      card.left()
    }
    namespace.leave()
  }
}
