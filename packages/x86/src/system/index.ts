/** The system part of the CPU: everything that engines do not generate code for. */
import { controlRegisterActions } from './control-registers.ts'
import type { ActionTable } from './core.ts'
import { debugActions } from './debug.ts'
import { descriptorTableActions } from './descriptor-tables.ts'
import { flagActions } from './flags.ts'
import { interruptActions } from './interrupts.ts'
import { ioActions } from './io.ts'
import { processorActions } from './processor.ts'
import { returnActions } from './returns.ts'
import { stackActions } from './stack-ops.ts'
import { transferActions } from './transfers.ts'
import { vmxActions } from './vmx-instructions.ts'

/** Operation name → action. MOV goes by its register file: `mov_seg`, `mov_cr`, `mov_dr`. */
export const actions: ActionTable = {
  ...transferActions,
  ...returnActions,
  ...interruptActions,
  ...flagActions,
  ...controlRegisterActions,
  ...descriptorTableActions,
  ...processorActions,
  ...ioActions,
  ...stackActions,
  ...debugActions,
  ...vmxActions,
}
