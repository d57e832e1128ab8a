/** What in the CPU, apart from the tables, decides a walk. */
import { VmexitError } from '@vmexit/core'

/** Switches of a walk. Immutable: make another with {@link walkControls}. Each format reads those that concern it. */
export interface WalkControls {
  /** CR0.WP: supervisor writes respect read-only pages. Default true. */
  readonly wp: boolean
  /** EFER.NXE; else bit 63 is reserved. Default false. */
  readonly nx: boolean
  /** CR4.PSE: pages of 4 MiB in the 32-bit format. Default true. */
  readonly pse: boolean
  /** The CPU has PSE-36: such a page may lie above 4 GiB. Default true. */
  readonly pse36: boolean
  /** The CPU has the page attribute table; else its bit is reserved. Default true. */
  readonly pat: boolean
  /** CR4.PGE. Default true. */
  readonly pge: boolean
  /** The CPU has pages of 1 GiB. Default true. */
  readonly pages1G: boolean
  /** CR4.SMEP: no supervisor fetches from user pages. Default false. */
  readonly smep: boolean
  /** CR4.SMAP: no supervisor data accesses to user pages unless `ac`. Default false. */
  readonly smap: boolean
  /** EFLAGS.AC. Default false. */
  readonly ac: boolean
  /** EPT, IOMMU: accessed and dirty flags are kept. Default false. */
  readonly accessedDirty: boolean
  /** EPT: execute-only pages are allowed. Default false. */
  readonly executeOnly: boolean
  /** MAXPHYADDR, 32 to 52. Default 36. */
  readonly maxPhysicalAddress: number
}

/**
 * Controls with defaults filled in.
 * @throws VmexitError `physical-address-width` for a physical address width that cannot be.
 */
export function walkControls(given: Partial<WalkControls> = {}): WalkControls {
  const maxPhysicalAddress = given.maxPhysicalAddress ?? 36
  if (!Number.isInteger(maxPhysicalAddress) || maxPhysicalAddress < 32 || maxPhysicalAddress > 52) {
    throw new VmexitError('physical-address-width', {
      problem: `a physical address cannot have ${maxPhysicalAddress} bits`,
      remedy: 'give 32 to 52',
    })
  }
  return {
    wp: given.wp ?? true,
    nx: given.nx ?? false,
    pse: given.pse ?? true,
    pse36: given.pse36 ?? true,
    pat: given.pat ?? true,
    pge: given.pge ?? true,
    pages1G: given.pages1G ?? true,
    smep: given.smep ?? false,
    smap: given.smap ?? false,
    ac: given.ac ?? false,
    accessedDirty: given.accessedDirty ?? false,
    executeOnly: given.executeOnly ?? false,
    maxPhysicalAddress,
  }
}
