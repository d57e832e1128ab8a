/** System V IPC by its calls: what is kept, refused, waited for, and given back. */
import { describe, expect, it } from 'vitest'
import { type Call, mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { type RunOptions, run } from '../../test/run.ts'

const [FORK, NANOSLEEP] = [2, 162]
const [SEMGET, SEMCTL, SHMGET, SHMCTL, SHMAT, SHMDT, MSGGET, MSGSND, MSGRCV, MSGCTL, SEMOP] = [
  ...[393, 394, 395, 396, 397, 398, 399, 400, 401, 402, 420],
] as const
const UNSHARE = 310
const NEWIPC = 0x800_0000
const [CREAT, EXCL, NOWAIT] = [0o1000, 0o2000, 0o4000]
const [EPERM, ENOENT, EAGAIN, EACCES, EEXIST, EINVAL, ENOMSG, EIDRM] = [-1, -2, -11, -13, -17, -22, -42, -43]
const KEY = 77
const WHERE = 0x2000_0000

/** What calls answered, in order; a child's are among them. `input` lies at SCRATCH. */
function answers(calls: readonly Call[], input: readonly number[] = [], options: Partial<RunOptions> = {}) {
  const found: (number | undefined)[] = []
  const { wrong, kernel } = run({
    files: { '/p': programOf([mapScratch, [3, 0, SCRATCH, input.length], ...calls]) },
    args: ['/p'],
    engine: 'interpreter',
    memory: '64 MiB',
    most: 5e9,
    input: Uint8Array.from(input),
    observe: (_number, answer) => found.push(answer),
    ...options,
  })
  expect(wrong).toEqual([])
  return { found: found.slice(2), all: found, kernel }
}
/** `struct sembuf`. */
const operation = (semaphore: number, change: number, flags = 0): number[] => [
  ...[semaphore & 0xff, semaphore >> 8, change & 0xff, (change >> 8) & 0xff, flags & 0xff, flags >> 8],
]
/** `struct timespec`. */
const seconds = (count: number): number[] => [count, 0, 0, 0, 0, 0, 0, 0]

describe('shared memory', () => {
  it('keeps what was stored while nobody has it, and goes when it is removed', () => {
    const { found, kernel } = answers([
      ...[
        [SHMGET, KEY, 8192, CREAT | 0o600],
        [SHMAT, 0, WHERE, 0],
        [3, 0, WHERE, 4],
        [SHMDT, WHERE],
      ],
      ...[
        [SHMAT, 0, WHERE + 0x10000, 0],
        [4, 1, WHERE + 0x10000, 4],
        [SHMCTL, 0, 0],
        [SHMDT, WHERE + 0x10000],
      ],
      ...[
        [SHMAT, 0, 0, 0],
        [SHMDT, WHERE + 0x10000],
      ],
    ] as Call[])
    expect(found.slice(0, 10)).toEqual([0, WHERE, 0, 0, WHERE + 0x10000, 4, 0, 0, EINVAL, EINVAL])
    expect(kernel.frames.used).toBeLessThan(20)
  })

  it('is found by its key, with the rights that it has', () => {
    const calls: Call[] = [
      ...[
        [SHMGET, KEY, 4096, 0],
        [SHMGET, KEY, 4096, CREAT | 0o600],
        [SHMGET, KEY, 4096, CREAT | EXCL],
      ],
      ...[
        [SHMGET, KEY, 8192, 0],
        [SHMGET, KEY, 100, 0],
        [SHMGET, KEY, 0, 0],
        [213, 1000],
        [SHMGET, KEY, 0, 0o400],
      ],
      ...[
        [SHMAT, 0, 0, 0],
        [SHMCTL, 0, 0],
      ],
    ] as Call[]
    expect(answers(calls).found.slice(0, calls.length)).toEqual([
      ...[ENOENT, 0, EEXIST, EINVAL, 0, 0, 0, EACCES, EACCES, EPERM],
    ])
  })

  it('is another one in another namespace, and ends with that', () => {
    const calls: Call[] = [
      ...[
        [SHMGET, KEY, 4096, CREAT | 0o600],
        [UNSHARE, NEWIPC],
        [SHMGET, KEY, 4096, 0],
      ],
      ...[
        [SHMGET, KEY, 40960, CREAT],
        [SHMAT, 0, WHERE, 0],
        [3, 0, WHERE, 4096],
        [SHMDT, WHERE],
      ],
    ] as Call[]
    const { found, kernel } = answers(calls)
    expect(found.slice(0, 5)).toEqual([0, 0, ENOENT, 0, WHERE])
    // The first one is there still, without a page.
    expect(kernel.frames.used).toBeLessThan(10)
  })
})

describe('semaphores', () => {
  const take = [
    ...operation(0, -1),
    ...operation(0, 1),
    ...operation(0, 0),
    ...operation(0, -1, NOWAIT),
    ...operation(0, 1, 0x1000),
  ]

  it('make who takes what is not there wait, until somebody gives it', () => {
    const calls: Call[] = [
      ...[[SEMGET, KEY, 1, CREAT | 0o600], [FORK], [SEMOP, 0, SCRATCH + 18, 1, 0]],
      ...[
        [SEMOP, 0, SCRATCH + 6, 1, 0],
        [SEMOP, 0, SCRATCH, 1, 0],
        [SEMCTL, 0, 0, 12, 0],
      ],
    ] as Call[]
    const { found } = answers(calls, take)
    // Each of two: nothing there, gives one, takes one; in the end there is none.
    expect(found.filter((answer) => answer === EAGAIN).length).toBeGreaterThanOrEqual(1)
    expect(found.filter((answer) => answer === undefined).length).toBe(2)
  })

  it('end a wait after its time, by a signal, or with the set', () => {
    const timed: Call[] = [
      [SEMGET, KEY, 1, CREAT | 0o600],
      [SEMOP, 0, SCRATCH, 1, SCRATCH + 30],
    ]
    expect(answers(timed, [...take, ...seconds(1)]).found.slice(0, 2)).toEqual([0, EAGAIN])
    const removed: Call[] = [
      ...[[SEMGET, KEY, 1, CREAT | 0o600], [FORK], [NANOSLEEP, SCRATCH + 30, 0], [SEMCTL, 0, 0, 0, 0]],
    ] as Call[]
    const { found } = answers([...removed, [SEMOP, 0, SCRATCH, 1, 0]], [...take, ...seconds(1)])
    expect(found.filter((answer) => answer === EINVAL).length).toBe(3)
  })

  it('take back what a process did that has ended', () => {
    const calls: Call[] = [
      ...[
        [SEMGET, KEY, 1, CREAT | 0o600],
        [SEMOP, 0, SCRATCH + 24, 1, 0],
        [SEMCTL, 0, 0, 12, 0],
      ],
    ] as Call[]
    const { found, kernel } = answers(calls, take)
    expect(found.slice(0, 3)).toEqual([0, 0, 1])
    expect(kernel.processes.size).toBe(0)
  })

  it('are set and told together', () => {
    const calls: Call[] = [
      ...[
        [SEMGET, 0, 2, 0o600],
        [SEMCTL, 0, 0, 17, SCRATCH],
        [SEMCTL, 0, 1, 12, 0],
        [SEMCTL, 0, 1, 16, 40_000],
      ],
      ...[
        [SEMCTL, 0, 2, 12, 0],
        [SEMOP, 0, SCRATCH + 4, 2, 0],
        [SEMCTL, 0, 0, 12, 0],
        [SEMCTL, 0, 0, 99, 0],
      ],
    ] as Call[]
    const { found } = answers(calls, [5, 0, 6, 0, ...operation(0, -2), ...operation(1, -7, NOWAIT)])
    // (All operations or none.)
    expect(found.slice(0, 8)).toEqual([0, 0, 6, -34, EINVAL, EAGAIN, 5, EINVAL])
  })
})

describe('what semaphores take of the kernel', () => {
  const [UNDO, RMID, STAT] = [0x1000, 0, 18]
  const [ENOMEM, FULL] = [-12, 32_000]

  it('is a part of its memory at most, and comes back', () => {
    const make: Call = [SEMGET, 0, FULL, 0o600]
    const calls = [...Array<Call>(8).fill(make), [SEMCTL, 0, 0, RMID, 0], make, make]
    const { found } = answers(calls)
    // (2 MB each, of 64 MiB.)
    expect(found.slice(0, calls.length)).toEqual([0, 1, 2, 3, ENOMEM, ENOMEM, ENOMEM, ENOMEM, 0, 4, ENOMEM])
  })

  it('is paid for by who makes them, until they are removed or their namespace ends', () => {
    const calls: Call[] = [
      ...[
        [SEMGET, 0, 1000, 0o600],
        [SEMGET, 0, 1000, 0o600],
        [SEMOP, 0, SCRATCH, 2, 0],
        [SEMCTL, 0, 0, RMID, 0],
      ],
      ...[[NANOSLEEP, SCRATCH + 12, 0]],
    ] as Call[]
    const input = [...operation(3, 1, UNDO), ...operation(5, 2, UNDO), ...seconds(1)]
    const paid: number[] = []
    const { kernel } = answers(calls, input, {
      observe: (number, _answer, { process: proc }) => {
        if (number === SEMGET || number === SEMOP || number === SEMCTL) paid.push(proc.member.group.memory!.usage)
      },
    })
    const [one, two, undone, removed] = paid as [number, number, number, number]
    expect([two - one, undone - two, removed - undone]).toEqual([64_128, 128, -64_256])
    expect(kernel.processes.size).toBe(0)
  })

  it('is found by number as by index', () => {
    const calls: Call[] = [
      ...[
        [SEMGET, 0, 1, 0o600],
        [SEMCTL, 0, 0, STAT, SCRATCH],
        [SEMCTL, 32_768, 0, STAT, SCRATCH],
        [SEMCTL, 32_769, 0, STAT, SCRATCH],
      ],
    ] as Call[]
    expect(answers(calls).found.slice(0, 4)).toEqual([0, 0, 0, EINVAL])
  })
})

describe('messages', () => {
  const hello = [3, 0, 0, 0, 0x68, 0x69]

  it('come by type, whole', () => {
    const calls: Call[] = [
      ...[
        [MSGGET, KEY, CREAT | 0o600],
        [MSGSND, 0, SCRATCH, 2, 0],
        [MSGRCV, 0, SCRATCH + 64, 100, 4, NOWAIT],
      ],
      ...[
        [MSGRCV, 0, SCRATCH + 64, 1, 0, 0],
        [MSGRCV, 0, SCRATCH + 64, 100, -5, 0],
        [4, 1, SCRATCH + 68, 2],
      ],
      ...[
        [MSGRCV, 0, SCRATCH + 64, 100, 0, NOWAIT],
        [MSGSND, 0, SCRATCH + 64, 9000, 0],
        [MSGCTL, 0, 0, 0],
      ],
    ] as Call[]
    expect(answers(calls, hello).found.slice(0, 9)).toEqual([0, 0, ENOMSG, -7, 2, 2, ENOMSG, EINVAL, 0])
  })

  it('are waited for, and fill a queue up', () => {
    const calls: Call[] = [
      ...[[MSGGET, KEY, CREAT | 0o600], ...Array<Call>(2).fill([MSGSND, 0, SCRATCH, 8192, NOWAIT])],
      ...[
        [MSGSND, 0, SCRATCH, 1, NOWAIT],
        [MSGRCV, 0, SCRATCH, 8192, 0, 0],
        [MSGSND, 0, SCRATCH, 1, NOWAIT],
      ],
    ] as Call[]
    expect(answers(calls, hello).found.slice(0, 6)).toEqual([0, 0, 0, EAGAIN, 8192, 0])
  })

  it('wake who waits when their queue is gone', () => {
    const calls: Call[] = [[MSGGET, KEY, CREAT | 0o600], [FORK], [MSGRCV, 0, SCRATCH + 64, 10, 0, 0]]
    const { all, kernel } = answers(calls, hello, { most: 1e7 })
    expect(kernel.processes.size).toBe(2)
    for (const end of kernel.ns.ipc.onEnd) end()
    kernel.runToEnd(1e7)
    expect(all.filter((answer) => answer === EIDRM).length).toBe(2)
    expect(kernel.processes.size).toBe(0)
  })
})
