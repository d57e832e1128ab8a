/** Cpusets beyond the recording of Linux: what follows for groups below. */
import { expect, test } from 'vitest'
import { must, spin, treeOf } from '../../test/tree.ts'

test('what is effective follows from all above, and changes with them', () => {
  const { tree, at } = treeOf(['/a/b/c'], { cpus: 4, nodes: 2 })
  const effective = (): unknown[] =>
    ['/a', '/a/b', '/a/b/c'].map((path) => tree.read(at(path), 'cpuset.cpus.effective'))
  must(tree.write(at('/a/b'), 'cpuset.cpus', '1-2'))
  expect(effective()).toEqual(['0-3\n', '1-2\n', '1-2\n'])
  must(tree.write(at('/a'), 'cpuset.cpus', '2-3'))
  expect(effective()).toEqual(['2-3\n', '2\n', '2\n'])
  must(tree.write(at('/a'), 'cpuset.cpus', '0'))
  expect(effective()).toEqual(['0\n', '0\n', '0\n'])
  must(tree.write(at('/a'), 'cpuset.cpus', '\n'))
  expect(effective()).toEqual(['0-3\n', '1-2\n', '1-2\n'])
  expect(at('/a/b/c').cpuset.allows(1)).toBe(true)
  expect(at('/a/b/c').cpuset.allows(3)).toBe(false)
  must(tree.write(at('/a'), 'cpuset.mems', '1'))
  expect(tree.read(at('/a/b/c'), 'cpuset.mems.effective')).toBe('1\n')
})

test('a group without the controller has what the nearest group with it has', () => {
  const { tree, at } = treeOf(['/a/b'], { cpus: 4 })
  must(tree.write(at('/a'), 'cpuset.cpus', '3'))
  must(tree.write(at('/a'), 'cgroup.subtree_control', '-cpuset'))
  expect(at('/a/b').cpuset.cpus.effective).toEqual([3])
})

test('processes keep the CPUs they were told to run on', () => {
  const { tree, at } = treeOf(['/a'], { cpus: 4 })
  must(tree.write(at('/a'), 'cpuset.cpus', '3'))
  spin(tree, 1, at('/a'))
  expect(tree.write(at('/a'), 'cpuset.cpus', '\n')).toBe(-28)
  expect(tree.scheduler.pick(0)).toBeUndefined()
  expect(tree.scheduler.pick(3)?.thread.tid).toBe(1)
})
