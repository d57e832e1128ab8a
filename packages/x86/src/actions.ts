/** Every operation in plain TypeScript: the system part of the CPU, and what of the x87 is not generated. */
import { x87Actions } from './semantics/x87/actions.ts'
import type { ActionTable } from './system/core.ts'
import { actions as system } from './system/index.ts'

export const actions: ActionTable = { ...system, ...x87Actions }
