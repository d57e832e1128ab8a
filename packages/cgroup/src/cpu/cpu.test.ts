/** Who gets the CPU and how much of it. A failure here lets one container starve the others. */
import { describe, expect, test } from 'vitest'
import { randomNumbers, type TestKernel } from '../../test/kernel.ts'
import { must, spin, treeOf } from '../../test/tree.ts'
import type { Hierarchy } from '../index.ts'

const MS = 1e6
const SECOND = 1e9

/** Runs CPUs in turns of a slice each until the time is up; answers CPU time by thread id. */
function run(tree: Hierarchy, kernel: TestKernel, time: number, slice = MS, cpus = 1): Map<number, number> {
  const used = new Map<number, number>()
  for (const end = kernel.time + time; kernel.time < end; ) {
    const picks = []
    for (let cpu = 0; cpu < cpus; cpu++) {
      const pick = tree.scheduler.pick(cpus > 1 ? cpu : undefined)
      if (pick !== undefined) picks.push(pick)
    }
    if (picks.length === 0) {
      kernel.time = Math.min(end, tree.scheduler.due)
      continue
    }
    const length = Math.min(slice, end - kernel.time, ...picks.map(({ until }) => Math.ceil(until)))
    kernel.time += length
    for (const { thread } of picks) {
      tree.scheduler.charge(thread, length)
      tree.scheduler.put(thread)
      used.set(thread.tid, (used.get(thread.tid) ?? 0) + length)
    }
  }
  return used
}

describe('weights', () => {
  test.each([
    { weights: [100, 100], shares: [0.5, 0.5] },
    { weights: [300, 100], shares: [0.75, 0.25] },
    { weights: [1, 99], shares: [0.01, 0.99] },
    { weights: [10000, 100, 100], shares: [10000 / 10200, 100 / 10200, 100 / 10200] },
  ])('$weights are the shares of the CPU, to 1 %', ({ weights, shares }) => {
    const { tree, kernel, at } = treeOf(weights.map((_, n) => `/g${n}`))
    weights.forEach((weight, n) => {
      must(tree.write(at(`/g${n}`), 'cpu.weight', String(weight)))
      spin(tree, n, at(`/g${n}`))
    })
    const used = run(tree, kernel, 100 * SECOND)
    for (const [n, share] of shares.entries()) {
      expect(Math.abs(used.get(n)! / (100 * SECOND) - share)).toBeLessThan(0.01 * share)
    }
  })

  test('hold at each level, however many processes a group has', () => {
    const { tree, kernel, at } = treeOf(['/a/x', '/a/y', '/b'])
    must(tree.write(at('/a/x'), 'cpu.weight', '300'))
    spin(tree, 1, at('/a/x'))
    spin(tree, 2, at('/a/y'))
    for (let pid = 10; pid < 60; pid++) spin(tree, pid, at('/b'))
    const used = run(tree, kernel, 20 * SECOND)
    expect(used.get(1)! / SECOND).toBeCloseTo(7.5, 1)
    expect(used.get(2)! / SECOND).toBeCloseTo(2.5, 1)
    for (let pid = 10; pid < 60; pid++) expect(used.get(pid)! / SECOND).toBeCloseTo(0.2, 1)
    expect(tree.read(at('/a'), 'cpu.stat')).toMatch(/^usage_usec 1000\d{4}\n/)
  })

  test('of nice values make the shares of threads in a group', () => {
    const { tree, kernel, at } = treeOf(['/a'])
    for (const pid of [1, 2]) spin(tree, pid, at('/a'))
    tree.members.thread(2)!.nice = 5
    const used = run(tree, kernel, 50 * SECOND)
    expect(used.get(1)! / used.get(2)!).toBeCloseTo(1024 / 335, 1)
  })

  test.each([
    { where: 'groups', paths: ['/a', '/b'] },
    { where: 'threads of a group', paths: ['/a', '/a'] },
  ])('hold while $where sleep and wake: sleep saves up no time', ({ paths }) => {
    const { tree, kernel, at } = treeOf(paths)
    for (const [pid, path] of paths.entries()) spin(tree, pid, at(path))
    tree.scheduler.sleep(tree.members.thread(0)!)
    run(tree, kernel, 10 * SECOND)
    tree.scheduler.wake(tree.members.thread(0)!)
    const used = run(tree, kernel, SECOND)
    expect(used.get(0)! / MS).toBeCloseTo(500, -1)
  })

  test('hold for threads that have just moved in', () => {
    const { tree, kernel, at } = treeOf(['/a', '/b'])
    spin(tree, 1, at('/a'))
    run(tree, kernel, 10 * SECOND)
    spin(tree, 2, at('/b'))
    must(tree.write(at('/b'), 'cgroup.procs', '1'))
    const used = run(tree, kernel, SECOND)
    expect(used.get(1)! / MS).toBeCloseTo(500, -1)
    expect(used.get(2)! / MS).toBeCloseTo(500, -1)
  })
})

