/** The tree's rules beyond what the recording of Linux shows: moves, delegation, notifications, limits. */
import { describe, expect, test } from 'vitest'
import { TestKernel } from '../../test/kernel.ts'
import { must, spin, treeOf } from '../../test/tree.ts'
import { type Group, Hierarchy } from '../index.ts'

describe('a group', () => {
  test('knows its path, and how a cgroup namespace shows it', () => {
    const { tree, at } = treeOf(['/a/b/c', '/a/d'])
    expect(at('/a/b/c').path).toBe('/a/b/c')
    expect(at('/a/b/c').pathFrom(tree.root)).toBe('/a/b/c')
    expect(at('/a/b/c').pathFrom(at('/a/b'))).toBe('/c')
    expect(at('/a/d').pathFrom(at('/a/b/c'))).toBe('/../../d')
    expect(at('/a').pathFrom(at('/a/d'))).toBe('/..')
    expect(at('/a').pathFrom(at('/a'))).toBe('/')
  })

  test.each(['', '.', '..', 'a/b', 'a\nb', 'a\0'])('cannot have the name %j', (name) => {
    const { tree } = treeOf([])
    expect(tree.mkdir(tree.root, name)).toBe(-22)
  })

  test('that is removed has no files, children or processes any more', () => {
    const { tree, at } = treeOf(['/a'])
    const a = at('/a')
    must(tree.rmdir(a))
    expect(tree.files(a)).toEqual([])
    expect(tree.read(a, 'cgroup.procs')).toBe(-2)
    expect(tree.write(a, 'memory.max', '1')).toBe(-2)
    expect(tree.mkdir(a, 'b')).toBe(-2)
    expect(tree.rmdir(a)).toBe(-2)
    expect(tree.members.fork(1, a)).toBe(-2)
    must(tree.members.fork(1))
    expect(tree.members.move(tree.members.process(1)!, a)).toBe(-2)
  })

  test('is made only within the limits that the hierarchy has, whatever its files allow', () => {
    const tree = new Hierarchy({ kernel: new TestKernel(), maxGroups: 3, maxDepth: 2 })
    const a = tree.mkdir(tree.root, 'a') as Group
    const b = tree.mkdir(a, 'b') as Group
    expect(tree.mkdir(b, 'c')).toBe(-11)
    must(tree.mkdir(tree.root, 'd'))
    expect(tree.mkdir(tree.root, 'e')).toBe(-11)
    must(tree.rmdir(b))
    must(tree.mkdir(tree.root, 'e'))
  })
})

describe('a process', () => {
  test('is moved by its own group’s writer only where the common ancestor allows', () => {
    const { tree, at } = treeOf(['/user/a', '/user/b', '/other'])
    must(tree.members.fork(1, at('/user/a')))
    const asked: string[] = []
    const writer = {
      pid: 1,
      mayMove: ({ path }: { path: string }) => {
        asked.push(path)
        return path !== '/'
      },
    }
    expect(tree.write(at('/user/b'), 'cgroup.procs', '0', writer)).toBe(0)
    expect(tree.write(at('/other'), 'cgroup.procs', '1', writer)).toBe(-13)
    expect(asked).toEqual(['/user', '/'])
    expect(tree.read(at('/user/b'), 'cgroup.procs')).toBe('1\n')
  })

  test('takes its tasks along, past pids.max, and leaves its memory', () => {
    const { tree, at } = treeOf(['/a', '/b'])
    const one = spin(tree, 1, at('/a'))
    must(tree.members.clone(one, 2))
    at('/a').memory.charge(100)
    must(tree.write(at('/b'), 'pids.max', '1'))
    must(tree.write(at('/b'), 'cgroup.procs', '2'))
    expect(tree.read(at('/a'), 'pids.current') + tree.read(at('/b'), 'pids.current').toString()).toBe('0\n2\n')
    expect(at('/a').memory.usage).toBe(100)
    expect(tree.members.fork(3, at('/b'))).toBe(-11)
  })

  test('that has ended is in no group, and charged until it is reaped', () => {
    const { tree, at } = treeOf(['/a'])
    const { threads } = must<Exclude<ReturnType<typeof tree.members.fork>, number>>(tree.members.fork(1, at('/a')))
    const thread = threads.get(1)!
    tree.members.exit(thread)
    expect(tree.read(at('/a'), 'cgroup.procs')).toBe('')
    expect(tree.read(at('/a'), 'pids.current')).toBe('1\n')
    expect(tree.write(tree.root, 'cgroup.procs', '1')).toBe(-3)
    expect(tree.members.fork(1)).toBe(-17)
    must(tree.rmdir(at('/a')))
    expect(tree.root.pids.usage).toBe(1)
    tree.members.release(thread)
    tree.members.release(thread)
    expect(tree.root.pids.usage).toBe(0)
    must(tree.members.fork(1))
  })

  test('is not born where processes may not be, nor where pids.max is in the way', () => {
    const { tree, at } = treeOf(['/a/b'])
    expect(tree.members.fork(1, at('/a'))).toBe(-16)
    must(tree.write(at('/a'), 'pids.max', '2'))
    const one = must<Exclude<ReturnType<typeof tree.members.fork>, number>>(tree.members.fork(1, at('/a/b')))
    must(tree.members.clone(one, 2))
    expect(tree.members.clone(one, 3)).toBe(-11)
    expect(tree.members.fork(4, at('/a/b'))).toBe(-11)
    expect(tree.read(at('/a'), 'pids.events')).toBe('max 2\n')
    expect(tree.read(at('/a/b'), 'pids.events')).toBe('max 0\n')
    expect(tree.read(at('/a'), 'pids.peak')).toBe('2\n')
  })
})

