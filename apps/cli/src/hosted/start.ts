/** Starts an instance in a host process of its own, which goes on when this one is gone. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { VmexitError } from '@vmexit/core'
import type { StartMessage } from './host.ts'
import type { Instance } from './instance.ts'
import { type Found, StateDirectory } from './state-directory.ts'

/**
 * Returns once it runs. Throws what was wrong with its options, as if it had been opened here; then nothing of it is
 * left. Throws a {@link VmexitError} `host-ended` where its process ended without a word.
 */
export async function start(
  what: Pick<Instance, 'kind' | 'what' | 'options'> & { readonly name: string | undefined },
): Promise<Found> {
  const state = new StateDirectory()
  const found = state.create(what)
  try {
    await startHost(found.folder)
    return found
  } catch (error) {
    state.remove(found)
    throw error
  }
}

async function startHost(folder: string): Promise<void> {
  const logFile = join(folder, 'host.log')
  const log = openSync(logFile, 'wx', 0o600)
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
  child.unref()
  if (child.connected) child.disconnect()
  if (outcome === 'ended') {
    throw new VmexitError('host-ended', {
      problem: 'the host process ended before anything ran',
      remedy: readFileSync(logFile, 'utf8').trim() || 'look whether the system killed it, as for want of memory',
    })
  }
  if (outcome.failure === undefined) return
  if ('stack' in outcome.failure) throw Object.assign(new Error(outcome.failure.stack), outcome.failure)
  throw new VmexitError(outcome.failure.code, outcome.failure)
}
