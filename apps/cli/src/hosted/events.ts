/** `vmexit events`: what happens to instances, as their folders show it. There is no daemon that would tell. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { type Exit, type HostProcess, type Instance, readRecord } from './instance.ts'
import { StateDirectory } from './state-directory.ts'

/** Milliseconds between two looks. */
const LOOK_AGAIN = 200

/** What happened to one. */
export interface InstanceEvent {
  /** ISO 8601. */
  readonly time: string
  readonly action: 'create' | 'start' | 'die' | 'rename' | 'destroy'
  readonly kind: string
  readonly id: string
  readonly name: string
  /** Of `die`. */
  readonly exitCode?: number
  /** Of `rename`. */
  readonly oldName?: string
}

/** What is known of one at a time. */
interface Known {
  readonly instance: Instance
  readonly host: HostProcess | undefined
  readonly exit: Exit | undefined
}

/** `vmexit events`. */
export function eventsCommand(): Command {
  return new Command('events')
    .summary('tell what happens to instances')
    .description('Tells when instances are made, start, end, get another name and are removed, until Ctrl-C.')
    .option('--json', 'one JSON object a line')
    .addHelpText(
      'after',
      '\nExamples:\n  $ vmexit events\n  $ vmexit events --json | jq -r \'select(.action == "die") | [.name, .exitCode] | @tsv\'',
    )
    .action(async ({ json }: { readonly json?: true }) => {
      let before = look()
      process.stderr.write('Watching; Ctrl-C ends it.\n')
      for (;;) {
        await sleep(LOOK_AGAIN)
        const now = look()
        for (const event of eventsBetween(before, now, new Date().toISOString())) {
          const line = json ? JSON.stringify(event) : lineOf(event)
          if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain')
        }
        before = now
      }
    })
}

function look(): ReadonlyMap<string, Known> {
  const all = new StateDirectory()
    .list()
    .map(({ folder, instance }): [string, Known] => [
      instance.id,
      { instance, host: quietly(folder, 'host'), exit: quietly(folder, 'exit') },
    ])
  return new Map(all)
}

/** One that is damaged is told by `vmexit ps`. */
function quietly<K extends 'host' | 'exit'>(folder: string, record: K) {
  try {
    return readRecord(folder, record)
  } catch {
    return undefined
  }
}

/** What has happened between two looks, in the order in which it must have. */
export function* eventsBetween(
  before: ReadonlyMap<string, Known>,
  now: ReadonlyMap<string, Known>,
  time: string,
): Generator<InstanceEvent> {
  for (const [id, known] of now) {
    const { instance, host, exit } = known
    const old = before.get(id)
    const about = { kind: instance.kind, id, name: instance.name }
    if (old === undefined) yield { time: instance.created, action: 'create', ...about }
    else if (old.instance.name !== instance.name) yield { time, action: 'rename', ...about, oldName: old.instance.name }
    const isStarted = host !== undefined && host.started !== old?.host?.started
    const isEnded = exit !== undefined && exit.at !== old?.exit?.at
    if (isStarted) yield { time: host.started, action: 'start', ...about }
    if (isEnded) yield { time: exit.at, action: 'die', ...about, exitCode: exit.exitCode }
  }
  for (const [id, { instance, host, exit }] of before) {
    if (now.has(id)) continue
    const about = { kind: instance.kind, id, name: instance.name }
    // Its end and its removal are between the same two looks: nobody has seen how it ended.
    if (host !== undefined && exit === undefined) yield { time, action: 'die', ...about }
    yield { time, action: 'destroy', ...about }
  }
}

function lineOf({ time, action, kind, id, name, exitCode, oldName }: InstanceEvent): string {
  const more = [`name=${name}`]
  if (exitCode !== undefined) more.push(`exitCode=${exitCode}`)
  if (oldName !== undefined) more.push(`oldName=${oldName}`)
  return `${time} ${kind} ${action} ${id} (${more.join(', ')})`
}
