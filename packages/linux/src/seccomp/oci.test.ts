/** Profiles as container engines write them, compiled and asked. */
import { describe, expect, it } from 'vitest'
import { Random } from '../random.ts'
import { isValidFilter, runFilter } from './bpf.ts'
import { ARCHITECTURE, SeccompAction } from './filter.ts'
import { compileSeccomp, type OciSeccomp } from './oci.ts'

const NUMBERS: Readonly<Record<string, number>> = { read: 3, write: 4, open: 5, close: 6, clone: 120, personality: 136 }
const numberOf = (name: string): number | undefined => NUMBERS[name]

function ask(profile: OciSeccomp, call: number, args: readonly (number | bigint)[] = [], arch = ARCHITECTURE): number {
  const program = compileSeccomp(profile, numberOf)
  expect(isValidFilter(program)).toBe(true)
  const data = new Uint32Array(16)
  data[0] = call
  data[1] = arch
  for (const [n, value] of args.entries()) {
    data[4 + n * 2] = Number(BigInt.asUintN(32, BigInt(value)))
    data[5 + n * 2] = Number(BigInt.asUintN(64, BigInt(value)) >> 32n)
  }
  return runFilter(program, data)
}

const ERRNO = (errno: number): number => SeccompAction.ERRNO | errno
const { ALLOW } = SeccompAction

describe('an OCI profile', () => {
  const profile: OciSeccomp = {
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: ['SCMP_ARCH_X86'],
    syscalls: [
      { names: ['read', 'write', 'no_such_call'], action: 'SCMP_ACT_ALLOW' },
      { names: ['open'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
      { names: ['close'], action: 'SCMP_ACT_KILL_PROCESS' },
      // As Docker's has it: no new namespaces, and two personalities.
      {
        names: ['clone'],
        action: 'SCMP_ACT_ALLOW',
        args: [{ index: 0, value: 0x7e02_0000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
      },
      { names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 0, op: 'SCMP_CMP_EQ' }] },
      { names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 8, op: 'SCMP_CMP_EQ' }] },
    ],
  }

  it.each([
    ['a call that is allowed', 3, [], ALLOW],
    ['the last of a row of equal ones', 4, [], ALLOW],
    ['a call that nothing is said of', 7, [], ERRNO(1)],
    ['one below all others', 0, [], ERRNO(1)],
    ['one above all others', 400, [], ERRNO(1)],
    ['a negative number', -1, [], ERRNO(1)],
    ['a call with an error of its own', 5, [], ERRNO(38)],
    ['a call that kills', 6, [], SeccompAction.KILL_PROCESS],
    ['arguments under a mask', 120, [0x0120_0011], ALLOW],
    ['arguments that the mask finds', 120, [0x2000_0011], ERRNO(1)],
    ['the first of two alternatives', 136, [0], ALLOW],
    ['the second one', 136, [8], ALLOW],
    ['neither', 136, [0xffff_ffff], ERRNO(1)],
  ] as const)('decides on %s', (_what, call, args, decision) => {
    expect(ask(profile, call, args)).toBe(decision)
  })

  it('ends a call of another architecture', () => {
    expect(ask(profile, 3, [], 0xc000_003e)).toBe(SeccompAction.KILL_THREAD)
  })

  it('compares arguments as numbers of 64 bits', () => {
    const random = new Random(5)
    const compare: Readonly<Record<string, (a: bigint, b: bigint, c: bigint) => boolean>> = {
      SCMP_CMP_NE: (a, b) => a !== b,
      SCMP_CMP_LT: (a, b) => a < b,
      SCMP_CMP_LE: (a, b) => a <= b,
      SCMP_CMP_EQ: (a, b) => a === b,
      SCMP_CMP_GE: (a, b) => a >= b,
      SCMP_CMP_GT: (a, b) => a > b,
      SCMP_CMP_MASKED_EQ: (a, b, c) => (a & b) === (c & b),
    }
    const small = (): bigint => (BigInt(random.next() % 3) << 32n) | BigInt(random.next() % 3)
    for (const [op, holds] of Object.entries(compare)) {
      for (let n = 0; n < 100; n++) {
        const [given, value, valueTwo] = [small(), small(), small()]
        const one: OciSeccomp = {
          defaultAction: 'SCMP_ACT_KILL',
          syscalls: [{ names: ['read'], action: 'SCMP_ACT_LOG', args: [{ index: 5, value, valueTwo, op }] }],
        }
        const decision = holds(given, value, valueTwo) ? SeccompAction.LOG : SeccompAction.KILL_THREAD
        expect([op, given, value, valueTwo, ask(one, 3, [0, 0, 0, 0, 0, given])]).toEqual([
          ...[op, given, value, valueTwo],
          decision,
        ])
      }
    }
  })

  it('has all conditions of a rule hold, and makes alternatives of those on one argument', () => {
    const both: OciSeccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [
        {
          names: ['read'],
          action: 'SCMP_ACT_TRAP',
          args: [
            { index: 0, value: 1, op: 'SCMP_CMP_EQ' },
            { index: 1, value: 2, op: 'SCMP_CMP_EQ' },
          ],
        },
        {
          names: ['write'],
          action: 'SCMP_ACT_TRAP',
          args: [
            { index: 0, value: 1, op: 'SCMP_CMP_EQ' },
            { index: 0, value: 2, op: 'SCMP_CMP_EQ' },
          ],
        },
      ],
    }
    expect([ask(both, 3, [1, 2]), ask(both, 3, [1, 3]), ask(both, 3, [0, 2])]).toEqual([
      SeccompAction.TRAP,
      ALLOW,
      ALLOW,
    ])
    expect([ask(both, 4, [1]), ask(both, 4, [2]), ask(both, 4, [3])]).toEqual([
      ...[SeccompAction.TRAP, SeccompAction.TRAP],
      ALLOW,
    ])
  })

  it.each([
    ['an unknown action', { defaultAction: 'SCMP_ACT_PLEASE' }],
    [
      'an unknown operator',
      {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['read'], action: 'SCMP_ACT_KILL', args: [{ index: 0, value: 0, op: 'EQ' }] }],
      },
    ],
    [
      'an argument that there is not',
      {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['read'], action: 'SCMP_ACT_KILL', args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] }],
      },
    ],
  ])('is refused for %s', (_what, profile) => {
    expect(() => compileSeccomp(profile, numberOf)).toThrow(expect.objectContaining({ code: 'seccomp-profile' }))
  })
})
