/** The command line of `bench memory`. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Engine } from '@vmexit/x86'
import { FOLDER } from '../boot/options.ts'
import { ENGINES } from '../engines.ts'
import { refuse, unknown } from '../options.ts'

export interface MemoryOptions {
  readonly engine: Engine
  readonly instructions: number
  readonly kernel: string
  readonly initrd: string
  readonly json: boolean
  readonly writeDocs: boolean
  readonly help: boolean
}

const NAMES = ENGINES.map(({ engine }) => engine)

export const MEMORY_HELP = `Does memory grow? Boots Debian's kernel with a shell that forks and executes a program over and over, and looks at the
memory of this process after each tenth of the instructions, from the first programs on: as it is, and after garbage was
collected. The exit code is 1 if the latter is at any later look more than 5 % above its level after the first tenth.

  pnpm bench memory [FOLDER]               FOLDER has vmlinuz and initramfs.cpio.gz; ../shared/bench unless stated
  pnpm bench memory --engine interpreter   of ${NAMES.join(', ')}; the first unless stated
  pnpm bench memory --instructions 1e10    1e11 unless stated, from 1e9: that takes minutes
  pnpm bench memory --kernel FILE --initrd FILE
  pnpm bench memory --json                 one JSON document instead of a table
  pnpm bench memory --write-docs           also writes docs/benchmarks.md
  pnpm bench memory --help
`

/** Fewer, and a tenth may have no program in it. */
const LEAST = 1e9

/** @throws VmexitError `bench-option` for what the command line does not know. */
export function parseMemoryOptions(args: readonly string[]): MemoryOptions {
  const { values, positionals } = parse(args)
  const [folder = FOLDER, ...more] = positionals
  if (more.length > 0) throw refuse(`'${more[0]}' comes after the folder`, 'name one folder')
  const engine = NAMES.find((name) => name === values.engine)
  if (engine === undefined) throw refuse(`there is no engine '${values.engine}'`, `say ${NAMES.join(', ')}`)
  const instructions = Number(values.instructions)
  if (!Number.isSafeInteger(instructions) || instructions < LEAST)
    throw refuse(`'${values.instructions}' instructions`, 'give a whole number from 1e9, such as 1e11')
  return {
    engine,
    instructions,
    kernel: values.kernel ?? join(folder, 'vmlinuz'),
    initrd: values.initrd ?? join(folder, 'initramfs.cpio.gz'),
    json: values.json,
    writeDocs: values['write-docs'],
    help: values.help,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        engine: { type: 'string', default: NAMES[0]! },
        instructions: { type: 'string', default: '1e11' },
        kernel: { type: 'string' },
        initrd: { type: 'string' },
        json: { type: 'boolean', default: false },
        'write-docs': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (cause) {
    throw unknown(cause)
  }
}
