/** How a guest's page tables are followed: the seam between strategies for execution and for the MMU. */

declare module '@vmexit/core' {
  interface Capabilities {
    mmu: MmuStrategy
    /** What an MMU strategy attaches itself to; given by execution strategies that run guests on the CPU. */
    mmuHost: MmuHost
    /** The guest runs behind a second stage of paging that the CPU walks. */
    ept: SecondStageHost
  }
}

/** What a VMM must see of a guest for its MMU strategy. */
export interface MmuIntercepts {
  /** MOV to and from CR3. */
  readonly cr3: boolean
  readonly invlpg: boolean
  readonly pageFaults: boolean
  /** Bits of CR0 and CR4 that change how tables are read. */
  readonly controls: boolean
}

/** Where virtual CPUs find their MMU strategy. */
export interface MmuHost {
  /** To be called once, when the strategy is built. */
  attach(strategy: MmuStrategy): void
}

/** The CPU's second stage. */
export interface SecondStageHost {
  /** Drops what the CPU has cached of the VM's tables (INVEPT). */
  invalidate(): void
}

/** The slot `mmu` of a VM. */
export interface MmuStrategy {
  readonly name: string
  readonly intercepts: MmuIntercepts
  /** Makes the MMU of one virtual CPU. */
  create(): VcpuMmu
}

/** The MMU of one virtual CPU. What it answers is what the hardware is to walk; it acts on exits only. */
export interface VcpuMmu {
  /** The EPTP, where a second stage stands behind the guest's own tables; 0 where none does. */
  readonly eptPointer: number
  /**
   * The second stage has refused an access to `guestPhysical`. True: the page is there now, go on. False: nothing is there that could be
   * accessed so: a device, or a write to ROM.
   */
  onViolation(guestPhysical: number, write: boolean): boolean
}
