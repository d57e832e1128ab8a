import { expect, test } from 'vitest'
import { Keys } from './keys.ts'

function setUp() {
  const seen: string[] = []
  const keys = new Keys({
    send: (bytes) => void seen.push(new TextDecoder().decode(bytes)),
    say: (text) => void seen.push(`says ${text.split(' ')[0]}`),
    leave: () => void seen.push('leaves'),
    power: () => void seen.push('power'),
    stats: () => void seen.push('counts'),
  })
  return { seen, type: (text: string) => keys.type(new TextEncoder().encode(text)) }
}

test('every key goes to the guest, Ctrl-C too', () => {
  const { seen, type } = setUp()
  type('ls\r\x03\x1b[A')
  expect(seen).toEqual(['ls\r\x03\x1b[A'])
})

test('Ctrl-A begins a command, also where what is typed comes in pieces', () => {
  const { seen, type } = setUp()
  type('a\x01')
  type('pb')
  expect(seen).toEqual(['a', 'power', 'b'])
  for (const text of ['\x01s', '\x01h', '\x01x']) type(text)
  expect(seen.slice(3)).toEqual(['counts', 'says Ctrl-A', 'leaves'])
})

test('twice, it is Ctrl-A for the guest', () => {
  const { seen, type } = setUp()
  type('\x01\x01\x01a')
  expect(seen).toEqual(['\x01\x01'])
})
