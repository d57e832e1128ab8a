/** Errors of more than one command: what is wrong with how an instance stands. */
import { VmexitError } from '@vmexit/core'
import type { Found } from './state-directory.ts'
import { type Alive, describeStatus, type Status } from './status.ts'

/** That an instance does not run, and what to do with one that has run. */
export function notRunning({ instance: { name } }: Found, status: Status): VmexitError<'not-running'> {
  return new VmexitError('not-running', {
    problem: `${name} does not run (${describeStatus(status, Date.now())})`,
    remedy: `see what it has printed: vmexit logs ${name}; or remove it: vmexit rm ${name}`,
  })
}

/** That the process of an instance is there and does not answer. */
export function silent({ instance: { name } }: Found, { state, pid }: Alive): VmexitError<'silent'> {
  return new VmexitError('silent', {
    problem: `${name} does not answer: its process ${pid} is ${state}`,
    remedy: state === 'stopped' ? `let it go on: vmexit kill -s CONT ${name}` : 'try again later',
  })
}

/** That a process was killed by something else than `vmexit kill`. */
export function endedSilently(name: string): VmexitError<'host-killed'> {
  return new VmexitError('host-killed', {
    problem: `${name} is dead: its host process is gone and did not say how it ended`,
    remedy: 'look whether somebody killed it, or the system did for want of memory',
  })
}
