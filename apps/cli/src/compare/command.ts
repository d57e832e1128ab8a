/** `vmexit compare`: workloads under every technique, as tables or JSON. */
import { chosen, compare, comparisonText, DEFAULT_PROFILE, profileNamed, techniques, workloads } from '@vmexit/compare'
import { publishedProfiles } from '@vmexit/core'
import { readTeachingKernel, type TeachingKernel, teachingKernels } from '@vmexit/guests/node'
import { Command, InvalidArgumentError, Option } from 'commander'
import { tuneHost } from '../boot/host.ts'
import { progressLine } from './progress.ts'

interface CompareFlags {
  readonly workloads: readonly string[]
  readonly techniques: readonly string[]
  readonly kernel: TeachingKernel
  readonly profile: string
  readonly engine: 'jit' | 'interpreter' | 'reference'
  readonly json?: boolean
}

const builds = teachingKernels.map((name) => [name === 'teaching' ? '32-bit' : 'pae', name] as const)

const examples = `
Workloads:
${workloads.map(({ name, title, unit }) => `  ${name.padEnd(10)} ${title}: ${unit}`).join('\n')}

Techniques:
${techniques.map(({ name, about }) => `  ${name.padEnd(19)} ${about}`).join('\n')}

Examples:
  $ vmexit compare
      all workloads under all techniques
  $ vmexit compare --workloads fork,ptemod --techniques native,vtx-shadow,vtx-nested
  $ vmexit compare --kernel pae --profile CLX_8269CY_2.5+generic_i386_memory
      page tables of three levels; prices of a processor of 2019
  $ vmexit compare --json | jq '.cells[] | {workload, technique, ratio}'

Profiles: ${Object.keys(publishedProfiles).join(', ')}.

Counts are of one repetition of a workload: what N more cost, divided by N. Cycles are these counts at the published
prices of one profile, no measurement; a profile without a price for what was counted says so. Each run prints the same.`

/** The command. */
export function compareCommand(): Command {
  return new Command('compare')
    .summary('compare techniques')
    .description('Runs the same programs on the teaching kernel under every technique, and counts what each costs.')
    .addOption(listOption('--workloads <names>', 'rows', workloads))
    .addOption(listOption('--techniques <names>', 'columns', techniques))
    .addOption(
      new Option('--kernel <build>', `paging of the teaching kernel: ${builds.map(([word]) => word).join(' or ')}`)
        .argParser(kernel)
        .default('teaching', '32-bit'),
    )
    .option('--profile <name>', 'the cost profile, or several joined by +', DEFAULT_PROFILE)
    .addOption(
      new Option('--engine <name>', 'how the CPU is made fast; counts are equal')
        .choices(['jit', 'interpreter', 'reference'])
        .default('jit'),
    )
    .option('--json', 'one JSON document instead of tables')
    .addHelpText('after', examples)
    .action(run)
}

async function run(flags: CompareFlags): Promise<void> {
  const rows = chosen('workload', workloads, flags.workloads)
  const columns = chosen('technique', techniques, flags.techniques)
  const profile = profileNamed(flags.profile)
  tuneHost()
  const abort = new AbortController()
  const stop = (signal: NodeJS.Signals) => {
    process.exitCode = signal === 'SIGTERM' ? 143 : 130
    abort.abort()
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  const progress = progressLine(process.stderr)
  try {
    const comparison = await compare({
      workloads: rows,
      techniques: columns,
      kernel: { name: flags.kernel, image: readTeachingKernel(flags.kernel) },
      profile,
      engine: flags.engine,
      signal: abort.signal,
      onProgress: progress.show,
    })
    progress.clear()
    process.stdout.write(flags.json ? `${JSON.stringify(comparison, undefined, 2)}\n` : comparisonText(comparison))
  } catch (error) {
    progress.clear()
    if (!abort.signal.aborted) throw error
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

/** Names of some of `all`; all of them unless stated. */
function listOption(flags: string, what: string, all: readonly { readonly name: string }[]): Option {
  const names = all.map(({ name }) => name)
  return new Option(flags, `${what}: names, with commas between`)
    .argParser((text: string) => text.split(',').map((name) => name.trim()))
    .default(names, 'all')
}

function kernel(text: string): TeachingKernel {
  const found = builds.find(([word]) => word === text)?.[1]
  if (found === undefined)
    throw new InvalidArgumentError(`Allowed choices are ${builds.map(([word]) => word).join(', ')}.`)
  return found
}
