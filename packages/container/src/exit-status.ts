/** How programs end (wait(2)), as shells and Docker say it. */
import { Signal } from '@vmexit/linux'

/** How a program has ended. */
export interface ExitStatus {
  /** What it said, or 128 and the number of the signal, as shells and Docker have it. */
  readonly exitCode: number
  /** The signal that ended it. */
  readonly signal?: SignalName
}

/** `SIGTERM`. */
export type SignalName = keyof typeof Signal

/** What a status of wait(2) says. */
export function statusOf(status: number): ExitStatus {
  const number = status & 0x7f
  if (number === 0) return { exitCode: (status >> 8) & 0xff }
  const name = Object.entries(Signal).find(([, each]) => each === number)?.[0] as SignalName | undefined
  return { exitCode: 128 + number, ...(name !== undefined && { signal: name }) }
}
