/** x87 instructions that no engine generates code for: transcendental functions, and state images in memory. */
import type { ActionTable } from '../../system/core.ts'
import { environment } from './environment.ts'
import { extended } from './extended.ts'
import { transcendental } from './transcendental.ts'

export const x87Actions: ActionTable = { ...transcendental, ...environment, ...extended }
