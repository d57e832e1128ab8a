import { describe, expect, test } from 'vitest'
import { checkState } from './state.ts'

const like = {
  version: 2,
  baud: 9600,
  fifo: new Uint8Array(16),
  deadline: null as number | null,
  queue: [] as number[],
}

describe('checkState', () => {
  test('passes what save() returned', () => {
    const saved = { version: 2, baud: 1200, fifo: new Uint8Array(4), deadline: 5, queue: [1] }
    expect(checkState('serial', saved, like).baud).toBe(1200)
  })

  test('another version is refused by name', () => {
    expect(() => checkState('serial', { version: 1 }, like)).toThrow(
      'this is not a saved state of serial (version is 1, not 2): ' +
        'restore what save() of the same version of serial returned',
    )
  })

  test.each([undefined, null, 7, 'state', []])('%j is no state at all', (state) => {
    expect(() => checkState('serial', state as never, like)).toThrow('not a saved state of serial (it is no record)')
  })

  test('every difference is listed', () => {
    const wrong = { version: 2, baud: '9600', deadline: 5, queue: new Uint8Array(1), extra: null }
    expect(() => checkState('serial', wrong, like)).toThrow(
      '(baud is a string, not a number; fifo is missing; queue is bytes, not a list; extra is unknown)',
    )
  })
})
