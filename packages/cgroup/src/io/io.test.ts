/** How long requests wait. A failure here lets one container have the disk to itself. */
import { describe, expect, test } from 'vitest'
import { must, treeOf } from '../../test/tree.ts'

const SECOND = 1e9

describe('io.max', () => {
  test.each([
    { max: 'rbps=1000000', operation: 'read', bytes: 10_000, perSecond: 100 },
    { max: 'wbps=1000000', operation: 'read', bytes: 10_000, perSecond: Number.POSITIVE_INFINITY },
    { max: 'wbps=1000000', operation: 'write', bytes: 500_000, perSecond: 2 },
    { max: 'wiops=30', operation: 'write', bytes: 1, perSecond: 30 },
    { max: 'rbps=1000000 riops=20', operation: 'read', bytes: 10_000, perSecond: 20 },
    { max: 'rbps=1 wbps=1', operation: 'discard', bytes: 10_000, perSecond: Number.POSITIVE_INFINITY },
  ] as const)('$max lets $perSecond requests of $bytes bytes to $operation go in a second', (row) => {
    const { tree, kernel, at } = treeOf(['/a/b'])
    must(tree.write(at('/a'), 'io.max', `8:0 ${row.max}`))
    let requests = 0
    for (; kernel.time < 10 * SECOND && requests < 1e4; requests++) {
      kernel.time += at('/a/b').io.charge('8:0', row.operation, row.bytes)
    }
    if (row.perSecond === Number.POSITIVE_INFINITY) expect(kernel.time).toBe(0)
    else expect(Math.abs(requests - row.perSecond * 10)).toBeLessThanOrEqual(1)
  })

  test('makes requests that come together wait one for the other', () => {
    const { tree, at } = treeOf(['/a'])
    must(tree.write(at('/a'), 'io.max', '8:0 rbps=1000'))
    expect([1, 2, 3].map(() => at('/a').io.charge('8:0', 'read', 500))).toEqual([0, 0.5 * SECOND, SECOND])
    expect(at('/a').io.charge('8:1', 'read', 500)).toBe(0)
  })

  test('of a group holds for all groups below together', () => {
    const { tree, at } = treeOf(['/a/b', '/a/c'])
    must(tree.write(at('/a'), 'io.max', '8:0 wiops=10'))
    expect(at('/a/b').io.charge('8:0', 'write', 1)).toBe(0)
    expect(at('/a/c').io.charge('8:0', 'write', 1)).toBe(0.1 * SECOND)
  })
})

test('io.stat counts here and above, and io.weight is by device', () => {
  const { tree, at } = treeOf(['/a/b'])
  at('/a/b').io.charge('8:0', 'read', 100)
  at('/a/b').io.charge('8:0', 'write', 50)
  at('/a').io.charge('8:0', 'discard', 7)
  expect(tree.read(at('/a/b'), 'io.stat')).toBe('8:0 rbytes=100 wbytes=50 rios=1 wios=1 dbytes=0 dios=0\n')
  expect(tree.read(tree.root, 'io.stat')).toBe('8:0 rbytes=100 wbytes=50 rios=1 wios=1 dbytes=7 dios=1\n')
  must(tree.write(at('/a'), 'io.weight', '8:0 50'))
  expect(tree.read(at('/a'), 'io.weight')).toBe('default 100\n8:0 50\n')
  expect([at('/a').io.weightFor('8:0'), at('/a').io.weightFor('8:1')]).toEqual([50, 100])
  must(tree.write(at('/a'), 'io.weight', '8:0 default'))
  expect(tree.read(at('/a'), 'io.weight')).toBe('default 100\n')
})

test('what is charged to a group that has been removed reaches its parent', () => {
  const { tree, at } = treeOf(['/a/b'])
  const { io } = at('/a/b')
  must(tree.rmdir(at('/a/b')))
  io.charge('8:0', 'read', 100)
  expect(tree.read(at('/a'), 'io.stat')).toContain('rbytes=100')
})
