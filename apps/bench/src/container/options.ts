/** The command line of `bench container`. */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { refuse, unknown } from '../options.ts'
import { BUSYBOX, DEBIAN } from './image.ts'

export interface ContainerOptions {
  readonly rounds: number
  readonly busybox: string
  /** `undefined` where there is none. */
  readonly debian: string | undefined
  /** Measures this one in this process, and prints it for the program that has started it. */
  readonly here: Here | undefined
  readonly json: boolean
  readonly writeDocs: boolean
  readonly help: boolean
}

/** What a process of its own measures. */
export const HERE = ['start', 'sh', 'sleep', 'work'] as const
export type Here = (typeof HERE)[number]

export const CONTAINER_HELP = `What containers cost: from nothing to the end of /bin/true, beside Debian's runc; 500 of them that wait; and the work of programs in one
beside that of bare processes of the same kernel. Each in a process of its own. It needs root, runc, and what \`vmexit guests busybox\`
fetches; with what \`vmexit guests debian-root\` makes there is Debian, too. The exit code is 1 if a bar is missed.

  pnpm bench container                 three rounds
  pnpm bench container --rounds 1
  pnpm bench container --busybox FILE --debian FILE   initramfs.gz and root.tar, as the guests have them
  pnpm bench container --json          one JSON document instead of tables
  pnpm bench container --write-docs    also writes docs/benchmarks.md
  pnpm bench container --help
`

/** @throws VmexitError `bench-option` for what the command line does not know. */
export function parseContainerOptions(args: readonly string[]): ContainerOptions {
  const values = parse(args)
  const rounds = Number(values.rounds)
  if (!Number.isSafeInteger(rounds) || rounds < 1)
    throw refuse(`'${values.rounds}' rounds`, 'give a whole number from 1')
  const here = HERE.find((each) => each === values.here)
  if (values.here !== undefined && here === undefined)
    throw refuse(`nothing here is called '${values.here}'`, `say ${HERE.join(', ')}`)
  const { busybox, debian = existsSync(DEBIAN) ? DEBIAN : undefined, json, help } = values
  return { rounds, busybox, debian, here, json, writeDocs: values['write-docs'], help }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: { type: 'string', default: '3' },
        busybox: { type: 'string', default: BUSYBOX },
        debian: { type: 'string' },
        here: { type: 'string' },
        json: { type: 'boolean', default: false },
        'write-docs': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (cause) {
    throw unknown(cause)
  }
}
