/** Names of a network's containers: each may have several, and one name may be that of several containers. */
import type { Ipv4 } from '@vmexit/net'
import { containerError } from './errors.ts'

/** Names that a container has at most, its own among them. */
const MOST_NAMES = 32
/** One label or several of them (RFC 1035, section 2.3.4), of what the names of containers are made of. */
const NAME = /^(?=.{1,253}$)[a-z0-9_][a-z0-9_-]{0,62}(\.[a-z0-9_][a-z0-9_-]{0,62})*$/i

/** @throws VmexitError `container-options` for what is no name. */
export function checkNames(names: readonly string[]): void {
  if (names.length > MOST_NAMES)
    containerError('options', `${names.length} names are too many for a container`, `give ${MOST_NAMES} at most`)
  for (const name of names)
    if (!isName(name))
      containerError('options', `${name} is no name on a network`, 'give letters, digits, _, - and dots')
}

/** Whether DNS can ask for it. */
export function isName(name: string): boolean {
  return NAME.test(name)
}

/** Who has which name. Upper and lower case are one (RFC 4343). */
export class NetworkNames {
  readonly #addresses = new Map<string, Set<Ipv4>>()

  add(address: Ipv4, names: readonly string[]): void {
    for (const name of names) {
      const key = name.toLowerCase()
      const known = this.#addresses.get(key)
      if (known === undefined) this.#addresses.set(key, new Set([address]))
      else known.add(address)
    }
  }

  /** Takes all names of an address back. */
  remove(address: Ipv4): void {
    for (const [name, addresses] of this.#addresses)
      if (addresses.delete(address) && addresses.size === 0) this.#addresses.delete(name)
  }

  /** The addresses of whoever has a name; none where nobody has it. */
  lookup(name: string): readonly Ipv4[] {
    return [...(this.#addresses.get(name.toLowerCase()) ?? [])]
  }
}
