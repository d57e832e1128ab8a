/** `vmexit explain`: one event of a workload under one technique, step by step. */
import {
  chosen,
  DEFAULT_PROFILE,
  EVENT_KINDS,
  type EventKind,
  explainEvent,
  explanationText,
  profileNamed,
  techniques,
  workloads,
} from '@vmexit/compare'
import { Command, Option } from 'commander'
import { tuneHost } from '../boot/host.ts'
import { engineOption, GUESTS, guestOption } from './guests.ts'

interface ExplainFlags {
  readonly technique: string
  readonly what?: EventKind
  readonly guest: string
  readonly engine: 'jit' | 'interpreter' | 'reference'
  readonly profile: string
  readonly json?: boolean
}

const examples = `
Examples:
  $ vmexit explain syscall --technique vtx-nested
      a system call: from the program to its kernel and back, without an exit
  $ vmexit explain ptemod --technique vtx-shadow
      a store to a page table that is watched
  $ vmexit explain pgfault --technique vtx-nested --json | jq '.steps[].reads'
      which entries of which tables were read
  $ vmexit explain files --technique container

Workloads: ${workloads.map(({ name }) => name).join(', ')}.
Techniques: ${techniques.flatMap(({ name, explain }) => (explain === undefined ? [] : [name])).join(', ')}.

Instructions and references are counted, cycles are modelled: counts at the published prices of one profile. A run prints
the same as the one before.`

/** The command. */
export function explainCommand(): Command {
  return new Command('explain')
    .summary('trace one event under a technique')
    .description(
      'Shows one system call, page fault, store to a page table or port access of a workload, step by step: who ran, which tables were read, what it cost.',
    )
    .argument('<workload>', 'the program whose event it is')
    .requiredOption('--technique <name>', 'how the guest shares the machine, or process, or container')
    .addOption(
      new Option('--what <kind>', 'which event; what the workload is there for unless stated').choices(
        Object.keys(EVENT_KINDS),
      ),
    )
    .option('--profile <name>', 'the cost profile, or several joined by +', DEFAULT_PROFILE)
    .addOption(guestOption())
    .addOption(engineOption())
    .option('--json', 'one JSON document, with all that was read')
    .addHelpText('after', examples)
    .action(run)
}

async function run(name: string, flags: ExplainFlags): Promise<void> {
  const [workload] = chosen('workload', workloads, [name])
  const [technique] = chosen('technique', techniques, [flags.technique])
  const profile = profileNamed(flags.profile)
  const kernel = GUESTS[flags.guest]!()
  tuneHost()
  const { engine, what } = flags
  const found = await explainEvent({ workload: workload!, technique: technique!, kernel, profile, engine, what })
  process.stdout.write(flags.json ? `${JSON.stringify(found, undefined, 2)}\n` : explanationText(found))
}
