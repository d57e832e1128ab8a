/** The size of it that every run of the tests can bear, on Debian's kernel. The whole is for `main.ts`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findGuests } from '@vmexit/cli/guests'
import { afterAll, describe, expect, test } from 'vitest'
import { advance } from './advance.ts'
import { type Guest, readGuest, startGuest } from './guest.ts'
import { lead } from './lead.ts'
import { randomFrom } from './random.ts'
import { repeat } from './repeat.ts'
import { TraceFolder } from './trace.ts'
import { Windows } from './window.ts'
import { seekEvent } from './windows.ts'

const found = findGuests()['linux-686']
const append = 'console=ttyS0 mitigations=off cryptomgr.notests'
/** Windows: while the kernel is decompressed, which is the larger part of the boot, and while it starts. */
const places = [
  { from: 0, to: 2_300_000_000, count: 4 },
  { from: 2_300_000_000, to: 2_700_000_000, count: 16 },
]

const title = found ? "Debian's kernel" : "Debian's kernel, skipped: `pnpm vmexit guests linux-686` fetches it"
describe.skipIf(!found)(title, () => {
  const guest = (): Guest => readGuest({ kernel: found!.kernel, initrd: found!.initramfs, append })
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-debian-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('all engines agree every million instructions of the first 20 million', { timeout: 600_000 }, async () => {
    const into = new TraceFolder(folder)
    const options = { engine: 'jit', every: 1_000_000, saveEvery: 10_000_000, to: 20_000_000 } as const
    const trace = await lead(guest(), into, options)
    const repeated = await repeat(guest(), into, trace, { engine: 'reference', from: 0, to: options.to })
    expect(repeated.difference).toBeUndefined()
    expect(repeated.hashes).toBe(21)
    for (const engine of ['jit', 'interpreter'] as const) {
      const restored = await repeat(guest(), into, trace, { engine, from: 10_000_000, to: options.to })
      expect(restored.difference).toBeUndefined()
      expect(restored.hashes).toBe(11)
    }
  })

  test('the JIT agrees after every instruction of 20 windows of 500', { timeout: 600_000 }, async () => {
    await using tested = await startGuest(guest(), 'jit')
    await using reference = await startGuest(guest(), 'reference')
    using windows = new Windows(tested, reference)
    const random = randomFrom(686)
    const chosen = places.flatMap(({ from, to, count }) =>
      Array.from({ length: count }, () => from + random(to - from)),
    )
    let events = 0
    for (const place of chosen.sort((a, b) => a - b)) {
      advance(tested, place)
      seekEvent(tested, 500)
      const result = windows.compare({ length: 500, passes: 1, stride: 40, random })
      expect(result.difference).toBeUndefined()
      events += result.events
    }
    expect(events).toBeGreaterThan(10)
  })
})
