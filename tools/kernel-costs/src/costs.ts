/** Kernels on the bare machine, the same programs as bare processes, and the constants that follow. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findGuests } from '@vmexit/cli/guests'
import {
  calibrate,
  type Kernel,
  type KernelCalibration,
  processTechnique,
  type Technique,
  techniques,
  type Workload,
  workloads,
} from '@vmexit/compare'
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
  const debian = findGuests()['linux-686']?.kernel
  return [
    ...teachingKernels.map((name) => ({ name, image: readTeachingKernel(name) })),
    ...(debian === undefined ? [] : [{ name: 'debian', image: readFileSync(debian), protocol: 'linux' as const }]),
  ]
}

export const sha256 = ({ image }: Kernel): string => createHash('sha256').update(image).digest('hex')

/** Runs every workload on a kernel and as a bare process. */
export async function calibrateKernel(kernel: Kernel): Promise<KernelCalibration> {
  const measure = async (technique: Technique) => {
    const request = { kernel, workloads: [...workloads, pipe], engine: undefined, signal: undefined, onMeasured() {} }
    const measured = await technique.measure(request)
    return new Map(measured.map(({ workload, events }) => [workload, events]))
  }
  const native = await measure(techniques.find(({ name }) => name === 'native')!)
  return calibrate(kernel.name, sha256(kernel), native, await measure(processTechnique()))
}

/** The text of the module. */
export function moduleOf(calibrations: readonly KernelCalibration[]): string {
  return `/** What kernels cost on the bare machine, written by \`tools/kernel-costs\`. */
import type { KernelCalibration } from './kernel-work.ts'

/** By the names of kernels in comparisons. */
export const calibrations: readonly KernelCalibration[] = ${JSON.stringify(calibrations, undefined, 2)}
`
}
