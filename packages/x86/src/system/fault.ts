/** How semantics, engines and system code say that an instruction cannot complete. */

/**
 * An exception on its way to the guest. One object per throw would cost more than the fault itself, so one is reused:
 * whoever catches it reads it before anything else can throw.
 */
export class Fault {
  vector = 0
  /** Present for the vectors that push one (SDM vol. 3A, table 6-1). */
  errorCode: number | undefined = undefined
  /** Linear address of a page fault, for CR2. */
  address = 0
  /**
   * Raised when the instruction had already taken effect (in the new task after a task switch, or at the target of an IRET):
   * `state.ip` is where the exception belongs and must not be put back to the instruction.
   */
  committed = false
}

const shared = new Fault()

/** Throw the fault `vector`; `errorCode` where the vector pushes one. */
export function raise(vector: number, errorCode?: number): never {
  shared.vector = vector
  shared.errorCode = errorCode
  shared.committed = false
  throw shared
}

/** Throw #PF with the linear address that CR2 is to hold. */
export function raisePageFault(errorCode: number, address: number): never {
  shared.address = address
  raise(14, errorCode)
}

/** Throw a fault that belongs to where `state.ip` is now: the instruction has taken effect. */
export function raiseCommitted(vector: number, errorCode?: number): never {
  shared.vector = vector
  shared.errorCode = errorCode
  shared.committed = true
  throw shared
}

/** Run what follows a point of no return: a fault from it is {@link Fault.committed}. */
export function afterCommit(rest: () => void): void {
  try {
    rest()
  } catch (error) {
    if (error instanceof Fault) error.committed = true
    throw error
  }
}

/**
 * In place of the error code of #PF: a second stage of paging has refused, and what the walk has left says why. No fault of the guest's
 * own.
 */
export const EPT_FAULT = -1

/** Thrown through the code of an instruction or a delivery that has ended in a VM exit. */
export class LeftGuest {}
/** The one there is. */
export const LEFT_GUEST: LeftGuest = new LeftGuest()
