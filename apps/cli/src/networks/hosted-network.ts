/** The switch of a network in a host process: it runs while somebody is on the network, and a little longer. */
import { rmSync } from 'node:fs'
import { openSwitch } from '@vmexit/container/node'
import { VmexitError } from '@vmexit/core'
import type { Hosted } from '../hosted/hosted.ts'
import { type NetworkRecord, Networks } from './record.ts'

/** Milliseconds that it waits for the first one, or the next. */
const LINGER = 5000

/** Opens it. Nobody else does, as its instance has the network's name. */
export async function hostedNetwork(options: unknown): Promise<Hosted> {
  const record = options as NetworkRecord
  const path = new Networks().socket(record)
  // Of one that was killed.
  if (process.platform !== 'win32') rmSync(path, { force: true })
  const opened = await openSwitch({ path, subnet: record.subnet })
  const end = new AbortController()
  let idle = setTimeout(() => {})
  const linger = (): void => {
    clearTimeout(idle)
    idle = setTimeout(() => (opened.members.length === 0 ? end.abort() : undefined), LINGER)
  }
  opened.onEmpty = linger
  return {
    onOutput: () => {},
    input: () =>
      Promise.reject(
        new VmexitError('network-input', {
          problem: `nobody reads what is typed at a network`,
          remedy: `see who is on it: vmexit network inspect ${record.name}`,
        }),
      ),
    stop: () => end.abort(),
    stats: () => {
      const { user, system } = process.cpuUsage()
      const { rss } = process.memoryUsage()
      return { ...opened.counts, 'host-cpu-seconds': (user + system) / 1e6, 'host-memory': rss }
    },
    run: async (signal) => {
      linger()
      const over = AbortSignal.any([signal, end.signal])
      if (!over.aborted) await new Promise<void>((done) => over.addEventListener('abort', () => done()))
      clearTimeout(idle)
      return { exitCode: 0 }
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}
