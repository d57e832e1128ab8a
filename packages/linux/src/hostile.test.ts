/** Programs that mean ill: wild arguments in every call, forks without end, files that are no programs. */
import type { Group } from '@vmexit/cgroup'
import { describe, expect, it } from 'vitest'
import { type Call, mapScratch, programOf, SCRATCH, SCRATCH_BYTES } from '../test/calls.ts'
import { run } from '../test/run.ts'
import { i386 } from './abi/i386/table.ts'
import { Random } from './random.ts'

const numbers = i386.rows.flatMap((row) => (row === undefined ? [] : [row.number]))
const FORKS = [2, 120, 190, 435]
const ENDS = [1, 252]
/** What waits for ever, or ends the program soon: pause, rt_sigsuspend, poll, alarm, setitimer. */
const SHORTENS = [29, 179, 168, 27, 104]

/** A word as a hostile program might give it. */
function word(random: Random): number {
  const kinds: readonly (() => number)[] = [
    () => 0,
    () => random.next() % 8,
    () => -(random.next() % 4096),
    () => random.next(),
    () => SCRATCH + (random.next() % SCRATCH_BYTES),
    () => SCRATCH + SCRATCH_BYTES - (random.next() % 16),
    () => SCRATCH + 4096 * (random.next() % 6),
    () => 0xbfff_f000 + (random.next() % 8192),
    () => 0xffff_f000,
    () => 1 << (random.next() % 32),
    () => 0x0804_8000 + (random.next() % 8192),
  ]
  return kinds[random.next() % kinds.length]!()
}

function calls(random: Random, count: number, from: readonly number[]): Call[] {
  return Array.from({ length: count }, () => [
    from[random.next() % from.length]!,
    ...Array.from({ length: 6 }, () => word(random)),
  ])
}

describe('hostile programs', () => {
  const tame = numbers.filter((number) => ![...FORKS, ...ENDS, ...SHORTENS].includes(number))

  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'leave the books in order, whatever they call (seed %i)',
    (seed) => {
      const random = new Random(seed)
      const program = programOf([mapScratch, ...calls(random, 400, tame)])
      const { wrong } = run({
        files: { '/p': program },
        args: ['/p'],
        engine: 'interpreter',
        most: 20e6,
        memory: '64 MiB',
      })
      expect(wrong).toEqual([])
    },
  )

  it.each([0, 1, 2, 3, 4, 5, 6, 7])(
    'cannot have more tasks or memory than their account, and give it all back (seed %i)',
    (seed) => {
      const random = new Random(1000 + seed)
      const some = [...tame, ...FORKS, ...FORKS, ...FORKS, ...FORKS, ...FORKS, ...FORKS]
      const program = programOf([mapScratch, ...calls(random, 150, some)])
      const { wrong, kernel } = run({
        files: { '/p': program },
        args: ['/p'],
        engine: 'interpreter',
        most: 20e6,
        memory: '64 MiB',
        cgroup: '/limited',
        prepare({ groups: { tree } }) {
          tree.write(tree.root, 'cgroup.subtree_control', '+memory +pids')
          const group = tree.mkdir(tree.root, 'limited') as Group
          tree.write(group, 'pids.max', '40')
          tree.write(group, 'memory.max', String(2000 * 4096))
        },
      })
      const { memory, pids } = kernel.groups.tree.lookup('/limited')!
      expect(wrong).toEqual([])
      const tasks = [...kernel.processes.values()].reduce((sum, proc) => sum + Math.max(1, proc.tasks.size), 0)
      expect(pids.counter.usage).toBe(tasks)
      expect(memory.usage).toBeLessThanOrEqual(2000 * 4096)
    },
  )

  it('get EFAULT for every address that they may not use, and nothing else happens', () => {
    // read, write, getcwd, pipe, stat64, getdents64, clock_gettime, uname with the address of the kernel's part.
    const bad = 0xc000_1000
    const wanted: Call[] = [
      [4, 1, bad, 5],
      [183, bad, 100],
      [42, bad],
      [195, bad, bad],
      [265, 0, bad],
      [122, bad],
      [11, bad],
      [5, bad],
    ]
    const answers: number[] = []
    const { kernel, wrong } = run({ files: { '/p': programOf([]) }, args: ['/p'], engine: 'reference' })
    expect(wrong).toEqual([])
    expect(kernel.processes.size).toBe(0)
    const second = run({
      files: { '/p': programOf(wanted) },
      args: ['/p'],
      engine: 'reference',
      observe: (_number, answer) => answers.push(answer ?? 0),
    })
    expect(answers.slice(0, -1)).toEqual(wanted.map(() => -14))
    expect(second.wrong).toEqual([])
  })

  it('that are no programs are refused, whichever byte is wrong', () => {
    const good = programOf([])
    const random = new Random(7)
    for (let n = 0; n < 150; n++) {
      const bytes = good.slice()
      for (let m = 0; m < 1 + (n % 3); m++) bytes[random.next() % 96] = random.next()
      const { wrong } = run({
        files: { '/p': bytes, '/good': programOf([[11, SCRATCH]]) },
        args: ['/good'],
        engine: 'reference',
      })
      expect(wrong).toEqual([])
      try {
        const { wrong: after } = run({ files: { '/p': bytes }, args: ['/p'], engine: 'reference', most: 1e5 })
        expect(after).toEqual([])
      } catch (error) {
        expect(error).toMatchObject({ code: 'exec-failed' })
      }
    }
  })
})
