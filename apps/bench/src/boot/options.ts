/** The command line of `bench boot`. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { refuse, roundsOf, systemsOf, unknown } from '../options.ts'
import { BOOT_SYSTEMS, type BootSystem, USUAL_SYSTEMS } from './names.ts'

export interface BootOptions {
  readonly rounds: number
  /** What takes part; undefined: what is usual, as far as it is there. */
  readonly systems: readonly BootSystem[] | undefined
  readonly kernel: string
  readonly initrd: string
  /** Words for the kernel's command line, behind those that are always there. */
  readonly append: string
  /** Names of workloads between commas, or `none`; all unless stated. */
  readonly workloads: string | undefined
  /** Folder of SeaBIOS, which v86 boots by. */
  readonly bios: string
  readonly json: boolean
  readonly writeDocs: boolean
  /** Folder for the records; and one of records to show, without booting. */
  readonly runs: string | undefined
  readonly from: string | undefined
  readonly help: boolean
  /** Boot only this, here, and print the record. */
  readonly system: BootSystem | undefined
  /** With a system: only load its program. */
  readonly load: boolean
}

/** Where the guest is unless stated. */
export const FOLDER = fileURLToPath(new URL('../../../../../shared/bench', import.meta.url))

export const BOOT_HELP = `Boots Debian's kernel with workloads for its /init, under vmexit, v86 and QEMU's translator.

Each round boots twice per system, in processes of their own: once as the kernel is, to /init, and once without its tests
of ciphers (cryptomgr.notests), with the workloads. Times are processor time of all threads, memory is what was resident
at most. What the workloads print must be equal everywhere, what they retire under all engines of vmexit. The fastest
engine is held against v86 with its JIT, by a bar for each row, and against QEMU, with a reason for each row that is lost.

  pnpm bench boot [FOLDER]           FOLDER has vmlinuz and initramfs.cpio.gz; ../shared/bench unless stated
  pnpm bench boot --systems a,b      of ${BOOT_SYSTEMS.join(', ')};
                                     unless stated ${USUAL_SYSTEMS.join(', ')} (if QEMU is installed)
  pnpm bench boot --rounds 3         1 unless stated: a round takes some minutes
  pnpm bench boot --kernel FILE --initrd FILE
  pnpm bench boot --workloads a,b    some of the workloads, or none
  pnpm bench boot --bios FOLDER      SeaBIOS for v86; /usr/share/seabios unless stated
  pnpm bench boot --runs FOLDER      also writes each record there, as SYSTEM.ROUND.json
  pnpm bench boot --from FOLDER      boots nothing: tables of the records there, which were made on this machine
  pnpm bench boot --json             one JSON document instead of tables
  pnpm bench boot --write-docs       also writes docs/benchmarks.md; with all workloads
  pnpm bench boot --system v86       one boot in this process, its record as JSON
  pnpm bench boot --append WORDS     for that one
  pnpm bench boot --load             only load that one's program

  pnpm bench boot --systems v86,qemu-tcg --rounds 3 --runs records
  pnpm bench boot --from records --write-docs
  pnpm bench boot --systems vmexit-interpreter,v86-nojit --workloads sort,forkexec
  pnpm bench boot --system qemu-tcg --append cryptomgr.notests --workloads sieve
`

/** @throws VmexitError `bench-option` for what the command line does not know. */
export function parseBootOptions(args: readonly string[]): BootOptions {
  const { values, positionals } = parse(args)
  const { system, systems, workloads, load } = values
  const [folder = FOLDER, ...more] = positionals
  if (more.length > 0) throw refuse(`'${more[0]}' comes after the folder`, 'name one folder')
  if (load && system === undefined) throw refuse('--load without a system', 'name it with --system')
  if (values['write-docs'] && workloads !== undefined)
    throw refuse('the docs show all workloads', 'leave out --workloads or --write-docs')
  if (values.from !== undefined && values.runs !== undefined)
    throw refuse('--from and --runs: records are either read or written', 'give one of them')
  return {
    rounds: roundsOf(values.rounds),
    systems: systems === undefined ? undefined : systemsOf(systems, BOOT_SYSTEMS),
    kernel: values.kernel ?? join(folder, 'vmlinuz'),
    initrd: values.initrd ?? join(folder, 'initramfs.cpio.gz'),
    append: values.append,
    workloads,
    bios: values.bios,
    json: values.json,
    writeDocs: values['write-docs'],
    runs: values.runs,
    from: values.from,
    help: values.help,
    system: system === undefined ? undefined : systemsOf(system, BOOT_SYSTEMS)[0],
    load,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rounds: { type: 'string', default: '1' },
        systems: { type: 'string' },
        kernel: { type: 'string' },
        initrd: { type: 'string' },
        append: { type: 'string', default: '' },
        workloads: { type: 'string' },
        bios: { type: 'string', default: '/usr/share/seabios' },
        system: { type: 'string' },
        load: { type: 'boolean', default: false },
        runs: { type: 'string' },
        from: { type: 'string' },
        json: { type: 'boolean', default: false },
        'write-docs': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (cause) {
    throw unknown(cause)
  }
}
