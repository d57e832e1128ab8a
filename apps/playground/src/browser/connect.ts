/** Makes the thread that a machine runs on, and the port to it. */
import { failure, type Problem, problemOf } from './problem.ts'
import type { Report, Request, Setup } from './protocol.ts'

/** Where a machine runs: in a worker of its own, or on the page's thread, between what else the page does. */
export type Thread = 'worker' | 'page'

/** A machine that was started. Disposing it ends it, whatever it does. */
export interface Connection extends Disposable {
  send(request: Request): void
}

/** Starts a machine; what it reports goes to `listener`, also that its thread was lost. */
export async function start(thread: Thread, setup: Setup, listener: (report: Report) => void): Promise<Connection> {
  const { port1: port, port2: other } = new MessageChannel()
  const send = (request: Request) => port.postMessage(request)
  port.onmessage = ({ data }: MessageEvent<Report>) => listener(data)
  let end = () => send({ type: 'stop' })
  if (thread === 'page') (await machineModule()).serve(other)
  else {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
    worker.onerror = ({ message }) => listener({ type: 'problem', problem: lost(message) })
    worker.postMessage(null, [other])
    end = () => worker.terminate()
  }
  send({ type: 'start', setup })
  return {
    send,
    [Symbol.dispose]() {
      port.onmessage = null
      end()
    },
  }
}

/** The machine's code comes only where it is used: with a worker, the page does not need it. */
async function machineModule(): Promise<typeof import('./machine.ts')> {
  try {
    return await import('./machine.ts')
  } catch (cause) {
    throw failure("the machine's script could not be loaded", 'see that the server still runs, and reload', cause)
  }
}

/** A worker whose script does not load says nothing of why. */
export function lost(message: string | undefined): Problem {
  if (message) return problemOf(new Error(`the worker ended: ${message}`))
  return problemOf(failure("the worker's script could not be loaded", 'see that the server still runs, and reload'))
}
