/** What the system part of a CPU works with: state, memory, and the few things outside the CPU that it can reach. */
import type { Feature, Insn } from '@vmexit/x86-decoder'
import type { CpuState } from '../state/state.ts'
import type { VmxCapabilities } from '../vmx/capabilities.ts'
import type { CpuEvent } from './event.ts'
import type { GuestControl } from './guest-control.ts'

/**
 * Linear memory as the CPU sees it: translated, permission-checked, page by page. Throws `Fault` (#PF).
 * `user`: check as CPL 3 would; system accesses (descriptor tables, TSS, stacks of inner rings) pass false.
 * Linear addresses are unsigned numbers, wrapped to 32 bits by the caller outside 64-bit mode.
 */
export interface LinearMemory {
  read8(linear: number, user: boolean): number
  read16(linear: number, user: boolean): number
  /** int32. */
  read32(linear: number, user: boolean): number
  read64(linear: number, user: boolean): bigint
  write8(linear: number, value: number, user: boolean): void
  write16(linear: number, value: number, user: boolean): void
  write32(linear: number, value: number, user: boolean): void
  write64(linear: number, value: bigint, user: boolean): void
  /**
   * Host address of bytes that lie in one page of RAM, where plain loads (stores) are all that an access is and the modelled
   * TLB has the page; 0 where they must be moved by the others. Leaves no trace.
   */
  plain(linear: number, bytes: number, write: boolean, user: boolean): number
  /** Fault now if any of the bytes could not be written (or read). */
  probe(linear: number, bytes: number, write: boolean, user: boolean): void
}

/** The paging unit's control side. */
export interface PagingUnit {
  /** CR0, CR3, CR4 or EFER changed (values are in the state): reload what depends on them and flush as the SDM says (vol. 3A, 4.10.4). May throw #GP(0) (PAE pointers with reserved bits). */
  controlsChanged(what: 'cr0' | 'cr3' | 'cr4' | 'efer', before: number): void
  /** INVLPG. */
  invalidate(linear: number): void
}

/** I/O ports. `width` in bits. */
export interface PortSpace {
  read(port: number, width: 8 | 16 | 32): number
  write(port: number, width: 8 | 16 | 32, value: number): void
}

/** What the run loop must know after an instruction was executed the slow way. */
export interface CoreEvents {
  /** CS, SS, CPL, a paging mode or a flag that translations depend on changed: look the mode up again. */
  modeChanged(): void
  /** IA32_APIC_BASE was written: whether its global enable is set. */
  apicEnabled(enabled: boolean): void
  /** HLT was executed, and nothing has ended it yet. */
  halted: boolean
  /** Triple fault. */
  shutdown: boolean
  /** Interrupts are held off until after the next instruction (STI, MOV SS, POP SS). */
  shadow: 'none' | 'sti' | 'ss'
  /** Debug conditions not yet delivered: DR6 bits to set (BS, B0–B3, BT, BD). See `debug.ts`. */
  pendingDebug: number
  /** NMIs are held off until the next IRET. */
  nmiBlocked: boolean
}

/** The CPU option by which sensitive instructions trap at CPL 1–3 (see `sensitive.ts`). */
export interface SensitiveTraps {
  /** IOPL as the deprivileged guest sees it: while it is 3, POPF traps at CPL 3. */
  virtualIopl: number
}

/** A named CPU: CPUID leaves, MSRs, physical address width, options. */
export interface CpuModel {
  readonly name: string
  /** CPUID: fills `out` with EAX, EBX, ECX, EDX (int32). */
  cpuid(core: Core, leaf: number, subleaf: number, out: Int32Array): void
  /** RDMSR: value, or undefined for #GP(0). */
  readMsr(core: Core, msr: number): bigint | undefined
  /** WRMSR: false for #GP(0). */
  writeMsr(core: Core, msr: number, value: bigint): boolean
  /** What the decoder is to know. */
  readonly features: readonly Feature[]
  /** EAX of CPUID leaf 1, and EDX after reset: type, family, model, stepping. */
  readonly signature: number
  /** Bits of CR0 that exist. */
  readonly cr0Mask: number
  /** Bits of CR4 that may be set; 0: there is no CR4. */
  readonly cr4Mask: number
  /** EFLAGS bits that exist beyond the status flags, RF and VM: TF, IF, DF, IOPL, NT, AC, VIF, VIP, ID. */
  readonly flagsMask: number
  readonly physicalAddressBits: number
  /** What VMX can do; absent: there is none. */
  readonly vmx?: VmxCapabilities
}

/** Model-specific registers that the architecture itself uses. */
export interface Msrs {
  sysenterCs: number
  sysenterEsp: number
  sysenterEip: number
  /** Difference between the counter that RDTSC returns and virtual time. */
  tscOffset: bigint
  /** All others, by number. */
  readonly other: Map<number, bigint>
}

/** A CPU as its system part sees it. */
export interface Core {
  readonly state: CpuState
  readonly linear: LinearMemory
  readonly paging: PagingUnit
  readonly ports: PortSpace
  readonly events: CoreEvents
  readonly model: CpuModel
  readonly msrs: Msrs
  /** Absent: sensitive instructions execute as the manual says. */
  readonly sensitiveTraps?: SensitiveTraps
  /** Where the model has VMX: what the CPU is in, of VMX operation. */
  readonly vmx?: GuestControl | undefined
  /** Where ring 0 is outside of the machine: has the event go to its owner, and is true. */
  toRingZero?(event: CpuEvent): boolean
  /** Virtual time stamp counter now, before `tscOffset`. */
  timeStamp(): bigint
  /** CR0.NE is clear and an unmasked x87 exception is pending: the FERR# pin. */
  ferr(asserted: boolean): void
}

/**
 * An operation in plain TypeScript, for what generated code never does itself. On entry `state.ip` is already the next
 * instruction's; on a throw the engine puts it back, unless the fault is `committed`. No architectural write before the last
 * operation that can fault. Of a REP instruction it does one iteration, and puts `ip` back while iterations are left.
 */
export type Action = (core: Core, insn: Insn) => void
export type ActionTable = Readonly<Record<string, Action>>
