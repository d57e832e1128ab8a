/** The command line of `bench fs`. */
import { parseArgs } from 'node:util'
import { refuse, unknown } from '../options.ts'
import { FS_SYSTEMS } from './systems.ts'

export interface FsOptions {
  readonly files: number
  readonly rounds: number
  readonly systems: readonly string[]
  /** Measures this one in this process, and prints it for the program that has started it. */
  readonly here: string | undefined
  readonly json: boolean
  readonly writeDocs: boolean
  readonly help: boolean
}

const NAMES = FS_SYSTEMS.map(({ name }) => name)

export const FS_HELP = `File systems: memfs, unionfs on it, tmpfs, and overlays on both. Many files of 4 KiB are created, looked up six times, read,
appended to and renamed by their paths, and their directories listed; each file system in a process of its own. The exit code is 1 if a bar is missed.

  pnpm bench fs                            100,000 files, three rounds
  pnpm bench fs --files 10000 --rounds 1   fewer, for a first look
  pnpm bench fs --systems tmpfs,memfs      of ${NAMES.join(', ')}
  pnpm bench fs --json                     one JSON document instead of tables
  pnpm bench fs --write-docs               also writes docs/benchmarks.md
  pnpm bench fs --help
`

/** @throws VmexitError `bench-option` for what the command line does not know. */
export function parseFsOptions(args: readonly string[]): FsOptions {
  const { values } = parse(args)
  const systems = values.systems?.split(',') ?? NAMES
  const strange = [...systems, ...(values.here === undefined ? [] : [values.here])].find(
    (each) => !NAMES.includes(each),
  )
  if (strange !== undefined) throw refuse(`there is no file system '${strange}'`, `say ${NAMES.join(', ')}`)
  return {
    files: whole(values.files, 'files'),
    rounds: whole(values.rounds, 'rounds'),
    systems,
    here: values.here,
    json: values.json,
    writeDocs: values['write-docs'],
    help: values.help,
  }
}

function whole(text: string, what: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw refuse(`'${text}' ${what}`, 'give a whole number from 1')
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        files: { type: 'string', default: '100000' },
        rounds: { type: 'string', default: '3' },
        systems: { type: 'string' },
        here: { type: 'string' },
        json: { type: 'boolean', default: false },
        'write-docs': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (cause) {
    throw unknown(cause)
  }
}
