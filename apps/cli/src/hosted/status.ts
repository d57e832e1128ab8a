/** How an instance stands. Its process is asked: a process ID alone may be another's by now. */
import { ask } from './client.ts'
import type { About } from './hosted.ts'
import { type Exit, type HostProcess, readRecord } from './instance.ts'
import { isStopped } from './process-state.ts'
import type { Found } from './state-directory.ts'

export type Status =
  /** It answers; paused, and stands still. */
  | ({ readonly state: 'running' | 'paused' } & HostProcess & About)
  /** Its process is there and says nothing: stopped by SIGSTOP, where the system tells; else busy. */
  | ({ readonly state: 'stopped' | 'unresponsive' } & HostProcess)
  | ({ readonly state: 'exited' } & Exit)
  /** Its process is gone without a word. */
  | { readonly state: 'dead' }
  /** It was never seen running: it begins, or whoever began it is gone. */
  | { readonly state: 'created' }

/** There is a process. */
export type Alive = Extract<Status, HostProcess>

/** Whether there is a process. */
export const isAlive = (status: Status): status is Alive =>
  answers(status) || status.state === 'stopped' || status.state === 'unresponsive'

/** The process answers. */
export type Answering = Extract<Status, About>
export const answers = (status: Status): status is Answering => status.state === 'running' || status.state === 'paused'

/** Asks. It takes some seconds where the process does not answer. */
export async function statusOf(found: Found): Promise<Status> {
  const answer = await ask(found, 'describe')
  const host = readRecord(found.folder, 'host')
  if (answer === 'silent' && host !== undefined) {
    return { state: isStopped(host.pid) ? 'stopped' : 'unresponsive', ...host }
  }
  if (typeof answer === 'object') {
    const { paused, ...about } = answer as unknown as HostProcess & About
    return { state: paused === true ? 'paused' : 'running', ...about }
  }
  const exit = readRecord(found.folder, 'exit')
  if (exit !== undefined) return { state: 'exited', ...exit }
  return { state: host === undefined ? 'created' : 'dead' }
}

/** As Docker says it. `now` is in milliseconds since 1970. */
export function describeStatus(status: Status, now: number): string {
  switch (status.state) {
    case 'running':
      return `Up ${duration(now - Date.parse(status.started))}`
    case 'paused':
      return `Up ${duration(now - Date.parse(status.started))} (Paused)`
    case 'stopped':
      return 'Stopped'
    case 'unresponsive':
      return 'Unresponsive'
    case 'exited':
      return `Exited (${status.exitCode}) ${duration(now - Date.parse(status.at))} ago`
    case 'dead':
      return 'Dead'
    case 'created':
      return 'Created'
  }
}

const units = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const

/** In the largest unit of which there are two, or that is the smallest. */
function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const [unit, length] = units.find(([, each]) => seconds >= 2 * each) ?? units[3]
  const count = Math.floor(seconds / length)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
