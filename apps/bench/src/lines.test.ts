import { expect, it } from 'vitest'
import { Lines } from './lines.ts'

it('lines come at their end, whatever the pieces', () => {
  const taken: string[] = []
  const lines = new Lines((line) => taken.push(line))
  for (const piece of ['a', 'b\r\nc', '', '\n\nrest']) lines.feed(new TextEncoder().encode(piece))
  expect(taken).toEqual(['ab', 'c', ''])
})
