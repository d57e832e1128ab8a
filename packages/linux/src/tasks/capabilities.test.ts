/** Capabilities, users and set-id programs: what a task has after each call, as Linux's rules say. */
import { describe, expect, it } from 'vitest'
import { type Call, mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { run } from '../../test/run.ts'
import type { LinuxKernel } from '../kernel.ts'
import { ALL_CAPABILITIES, Cap, type CapabilitySets, capabilitySet } from './capabilities.ts'
import type { Ids } from './credentials.ts'

const EPERM = -1
const EINVAL = -22
const SETUID = 213
const SETRESUID = 208
const SETREUID = 203
const SETFSUID = 215
const PRCTL = 172
const CAPSET = 185
const EXECVE = 11
const GETPID = 20
const SETHOSTNAME = 74
const CHROOT = 61

/** Bytes that a program finds at `SCRATCH`, put there by its first call. */
interface Options {
  readonly uid?: number
  readonly input?: Uint8Array
  readonly files?: Readonly<Record<string, Uint8Array>>
  readonly prepare?: (kernel: LinuxKernel) => void
}

/** What each call answered, and who the task was behind it. */
function trace(calls: readonly Call[], { uid, input, files = {}, prepare }: Options = {}) {
  const steps: { number: number; answer: number | undefined; ids: Ids }[] = []
  const read: Call[] = input === undefined ? [] : [[3, 0, SCRATCH, input.length]]
  const { wrong } = run({
    files: { '/p': programOf([mapScratch, ...read, ...calls]), ...files },
    args: ['/p'],
    engine: 'interpreter',
    memory: '64 MiB',
    ...(uid !== undefined && { uid }),
    ...(input !== undefined && { input }),
    ...(prepare !== undefined && { prepare }),
    observe: (number, answer, task) => steps.push({ number, answer, ids: task.ids }),
  })
  expect(wrong).toEqual([])
  return steps.slice(1 + read.length)
}
const answers = (calls: readonly Call[], options?: Options) =>
  trace(calls, options)
    .slice(0, calls.length)
    .map(({ answer }) => answer)

/** capset's header and data: effective, permitted, inheritable. */
function capsetInput(effective: bigint, permitted: bigint, inheritable = 0n): Uint8Array {
  const words = [0x2008_0522, 0]
  for (const shift of [0n, 32n])
    for (const set of [effective, permitted, inheritable]) words.push(Number((set >> shift) & 0xffff_ffffn))
  return new Uint8Array(Uint32Array.from(words).buffer)
}
const capset: Call = [CAPSET, SCRATCH, SCRATCH + 8]

/** Words of `security.capability`. */
function fileCapability(permitted: bigint, inheritable: bigint, isEffective: boolean): Uint8Array {
  const words = [0x0200_0000 | Number(isEffective)]
  for (const shift of [0n, 32n])
    for (const set of [permitted, inheritable]) words.push(Number((set >> shift) & 0xffff_ffffn))
  return new Uint8Array(Uint32Array.from(words).buffer)
}

/** A program `/q`, which does nothing, with an attribute, a mode and an owner. */
function withProgram(change: (kernel: LinuxKernel) => void): Pick<Options, 'files' | 'prepare'> {
  return { files: { '/q': programOf([[GETPID]]) }, prepare: change }
}
const PATH = new TextEncoder().encode('/q\0')
const exec: Call = [EXECVE, SCRATCH, 0, 0]
/** Who the task is once it runs `/q`. */
function afterExec(before: readonly Call[], options: Options): Ids | undefined {
  const steps = trace([...before, exec], { input: PATH, ...options })
  return steps.find(({ number }) => number === GETPID)?.ids
}

describe('a change of users', () => {
  it.each<[string, Call[], Partial<CapabilitySets>]>([
    ['to another one drops all', [[SETUID, 1000]], { permitted: 0n, effective: 0n }],
    [
      'of the effective one keeps what may be had again',
      [[SETRESUID, -1, 1000, -1]],
      { permitted: ALL_CAPABILITIES, effective: 0n },
    ],
    [
      'and back has it again',
      [
        [SETRESUID, -1, 1000, -1],
        [SETRESUID, -1, 0, -1],
      ],
      { permitted: ALL_CAPABILITIES, effective: ALL_CAPABILITIES },
    ],
    [
      'keeps them with PR_SET_KEEPCAPS',
      [
        [PRCTL, 8, 1],
        [SETUID, 1000],
      ],
      { permitted: ALL_CAPABILITIES, effective: 0n },
    ],
    [
      'changes nothing with SECBIT_NO_SETUID_FIXUP',
      [
        [PRCTL, 28, 4],
        [SETUID, 1000],
      ],
      { permitted: ALL_CAPABILITIES, effective: ALL_CAPABILITIES },
    ],
    [
      'of files alone takes those over files',
      [[SETFSUID, 1000]],
      { effective: ALL_CAPABILITIES & ~capabilitySet([0, 1, 2, 3, 4, 9, 27, 32]) },
    ],
  ])('%s', (_what, calls, caps) => {
    expect(trace(calls)[calls.length - 1]!.ids.caps).toMatchObject(caps)
  })

  it('is for those who are them already, or may', () => {
    expect(
      answers(
        [
          [SETUID, 0],
          [SETUID, 1000],
          [SETREUID, 5, -1],
          [SETRESUID, 1000, 1000, 0],
        ],
        { uid: 1000 },
      ),
    ).toEqual([...[EPERM, 0, EPERM, EPERM]])
    expect(
      answers([
        [SETUID, -1],
        [SETUID, 1000],
        [SETUID, 0],
      ]),
    ).toEqual([EINVAL, 0, EPERM])
  })
})

describe('the sets of a task', () => {
  const one = capabilitySet([Cap.SYS_CHROOT])

  it('are dropped, never to be had again, and each right is asked for by name', () => {
    const steps = trace([capset, [CHROOT, SCRATCH + 40], [SETHOSTNAME, SCRATCH, 1], capset], {
      input: Uint8Array.of(...capsetInput(one, one), ...new Uint8Array(8), 0x2f, 0),
    })
    expect(steps.slice(0, 3).map(({ answer }) => answer)).toEqual([0, 0, EPERM])
    expect(steps[0]!.ids.caps).toMatchObject({ permitted: one, effective: one })
  })

  it('cannot be added to', () => {
    expect(answers([capset], { uid: 1000, input: capsetInput(one, one) })).toEqual([EPERM])
    expect(answers([capset], { input: capsetInput(ALL_CAPABILITIES, one) })).toEqual([EPERM])
  })

  it('are bounded, and ambient ones must be permitted and inheritable', () => {
    const [dropped, raised, , raisedAgain, is] = trace(
      [
        [PRCTL, 24, Cap.SYS_ADMIN],
        [PRCTL, 47, 2, Cap.SYS_CHROOT, 0, 0],
        capset,
        [PRCTL, 47, 2, Cap.SYS_CHROOT, 0, 0],
        [PRCTL, 47, 1, Cap.SYS_CHROOT, 0, 0],
      ],
      { input: capsetInput(one, one, one) },
    )
    expect(dropped!.ids.caps.bounding).toBe(ALL_CAPABILITIES & ~capabilitySet([Cap.SYS_ADMIN]))
    expect([raised!.answer, raisedAgain!.answer, is!.answer]).toEqual([EPERM, 0, 1])
  })
})

describe('a program', () => {
  const chmod =
    (mode: number, uid = 0) =>
    ({ vfs, tree }: LinuxKernel) => {
      const task = vfs.newTask(tree)
      vfs.chown(task, null, '/q', uid, uid)
      vfs.chmod(task, null, '/q', mode)
      vfs.exit(task)
    }
  const capability =
    (permitted: bigint, inheritable: bigint, isEffective: boolean) =>
    ({ vfs, tree }: LinuxKernel) => {
      const task = vfs.newTask(tree)
      const place = vfs.lookup(task, null, '/q')
      if (typeof place === 'number') throw new Error(`${place}`)
      vfs.setxattr(task, place, 'security.capability', fileCapability(permitted, inheritable, isEffective))
      vfs.exit(task)
    }
  const one = capabilitySet([Cap.NET_RAW])

  it('of root has all, of a user nothing', () => {
    expect(
      afterExec(
        [],
        withProgram(() => {}),
      )!.caps.effective,
    ).toBe(ALL_CAPABILITIES)
    expect(afterExec([], { uid: 1000, ...withProgram(() => {}) })!.caps).toMatchObject({ permitted: 0n, effective: 0n })
  })

  it('with the set-user-id bit of root makes root of a user', () => {
    const ids = afterExec([], { uid: 1000, ...withProgram(chmod(0o4755)) })!
    expect(ids).toMatchObject({ uid: 1000, euid: 0, suid: 0, caps: { permitted: ALL_CAPABILITIES } })
  })

  it('with a capability of its own has that and no other', () => {
    const ids = afterExec([], { uid: 1000, ...withProgram(capability(one, 0n, true)) })!
    expect(ids).toMatchObject({ euid: 1000, caps: { permitted: one, effective: one } })
    const asleep = afterExec([], { uid: 1000, ...withProgram(capability(one, 0n, false)) })!
    expect(asleep.caps).toMatchObject({ permitted: one, effective: 0n })
  })

  it('is not executed where it would lack what it must have', () => {
    const calls: Call[] = [[PRCTL, 24, Cap.NET_RAW], [SETUID, 1000], exec]
    expect(answers(calls, { input: PATH, ...withProgram(capability(one, 0n, true)) })).toEqual([0, 0, EPERM])
  })

  it('gives no rights with PR_SET_NO_NEW_PRIVS', () => {
    for (const change of [chmod(0o4755), capability(one, 0n, true)]) {
      const ids = afterExec([[PRCTL, 38, 1, 0, 0, 0]], { uid: 1000, ...withProgram(change) })!
      expect(ids).toMatchObject({ euid: 1000, caps: { permitted: 0n, effective: 0n } })
    }
  })

  it('is not root by its user with SECBIT_NOROOT', () => {
    expect(
      afterExec(
        [[PRCTL, 28, 1]],
        withProgram(() => {}),
      )!.caps,
    ).toMatchObject({ permitted: 0n, effective: 0n })
  })

  it('inherits what is ambient', () => {
    const steps = trace(
      [capset, [PRCTL, 47, 2, Cap.NET_RAW, 0, 0], [PRCTL, 8, 1], [PRCTL, 28, 0x31], [EXECVE, SCRATCH + 32, 0, 0]],
      {
        input: Uint8Array.of(
          ...capsetInput(one | capabilitySet([Cap.SETPCAP]), one | capabilitySet([Cap.SETPCAP]), one),
          ...PATH,
        ),
        ...withProgram(() => {}),
      },
    )
    const ids = steps.find(({ number }) => number === GETPID)!.ids
    expect(ids.caps).toMatchObject({ permitted: one, effective: one, ambient: one })
  })
})
