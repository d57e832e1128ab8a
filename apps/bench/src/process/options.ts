/** The command line of `bench process`. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { FOLDER } from '../boot/options.ts'
import { refuse, unknown } from '../options.ts'

export interface ProcessOptions {
  readonly rounds: number
  readonly kernel: string
  readonly initrd: string
  /** Measures this one in this process, and prints it for the program that has started it. */
  readonly here: Here | undefined
  readonly json: boolean
  readonly writeDocs: boolean
  readonly help: boolean
}

/** What a process of its own measures: the kernel's work here or in a PC, the computing of programs here or under QEMU. */
export const HERE = ['calls-process', 'calls-pc', 'programs-process', 'programs-qemu-user'] as const
export type Here = (typeof HERE)[number]

export const PROCESS_HELP = `Linux programs as bare processes on our kernel. What the kernel does for them (system calls, pipes, processes, files), against the
same programs in a PC of ours under Debian's kernel, on the same engine; what they compute, against QEMU's user mode (Debian: qemu-user-static).
Each in a process of its own. The exit code is 1 if a bar is missed.

  pnpm bench process [FOLDER]   FOLDER has vmlinuz and initramfs.cpio.gz; ../shared/bench unless stated. Three rounds
  pnpm bench process --rounds 1
  pnpm bench process --kernel FILE --initrd FILE
  pnpm bench process --json     one JSON document instead of tables
  pnpm bench process --write-docs   also writes docs/benchmarks.md
  pnpm bench process --help
`

/** @throws VmexitError `bench-option` for what the command line does not know. */
export function parseProcessOptions(args: readonly string[]): ProcessOptions {
  const { values, positionals } = parse(args)
  const [folder = FOLDER, ...more] = positionals
  if (more.length > 0) throw refuse(`'${more[0]}' comes after the folder`, 'name one folder')
  const rounds = Number(values.rounds)
  if (!Number.isSafeInteger(rounds) || rounds < 1)
    throw refuse(`'${values.rounds}' rounds`, 'give a whole number from 1')
  const here = HERE.find((each) => each === values.here)
  if (values.here !== undefined && here === undefined)
    throw refuse(`nothing here is called '${values.here}'`, `say ${HERE.join(', ')}`)
  return {
    rounds,
    kernel: values.kernel ?? join(folder, 'vmlinuz'),
    initrd: values.initrd ?? join(folder, 'initramfs.cpio.gz'),
    here,
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
        rounds: { type: 'string', default: '3' },
        kernel: { type: 'string' },
        initrd: { type: 'string' },
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
