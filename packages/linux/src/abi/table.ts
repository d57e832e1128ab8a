/**
 * Tables of system calls: one for each ABI. A row says a call's number, name and arguments, and who handles it; the
 * support page, strace's lines and the counts of what is missing come from it.
 */
import type { Task } from '../system.ts'

/** How an argument comes: one word, or two of which the second is the upper half; and what it is to the handler. */
export interface Decoder<T> {
  readonly words: 1 | 2
  /** What the handler gets; without, the word itself, signed. @throws BAD_ADDRESS. */
  decode?(task: Task, low: number, high: number): T
  /**
   * As strace shows it; `next` is the word behind it, often a length, and `answer` what the call gave, as far as it is known.
   * @throws BAD_ADDRESS.
   */
  show?(task: Task, low: number, high: number, next: number, answer: number): string
  /** It is something only when the call is over: what was read. */
  readonly isResult?: boolean
}
/** What handlers get for a list of decoders. */
export type Values<D extends readonly Decoder<unknown>[]> = {
  [K in keyof D]: D[K] extends Decoder<infer T> ? T : never
}

/** How well a call is supported: all of it, or what is missing. */
export type Support = 'full' | string

/** One call. */
export interface CallRow {
  readonly number: number
  readonly name: string
  readonly parameters: readonly Decoder<unknown>[]
  readonly support: Support
  /** Makes the call with raw arguments. Answers a value or one of `Answer`. @throws BAD_ADDRESS, PAGE_PENDING. */
  readonly run: (task: Task, a: number, b: number, c: number, d: number, e: number, f: number) => number
  /** As strace shows the result: hexadecimal where it is an address. */
  readonly givesAddress: boolean
  /** The call that it stands for, where its first argument says which. @throws BAD_ADDRESS. */
  readonly inside?: (task: Task, args: Int32Array) => { readonly row: CallRow; readonly args: Int32Array } | undefined
}

/** All calls of an ABI. */
export interface CallTable {
  readonly abi: string
  /** By number. */
  readonly rows: readonly (CallRow | undefined)[]
  /** Names of calls that there are on Linux and not here, by number. */
  readonly absent: ReadonlyMap<number, string>
  /** Where SYSENTER returns to, as an offset in the vDSO. */
  readonly sysenterReturn: number
}

type Raw = CallRow['run']

/** A row: `handler` gets the task and the decoded arguments. */
export function call<const D extends readonly Decoder<unknown>[]>(
  number: number,
  name: string,
  parameters: D,
  handler: (task: Task, ...values: Values<D>) => number,
  support: Support = 'full',
): CallRow {
  const run = compose(parameters, handler as never)
  return {
    number,
    name,
    parameters,
    support,
    run,
    givesAddress: name === 'mmap2' || name === 'mmap' || name === 'brk' || name === 'mremap',
  }
}

/** What decodes and then handles; plain words go through as they are. */
function compose(parameters: readonly Decoder<unknown>[], handler: (task: Task, ...values: unknown[]) => number): Raw {
  if (parameters.every(({ words, decode }) => words === 1 && decode === undefined)) return handler as Raw
  if (parameters.every(({ words }) => words === 1)) {
    const [p, q, r, s, t, u] = parameters.map(
      ({ decode }) => (decode ?? ((_task: Task, word: number) => word)) as (task: Task, word: number) => unknown,
    )
    if (!q) return (task, a) => handler(task, p!(task, a))
    if (!r) return (task, a, b) => handler(task, p!(task, a), q(task, b))
    if (!s) return (task, a, b, c) => handler(task, p!(task, a), q(task, b), r(task, c))
    if (!t) return (task, a, b, c, d) => handler(task, p!(task, a), q(task, b), r(task, c), s(task, d))
    if (!u) return (task, a, b, c, d, e) => handler(task, p!(task, a), q(task, b), r(task, c), s(task, d), t(task, e))
    return (task, a, b, c, d, e, f) =>
      handler(task, p!(task, a), q(task, b), r(task, c), s(task, d), t(task, e), u(task, f))
  }
  return (task, ...words) => {
    let at = 0
    const values = parameters.map((parameter) => {
      const low = words[at]!
      const high = parameter.words === 2 ? words[at + 1]! : 0
      at += parameter.words
      return parameter.decode ? parameter.decode(task, low, high) : low
    })
    return handler(task, ...values)
  }
}

/** Numbers of all calls of a table by name, of those too that Linux has besides. */
export function callNumbers({ rows, absent }: CallTable): ReadonlyMap<string, number> {
  const numbers = new Map([...absent].map(([number, name]) => [name, number]))
  for (const row of rows) if (row !== undefined) numbers.set(row.name, row.number)
  return numbers
}

/** A table of rows. */
export function tableOf(
  abi: string,
  rows: readonly CallRow[],
  names: readonly (readonly [number, string])[],
  sysenterReturn: number,
): CallTable {
  const byNumber: (CallRow | undefined)[] = []
  for (const row of rows) byNumber[row.number] = row
  return {
    abi,
    rows: byNumber,
    absent: new Map(names.filter(([number]) => byNumber[number] === undefined)),
    sysenterReturn,
  }
}
