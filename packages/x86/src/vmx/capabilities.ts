/** What VMX can do on a model of a CPU (SDM vol. 3D, appendix A): what VM entry is checked against, and `msrs.ts` tells software. */
import { Cr0, Cr4, Efer } from '../system/bits.ts'
import { EntryControl, ExitControl, Pin, Primary, Secondary } from './controls.ts'
import type { VmxFeatures } from './features.ts'

/** What a control field may hold (A.2 to A.5); int32 each. */
export interface AllowedSettings {
  /** Bits that must be 1: the allowed 0-settings. */
  readonly allowed0: number
  /** Bits that may be 1: the allowed 1-settings. */
  readonly allowed1: number
}

/** Facts about a CPU model that VMX depends on. */
export interface VmxFacts {
  readonly features: VmxFeatures
  /** Bits of CR4 that may be set, VMXE among them. */
  readonly cr4Mask: number
  readonly physicalAddressBits: number
  /** Is there a page attribute table? */
  readonly pat: boolean
  /** Is there EFER, with NXE? */
  readonly nx: boolean
}

/** VMX as one model has it. Control fields as the TRUE capability MSRs have them: IA32_VMX_BASIC bit 55 is set. */
export interface VmxCapabilities {
  readonly features: VmxFeatures
  readonly pin: AllowedSettings
  readonly primary: AllowedSettings
  readonly secondary: AllowedSettings
  readonly exit: AllowedSettings
  readonly entry: AllowedSettings
  /** Bits of CR0 that are 1 in VMX operation (A.7); none is fixed to 0. An unrestricted guest may clear PE and PG. */
  readonly cr0Fixed0: number
  /** Bits of CR4 that are 1 in VMX operation, and those that may be (A.8). */
  readonly cr4Fixed0: number
  readonly cr4Fixed1: number
  /** Bits of EFER that may be set. */
  readonly eferMask: number
  /** The lowest physical address that is too wide. */
  readonly physicalEnd: number
}

/** Bits of controls that mean nothing and must be 1: the default1 classes (A.2). */
export const DEFAULT1 = { pin: 0x16, primary: 0x0401_e172, exit: 0x3_6dff, entry: 0x11ff } as const
/** Bits of default1 classes that have a meaning by now and may be 0 where the TRUE MSRs say so (A.3.2, A.4, A.5). */
const RELEASED = {
  primary: Primary.cr3LoadExiting | Primary.cr3StoreExiting,
  exit: ExitControl.saveDebug,
  entry: EntryControl.loadDebug,
} as const

/** CR3-target values that a VMCS holds. */
export const CR3_TARGETS = 4
/** The preemption timer counts down when this bit of the time stamp counter changes (25.5.1). */
export const PREEMPTION_TIMER_RATE = 5
/** The highest activity state: shutdown. There is no startup IPI to wait for. */
export const LAST_ACTIVITY = 2

function settings(default1: number, released: number, supported: number): AllowedSettings {
  return { allowed0: default1 & ~released, allowed1: default1 | supported }
}

function all(bits: Readonly<Record<string, number>>): number {
  return Object.values(bits).reduce((mask, bit) => mask | bit, 0)
}

function when(condition: boolean, bits: number): number {
  return condition ? bits : 0
}

/** What VMX can do on a model. */
export function vmxCapabilities(facts: VmxFacts): VmxCapabilities {
  const { features, pat, nx } = facts
  const absentAtExit =
    when(!pat, ExitControl.savePat | ExitControl.loadPat) | when(!nx, ExitControl.saveEfer | ExitControl.loadEfer)
  const absentAtEntry = when(!pat, EntryControl.loadPat) | when(!nx, EntryControl.loadEfer)
  const absentSecondary =
    when(!features.ept, Secondary.ept) |
    when(!features.vpid, Secondary.vpid) |
    when(!features.unrestrictedGuest, Secondary.unrestrictedGuest)
  return {
    features,
    pin: settings(DEFAULT1.pin, 0, all(Pin)),
    primary: settings(DEFAULT1.primary, RELEASED.primary, all(Primary)),
    secondary: settings(0, 0, all(Secondary) & ~absentSecondary),
    exit: settings(DEFAULT1.exit, RELEASED.exit, all(ExitControl) & ~absentAtExit),
    entry: settings(DEFAULT1.entry, RELEASED.entry, all(EntryControl) & ~absentAtEntry),
    cr0Fixed0: Cr0.PE | Cr0.NE | Cr0.PG,
    cr4Fixed0: Cr4.VMXE,
    cr4Fixed1: facts.cr4Mask,
    eferMask: when(nx, Efer.NXE),
    physicalEnd: 2 ** facts.physicalAddressBits,
  }
}
