import { expect, test } from 'vitest'
import { LinePrefix } from './line-prefix.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

test('whole lines have the name before them, in whatever pieces they come', () => {
  const prefix = new LinePrefix('vm1')
  expect(text(prefix.lines(bytes('Linux ')))).toBe('')
  expect(text(prefix.lines(bytes('version\r\n\r\n~ # ')))).toBe('vm1 | Linux version\nvm1 | \n')
  expect(text(prefix.rest())).toBe('vm1 | ~ # \n')
  expect(text(prefix.rest())).toBe('')
})

test('a line without end is broken', () => {
  const prefix = new LinePrefix('vm1')
  const printed = text(prefix.lines(bytes('y'.repeat(10_000)))) + text(prefix.rest())
  expect(printed.split('\n').map(({ length }) => length)).toEqual([4102, 4102, 1814, 0])
})
