/** clone(2), clone3(2), unshare(2), setns(2) and descriptors of processes, call by call: errors as Linux has them. */
import { describe, expect, it } from 'vitest'
import { type Call, mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { type RunOptions, run } from '../../test/run.ts'
import { CgroupFs } from '../cgroups/cgroup-fs.ts'
import type { LinuxKernel } from '../kernel.ts'
import type { Task } from '../system.ts'
import { Clone } from './clone-flags.ts'

const [CLONE, UNSHARE, SETNS, CLONE3, PIDFD_OPEN, PIDFD_SEND, WAITID] = [120, 310, 346, 435, 434, 424, 284] as const
const [FORK, WAIT, GETPID, GETPPID, OPEN, CLOCK_GETTIME, PAUSE] = [2, 114, 20, 64, 5, 265, 29] as const
const [EPERM, ESRCH, EBADF, ENOMEM, EACCES, EINVAL, ERANGE] = [-1, -3, -9, -12, -13, -22, -34]
const SIGCHLD = 17
const { VM, FS, SIGHAND, THREAD, PARENT, SYSVSEM, PIDFD, DETACHED, PARENT_SETTID } = Clone
const { NEWNS, NEWUSER, NEWPID, NEWIPC, NEWUTS, NEWNET, NEWCGROUP, NEWTIME } = Clone

interface Step {
  readonly number: number
  readonly answer: number | undefined
  readonly task: Task
}

function steps(calls: readonly Call[], options: Partial<RunOptions> & { text?: string } = {}): Step[] {
  const found: Step[] = []
  const { text = '', ...rest } = options
  const { wrong } = run({
    files: { '/p': programOf([mapScratch, [3, 0, SCRATCH, text.length], ...calls]) },
    args: ['/p'],
    engine: 'interpreter',
    memory: '64 MiB',
    most: 1e8,
    input: text,
    observe: (number, answer, task) => found.push({ number, answer, task }),
    ...rest,
  })
  expect(wrong).toEqual([])
  return found.slice(2)
}
const answers = (calls: readonly Call[], options?: Parameters<typeof steps>[1]) =>
  steps(calls, options).map(({ answer }) => answer)

describe('clone(2) and unshare(2)', () => {
  it.each<[string, number, number]>([
    ['handlers without memory', SIGHAND, EINVAL],
    ['a thread with handlers of its own', THREAD | VM, EINVAL],
    ['mounts of its own, and a root that is shared', NEWNS | FS, EINVAL],
    ['users of its own, and a root that is shared', NEWUSER | FS, EINVAL],
    ['IPC of its own, and semaphores that are shared', NEWIPC | SYSVSEM, EINVAL],
    ['a thread in another pid namespace', THREAD | SIGHAND | VM | NEWPID, EINVAL],
    ['a thread of other users', THREAD | SIGHAND | VM | NEWUSER, EINVAL],
    ['a descriptor where the number goes', PIDFD | PARENT_SETTID, EINVAL],
    ['a descriptor of what nobody knows', PIDFD | DETACHED, EINVAL],
  ])('refuses %s', (_what, flags, error) => {
    expect(answers([[CLONE, flags, SCRATCH + 4096, SCRATCH, 0, 0]])[0]).toBe(error)
  })

  it('are for administrators, but for users', () => {
    for (const flag of [NEWNS, NEWPID, NEWIPC, NEWUTS, NEWNET, NEWCGROUP, NEWTIME]) {
      expect(answers([[UNSHARE, flag]], { uid: 1000 })[0]).toBe(EPERM)
      expect(answers([[UNSHARE, flag | NEWUSER]], { uid: 1000 })[0]).toBe(0)
      expect(answers([[UNSHARE, flag]])[0]).toBe(0)
    }
    expect(
      answers([
        [UNSHARE, 0x1000],
        [UNSHARE, 0],
      ]),
    ).toEqual([EINVAL, 0, undefined])
  })

  it('give a child of a pid namespace number 1, and no parent that it could see', () => {
    const found = steps([[CLONE, NEWPID | SIGCHLD, 0, 0, 0, 0], [GETPID], [GETPPID]])
    expect(
      found
        .filter(({ number }) => number === GETPID)
        .map(({ answer }) => answer)
        .toSorted(),
    ).toEqual([1, 1])
    // (The parent is number 1 of the first one.)
    expect(found.filter(({ number }) => number === GETPPID).map(({ answer }) => answer)).toEqual([0, 0])
    const inner = found.find(({ task }) => task.ns.pid.parent !== null)!
    expect(inner.task.process.pid).toBe(2)
  })

  it('make no child where the first process of the namespace has ended', () => {
    const found = steps([[UNSHARE, NEWPID], [FORK], [WAIT, -1, 0, 0], [FORK]])
    expect(found.filter(({ number }) => number === FORK).map(({ answer }) => answer)).toEqual([2, 2, ENOMEM])
  })

  it('make no users in users without a map', () => {
    expect(
      answers([
        [UNSHARE, NEWUSER],
        [UNSHARE, NEWUSER],
      ]).slice(0, 2),
    ).toEqual([0, EPERM])
  })

  it('offset clocks of those that are born into a time namespace, until somebody is', () => {
    const path = '/proc/self/timens_offsets\0'
    const write = (text: string): Call => [4, 3, SCRATCH + path.length + lines.indexOf(text), text.length]
    const lines = 'monotonic 1000 5\nboottime 7 0\nmonotonic 1 9999999999\nrealtime 1 1\nboottime -99999999 0\n'
    const found = steps(
      [
        ...[[UNSHARE, NEWTIME], [OPEN, SCRATCH, 1, 0], write('monotonic 1000 5\nboottime 7 0\n')],
        ...[write('monotonic 1 9999999999\n'), write('realtime 1 1\n'), write('boottime -99999999 0\n')],
        ...[[CLOCK_GETTIME, 1, SCRATCH], [FORK], [WAIT, -1, 0, 0], write('boottime 7 0\n')],
      ] as Call[],
      { text: path + lines },
    )
    expect(found.slice(0, 6).map(({ answer }) => answer)).toEqual([0, 3, 30, EINVAL, EINVAL, ERANGE])
    const [parent, child] = [1, 2].map((pid) => found.findLast(({ task }) => task.process.pid === pid)!.task)
    expect([parent!.ns.time.monotonic, parent!.ns.timeForChildren.monotonic]).toEqual([0, 1000e9 + 5])
    expect([child!.ns.time.monotonic, child!.ns.time.boottime]).toEqual([1000e9 + 5, 7e9])
    expect(found.filter(({ number }) => number === 4).at(-1)!.answer).toBe(EACCES)
  })
})

describe('descriptors of processes', () => {
  it('are told by clone, wait for its end, and mean nobody else', () => {
    const found = steps([
      [CLONE, PIDFD | SIGCHLD, 0, SCRATCH, 0, 0],
      [WAITID, 3, 3, 0, 4],
    ])
    const parent = found.filter(({ task }) => task.process.pid === 1)
    expect(parent.map(({ answer }) => answer)).toEqual([2, 0, undefined])
  })

  it('are opened by number, and send signals', () => {
    expect(
      answers([
        ...[
          [PIDFD_OPEN, 1, 0],
          [PIDFD_OPEN, 9, 0],
          [PIDFD_OPEN, 0, 0],
          [PIDFD_OPEN, 1, 1],
        ],
        ...[
          [PIDFD_SEND, 3, 0, 0, 0],
          [PIDFD_SEND, 3, 99, 0, 0],
          [PIDFD_SEND, 0, 0, 0, 0],
          [PIDFD_SEND, 3, 9, 0, 0],
          [PAUSE],
        ],
      ] as Call[]),
    ).toEqual([3, ESRCH, EINVAL, EINVAL, 0, EINVAL, EBADF, 0])
  })

  it('take a task to namespaces of a process, those that it names', () => {
    expect(
      answers([
        ...[
          [PIDFD_OPEN, 1, 0],
          [SETNS, 3, 0],
          [SETNS, 3, NEWUTS],
          [SETNS, 3, NEWUSER],
          [SETNS, 3, 1],
          [SETNS, 9, 0],
        ],
        ...[
          [SETNS, 0, 0],
          [UNSHARE, NEWUTS | NEWPID],
          [SETNS, 3, NEWUTS | NEWNS | NEWPID],
        ],
      ] as Call[]).slice(0, 9),
    ).toEqual([3, EINVAL, 0, EINVAL, EINVAL, EBADF, EINVAL, 0, 0])
  })
})

describe('clone3(2)', () => {
  /** `struct clone_args` of 88 bytes at SCRATCH. */
  const request = (words: Readonly<Record<number, number>>): string => {
    const bytes = new Uint8Array(96)
    const view = new DataView(bytes.buffer)
    for (const [n, word] of Object.entries(words)) view.setUint32(Number(n) * 4, word, true)
    return String.fromCharCode(...bytes)
  }
  const [FLAGS, HIGH, EXIT_SIGNAL, SET_TID_SIZE, CGROUP] = [0, 1, 8, 18, 20] as const

  it.each<[string, Readonly<Record<number, number>>, number, number]>([
    ['a structure that is too short', {}, 32, EINVAL],
    ['more than is known', { 23: 1 }, 96, -7],
    ['a flag that is not known', { [HIGH]: 8 }, 88, EINVAL],
    ['CLONE_DETACHED', { [FLAGS]: DETACHED }, 88, EINVAL],
    ['numbers that are chosen', { [SET_TID_SIZE]: 1 }, 88, EINVAL],
    ['a signal that there is not', { [EXIT_SIGNAL]: 65 }, 88, EINVAL],
    ['a signal with a sibling', { [FLAGS]: PARENT, [EXIT_SIGNAL]: 17 }, 88, EINVAL],
    ['a group that is no directory', { [HIGH]: 2, [EXIT_SIGNAL]: 17, [CGROUP]: 0 }, 88, EBADF],
  ])('refuses %s', (_what, words, bytes, error) => {
    expect(answers([[CLONE3, SCRATCH, bytes]], { text: request(words) })[0]).toBe(error)
  })
})

it('gives a child its place behind what its parent has run: parents that end at once keep the CPU from nobody', () => {
  let [before, child] = [0, 0]
  steps([...Array.from({ length: 1000 }, (): Call => [GETPID]), [FORK]], {
    observe: (number, answer, task) => {
      if (number === GETPID) before = task.kernel.ticksOf(task)
      const [made] = task.process.children
      if (number === FORK && answer !== 0) child = made!.leader.thread.vruntime
    },
  })
  expect(before).toBeGreaterThan(10_000)
  expect(child).toBeGreaterThan(before)
})

it('has a child of another group begin with those there, whatever its parent has run', () => {
  const [OPEN, BUSY] = [5, 1000]
  const path = '/cg/g\0'
  const request = new Uint8Array(88)
  const view = new DataView(request.buffer)
  for (const [word, value] of [
    [1, 2],
    [8, SIGCHLD],
    [20, 3],
  ] as const)
    view.setUint32(word * 4, value, true)
  const prepare = (kernel: LinuxKernel): void => {
    const { vfs, groups } = kernel
    const { tree } = groups
    tree.write(tree.root, 'cgroup.subtree_control', '+cpu')
    tree.mkdir(tree.root, 'g')
    const task = vfs.newTask(kernel.tree)
    vfs.mkdir(task, null, '/cg', 0o755)
    vfs.mount(task, new CgroupFs(kernel, tree.root), '/cg')
    vfs.exit(task)
  }
  let [parent, child] = [0, 0]
  const calls = [
    [OPEN, SCRATCH, 0x1_0000],
    ...Array.from({ length: BUSY }, (): Call => [GETPID]),
    [CLONE3, SCRATCH + path.length, 88],
  ]
  steps(calls, {
    text: path + String.fromCharCode(...request),
    prepare,
    observe: (number, answer, task) => {
      const [made] = task.process.children
      if (number !== CLONE3 || answer === 0) return
      parent = task.thread.vruntime
      child = made!.leader.thread.vruntime
    },
  })
  expect(parent).toBeGreaterThan(10_000)
  expect(child).toBeLessThan(1000)
})
