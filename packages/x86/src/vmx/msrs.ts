/** The registers by which software learns what VMX can do (SDM vol. 3D, appendix A). */
import type { MsrRow } from '../system/msrs.ts'
import {
  type AllowedSettings,
  CR3_TARGETS,
  DEFAULT1,
  PREEMPTION_TIMER_RATE,
  type VmxCapabilities,
} from './capabilities.ts'
import type { VmxFeatures } from './features.ts'
import { HIGHEST_INDEX } from './fields.ts'
import { REVISION } from './vmcs.ts'

const LOW32 = 0xffff_ffffn

/** A bit of a 64-bit register. */
function bit(n: number): bigint {
  return 1n << BigInt(n)
}

/** Allowed 0-settings in the low half, allowed 1-settings in the high one. */
function controlMsr({ allowed0, allowed1 }: AllowedSettings, default1 = allowed0): bigint {
  return (BigInt.asUintN(32, BigInt(allowed1)) << 32n) | BigInt.asUintN(32, BigInt(default1))
}

const WRITE_BACK = 6n
/** IA32_VMX_BASIC (A.1): regions of 4 KiB in write-back memory, exits by INS and OUTS are described, TRUE MSRs. */
const BASIC = BigInt(REVISION) | (0x1000n << 32n) | (WRITE_BACK << 50n) | bit(54) | bit(55)

/** IA32_VMX_MISC (A.6): 512 entries in an MSR list. Bit 5 comes with unrestricted guests, and there is no LMA to store. */
function misc(features: VmxFeatures): bigint {
  const halted = bit(6)
  const shutdown = bit(7)
  return (
    BigInt(PREEMPTION_TIMER_RATE) |
    (features.unrestrictedGuest ? bit(5) : 0n) |
    halted |
    shutdown |
    (BigInt(CR3_TARGETS) << 16n)
  )
}

/** IA32_VMX_EPT_VPID_CAP (A.10): execute-only pages, 4 levels, UC and WB, 2 MiB and 1 GiB pages, INVEPT and flags. */
const EPT_CAP = [0, 6, 8, 14, 16, 17, 20, 21, 25, 26].reduce((mask, n) => mask | bit(n), 0n)
/** INVVPID, by address, by context, of all contexts, by context but for global translations. */
const VPID_CAP = [32, 40, 41, 42, 43].reduce((mask, n) => mask | bit(n), 0n)

/**
 * IA32_FEATURE_CONTROL as firmware leaves it: VMXON outside of SMX is enabled (bit 2) and the register locked (bit 0), so that
 * a kernel finds VMX usable whatever starts it. Writing a locked register is #GP(0), and so nothing can be written.
 */
const FEATURE_CONTROL = bit(0) | bit(2)

/** The registers that tell of VMX, by number; all are read-only. */
export function vmxMsrs(capabilities: VmxCapabilities): readonly [number, MsrRow][] {
  const { features, pin, primary, secondary, exit, entry } = capabilities
  const values: [number, bigint][] = [
    [0x3a, FEATURE_CONTROL],
    [0x480, BASIC],
    [0x481, controlMsr(pin, DEFAULT1.pin)],
    [0x482, controlMsr(primary, DEFAULT1.primary)],
    [0x483, controlMsr(exit, DEFAULT1.exit)],
    [0x484, controlMsr(entry, DEFAULT1.entry)],
    [0x485, misc(features)],
    [0x486, BigInt.asUintN(32, BigInt(capabilities.cr0Fixed0))],
    [0x487, LOW32],
    [0x488, BigInt(capabilities.cr4Fixed0)],
    [0x489, BigInt(capabilities.cr4Fixed1)],
    [0x48a, BigInt(HIGHEST_INDEX)],
    [0x48b, controlMsr(secondary)],
    [0x48d, controlMsr(pin)],
    [0x48e, controlMsr(primary)],
    [0x48f, controlMsr(exit)],
    [0x490, controlMsr(entry)],
  ]
  if (features.ept || features.vpid)
    values.push([0x48c, (features.ept ? EPT_CAP : 0n) | (features.vpid ? VPID_CAP : 0n)])
  return values.map(([msr, initial]) => [msr, { initial }])
}
