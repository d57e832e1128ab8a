/**
 * The CPU option that makes sensitive instructions trap below CPL 0, so that a supervisor in ring 0 sees them
 * (Popek and Goldberg 1974; Robin and Irvine 2000). No real processor has it in this form.
 */
import type { Insn } from '@vmexit/x86-decoder'
import { Vector } from '../state/layout.ts'
import type { Core } from './core.ts'
import { raise } from './fault.ts'

/** What user code could read of the supervisor's tables and control registers. */
const READS_SUPERVISOR_STATE: readonly string[] = ['sgdt', 'sidt', 'sldt', 'str', 'smsw']

/**
 * To be called before an instruction whose row is not `user`. At CPL 1 and 2 every sensitive instruction traps, IRET among them; at
 * CPL 3 those that read supervisor state, and POPF while the guest believes its IOPL to be 3 (it could change IF then).
 * @throws Fault #GP(0).
 */
export function sensitiveCheck(core: Core, insn: Insn): void {
  const traps = core.sensitiveTraps
  if (!traps || !core.state.protectedMode || insn.row.privilege !== 'sensitive') return
  const { cpl } = core.state
  if (cpl === 0) return
  const sensitive =
    cpl < 3 || READS_SUPERVISOR_STATE.includes(insn.op) || (insn.op === 'popf' && traps.virtualIopl === 3)
  if (sensitive) raise(Vector.GP, 0)
}
