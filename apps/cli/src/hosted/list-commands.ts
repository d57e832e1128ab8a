/** `vmexit ps` and `vmexit stats`. */
import { Command } from 'commander'
import { ask } from './client.ts'
import { eachOf } from './each.ts'
import { notRunning } from './errors.ts'
import { type Found, StateDirectory } from './state-directory.ts'
import { describeStatus, isAlive, type Status, statusOf } from './status.ts'
import { table } from './table.ts'

interface PsFlags {
  readonly all?: true
  readonly quiet?: true
  readonly json?: true
  readonly trunc: boolean
}

/** `vmexit ps`. */
export function psCommand(): Command {
  return new Command('ps')
    .summary('list what runs in the background')
    .description('Lists what `vmexit boot --detach` has started and runs. Each host process is asked.')
    .option('-a, --all', 'those that have ended, too')
    .option('-q, --quiet', 'only IDs')
    .option('--json', 'one JSON array')
    .option('--no-trunc', 'whole IDs')
    .addHelpText(
      'after',
      `
Examples:
  $ vmexit ps
  $ vmexit ps -a --json | jq -r '.[] | select(.state == "exited") | [.name, .exitCode] | @tsv'
  $ vmexit rm $(vmexit ps -aq)
      removes all that have ended; what runs is left, and told

Status: Up; Stopped by a signal, as kill -STOP sends; Unresponsive where the host process is there and does not answer; Exited
with its exit code; Dead where the process is gone without a word, as after kill -9; Created where it has not begun to run.`,
    )
    .action(async (flags: PsFlags) => {
      const all = await Promise.all(
        new StateDirectory().list().map(async (found) => ({ found, status: await statusOf(found) })),
      )
      process.stdout.write(listing(flags.all ? all : all.filter(({ status }) => isAlive(status)), flags))
    })
}

interface Row {
  readonly found: Found
  readonly status: Status
}

function listing(rows: readonly Row[], { quiet, json, trunc }: PsFlags): string {
  const idOf = ({ instance: { id } }: Found) => (trunc ? id.slice(0, 12) : id)
  if (json) return `${JSON.stringify(rows.map(objectOf), undefined, 2)}\n`
  if (quiet) return rows.map(({ found }) => `${idOf(found)}\n`).join('')
  const now = Date.now()
  return table([
    ['ID', 'NAME', 'WHAT', 'STATUS', 'PID'],
    ...rows.map(({ found, status }) => [
      idOf(found),
      found.instance.name,
      found.instance.what,
      describeStatus(status, now),
      isAlive(status) ? `${status.pid}` : '',
    ]),
  ])
}

function objectOf({ found, status }: Row) {
  const { id, name, kind, what, created } = found.instance
  return { id, name, kind, what, created, ...status }
}

/** `vmexit stats`. */
export function statsCommand(): Command {
  return new Command('stats')
    .summary('what instances have counted so far')
    .description('Prints what instances have counted so far: instructions, exits, memory of the host process.')
    .argument('[instance...]', 'names or IDs; all that run unless given')
    .option('--json', 'one JSON array, with every count')
    .addHelpText('after', '\nExamples:\n  $ vmexit stats\n  $ vmexit stats web --json | jq .[0].counts')
    .action(async (words: readonly string[], { json }: { readonly json?: true }) => {
      const state = new StateDirectory()
      const rows: (readonly [Found, Readonly<Record<string, number>>])[] = []
      const look = async (found: Found) => {
        const answer = await ask(found, 'stats')
        if (typeof answer === 'object') rows.push([found, answer as Readonly<Record<string, number>>])
        else if (words.length > 0) throw notRunning(found, await statusOf(found))
      }
      if (words.length > 0) await eachOf(words, look, { say: false })
      else for (const found of state.list()) await look(found)
      process.stdout.write(json ? jsonOf(rows) : tableOf(rows))
    })
}

type Counted = readonly (readonly [Found, Readonly<Record<string, number>>])[]

function jsonOf(rows: Counted): string {
  const objects = rows.map(([{ instance }, counts]) => ({ id: instance.id, name: instance.name, counts }))
  return `${JSON.stringify(objects, undefined, 2)}\n`
}

/** The columns that any of them has. */
function tableOf(rows: Counted): string {
  const figure = (value: number | undefined) => value?.toLocaleString('en-US', { maximumFractionDigits: 2 }) ?? ''
  const columns = [
    ['INSTRUCTIONS', 'instructions'],
    ['EXITS', 'vm-exits'],
    ['CPU SECONDS', 'host-cpu-seconds'],
    ['MEMORY (MiB)', 'host-memory'],
  ] as const
  return table([
    ['ID', 'NAME', ...columns.map(([title]) => title)],
    ...rows.map(([{ instance }, counts]) => [
      instance.id.slice(0, 12),
      instance.name,
      ...columns.map(([, name]) => figure(name === 'host-memory' ? (counts[name] ?? 0) / (1 << 20) : counts[name])),
    ]),
  ])
}
