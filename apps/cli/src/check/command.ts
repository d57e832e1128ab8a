/** `vmexit check`: its options, and what it says about them. */
import { type CheckedPc, checkEquivalence, mmuNames, techniqueNames } from '@vmexit/vmexit'
import { Command, Option } from 'commander'
import { wholePositive, withPc } from '../boot/command.ts'
import { bootable, withBios, withGuest } from '../boot/fetched.ts'
import type { BootFlags } from '../boot/flags.ts'
import { tuneHost } from '../boot/host.ts'
import { pcOptions } from '../boot/pc-options.ts'
import { Progress } from './progress.ts'
import { describeEquivalence } from './report.ts'

/** The options as commander gives them. */
export interface CheckFlags extends Omit<BootFlags, 'snapshot'> {
  readonly every: number
  readonly instructions?: number
}

const examples = `
Examples:
  $ vmexit guests && vmexit check linux-686 --technique vtx --every 100000000
      boots Debian on the bare machine and under VT-x side by side, and compares all that it can see
  $ vmexit check --technique vtx --mmu shadow-paging --multiboot kernel.elf --module initrd.img --append '-- fork:10'
  $ vmexit check --technique software-emulation --rom test386.bin --instructions 1000000 --json
      the result as one JSON object

Disks are read, and what the guest writes to them is kept in memory. No input is given to the guest: the check ends where it waits for one.

Exit code: 0 if the guest was equal as far as it was compared, 1 if it was not, 2 if something else went wrong, 130 after Ctrl-C.`

/** The command. */
export function checkCommand(): Command {
  const command = new Command('check')
    .summary('compare a guest under a technique with the bare machine')
    .description(
      'Runs a guest under a technique beside the same guest on the bare machine, and compares registers, memory, chips, time and\n' +
        'console at checkpoints. If they come apart, it finds the first instruction after which they are, and says what it can of why.',
    )
    .argument('[guest]', `a guest that \`vmexit guests\` fetched: ${bootable.join(', ')}`)
  return withPc(command)
    .optionsGroup('What is checked:')
    .addOption(
      new Option('--technique <name>', 'how the guest shares the machine')
        .choices(techniqueNames.filter((name) => name !== 'native'))
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--mmu <name>', 'how its page tables are followed, where the technique takes it').choices(mmuNames),
    )
    .option('--every <number>', 'instructions between two checkpoints', wholePositive, 10_000_000)
    .option('--instructions <number>', "end after so many, not at the guest's end", wholePositive)
    .option('--json', 'print one JSON object')
    .addHelpText('after', examples)
    .action(async (guest: string | undefined, flags: CheckFlags) => {
      process.exitCode = 2
      const all = { ...flags, snapshot: true } as const
      process.exitCode = await check(guest === undefined ? withBios(all) : withGuest(guest, all), flags)
    })
}

async function check(boot: BootFlags, { every, instructions, json }: CheckFlags): Promise<number> {
  tuneHost()
  const control = new AbortController()
  const stop = (): void => {
    // The second time, as Ctrl-C does by itself.
    if (control.signal.aborted) process.exit(130)
    control.abort()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  const progress = new Progress()
  try {
    const found = await checkEquivalence(async () => (await pcOptions(boot)) as CheckedPc, {
      every,
      instructions,
      signal: control.signal,
      onProgress: (now) => progress.show(now),
    })
    progress.clear()
    process.stdout.write(json ? `${JSON.stringify(found)}\n` : describeEquivalence(found))
    if (!found.equal) return 1
    return found.stop === 'aborted' ? 130 : 0
  } finally {
    progress.clear()
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}
