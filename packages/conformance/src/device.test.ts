import { describe, test } from 'vitest'
import { ourChips } from '../test/our-chips.ts'
import { deviceConformance } from './device.ts'

for (const [name, [make, options]] of Object.entries(ourChips)) {
  describe(name, () => {
    for (const { name, run } of deviceConformance(make, options)) test(name, run)
  })
}
