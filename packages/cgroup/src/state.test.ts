/** Saving and restoring. A failure here lets a restored container forget what it owes, or run when it was throttled. */
import { describe, expect, test } from 'vitest'
import { randomNumbers, TestKernel } from '../test/kernel.ts'
import { must, spin, treeOf } from '../test/tree.ts'
import { Hierarchy, type HierarchyState, MemoryKind } from './index.ts'

const options = { cpus: 2, hasDevice: (device: string) => device === '8:0' }

/** A tree in the middle of everything. */
function busy(): ReturnType<typeof treeOf> {
  const built = treeOf(['/a/b', '/a/c', '/d', '/gone'], options)
  const { tree, kernel, at } = built
  const write = (path: string, file: string, text: string): unknown => must(tree.write(at(path), file, text))
  write('/a', 'memory.max', '1M')
  write('/a', 'memory.high', '64K')
  write('/a/b', 'memory.low', 'max')
  write('/a', 'cpu.max', '5000 100000')
  write('/a/b', 'cpu.weight', '300')
  write('/a', 'io.max', '8:0 rbps=1000')
  write('/a', 'io.weight', '8:0 7')
  write('/a', 'cpuset.cpus', '1')
  write('/d', 'pids.max', '1')
  write('/d', 'cgroup.freeze', '1')
  write('/a', 'cgroup.max.depth', '3')
  spin(tree, 1, at('/a/b'))
  spin(tree, 2, at('/a/b'))
  spin(tree, 3, at('/a/c'))
  spin(tree, 4, at('/d'))
  spin(tree, 5, at('/gone'))
  must(tree.members.clone(tree.members.process(3)!, 33))
  expect(tree.members.fork(6, at('/d'))).toBe(-11)
  tree.members.exit(tree.members.thread(5)!)
  must(tree.rmdir(at('/gone')))
  at('/a/b').memory.charge(70_000, MemoryKind.file)
  at('/a/b').io.charge('8:0', 'read', 500)
  for (let n = 0; n < 7; n++) turn(tree, kernel)
  tree.scheduler.sleep(tree.members.thread(2)!, 'io')
  return built
}

/** A millisecond of CPU 1; answers who ran. */
function turn(tree: Hierarchy, kernel: TestKernel): number | undefined {
  const pick = tree.scheduler.pick(1)
  kernel.time += 1e6
  if (pick === undefined) return undefined
  tree.scheduler.charge(pick.thread, 1e6)
  tree.scheduler.put(pick.thread)
  return pick.thread.tid
}

function restored(state: HierarchyState, time: number): { tree: Hierarchy; kernel: TestKernel } {
  const kernel = new TestKernel()
  kernel.time = time
  const tree = new Hierarchy({ kernel, ...options })
  tree.restore(state)
  return { tree, kernel }
}

describe('a restored hierarchy', () => {
  test('is what was saved, also as JSON', () => {
    const { tree, kernel } = busy()
    const state = JSON.parse(JSON.stringify(tree.save())) as HierarchyState
    expect(state).toEqual(tree.save())
    const copy = restored(state, kernel.time)
    expect(copy.tree.save()).toEqual(state)
    expect(copy.kernel.take()).toEqual([])
    for (const group of tree.root.subtree()) {
      const other = copy.tree.lookup(group.path)!
      for (const { name } of tree.files(group)) {
        expect([group.path, name, copy.tree.read(other, name)]).toEqual([group.path, name, tree.read(group, name)])
      }
    }
  })

  test.each([1, 2, 3])('goes on as the saved one does (seed %i)', (seed) => {
    const original = busy()
    const copy = restored(original.tree.save(), original.kernel.time)
    const both = [original, copy]
    const random = randomNumbers(seed)
    for (let step = 0; step < 500; step++) {
      const [what, tid] = [random(8), 1 + random(4)]
      const answers = both.map(({ tree, kernel }) => {
        const thread = tree.members.thread(tid)!
        if (what === 0) return tree.scheduler.sleep(thread, 'memory')
        if (what === 1) return tree.scheduler.wake(thread)
        if (what === 2) return tree.lookup('/a/b')!.io.charge('8:0', 'read', tid)
        if (what === 3) return tree.lookup('/a/c')!.memory.charge(tid * 1e5)
        return turn(tree, kernel)
      })
      expect(answers[1]).toEqual(answers[0])
    }
    expect(copy.tree.save()).toEqual(original.tree.save())
  })

  test('finds the account that has paid by its id', () => {
    const { tree, kernel, at } = busy()
    const { id } = at('/a/b').memory
    const copy = restored(tree.save(), kernel.time)
    const memory = copy.tree.memoryAccount(id)!
    expect(memory.group.path).toBe('/a/b')
    memory.uncharge(70_000, MemoryKind.file)
    expect(copy.tree.memoryAccount(12345)).toBeUndefined()
  })

  test('gives its root back the task of a process that was not reaped when its group went', () => {
    const { tree, kernel } = busy()
    const copy = restored(tree.save(), kernel.time)
    const before = copy.tree.root.pids.usage
    copy.tree.members.release(copy.tree.members.thread(5)!)
    expect(copy.tree.root.pids.usage).toBe(before - 1)
  })
})

test.each([
  [{ version: 2 }, 'version is 2, not 1'],
  [{ groups: undefined }, 'groups is missing'],
  [{ groups: [] }, 'there is no root'],
  [{ more: 1 }, 'more is unknown'],
])('%j is no saved hierarchy', (change, problem) => {
  const { tree } = busy()
  const before = tree.save()
  expect(() => tree.restore({ ...before, ...change } as unknown as HierarchyState)).toThrow(problem)
  expect(tree.save()).toEqual(before)
})

test('threads in no group, and groups without parents, are no saved hierarchy', () => {
  const { tree } = busy()
  const state = tree.save()
  const threads = state.threads.map((thread) => ({ ...thread, group: 99 }))
  expect(() => tree.restore({ ...state, threads })).toThrow('thread 1 is in no group')
  const groups = state.groups.map((group, n) => ({ ...group, parent: n }))
  expect(() => tree.restore({ ...state, groups })).toThrow('group 0 has no parent before it')
})
