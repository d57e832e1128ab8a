/**
 * Host processes that are killed at random moments, by seed: whatever they were in the middle of, all others live, the state can be read,
 * and what was killed can be started and removed. `VMEXIT_KILLS=200` kills so often, `VMEXIT_SEED=7` at other moments.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { boxes, isBoxThere, WHY_NO_BOX } from '../../test/box.ts'
import { ask } from '../hosted/client.ts'
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
    const { run, start, state, folder } = box()
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
      copy: (name) => ['cp', `${name}:/bin/busybox`, `copy-${name}`],
      into: (name) => ['cp', 'vmexit/images/index.json', `${name}:/tmp`],
      logs: (name) => ['logs', '-f', name],
      commit: (name) => ['commit', name],
      export: (name) => ['export', name, '-o', 'tree.tar'],
      stop: (name) => ['stop', '-t', '20', name],
      restart: (name) => ['restart', '-t', '20', name],
      pause: (name) => ['pause', name],
      nothing: () => ['ps'],
    }
    const doing = Object.keys(commands)
    for (const name of NAMES) await make(name)

    for (let n = 0; n < kills; n++) {
      const victim = NAMES[random(3)]!
      const what = doing[random(doing.length)]!
      const told = `kill ${n}: ${victim} during ${what}, seed ${seed}`
      const command = start(commands[what]!(victim), '')
      await sleep(random(1500))
      const pid = pidOf(victim)
      const together = NAMES.filter((name) => name === victim || (pid !== undefined && pidOf(name) === pid))
      const others = NAMES.filter((name) => !together.includes(name))
      const isOurs = pid !== undefined && pid !== command.child.pid
      if (isOurs) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // It has just ended.
        }
      }
      // Whoever was in the middle of something is told, and ends.
      await command.ended

      for (const name of others) {
        expect(await status(name), told).toBe('running')
        expect(await ask(state.find(name), { do: 'top' }), told).toHaveProperty('processes')
      }
      const ps = await run('ps', '-a', '--json')
      expect(ps, told).toMatchObject({ code: 0, said: '' })
      expect((JSON.parse(ps.out) as { name: string }[]).map(({ name }) => name).sort(), told).toEqual([...NAMES])

      for (const name of together) {
        if ((await status(name)) === 'paused') await run('unpause', name)
        if (random(4) === 0) {
          expect(await run('rm', '-f', name), told).toMatchObject({ code: 0, out: `${name}\n` })
          await make(name)
        } else if ((await status(name)) !== 'running') {
          // One that has joined another starts behind that.
          const spec = state.find(name).instance.options as { readonly join?: string }
          if (spec.join !== undefined && (await status('b')) !== 'running') {
            expect(await run('rm', name), told).toMatchObject({ code: 0 })
            await make(name)
          } else expect(await run('start', name), told).toEqual({ code: 0, out: `${name}\n`, said: '' })
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

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
