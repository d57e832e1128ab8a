/** memtest86+ finds no error in our memory: skipped where `vmexit guests` has not fetched it. */
import { readFileSync } from 'node:fs'
import { createPc } from '@vmexit/vmexit'
import { expect, test } from 'vitest'
import { missing } from '../../test/session.ts'
import { findGuests } from '../guests/index.ts'

const { 'memtest86+': memtest } = findGuests()

test.skipIf(memtest === undefined)(
  memtest === undefined ? missing('memtest86+') : 'tests 0 to 9 of 8 MiB find no error',
  { timeout: 900_000 },
  async () => {
    await using pc = await createPc({ kernel: readFileSync(memtest!.kernel), memory: '8 MiB' })
    const screen = () => pc.screen!.text().join('\n')
    const begun = new Set<string>()
    const step = async (instructions: number) => {
      expect((await pc.run({ instructions, idle: 'skip' })).reason).toBe('limit')
      const number = /Test #(\d+)/.exec(screen())?.[1]
      if (number !== undefined) begun.add(number)
    }
    // The menu for which tests to run, of which 1 is off at first: all of them.
    await step(60_000_000)
    for (const key of ['F1', 'F1', 'F5', 'F10', 'F10']) {
      pc.keyboard.press(key)
      pc.keyboard.release(key)
      for (let i = 0; i < 20; i++) await step(1_000_000)
      if (key === 'F5') expect(screen()).toContain('***********')
    }
    // Test 10 waits for minutes of virtual time whether bits fade.
    while (!begun.has('10')) {
      await step(1_000_000)
      expect(pc.counts.instructions).toBeLessThan(20e9)
    }
    expect([...begun]).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10'])
    expect(screen()).toMatch(/Errors: +0\b/)
  },
)
