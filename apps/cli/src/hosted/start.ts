/** Starts an instance in a host process of its own, which goes on when this one is gone; or in that of another one. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { accepted } from './client.ts'
import { decodeMessage, encodeMessage, FrameReader } from './frames.ts'
import type { StartMessage } from './host.ts'
import type { Instance } from './instance.ts'
import { type Found, StateDirectory, socketPath } from './state-directory.ts'

/** How one is started. */
export interface StartOptions {
  /** In whose process; in one of its own unless stated. */
  readonly join?: Found | undefined
}

/** One that runs. Its end is held back until it is left alone, so that whoever starts it sees all of it. */
export interface Started {
  readonly found: Found
  leaveAlone(): void
}

/**
 * Returns once it runs. Throws what was wrong with its options, as if it had been opened here; then nothing of it is
 * left. Throws a {@link VmexitError} `host-ended` where its process ended without a word.
 */
export async function start(
  what: Pick<Instance, 'kind' | 'what' | 'options' | 'remove'> & { readonly name: string | undefined },
  options: StartOptions = {},
): Promise<Started> {
  const state = new StateDirectory()
  const found = state.create(what)
  try {
    return await startAgain(found, options)
  } catch (error) {
    state.remove(found)
    throw error
  }
}

/** Starts one that there is; where that fails it is left as it was. */
export async function startAgain(found: Found, { join }: StartOptions = {}): Promise<Started> {
  const leaveAlone = join === undefined ? await startHost(found.folder) : await adopt(found, join)
  return { found, leaveAlone }
}

async function startHost(folder: string): Promise<() => void> {
  const logFile = join(folder, 'host.log')
  const log = openSync(logFile, 'w', 0o600)
  // The same program with the same options of Node, told what to run by its folder.
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, 'host', folder], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  })
  closeSync(log)
  const over = new AbortController()
  const said = once(child, 'message', over).then(([message]) => message as StartMessage)
  // Behind all that it said, unlike the end of the process.
  const ended = once(child, 'disconnect', over).then(() => 'ended' as const)
  const outcome = await Promise.race([said, ended])
  over.abort()
  await Promise.allSettled([said, ended])
  const leaveAlone = (): void => {
    child.unref()
    if (child.connected) child.disconnect()
  }
  if (outcome === 'ended') {
    throw new VmexitError('host-ended', {
      problem: 'the host process ended before anything ran',
      remedy: readFileSync(logFile, 'utf8').trim() || 'look whether the system killed it, as for want of memory',
    })
  }
  if (outcome.failure === undefined) return leaveAlone
  leaveAlone()
  if ('stack' in outcome.failure) throw Object.assign(new Error(outcome.failure.stack), outcome.failure)
  throw new VmexitError(outcome.failure.code, outcome.failure)
}

/** Asks the process of another one to run it, too. */
async function adopt({ instance: { id } }: Found, { folder, instance: { name } }: Found): Promise<() => void> {
  const socket = createConnection(socketPath(folder))
  const frames = new FrameReader()
  socket.write(encodeMessage({ do: 'adopt', id, attended: true }))
  try {
    for await (const bytes of socket.iterator({ destroyOnReturn: false }))
      for (const { payload } of frames.read(bytes as Uint8Array)) {
        accepted(decodeMessage(payload))
        // What is said from now on is for nobody.
        socket.resume()
        return () => void socket.destroy()
      }
  } catch (error) {
    socket.destroy()
    if (!(error as NodeJS.ErrnoException).syscall) throw error
  }
  socket.destroy()
  throw new VmexitError('not-running', {
    problem: `${name} does not run, so nothing joins it`,
    remedy: `start it: vmexit start ${name}`,
  })
}
