import { expect, test } from 'vitest'
import { DetachKeys, keySequence, usualKeys } from './detach-keys.ts'

/** What of pieces is passed on, and whether it was left. */
function typed(keys: DetachKeys, ...pieces: string[]): string {
  let text = ''
  for (const piece of pieces) {
    const { bytes, leaves } = keys.type(new TextEncoder().encode(piece))
    text += new TextDecoder().decode(bytes)
    if (leaves) return `${text}<left>`
  }
  return text
}
const usual = () => new DetachKeys(keySequence(usualKeys))

test('the sequence leaves, in whatever pieces it comes, and is for nobody else', () => {
  expect(typed(usual(), 'ab\x10\x11cd')).toBe('ab<left>')
  expect(typed(usual(), 'ab\x10', '\x11')).toBe('ab<left>')
})

test('what only begins like it is passed on', () => {
  expect(typed(usual(), '\x10', 'x')).toBe('\x10x')
  expect(typed(usual(), '\x10\x10\x11')).toBe('\x10<left>')
  expect(typed(new DetachKeys([]), '\x10\x11')).toBe('\x10\x11')
})

test('keys are named as Docker names them', () => {
  expect(keySequence('ctrl-a,x')).toEqual([1, 0x78])
  expect(keySequence('ctrl-[,ctrl-_')).toEqual([0x1b, 0x1f])
  expect(keySequence('')).toEqual([])
  for (const wrong of ['ctrl-', 'ab', 'ctrl-p,,x']) expect(() => keySequence(wrong)).toThrow('keys with commas')
})
