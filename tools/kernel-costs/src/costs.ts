/** Kernels on the bare machine, the same programs as bare processes, and the constants that follow. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findGuests } from '@vmexit/cli/guests'
import {
  calibrate,
  calibrateContainer,
  type Kernel,
  type KernelCalibration,
  processTechnique,
  type Technique,
  techniques,
  type Workload,
  workloads,
} from '@vmexit/compare'
import type { Counts } from '@vmexit/core'
import { readProgram } from '@vmexit/guests'
import { readTeachingKernel, teachingKernels } from '@vmexit/guests/node'

/** The module that the constants are committed as. */
export const modulePath: string = fileURLToPath(
  new URL('../../../packages/compare/src/process/calibrations.generated.ts', import.meta.url),
)

/** Bytes through a pipe: no row of comparisons, and what a byte costs comes from it. */
const pipe: Workload = {
  name: 'pipe',
  title: 'Bytes through a pipe',
  unit: 'a page written and read',
  count: 100,
  image: () => readProgram('pipe'),
  does: { 'system-calls': 2 },
}

/** Kernels whose images are here: those of the teaching kernel, and Debian's where `vmexit guests` has fetched it. */
export function kernels(): readonly Kernel[] {
  const debian = findGuests()['linux-686']
  return [
    ...teachingKernels.map((name) => ({ name, image: readTeachingKernel(name) })),
    ...(debian === undefined
      ? []
      : [
          {
            name: 'debian',
            image: readFileSync(debian.kernel),
            initramfs: readFileSync(debian.initramfs),
            protocol: 'linux' as const,
          },
        ]),
  ]
}

/**
 * Repetitions of each run, in those of a comparison. What a kernel does now and then falls into one of them, and the median is of another.
 */
const TIMES = [3, 4, 5]

export const sha256 = ({ image }: Kernel): string => createHash('sha256').update(image).digest('hex')

/** Runs every workload on a kernel, several times, in a container of its own too where it has them; and as a bare process. */
export async function calibrateKernel(kernel: Kernel): Promise<KernelCalibration> {
  const rows = [...workloads, pipe]
  const measure = async (technique: Technique, times: number) => {
    const scaled = rows.map((row) => ({ ...row, count: row.count * times }))
    const request = { kernel, workloads: scaled, engine: undefined, signal: undefined, onMeasured() {} }
    const measured = await technique.measure(request)
    return new Map(measured.map(({ workload, events }) => [workload, events]))
  }
  const medians = async (technique: Technique): Promise<ReadonlyMap<string, number>> => {
    const runs: ReadonlyMap<string, Counts>[] = []
    for (const times of TIMES) runs.push(await measure(technique, times))
    return new Map(
      rows.map(({ name }) => {
        const totals = runs.map((run) => run.get(name)?.['instructions'] ?? 0).sort((a, b) => a - b)
        return [name, totals[Math.floor(totals.length / 2)]!]
      }),
    )
  }
  const named = (name: string) => techniques.find((technique) => technique.name === name)!
  const native = await medians(named('native'))
  const bare = await measure(processTechnique(), TIMES[1]!)
  const totals = new Map([...native].map(([name, instructions]) => [name, { instructions }] as const))
  const calibration = calibrate(kernel.name, sha256(kernel), totals, bare)
  const container = named('guest-container')
  if (container.refuses?.(kernel) !== undefined) return calibration
  const contained = await medians(container)
  const { first } = await container.start!({ kernel, engine: undefined, signal: undefined })
  return { ...calibration, container: calibrateContainer(contained, native, bare, first['instructions'] ?? 0) }
}

/** The text of the module. */
export function moduleOf(calibrations: readonly KernelCalibration[]): string {
  return `/** What kernels cost on the bare machine, written by \`tools/kernel-costs\`. */
import type { KernelCalibration } from './kernel-work.ts'

/** By the names of kernels in comparisons. */
export const calibrations: readonly KernelCalibration[] = ${JSON.stringify(calibrations, undefined, 2)}
`
}
