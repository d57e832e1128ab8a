/** The start of a container on a kernel that runs: until its program does, and until one that does nothing has ended. */
import { createContainer } from '@vmexit/container'
import { failed } from '../process/kernel.ts'
import { differenceOnKernel, KernelMeter } from '../process/kernel-meter.ts'
import { idleProgram, trueProgram } from '../start/programs.ts'
import type { MeasuredStart } from '../start/start.ts'
import type { StartRequest } from '../technique.ts'
import { containerHost, imageOf, toItsEnd } from './host.ts'

/** Starts one that ends, and one that waits. */
export async function startOfContainer({ engine, signal }: StartRequest): Promise<MeasuredStart> {
  const { host, failure } = containerHost(engine, signal, () => failed('true', 'in a container', 'did not end'))
  const program = trueProgram()
  const meter = new KernelMeter(host.kernel)
  const before = meter.counts()
  await using container = await createContainer({ image: await imageOf('true', program), host })
  // The fork and the exec of its program are among what its start is charged.
  const events = () => ({
    ...differenceOnKernel(meter.counts(), before),
    ...{ forks: 0, execs: 0, 'container-starts': 1 },
  })
  const first = events()
  const { exitCode } = await Promise.race([toItsEnd(container, () => {}), failure])
  if (exitCode !== 0) throw failed('true', 'in a container', `ended with exit code ${exitCode}`)
  const exit = events()
  return { first, exit, imageBytes: program.length, residentBytes: await resident(engine) }
}

/** What is charged to a container whose program waits. */
async function resident(engine: StartRequest['engine']): Promise<number> {
  const { host } = containerHost(engine, undefined, () => failed('idle', 'in a container', 'did not begin'))
  await using waiting = await createContainer({ image: await imageOf('idle', idleProgram()), host })
  host.kernel.step(1000)
  return waiting.usage.memory
}
