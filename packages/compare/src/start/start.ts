/** What it takes to start an instance of a technique: until its first program runs, until `true` has ended, and what it then holds. */
import type { CostProfile, Counts } from '@vmexit/core'
import { type Charged, type Charging, charge } from '../charge.ts'

/** What a technique says of its start. */
export interface MeasuredStart {
  /** Events until the first instruction of the first program in user mode. */
  readonly first: Counts
  /** Events until a program that does nothing has run and ended. */
  readonly exit: Counts
  /** What is started from: a kernel and its initramfs, an image, a program. */
  readonly imageBytes: number
  /** RAM that is in use by an instance whose first program has begun, in whole pages. */
  readonly residentBytes: number
}

/** A point of a start, priced. */
export interface StartPoint extends Charged {
  readonly events: Counts
}

/** The start of one technique. */
export interface Start {
  readonly technique: string
  readonly first: StartPoint
  readonly exit: StartPoint
  readonly imageBytes: number
  readonly residentBytes: number
}

/** Prices a start. */
export function pricedStart(
  technique: Charging,
  { first, exit, imageBytes, residentBytes }: MeasuredStart,
  kernel: string,
  profile: CostProfile,
): Start {
  const point = (events: Counts): StartPoint => ({ events, ...charge(technique.charged(events, kernel), profile) })
  return { technique: technique.name, first: point(first), exit: point(exit), imageBytes, residentBytes }
}

/** Bytes of a page. */
export const PAGE_BYTES = 4096

/** Instructions of a program, a guest and what a kernel outside of the machine is charged. */
export function instructionsOf({ events, charges }: Pick<StartPoint, 'events' | 'charges'>): number {
  const charged = (name: string) => charges[name]?.count ?? 0
  return (events['instructions'] ?? 0) + charged('kernel-instructions') + charged('container-instructions')
}
