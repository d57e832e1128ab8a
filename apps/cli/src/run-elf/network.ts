/** The network of a program that is run: loopback alone, or a card at a gateway to this machine, by which nothing is reached that was not named. */
import { VmexitError } from '@vmexit/core'
import type { LinuxKernel } from '@vmexit/linux'
import { cable } from '@vmexit/net'
import { type AllowRule, type Gateway, openGateway, type Publication } from '@vmexit/net/node'

/** Where the card, the gateway and its DNS are. */
const ADDRESS = '10.0.2.15'
const GATEWAY = '10.0.2.2'
const DNS = '10.0.2.3'
/** What a program that has ended still sends is waited for: milliseconds. */
const PATIENCE = 1000

/** A port of this machine that leads to one of the program's; it has no protocol but that of the publication. */
export type PublishedPort = Pick<Publication, 'protocol' | 'hostAddress' | 'hostPort' | 'guestPort'>

/** What the command line says of the network. */
export interface NetworkFlags {
  readonly network?: 'none' | 'gateway'
  readonly publish?: readonly PublishedPort[]
  readonly allow?: readonly AllowRule[]
  readonly idle: 'sleep' | 'skip'
}

/** `[[address:]port:]port[/udp]`: undefined where it is none. */
export function parsePublication(text: string): PublishedPort | undefined {
  const found = /^(?:(?:([\d.]+):)?(\d{0,5}):)?(\d{1,5})(?:\/(tcp|udp))?$/.exec(text)
  if (found === null) return undefined
  const [, hostAddress, host, guest, protocol] = found
  const [hostPort, guestPort] = [Number(host || 0), Number(guest)]
  if (hostPort > 65_535 || guestPort > 65_535 || guestPort === 0) return undefined
  return {
    ...{ hostPort, guestPort },
    ...(hostAddress !== undefined && { hostAddress }),
    ...(protocol === 'udp' && { protocol: 'udp' as const }),
  }
}

/** `host[:port[-port]][/udp]`, a host being a name, an address or a network: undefined where it is none. */
export function parseAllowance(text: string): AllowRule | undefined {
  const found = /^([\w.*-]+(?:\/\d{1,2})?)(?::(\d{1,5})(?:-(\d{1,5}))?)?(?:\/(tcp|udp))?$/.exec(text)
  if (found === null) return undefined
  const [, host = '', first, last, protocol] = found
  if ([first, last].some((port) => Number(port ?? 1) > 65_535 || Number(port ?? 1) === 0)) return undefined
  return {
    host: host === GATEWAY ? '127.0.0.1' : host,
    ...(first !== undefined && { ports: [Number(first), Number(last ?? first)] as const }),
    ...(protocol !== undefined && { protocol: protocol as 'tcp' | 'udp' }),
  }
}

/** An open gateway, and the end of it. */
export interface Network {
  readonly gateway: Gateway
  /** Lets go what is under way, and closes every socket of this machine. */
  close(): Promise<void>
}

/**
 * Gives a kernel a card at a gateway; undefined where only loopback is wanted. `came` is told when something has come from outside,
 * and `tell` what a user should know.
 */
export async function openNetwork(
  kernel: LinuxKernel,
  { network, publish = [], allow = [], idle }: NetworkFlags,
  seed: number,
  came: () => void,
  tell: (text: string) => void,
): Promise<Network | undefined> {
  const isWanted = publish.length > 0 || allow.length > 0
  if (network === 'none' && isWanted) {
    throw new VmexitError('network-refused', {
      problem: 'ports are published or hosts allowed, and the network is none',
      remedy: 'leave out --network none, or --publish and --allow',
    })
  }
  if (network !== 'gateway' && !isWanted) return undefined
  if (idle === 'skip') {
    throw new VmexitError('network-refused', {
      problem: 'time that is skipped while all programs wait does not wait for this machine either',
      remedy: 'leave out --idle skip',
    })
  }
  const { stack } = kernel.ns.net
  const [card, port] = cable(kernel.network.clock)
  const device = stack.addEthernet({ name: 'eth0' }, card)
  if (device === undefined) throw new Error('unreachable: a new kernel has no eth0')
  stack.configure(device, `${ADDRESS}/24`)
  stack.addRoute('0.0.0.0/0', GATEWAY)
  const denied = new Set<string>()
  const gateway = await openGateway({
    ...{ clock: kernel.network.clock, seed: seed + 1, port, allow, onActivity: came },
    publish: publish.map((one) => ({ ...one, guestAddress: ADDRESS })),
    onDenied({ protocol, host, port }) {
      const what = `${protocol} ${host}${protocol === 'dns' ? '' : `:${port}`}`
      if (denied.has(what) || denied.size > 100) return
      denied.add(what)
      tell(`denied: ${what} (--allow ${protocol === 'dns' ? host : `${host}:${port}`} would let it through)`)
    },
  })
  for (const [n, { hostAddress = '127.0.0.1', hostPort, guestPort, protocol = 'tcp' }] of gateway.published.entries())
    if (publish[n]?.hostPort === 0) tell(`${hostAddress}:${hostPort} leads to port ${guestPort}/${protocol}`)
  return {
    gateway,
    async close() {
      await settle(kernel)
      await gateway[Symbol.asyncDispose]()
    },
  }
}

/** Lets time pass until nothing is on its way to the gateway any more, but not for long. */
async function settle(kernel: LinuxKernel): Promise<void> {
  const { stack } = kernel.ns.net
  const end = performance.now() + PATIENCE
  const isBusy = (): boolean =>
    [...stack.tcp.connections].some(({ state }) => state !== 'time-wait' && state !== 'closed' && state !== 'listen')
  while (isBusy() && performance.now() < end) {
    kernel.skipTo(Math.min(kernel.timers.next, kernel.now + 1e6))
    kernel.step(1000)
    await new Promise<void>((done) => setImmediate(done))
  }
}

/** What /etc/resolv.conf says of the gateway's DNS. */
export const resolver = `nameserver ${DNS}\n`
