/** What the page and the worker of containers say to each other. */
import type { Problem } from '../problem.ts'

/** Where a container's files come from. */
export type ImageSource =
  /** The programs of `@vmexit/guests`. */
  | { readonly kind: 'programs' }
  /** A file: an archive of `docker save`, an OCI layout or a root file system as tar, an initramfs, or one static program. */
  | { readonly kind: 'file'; readonly name: string; readonly bytes: Uint8Array }

/** A container that is to be started. */
export interface ContainerSetup {
  readonly image: ImageSource
  /** Words; of the image's own program unless there are any. */
  readonly command: readonly string[]
  readonly memory: string
  readonly pids: number
  /** Servers that it may reach, as the page fetches them; empty for none. */
  readonly servers: string
  readonly terminal: { readonly rows: number; readonly columns: number }
}

/** From the page. */
export type ContainerRequest =
  | { readonly type: 'start'; readonly setup: ContainerSetup }
  | { readonly type: 'input'; readonly text: string }
  | { readonly type: 'resize'; readonly rows: number; readonly columns: number }

/** What it takes, and what its kernel has counted. */
export interface ContainerUsage {
  readonly memory: number
  readonly memoryPeak: number
  readonly processes: number
  readonly instructions: number
  readonly systemCalls: number
  /** The calls that came most often. */
  readonly calls: readonly (readonly [name: string, count: number])[]
}

/** From the worker. */
export type ContainerReport =
  | { readonly type: 'running' }
  | { readonly type: 'output'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'usage'; readonly usage: ContainerUsage }
  | { readonly type: 'ended'; readonly exitCode: number; readonly signal: string | undefined }
  | { readonly type: 'problem'; readonly problem: Problem }
