/** Who pays for memory, what limits do, and whom an OOM kill takes. A failure here lets a container eat the host. */
import { describe, expect, test } from 'vitest'
import { must, treeOf } from '../../test/tree.ts'
import { MemoryKind, oomVictims, type Process } from '../index.ts'

const MB = 1 << 20

describe('a charge', () => {
  test('is counted in the group and in all above', () => {
    const { at } = treeOf(['/a/b', '/a/c'])
    expect(at('/a/b').memory.charge(3 * MB)).toBe(true)
    expect(at('/a/c').memory.charge(MB, MemoryKind.file)).toBe(true)
    expect(['/a/b', '/a/c', '/a', '/'].map((path) => at(path).memory.usage / MB)).toEqual([3, 1, 4, 4])
    at('/a/b').memory.uncharge(3 * MB)
    expect(['/a/b', '/a/c', '/a', '/'].map((path) => at(path).memory.usage / MB)).toEqual([0, 1, 1, 1])
    expect(at('/a').memory.counter.peak).toBe(4 * MB)
  })

  test('that a limit on the way up does not allow is counted nowhere', () => {
    const { tree, at } = treeOf(['/a/b'])
    must(tree.write(at('/a'), 'memory.max', '2M'))
    expect(at('/a/b').memory.charge(2 * MB)).toBe(true)
    expect(at('/a/b').memory.charge(1)).toBe(false)
    expect(at('/a/b').memory.usage).toBe(2 * MB)
    expect(at('/a').memory.counter.peak).toBe(2 * MB)
    expect(tree.read(at('/a'), 'memory.events')).toBe('low 0\nhigh 0\nmax 1\noom 1\noom_kill 0\noom_group_kill 0\n')
    expect(tree.read(at('/a'), 'memory.events.local')).toContain('max 1\n')
    expect(tree.read(at('/a/b'), 'memory.events')).toContain('max 0\n')
  })

  test('of each kind stands in memory.stat', () => {
    const { tree, at } = treeOf(['/a/b'])
    Object.values(MemoryKind).forEach((kind, n) => void at('/a/b').memory.charge((n + 1) * 100, kind))
    expect(tree.read(at('/a'), 'memory.stat')).toBe(
      'anon 100\nfile 500\nkernel 2400\nkernel_stack 400\npagetables 500\nsock 600\nshmem 300\n' +
        'slab_reclaimable 700\nslab_unreclaimable 800\nslab 1500\n',
    )
  })

  test('cannot be given back twice, nor as another kind', () => {
    const { at } = treeOf(['/a'])
    at('/a').memory.charge(100)
    const problem = 'memory of /a gives back 100, but only 0 is charged there'
    expect(() => at('/a').memory.uncharge(100, MemoryKind.file)).toThrow(problem)
    at('/a').memory.uncharge(100)
    expect(() => at('/a').memory.uncharge(100)).toThrow(problem)
  })
})

describe('a full group', () => {
  test('has what can be reclaimed reclaimed, and then has room', () => {
    const { tree, kernel, at } = treeOf(['/a/b'])
    const { memory } = at('/a/b')
    must(tree.write(at('/a'), 'memory.max', '1M'))
    memory.charge(MB, MemoryKind.file)
    kernel.reclaimable = 8192
    kernel.onReclaim = (full, freed) => {
      expect(full).toBe(at('/a').memory)
      memory.uncharge(freed, MemoryKind.file)
    }
    expect(memory.charge(8192)).toBe(true)
    expect(memory.charge(1)).toBe(false)
    expect(tree.read(at('/a'), 'memory.stat')).toContain(`anon 8192\nfile ${MB - 8192}\n`)
  })

  test('has a process killed, and asks no more often than makes sense', () => {
    const { tree, kernel, at } = treeOf(['/a'])
    must(tree.write(at('/a'), 'memory.max', '1M'))
    at('/a').memory.charge(MB)
    kernel.onOutOfMemory = () => {
      at('/a').memory.uncharge(MB)
      return true
    }
    expect(at('/a').memory.charge(4096)).toBe(true)
    let asked = 0
    kernel.onOutOfMemory = () => ++asked > 0
    expect(at('/a').memory.charge(MB)).toBe(false)
    expect(asked).toBe(16)
  })

  test('is reclaimed from when its limit is lowered below what it uses', () => {
    const { tree, kernel, at } = treeOf(['/a'])
    at('/a').memory.charge(3 * MB)
    kernel.reclaimable = MB
    kernel.onReclaim = (memory, freed) => memory.uncharge(freed)
    expect(tree.write(at('/a'), 'memory.max', '1M')).toBe(0)
    expect(at('/a').memory.usage).toBe(2 * MB)
    expect(at('/a').memory.charge(1)).toBe(false)
  })

  test('with memory.high goes on, is pressed, and knows by how much it is over', () => {
    const { tree, kernel, at } = treeOf(['/a/b'])
    must(tree.write(at('/a'), 'memory.high', '1M'))
    const asked: number[] = []
    kernel.onReclaim = (memory) => asked.push(memory.usage)
    expect(at('/a/b').memory.charge(MB + 5)).toBe(true)
    expect(asked).toEqual([MB + 5])
    expect(at('/a/b').memory.excess).toBe(5)
    expect(tree.read(at('/a'), 'memory.events')).toContain('high 1\n')
    expect(kernel.take()).toContain('changed /a memory.events')
  })

  test('gives memory back when memory.reclaim says so', () => {
    const { tree, kernel, at } = treeOf(['/a'])
    at('/a').memory.charge(MB)
    kernel.reclaimable = MB / 2
    kernel.onReclaim = (memory, freed) => memory.uncharge(freed)
    expect(tree.write(at('/a'), 'memory.reclaim', '256K')).toBe(0)
    expect(tree.write(at('/a'), 'memory.reclaim', '512K')).toBe(-11)
    expect(at('/a').memory.usage).toBe(MB / 2)
  })
})

