/** VMX operation of one CPU: what it is in, and under which controls (SDM vol. 3C, chapters 23 and 24). */
import type { GuestMemory } from '@vmexit/memory'
import { ExtendedPageTables, type Mmu, type SecondStage, walkControls } from '@vmexit/paging'
import { Layout } from '../state/layout.ts'
import type { Core } from '../system/core.ts'
import type { CpuEvent } from '../system/event.ts'
import { PREEMPTION_TIMER_RATE, type VmxCapabilities } from './capabilities.ts'
import { Primary, Secondary } from './controls.ts'
import { EXIT_REASONS } from './exit-reasons.ts'
import { Field } from './fields.ts'
import { Vmcs } from './vmcs.ts'

/** What the CPU is in: VMX operation is off, or it runs a VMM (root) or a VMM's guest (non-root). */
export type VmxOperation = 'off' | 'root' | 'non-root'

/** The control fields that a guest runs under, read at VM entry. */
export interface GuestControls {
  pin: number
  primary: number
  secondary: number
  entry: number
  exit: number
  exceptions: number
  pageFaultMask: number
  pageFaultMatch: number
  cr0Mask: number
  cr0Shadow: number
  cr4Mask: number
  cr4Shadow: number
  cr3Targets: number[]
  ioBitmapA: number
  ioBitmapB: number
  msrBitmap: number
  tscOffset: bigint
  vpid: number
}

/** What an exit has told: read-only fields of the VMCS, unsigned. */
export interface ExitRecord {
  /** Basic reason and, in bit 31, that it was a VM entry that has failed. */
  reason: number
  qualification: number
  interruption: number
  errorCode: number
  instructionLength: number
  /** Guest-linear and guest-physical address. */
  linear: number
  physical: number
  /** IDT-vectoring information. */
  vectoring: number
  vectoringErrorCode: number
}

/** A saved {@link VmxUnit}. */
export type VmxState = {
  readonly operation: string
  readonly region: number
  readonly current: number
  readonly external: boolean
  readonly trapPending: boolean
  readonly timerEnd: number
  readonly context: { readonly vpid: number; readonly eptPointer: number }
  readonly entries: number
  readonly exits: readonly number[]
}

/** What a {@link VmxUnit} is made of. */
export interface VmxParts {
  readonly core: Core
  readonly memory: GuestMemory
  readonly mmu: Mmu
  readonly capabilities: VmxCapabilities
}

/** The VPID of root operation. */
const ROOT = 0

/** The state of VMX of one CPU. What acts on it are functions of their own: `enter`, `exit`, `intercept`, `instructions`. */
export class VmxUnit {
  readonly parts: VmxParts
  readonly vmcs: Vmcs
  operation: VmxOperation = 'off'
  /** Physical address that VMXON was given; −1 outside of VMX operation. */
  region = -1
  /** A program outside of the simulated machine stands in root operation: exits end the run, and host state is not loaded. */
  external = false
  /** Who is told in the middle of a run that the guest has left: see `VmxRoot.onExit`. */
  onExit: ((instruction: boolean) => void) | undefined
  readonly controls: GuestControls = {
    pin: 0,
    primary: 0,
    secondary: 0,
    entry: 0,
    exit: 0,
    exceptions: 0,
    pageFaultMask: 0,
    pageFaultMatch: 0,
    cr0Mask: 0,
    cr0Shadow: 0,
    cr4Mask: 0,
    cr4Shadow: 0,
    cr3Targets: [],
    ioBitmapA: 0,
    ioBitmapB: 0,
    msrBitmap: 0,
    tscOffset: 0n,
    vpid: 0,
  }
  /** What is being delivered through the guest's IDT: the IDT-vectoring information of an exit that comes of it. */
  vectoring: CpuEvent | undefined
  /** It is an IRET that has ended the blocking of NMIs, or of virtual ones. */
  unblocksNmis = false
  /** The instruction that is being executed in a guest, or whose event was injected: where it begins, and its length. */
  readonly instruction = { start: 0, length: 0 }
  /** An instruction was executed, or an event injected, under the monitor trap flag. */
  trapPending = false
  /** The time stamp, without any offset, at which the preemption timer runs out. */
  timerEnd = 0
  /** VM exits so far, by basic reason. Only ever added to. */
  readonly exits: Float64Array = new Float64Array(EXIT_REASONS)
  /** VM entries so far, failed ones not included. */
  entries = 0
  /**
   * The guest-state area is still to be written: the CPU holds it, as processors hold what they like of a VMCS (24.1). Only where no host
   * state takes its place. (To write it at each exit took 2 µs.)
   */
  unsaved = false
  /** What the last exit has told, if {@link recorded} and the current VMCS still says so. */
  readonly lastExit: ExitRecord = {
    reason: 0,
    qualification: 0,
    interruption: 0,
    errorCode: 0,
    instructionLength: 0,
    linear: 0,
    physical: 0,
    vectoring: 0,
    vectoringErrorCode: 0,
  }
  recorded = false
  /** Registers and controls are what the last exit left in the current VMCS. */
  unchanged = false
  readonly #ept: ExtendedPageTables
  /** Whose entries the modelled TLB holds. */
  readonly #context = { vpid: ROOT, eptPointer: 0 }
  #tscOffsetNumber = 0

