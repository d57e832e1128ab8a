/** `vmexit top`, `pause`, `unpause`, `restart` and `diff`. */
import type { FileChange, ProcessEntry } from '@vmexit/container'
import { VmexitError } from '@vmexit/core'
import { toText } from '@vmexit/vfs'
import { printable, shown } from '../fs/shown.ts'
import { ask } from '../hosted/client.ts'
import { eachOf } from '../hosted/each.ts'
import { stop } from '../hosted/signals.ts'
import { isAlive, statusOf } from '../hosted/status.ts'
import { table } from '../hosted/table.ts'
import { asContainer, containerNamed, running } from './containers.ts'
import { openKept } from './kept-files.ts'
import { startOne } from './run.ts'

/** `vmexit top`. */
export async function top(word: string, { json }: { readonly json?: true }): Promise<void> {
  const container = containerNamed(word)
  await running(container)
  const answer = await ask(container, { do: 'top' })
  const processes = (typeof answer === 'object' ? answer['processes'] : []) as readonly ProcessEntry[]
  process.stdout.write(
    json
      ? `${JSON.stringify(processes, undefined, 2)}\n`
      : table([
          ['PID', 'PPID', 'UID', 'STAT', 'TIME', 'RSS (KiB)', 'COMMAND'],
          ...processes.map(({ pid, parent, uid, state, cpuSeconds, memory, command }) => [
            ...[pid, parent, uid, state].map(String),
            clock(cpuSeconds),
            `${Math.round(memory / 1024)}`,
            printable(command),
          ]),
        ]),
  )
}

/** `0:07`. */
function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${`${Math.floor(seconds % 60)}`.padStart(2, '0')}`
}

/** `vmexit pause` and `unpause`. */
export async function pause(words: readonly string[], what: 'pause' | 'unpause'): Promise<void> {
  await eachOf(words, async (found) => {
    asContainer(found)
    const { state } = await running(found)
    const { name } = found.instance
    if ((state === 'paused') === (what === 'pause'))
      throw new VmexitError('paused', {
        problem: `${name} is ${what === 'pause' ? 'paused already' : 'not paused'}`,
        remedy: what === 'pause' ? `let it go on: vmexit unpause ${name}` : `pause it: vmexit pause ${name}`,
      })
    await ask(found, { do: what })
  })
}

/** `vmexit restart`. */
export async function restart(words: readonly string[], seconds: number): Promise<void> {
  await eachOf(words, async (found) => {
    asContainer(found)
    if (isAlive(await statusOf(found))) await stop(found, seconds)
    ;(await startOne(found))?.leaveAlone()
  })
}

/** `vmexit diff`. */
export async function diff(word: string, { json }: { readonly json?: true }): Promise<void> {
  await using files = await openKept(containerNamed(word))
  const changes: readonly FileChange[] = await files.changes()
  process.stdout.write(
    json
      ? `${JSON.stringify(
          changes.map(({ kind, path }) => ({ kind, path: toText(path) })),
          undefined,
          2,
        )}\n`
      : changes.map(({ kind, path }) => `${kind} ${shown(path)}\n`).join(''),
  )
}
