/** The network of a container: which one, as whom, what of it is published and what it may reach. */
import { VmexitError } from '@vmexit/core'
import { parseIpv4 } from '@vmexit/net'
import type { AllowRule } from '@vmexit/net/node'
import { type Command, InvalidArgumentError } from 'commander'
import { type PublishedPort, parseAllowance, parsePublication } from '../run-elf/network.ts'

/** As commander gives them. */
export interface NetworkFlags {
  readonly network: string
  readonly networkAlias?: readonly string[]
  readonly ip?: string
  readonly publish?: readonly PublishedPort[]
  readonly allow?: readonly AllowRule[]
  readonly addHost?: Readonly<Record<string, string>>
}

/** As they are kept. */
export interface NetworkPart {
  /** `bridge`, `none`, or a network that was made. */
  readonly network: string
  readonly aliases?: readonly string[]
  readonly address?: string
  readonly publish?: readonly PublishedPort[]
  readonly allow?: readonly AllowRule[]
  /** Addresses by name; `host-gateway` for this machine. */
  readonly hosts?: Readonly<Record<string, string>>
}

export function networkFlags(command: Command): Command {
  return command
    .optionsGroup('Its network:')
    .option(
      '--network <name>',
      'a network of `vmexit network create`; bridge, which is its own, with published ports; or none, loopback alone',
      'bridge',
    )
    .option('--network-alias <name>', 'a further name that others on its network find it by', listed)
    .option('--ip <address>', 'its address on its network', ipv4)
    .option('-p, --publish <port>', 'a port of this machine that leads to it: [[address:]port:]port[/udp]', publication)
    .option('--allow <host>', 'what it may reach outside: host[:port[-port]][/udp]; nothing unless stated', allowance)
    .option('--add-host <name:address>', 'a line of its /etc/hosts; host-gateway means this machine', host)
}

export function networkPart(flags: NetworkFlags): NetworkPart {
  const { network, networkAlias: aliases, ip: address, publish, allow, addHost: hosts } = flags
  if (network === 'host')
    refused(
      'a container has no network of this machine',
      'publish its ports by -p, and name what it reaches by --allow',
    )
  const isNone = network === 'none' || network === 'loopback'
  if (isNone && (aliases ?? address ?? publish ?? allow) !== undefined)
    refused('its network is none, and it is to be reached or to reach others', 'leave out --network none')
  if (network === 'bridge' && aliases !== undefined)
    refused('on bridge nobody looks for names', 'make a network: vmexit network create NAME')
  return {
    network,
    ...(aliases !== undefined && { aliases }),
    ...(address !== undefined && { address }),
    ...(publish !== undefined && { publish }),
    ...(allow !== undefined && { allow }),
    ...(hosts !== undefined && { hosts }),
  }
}

function refused(problem: string, remedy: string): never {
  throw new VmexitError('network-refused', { problem, remedy })
}

function listed(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
function publication(text: string, before: readonly PublishedPort[] = []): readonly PublishedPort[] {
  const parsed = parsePublication(text)
  if (parsed !== undefined) return [...before, parsed]
  throw new InvalidArgumentError('It must be a port, as 8080:80, 127.0.0.1:8080:80 or 53:53/udp.')
}
function allowance(text: string, before: readonly AllowRule[] = []): readonly AllowRule[] {
  const parsed = parseAllowance(text)
  if (parsed !== undefined) return [...before, parsed]
  throw new InvalidArgumentError('It must be a host, as deb.debian.org:80, *.debian.org or 192.0.2.0/24:53/udp.')
}
function ipv4(text: string): string {
  if (parseIpv4(text) !== undefined) return text
  throw new InvalidArgumentError('It must be an address, as 10.89.0.7.')
}
function host(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, name = '', address = ''] = /^([^\s:#]{1,253})[:=]([\w.-]+)$/.exec(text) ?? []
  if (address === 'host-gateway' || parseIpv4(address) !== undefined) return { ...before, [name]: address }
  throw new InvalidArgumentError('It must be a name and an address, as db:10.89.0.7 or host:host-gateway.')
}
