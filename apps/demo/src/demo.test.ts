import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { demoComparison, demoText } from './demo.ts'

const golden = new URL('demo.golden.txt', import.meta.url)

it('prints what is in demo.golden.txt, to the digit, in lines that fit', { timeout: 300_000 }, async () => {
  const text = demoText(await demoComparison())
  expect(text).toBe(readFileSync(golden, 'utf8'))
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
})
