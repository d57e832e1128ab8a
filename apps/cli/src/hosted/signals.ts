/** Signals to host processes, and ways to an end. */

import { rmSync } from 'node:fs'
import { constants } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { isVmexitError, VmexitError } from '@vmexit/core'
import { ask } from './client.ts'
import { notRunning, silent } from './errors.ts'
import { writeRecord } from './instance.ts'
import { type Found, socketPath } from './state-directory.ts'
import { type Alive, answers, isAlive, statusOf } from './status.ts'

/** Milliseconds that a process may take to end once nothing can keep it. */
const patience = 10_000

/** The signal of a name with or without SIG, or of a number. Throws a {@link VmexitError} `signal-unknown`. */
export function signalNamed(word: string): NodeJS.Signals {
  const name = word.toUpperCase()
  const found = Object.entries(constants.signals).find(
    ([signal, number]) => name === signal || `SIG${name}` === signal || word === `${number}`,
  )
  if (found !== undefined) return found[0] as NodeJS.Signals
  throw new VmexitError('signal-unknown', {
    problem: `there is no signal '${word}'`,
    remedy: 'give a name such as TERM, KILL, STOP, CONT, or its number',
  })
}

/** Milliseconds in which a program that was killed is gone: what it has changed may be much to save. */
const patienceOfSaving = 120_000

/**
 * Sends a signal to what runs where that is a program, else to the process of an instance. A process that is killed cannot say how it
 * ended, so this does, and returns when it is gone. Returns how it stood before. Throws a {@link VmexitError} `not-running`.
 * `discard`: what it has changed need not be saved.
 */
export async function send(found: Found, signal: NodeJS.Signals, { discard = false } = {}): Promise<Alive> {
  const status = await statusOf(found)
  if (!isAlive(status)) throw notRunning(found, status)
  if (answers(status) && status.program !== undefined) {
    await ask(found, { do: 'kill', signal, discard })
    if (signal === 'SIGKILL' && !(await gone(found, patienceOfSaving))) throw silent(found, status)
    return status
  }
  if (signal !== 'SIGKILL') {
    process.kill(status.pid, signal)
    return status
  }
  // Before it: whoever waits for the end looks for this at once.
  const exitCode = 128 + constants.signals.SIGKILL
  writeRecord(found.folder, 'exit', { exitCode, at: new Date().toISOString(), word: 'killed' })
  process.kill(status.pid, signal)
  await gone(found, patience)
  if (process.platform !== 'win32') rmSync(socketPath(found.folder), { force: true })
  return status
}

/**
 * Asks what runs to end by itself; where it has not after so many seconds, ends it, its process in good order if it
 * can.
 */
export async function stop(found: Found, seconds: number): Promise<void> {
  const status = await statusOf(found)
  if (!isAlive(status)) throw notRunning(found, status)
  const end = (signal: NodeJS.Signals) =>
    send(found, signal).catch((error) => {
      // It has ended meanwhile.
      if (!isVmexitError(error, 'not-running')) throw error
    })
  await ask(found, 'stop')
  if (await gone(found, 1000 * seconds)) return
  if (answers(status) && status.program !== undefined) return void (await end('SIGKILL'))
  await end('SIGTERM')
  if (await gone(found, patience)) return
  await end('SIGKILL')
}

/** Whether it has gone within so many milliseconds. */
async function gone(found: Found, milliseconds: number): Promise<boolean> {
  for (const end = Date.now() + milliseconds; ; ) {
    if ((await ask(found, 'describe')) === 'gone') return true
    if (Date.now() >= end) return false
    await setTimeout(50)
  }
}
