/** Events of some names. */
import type { Counts } from '@vmexit/core'

/** Those of `events` that `names` has, and that there are. */
export function eventsOfNames(events: Counts, names: readonly string[]): Counts {
  return Object.fromEntries(names.flatMap((name) => (events[name] === undefined ? [] : [[name, events[name]]])))
}
