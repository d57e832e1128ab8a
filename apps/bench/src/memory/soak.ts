/** The long run: a guest that forks and executes without end, and looks at the host's memory on the way. */
import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { VmexitError } from '@vmexit/core'
import { createPc, type Pc } from '@vmexit/vmexit'
import { COMMAND_LINE, load, MEBIBYTES } from '../boot/guest.ts'
import { Lines } from '../lines.ts'
import type { MemoryOptions } from './options.ts'
import type { Look } from './results.ts'

/** As the workload `forkexec` does, by the shell that is the guest's /init: a mark after each ten programs that ended well. */
const LOOP =
  'cryptomgr.notests rdinit=/bin/sh -- -c "while :; do for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true || echo @@FAILED; done; echo @@TEN; done"'
const EACH = 10

const TENTHS = 10

/**
 * Boots, and from the first mark on looks after each tenth of the instructions; `onLook` is told of each at once.
 * @throws VmexitError `bench-guest` for files that are not there, and for a guest that does something else.
 */
export async function soak(options: MemoryOptions, onLook: (look: Look) => void): Promise<Look[]> {
  const { engine, instructions, kernel, initrd } = options
  const files = { kernel: load(kernel), initrd: load(initrd) }
  const append = `${COMMAND_LINE} ${LOOP}`
  await using pc = await createPc({ memory: MEBIBYTES << 20, engine, ...files, append })
  const begun = new AbortController()
  let programs = 0
  let failed = false
  const lines = new Lines((line) => {
    if (line === '@@TEN') programs += EACH
    if (line === '@@FAILED') failed = true
    if (programs > 0) begun.abort()
  })
  pc.console.onOutput((bytes) => lines.feed(bytes))
  const boot = await pc.run({ signal: begun.signal, idle: 'return', onReset: 'stop' })
  if (boot.reason !== 'aborted') throw astray(`ended before the first program did: ${boot.reason}`)
  // What the boot left behind is no measure of what comes.
  await collect()
  const looks: Look[] = []
  let retired = 0
  for (let tenth = 1; tenth <= TENTHS; tenth++) {
    const before = programs
    const end = Math.floor((instructions * tenth) / TENTHS)
    const stop = await pc.run({ instructions: end - retired, idle: 'return', onReset: 'stop' })
    retired += stop.instructions
    if (stop.reason !== 'limit') throw astray(`ended: ${stop.reason}`)
    if (failed) throw astray('could not execute /bin/true')
    if (programs === before) throw astray(`executed nothing in tenth ${tenth}`)
    const look = await lookAt(pc, retired, programs)
    looks.push(look)
    onLook(look)
  }
  return looks
}

async function lookAt(pc: Pc, instructions: number, programs: number): Promise<Look> {
  const { rss } = process.memoryUsage()
  await collect()
  const { rss: settled, heapUsed, external } = process.memoryUsage()
  const generated = Object.entries(pc.machine.find('x86')!.generated ?? {}).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  )
  return { instructions, programs, rss, settled, heapUsed, external, generated: Object.fromEntries(generated) }
}

/** Collects garbage, and gives back to the host what held it. */
async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as (how: object) => void
  for (let time = 0; time < 2; time++) {
    gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    await setTimeout(100)
  }
}

function astray(problem: string): VmexitError {
  return new VmexitError('bench-guest', {
    problem: `the guest ${problem}`,
    remedy: 'boot it with `vmexit boot` and look at what it prints',
  })
}
