/** The command line of `bench boot`. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { refuse } from '../options.ts'
import { BOOT_TITLES, type BootSystem } from './names.ts'

export interface BootOptions {
  readonly rounds: number
  readonly kernel: string
  readonly initrd: string
  /** Words for the kernel's command line, behind those that are always there. */
  readonly append: string
  /** Names of workloads between commas, or `none`; all unless stated. */
  readonly workloads: string | undefined
  /** Folder of SeaBIOS, which v86 boots by. */
  readonly bios: string
  readonly jit: boolean
  readonly json: boolean
  readonly writeDocs: boolean
  readonly runs: string | undefined
  readonly help: boolean
  /** Boot only this, here, and print the record. */
  readonly system: BootSystem | undefined
}

const FOLDER = fileURLToPath(new URL('../../../../../shared/bench', import.meta.url))

export const BOOT_HELP = `Boots Debian's kernel with workloads for its /init, under vmexit's interpreter and v86 without its JIT.

Each round boots twice per system, in processes of their own: once as the kernel is, to /init, and once without its tests
of ciphers (cryptomgr.notests), with the workloads. Times are processor time. What the workloads print must be equal.

  pnpm bench boot [FOLDER]           FOLDER has vmlinuz and initramfs.cpio.gz; ../shared/bench unless stated
  pnpm bench boot --rounds 3         1 unless stated: a round takes some ten minutes
  pnpm bench boot --kernel FILE --initrd FILE
  pnpm bench boot --workloads a,b    some of the workloads, or none
  pnpm bench boot --jit              v86 with its JIT, too
  pnpm bench boot --bios FOLDER      SeaBIOS for v86; /usr/share/seabios unless stated
  pnpm bench boot --runs FOLDER      also writes each record there, as SYSTEM.ROUND.json
  pnpm bench boot --json             one JSON document instead of tables
  pnpm bench boot --write-docs       also writes docs/benchmarks.md
  pnpm bench boot --system v86       one boot in this process, its record as JSON: ${Object.keys(BOOT_TITLES).join(', ')}
  pnpm bench boot --append WORDS     for that one
`

/** @throws VmexitError `bench-option` for what the command line does not know. */
export function parseBootOptions(args: readonly string[]): BootOptions {
  const { values, positionals } = parse(args)
  const { rounds, system } = values
  const [folder = FOLDER, ...more] = positionals
  if (more.length > 0) throw refuse(`'${more[0]}' comes after the folder`, 'name one folder')
  if (system !== undefined && !(system in BOOT_TITLES))
    throw refuse(`there is no system '${system}'`, `say ${Object.keys(BOOT_TITLES).join(', ')}`)
  if (!/^[1-9]\d{0,2}$/.test(rounds)) throw refuse(`'${rounds}' rounds`, 'give a number from 1 to 999')
  return {
    rounds: Number(rounds),
    kernel: values.kernel ?? join(folder, 'vmlinuz'),
    initrd: values.initrd ?? join(folder, 'initramfs.cpio.gz'),
    append: values.append,
    workloads: values.workloads,
    bios: values.bios,
    jit: values.jit,
    json: values.json,
    writeDocs: values['write-docs'],
    runs: values.runs,
    help: values.help,
    system: system as BootSystem | undefined,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rounds: { type: 'string', default: '1' },
        kernel: { type: 'string' },
        initrd: { type: 'string' },
        append: { type: 'string', default: '' },
        workloads: { type: 'string' },
        bios: { type: 'string', default: '/usr/share/seabios' },
        system: { type: 'string' },
        runs: { type: 'string' },
        jit: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        'write-docs': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (cause) {
    throw refuse((cause as Error).message.split('. ')[0]!, 'see --help', cause)
  }
}
