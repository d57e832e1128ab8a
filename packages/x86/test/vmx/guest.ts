/** A guest for tests of VMX: its VMCS filled in, its memory behind extended page tables, and a VMM outside of the machine. */
import { GuestMemory } from '@vmexit/memory'
import { Cpu, type EngineChoice } from '../../src/cpu.ts'
import type { PortSpace } from '../../src/system/core.ts'
import { createModel } from '../../src/system/models.ts'
import { EntryControl, ExitControl, Pin, Primary, Secondary } from '../../src/vmx/controls.ts'
import type { FieldName } from '../../src/vmx/fields.ts'
import { VmxRoot } from '../../src/vmx/root.ts'
import { REVISION } from '../../src/vmx/vmcs.ts'

export const VMXON = 0x1000
export const VMCS = 0x2000
export const MSR_BITMAP = 0x3000
export const EPT = 0x4000
/** Where the guest's memory begins in the machine's, and how much it has. */
export const GUEST = 0x20_0000
export const GUEST_BYTES = 0x10_0000

export interface TestGuest {
  readonly cpu: Cpu
  readonly root: VmxRoot
  readonly memory: GuestMemory
  /** Bytes of the guest's physical memory. */
  put(address: number, bytes: readonly number[]): void
  /** Sets bits of a control field, or clears them. */
  allow(field: FieldName, bits: number, on?: boolean): void
  /** Enters and runs until the guest leaves; the basic reason. */
  exit(budget?: number): number
  /** Behind the instruction that has left. */
  skip(): void
}

export function createGuest(options: { engine?: EngineChoice; ports?: PortSpace } = {}): TestGuest {
  const memory = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 0x40_0000 }] })
  const cpu = new Cpu({ memory, model: createModel('pentium-m', { features: { vmx: true } }), ...options })
  for (const region of [VMXON, VMCS]) memory.write32(region, REVISION)
  mapPages(memory)
  const root = new VmxRoot(cpu.vmx!, VMXON)
  root.clear(VMCS)
  root.load(VMCS)
  writeControls(cpu, root)
  writeRealMode(root)
  return {
    cpu,
    root,
    memory,
    put: (address, bytes) => memory.writeBytes(GUEST + address, Uint8Array.from(bytes)),
    allow: (field, bits, on = true) => root.write(field, on ? root.read(field) | bits : root.read(field) & ~bits),
    exit: (budget = 10_000) => {
      if (root.enter() && cpu.run(budget).reason !== 'vm-exit') throw new Error(`the guest has not left`)
      return root.exitReason
    },
    skip: () => root.write('guestRip', root.read('guestRip') + root.read('exitInstructionLength')),
  }
}

/** The first megabyte of the guest, in pages of 4 KiB: four levels, one table each. */
function mapPages(memory: GuestMemory): void {
  const ALL = 7
  for (let level = 0; level < 3; level++) memory.write64(EPT + level * 0x1000, (EPT + (level + 1) * 0x1000) | ALL, 0)
  const WRITE_BACK = 6 << 3
  for (let page = 0; page < GUEST_BYTES / 0x1000; page++)
    memory.write64(EPT + 0x3000 + page * 8, (GUEST + page * 0x1000) | WRITE_BACK | ALL, 0)
}

function writeControls(cpu: Cpu, root: VmxRoot): void {
  const { pin, primary, secondary, exit, entry } = cpu.model.vmx!
  root.write('pinControls', pin.allowed0 | Pin.externalInterruptExiting | Pin.nmiExiting)
  const wanted = Primary.hltExiting | Primary.unconditionalIoExiting | Primary.secondaryControls | Primary.msrBitmaps
  root.write('primaryControls', primary.allowed0 | wanted)
  root.write('secondaryControls', secondary.allowed0 | Secondary.ept | Secondary.unrestrictedGuest)
  root.write('exitControls', exit.allowed0 | ExitControl.saveEfer | ExitControl.saveDebug)
  root.write('entryControls', entry.allowed0 | EntryControl.loadEfer | EntryControl.loadDebug)
  root.write('msrBitmap', MSR_BITMAP)
  root.write('eptPointer', EPT | (3 << 3) | 6)
  root.write('vmcsLinkPointer', 0xffff_ffff_ffff_ffffn)
}

/** Real mode, at 0000:1000. */
function writeRealMode(root: VmxRoot): void {
  for (const name of ['Es', 'Cs', 'Ss', 'Ds', 'Fs', 'Gs'] as const) {
    root.write(`guest${name}Limit`, 0xffff)
    root.write(`guest${name}Rights`, name === 'Cs' ? 0x9b : 0x93)
  }
  root.write('guestLdtrRights', 0x1_0000)
  root.write('guestTrLimit', 0xffff)
  root.write('guestTrRights', 0x8b)
  root.write('guestIdtrLimit', 0x3ff)
  root.write('guestCr0', 0x20)
  root.write('guestCr4', 0x2000)
  root.write('guestDr7', 0x400)
  root.write('guestRflags', 2)
  root.write('guestRsp', 0x8000)
  root.write('guestRip', 0x1000)
}
