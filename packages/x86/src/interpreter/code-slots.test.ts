/** The lists of entries against a table that is searched. */
import { expect, it } from 'vitest'
import { Random } from '../../test/random.ts'
import { CodeSlots } from './code-slots.ts'

const SLOTS = [0, 1, 2, 5, 1024, 4095]
const PAGES = [0, 1, 3, 4096, 4097, 8195, 2 ** 24 + 3]

it('finds every entry of a page, whatever the entries held before', () => {
  const random = new Random(1)
  for (let round = 0; round < 200; round++) {
    const slots = new CodeSlots()
    const held = new Map<number, number>()
    for (let n = random.below(60); n >= 0; n--) {
      const [at, page] = [random.pick(SLOTS), random.pick(PAGES)]
      slots.fill(at, page)
      held.set(at, page)
    }
    for (const wanted of PAGES) {
      const found = new Set<number>()
      for (let at = slots.first(wanted); at >= 0; at = slots.next(at)) found.add(at)
      for (const [at, page] of held) if (page === wanted) expect(found.has(at)).toBe(true)
      expect([...found].every((at) => held.get(at)! % 4096 === wanted % 4096)).toBe(true)
    }
  }
})
