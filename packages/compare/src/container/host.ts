/** What containers here run on, and what is in them. */
import { type Container, ContainerHost, type ExitStatus } from '@vmexit/container'
import { type Image, Images, memoryStore, programArchive } from '@vmexit/image'
import { LIMIT, MEMORY, SLICE } from '../process/kernel.ts'
import { pause } from '../process/kernel-meter.ts'
import type { StartRequest } from '../technique.ts'

/** A host, and a promise that rejects where the signal aborts or a program hangs, which ends the host's run. */
export function containerHost(
  engine: StartRequest['engine'],
  signal: AbortSignal | undefined,
  hangs: () => Error,
): { readonly host: ContainerHost; readonly failure: Promise<never> } {
  const { promise: failure, reject } = Promise.withResolvers<never>()
  // Whoever is done before does not wait for it.
  failure.catch(() => {})
  let isTold = false
  const tell = (reason: unknown): true => {
    isTold = true
    reject(reason)
    return true
  }
  const host: ContainerHost = new ContainerHost({
    memory: MEMORY,
    ...(typeof engine === 'string' && { engine }),
    pace: () => ({
      pause,
      slice: () => SLICE,
      // Once that is known, what kills the program must be able to end it.
      isOver: () =>
        !isTold && (signal?.aborted ? tell(signal.reason) : host.kernel.cpu.retired > LIMIT && tell(hangs())),
      wait: async (nanoseconds) => {
        if (nanoseconds === Number.POSITIVE_INFINITY) tell(hangs())
        return nanoseconds
      },
    }),
  })
  return { host, failure }
}

/** An image that is the program and nothing else. */
export async function imageOf(name: string, program: Uint8Array): Promise<Image> {
  const images = new Images({ store: memoryStore() })
  const data = new Uint8Array(program)
  return await images.import(programArchive({ name, size: data.length, data: [data] }), {
    name,
    config: { Entrypoint: [`/${name}`] },
  })
}

/** Reads what a container's program says, until it has ended. */
export async function toItsEnd(container: Container, feed: (bytes: Uint8Array) => void): Promise<ExitStatus> {
  for (const reader = container.stdout.getReader(); ; ) {
    const { done, value } = await reader.read()
    if (done) break
    feed(value)
  }
  return await container.exited
}
