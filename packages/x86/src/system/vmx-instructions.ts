/** The VMX instructions (SDM vol. 3C, chapter 30), where the model has them. */
import { Vector } from '../state/layout.ts'
import type { Action, ActionTable } from './core.ts'
import { raise } from './fault.ts'

const execute: Action = (core, insn) => {
  if (core.vmx === undefined) raise(Vector.UD)
  core.vmx.execute(insn)
}

/** By operation. */
export const vmxActions: ActionTable = {
  vmxon: execute,
  vmxoff: execute,
  vmcall: execute,
  vmclear: execute,
  vmptrld: execute,
  vmptrst: execute,
  vmread: execute,
  vmwrite: execute,
  vmlaunch: execute,
  vmresume: execute,
  invept: execute,
  invvpid: execute,
}
