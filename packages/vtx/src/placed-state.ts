/**
 * Where the state of a virtual CPU is: in the VMCS and the CPU, while it runs there, or in an emulator, a CPU of its own on the VM's
 * memory, where instructions are executed that the hardware cannot execute for it.
 */
import { VmexitError } from '@vmexit/core'
import { PAGE_BYTES } from '@vmexit/memory'
import type { MmuStrategy, PagingRegisters, VcpuMmu } from '@vmexit/vmm'
import { type Cpu, type CpuState, Flag, Layout, VmcsField } from '@vmexit/x86'
import { CR0_FORCED, CR0_OWNED, CR4_OWNED, writeControls } from './controls.ts'
import type { Lease, Tenant, VtxHost } from './host.ts'
import { copyRegisters } from './registers.ts'

/** What a {@link PlacedState} is made of. */
export interface PlaceParts {
  readonly host: VtxHost
  readonly emulator: Cpu
  /** Asked when the first instruction is to be executed. */
  readonly mmu: () => MmuStrategy | undefined
}

/** The state of one virtual CPU, in one of its two places. */
export class PlacedState implements Tenant {
  readonly #parts: PlaceParts
  readonly #lease: Lease
  /** The guest was taken out of the CPU in the middle of its run: an exit of its own. */
  readonly #onInterrupted: () => void
  #mmu: VcpuMmu | undefined
  #strategy: MmuStrategy | undefined
  /** CR3 as the guest has it, where the hardware has another. */
  #cr3 = 0
  #isInHardware = false

  /** @throws VmexitError `machine-memory`. */
  constructor(parts: PlaceParts, onInterrupted: () => void) {
    this.#parts = parts
    this.#lease = parts.host.lease()
    this.#onInterrupted = onInterrupted
  }