describe('charges of a group', () => {
  test('that is removed are its parent’s, and can be given back by whoever has the account', () => {
    const { tree, at } = treeOf(['/a/b'])
    const { memory } = at('/a/b')
    memory.charge(100, MemoryKind.file)
    expect(tree.rmdir(at('/a/b'))).toBe(0)
    expect(at('/a').memory.local[MemoryKind.file]).toBe(100)
    expect(memory.living).toBe(at('/a').memory)
    memory.uncharge(40, MemoryKind.file)
    expect(tree.rmdir(at('/a'))).toBe(0)
    memory.uncharge(60, MemoryKind.file)
    expect(tree.root.memory.usage).toBe(0)
    expect(memory.charge(7)).toBe(true)
    expect(tree.root.memory.usage).toBe(7)
  })

  test('whose controller is disabled and enabled again stay with the parent', () => {
    const { tree, at } = treeOf(['/a/b'])
    const before = at('/a/b').memory
    before.charge(100)
    must(tree.write(at('/a'), 'cgroup.subtree_control', '-memory'))
    expect(at('/a/b').memory).toBe(at('/a').memory)
    expect(tree.read(at('/a/b'), 'memory.current')).toBe(-2)
    must(tree.write(at('/a'), 'cgroup.subtree_control', '+memory'))
    expect(tree.read(at('/a/b'), 'memory.current')).toBe('0\n')
    before.uncharge(100)
    expect(tree.read(at('/a'), 'memory.current')).toBe('0\n')
  })
})

describe('protection', () => {
  test.each([
    // low of a, of a/b, of a/c; usage of b, of c; what may be taken from b and c on behalf of the root.
    { low: ['0', '0', '0'], usage: [4, 4], taken: [4, 4] },
    { low: ['4M', '2M', '1M'], usage: [4, 4], taken: [2, 3] },
    { low: ['3M', '4M', '2M'], usage: [4, 4], taken: [2, 3] },
    { low: ['0', '4M', '2M'], usage: [4, 4], taken: [4, 4] },
    { low: ['8M', '4M', '8M'], usage: [1, 4], taken: [0, 0] },
    { low: ['max', 'max', '0'], usage: [4, 4], taken: [0, 4] },
  ])('of $low with $usage MB leaves $taken MB', ({ low, usage, taken }) => {
    const { tree, at } = treeOf(['/a/b', '/a/c'])
    const paths = ['/a', '/a/b', '/a/c']
    for (const [n, path] of paths.entries()) must(tree.write(at(path), 'memory.low', low[n]!))
    usage.forEach((mb, n) => void at(paths[n + 1]!).memory.charge(mb * MB))
    expect(paths.slice(1).map((path) => at(path).memory.unprotected('low', tree.root.memory) / MB)).toEqual(taken)
    expect(at('/a').memory.unprotected('low', at('/a').memory)).toBe(at('/a').memory.usage)
  })
})

describe('the choice of victims', () => {
  function crowd(): { tree: ReturnType<typeof treeOf>; size: (member: Process) => number } {
    const tree = treeOf(['/a/b', '/a/c', '/d'])
    const groups = ['/a/b', '/a/b', '/a/c', '/d'].map((path) => tree.at(path))
    for (const [n, group] of groups.entries()) must(tree.tree.members.fork(n + 1, group))
    const sizes = [0, 10, 20, 15, 99]
    return { tree, size: ({ pid }) => sizes[pid]! }
  }
  const pids = (victims: readonly Process[]): number[] => victims.map(({ pid }) => pid)

  test('is the largest below the full group', () => {
    const { tree, size } = crowd()
    expect(pids(oomVictims(tree.at('/a').memory, size))).toEqual([2])
    expect(tree.tree.read(tree.at('/a'), 'memory.events')).toContain('oom_kill 1\noom_group_kill 0\n')
    expect(tree.tree.read(tree.at('/a/b'), 'memory.events.local')).toContain('oom_kill 1\n')
  })

  test.each([
    { flagged: '/a/b', victims: [1, 2] },
    { flagged: '/a', victims: [1, 2, 3] },
    { flagged: '/a/c', victims: [2] },
  ])('takes all of $flagged with memory.oom.group', ({ flagged, victims }) => {
    const { tree, size } = crowd()
    must(tree.tree.write(tree.at(flagged), 'memory.oom.group', '1'))
    expect(pids(oomVictims(tree.at('/a').memory, size))).toEqual(victims)
    expect(tree.tree.read(tree.at('/a'), 'memory.events')).toContain(`oom_kill ${victims.length}\n`)
  })

  test('does not look above the full group, and spares whom the kernel spares', () => {
    const { tree, size } = crowd()
    must(tree.tree.write(tree.at('/a'), 'memory.oom.group', '1'))
    expect(pids(oomVictims(tree.at('/a/b').memory, size))).toEqual([2])
    expect(pids(oomVictims(tree.at('/a/b').memory, (member) => (member.pid === 2 ? -1 : 1)))).toEqual([1])
    expect(oomVictims(tree.at('/a').memory, () => -1)).toEqual([])
  })
})
