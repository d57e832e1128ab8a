/** Programs that trace each other at random, are killed, execute and fork while they do: the kernel's books stay in order. */
import { describe, expect, it } from 'vitest'
import { type Call, mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { run } from '../../test/run.ts'
import { Random } from '../random.ts'

const Nr = {
  fork: 2,
  waitpid: 7,
  ptrace: 26,
  kill: 37,
  getpid: 20,
  tgkill: 270,
}
const REQUESTS = [0, 1, 3, 4, 6, 7, 7, 8, 9, 12, 13, 15, 16, 16, 17, 19, 24, 24, 31]
const LATER = [
  0x4200, 0x4201, 0x4202, 0x4203, 0x4204, 0x4205, 0x4206, 0x4206, 0x4207, 0x4208, 0x4209, 0x420a, 0x420b, 0x420e,
]
const SIGNALS = [0, 5, 9, 10, 17, 18, 19, 20, 15]

function one(random: Random): Call {
  const of = <T>(list: readonly T[]): T => list[random.next() % list.length]!
  const pid = 1 + (random.next() % 12)
  const kinds: readonly (() => Call)[] = [
    () => [Nr.fork],
    () => [Nr.waitpid, of([-1, pid]), SCRATCH, of([1, 1, 0x4000_0001, 0x4000_0003])],
    () => [Nr.ptrace, of(REQUESTS), pid, of([0, 44, 0x8048000, SCRATCH]), of([0, SCRATCH, ...SIGNALS])],
    () => [Nr.ptrace, of(REQUESTS), pid, 0, of(SIGNALS)],
    () => [Nr.ptrace, of(LATER), pid, of([0, 1, 8, 64, SCRATCH]), of([0, 0xff, 0x10_00ff, SCRATCH])],
    () => [Nr.kill, pid, of(SIGNALS)],
    () => [Nr.tgkill, pid, pid, of(SIGNALS)],
    () => [Nr.getpid],
  ]
  return of(kinds)()
}

describe('programs that trace each other', () => {
  it.each(Array.from({ length: 24 }, (_, seed) => seed))('leave the books in order (seed %i)', (seed) => {
    const random = new Random(7000 + seed)
    const list = [mapScratch, [Nr.fork] as Call, ...Array.from({ length: 120 }, () => one(random))]
    const { wrong, kernel } = run({
      files: { '/p': programOf(list) },
      args: ['/p'],
      engine: 'interpreter',
      most: 5e6,
      memory: '64 MiB',
      // So that there are always some, and never too many.
      prepare({ groups: { tree } }) {
        tree.write(tree.root, 'cgroup.subtree_control', '+pids')
        const group = tree.mkdir(tree.root, 'few')
        if (typeof group === 'object') tree.write(group, 'pids.max', '12')
      },
      cgroup: '/few',
    })
    expect(wrong).toEqual([])
    expect(kernel.counts.forks).toBeGreaterThan(0)
  })
})

it.each([
  ['FPREGSET', 2],
  ['PRXFPREG', 0x46e6_2b7f],
  ['PRSTATUS', 1],
])('a tracer that sets nothing of %s harms nobody', (_, note) => {
  // Parent and child make the same calls: those of the child on itself are refused.
  const list: readonly Call[] = [
    mapScratch,
    [Nr.fork],
    [Nr.ptrace, 0x4206, 2],
    [Nr.ptrace, 0x4207, 2],
    [Nr.waitpid, 2, SCRATCH + 64, 0x4000_0000],
    // (Its `iovec` is all zeros.)
    [Nr.ptrace, 0x4205, 2, note, SCRATCH],
    [Nr.kill, 2, 9],
  ]
  const { wrong, kernel } = run({ files: { '/p': programOf(list) }, args: ['/p'], engine: 'interpreter', most: 5e6 })
  expect([wrong, kernel.counts.forks]).toEqual([[], 1])
})
