/** The kernel that a container runs on: the simulated CPU, its memory, its time. Containers that share a kernel share these. */
import type { Engine } from '@vmexit/x86'
import { type Command, Option } from 'commander'
import { time, whole } from './flag-values.ts'

/** As commander gives them, and as they are kept. */
export interface MachinePart {
  readonly engine: Engine
  readonly ram: string
  readonly seed: number
  /** Seconds since 1970 at its start. */
  readonly time?: number
  readonly idle: 'sleep' | 'skip'
}

export function machineFlags(command: Command): Command {
  return command
    .optionsGroup('How it runs:')
    .addOption(
      new Option('--engine <name>', 'how the CPU is made fast; counts are equal')
        .choices(['jit', 'interpreter', 'reference'])
        .default('jit'),
    )
    .option('--ram <size>', 'RAM of the machine', '512M')
    .option('--seed <number>', 'what /dev/urandom gives', whole, 1)
    .addOption(new Option('--time <seconds>', "the time at the start, in seconds since 1970, or 'now'").argParser(time))
    .addOption(
      new Option('--idle <how>', 'while all programs wait: sleep as long, or skip to the next event')
        .choices(['sleep', 'skip'])
        .default('sleep'),
    )
}

export function machinePart({ engine, ram, seed, time, idle }: MachinePart): MachinePart {
  return { engine, ram, seed, ...(time !== undefined && { time }), idle }
}
