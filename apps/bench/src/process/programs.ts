/** What programs compute: rows of the benchmark's own script, on our kernel and under QEMU's user mode. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { createKernel, HostOutput, populate } from '@vmexit/linux'
import { load } from '../boot/guest.ts'
import { processorTime } from '../boot/process.ts'
import { Timeline } from '../boot/timeline.ts'
import { treeAt, treeIn, unpack } from './tree.ts'

/** Rows that compute, in the script's order. The first two make what others read. */
export const PROGRAM_ROWS: readonly string[] = [
  ...['sha256', 'gzip', 'gunzip', 'sort', 'shloop', 'sieve'],
  ...['intmix', 'matx87', 'matsse', 'copy', 'codegen'],
]
const RUN = ['zeros', 'text', ...PROGRAM_ROWS].join(',')
const SCRIPT = '/bench/run.sh'
const QEMU = 'qemu-i386-static'

/** By row: milliseconds of processor time, of all threads, those that have passed, and what it found. */
export interface ProgramTimes {
  readonly cpu: Readonly<Record<string, number>>
  readonly elapsed: Readonly<Record<string, number>>
  readonly found: Readonly<Record<string, string>>
}

/** On our kernel. */
export function measureProgramsHere(initrd: string): ProgramTimes {
  const kernel = createKernel({ memory: '256 MiB' })
  unpack(load(initrd), treeIn(kernel))
  populate(kernel)
  const timeline = timelineOf('process', processorTime)
  const output = new HostOutput(kernel, (bytes) => timeline.feed(bytes))
  const files = [undefined, output, output]
  kernel.spawn({ path: '/bin/sh', args: ['sh', SCRIPT, RUN], env: { PATH: '/bin' }, cwd: '/', files })
  kernel.runToEnd()
  return timesIn('process', timeline)
}

/** Under QEMU, in a folder of its own. */
export async function measureProgramsInQemu(initrd: string): Promise<ProgramTimes> {
  const folder = mkdtempSync(join(tmpdir(), 'vmexit-bench-'))
  try {
    unpack(load(initrd), treeAt(folder))
    treeAt(folder).directory('/tmp', 0o777)
    const child = spawn('/bin/sh', [join(folder, SCRIPT), RUN], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: process.env.PATH, PREFIX: QEMU, ROOT: folder },
    })
    const timeline = timelineOf('qemu-user', () => timeWithChildren(child.pid ?? 0))
    child.stdout.on('data', (bytes: Uint8Array) => timeline.feed(bytes))
    await new Promise((resolve, reject) => {
      child.on('close', resolve)
      child.on('error', reject)
    })
    return timesIn('qemu-user', timeline)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function timelineOf(system: string, cpu: () => number): Timeline {
  const began = performance.now()
  return new Timeline(system, () => ({ wall: performance.now() - began, cpu: cpu(), instructions: 0 }), '')
}

/** Of a process and of those of its children that have been waited for: proc(5), `/proc/PID/stat`. */
function timeWithChildren(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) * 10
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