  constructor(parts: VmxParts) {
    this.parts = parts
    this.vmcs = new Vmcs(parts.memory)
    const maxPhysicalAddress = parts.core.model.physicalAddressBits
    this.#ept = new ExtendedPageTables(parts.memory, 0, walkControls({ maxPhysicalAddress, executeOnly: true }))
  }

  get nonRoot(): boolean {
    return this.operation === 'non-root'
  }
  /** The guest runs without the monitor trap flag: else after each instruction is an exit. */
  get steps(): boolean {
    return this.nonRoot && (this.controls.primary & Primary.monitorTrapFlag) !== 0
  }
  /** Intercepts that generated code must know of: see `Layout.intercepts`. */
  get generatedIntercepts(): number {
    if (!this.nonRoot) return 0
    const { primary, cr0Mask, cr4Mask } = this.controls
    const tsc = (primary & Primary.rdtscExiting) !== 0 ? 1 : 0
    const reads = (primary & Primary.cr3StoreExiting) !== 0 || (cr0Mask | cr4Mask) !== 0 ? 2 : 0
    return tsc | reads
  }
  /** The same as a number; NaN where one is not exact. */
  get tscOffsetNumber(): number {
    return this.nonRoot && (this.controls.primary & Primary.tscOffsetting) !== 0 ? this.#tscOffsetNumber : 0
  }
  /** What the time stamp counter is ahead by, for the guest. */
  get tscOffset(): bigint {
    return this.nonRoot && (this.controls.primary & Primary.tscOffsetting) !== 0 ? this.controls.tscOffset : 0n
  }

  /** Reads the control fields of the current VMCS, which has been checked. */
  readControls(): void {
    const { vmcs, controls } = this
    controls.pin = vmcs.get32(Field.pinControls)
    controls.primary = vmcs.get32(Field.primaryControls)
    const hasSecondary = (controls.primary & Primary.secondaryControls) !== 0
    controls.secondary = hasSecondary ? vmcs.get32(Field.secondaryControls) : 0
    controls.entry = vmcs.get32(Field.entryControls)
    controls.exit = vmcs.get32(Field.exitControls)
    controls.exceptions = vmcs.get32(Field.exceptionBitmap)
    controls.pageFaultMask = vmcs.get32(Field.pageFaultMask)
    controls.pageFaultMatch = vmcs.get32(Field.pageFaultMatch)
    controls.cr0Mask = vmcs.get32(Field.cr0Mask)
    controls.cr0Shadow = vmcs.get32(Field.cr0Shadow)
    controls.cr4Mask = vmcs.get32(Field.cr4Mask)
    controls.cr4Shadow = vmcs.get32(Field.cr4Shadow)
    controls.cr3Targets.length = 0
    for (let n = 0; n < vmcs.get32(Field.cr3TargetCount); n++)
      controls.cr3Targets.push(vmcs.getNumber(Field.cr3Target0 + 2 * n))
    controls.ioBitmapA = vmcs.getNumber(Field.ioBitmapA)
    controls.ioBitmapB = vmcs.getNumber(Field.ioBitmapB)
    controls.msrBitmap = vmcs.getNumber(Field.msrBitmap)
    this.setTscOffset(vmcs.get64(Field.tscOffset))
    controls.vpid = (controls.secondary & Secondary.vpid) !== 0 ? vmcs.get32(Field.vpid) : 0
  }