describe('whoever watches', () => {
  test('hears when a group becomes populated or empty, and not otherwise', () => {
    const { tree, kernel, at } = treeOf(['/a/b', '/a/c'])
    must(tree.members.fork(1, at('/a/b')))
    expect(kernel.take()).toEqual(['changed /a/b cgroup.events', 'changed /a cgroup.events', 'changed / cgroup.events'])
    must(tree.members.fork(2, at('/a/b')))
    expect(kernel.take()).toEqual([])
    must(tree.write(at('/a/c'), 'cgroup.procs', '2'))
    expect(kernel.take()).toEqual(['changed /a/c cgroup.events', 'moved 2 /a/b /a/c'])
    tree.members.exit(tree.members.thread(1)!)
    expect(kernel.take()).toEqual(['changed /a/b cgroup.events'])
    tree.members.exit(tree.members.thread(2)!)
    expect(kernel.take()).toEqual(['changed /a/c cgroup.events', 'changed /a cgroup.events', 'changed / cgroup.events'])
  })
})

describe('cgroup.freeze', () => {
  test('stops processes below, those that move in, and starts them when none above is frozen', () => {
    const { tree, kernel, at } = treeOf(['/a/b', '/c'])
    must(tree.members.fork(1, at('/a/b')))
    must(tree.members.fork(2, at('/c')))
    kernel.take()
    must(tree.write(at('/a'), 'cgroup.freeze', '1'))
    expect(kernel.take()).toEqual(['changed /a cgroup.events', 'freeze 1', 'changed /a/b cgroup.events'])
    expect(tree.read(at('/a/b'), 'cgroup.events')).toBe('populated 1\nfrozen 1\n')
    must(tree.write(at('/a/b'), 'cgroup.freeze', '1'))
    expect(kernel.take()).toEqual([])
    must(tree.write(at('/a/b'), 'cgroup.procs', '2'))
    expect(kernel.take()).toContain('freeze 2')
    must(tree.write(at('/c'), 'cgroup.procs', '1'))
    expect(kernel.take()).toContain('thaw 1')
    must(tree.write(at('/a'), 'cgroup.freeze', '0'))
    expect(kernel.take()).toEqual(['changed /a cgroup.events'])
    must(tree.write(at('/a/b'), 'cgroup.freeze', '0'))
    expect(kernel.take()).toEqual(['thaw 2', 'changed /a/b cgroup.events'])
  })
})

test('cgroup.kill takes everything below, and nothing beside', () => {
  const { tree, kernel, at } = treeOf(['/a/b', '/a/c', '/d'])
  for (const [n, path] of ['/a/b', '/a/c', '/d'].entries()) must(tree.members.fork(n + 1, at(path)))
  kernel.take()
  must(tree.write(at('/a'), 'cgroup.kill', '1'))
  expect(kernel.take()).toEqual(['kill 1', 'kill 2'])
})
