/**
 * From `linux.seccomp` of an OCI runtime configuration (runtime-spec, config-linux.md, "Seccomp") to a filter in classic BPF, as
 * libseccomp and runc do it: conditions of a rule must all hold, rules are alternatives, names that the kernel does not
 * know are passed over.
 */
import { VmexitError } from '@vmexit/core'
import { Assembler, type Label } from './assembler.ts'
import { Bpf, type BpfInstruction, MOST_INSTRUCTIONS } from './bpf.ts'
import { ARCHITECTURE, SeccompAction } from './filter.ts'

/** `linux.seccomp`. Values of 64 bits may be bigints. */
export interface OciSeccomp {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly architectures?: readonly string[]
  readonly flags?: readonly string[]
  readonly syscalls?: readonly OciSyscall[]
}
/** A rule: calls, what they must look like, and what is done then. */
export interface OciSyscall {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  readonly args?: readonly OciArgument[]
}
/** A condition on an argument. */
export interface OciArgument {
  readonly index: number
  readonly value: number | bigint
  readonly valueTwo?: number | bigint
  readonly op: string
}

const ACTIONS: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: SeccompAction.KILL_THREAD,
  SCMP_ACT_KILL_THREAD: SeccompAction.KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: SeccompAction.KILL_PROCESS,
  SCMP_ACT_TRAP: SeccompAction.TRAP,
  SCMP_ACT_ERRNO: SeccompAction.ERRNO,
  SCMP_ACT_TRACE: SeccompAction.TRACE,
  SCMP_ACT_LOG: SeccompAction.LOG,
  SCMP_ACT_ALLOW: SeccompAction.ALLOW,
}
const WITH_DATA: readonly string[] = ['SCMP_ACT_ERRNO', 'SCMP_ACT_TRACE']
const EPERM = 1
/** Where words of `struct seccomp_data` are. */
const NUMBER_AT = 0
const ARCHITECTURE_AT = 4
const ARGUMENTS_AT = 16

function wrong(problem: string, remedy: string): VmexitError {
  return new VmexitError('seccomp-profile', { problem: `seccomp profile: ${problem}`, remedy })
}

function actionOf(name: string, errno: number | undefined): number {
  const action = ACTIONS[name]
  if (action === undefined)
    throw wrong(`the action ${name} is not known`, `use one of ${Object.keys(ACTIONS).join(', ')}`)
  return WITH_DATA.includes(name) ? (action | ((errno ?? EPERM) & 0xffff)) >>> 0 : action
}

/** Rules of one call: alternatives, then what is done where none fits. */
interface Rules {
  readonly conditional: { readonly conditions: readonly Condition[]; readonly action: number }[]
  otherwise: number | undefined
}
interface Condition {
  readonly index: number
  readonly op: string
  readonly value: bigint
  readonly second: bigint
}

const OPERATORS: readonly string[] = [
  ...['SCMP_CMP_NE', 'SCMP_CMP_LT', 'SCMP_CMP_LE', 'SCMP_CMP_EQ', 'SCMP_CMP_GE', 'SCMP_CMP_GT', 'SCMP_CMP_MASKED_EQ'],
]

function conditionOf({ index, value, valueTwo = 0, op }: OciArgument): Condition {
  if (!Number.isInteger(index) || index < 0 || index > 5)
    throw wrong(`a call has no argument ${index}`, 'give an index from 0 to 5')
  if (!OPERATORS.includes(op)) throw wrong(`the operator ${op} is not known`, `use one of ${OPERATORS.join(', ')}`)
  return { index, op, value: word64(value), second: word64(valueTwo) }
}

function word64(value: number | bigint): bigint {
  if (typeof value === 'number' && !Number.isInteger(value)) throw wrong(`${value} is no integer`, 'give whole numbers')
  return BigInt.asUintN(64, BigInt(value))
}

/** Alternatives of a rule: one, or where an argument is named more than once one for each condition, as runc does. */
function alternatives(args: readonly OciArgument[]): Condition[][] {
  const conditions = args.map(conditionOf)
  const isRepeated = new Set(conditions.map(({ index }) => index)).size < conditions.length
  return isRepeated ? conditions.map((condition) => [condition]) : [conditions]
}

/**
 * The filter. `numberOf` says which number a call has, and undefined for a name that there is not. Throws a `VmexitError`
 * `seccomp-profile` for what is no profile, or too long.
 */
