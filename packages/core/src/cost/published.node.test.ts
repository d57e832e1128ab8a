import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseProfiles } from './profile.ts'
import { publishedProfiles } from './published.ts'

const reference = new URL('../../../../../shared/reference/costmodel.json', import.meta.url)

test.skipIf(!existsSync(reference))(
  'our figures are those of shared/reference/costmodel.json (skipped without it)',
  () => {
    const theirs = parseProfiles(JSON.parse(readFileSync(reference, 'utf8')))
    const ours = (name: string) => publishedProfiles[name]!
    const renamed = (prices: Readonly<Record<string, number>>) =>
      Object.fromEntries(
        Object.entries(prices).map(([name, value]) => {
          const milliseconds = name.endsWith('_ms')
          const event = name.replace(/_ms$/, '').replaceAll('_', '-').toLowerCase()
          return [event, milliseconds ? value * 1e6 : value]
        }),
      )
    expect(Object.keys(publishedProfiles)).toEqual(expect.arrayContaining(Object.keys(theirs)))
    for (const [name, profile] of Object.entries(theirs)) {
      expect(ours(name)).toMatchObject({
        ghz: profile.ghz,
        class: profile.class,
        cycles: renamed(profile.cycles),
        derived: renamed(profile.derived),
        ns: renamed(profile.ns),
      })
    }
  },
)
