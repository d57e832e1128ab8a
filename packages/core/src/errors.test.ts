import { describe, expect, test } from 'vitest'
import { hexRange, isVmexitError, VmexitError } from './errors.ts'

describe('VmexitError', () => {
  const error = new VmexitError('no-disk', { problem: 'ide has no disk', remedy: 'give it one', cause: 7 })

  test('says the problem and the remedy in one message', () => {
    expect(error.message).toBe('ide has no disk: give it one')
    expect(error).toMatchObject({ name: 'VmexitError', code: 'no-disk', problem: 'ide has no disk', cause: 7 })
  })

  test('is known by its fields, so that two copies of the package understand each other', () => {
    const foreign = Object.assign(new Error('x'), { code: 'no-disk', problem: 'x', remedy: 'y' })
    expect(isVmexitError(foreign, 'no-disk')).toBe(true)
    expect(isVmexitError(error, 'other')).toBe(false)
    expect(isVmexitError(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe(false)
  })
})

test('ranges are written with both ends', () => {
  expect(hexRange(0x3f8, 8)).toBe('0x3f8–0x3ff')
  expect(hexRange(0x64, 1)).toBe('0x64')
  expect(hexRange(2 ** 52 - 16, 16)).toBe('0xffffffffffff0–0xfffffffffffff')
})
