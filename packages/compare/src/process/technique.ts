/** A column of bare processes: the workloads on `@vmexit/linux`, a kernel in TypeScript, with no machine of its own below them. */
import type { Counts } from '@vmexit/core'
import { SlopeMeter } from '@vmexit/guests'
import { createKernel, HostOutput, populate, runKernel } from '@vmexit/linux'
import { eventsOfNames } from '../events.ts'
import { explainInProcess } from '../explain/kernel-explain.ts'
import type { Measured, MeasureRequest, Technique } from '../technique.ts'
import type { Workload } from '../workload.ts'
import { calibrations } from './calibrations.generated.ts'
import { failed, LIMIT, MEMORY, SLICE, store } from './kernel.ts'
import { eventsOnKernel, KernelMeter, pause } from './kernel-meter.ts'
import { CALIBRATED_BY, KERNEL_EVENTS, type KernelCalibration, kernelInstructions } from './kernel-work.ts'
import { startOfProcess } from './start.ts'

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
    start: startOfProcess,
    explain: explainInProcess,
    async measure(request: MeasureRequest): Promise<readonly Measured[]> {
      const all: Measured[] = []
      for (const workload of request.workloads) {
        const measured = await run(workload, request)
        all.push(measured)
        request.onMeasured(measured)
      }
      return all
    },
    charged: (events, kernel) => chargedProcess(events, calibrationOf(kernel)),
  }
}

/** Of the events on a kernel outside of the machine those that take time. Without constants the calls are what nobody can price. */
export function chargedProcess(events: Counts, calibration: KernelCalibration | undefined): Counts {
  return {
    ...eventsOfNames(events, CHARGED),
    ...(calibration === undefined
      ? { 'kernel-work': events['system-calls'] ?? 0 }
      : { 'kernel-instructions': kernelInstructions(events, calibration) }),
  }
}

const CALIBRATING = KERNEL_EVENTS.map((event) => CALIBRATED_BY[event]).join(', ')
const CHARGED = ['instructions', 'system-calls', 'page-faults', 'other-exceptions', 'walk-references', 'port-reads']

async function run({ name, count, image, does }: Workload, { engine, signal }: MeasureRequest): Promise<Measured> {
  const kernel = createKernel({ memory: MEMORY, ...(typeof engine === 'string' && { engine }) })
  populate(kernel)
  const path = store(kernel, name, image())
  const counts = new KernelMeter(kernel)
  const meter = new SlopeMeter(() => counts.counts())
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
    throw failed(
      name,
      'as a bare process',
      status === undefined ? `did not end (${outcome})` : `ended with status ${status}`,
    )
  return { workload: name, checksum: slope.checksum, events: eventsOnKernel(slope.costs, does) }
}
