/** What the page and a machine say to each other over a port: the same in a worker and on the page's own thread. */
import type { PcStopReason, PcTechnique, VmExit } from '@vmexit/vmexit'
import type { Engine } from '@vmexit/x86'
import type { OfferedFiles } from '../offer.ts'
import type { PagingView } from './paging-view.ts'
import type { Problem } from './problem.ts'

/** What a machine is made of. */
export interface Setup {
  readonly files: OfferedFiles<Uint8Array>
  /** The kernel's command line. */
  readonly append: string
  readonly engine: Engine
  /** How the guest shares the machine. */
  readonly way: PcTechnique
  /** Instructions between two turns of the thread it runs on. */
  readonly slice: number
  /** Such as `128 MiB`. */
  readonly memory: string
}

/** From the page. */
export type Request =
  | { readonly type: 'start'; readonly setup: Setup }
  | { readonly type: 'input'; readonly text: string }
  /** So many bytes of output are on the screen: the guest waits while too many are on their way. */
  | { readonly type: 'shown'; readonly bytes: number }
  | { readonly type: 'reset' }
  | { readonly type: 'press-power-button' }
  /** How is this linear address translated now? That of the guest's instruction unless stated. */
  | { readonly type: 'look'; readonly linear: number | undefined }
  | { readonly type: 'stop' }

/** What a machine has counted, and when. */
export interface Figures {
  /** The host's clock in milliseconds, since a moment that stays the same. */
  readonly at: number
  /** Virtual seconds since power-on, and those in which the CPU waited. */
  readonly seconds: number
  readonly idleSeconds: number
  readonly counts: Readonly<Record<string, number>>
  /** What the machine below has counted, where the guest is a VM on one. */
  readonly machine: Readonly<Record<string, number>> | undefined
  /** The latest exits since the report before, not more than fit into the log; the latest one last. */
  readonly exits: readonly VmExit[]
}

/** From the machine. */
export type Report =
  | { readonly type: 'running' }
  | { readonly type: 'output'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'figures'; readonly figures: Figures }
  | { readonly type: 'paging'; readonly view: PagingView }
  /** Unless it is off, it can be reset. */
  | {
      readonly type: 'ended'
      readonly reason: PcStopReason
      readonly exitCode: number | undefined
      readonly at: string
    }
  | { readonly type: 'problem'; readonly problem: Problem }
