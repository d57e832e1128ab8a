import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { workspaceRoot } from '@vmexit-tools/workspace'
import { expect, test } from 'vitest'
import { assertions, sources } from './assertions.ts'
import { comparisons } from './evidence.ts'
import { fidelityPage } from './page.ts'

test('docs/fidelity.md is what the comparison says today; else write it anew with tools/fidelity', async () => {
  expect(fidelityPage(await comparisons())).toBe(readFileSync(join(workspaceRoot, 'docs/fidelity.md'), 'utf8'))
})

test('every assertion is there once, and every publication that one names is in the list', () => {
  expect(new Set(assertions.map(({ id }) => id)).size).toBe(assertions.length)
  const keys = assertions.flatMap(({ published }) => published.match(/\b[A-Z]{2,}[0-9]{2}\b|\bKUT\b|\bFCSPEC\b/g) ?? [])
  for (const key of keys) expect(sources).toHaveProperty(key)
})
