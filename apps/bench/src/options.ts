/** The command line. */
import { parseArgs } from 'node:util'
import { VmexitError } from '@vmexit/core'
import { SYSTEMS, type SystemName } from './systems.ts'

export interface Options {
  readonly rounds: number
  /** The ratio below which the exit code is 1. */
  readonly atLeast: number
  readonly json: boolean
  readonly writeDocs: boolean
  readonly help: boolean
  /** Measure only this, here, and print the samples: what each round is made of. */
  readonly system: SystemName | undefined
}

export const HELP = `Measures five integer kernels in 32-bit protected mode with paging, from one ROM image, against v86.

Each round runs vmexit's interpreter, v86 without its JIT and v86 with it, one after the other, in processes of their
own; the first round runs the reference engine too. Times are processor time, over many runs of each kernel, the first
ones left out. What kernels compute must be equal everywhere, what they retire under both engines.

  pnpm bench                  5 rounds, about two minutes
  pnpm bench --rounds 9
  pnpm bench --at-least 4     exit code 1 if the geometric mean of the ratios is below 4
  pnpm bench --json           one JSON document instead of tables
  pnpm bench --write-docs     also writes docs/benchmarks.md
  pnpm bench --system v86     one system in this process, its samples as JSON:
                              ${SYSTEMS.map(({ name }) => name).join(', ')}
  pnpm bench --help
  pnpm bench boot --help      whole systems: Debian and workloads
`

/** @throws VmexitError `bench-option` for what the command line does not know. */
export function parseOptions(args: readonly string[]): Options {
  const { rounds, system, json, help, 'at-least': atLeast, 'write-docs': writeDocs } = parse(args)
  const known = SYSTEMS.find(({ name }) => name === system)
  if (system !== undefined && known === undefined) {
    throw refuse(`there is no system '${system}'`, `say ${SYSTEMS.map(({ name }) => name).join(', ')}`)
  }
  if (!/^[1-9]\d{0,2}$/.test(rounds)) throw refuse(`'${rounds}' rounds`, 'give a number from 1 to 999')
  if (!/^\d+(\.\d+)?$/.test(atLeast)) throw refuse(`'${atLeast}' is no ratio`, 'give a number such as 4')
  return { rounds: Number(rounds), atLeast: Number(atLeast), system: known?.name, json, writeDocs, help }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: { type: 'string', default: '5' },
        'at-least': { type: 'string', default: '0' },
        system: { type: 'string' },
        json: { type: 'boolean', default: false },
        'write-docs': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (cause) {
    throw refuse((cause as Error).message.split('. ')[0]!, 'see --help', cause)
  }
}

/** A mistake on the command line. */
export function refuse(problem: string, remedy: string, cause?: unknown): VmexitError {
  return new VmexitError('bench-option', { problem, remedy, cause })
}
