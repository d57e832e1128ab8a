/**
 * What a comparison takes on this machine: CPU time and peak memory, each technique in a process of its own, several times. These are
 * measurements, and stand in tables of their own, apart from counts and modelled cycles.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Kernel, ReportTable, Technique, Workload } from '@vmexit/compare'
import { VmexitError } from '@vmexit/core'

/** The middle of some runs, and the ends. */
export interface Spread {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

/** One technique on this machine. */
export interface TechniqueUse {
  readonly technique: string
  /** Peak of the process's resident memory, with Node and everything: MiB. */
  readonly memory: Spread
  /** CPU time in milliseconds by workload, all repetitions; the first one has the start of the kernel in it. */
  readonly milliseconds: Readonly<Record<string, Spread>>
}

/** What was measured. */
export interface HostUse {
  readonly runs: number
  readonly techniques: readonly TechniqueUse[]
}

/** What one process says of itself. */
export interface OneUse {
  readonly memory: number
  readonly milliseconds: Readonly<Record<string, number>>
}

const main = fileURLToPath(new URL('../main.ts', import.meta.url))

/** Runs each technique so many times. Rejects with the signal's reason when it aborts. */
export async function measureHostUse(
  techniques: readonly { readonly name: string }[],
  workloads: readonly { readonly name: string }[],
  flags: { readonly guest: string; readonly engine: string; readonly time: number },
  signal: AbortSignal,
  onRun: (technique: string, run: number) => void,
): Promise<HostUse> {
  const measured: TechniqueUse[] = []
  for (const { name } of techniques) {
    const uses: OneUse[] = []
    for (let run = 0; run < flags.time; run++) {
      signal.throwIfAborted()
      onRun(name, run + 1)
      const rows = workloads.map((workload) => workload.name).join(',')
      const args = ['--techniques', name, '--workloads', rows, '--guest', flags.guest, '--engine', flags.engine]
      uses.push(await useOf(['compare', 'measure-use', ...args], signal))
    }
    const milliseconds = workloads.map((workload) => [
      workload.name,
      spreadOf(uses.map((use) => use.milliseconds[workload.name] ?? 0)),
    ])
    measured.push({
      technique: name,
      memory: spreadOf(uses.map(({ memory }) => memory)),
      milliseconds: Object.fromEntries(milliseconds),
    })
  }
  return { runs: flags.time, techniques: measured }
}

function useOf(args: readonly string[], signal: AbortSignal): Promise<OneUse> {
  return new Promise((resolve, reject) => {
    const child = fork(main, args, { execArgv: process.execArgv, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    let use: OneUse | undefined
    const stop = () => child.kill()
    signal.addEventListener('abort', stop, { once: true })
    child.on('message', (message) => {
      use = message as OneUse
    })
    child.on('error', reject)
    child.on('exit', (code) => {
      signal.removeEventListener('abort', stop)
      if (signal.aborted) reject(signal.reason)
      else if (use !== undefined && code === 0) resolve(use)
      else
        reject(
          new VmexitError('compare-time', {
            problem: 'a process that was to be timed failed',
            remedy: 'its own message says why',
          }),
        )
    })
  })
}

/** Runs one technique in this process, and tells the parent what that took. */
export async function tellUse(
  technique: Technique,
  workloads: readonly Workload[],
  kernel: Kernel,
  engine: 'jit' | 'interpreter' | 'reference',
): Promise<void> {
  const milliseconds: Record<string, number> = {}
  let before = process.cpuUsage()
  const onMeasured = ({ workload }: { readonly workload: string }) => {
    const { user, system } = process.cpuUsage(before)
    milliseconds[workload] = (user + system) / 1000
    before = process.cpuUsage()
  }
  await technique.measure({ workloads, kernel, engine, signal: undefined, onMeasured })
  process.send?.({ memory: process.resourceUsage().maxRSS / 1024, milliseconds } satisfies OneUse)
}

/** Of an even number of values the mean of both in the middle. */
function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = [sorted[Math.floor((sorted.length - 1) / 2)]!, sorted[Math.ceil((sorted.length - 1) / 2)]!]
  return { median: (middle[0]! + middle[1]!) / 2, lowest: sorted[0]!, highest: sorted.at(-1)! }
}

const about = ({ runs }: HostUse): string =>
  `Measured on this machine: medians of ${runs} ${runs === 1 ? 'run' : 'runs'} with the lowest and the highest, each in a process of its own. ` +
  'CPU time of all repetitions of a workload, the first one with the start of the kernel; peak memory with Node and everything. ' +
  'No counts and no modelled cycles are in this table.'

const shown = ({ median, lowest, highest }: Spread): string =>
  `${median.toFixed(0)} (${lowest.toFixed(0)}–${highest.toFixed(0)})`

function rowsOf({ techniques }: HostUse): readonly (readonly string[])[] {
  const workloads = Object.keys(techniques[0]?.milliseconds ?? {})
  return [
    ...workloads.map((name) => [`${name}, ms`, ...techniques.map((use) => shown(use.milliseconds[name]!))]),
    ['peak memory, MiB', ...techniques.map(({ memory }) => shown(memory))],
  ]
}

/** The table for a report. */
export function hostUseTable(use: HostUse): ReportTable {
  const head = ['', ...use.techniques.map(({ technique }) => technique)]
  return { id: 'host', title: 'CPU time and memory of this machine', about: about(use), head, rows: rowsOf(use) }
}

/** The table as text. */
export function hostUseText(use: HostUse): string {
  const rows = rowsOf(use)
  const heads = use.techniques.map(({ technique }) => technique)
  const lines = use.techniques.map((_, n) => [
    `  ${heads[n]}: ${rows.map((row) => `${row[0]!.replace(', ', ' ')} ${row[n + 1]}`.replace(/^(\S+) ms (.*)$/, '$1 $2 ms')).join(', ')}`,
  ])
  return `${about(use)}\n${lines.flat().join('\n')}\n`
}
