/** The VMX instructions (SDM vol. 3C, chapter 30), where the model has them. */
import { Vector } from '../state/layout.ts'
import type { Action, ActionTable } from './core.ts'
import { raise } from './fault.ts'

const execute: Action = (core, insn) => {
  if (core.vmx === undefined) raise(Vector.UD)
  core.vmx.execute(insn)
}

/** Their operations, each of which is the name of an exit reason too. */
export const VMX_INSTRUCTIONS = [
  'vmcall',
  'vmclear',
  'vmlaunch',
  'vmptrld',
  'vmptrst',
  'vmread',
  'vmresume',
  'vmwrite',
  'vmxoff',
  'vmxon',
  'invept',
  'invvpid',
] as const

/** By operation. */
export const vmxActions: ActionTable = Object.fromEntries(VMX_INSTRUCTIONS.map((op) => [op, execute]))
