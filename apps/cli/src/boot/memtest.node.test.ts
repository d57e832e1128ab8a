/** memtest86+ finds no error in our memory: skipped where `vmexit guests` has not fetched it. */
import { readFileSync } from 'node:fs'
import { createPc } from '@vmexit/vmexit'
import { expect, test } from 'vitest'
import { missing } from '../../test/session.ts'
import { findGuests } from '../guests/index.ts'

const { 'memtest86+': memtest } = findGuests()

test.skipIf(memtest === undefined)(
  memtest === undefined ? missing('memtest86+') : 'tests 0 to 9 of 4 MiB find no error',
  { timeout: 900_000 },
  async () => {
    await using pc = await createPc({ kernel: readFileSync(memtest!.kernel), memory: '4 MiB' })
    const screen = () => pc.screen!.text().join('\n')
    const seen = new Set<string>()
    // Test 10 waits for minutes of virtual time whether bits fade.
    while (!seen.has('10')) {
      const stop = await pc.run({ instructions: 100_000_000, idle: 'skip' })
      expect(stop.reason).toBe('limit')
      const test = /Test #(\d+)/.exec(screen())?.[1]
      if (test !== undefined) seen.add(test)
      expect(pc.counts.instructions).toBeLessThan(20e9)
    }
    expect([...seen]).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10'])
    expect(screen()).toMatch(/Errors: +0\b/)
  },
)
