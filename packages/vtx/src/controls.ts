/** What a VMCS is set up with. */
import type { MmuIntercepts } from '@vmexit/vmm'
import { type Cpu, EntryControl, ExitControl, Pin, Primary, Secondary, type VmxRoot } from '@vmexit/x86'

/** CR0.NE and CR4.VMXE: the CPU needs them in VMX operation, whatever the guest wants. */
export const CR0_FORCED = 0x20
/** And CR0.NW and CD: no entry loads them (SDM vol. 3C, 26.3.2.1), so those of the CPU are the machine's. */
export const CR0_OWNED = 0x6000_0020
export const CR4_OWNED = 0x2000

/** Registers that a guest reaches without an exit: the CPU switches them. */
const PASSED: readonly number[] = [0x174, 0x175, 0x176, 0xc000_0080]

/** What {@link writeControls} is told. */
export interface ControlOptions {
  readonly intercepts: MmuIntercepts
  /** 0 for none. */
  readonly eptPointer: number
  readonly vpid: number
  /** Physical address of a page for the MSR bitmap. */
  readonly msrBitmap: number
}

/** Fills in the control fields of the current VMCS. */
export function writeControls(cpu: Cpu, root: VmxRoot, options: ControlOptions): void {
  const { pin, primary, secondary, exit, entry, features } = cpu.model.vmx!
  const { intercepts, eptPointer, vpid, msrBitmap } = options
  root.write('pinControls', pin.allowed0 | Pin.externalInterruptExiting | Pin.nmiExiting | Pin.virtualNmis)
  const mmu =
    (intercepts.cr3 ? Primary.cr3LoadExiting | Primary.cr3StoreExiting : 0) |
    (intercepts.invlpg ? Primary.invlpgExiting : 0)
  const always =
    Primary.hltExiting |
    Primary.unconditionalIoExiting |
    Primary.msrBitmaps |
    Primary.tscOffsetting |
    Primary.secondaryControls
  root.write('primaryControls', primary.allowed0 | always | mmu)
  const nested = eptPointer === 0 ? 0 : Secondary.ept | (features.unrestrictedGuest ? Secondary.unrestrictedGuest : 0)
  root.write('secondaryControls', secondary.allowed0 | nested | (features.vpid ? Secondary.vpid : 0))
  root.write('exitControls', exit.allowed0 | ExitControl.saveDebug | ExitControl.saveEfer)
  root.write('entryControls', entry.allowed0 | EntryControl.loadDebug | EntryControl.loadEfer)
  root.write('eptPointer', eptPointer)
  root.write('vpid', features.vpid ? vpid : 0)
  root.write('exceptionBitmap', intercepts.pageFaults ? 1 << 14 : 0)
  root.write('cr0Mask', (CR0_OWNED | intercepts.cr0) >>> 0)
  root.write('cr4Mask', (CR4_OWNED | intercepts.cr4) >>> 0)
  root.write('vmcsLinkPointer', 0xffff_ffff_ffff_ffffn)
  root.write('msrBitmap', msrBitmap)
  writeMsrBitmap(cpu, msrBitmap)
}

/** A bit for each register, set where its access exits: first reads, then writes; low numbers, then those from C0000000H on. */
function writeMsrBitmap({ memory }: Cpu, at: number): void {
  memory.writeBytes(at, new Uint8Array(0x1000).fill(0xff))
  for (const msr of PASSED) {
    const byte = (msr >= 0xc000_0000 ? 0x400 : 0) + ((msr & 0x1fff) >> 3)
    for (const half of [0, 0x800]) {
      const address = at + half + byte
      memory.write8(address, memory.read8(address) & ~(1 << (msr & 7)))
    }
  }
}
