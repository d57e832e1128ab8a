/** How a guest's page tables are followed: the seam between strategies for execution and for the MMU. */

declare module '@vmexit/core' {
  interface Capabilities {
    mmu: MmuStrategy
    /** What an MMU strategy attaches itself to; given by execution strategies that run guests on the CPU. */
    mmuHost: MmuHost
    /** The guest runs behind a second stage of paging that the CPU walks. */
    ept: true
  }
}

/** What a VMM must see of a guest for its MMU strategy. */
export interface MmuIntercepts {
  /** MOV to and from CR3. */
  readonly cr3: boolean
  readonly invlpg: boolean
  readonly pageFaults: boolean
  /** Bits of CR0 and CR4 that are the strategy's: the guest reads what it has written, the hardware runs under what is needed. */
  readonly cr0: number
  readonly cr4: number
}

/** Where virtual CPUs find their MMU strategy. */
export interface MmuHost {
  /** To be called once, when the strategy is built. */
  attach(strategy: MmuStrategy): void
  /** Drops what the CPU has cached of the VM's tables: all of it, or one linear address. */
  invalidate(linear?: number): void
}

/** The slot `mmu` of a VM. */
export interface MmuStrategy {
  readonly name: string
  readonly intercepts: MmuIntercepts
  /** Makes the MMU of one virtual CPU. */
  create(): VcpuMmu
}

/** The registers that say how tables are read. All are unsigned; `pdptes` are the PAE pointers, low and high half each. */
export interface PagingRegisters {
  readonly cr0: number
  readonly cr3: number
  readonly cr4: number
  readonly efer: number
  readonly pdptes: Uint32Array
}

/**
 * What is to be done about a page fault in the hardware: `again`, the hardware finds the page now; `emulate`, the instruction is the VMM's
 * to execute; or the fault is the guest's own, with this error code.
 */
export type PageFaultAnswer = 'again' | 'emulate' | number

/** The MMU of one virtual CPU. It acts on exits only: the hardware walks all tables. */
export interface VcpuMmu {
  /** The EPTP, where a second stage stands behind the guest's own tables; 0 where none does. */
  readonly eptPointer: number
  /** The guest's registers are these now; what the hardware is to have in place of CR0, CR3 and CR4. */
  adopt(guest: PagingRegisters): { readonly cr0: number; readonly cr3: number; readonly cr4: number }
  /**
   * The second stage has refused an access to `guestPhysical`. True: the page is there now, go on. False: nothing is there that could be
   * accessed so: a device, or a write to ROM.
   */
  onViolation(guestPhysical: number, write: boolean): boolean
  /** The hardware has met a page fault, where `intercepts.pageFaults` asks to see them. */
  onPageFault(linear: number, errorCode: number): PageFaultAnswer
  /** The guest drops `linear` from its TLB, where `intercepts.invlpg` asks to see it. */
  onInvlpg(linear: number): void
}