describe('cpu.max', () => {
  test.each([
    { max: '50000 100000', share: 0.5 },
    { max: '10000 100000', share: 0.1 },
    { max: '1000 1000000', share: 0.001 },
    { max: '25000 50000', share: 0.5 },
    { max: '200000 100000', share: 1 },
    { max: 'max 100000', share: 1 },
  ])('$max gives $share of a CPU, to a period', ({ max, share }) => {
    const { tree, kernel, at } = treeOf(['/a/b'])
    must(tree.write(at('/a'), 'cpu.max', max))
    spin(tree, 1, at('/a/b'))
    const used = run(tree, kernel, 10 * SECOND, 3 * MS)
    const quota = share * Number(max.split(' ')[1]) * 1000
    expect(Math.abs(used.get(1)! - share * 10 * SECOND)).toBeLessThanOrEqual(quota)
  })

  test('is paid back where a slice has overrun it, whoever else is throttled meanwhile', () => {
    const { tree, kernel, at } = treeOf(['/a', '/b'])
    must(tree.write(at('/a'), 'cpu.max', '10000 100000'))
    must(tree.write(at('/b'), 'cpu.max', '1000 10000'))
    spin(tree, 1, at('/a'))
    spin(tree, 2, at('/b'))
    while (kernel.time < 10 * SECOND) {
      const pick = tree.scheduler.pick()
      if (pick === undefined) {
        kernel.time = tree.scheduler.due
        continue
      }
      // The kernel does not look at `until`: 70 ms of the first without a stop.
      const slice = pick.thread.tid === 1 ? 70 * MS : MS
      kernel.time += slice
      tree.scheduler.charge(pick.thread, slice)
      tree.scheduler.put(pick.thread)
    }
    expect(Math.abs(at('/a').cpuTime.user - SECOND)).toBeLessThanOrEqual(70 * MS)
  })

  test('is counted in cpu.stat', () => {
    const { tree, kernel, at } = treeOf(['/a'])
    must(tree.write(at('/a'), 'cpu.max', '20000 100000'))
    spin(tree, 1, at('/a'))
    run(tree, kernel, SECOND)
    expect(tree.read(at('/a'), 'cpu.stat')).toBe(
      'usage_usec 200000\nuser_usec 200000\nsystem_usec 0\n' +
        'nr_periods 9\nnr_throttled 9\nthrottled_usec 800000\nnr_bursts 0\nburst_usec 0\n',
    )
    expect(tree.read(at('/a'), 'cpu.stat.local')).toBe('throttled_usec 800000\n')
  })

  test('with a burst spends what idle periods have left, and no more', () => {
    const { tree, kernel, at } = treeOf(['/a'])
    must(tree.write(at('/a'), 'cpu.max', '20000 100000'))
    must(tree.write(at('/a'), 'cpu.max.burst', '20000'))
    spin(tree, 1, at('/a'))
    run(tree, kernel, 100 * MS)
    tree.scheduler.sleep(tree.members.thread(1)!)
    kernel.time += 10 * SECOND
    tree.scheduler.wake(tree.members.thread(1)!)
    expect(run(tree, kernel, 90 * MS).get(1)).toBe(40 * MS)
    run(tree, kernel, 100 * MS)
    expect(tree.read(at('/a'), 'cpu.stat')).toContain('nr_bursts 1\nburst_usec 20000\n')
  })

  test('lets a throttled group go on when it is lifted', () => {
    const { tree, kernel, at } = treeOf(['/a'])
    must(tree.write(at('/a'), 'cpu.max', '1000 1000000'))
    spin(tree, 1, at('/a'))
    run(tree, kernel, 10 * MS)
    expect(tree.scheduler.pick()).toBeUndefined()
    must(tree.write(at('/a'), 'cpu.max', 'max'))
    expect(tree.scheduler.pick()?.until).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('several CPUs', () => {
  test('run threads where their cpuset allows, and where the kernel does', () => {
    const { tree, at } = treeOf(['/a', '/b'], { cpus: 2 })
    must(tree.write(at('/a'), 'cpuset.cpus', '1'))
    spin(tree, 1, at('/a'))
    spin(tree, 2, at('/a'))
    spin(tree, 3, at('/b'))
    expect(tree.scheduler.pick(0)?.thread.tid).toBe(3)
    expect(tree.scheduler.pick(0)).toBeUndefined()
    expect(tree.scheduler.pick(1, ({ tid }) => tid !== 1)?.thread.tid).toBe(2)
    expect(tree.scheduler.pick(1)?.thread.tid).toBe(1)
  })

  test('share between groups by weight where there is work for all', () => {
    const { tree, kernel, at } = treeOf(['/a', '/b'], { cpus: 2 })
    must(tree.write(at('/a'), 'cpu.weight', '300'))
    for (let pid = 0; pid < 8; pid++) spin(tree, pid, at(pid < 4 ? '/a' : '/b'))
    const used = run(tree, kernel, 20 * SECOND, MS, 2)
    let a = 0
    for (let pid = 0; pid < 4; pid++) a += used.get(pid)!
    expect(a / (40 * SECOND)).toBeCloseTo(0.75, 2)
  })
})

test.each([1, 2, 3, 4, 5])('random wakes, sleeps, moves and limits lose no thread (seed %i)', (seed) => {
  const random = randomNumbers(seed)
  const { tree, kernel, at } = treeOf(['/a/x', '/a/y', '/b'])
  const leaves = ['/a/x', '/a/y', '/b'].map(at)
  for (let pid = 0; pid < 12; pid++) spin(tree, pid, leaves[random(3)]!)
  for (let step = 0; step < 3000; step++) {
    const thread = tree.members.thread(random(12))!
    const what = random(10)
    if (what === 0) tree.scheduler.sleep(thread, random(2) ? 'io' : 'idle')
    else if (what === 1) tree.scheduler.wake(thread)
    else if (what === 2) must(tree.members.move(thread.process, leaves[random(3)]!))
    else if (what === 3) must(tree.write(at('/a'), 'cpu.max', random(2) ? 'max' : '5000 10000'))
    else if (what === 4) must(tree.write(at('/b'), 'cpu.weight', String(1 + random(1000))))
    else if (what === 5 && step % 7 === 0) {
      const on = tree.root.controls.has('cpu')
      const change = tree.write(at('/a'), 'cgroup.subtree_control', at('/a').controls.has('cpu') ? '-cpu' : '+cpu')
      expect([0, -2]).toContain(change)
      expect(on).toBe(true)
    } else run(tree, kernel, random(5) * MS)
  }
  for (const path of ['/a', '/b']) must(tree.write(at(path), 'cpu.max', 'max'))
  const wanting = [...tree.members.threads()].filter(({ active }) => active).map(({ tid }) => tid)
  const picked: number[] = []
  for (let pick = tree.scheduler.pick(); pick !== undefined; pick = tree.scheduler.pick()) picked.push(pick.thread.tid)
  expect(picked.sort((a, b) => a - b)).toEqual(wanting.sort((a, b) => a - b))
  expect(tree.root.cpu.active).toBe(wanting.length)
})

describe('a thread that wakes', () => {
  test('takes the CPU from one that has run more by the margin, where their ways up the tree meet', () => {
    const { tree, kernel, at } = treeOf(['/a/x', '/a/y', '/b'])
    const [x, y, b] = ['/a/x', '/a/y', '/b'].map((path, n) => [...spin(tree, n + 1, at(path)).threads.values()][0]!)
    const { scheduler } = tree
    scheduler.sleep(y!)
    scheduler.sleep(b!)
    expect(scheduler.pick()!.thread).toBe(x)
    kernel.time += 3 * MS
    scheduler.charge(x!, 3 * MS)
    for (const woken of [y!, b!]) {
      scheduler.wake(woken, 5 * MS)
      expect(scheduler.preempts(woken, x!, 2 * MS)).toBe(true)
      expect(scheduler.preempts(woken, x!, 4 * MS)).toBe(false)
    }
  })

  test('is ahead of those that have waited by no more than its bonus', () => {
    const { tree, kernel, at } = treeOf(['/g'])
    const [runs, sleeps] = [1, 2].map((pid) => [...spin(tree, pid, at('/g')).threads.values()][0]!)
    tree.scheduler.sleep(sleeps!)
    run(tree, kernel, 100 * MS)
    tree.scheduler.wake(sleeps!, 5 * MS)
    expect(runs!.vruntime - sleeps!.vruntime).toBeLessThanOrEqual(6 * MS)
    expect(runs!.vruntime - sleeps!.vruntime).toBeGreaterThan(4 * MS)
  })
})
