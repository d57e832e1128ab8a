/**
 * A hostile guest writes anything to any file, makes and removes groups, forks and moves, in any order. Every answer is a
 * text, 0 or an error number; no limit is exceeded, no sum is wrong, and nothing is left when all is removed.
 */
import { describe, expect, test } from 'vitest'
import { randomNumbers, TestKernel } from '../test/kernel.ts'
import { controllerNames, type Group, Hierarchy, type MemoryAccount, type MemoryKind } from './index.ts'

const texts = [
  ...['', '0', '1', '2', '-1', 'max', '100', '10000', '65536', '1M', '18446744073709551615', '99999999999999999999999'],
  ...['+memory', '-memory', '+pids +cpu', '-pids', '+cpuset +io', '-cpu', '+bogus', 'max 1000', '5000 10000', '1e9'],
  ...['default 5', '8:0 rbps=max', '8:0 wiops=1', '8:0 7', '8:0', '0-1', '1', '0-99999999', 'some 150000 1000000'],
  ...[
    '\0',
    '\n',
    ' 1 ',
    '☃',
    '0x',
    '0x1F',
    '08',
    '+',
    '-',
    '- -',
    'threaded',
    'domain',
    'NaN',
    'Infinity',
    '1.5',
    '9'.repeat(4000),
  ],
]

const seeds = [1, 2, 3, 4, 5, 6, 7, 8]

describe.each(seeds)('seed %i', (seed) => {
  test('leaves every sum right and every limit kept', () => {
    const random = randomNumbers(seed)
    const kernel = new TestKernel()
    const tree = new Hierarchy({ kernel, cpus: 2, maxGroups: 30, maxDepth: 5, hasDevice: (device) => device === '8:0' })
    const one = <T>(list: readonly T[]): T => list[random(list.length)]!
    const groups = (): Group[] => [...tree.root.subtree()]
    const charges: [MemoryAccount, number, MemoryKind][] = []
    let nextPid = 1
    for (let step = 0; step < 4000; step++) {
      const group = one(groups())
      kernel.time += random(1e6)
      const what = random(12)
      if (what === 0) errnoOr(tree.mkdir(group, `g${random(5)}`))
      else if (what === 1 && group.parent !== null) errnoOr(tree.rmdir(group))
      else if (what === 2) errnoOr(tree.members.fork(nextPid++, group))
      else if (what === 3) {
        const thread = one([...tree.members.threads()])
        if (thread !== undefined) one([() => tree.members.exit(thread), () => tree.members.release(thread)])()
      } else if (what === 4) errnoOr(tree.write(group, 'cgroup.procs', String(random(nextPid + 2))))
      else if (what === 5) {
        const thread = one([...tree.members.threads()])
        if (thread !== undefined) one([() => tree.scheduler.wake(thread), () => tree.scheduler.sleep(thread, 'io')])()
      } else if (what === 6) {
        const pick = tree.scheduler.pick(random(2))
        if (pick !== undefined) {
          tree.scheduler.charge(pick.thread, random(1e6), random(1000))
          tree.scheduler.put(pick.thread)
        }
      } else if (what <= 8) {
        const bytes = random(50_000)
        const kind = random(8) as MemoryKind
        if (group.memory.charge(bytes, kind)) charges.push([group.memory, bytes, kind])
      } else if (what === 9 && charges.length > 0) {
        const [memory, bytes, kind] = charges.splice(random(charges.length), 1)[0]!
        memory.uncharge(bytes, kind)
      } else if (what === 10) errnoOr(group.io.charge('8:0', one(['read', 'write', 'discard'] as const), random(1e6)))
      else errnoOr(tree.write(group, one([...tree.files(group), { name: 'bogus' }]).name, one(texts)))
    }
    check(tree)
    for (const group of groups()) for (const { name } of tree.files(group)) errnoOr(tree.read(group, name))

    for (const thread of [...tree.members.threads()]) tree.members.release(thread)
    for (const group of groups().reverse()) if (group.parent !== null) expect(tree.rmdir(group)).toBe(0)
    for (const [memory, bytes, kind] of charges) memory.uncharge(bytes, kind)
    const { root } = tree
    expect([root.memory.usage, root.pids.usage, root.cpu.active, root.descendants]).toEqual([0, 0, 0, 0])
    expect(root.memory.local.every((bytes) => bytes === 0)).toBe(true)
    expect(root.populated).toBe(false)
    for (const name of controllerNames) expect(root.accounts[name].children.size).toBe(0)
  })
})

/** Each answer is an object, a text, a number from 0, or an error number that has a name here. */
function errnoOr(answer: unknown): void {
  if (typeof answer !== 'number') return
  expect(Number.isInteger(answer) && answer > -4096).toBe(true)
}

function check(tree: Hierarchy): void {
  for (const group of tree.root.subtree()) {
    const { memory, pids } = group
    let below = memory.local.reduce((sum, bytes) => sum + bytes, 0)
    for (const child of memory.children) below += child.usage
    expect(memory.usage).toBe(below)
    expect(memory.local.every((bytes) => bytes >= 0)).toBe(true)
    let tasks = pids.local
    for (const child of pids.children) tasks += child.usage
    expect(pids.usage).toBe(tasks)
    const populated = [...group.allProcesses()].length > 0
    expect(group.populated).toBe(populated)
    expect(group.descendants).toBe([...group.subtree()].length - 1)
    expect(group.cpu.active).toBe(
      [...group.cpu.children].reduce((sum, child) => sum + child.active, ownActive(tree, group)),
    )
  }
}

function ownActive(tree: Hierarchy, group: Group): number {
  return [...tree.members.threads()].filter((thread) => thread.active && thread.account === group.cpu).length
}

test('no charge exceeds a limit that stands', () => {
  const random = randomNumbers(99)
  const tree = new Hierarchy({ kernel: new TestKernel() })
  let group = tree.root
  const limits = [1e6, 5e5, 7e5, 2e5]
  for (const limit of limits) {
    tree.write(group, 'cgroup.subtree_control', '+memory +pids')
    group = tree.mkdir(group, 'g') as Group
    tree.write(group, 'memory.max', String(limit))
    tree.write(group, 'pids.max', String(limit / 1e5))
  }
  const all = [...tree.root.subtree()].slice(1)
  for (let step = 0; step < 20_000; step++) {
    const { memory, pids } = all[random(all.length)]!
    const bytes = random(30_000)
    if (random(2)) memory.charge(bytes)
    else if (memory.local[0]! >= bytes) memory.uncharge(bytes)
    if (random(2)) pids.charge()
    else if (pids.local > 0) pids.uncharge()
    for (const [n, each] of all.entries()) {
      if (each.memory.usage > limits[n]! || each.pids.usage > limits[n]! / 1e5) throw new Error(`step ${step}: over`)
    }
  }
})

test('a limit of a page is parsed in no time, however long the text', () => {
  const tree = new Hierarchy({ kernel: new TestKernel(), cpus: 4096 })
  tree.write(tree.root, 'cgroup.subtree_control', '+cpuset')
  const group = tree.mkdir(tree.root, 'a') as Group
  expect(tree.write(group, 'cpuset.cpus', '0-4095,'.repeat(6000))).toBe(0)
  expect(tree.read(group, 'cpuset.cpus')).toBe('0-4095\n')
  expect(tree.write(group, 'cpuset.cpus', '0-4095,'.repeat(8000))).toBe(-7)
})
