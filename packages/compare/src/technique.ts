/** What a column of a comparison is: something that runs workloads and counts. */
import type { Counts } from '@vmexit/core'
import type { PcHardware } from '@vmexit/vmexit'
import type { EventKind, Steps } from './explain/explanation.ts'
import type { MeasuredStart } from './start/start.ts'
import type { Workload } from './workload.ts'

/** A guest kernel. */
export interface Kernel {
  readonly name: string
  readonly image: Uint8Array
  /**
   * What the image is: of `multiboot`, which it is unless stated, one of Multiboot 1 that takes its first module for an initramfs; of
   * `linux` a bzImage.
   */
  readonly protocol?: 'multiboot' | 'linux'
  /** An initramfs with its modules and a busybox, for what is more than the workloads: a container of its own. */
  readonly initramfs?: Uint8Array
}

/** How far a comparison is. */
export interface Progress {
  readonly technique: string
  /** The workload that is done; undefined when the technique begins. */
  readonly workload: string | undefined
  /** Cells that are done, of all. */
  readonly done: number
  readonly total: number
}

/** What starts are measured with. */
export interface StartRequest {
  readonly kernel: Kernel
  readonly engine: PcHardware['engine']
  readonly signal: AbortSignal | undefined
}

/** An event that is looked for. */
export interface EventRequest extends StartRequest {
  readonly workload: Workload
  readonly what: EventKind
}

/** What a technique is to measure. */
export interface MeasureRequest extends StartRequest {
  readonly workloads: readonly Workload[]
  /** To be called when a workload is done. */
  readonly onMeasured: (measured: Measured) => void
}

/** What a workload cost. */
export interface Measured {
  readonly workload: string
  /** What the program says that it computed. */
  readonly checksum: string
  /** Events in one repetition, by the names of the counters. */
  readonly events: Counts
}

/** A column. A technique that is no PC, such as a container, brings its own `measure`. */
export interface Technique {
  readonly name: string
  /** For the head of a column: at most 15 characters. */
  readonly title: string
  /** What it is, in a sentence. */
  readonly about: string
  /** Runs the workloads in their order. Rejects with the signal's reason when it aborts. */
  measure(request: MeasureRequest): Promise<readonly Measured[]>
  /** Starts one instance. Undefined of a technique whose start is not measured. */
  start?(request: StartRequest): Promise<MeasuredStart>
  /** Traces one event, step by step. Undefined of a technique that cannot. */
  explain?(request: EventRequest, steps: Steps): Promise<void>
  /**
   * Of the events in a repetition those that take the hardware's time. What is simulated in software does not. `kernel` is the name
   * of the comparison's.
   */
  charged(events: Counts, kernel: string): Counts
  /** Why it cannot be on a kernel; undefined where it can. */
  refuses?(kernel: Kernel): string | undefined
  /** What the figures of this column rest on beside counts and prices, if anything: constants that were calibrated. */
  basis?(kernel: string): string
}
