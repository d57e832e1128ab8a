/** What a processor with VMX has beside the basics: the parts of VMX that came later. */
import { VmexitError } from '@vmexit/core'

/** Parts of VMX that a model may lack. */
export interface VmxFeatures {
  /** Extended page tables. */
  readonly ept: boolean
  /** Virtual-processor identifiers: translations of several guests are kept apart. */
  readonly vpid: boolean
  /** Guests in real mode, and in protected mode without paging. Needs `ept`: such a guest has no tables of its own. */
  readonly unrestrictedGuest: boolean
}

/**
 * Features with defaults filled in: all of them, but what lacks what it needs.
 * @throws VmexitError `cpu-model` for unrestricted guests that are asked for without EPT.
 */
export function vmxFeatures(given: Partial<VmxFeatures> = {}): VmxFeatures {
  const ept = given.ept ?? true
  const unrestrictedGuest = given.unrestrictedGuest ?? ept
  if (unrestrictedGuest && !ept) {
    throw new VmexitError('cpu-model', {
      problem: 'VMX has unrestrictedGuest without ept',
      remedy: 'switch unrestrictedGuest off too, or leave ept on',
    })
  }
  return { ept, vpid: given.vpid ?? true, unrestrictedGuest }
}
