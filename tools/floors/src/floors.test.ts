import { expect, test } from 'vitest'
import { floorOf, mayDepend } from './floors.ts'

test('a package depends on floors below its own only', () => {
  expect(mayDepend('@vmexit/x86', '@vmexit/memory')).toBe(true)
  expect(mayDepend('@vmexit/memory', '@vmexit/x86')).toBe(false)
  expect(mayDepend('@vmexit/x86', '@vmexit/jit')).toBe(false)
})

test('jit → x86 is the one edge that stays on its floor, and it has one direction', () => {
  expect(mayDepend('@vmexit/jit', '@vmexit/x86')).toBe(true)
  expect(mayDepend('@vmexit/x86', '@vmexit/jit')).toBe(false)
})

test('containers stand on the kernel', () => {
  expect(mayDepend('@vmexit/container', '@vmexit/linux')).toBe(true)
  expect(mayDepend('@vmexit/linux', '@vmexit/container')).toBe(false)
})

test('a name outside the table has no floor, so that a new package must be given one', () => {
  expect(floorOf('@vmexit/core')).toBe(0)
  expect(floorOf('@vmexit/unheard-of')).toBeUndefined()
  expect(floorOf('core')).toBeUndefined()
  expect(mayDepend('@vmexit/vmexit', '@vmexit/unheard-of')).toBe(false)
})
