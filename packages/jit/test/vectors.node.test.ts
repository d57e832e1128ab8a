/**
 * What processors have done, on translated code: each vector is translated before it runs. Some are taken, for a translation
 * costs half a millisecond; when this was written all of them passed.
 */
import { expect } from 'vitest'
import { hostSuite } from '../../x86/test/host/host.suite.ts'
import { imagesSuite } from '../../x86/test/images/images.suite.ts'
import { sst80286Suite } from '../../x86/test/sst/sst-80286.suite.ts'
import { replaySuite } from '../../x86/test/x87/replay.suite.ts'
import { compiled, eager } from './eager.ts'

/** Modules that were compiled before the current file of vectors, by machine. */
const before = new WeakMap<object, number>()
function translatedSince({ cpu }: { readonly cpu: Parameters<typeof compiled>[0] }): number {
  const now = compiled(cpu)
  const since = now - (before.get(cpu) ?? 0)
  before.set(cpu, now)
  return since
}

hostSuite(eager(), {
  // Code of 64 bits is not translated.
  bits: [16, 32],
  every: 8,
  check: ({ machine, replayed }) => expect(translatedSince(machine)).toBeGreaterThan(0.95 * replayed),
})
sst80286Suite(eager(), 40, ({ machine, tests }) => expect(translatedSince(machine)).toBeGreaterThan(0.5 * tests))
imagesSuite(eager())
replaySuite(eager(), (machine) => expect(translatedSince(machine)).toBeGreaterThan(300))
