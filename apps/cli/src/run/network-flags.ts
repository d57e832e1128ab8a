/** The network of a container: loopback alone. */
import type { ContainerOptions } from '@vmexit/container'
import { type Command, Option } from 'commander'

/** As commander gives them. */
export interface NetworkFlags {
  readonly network: string
}

/** As they are kept. */
export interface NetworkPart {
  readonly network: string
}

export function networkFlags(command: Command): Command {
  return command
    .optionsGroup('Its network:')
    .addOption(
      new Option('--network <how>', 'its own, which is loopback alone; none means the same')
        .choices(['none', 'loopback'])
        .default('loopback'),
    )
}

export function networkPart({ network }: NetworkFlags): NetworkPart {
  return { network }
}

export function networkOptions(_part: NetworkPart): Partial<ContainerOptions> {
  return {}
}
