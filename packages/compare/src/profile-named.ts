/** Cost profiles by name, and put together where one source alone does not say enough. */
import { type CostProfile, combineProfiles, publishedProfiles, VmexitError } from '@vmexit/core'

/**
 * The machine of Adams and Agesen, ASPLOS 2006, the first with VT-x; what a reference of a page walk costs no
 * publication says of it, so that is the common figure for a cache hit.
 */
export const DEFAULT_PROFILE = 'P4_672+generic_i386_memory'

/**
 * A published profile by name, or several joined by `+`: prices of later ones hold.
 * @throws VmexitError `compare-profile` that names all there are.
 */
export function profileNamed(name: string): CostProfile {
  const parts = name.split('+').map((part) => {
    if (Object.hasOwn(publishedProfiles, part)) return publishedProfiles[part]!
    throw new VmexitError('compare-profile', {
      problem: `there is no cost profile '${part}'`,
      remedy: `take one of ${Object.keys(publishedProfiles).join(', ')}, or several joined by +`,
    })
  })
  return parts.length === 1 ? parts[0]! : combineProfiles(name, parts)
}
