/** The start of a bare process: what a fork and an exec by somebody else take, until it runs, and until one that does nothing has ended. */
import { createKernel, HostOutput, type LinuxKernel, populate, runKernel } from '@vmexit/linux'
import { idleProgram, trueProgram } from '../start/programs.ts'
import { type MeasuredStart, PAGE_BYTES } from '../start/start.ts'
import type { StartRequest } from '../technique.ts'
import { MEMORY, store } from './kernel.ts'
import { differenceOnKernel, KernelMeter, pause } from './kernel-meter.ts'

/** Instructions after which a program that waits has all its pages. */
const A_FEW = 1000

/** Starts one that ends, and one that waits. */
export async function startOfProcess({ engine, signal }: StartRequest): Promise<MeasuredStart> {
  const kernel = createKernel({ memory: MEMORY, ...(typeof engine === 'string' && { engine }) })
  populate(kernel)
  const program = trueProgram()
  store(kernel, 'true', program)
  store(kernel, 'idle', idleProgram())
  const meter = new KernelMeter(kernel)
  const before = meter.counts()
  spawn(kernel, 'true')
  // A program from outside has no parent that has forked it.
  const first = { ...differenceOnKernel(meter.counts(), before), forks: 1 }
  await runKernel(kernel, { pause, isOver: () => signal?.aborted === true })
  signal?.throwIfAborted()
  const exit = { ...differenceOnKernel(meter.counts(), before), forks: 1 }
  const used = kernel.frames.used
  spawn(kernel, 'idle')
  kernel.step(A_FEW)
  return {
    first,
    exit,
    imageBytes: program.length,
    residentBytes: (kernel.frames.used - used) * PAGE_BYTES,
  }
}

function spawn(kernel: LinuxKernel, name: string): void {
  const output = new HostOutput(kernel, () => {})
  kernel.spawn({ path: `/${name}`, args: [name], files: [undefined, output, output] })
}
