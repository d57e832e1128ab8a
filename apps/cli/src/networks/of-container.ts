/**
 * The network of a container in this process. `bridge`, which it has unless told otherwise, is this process's own: published ports lead to it,
 * what --allow names is reached, and of other containers those of the same kernel alone. A network by name is a switch that other
 * processes are plugged in at, too. The way out is by sockets of this process in both cases: they end with it.
 */
import { type ContainerHost, type ContainerNetwork, type ContainerOptions, createNetwork } from '@vmexit/container'
import { hostOutside, type SwitchUplink } from '@vmexit/container/node'
import { VmexitError } from '@vmexit/core'
import { formatIpv4 } from '@vmexit/net'
import type { NetworkPart } from '../run/network-flags.ts'
import { Networks } from './record.ts'
import { plugIn } from './switch-process.ts'

/** Who joins. */
export interface Joiner {
  readonly id: string
  /** What it is called on the command line. */
  readonly name: string
  readonly idle: 'sleep' | 'skip'
  /** Tells its user something. */
  tell(text: string): void
}

/** A network that has been opened for a container. */
export interface OpenedNetwork {
  readonly options: Partial<ContainerOptions>
  /** Closes it, when its container has been disposed of. */
  close(): Promise<void>
}

/** The addresses of `bridge`: each process has them for itself. */
const BRIDGE = '10.88.0.0/24'
/** Denials that a user is told of. */
const MOST_TOLD = 100

/** Whether a container has a network, and not loopback alone. */
function hasNetwork({ network }: Pick<NetworkPart, 'network'>): boolean {
  return network !== 'none' && network !== 'loopback'
}

/** @throws VmexitError. */
export async function openNetworkOf(part: NetworkPart, host: ContainerHost, joiner: Joiner): Promise<OpenedNetwork> {
  const { network: name, aliases = [], address, publish = [], allow = [], hosts = {} } = part
  if (!hasNetwork(part)) return { options: { hosts: resolved(hosts, undefined) }, close: async () => {} }
  const isOpen = publish.length > 0 || allow.length > 0 || name !== 'bridge'
  if (joiner.idle === 'skip' && isOpen)
    throw new VmexitError('network-refused', {
      problem: 'time that is skipped while all programs wait does not wait for others either',
      remedy: 'leave out --idle skip; or --network, --publish and --allow',
    })
  const opened = name === 'bridge' ? bridgeOf(host) : await named(name, host, part, joiner)
  const { network } = opened
  opened.tells.add(joiner)
  return {
    options: {
      network,
      // Its ID is its name on the network; what people call it is another one.
      aliases: [...new Set([joiner.name, joiner.id.slice(0, 12), ...aliases])],
      ...((opened.uplink?.address ?? address) !== undefined && { address: opened.uplink?.address ?? address }),
      publish: publish.map(({ guestPort, ...one }) => ({ ...one, port: guestPort })),
      egress: allow,
      hosts: resolved(hosts, formatIpv4(network.gateway)),
    },
    async close() {
      opened.tells.delete(joiner)
      if (opened.tells.size > 0) return
      if (bridges.get(host) === opened) bridges.delete(host)
      await network[Symbol.asyncDispose]()
    },
  }
}

interface Opened {
  readonly network: ContainerNetwork
  readonly uplink?: SwitchUplink
  /** Whose containers are on it here. */
  readonly tells: Set<Joiner>
}

/** The bridge of each kernel, while somebody is on it. */
const bridges = new WeakMap<ContainerHost, Opened>()

function bridgeOf(host: ContainerHost): Opened {
  const known = bridges.get(host)
  if (known !== undefined) return known
  const opened = withOutside((outside) => ({ network: createNetwork({ host, subnet: BRIDGE, outside }) }))
  bridges.set(host, opened)
  return opened
}

async function named(name: string, host: ContainerHost, part: NetworkPart, joiner: Joiner): Promise<Opened> {
  const record = new Networks().find(name)
  const { aliases = [], address } = part
  const uplink = await plugIn(record, {
    name: joiner.id,
    aliases: [...new Set([joiner.name, joiner.id.slice(0, 12), ...aliases])],
    ...(address !== undefined && { address }),
    onGone: () => joiner.tell(`the switch of the network ${name} has gone: others on it are not reached any more`),
  })
  try {
    const { subnet } = uplink
    return withOutside((outside) => ({ network: createNetwork({ host, subnet, outside, uplink }), uplink }))
  } catch (error) {
    await uplink[Symbol.asyncDispose]()
    throw error
  }
}

function withOutside(make: (outside: ReturnType<typeof hostOutside>) => Omit<Opened, 'tells'>): Opened {
  const tells = new Set<Joiner>()
  const told = new Set<string>()
  const outside = hostOutside({
    onDenied({ protocol, host, port, container }) {
      const what = `${protocol} ${host}${protocol === 'dns' ? '' : `:${port}`}`
      if (told.has(`${container} ${what}`) || told.size >= MOST_TOLD) return
      told.add(`${container} ${what}`)
      const allow = protocol === 'dns' ? host : `${host}:${port}${protocol === 'udp' ? '/udp' : ''}`
      for (const one of tells)
        if (one.id === container) one.tell(`denied: ${what} (--allow ${allow} would let it through)`)
    },
  })
  return { ...make(outside), tells }
}

/** Lines of /etc/hosts: Docker's `host-gateway` is the way to this machine, as far as --allow lets it. */
function resolved(
  hosts: Readonly<Record<string, string>>,
  gateway: string | undefined,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(hosts).map(([name, address]) => {
      if (address !== 'host-gateway') return [name, address]
      if (gateway !== undefined) return [name, gateway]
      throw new VmexitError('network-refused', {
        problem: `${name} is to be the way to this machine, and the network is none`,
        remedy: 'leave out --network none, or this --add-host',
      })
    }),
  )
}
