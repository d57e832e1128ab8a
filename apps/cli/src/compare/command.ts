/** `vmexit compare`: workloads under every technique. */
import {
  type Comparison,
  chosen,
  compare,
  DEFAULT_PROFILE,
  mergeComparisons,
  parseShard,
  profileNamed,
  type Shard,
  techniques,
  techniquesOn,
  workloads,
} from '@vmexit/compare'
import { publishedProfiles } from '@vmexit/core'
import { Command, InvalidArgumentError, Option } from 'commander'
import { tuneHost } from '../boot/host.ts'
import { engineOption, GUESTS, guestOption } from './guests.ts'
import { type HostUse, measureHostUse, tellUse } from './host-use.ts'
import { type OutputFlags, prepareOutputs, readComparison, withOutputs, writeOutputs } from './outputs.ts'
import { progressLine } from './progress.ts'

interface MeasureFlags {
  readonly workloads: readonly string[]
  /** All that the guest can be under unless stated. */
  readonly techniques?: readonly string[]
  readonly guest: string
  readonly engine: 'jit' | 'interpreter' | 'reference'
}

interface CompareFlags extends MeasureFlags, OutputFlags {
  readonly profile: string
  readonly starts: boolean
  readonly shard?: Shard
  readonly time?: number
}

const examples = `
Workloads:
${workloads.map(({ name, title, unit }) => `  ${name.padEnd(10)} ${title}: ${unit}`).join('\n')}

Techniques:
${techniques.map(({ name, about }) => `  ${name.padEnd(19)} ${about}`).join('\n')}

Examples:
  $ vmexit compare
      all workloads under all techniques
  $ vmexit compare --workloads fork,ptemod --techniques native,vtx-shadow,vtx-nested
  $ vmexit compare --guest pae --profile CLX_8269CY_2.5+generic_i386_memory
      page tables of three levels; prices of a processor of 2019
  $ vmexit compare --html report.html --trace trace.json
      charts; and modelled time for ui.perfetto.dev
  $ vmexit compare --json | jq '.cells[] | {workload, technique, ratio}'
  $ vmexit compare --baseline before.json
      what counts are other than in an earlier --json; the exit code is 1 if any is
  $ vmexit compare --shard 1/3 --json > 1.json    (on one machine)
  $ vmexit compare merge 1.json 2.json 3.json --html report.html

Profiles: ${Object.keys(publishedProfiles).join(', ')}.

Counts are of one repetition of a workload: what N more cost, divided by N. Cycles are these counts at the published
prices of one profile, no measurement; a profile without a price for what was counted says so. Each run prints the same.
An interrupted run prints what it has, marked as partial. Of debian, what its kernel does now and then is among the counts.`

/** The command. */
export function compareCommand(): Command {
  return withOutputs(withMeasure(new Command('compare')))
    .summary('compare techniques')
    .description('Runs the same programs on one kernel under every technique, and counts what each costs.')
    .option('--no-starts', 'leave out what starts take')
    .option('--profile <name>', 'the cost profile, or several joined by +', DEFAULT_PROFILE)
    .addOption(new Option('--shard <i/n>', 'only the i-th part of n, to be merged').argParser(parseShard))
    .addOption(
      new Option('--time [runs]', 'also measure CPU time and peak memory here, in so many runs')
        .argParser(runs)
        .preset('3'),
    )
    .addHelpText('after', examples)
    .action(run)
    .addCommand(mergeCommand())
    .addCommand(withMeasure(new Command('measure-use')).action(measureUse), { hidden: true })
}

function withMeasure(command: Command): Command {
  return command
    .addOption(
      listOption('--workloads <names>', 'rows').default(
        workloads.map(({ name }) => name),
        'all',
      ),
    )
    .addOption(listOption('--techniques <names>', 'columns, all that the guest can be under unless stated'))
    .addOption(guestOption())
    .addOption(engineOption())
}

function mergeCommand(): Command {
  return withOutputs(new Command('merge'))
    .summary('put shards together')
    .description('Puts the JSON of shards together, or of runs that were interrupted, and prints the whole.')
    .argument('<files...>', 'what `vmexit compare --shard I/N --json` wrote')
    .action(async (files: readonly string[], flags: OutputFlags) => {
      const baseline = await prepareOutputs(flags)
      const parts: Comparison[] = []
      for (const file of files) parts.push(await readComparison(file))
      await writeOutputs(mergeComparisons(parts), flags, baseline)
    })
}

async function run(flags: CompareFlags): Promise<void> {
  const rows = chosen('workload', workloads, flags.workloads)
  const named = flags.techniques && chosen('technique', techniques, flags.techniques)
  const profile = profileNamed(flags.profile)
  const kernel = GUESTS[flags.guest]!()
  const columns = named ?? techniquesOn(kernel)
  const baseline = await prepareOutputs(flags)
  tuneHost()
  const abort = new AbortController()
  const stop = (signal: NodeJS.Signals) => {
    process.exitCode = signal === 'SIGTERM' ? 143 : 130
    abort.abort()
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  const progress = progressLine(process.stderr)
  const { signal } = abort
  try {
    const { engine, shard, time, starts } = flags
    const options = { workloads: rows, techniques: columns, kernel, profile, engine, shard, starts, signal }
    const comparison = await compare({ ...options, keepPartial: true, onProgress: progress.show })
    let host: HostUse | undefined
    if (time !== undefined && !signal.aborted) {
      const there = columns.filter(({ name }) => comparison.cells.some(({ technique }) => technique === name))
      const tell = (name: string, count: number) => progress.say(`timing ${name}: run ${count} of ${time}`)
      host = await measureHostUse(there, rows, { ...flags, time }, signal, tell).catch((reason) => {
        if (!signal.aborted) throw reason
        return undefined
      })
    }
    progress.clear()
    if (comparison.cells.length === 0) process.stderr.write('vmexit: interrupted before there was any figure\n')
    else await writeOutputs(comparison, flags, baseline, host)
  } finally {
    progress.clear()
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

async function measureUse(flags: MeasureFlags): Promise<void> {
  tuneHost()
  const [technique] = chosen('technique', techniques, flags.techniques ?? [])
  await tellUse(technique!, chosen('workload', workloads, flags.workloads), GUESTS[flags.guest]!(), flags.engine)
}

/** Names of some. */
function listOption(flags: string, what: string): Option {
  return new Option(flags, `${what}: names, with commas between`).argParser((text: string) =>
    text.split(',').map((name) => name.trim()),
  )
}

function runs(text: string): number {
  if (!/^[1-9][0-9]?$/.test(text)) throw new InvalidArgumentError('It is a number of runs from 1 to 99.')
  return Number(text)
}