export function compileSeccomp(
  profile: OciSeccomp,
  numberOf: (name: string) => number | undefined,
): readonly BpfInstruction[] {
  const standard = actionOf(profile.defaultAction, profile.defaultErrnoRet)
  const calls = new Map<number, Rules>()
  for (const { names, action: name, errnoRet, args = [] } of profile.syscalls ?? []) {
    const action = actionOf(name, errnoRet)
    for (const call of names) {
      const number = numberOf(call)
      if (number === undefined) continue
      const rules: Rules = calls.get(number) ?? { conditional: [], otherwise: undefined }
      if (args.length === 0) rules.otherwise ??= action
      else for (const conditions of alternatives(args)) rules.conditional.push({ conditions, action })
      calls.set(number, rules)
    }
  }
  const assembler = new Assembler()
  assembler.load(ARCHITECTURE_AT)
  const isKnown = assembler.label()
  assembler.jump(Bpf.JEQ, ARCHITECTURE, isKnown, undefined)
  assembler.answer(SeccompAction.KILL_THREAD)
  assembler.place(isKnown)
  assembler.load(NUMBER_AT)
  search(assembler, rangesOf(calls, standard))
  const program = assembler.program()
  if (program.length > MOST_INSTRUCTIONS)
    throw wrong(`it has ${program.length} instructions, more than ${MOST_INSTRUCTIONS}`, 'make it shorter')
  return program
}

/** Numbers from `start` to the next range's start, and what is done with them. */
interface Range {
  readonly start: number
  readonly rules: Rules | undefined
  readonly action: number
}

function rangesOf(calls: ReadonlyMap<number, Rules>, standard: number): Range[] {
  const ranges: Range[] = []
  const add = (start: number, rules: Rules | undefined, action: number): void => {
    const last = ranges.at(-1)
    if (last?.start === start) ranges.pop()
    const before = ranges.at(-1)
    if (rules === undefined && before !== undefined && before.rules === undefined && before.action === action) return
    ranges.push({ start, rules, action })
  }
  add(0, undefined, standard)
  for (const [number, rules] of [...calls].toSorted(([a], [b]) => a - b)) {
    add(number, rules.conditional.length > 0 ? rules : undefined, rules.otherwise ?? standard)
    add(number + 1, undefined, standard)
  }
  return ranges
}

/** Finds the range of the number in A by halves. */
function search(assembler: Assembler, ranges: readonly Range[]): void {
  const [only] = ranges
  if (ranges.length === 1) {
    for (const { conditions, action } of only!.rules?.conditional ?? []) {
      const next = assembler.label()
      for (const condition of conditions) test(assembler, condition, next)
      assembler.answer(action)
      assembler.place(next)
    }
    assembler.answer(only!.action)
    return
  }
  const half = ranges.length >> 1
  const upper = assembler.label()
  assembler.branch(Bpf.JGE, ranges[half]!.start, upper)
  search(assembler, ranges.slice(0, half))
  assembler.place(upper)
  search(assembler, ranges.slice(half))
}

/** Goes on where a condition holds, and to `next` where it does not. */
function test(assembler: Assembler, { index, op, value, second }: Condition, next: Label): void {
  const low = ARGUMENTS_AT + index * 8
  const words = (of: bigint): [number, number] => [Number(of & 0xffff_ffffn), Number(of >> 32n)]
  const [valueLow, valueHigh] = words(value)
  const holds = assembler.label()
  if (op === 'SCMP_CMP_MASKED_EQ') {
    const [wantedLow, wantedHigh] = words(second & value)
    for (const [at, mask, wanted] of [
      [low + 4, valueHigh, wantedHigh],
      [low, valueLow, wantedLow],
    ] as const) {
      assembler.load(at)
      assembler.and(mask)
      assembler.jump(Bpf.JEQ, wanted, undefined, next)
    }
    return
  }
  const [isNegated, base] = NEGATED[op] ?? [false, op]
  const [yes, no] = isNegated ? [next, holds] : [holds, next]
  assembler.load(low + 4)
  if (base === 'SCMP_CMP_EQ') assembler.jump(Bpf.JEQ, valueHigh, undefined, no)
  else {
    assembler.jump(Bpf.JGT, valueHigh, yes, undefined)
    assembler.jump(Bpf.JEQ, valueHigh, undefined, no)
  }
  assembler.load(low)
  const compare = base === 'SCMP_CMP_EQ' ? Bpf.JEQ : base === 'SCMP_CMP_GT' ? Bpf.JGT : Bpf.JGE
  assembler.jump(compare, valueLow, yes, no)
  assembler.place(holds)
}

const NEGATED: Readonly<Record<string, readonly [boolean, string]>> = {
  SCMP_CMP_NE: [true, 'SCMP_CMP_EQ'],
  SCMP_CMP_LT: [true, 'SCMP_CMP_GE'],
  SCMP_CMP_LE: [true, 'SCMP_CMP_GT'],
}
