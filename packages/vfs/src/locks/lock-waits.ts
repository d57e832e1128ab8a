/** Who waits for whom by record locks, in all files of a layer: what a deadlock is found in (fcntl(2), EDEADLK). */

/** For each owner that waits, a look-up of whose lock is in its way now. */
export type LockWaits = Map<object, () => object | undefined>

/** Whether `owner` waits, directly or through others, for `forWhom`. */
export function blockedBy(waits: LockWaits, owner: object, forWhom: object): boolean {
  const seen = new Set<object>()
  for (let at: object | undefined = owner; at !== undefined && !seen.has(at); at = waits.get(at)?.()) {
    if (at === forWhom) return true
    seen.add(at)
  }
  return false
}
