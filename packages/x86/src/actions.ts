/** Every operation in plain TypeScript: the system part of the CPU, VMX, and what of the x87 is not generated. */
import { x87Actions } from './semantics/x87/actions.ts'
import type { ActionTable } from './system/core.ts'
import { actions as system } from './system/index.ts'
import { vmxActions } from './vmx/instructions.ts'

export const actions: ActionTable = { ...system, ...vmxActions, ...x87Actions }
