/** What programs compute: rows of the benchmark's own script, on our kernel and under QEMU's user mode. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { createKernel, HostOutput, populate } from '@vmexit/linux'
import { load } from '../boot/guest.ts'
import { processorTime } from '../boot/process.ts'
import { Timeline } from '../boot/timeline.ts'
import { treeAt, treeIn, unpack } from './tree.ts'
import { awaitTurn } from './turns.ts'

/** Rows that compute, in the script's order. The first two make what others read. */
export const PROGRAM_ROWS: readonly string[] = [
  ...['sha256', 'gzip', 'gunzip', 'sort', 'shloop', 'sieve'],
  ...['intmix', 'matx87', 'matsse', 'copy', 'codegen'],
]
const RUN: readonly string[] = ['zeros', 'text', ...PROGRAM_ROWS]
const SCRIPT = '/bench/run.sh'
const QEMU = 'qemu-i386-static'

/** By row: milliseconds of processor time, of all threads, those that have passed, and what it found. */
export interface ProgramTimes {
  readonly cpu: Readonly<Record<string, number>>
  readonly elapsed: Readonly<Record<string, number>>
  readonly found: Readonly<Record<string, string>>
}

/** On our kernel, each row when it is its turn. What V8's threads still compile behind a row's end is charged to it. */
export function measureProgramsHere(initrd: string): ProgramTimes {
  const kernel = createKernel({ memory: '256 MiB' })
  unpack(load(initrd), treeIn(kernel))
  populate(kernel)
  const timeline = timelineOf('process', processorTime)
  const output = new HostOutput(kernel, (bytes) => timeline.feed(bytes))
  const files = [undefined, output, output]
  const late: Record<string, number> = {}
  for (const row of RUN) {
    awaitTurn()
    kernel.spawn({ path: '/bin/sh', args: ['sh', SCRIPT, row], env: { PATH: '/bin' }, cwd: '/', files })
    kernel.runToEnd()
    const ended = processorTime()
    awaitTurn()
    late[row] = processorTime() - ended
  }
  const times = timesIn('process', timeline)
  return { ...times, cpu: Object.fromEntries(PROGRAM_ROWS.map((row) => [row, times.cpu[row]! + late[row]!])) }
}

/** Under QEMU, in a folder of its own, each row when it is its turn. */
export async function measureProgramsInQemu(initrd: string): Promise<ProgramTimes> {
  const folder = mkdtempSync(join(tmpdir(), 'vmexit-bench-'))
  try {
    unpack(load(initrd), treeAt(folder))
    treeAt(folder).directory('/tmp', 0o777)
    const timeline = timelineOf('qemu-user', () => 0)
    const cpu: Record<string, number> = {}
    for (const row of RUN) {
      awaitTurn()
      const before = timeOfChildren()
      const child = spawn('/bin/sh', [join(folder, SCRIPT), row], {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { PATH: process.env.PATH, PREFIX: QEMU, ROOT: folder },
      })
      child.stdout.on('data', (bytes: Uint8Array) => timeline.feed(bytes))
      await once(child, 'close')
      cpu[row] = timeOfChildren() - before
      awaitTurn()
    }
    return { ...timesIn('qemu-user', timeline), cpu }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function timelineOf(system: string, cpu: () => number): Timeline {
  const began = performance.now()
  return new Timeline(system, () => ({ wall: performance.now() - began, cpu: cpu(), instructions: 0 }), '')
}

/** Milliseconds that children of this process have used which have been waited for: proc(5), `/proc/self/stat`. */
function timeOfChildren(): number {
  const text = readFileSync('/proc/self/stat', 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return fields.slice(13, 15).reduce((sum, field) => sum + Number(field), 0) * 10
}

function timesIn(
  system: string,
  { record: { workloadCpu, workloads, results, output, failed } }: Timeline,
): ProgramTimes {
  const missing = PROGRAM_ROWS.find((row) => workloadCpu[row] === undefined) ?? failed[0]
  if (missing === undefined) {
    // Behind the first word may stand the path of a file.
    const found = PROGRAM_ROWS.map((row): [string, string] => [
      row,
      results[row]?.check ?? output[row]?.split(' ')[0] ?? '',
    ])
    return { cpu: workloadCpu, elapsed: workloads, found: Object.fromEntries(found) }
  }
  throw new VmexitError('bench-guest', {
    problem: `${missing} failed (${system})`,
    remedy: 'Debian has QEMU in qemu-user-static; apps/bench/README.md says what the initramfs is',
  })
}