  get isInHardware(): boolean {
    return this.#isInHardware
  }
  /** Physical address of the VMCS. */
  get vmcs(): number {
    return this.#lease.vmcs
  }
  /** CR3 as the guest has it. */
  get cr3(): number {
    return this.#cr3
  }
  /** The MMU of this virtual CPU. @throws VmexitError `vm-without-mmu`. */
  get mmu(): VcpuMmu {
    if (this.#mmu === undefined) this.#launch()
    return this.#mmu!
  }
  get flags(): number {
    const { emulator, host } = this.#parts
    if (!this.#isInHardware) return emulator.state.eflags
    // Before the guest is entered, those in the CPU are whoever's was there last.
    return host.root.inGuest ? host.cpu.state.eflags : host.root.read(VmcsField.guestRflags)
  }
  /** A guest without protection runs on the CPU only if that takes unrestricted guests, which need a second stage. */
  get canRunOnCpu(): boolean {
    const { emulator, host } = this.#parts
    const unrestricted = host.cpu.model.vmx!.features.unrestrictedGuest && this.mmu.eptPointer !== 0
    return unrestricted || emulator.state.protectedMode
  }

  evict(): void {
    this.toEmulator()
  }

  /** Takes the state out of the hardware. */
  toEmulator(): void {
    if (!this.#isInHardware) return
    const { host, emulator } = this.#parts
    if (host.root.inGuest) {
      host.root.interrupt()
      this.#onInterrupted()
    }
    const { state } = emulator
    host.root.readGuest(emulator)
    copyRegisters(host.cpu.state, state)
    state.setNumber(Layout.cr0, this.#cr0Of(state))
    state.setNumber(Layout.cr4, this.#cr4Of(state))
    const { intercepts } = this.#strategy!
    if (intercepts.cr3) state.setNumber(Layout.cr3, this.#cr3)
    // Where the hardware has the guest's own, it may have loaded others since.
    emulator.adoptRegisters(intercepts.cr3 ? emulator.paging.mmu.pdptes : host.cpu.paging.mmu.pdptes)
    this.#isInHardware = false
    host.leave(this)
  }

  /** CR0 and CR4 as the guest has them, where `state` has those of the hardware. */
  #cr0Of(state: CpuState): number {
    return this.#seen(state.get32(Layout.cr0), CR0_OWNED | this.#strategy!.intercepts.cr0, VmcsField.cr0Shadow)
  }
  #cr4Of(state: CpuState): number {
    return this.#seen(state.get32(Layout.cr4), CR4_OWNED | this.#strategy!.intercepts.cr4, VmcsField.cr4Shadow)
  }
  #seen(value: number, owned: number, shadow: typeof VmcsField.cr0Shadow | typeof VmcsField.cr4Shadow): number {
    return ((value & ~owned) | (this.#parts.host.root.read(shadow) & owned)) >>> 0
  }

  /**
   * Guest-physical address of `linear`, by the guest's own tables, which are marked as the access of `Access` bits marks them; −1 where it
   * faults. To be asked behind an exit only, while the state is in the hardware.
   */
  translate(linear: number, access: number): number {
    const { host, emulator } = this.#parts
    const { state, paging } = host.cpu
    const { mmu } = emulator.paging
    const { intercepts } = this.#strategy!
    if (!intercepts.cr3) mmu.pdptes.set(paging.mmu.pdptes)
    mmu.load({
      cr0: this.#cr0Of(state),
      cr3: intercepts.cr3 ? this.#cr3 : state.getNumber(Layout.cr3),
      cr4: this.#cr4Of(state),
      efer: state.get32(Layout.efer),
      second: undefined,
    })
    mmu.setAlignmentCheck(state.flag(Flag.AC))
    mmu.flush()
    const page = mmu.translate(linear, access)
    return page < 0 ? -1 : page * PAGE_BYTES + (linear % PAGE_BYTES)
  }

  /** Puts the state into the hardware. */
  toHardware(): void {
    if (this.#isInHardware) return
    const { host, emulator } = this.#parts
    host.admit(this)
    const { root, cpu } = host
    const { mmu } = this
    root.load(this.vmcs)
    const { state } = emulator
    root.writeGuest(emulator)
    const { cr0, cr3, cr4 } = mmu.adopt(pagingRegisters(emulator))
    root.write(VmcsField.guestCr0, (cr0 | CR0_FORCED) >>> 0)
    root.write(VmcsField.guestCr3, cr3)
    root.write(VmcsField.guestCr4, (cr4 | CR4_OWNED) >>> 0)
    root.write(VmcsField.cr0Shadow, state.get32(Layout.cr0) >>> 0)
    root.write(VmcsField.cr4Shadow, state.get32(Layout.cr4) >>> 0)
    this.#cr3 = state.getNumber(Layout.cr3)
    root.writePdptes(emulator.paging.mmu.pdptes)
    root.write(VmcsField.guestActivity, 0)
    copyRegisters(state, cpu.state)
    this.#isInHardware = true
  }

  /** MOV of a value to CR3, which is the strategy's: false where the emulator is to do it, for the PAE pointers. */
  loadCr3(value: number): boolean {
    const { emulator, host } = this.#parts
    const { state } = host.cpu
    if ((state.get32(Layout.cr4) & 0x20) !== 0 || this.#strategy?.intercepts.cr3 !== true) return false
    this.#cr3 = value
    const cr0 = host.root.read(VmcsField.cr0Shadow)
    const cr4 = host.root.read(VmcsField.cr4Shadow)
    const efer = state.get32(Layout.efer)
    const { cr3 } = this.mmu.adopt({ cr0, cr3: value, cr4, efer, pdptes: emulator.paging.mmu.pdptes })
    host.root.write(VmcsField.guestCr3, cr3)
    this.invalidate()
    return true
  }

  /** Drops what the hardware has cached for this virtual CPU. */
  invalidate(linear?: number): void {
    const { root } = this.#parts.host
    if (this.#mmu === undefined) return
    if (this.#mmu.eptPointer !== 0) root.invept()
    else root.invvpid(this.#lease.vpid, linear)
  }

  /** Sets the VMCS up. @throws VmexitError `vm-without-mmu`. */
  #launch(): void {
    const { host } = this.#parts
    const strategy = this.#parts.mmu()
    if (strategy === undefined) {
      throw new VmexitError('vm-without-mmu', {
        problem: 'vtx has no MMU strategy',
        remedy: 'compose the VM with mmu: nestedPaging() or shadowPaging()',
      })
    }
    this.#strategy = strategy
    this.#mmu = strategy.create()
    // Whoever is on the CPU is in the VMCS that is current.
    host.admit(this)
    host.root.clear(this.vmcs)
    host.root.load(this.vmcs)
    const { eptPointer } = this.#mmu
    writeControls(host.cpu, host.root, {
      intercepts: strategy.intercepts,
      eptPointer,
      vpid: this.#lease.vpid,
      msrBitmap: this.#lease.msrBitmap,
    })
    host.leave(this)
  }

  /** Gives back what it has of the machine: it does not run any more. */
  [Symbol.dispose](): void {
    const { host } = this.#parts
    if (host.isOn(this) && host.root.inGuest) host.root.interrupt()
    this.invalidate()
    host.leave(this)
    host.release(this.#lease)
  }
}

function pagingRegisters({ state, paging }: Cpu): PagingRegisters {
  return {
    cr0: state.get32(Layout.cr0) >>> 0,
    cr3: state.getNumber(Layout.cr3),
    cr4: state.get32(Layout.cr4) >>> 0,
    efer: state.get32(Layout.efer),
    pdptes: paging.mmu.pdptes,
  }
}
