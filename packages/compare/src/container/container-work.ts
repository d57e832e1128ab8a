/**
 * What a kernel's work costs more in a container, in instructions of a kernel that has containers of its own: the difference between what a
 * workload takes there in one and beside one, divided by how often the event happens. Memory of the kernel's and pages are charged to a
 * control group, a switch goes through one more level of it, a file call through an overlay, a process has a number in two namespaces.
 *
 * An entry of a call, a byte that is copied and an exec take no more by themselves: the workloads that these are in test that.
 */
import type { Counts } from '@vmexit/core'

/** Events that cost more in a container, in the order in which what they cost is found. */
export const CONTAINER_EVENTS = ['signals', 'memory-calls', 'file-calls', 'switches', 'pages', 'forks'] as const

/** Name of an event that costs more. */
export type ContainerEvent = (typeof CONTAINER_EVENTS)[number]

/** The workload that what an event costs more comes from. */
export const CONTAINED_BY: Readonly<Record<ContainerEvent, string>> = {
  signals: 'divzero',
  'memory-calls': 'ptemod',
  'file-calls': 'files',
  switches: 'switch',
  pages: 'mmap',
  forks: 'fork',
}

/** Constants of one kernel's containers, and what they come from. */
export interface ContainerCalibration {
  /** Instructions of a repetition in a container, on the bare machine. */
  readonly workloads: Readonly<Record<string, number>>
  /** Instructions that one event takes more than outside of a container. */
  readonly instructions: Readonly<Record<ContainerEvent, number>>
  /**
   * Instructions from a guest that is ready to the first one of a container's program: its overlay, its control group, its namespaces, made by
   * a shell script and the commands that it calls.
   */
  readonly start: number
}

/** Instructions that events take more in a container. */
export function containerInstructions(
  events: Counts,
  { instructions, start }: Pick<ContainerCalibration, 'instructions' | 'start'>,
): number {
  const starts = (events['container-starts'] ?? 0) * start
  return CONTAINER_EVENTS.reduce((sum, event) => sum + (events[event] ?? 0) * instructions[event], starts)
}

/**
 * Constants for a kernel that has no containers: each event takes the same share more as in the one that has them, and a start as many
 * times what the fork and the exec of a process take.
 */
export function scaledContainer(
  { workloads, instructions, start }: ContainerCalibration,
  from: Bare,
  to: Bare,
): ContainerCalibration {
  const rounded = (value: number) => Math.round(value * 100) / 100
  const process = ({ instructions: { forks = 0, execs = 0 } }: Bare) => forks + execs
  const scaled = CONTAINER_EVENTS.map((event) => {
    const share = (to.instructions[event] ?? 0) / (from.instructions[event] || 1)
    return [event, rounded(instructions[event] * share)]
  })
  return {
    workloads,
    instructions: Object.fromEntries(scaled) as Record<ContainerEvent, number>,
    start: Math.round((start * process(to)) / (process(from) || 1)),
  }
}

/** Constants of a kernel outside of containers. */
interface Bare {
  readonly instructions: Counts
}

/**
 * Constants of a kernel's containers. `contained` and `native` have the instructions of one repetition of each workload in a container and
 * beside it, `bare` the events of the same workloads as bare processes. What is known of an event is taken off where another comes
 * with it.
 */
export function calibrateContainer(
  contained: ReadonlyMap<string, number>,
  native: ReadonlyMap<string, number>,
  bare: ReadonlyMap<string, Counts>,
  start: number,
): ContainerCalibration {
  const instructions = Object.fromEntries(CONTAINER_EVENTS.map((event) => [event, 0])) as Record<ContainerEvent, number>
  for (const event of CONTAINER_EVENTS) {
    const workload = CONTAINED_BY[event]
    const events = bare.get(workload) ?? {}
    const more = (contained.get(workload) ?? 0) - (native.get(workload) ?? 0)
    const left = more - containerInstructions(events, { instructions, start })
    instructions[event] = Math.round((left / (events[event] || 1)) * 100) / 100
  }
  return { workloads: Object.fromEntries(contained), instructions, start }
}
