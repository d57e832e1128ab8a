/** Rows and columns of one's own: techniques that are no PCs, and cost what they are told. */
import type { Counts } from '@vmexit/core'
import type { Technique, Workload } from '../src/index.ts'

export const kernel = { name: 'none', image: new Uint8Array() }

export const workload = (name: string): Workload => ({
  name,
  title: `Title of ${name}`,
  unit: `one ${name}`,
  count: 1,
  image: () => new Uint8Array(),
  does: {},
})

/** A technique under which every repetition costs the same. */
export function technique(name: string, events: Counts, checksum = '00000000'): Technique {
  return {
    name,
    title: name,
    about: `About ${name}.`,
    charged: (all) => all,
    measure: async ({ workloads, onMeasured, signal }) => {
      const all = workloads.map((row) => ({ workload: row.name, checksum, events }))
      for (const one of all) {
        signal?.throwIfAborted()
        onMeasured(one)
      }
      return all
    },
  }
}
