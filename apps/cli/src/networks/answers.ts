/** What a container's process says of its network: to who asks, and by itself. */
import type { NetworkMember } from '@vmexit/container'
import type { Answer } from '../hosted/hosted.ts'
import type { NetworkPart } from '../run/network-flags.ts'

/** By name. */
export function networkAnswers({ network }: NetworkPart, member: NetworkMember): Readonly<Record<string, Answer>> {
  return {
    network: () => ({
      ...{ network, address: member.address ?? null, gateway: member.gateway ?? null },
      published: member.published,
    }),
  }
}

/** As `vmexit ps` shows them. */
export function portsOf({ published }: NetworkMember): readonly string[] {
  return published.map(({ hostAddress, hostPort, port, protocol }) => `${hostAddress}:${hostPort}->${port}/${protocol}`)
}

/** Lines for whoever watches a container without a terminal, on its standard error; and for the log of its process, always. */
export class Notes {
  #listener: ((bytes: Uint8Array) => void) | undefined
  #waiting: Uint8Array[] = []

  tell(text: string): void {
    const line = `vmexit: ${text}\n`
    process.stderr.write(line)
    const bytes = new TextEncoder().encode(line)
    if (this.#listener !== undefined) this.#listener(bytes)
    else this.#waiting.push(bytes)
  }

  /** Somebody listens: to what there has been to say, too. */
  listen(listener: (bytes: Uint8Array) => void): void {
    this.#listener = listener
    for (const bytes of this.#waiting.splice(0)) listener(bytes)
  }

  /** Ports that this machine has chosen. */
  tellPorts({ publish = [] }: NetworkPart, { published }: NetworkMember): void {
    for (const [n, { hostAddress, hostPort, port, protocol }] of published.entries())
      if (publish[n]?.hostPort === 0) this.tell(`${hostAddress}:${hostPort} leads to port ${port}/${protocol}`)
  }
}
