/** Numbers, users, times and networks as programs of other namespaces are told them, call by call. */
import { Stat, toByteString } from '@vmexit/vfs'
import { describe, expect, it } from 'vitest'
import { type Call, mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { type RunOptions, run } from '../../test/run.ts'
import { createKernel } from '../kernel.ts'
import type { Task } from '../system.ts'

const [READ, WRITE, OPEN, FCHOWN, QUEUE_INFO, PAUSE, TIMER_CREATE, TIMER_SETTIME] = [
  3, 4, 5, 207, 178, 29, 259, 260,
] as const
const [FUTEX, SOCKETPAIR, GETSOCKOPT, FCNTL] = [240, 360, 365, 221] as const
const EINVAL = -22
const ETIMEDOUT = -110
const SECOND = 1e9

/** Runs calls behind the input, which lies at `SCRATCH`. What each answered, and when. */
function made(calls: readonly Call[], input: readonly number[], options: Partial<RunOptions>) {
  const answers: (number | undefined)[] = []
  const bytes = new Uint8Array(Int32Array.from(input).buffer)
  const begin: Call[] = bytes.length === 0 ? [mapScratch] : [mapScratch, [READ, 0, SCRATCH, bytes.length]]
  const result = run({
    files: { '/p': programOf([...begin, ...calls]), '/f': new Uint8Array(1) },
    ...{ args: ['/p'], input: bytes, engine: 'interpreter', memory: '64 MiB' },
    ...options,
    observe: (_number, answer) => answers.push(answer),
  })
  expect(result.wrong).toEqual([])
  return { ...result, answers: answers.slice(begin.length, begin.length + calls.length) }
}

/** Ids from 0 on are those from 100000 on outside. */
const mapped = ({ ids: { user } }: Task): void => {
  for (const map of [user.uids, user.gids]) map.extents = [{ inside: 0, outside: 100_000, count: 10 }]
}

describe('in other namespaces', () => {
  it('fchown gives a file to whom the number means there, and to nobody else', () => {
    const { answers, kernel } = made(
      [
        [OPEN, SCRATCH, 2],
        [FCHOWN, 3, 5, 6],
        [FCHOWN, 3, 20, 6],
      ],
      [0x662f, 0],
      {
        namespaces: ['user'],
        before: (task) => {
          mapped(task)
          const { vfs } = task.kernel
          vfs.chown(vfs.newTask(task.kernel.tree), null, toByteString('/f'), 100_000, 100_000, 0)
          task.ids = {
            ...task.ids,
            uid: 100_000,
            euid: 100_000,
            fsuid: 100_000,
            gid: 100_000,
            egid: 100_000,
            fsgid: 100_000,
          }
        },
      },
    )
    expect(answers).toEqual([3, 0, EINVAL])
    const stat = new Stat()
    kernel.vfs.stat(kernel.vfs.newTask(kernel.tree), null, toByteString('/f'), stat, 0)
    expect([stat.uid, stat.gid]).toEqual([100_005, 100_006])
  })

  it('SO_PEERCRED and F_GETOWN name a process by its number there', () => {
    const { output, answers } = made(
      [
        [SOCKETPAIR, 1, 1, 0, SCRATCH + 16],
        [GETSOCKOPT, 3, 1, 17, SCRATCH + 32, SCRATCH],
        [WRITE, 1, SCRATCH + 32, 12],
        [FCNTL, 3, 8, 1],
        [FCNTL, 3, 9],
      ],
      [12],
      {
        namespaces: ['pid', 'user'],
        before: (task) => mapped(task),
        prepare: (kernel) => void kernel.ns.pid.allocate(),
      },
    )
    expect(answers).toEqual([0, 0, 12, 0, 1])
    // (Root outside is nobody inside: 65534.)
    expect([...output].slice(0, 4).map((c) => c.charCodeAt(0))).toEqual([1, 0, 0, 0])
  })

  it('the first process is no other one by what rt_sigqueueinfo says of the sender', () => {
    const info = [0, 0, -1, 9999, 0, 0]
    const { status, answers } = made([[QUEUE_INFO, 1, 9, SCRATCH]], info, { namespaces: ['pid'] })
    expect([status, answers]).toEqual([0, [0]])
  })

  it.each<[string, readonly Call[], readonly (number | undefined)[]]>([
    ['a timer', [[TIMER_CREATE, 1, 0, SCRATCH + 64], [TIMER_SETTIME, 0, 1, SCRATCH, 0], [PAUSE]], [0, 0]],
    ['a futex', [[FUTEX, SCRATCH + 64, 9, 0, SCRATCH + 8, 0, -1]], [ETIMEDOUT]],
  ])('%s ends by the clock there', (_what, calls, expected) => {
    const { answers, kernel } = made(calls, [0, 0, 1002, 0], {
      namespaces: ['time'],
      before: ({ ns }) => {
        ns.time.monotonic = 1000 * SECOND
      },
    })
    expect(answers.slice(0, expected.length)).toEqual(expected)
    expect(kernel.now).toBeGreaterThanOrEqual(2 * SECOND)
    expect(kernel.now).toBeLessThan(2.01 * SECOND)
  })
})

it('the other end of a veth pair goes with the network that one end is in', () => {
  const kernel = createKernel()
  const { stack } = kernel.ns.net
  const other = kernel.network.separateNamespace(kernel.ns.user)
  other.enter()
  stack.addVeth({ name: 'out' }, other.stack, { name: 'in' })
  expect(other.stack.loopback.up).toBe(false)
  expect(stack.device('out')).toBeDefined()
  other.leave()
  expect(stack.device('out')).toBeUndefined()
})
