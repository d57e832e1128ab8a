/** `vmexit ps` and `vmexit stats`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isVmexitError } from '@vmexit/core'
import { Command, InvalidArgumentError } from 'commander'
import { ask } from './client.ts'
import { eachOf } from './each.ts'
import { notRunning } from './errors.ts'
import { type Found, StateDirectory } from './state-directory.ts'
import { answers, describeStatus, isAlive, type Status, statusOf } from './status.ts'
import { table } from './table.ts'

interface PsFlags {
  readonly all?: true
  readonly quiet?: true
  readonly json?: true
  readonly trunc: boolean
  readonly filter?: readonly Filter[]
}

type Filter = readonly [name: string, value: string]

/** What instances can be chosen by. Of several of one name one has to hold, of each name. */
const FILTERS: Readonly<Record<string, (row: Row, value: string) => boolean>> = {
  name: ({ found }, value) => found.instance.name.includes(value),
  id: ({ found }, value) => found.instance.id.startsWith(value),
  status: ({ status }, value) => status.state === value,
  exited: ({ status }, value) => status.state === 'exited' && status.exitCode === Number(value),
  kind: ({ found }, value) => found.instance.kind === value,
  ancestor: ({ found }, value) => imageOf(found).some((known) => known === value || known === `${value}:latest`),
}

/** What the image of a container is called, and its ID. */
function imageOf({ instance: { options } }: Found): readonly string[] {
  const { image } = (options ?? {}) as { readonly image?: { readonly id: string; readonly name: string } }
  if (image === undefined) return []
  return [image.name, image.id, image.id.replace(/^sha256:/, '').slice(0, 12)]
}

function filter(text: string, before: readonly Filter[] = []): readonly Filter[] {
  const [name = '', ...value] = text.split('=')
  if (Object.hasOwn(FILTERS, name) && value.length > 0) return [...before, [name, value.join('=')]]
  throw new InvalidArgumentError(`It must be one of ${Object.keys(FILTERS).join(', ')}, and =VALUE.`)
}

function isMeant(row: Row, filters: readonly Filter[]): boolean {
  const names = new Set(filters.map(([name]) => name))
  return [...names].every((name) => filters.some(([each, value]) => each === name && FILTERS[name]!(row, value)))
}

/** `vmexit ps`. */
export function psCommand(): Command {
  return new Command('ps')
    .summary('list what runs in the background')
    .description('Lists containers, and what `vmexit boot --detach` has started, that run. Each host process is asked.')
    .option('-a, --all', 'those that have ended, too')
    .option('-q, --quiet', 'only IDs')
    .option('--json', 'one JSON array')
    .option('--no-trunc', 'whole IDs')
    .option(
      '-f, --filter <name=value>',
      `those of which it holds: ${Object.keys(FILTERS).join(', ')}; can be repeated`,
      filter,
    )
    .addHelpText(
      'after',
      `
Examples:
  $ vmexit ps
  $ vmexit ps -a --filter status=exited --filter ancestor=debian:12
  $ vmexit ps -a --json | jq -r '.[] | select(.state == "exited") | [.name, .exitCode] | @tsv'
  $ vmexit rm $(vmexit ps -aq)
      removes all that have ended; what runs is left, and told

Status: Up; Paused; Stopped by a signal, as kill -STOP sends; Unresponsive where the host process is there and does not answer; Exited
with its exit code; Dead where the process is gone without a word, as after kill -9; Created where it has not begun to run.`,
    )
    .action(async (flags: PsFlags) => {
      const told = (error: Error): void => {
        process.stderr.write(`vmexit: ${error.message}\n`)
        process.exitCode = 1
      }
      const rows = await Promise.all(
        new StateDirectory().list(told).map(async (found) => {
          try {
            return [{ found, status: await statusOf(found) }]
          } catch (error) {
            if (!isVmexitError(error)) throw error
            told(error)
            return []
          }
        }),
      )
      const { filter: filters = [] } = flags
      const isAll = flags.all === true || filters.some(([name]) => name === 'status')
      const all = rows.flat().filter((row) => isMeant(row, filters))
      process.stdout.write(listing(isAll ? all : all.filter(({ status }) => isAlive(status)), flags))
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
  const portsOf = ({ status }: Row): string => (answers(status) ? (status.ports ?? []) : []).join(', ')
  // Most have none.
  const hasPorts = rows.some((row) => portsOf(row) !== '')
  return table([
    ['ID', 'NAME', 'WHAT', 'STATUS', 'PID', ...(hasPorts ? ['PORTS'] : [])],
    ...rows.map(({ found, status }) => [
      idOf(found),
      found.instance.name,
      found.instance.what,
      describeStatus(status, now),
      isAlive(status) ? `${status.pid}` : '',
      ...(hasPorts ? [portsOf({ found, status })] : []),
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
    .option('--no-stream', 'once, also in a terminal, where they are shown anew each second until Ctrl-C')
    .addHelpText(
      'after',
      '\nExamples:\n  $ vmexit stats\n  $ vmexit stats --no-stream web\n  $ vmexit stats web --json | jq .[0].counts',
    )
    .action(async (words: readonly string[], { json, stream }: StatsFlags) => {
      for (;;) {
        const rows = await counted(words)
        if (json) return void process.stdout.write(jsonOf(rows))
        if (!stream || !process.stdout.isTTY) return void process.stdout.write(tableOf(rows))
        process.stdout.write(`\x1b[H\x1b[2J${tableOf(rows)}`)
        await sleep(1000)
      }
    })
}

interface StatsFlags {
  readonly json?: true
  readonly stream: boolean
}

async function counted(words: readonly string[]): Promise<Counted> {
  const state = new StateDirectory()
  const rows: Counted[number][] = []
  const look = async (found: Found) => {
    const answer = await ask(found, 'stats')
    if (typeof answer === 'object') rows.push([found, answer as Readonly<Record<string, number>>])
    else if (words.length > 0) throw notRunning(found, await statusOf(found))
  }
  if (words.length > 0) await eachOf(words, look, { say: false })
  else for (const found of state.list()) await look(found)
  return rows
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
    ['HOST MEMORY (MiB)', 'host-memory'],
    ['MEMORY (MiB)', 'memory'],
    ['PIDS', 'processes'],
  ] as const
  return table([
    ['ID', 'NAME', ...columns.map(([title]) => title)],
    ...rows.map(([{ instance }, counts]) => [
      instance.id.slice(0, 12),
      instance.name,
      ...columns.map(([title, name]) => {
        const count = counts[name]
        return figure(count !== undefined && title.includes('MiB') ? count / (1 << 20) : count)
      }),
    ]),
  ])
}
