/**
 * Host processes that are killed at random moments, by seed: whatever they were in the middle of, all others live, the state can be read,
 * and what was killed can be started and removed. `VMEXIT_KILLS=200` kills so often, `VMEXIT_SEED=7` at other moments.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { programArchive } from '@vmexit/image'
import { describe, expect, test, vi } from 'vitest'
import { boxes, isBoxThere, WHY_NO_BOX } from '../../test/box.ts'
import type { commandLine } from '../../test/hosted.ts'
import { ask, watch } from '../hosted/client.ts'
import { converse } from '../hosted/converse.ts'
import { removeInstance } from '../hosted/end-commands.ts'
import { stop } from '../hosted/signals.ts'
import type { Found } from '../hosted/state-directory.ts'
import { statusOf } from '../hosted/status.ts'

const kills = Number(process.env['VMEXIT_KILLS'] ?? 12)
const seed = Number(process.env['VMEXIT_SEED'] ?? 1)

/** xorshift32. */
function randomNumbers(start: number): (below: number) => number {
  let state = (Math.imul(start, 2_654_435_761) | 1) >>> 0
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state = (state ^ (state << 5)) >>> 0
    return state % below
  }
}

const NAMES = ['a', 'b', 'c'] as const
type Name = (typeof NAMES)[number]

/** It works, prints, and writes. */
const LOAD =
  'trap "exit 0" TERM; n=0; ' +
  'while :; do n=$((n+1)); echo $n > /n; cp /bin/busybox /copy; rm /copy; echo $n; usleep 20000; done'

describe.skipIf(!isBoxThere)(`host processes that are killed${WHY_NO_BOX}`, () => {
  const box = boxes()

  test(`${kills} times leave all others alone, and can be started again`, {
    timeout: 60_000 + kills * 60_000,
  }, async () => {
    const line = box()
    const { run, start, state, folder } = line
    vi.stubEnv('XDG_STATE_HOME', folder)
    const random = randomNumbers(seed)
    const pids = new Set<number>()
    const make = async (name: Name): Promise<void> => {
      // c is on the kernel of b where that runs: they die together.
      const join = name === 'c' && random(2) === 0 && (await status('b')) === 'running' ? ['--join', 'b'] : []
      const made = await run('run', '-d', '--name', name, ...join, 'box', 'sh', '-c', LOAD)
      expect(made).toMatchObject({ code: 0, said: '' })
    }
    const status = async (name: Name): Promise<string> => {
      const found = state.list().find(({ instance }) => instance.name === name)
      return found === undefined ? 'none' : (await statusOf(found)).state
    }
    /** The process that has the folder of one. */
    const pidOf = (name: Name): number | undefined => {
      try {
        const { pid } = JSON.parse(readFileSync(join(state.find(name).folder, 'lock'), 'utf8')) as { pid: number }
        pids.add(pid)
        return pid
      } catch {
        return undefined
      }
    }
    const commands: Readonly<Record<string, (name: Name) => readonly string[]>> = {
      exec: (name) => ['exec', name, 'sh', '-c', 'cat /n; echo y > /y'],
      copyOut: (name) => ['cp', `${name}:/bin/busybox`, `copy-${name}`],
      copyIn: (name) => ['cp', 'vmexit/images/index.json', `${name}:/tmp`],
      logs: (name) => ['logs', '-f', name],
      commit: (name) => ['commit', name],
      stop: (name) => ['stop', '-t', '20', name],
      pause: (name) => ['pause', name],
      start: (name) => ['restart', '-t', '20', name],
    }
    const doing = Object.keys(commands)
    for (const name of NAMES) await make(name)

    for (let n = 0; n < kills; n++) {
      const victim = NAMES[random(3)]!
      const what = doing[random(doing.length)]!
      // Some by the program as people have it, which takes seconds; the others by the calls that it makes.
      const isWhole = n % 8 === 7
      const told = `kill ${n}: ${victim} during ${what}, seed ${seed}`
      const found = state.find(victim)
      const command = isWhole ? start(commands[what]!(victim), '').ended : calls(found, line)[what]!()
      const isOver = command.then(
        () => {},
        () => {},
      )
      await sleep(random(isWhole ? 1500 : 300))
      const pid = pidOf(victim)
      const together = NAMES.filter((name) => name === victim || (pid !== undefined && pidOf(name) === pid))
      const others = NAMES.filter((name) => !together.includes(name))
      if (pid !== undefined && pid !== process.pid) kill(pid)
      // Whoever was in the middle of something is told, and ends.
      await isOver

      for (const name of others) {
        expect(await status(name), told).toBe('running')
        expect(await ask(state.find(name), { do: 'top' }), told).toHaveProperty('processes')
      }
      const damaged: string[] = []
      expect(
        state
          .list((error) => damaged.push(error.message))
          .map(({ instance }) => instance.name)
          .sort(),
        told,
      ).toEqual([...NAMES])
      expect(damaged, told).toEqual([])
      if (isWhole) expect(await run('ps', '-a', '--json'), told).toMatchObject({ code: 0, said: '' })

      for (const name of together) {
        const each = state.find(name)
        if ((await status(name)) === 'paused') await ask(each, { do: 'unpause' })
        const { join: joined } = each.instance.options as { readonly join?: string }
        // Whose kernel it was on may be another one by now, of the same name.
        const isOrphan =
          joined !== undefined && ((await status('b')) !== 'running' || state.find('b').instance.id !== joined)
        if (random(4) === 0 || isOrphan) {
          if (isWhole) expect(await run('rm', '-f', name), told).toMatchObject({ code: 0, out: `${name}\n` })
          else await removeInstance(each, true)
          await make(name)
        } else if ((await status(name)) !== 'running') {
          if (isWhole || joined !== undefined)
            expect(await run('start', name), told).toEqual({ code: 0, out: `${name}\n`, said: '' })
          else await startProcess(each, line)
        }
        expect(await status(name), told).toBe('running')
        pidOf(name)
      }
    }

    expect(await run('stop', ...NAMES)).toMatchObject({ code: 0 })
    for (const name of NAMES) {
      const left = readdirSync(state.find(name).folder).filter((file) => /new|lock|sock/.test(file))
      expect(left, name).toEqual([])
    }
    expect(await run('rm', ...NAMES)).toMatchObject({ code: 0 })
    // Nothing leaks: no process, no folder, no name.
    await vi.waitFor(() => expect([...pids].filter(isThere)).toEqual([]), { timeout: 20_000 })
    expect(readdirSync(join(folder, 'vmexit')).sort()).toEqual(['images', 'names'])
    expect(readdirSync(join(folder, 'vmexit/names'))).toEqual([])
    expect(readdirSync(join(folder, 'vmexit/images')).filter((name) => /lock|part|tmp/.test(name))).toEqual([])
  })
})

