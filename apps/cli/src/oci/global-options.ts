/** Options of the OCI runtime itself, as runc's. */
import type { LogOptions } from './log.ts'

/** Options that stand before the command. */
export interface GlobalOptions extends LogOptions {
  readonly root: string
  readonly debug?: boolean
  readonly hooks: boolean
  readonly without: readonly string[]
  readonly ram: string
}
