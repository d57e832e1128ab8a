/** Prints calls as strace(1) does: one line each when it is over, signals and ends between them. */
import type { CallRow, CallTable, Decoder } from './abi/table.ts'
import { nameOfErrno } from './errno.ts'
import { BAD_ADDRESS, PAGE_PENDING } from './memory/user-memory.ts'
import { errorMessages } from './messages.ts'
import { signalName } from './signals/set.ts'
import type { CallObserver, Task } from './system.ts'

const NO_ARGUMENTS = new Int32Array(6)

/** An observer of a kernel's calls that writes lines. */
export class Strace implements CallObserver {
  readonly #table: CallTable
  readonly #write: (line: string) => void
  /** Calls in progress: their rows, and their arguments as they were at the beginning. */
  readonly #begun = new Map<Task, { row: CallRow | undefined; args: Int32Array | undefined; shown: string[] }>()
  #first: number | undefined = undefined

  /** `write` gets lines without their ends. */
  constructor(table: CallTable, write: (line: string) => void) {
    this.#table = table
    this.#write = write
  }

  begin(task: Task, number: number, args: Int32Array): void {
    this.#first ??= task.process.pid
    const outer = this.#table.rows[number]
    const inner = outer === undefined ? undefined : insideOf(task, outer, args)
    const row = inner?.row ?? outer
    const shown = row === undefined ? [] : shownBefore(task, row, inner?.args ?? args)
    this.#begun.set(task, { row, args: inner?.args, shown })
  }

  end(task: Task, number: number, args: Int32Array, answer: number | undefined): void {
    const begun = this.#begun.get(task)
    if (begun === undefined) return
    this.#begun.delete(task)
    const { row, shown } = begun
    const name = row?.name ?? this.#table.absent.get(number) ?? `syscall_${number}`
    if (row !== undefined && answer !== undefined) showResults(task, row, begun.args ?? args, answer, shown)
    this.#line(task, `${`${name}(${shown.join(', ')})`.padEnd(39)} = ${resultOf(row, answer)}`)
  }

  signal(task: Task, signal: number): void {
    this.#line(task, `--- ${signalName(signal)} ---`)
  }

  exit(task: Task, status: number): void {
    // A call that ends the process is over with it.
    if (this.#begun.has(task)) this.end(task, task.call, NO_ARGUMENTS, undefined)
    const signal = status & 0x7f
    const how = signal === 0 ? `exited with ${(status >> 8) & 0xff}` : `killed by ${signalName(signal)}`
    this.#line(task, `+++ ${how} +++`)
  }

  #line(task: Task, text: string): void {
    this.#write(task.tid === this.#first ? text : `[pid ${task.tid}] ${text}`)
  }
}

/** The call that a call stands for; none where its arguments cannot be read. */
function insideOf(task: Task, row: CallRow, args: Int32Array): ReturnType<NonNullable<CallRow['inside']>> {
  try {
    return row.inside?.(task, args)
  } catch (reason) {
    if (reason === BAD_ADDRESS || reason === PAGE_PENDING) return undefined
    throw reason
  }
}

function shownBefore(task: Task, row: CallRow, args: Int32Array): string[] {
  return eachArgument(row, args, (parameter, low, high, next) =>
    parameter.isResult ? '' : show(task, parameter, low, high, next, -1),
  )
}

function showResults(task: Task, row: CallRow, args: Int32Array, answer: number, shown: string[]): void {
  const results = eachArgument(row, args, (parameter, low, high, next) =>
    parameter.isResult ? show(task, parameter, low, high, next, answer) : undefined,
  )
  for (const [n, result] of results.entries()) if (result !== undefined) shown[n] = result
}

function eachArgument<T>(
  row: CallRow,
  args: Int32Array,
  act: (parameter: Decoder<unknown>, low: number, high: number, next: number) => T,
): T[] {
  let at = 0
  return row.parameters.map((parameter) => {
    const low = args[at]!
    const high = args[at + 1] ?? 0
    at += parameter.words
    return act(parameter, low, high, args[at] ?? 0)
  })
}

function show(
  task: Task,
  parameter: Decoder<unknown>,
  low: number,
  high: number,
  next: number,
  answer: number,
): string {
  try {
    return parameter.show?.(task, low, high, next, answer) ?? String(low)
  } catch (reason) {
    if (reason === BAD_ADDRESS || reason === PAGE_PENDING) return `0x${(low >>> 0).toString(16)}`
    throw reason
  }
}

function resultOf(row: CallRow | undefined, answer: number | undefined): string {
  if (answer === undefined) return '?'
  if (answer >= 0 || answer < -4095) return row?.givesAddress ? `0x${(answer >>> 0).toString(16)}` : String(answer)
  const name = nameOfErrno(answer)
  const message = errorMessages.get(name)
  return `-1 ${name}${message === undefined ? '' : ` (${message})`}`
}
