/** What a container says of its network: which one, as whom, what is published of it and what it may reach. */
import { type AllowRule, parseIpv4 } from '@vmexit/net'
import { containerError } from './errors.ts'
import type { ContainerHost } from './host.ts'
import type { ContainerNetwork } from './network.ts'
import { NetworkMember } from './network-member.ts'
import type { Publication } from './network-outside.ts'

/** The network of a container. */
export interface NetworkOfContainer {
  /** A network of its host. Unless stated it has loopback alone, which is up: Docker's `none`. */
  readonly network?: ContainerNetwork
  /** Names that others on its network find it by, beside its own. */
  readonly aliases?: readonly string[]
  /** Its address there; the next one that is free unless stated. */
  readonly address?: string
  /** Ports of the host that lead to it. */
  readonly publish?: readonly Publication[]
  /** What it may reach outside of its network; nothing unless stated. */
  readonly egress?: readonly AllowRule[]
  /** Further lines of its /etc/hosts: addresses by name. */
  readonly hosts?: Readonly<Record<string, string>>
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/

/** Makes the network namespace of a container, before there is one. @throws VmexitError `container-options` and others. */
export async function joinNetwork(
  host: ContainerHost,
  options: NetworkOfContainer & { readonly name?: string },
): Promise<NetworkMember> {
  const { network, aliases, address, publish = [], egress = [], hosts = {} } = options
  const name = options.name ?? `container-${host.nextNumber()}`
  if (!NAME.test(name)) containerError('options', `${name} is no name`, 'give letters, digits, _, . and -, 63 at most')
  for (const [other, at] of Object.entries(hosts))
    if (!/^[^\s\0#]{1,253}$/.test(other) || parseIpv4(at) === undefined)
      containerError('options', `${other} at ${at} is no line of /etc/hosts`, 'give a name, and an address')
  if (network === undefined) {
    if (publish.length > 0 || egress.length > 0 || aliases !== undefined || address !== undefined)
      containerError(
        'options',
        'it has no network to be reached on, or to reach others by',
        'give it one: createNetwork()',
      )
    const { kernel } = host
    return new NetworkMember({ host, name, hosts, namespace: kernel.network.newNamespace(kernel.ns.user) })
  }
  if (network.host !== host)
    containerError('options', 'the network is that of another host', 'give the host that it was made with')
  const member = network.join({
    ...{ name, hosts },
    ...(aliases !== undefined && { aliases }),
    ...(address !== undefined && { address }),
  })
  try {
    await network.expose(member, { publish, egress })
    return member
  } catch (error) {
    await member[Symbol.asyncDispose]()
    throw error
  }
}