  /** The tables behind the guest's own, under the current controls. */
  secondStage(): SecondStage | undefined {
    if ((this.controls.secondary & Secondary.ept) === 0) return undefined
    const pointer = this.vmcs.getNumber(Field.eptPointer)
    const accessedDirty = (pointer & 0x40) !== 0
    this.#ept.root = pointer - (pointer % 0x1000)
    if (this.#ept.controls.accessedDirty !== accessedDirty)
      this.#ept.controls = walkControls({ ...this.#ept.controls, accessedDirty })
    return this.#ept
  }

  /**
   * Whether the modelled TLB keeps its entries over a VM entry or exit, to or from what the controls say: it holds those of one
   * VPID and EPTP at a time. Without VPIDs nothing is kept (28.3.3.3).
   */
  keepsTlb(): boolean {
    const vpid = this.nonRoot ? this.controls.vpid : ROOT
    const eptPointer = vpid === ROOT ? 0 : this.vmcs.getNumber(Field.eptPointer)
    const context = this.#context
    const kept = vpid !== ROOT && vpid === context.vpid && eptPointer === context.eptPointer
    context.vpid = vpid
    context.eptPointer = eptPointer
    return kept
  }

  setTscOffset(bits: bigint): void {
    const value = BigInt.asIntN(64, bits)
    this.controls.tscOffset = value
    const number = Number(value)
    this.#tscOffsetNumber = Number.isSafeInteger(number) ? number : Number.NaN
  }

  /** Starts the preemption timer, which counts down once in 2^5 ticks of the time stamp counter (25.5.1). */
  startTimer(value: number): void {
    const ticks = 2 ** PREEMPTION_TIMER_RATE
    this.timerEnd = (Math.floor(this.#now() / ticks) + value) * ticks
  }
  /** The time stamp without the offset that the guest sees. */
  #now(): number {
    return Number(this.parts.core.timeStamp() - this.tscOffset)
  }
  /** What is left of the preemption timer. */
  timerLeft(): number {
    const left = (this.timerEnd - this.#now()) / 2 ** PREEMPTION_TIMER_RATE
    return Math.max(0, Math.ceil(left))
  }

  /** CR0 and CR4 are what VMX operation asks for (23.8). */
  mayEnterOperation(): boolean {
    const { core, capabilities } = this.parts
    const { cr0Fixed0, cr4Fixed0 } = capabilities
    const missing = (cr0Fixed0 & ~core.state.get32(Layout.cr0)) | (cr4Fixed0 & ~core.state.get32(Layout.cr4))
    return missing === 0
  }

  /** INVEPT, INVVPID: entries of guests go, whoever they are of. */
  flushGuests(): void {
    if (this.#context.vpid !== ROOT || this.nonRoot) this.parts.mmu.flush()
  }

  /** The same for one linear address. */
  dropLinear(linear: number): void {
    if (this.#context.vpid !== ROOT || this.nonRoot) this.parts.mmu.invlpg(linear)
  }

  /** What {@link restore} needs; everything else lies in the VMCS. */
  save(): VmxState {
    return {
      operation: this.operation,
      region: this.region,
      current: this.vmcs.address,
      external: this.external,
      trapPending: this.trapPending,
      timerEnd: this.timerEnd,
      context: { ...this.#context },
      entries: this.entries,
      exits: [...this.exits],
    }
  }

  /** After registers, memory and TLB have been restored: puts the second stage behind the guest's tables again. */
  restore(state: VmxState): void {
    const { core, mmu } = this.parts
    this.operation = state.operation as VmxOperation
    this.region = state.region
    this.vmcs.select(state.current)
    this.external = state.external
    this.trapPending = state.trapPending
    this.timerEnd = state.timerEnd
    this.entries = state.entries
    this.exits.set(state.exits)
    this.unchanged = false
    this.unsaved = false
    this.recorded = false
    this.vectoring = undefined
    if (this.nonRoot) {
      this.vmcs.open()
      this.readControls()
    }
    const { state: registers } = core
    mmu.load({
      cr0: registers.get32(Layout.cr0),
      cr3: registers.getNumber(Layout.cr3),
      cr4: registers.get32(Layout.cr4),
      efer: registers.get32(Layout.efer),
      second: this.nonRoot ? this.secondStage() : undefined,
    })
    Object.assign(this.#context, state.context)
  }

  /** As after RESET#. */
  reset(): void {
    if (this.operation !== 'off') this.leave()
  }

  /** Out of VMX operation. */
  leave(): void {
    this.parts.mmu.setSecondStage(undefined)
    this.operation = 'off'
    this.region = -1
    this.external = false
    this.onExit = undefined
    this.recorded = false
    this.vmcs.select(-1)
    this.vectoring = undefined
    this.trapPending = false
    this.unchanged = false
    this.#context.vpid = ROOT
    this.#context.eptPointer = 0
  }
}
