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
const append = 'console=ttyS0 nokaslr mitigations=off cryptomgr.notests'
/** Where the last window may be: the kernel is decompressed and busy by then. */
const span = 2_000_000_000

const title = found ? "Debian's kernel" : "Debian's kernel, skipped: `pnpm vmexit guests linux-686` fetches it"
describe.skipIf(!found)(title, () => {
  const guest = (): Guest => readGuest({ kernel: found!.kernel, initrd: found!.initramfs, append })
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-debian-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('both engines agree every million instructions of the first 20 million', async () => {
    const into = new TraceFolder(folder)
    const options = { engine: 'interpreter', every: 1_000_000, saveEvery: 10_000_000, to: 20_000_000 } as const
    const trace = await lead(guest(), into, options)
    const repeated = await repeat(guest(), into, trace, { engine: 'reference', from: 0, to: options.to })
    expect(repeated.difference).toBeUndefined()
    expect(repeated.hashes).toBe(21)
    const restored = await repeat(guest(), into, trace, { engine: 'interpreter', from: 10_000_000, to: options.to })
    expect(restored.difference).toBeUndefined()
    expect(restored.hashes).toBe(11)
  })

  test('both engines agree after every instruction of 20 windows of 500', async () => {
    await using tested = await startGuest(guest(), 'interpreter')
    await using reference = await startGuest(guest(), 'reference')
    using windows = new Windows(tested, reference)
    const random = randomFrom(686)
    const places = Array.from({ length: 20 }, () => random(span)).sort((a, b) => a - b)
    for (const place of places) {
      advance(tested, place)
      seekEvent(tested, 500)
      const { difference } = windows.compare({ length: 500, passes: 1, stride: 40, random })
      expect(difference).toBeUndefined()
    }
  })
})
