/** A column of containers: the workloads in containers of `@vmexit/container`, on the kernel that bare processes run on. */
import { createContainer } from '@vmexit/container'
import type { Counts } from '@vmexit/core'
import { SlopeMeter } from '@vmexit/guests'
import { explainInContainer } from '../explain/kernel-explain.ts'
import { calibrations } from '../process/calibrations.generated.ts'
import { failed } from '../process/kernel.ts'
import { eventsOnKernel, KernelMeter } from '../process/kernel-meter.ts'
import type { KernelCalibration } from '../process/kernel-work.ts'
import { chargedProcess } from '../process/technique.ts'
import type { Measured, MeasureRequest, Technique } from '../technique.ts'
import type { Workload } from '../workload.ts'
import {
  CONTAINED_BY,
  CONTAINER_EVENTS,
  type ContainerCalibration,
  containerInstructions,
  scaledContainer,
} from './container-work.ts'
import { containerHost, imageOf, toItsEnd } from './host.ts'
import { startOfContainer } from './start.ts'

const WHERE = 'in a container'

/** What the column is made of. */
export interface ContainerTechniqueOptions {
  /** Constants that the kernel's work is charged with, by the kernel of the other columns. */
  readonly calibrations?: readonly KernelCalibration[]
}

/** The column. Each workload is the one program of an image FROM scratch, in a container on a kernel of its own. */
export function containerTechnique({ calibrations: known = calibrations }: ContainerTechniqueOptions = {}): Technique {
  const calibrationOf = (kernel: string) => known.find((each) => each.kernel === kernel)
  const containersOf = (kernel: string): Contained | undefined => {
    const own = calibrationOf(kernel)
    const from = own?.container === undefined ? known.find(({ container }) => container !== undefined) : own
    return own && from?.container && { kernel: from.kernel, ...scaledContainer(from.container, from, own) }
  }
  return {
    name: 'container',
    title: 'container',
    about:
      'A container FROM scratch on the same kernel outside of the machine: namespaces, an overlay, a control group.',
    basis(kernel) {
      const more = containersOf(kernel)
      if (more === undefined)
        return `no constants for the work of the kernel ${kernel}, or for that of containers, so no cycles`
      const constants = CONTAINER_EVENTS.map(
        (event) => `${event} ${more.instructions[event]} (from ${CONTAINED_BY[event]})`,
      )
      const where =
        more.kernel === kernel
          ? 'as many instructions as one of its own adds'
          : `the share that one adds in the kernel ${more.kernel}, since ${kernel} has no containers`
      return `charged as a bare process, and for what a container adds ${where} (calibrated: role C): ${constants.join(', ')}; for its start ${more.start}`
    },
    start: startOfContainer,
    explain: explainInContainer,
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
      const more = containersOf(kernel)
      const process = chargedProcess(events, more === undefined ? undefined : calibrationOf(kernel))
      const { 'kernel-instructions': instructions } = process
      return instructions === undefined || more === undefined
        ? process
        : { ...process, 'container-instructions': containerInstructions(events, more) }
    },
  }
}

interface Contained extends ContainerCalibration {
  readonly kernel: string
}

async function run({ name, count, image, does }: Workload, { engine, signal }: MeasureRequest): Promise<Measured> {
  const { host, failure } = containerHost(engine, signal, () => failed(name, WHERE, 'did not end'))
  // What a program says comes through a stream, later: what was counted meanwhile is kept until then.
  const said: { readonly length: number; readonly counts: Counts }[] = []
  const counts = new KernelMeter(host.kernel, (length) => said.push({ length, counts: counts.counts() }))
  let now: Counts = {}
  const meter = new SlopeMeter(() => now)
  // Reading ports is a right that Docker takes away.
  const rights = does['port-reads'] === undefined ? {} : { capAdd: ['SYS_RAWIO'] }
  await using container = await createContainer({
    ...{ image: await imageOf(name, image()), host, args: [String(count)], ...rights },
  })
  const { exitCode } = await Promise.race([toItsEnd(container, feed), failure])
  const [slope] = meter.slopes
  if (slope === undefined || exitCode !== 0) throw failed(name, WHERE, `ended with exit code ${exitCode}`)
  return { workload: name, checksum: slope.checksum, events: eventsOnKernel(slope.costs, does) }

  function feed(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const { length, counts: then } = said.shift()!
      now = then
      meter.feed(bytes.subarray(at, at + length))
      at += length
    }
  }
}
