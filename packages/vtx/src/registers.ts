/** Registers that no VMCS has: a VMM of VT-x saves and loads them itself. */
import { type CpuState, Layout } from '@vmexit/x86'

/** General registers, lazy flags' slots apart; x87, MMX and SSE state; CR2; DR0 to DR3 and DR6. */
const SPANS: readonly (readonly [start: number, end: number])[] = [
  [Layout.gpr, Layout.gpr + 8 * 16],
  [Layout.cr2, Layout.cr2 + 8],
  [Layout.dr, Layout.dr + 7 * 8],
  [Layout.fpr, Layout.attention],
]

/** Copies them; both states lie in the same host memory. */
export function copyRegisters(from: CpuState, to: CpuState): void {
  for (const [start, end] of SPANS) to.host.u8.copyWithin(to.base + start, from.base + start, from.base + end)
}