/** What the commands do, without a program of their own. */
function calls(found: Found, line: ReturnType<typeof commandLine>): Readonly<Record<string, () => Promise<unknown>>> {
  const exec = { do: 'exec', args: ['sh', '-c', 'cat /n; echo y > /y'], env: {}, tty: false, interactive: false }
  return {
    exec: () => converse(found, exec, {}),
    copyOut: () => converse(found, { do: 'copy-out', path: '/bin/busybox', name: 'x' }, {}),
    copyIn: () =>
      converse(
        found,
        { do: 'copy-in', directory: '/tmp' },
        {
          begun: async ({ type, end }) => {
            for await (const piece of programArchive({ name: 'big', size: 1 << 20, data: [new Uint8Array(1 << 20)] }))
              await type(piece)
            end()
          },
        },
      ),
    logs: () => watch(found, { from: 'start', print: () => {}, missed: () => {} }),
    commit: () => converse(found, { do: 'layer' }, {}),
    stop: () => stop(found, 20),
    pause: () => ask(found, { do: 'pause' }),
    start: async () => {
      await stop(found, 20)
      await startProcess(found, line)
    },
  }
}

/** Starts a host process, as `vmexit start` does. */
async function startProcess(
  { folder, instance }: Found,
  { folder: home }: ReturnType<typeof commandLine>,
): Promise<void> {
  const main = join(import.meta.dirname, '..', 'main.ts')
  const child = spawn(process.execPath, ['--conditions=@vmexit/source', main, 'host', folder], {
    ...{ detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] },
    env: { ...process.env, XDG_STATE_HOME: home },
  })
  const [message] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => ['gone'])])
  child.unref()
  if (child.connected) child.disconnect()
  if (message === 'gone' || (message as { failure?: unknown }).failure !== undefined)
    throw new Error(`${instance.name} did not start: ${JSON.stringify(message)}`)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has just ended.
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
