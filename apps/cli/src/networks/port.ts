/** `vmexit port`: which ports of this machine lead to a container. */

import type { PublishedPort } from '@vmexit/container'
import { VmexitError } from '@vmexit/core'
import { ask } from '../hosted/client.ts'
import { containerNamed, running } from '../run/containers.ts'

/** What a container's process says of its network. */
export interface NetworkAnswer {
  readonly network: string
  readonly address: string | null
  readonly gateway: string | null
  readonly published: readonly PublishedPort[]
}

/** Prints all of them, or those of one port. @throws VmexitError `port-unpublished`. */
export async function port(word: string, wanted?: string): Promise<void> {
  const container = containerNamed(word)
  await running(container)
  const answer = await ask(container, { do: 'network' })
  const { published } = (typeof answer === 'object' ? answer : { published: [] }) as unknown as NetworkAnswer
  if (wanted === undefined) {
    for (const { protocol, hostAddress, hostPort, port: inside } of published)
      process.stdout.write(`${inside}/${protocol} -> ${hostAddress}:${hostPort}\n`)
    return
  }
  const [number, protocol = 'tcp'] = wanted.split('/')
  const found = published.filter((one) => String(one.port) === number && one.protocol === protocol)
  if (found.length === 0)
    throw new VmexitError('port-unpublished', {
      problem: `port ${number}/${protocol} of ${word} is not published`,
      remedy: `see which are: vmexit port ${word}; publish by -p when it is made`,
    })
  for (const { hostAddress, hostPort } of found) process.stdout.write(`${hostAddress}:${hostPort}\n`)
}
