/** What is to be translated. */
import type { Mode } from '@vmexit/x86/engine'
import type { Region } from './region.ts'
import type { Shape } from './shape.ts'

export interface Wanted {
  readonly head: number
  readonly mode: Mode
  /** That of the x87 unit there. */
  readonly shape: Shape
  /** Found already. */
  readonly region?: Region
}
