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
}

const shared = new Fault()

/** Throw the fault `vector`; `errorCode` where the vector pushes one. */
export function raise(vector: number, errorCode?: number): never {
  shared.vector = vector
  shared.errorCode = errorCode
  throw shared
}

/** Throw #PF with the linear address that CR2 is to hold. */
export function raisePageFault(errorCode: number, address: number): never {
  shared.address = address
  raise(14, errorCode)
}
