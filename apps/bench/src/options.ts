/** The command line. */
import { parseArgs } from 'node:util'
import { VmexitError } from '@vmexit/core'
import { SYSTEMS, type SystemName } from './systems.ts'

export interface Options {
  readonly rounds: number
  /** What takes part. */
  readonly systems: readonly SystemName[]
  /** The ratio below which the exit code is 1. */
  readonly atLeast: number
  readonly json: boolean
  readonly writeDocs: boolean
  readonly help: boolean
  /** Measure only this, here, and print the samples: what each round is made of. */
  readonly system: SystemName | undefined
}

const NAMES: readonly SystemName[] = SYSTEMS.map(({ name }) => name)

export const HELP = `Measures five integer kernels in 32-bit protected mode with paging, from one ROM image, against v86.

Each round runs vmexit's engines, v86 with its JIT and v86 without it, one after the other, in processes of their own;
the reference engine runs in the first round alone. Times are processor time, over many runs of each kernel, the first
ones left out. What kernels compute must be equal everywhere, what they retire under all engines.

  pnpm bench                       5 rounds, about two minutes
  pnpm bench --rounds 9
  pnpm bench --systems a,b         some systems, all unless stated:
                                   ${NAMES.join(', ')}
  pnpm bench --at-least 4          exit code 1 if the geometric mean of the first comparison is below 4
  pnpm bench --json                one JSON document instead of tables
  pnpm bench --write-docs          also writes docs/benchmarks.md
  pnpm bench --system v86          one system in this process, its samples as JSON
  pnpm bench --help
  pnpm bench boot --help           whole systems: Debian and workloads, against v86 and QEMU
  pnpm bench memory --help         a long run: does memory grow?
`

/** @throws VmexitError `bench-option` for what the command line does not know. */
export function parseOptions(args: readonly string[]): Options {
  const { rounds, system, systems, json, help, 'at-least': atLeast, 'write-docs': writeDocs } = parse(args)
  if (!/^\d+(\.\d+)?$/.test(atLeast)) throw refuse(`'${atLeast}' is no ratio`, 'give a number such as 4')
  const picked = systems === undefined ? NAMES : systemsOf(systems, NAMES)
  const one = system === undefined ? undefined : systemsOf(system, NAMES)[0]
  return { rounds: roundsOf(rounds), systems: picked, atLeast: Number(atLeast), system: one, json, writeDocs, help }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: { type: 'string', default: '5' },
        'at-least': { type: 'string', default: '0' },
        system: { type: 'string' },
        systems: { type: 'string' },
        json: { type: 'boolean', default: false },
        'write-docs': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (cause) {
    throw unknown(cause)
  }
}

/** The systems that `text` names, between commas, each once and in the order of `known`. */
export function systemsOf<Name extends string>(text: string, known: readonly Name[]): readonly Name[] {
  const named = text.split(',')
  const stranger = named.find((name) => !known.includes(name as Name))
  if (stranger !== undefined) throw refuse(`there is no system '${stranger}'`, `say ${known.join(', ')}`)
  return known.filter((name) => named.includes(name))
}

export function roundsOf(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw refuse(`'${text}' rounds`, 'give a number from 1 to 999')
  return Number(text)
}

/** A mistake on the command line. */
export function refuse(problem: string, remedy: string, cause?: unknown): VmexitError {
  return new VmexitError('bench-option', { problem, remedy, cause })
}

/** What `parseArgs` did not understand. */
export const unknown = (cause: unknown): VmexitError =>
  refuse((cause as Error).message.split('. ')[0]!, 'see --help', cause)
