/** Programs under filters: which calls are made, answered in their place, or the last ones. */
import { describe, expect, it } from 'vitest'
import { type Call, mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { run } from '../../test/run.ts'
import { i386 } from '../abi/i386/table.ts'
import { callNumbers } from '../abi/table.ts'
import { Bpf, type BpfInstruction } from './bpf.ts'
import { SeccompAction } from './filter.ts'
import { compileSeccomp } from './oci.ts'

const [GETPID, GETUID, UNAME, PRCTL, SECCOMP, EXECVE] = [20, 199, 122, 172, 354, 11]
const EACCES = -13
const EINVAL = -22

/** `struct sock_fprog` at SCRATCH, and its instructions behind it. */
function fprog(program: readonly BpfInstruction[]): Uint8Array {
  const bytes = new Uint8Array(8 + program.length * 8)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, program.length, true)
  view.setUint32(4, SCRATCH + 8, true)
  for (const [n, { code, jt, jf, k }] of program.entries()) {
    view.setUint16(8 + n * 8, code, true)
    bytes[10 + n * 8] = jt
    bytes[11 + n * 8] = jf
    view.setUint32(12 + n * 8, k, true)
  }
  return bytes
}

/** Answers one call so, and lets all others be. */
const only = (call: number, answer: number): BpfInstruction[] => [
  { code: Bpf.LD | Bpf.ABS, jt: 0, jf: 0, k: 0 },
  { code: Bpf.JMP | Bpf.JEQ, jt: 0, jf: 1, k: call },
  { code: Bpf.RET, jt: 0, jf: 0, k: answer },
  { code: Bpf.RET, jt: 0, jf: 0, k: SeccompAction.ALLOW },
]
const noNewPrivileges: Call = [PRCTL, 38, 1, 0, 0, 0]
const install: Call = [SECCOMP, 1, 0, SCRATCH]

function under(program: readonly BpfInstruction[], calls: readonly Call[], uid = 1000) {
  const input = fprog(program)
  const answers: (number | undefined)[] = []
  const { status, wrong } = run({
    files: { '/p': programOf([mapScratch, [3, 0, SCRATCH, input.length], ...calls]) },
    args: ['/p'],
    engine: 'interpreter',
    memory: '64 MiB',
    uid,
    input,
    observe: (_number, answer) => answers.push(answer),
  })
  expect(wrong).toEqual([])
  return { answers: answers.slice(2, 2 + calls.length), status }
}

describe('a program under a filter', () => {
  it('gets the filter’s error, and other calls are made', () => {
    const { answers, status } = under(only(GETPID, SeccompAction.ERRNO | 77), [
      noNewPrivileges,
      install,
      [GETPID],
      [GETUID],
    ])
    expect(answers).toEqual([0, 0, -77, 1000])
    expect(status).toBe(0)
  })

  it('is ended, the process by one action and the thread by another', () => {
    for (const action of [SeccompAction.KILL_PROCESS, SeccompAction.KILL_THREAD, SeccompAction.TRAP]) {
      const { answers, status } = under(only(GETPID, action), [noNewPrivileges, install, [GETPID], [GETUID]])
      expect(answers.slice(0, 2)).toEqual([0, 0])
      expect(answers).not.toContain(1000)
      expect(status).toBe(31)
    }
  })

  it('gets ENOSYS where a tracer or a listener would be asked', () => {
    for (const action of [SeccompAction.TRACE, SeccompAction.USER_NOTIF])
      expect(under(only(GETPID, action), [noNewPrivileges, install, [GETPID]]).answers[2]).toBe(-38)
  })

  it('must give up new privileges first, or be root', () => {
    expect(under(only(GETPID, 0), [install]).answers).toEqual([EACCES])
    expect(under(only(GETUID, SeccompAction.ERRNO | 9), [install, [GETUID]], 0).answers).toEqual([0, -9])
  })

  it('keeps what it has: filters are added, never taken', () => {
    const { answers } = under(only(GETPID, SeccompAction.ERRNO | 5), [
      ...[noNewPrivileges, install, install, [PRCTL, 22, 0, 0], [PRCTL, 22, 1, 0], [PRCTL, 21, 0], [GETPID]],
    ] as Call[])
    expect(answers).toEqual([0, 0, 0, EINVAL, EINVAL, 2, -5])
  })

  it('refuses what is no filter', () => {
    expect(under([{ code: 0x30, jt: 0, jf: 0, k: 0 }], [noNewPrivileges, install]).answers).toEqual([0, EINVAL])
    expect(
      under([], [noNewPrivileges, [SECCOMP, 1, 0, 0], [SECCOMP, 9, 0, 0], [SECCOMP, 1, 8, SCRATCH]]).answers,
    ).toEqual([...[0, -14, EINVAL, EINVAL]])
  })

  it('in strict mode reads, writes and ends', () => {
    const { answers, status } = under(only(0, 0), [[PRCTL, 22, 1], [4, 1, SCRATCH, 0], [GETPID]])
    expect(answers.slice(0, 2)).toEqual([0, 0])
    expect(status).toBe(9)
  })

  it('hands it to its children and to the programs that they become', () => {
    const input = new Uint8Array([...fprog(only(UNAME, SeccompAction.ERRNO | 42)), 0x2f, 0x71, 0])
    const answers: (readonly [number, number | undefined])[] = []
    run({
      files: {
        '/p': programOf([
          mapScratch,
          [3, 0, SCRATCH, input.length],
          noNewPrivileges,
          install,
          [2],
          [EXECVE, SCRATCH + input.length - 3, 0, 0],
        ]),
        '/q': programOf([mapScratch, [UNAME, SCRATCH]]),
      },
      args: ['/p'],
      engine: 'interpreter',
      memory: '64 MiB',
      uid: 1000,
      input,
      observe: (number, answer) => answers.push([number, answer]),
    })
    expect(answers.filter(([number]) => number === UNAME)).toEqual([
      [UNAME, -42],
      [UNAME, -42],
    ])
  })

  it('follows a profile of a container engine', () => {
    const numbers = callNumbers(i386)
    const names = ['read', 'exit_group', 'getuid32', 'prctl', 'mmap2']
    const program = compileSeccomp(
      {
        defaultAction: 'SCMP_ACT_ERRNO',
        defaultErrnoRet: 38,
        syscalls: [
          { names, action: 'SCMP_ACT_ALLOW' },
          { names: ['getpid'], action: 'SCMP_ACT_ERRNO', errnoRet: 13 },
        ],
      },
      (name) => numbers.get(name),
    )
    const { answers, status } = under(program, [noNewPrivileges, install, [GETUID], [GETPID], [UNAME, SCRATCH]])
    expect(answers).toEqual([0, 0, 1000, -13, -38])
    expect(status).toBe(0)
  })
})
