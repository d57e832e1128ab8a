/** A column of bare processes: the workloads on `@vmexit/linux`, a kernel in TypeScript, with no machine of its own below them. */
import { type Counts, VmexitError } from '@vmexit/core'
import { SlopeMeter } from '@vmexit/guests'
import { createKernel, HostOutput, type LinuxKernel, populate, runKernel } from '@vmexit/linux'
import { eventsOfNames } from '../events.ts'
import type { Measured, MeasureRequest, Technique } from '../technique.ts'
import type { Workload } from '../workload.ts'
import { calibrations } from './calibrations.generated.ts'
import { CALIBRATED_BY, KERNEL_EVENTS, type KernelCalibration, kernelInstructions, kindOfCall } from './kernel-work.ts'

/** As much as the guests of other columns have. */
const MEMORY = '64 MiB'
/** A hundred times what a workload takes: a program that hangs ends here. */
const LIMIT = 2_000_000_000
/** Instructions between two looks at the signal. */
const SLICE = 1_000_000
/** O_WRONLY | O_CREAT. */
const CREATE = 0o101
/** Calls whose answer is a number of bytes that the kernel has moved. */
const MOVING = new Set([
  ...['read', 'write', 'readv', 'writev', 'pread64', 'pwrite64', 'preadv', 'pwritev'],
  ...['sendfile', 'sendfile64', 'readlink', 'readlinkat', 'getdents64', 'getrandom'],
])

/** What the column is made of. */
export interface ProcessTechniqueOptions {
  /** Constants that the kernel's work is charged with, by the kernel of the other columns. */
  readonly calibrations?: readonly KernelCalibration[]
}

/** The column. Each workload is the first process of a kernel of its own. */
export function processTechnique({ calibrations: known = calibrations }: ProcessTechniqueOptions = {}): Technique {
  const calibrationOf = (kernel: string) => known.find((each) => each.kernel === kernel)
  return {
    name: 'process',
    title: 'process',
    about: 'A process on a kernel outside of the machine: only the program runs on it.',
    basis(kernel) {
      const found = calibrationOf(kernel)
      if (found === undefined) return `no constants for the work of the kernel ${kernel}, so no cycles`
      const constants = Object.entries(found.instructions).map(([event, each]) => `${event} ${each}`)
      return `its kernel counts no instructions and is charged, in those of the kernel ${kernel} on the bare machine (calibrated: role C; SHA-256 ${found.sha256.slice(0, 12)}…): ${constants.join(', ')}; so ${CALIBRATING} are about native by construction`
    },
    async measure(request: MeasureRequest): Promise<readonly Measured[]> {
      const all: Measured[] = []
      for (const workload of request.workloads) {
        const measured = await run(workload, request)
        all.push(measured)
        request.onMeasured(measured)
      }
      return all
    },
    charged(events, kernel) {
      const calibration = calibrationOf(kernel)
      return {
        ...eventsOfNames(events, CHARGED),
        // Without constants the calls are what nobody can price.
        ...(calibration === undefined
          ? { 'kernel-work': events['system-calls'] ?? 0 }
          : { 'kernel-instructions': kernelInstructions(events, calibration) }),
      }
    },
  }
}

const CALIBRATING = KERNEL_EVENTS.map((event) => CALIBRATED_BY[event]).join(', ')
const CHARGED = ['instructions', 'system-calls', 'page-faults', 'other-exceptions', 'walk-references', 'port-reads']

async function run({ name, count, image, does }: Workload, { engine, signal }: MeasureRequest): Promise<Measured> {
  const kernel = createKernel({ memory: MEMORY, ...(typeof engine === 'string' && { engine }) })
  populate(kernel)
  const path = `/${name}`
  const { vfs } = kernel
  const task = vfs.newTask(kernel.tree)
  const file = vfs.open(task, null, path, CREATE, 0o755)
  if (typeof file === 'number') throw failed(name, `could not be stored (errno ${-file})`)
  vfs.write(task, file, image())
  vfs.close(file)
  vfs.exit(task)

  let bytes = 0
  kernel.observer = {
    end(_task, number, _args, answer) {
      if (answer !== undefined && answer > 0 && MOVING.has(kernel.calls.rows[number]?.name ?? '')) bytes += answer
    },
  }
  const meter = new SlopeMeter(() => countsOf(kernel, bytes))
  const output = new HostOutput(kernel, (piece) => meter.feed(piece))
  let status: number | undefined
  const onExit = (ended: number) => {
    status = ended
  }
  kernel.spawn({ path, args: [path, String(count)], cwd: '/tmp', files: [undefined, output, output], onExit })
  const isOver = () => signal?.aborted === true || kernel.cpu.retired > LIMIT
  const outcome = await runKernel(kernel, { pause, slice: () => SLICE, isOver })
  signal?.throwIfAborted()
  const [slope] = meter.slopes
  if (slope === undefined || status !== 0)
    throw failed(name, status === undefined ? `did not end (${outcome})` : `ended with status ${status}`)
  return { workload: name, checksum: slope.checksum, events: eventsOf(slope.costs, does) }
}

/** A turn of the event loop, wherever this runs. */
function pause(): Promise<void> {
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      done()
    }
    port2.postMessage(undefined)
  })
}

function failed(workload: string, how: string): VmexitError {
  return new VmexitError('compare-workload', {
    problem: `the workload ${workload} as a bare process ${how}`,
    remedy: 'leave it out; `vmexit strace` shows what it does',
  })
}

/** Everything that is counted, by the names of a comparison. */
function countsOf(kernel: LinuxKernel, bytes: number): Counts {
  const { cpu, counts, callCounts, calls } = kernel
  const { dataMisses, instructionMisses, tableReferences } = cpu.paging.mmu.counts
  const exceptions = cpu.counts.exceptions.reduce((sum, each) => sum + each, 0)
  const faults = cpu.counts.exceptions[14] ?? 0
  const byName: Record<string, number> = { 'memory-calls': 0, 'file-calls': 0, 'plain-calls': 0 }
  let all = 0
  // Every call that there is: a counter that is not there at the first marker would be left out.
  for (const [number, count] of callCounts.entries()) {
    const name = calls.rows[number]?.name ?? calls.absent.get(number)
    if (name === undefined) continue
    all += count
    byName[kindOfCall(name)]! += count
    byName[`system-calls-${name}`] = count
  }
  return {
    instructions: cpu.retired,
    'system-calls': all,
    ...byName,
    'bytes-copied': bytes,
    pages: counts.pages,
    switches: counts.switches,
    signals: counts.signals,
    forks: counts.forks,
    execs: counts.execs,
    'page-faults': faults,
    'other-exceptions': exceptions - faults,
    'tlb-misses': dataMisses + instructionMisses,
    'tlb-misses-data': dataMisses,
    'tlb-misses-code': instructionMisses,
    'walk-references': tableReferences,
  }
}

/** Without calls that a repetition does not make. What no counter counts comes from the program's source. */
function eventsOf(costs: Counts, does: Counts): Counts {
  const made = Object.entries(costs).filter(([name, count]) => count !== 0 || !name.startsWith('system-calls-'))
  const { 'port-reads': ports } = does
  return {
    ...Object.fromEntries(made),
    'true-faults': costs['page-faults'] ?? 0,
    ...(ports !== undefined && { 'port-reads': ports }),
  }
}
