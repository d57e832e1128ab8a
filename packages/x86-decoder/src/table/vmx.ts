/** VMX instructions. SDM volume 3, chapter "VMX Instruction Reference". */
import type { Row } from '../row.ts'
import { rows } from './line.ts'

/**
 * The ten VMX instructions, INVEPT and INVVPID. `cpl0` holds in VMX root operation; in VMX non-root operation each of them
 * leaves the guest before its privilege level is looked at.
 */
export const vmxRows: readonly Row[] = rows('vmx', [
  ['NP 0F 01 C1', 'VMCALL', 'vmcall', '', 'cpl0'],
  ['NP 0F 01 C2', 'VMLAUNCH', 'vmlaunch', '', 'cpl0'],
  ['NP 0F 01 C3', 'VMRESUME', 'vmresume', '', 'cpl0'],
  ['NP 0F 01 C4', 'VMXOFF', 'vmxoff', '', 'cpl0'],
  ['NP 0F 78 /r', 'VMREAD', 'vmread', 'r/mn, rn', 'cpl0', 'f64'],
  ['NP 0F 79 /r', 'VMWRITE', 'vmwrite', 'rn, r/mn', 'cpl0', 'f64'],
  ['NP 0F C7 /6', 'VMPTRLD', 'vmptrld', 'm64', 'cpl0'],
  ['NP 0F C7 /7', 'VMPTRST', 'vmptrst', 'm64', 'cpl0'],
  ['66 0F C7 /6', 'VMCLEAR', 'vmclear', 'm64', 'cpl0'],
  ['F3 0F C7 /6', 'VMXON', 'vmxon', 'm64', 'cpl0'],
  ['66 0F 38 80 /r', 'INVEPT', 'invept', 'rn, m128', 'cpl0', 'f64'],
  ['66 0F 38 81 /r', 'INVVPID', 'invvpid', 'rn, m128', 'cpl0', 'f64'],
])
