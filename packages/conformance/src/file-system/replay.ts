/**
 * Replays traces of pjdfstest on any file system, through the layer of `@vmexit/vfs`. Inode numbers must agree up to
 * renaming, times by their order for each object, and times that were set exactly.
 */
import { type FileSystem, SettableTime, type TimeSource, Vfs } from '@vmexit/vfs'
import { ConformanceError, type ConformanceTest } from '../suite.ts'
import { prepare } from './preparations.ts'
import { openWithoutOtherEnd, type Printed, type PrintedField, Program, queries } from './replay-program.ts'
import type { TraceCall } from './trace.ts'

/** Makes a file system whose root is empty, belongs to root and may be entered by all, with a clock. */
export type FileSystemFactory = (time: TimeSource) => FileSystem

/** Artefacts of the 32-bit program that was traced: offsets and times beyond 31 bits. */
const leftOut: ReadonlySet<string> = new Set(['open/25.t', 'utimensat/09.t'])

/** When the replay begins; the suite sets times before and after it. */
const beginning = 1_790_000_000

/** Tests, one for each test file of a trace, that a file system does what the traced one did. */
export function pjdfstestConformance(calls: readonly TraceCall[], make: FileSystemFactory): readonly ConformanceTest[] {
  const files = new Map<string, TraceCall[]>()
  for (const call of calls) {
    if (leftOut.has(call.test)) continue
    const known = files.get(call.test)
    if (known === undefined) files.set(call.test, [call])
    else known.push(call)
  }
  return [...files].map(([file, ofFile]) => {
    const test = `pjdfstest: ${file}`
    const section = `pjdfstest, tests/${file}`
    return {
      name: test,
      section,
      run() {
        const mistake = replay(ofFile, make)
        if (mistake !== null) throw new ConformanceError({ test, section, ...mistake })
      },
    }
  })
}

interface Mistake {
  readonly guest: string
  readonly expected: unknown
  readonly actual: unknown
}

function replay(calls: readonly TraceCall[], make: FileSystemFactory): Mistake | null {
  const time = new SettableTime(beginning)
  const vfs = new Vfs({ time, hooks: { openSpecial: openWithoutOtherEnd } })
  const tree = vfs.newTree(make(time))
  const comparison = new Comparison(calls)
  for (const [number, call] of calls.entries()) {
    const task = vfs.newTask(tree)
    vfs.chdir(task, null, call.cwd)
    prepare(vfs, task, calls, number)
    const program = new Program(vfs, task, call)
    for (const [index, operation] of call.operations.entries()) {
      time.advance(1)
      const printed = program.run(operation)
      const expected = call.output[index]
      if (printed === undefined || expected === undefined) {
        if (printed === undefined && expected === undefined) break
        const actual = printed === undefined ? 'no such call' : text(printed)
        return { guest: `call ${number + 1} does more or less: ${operation.join(' ')}`, expected, actual }
      }
      const wrong = comparison.compare(expected, printed)
      if (wrong !== null) {
        const guest = `call ${number + 1} says something else (${wrong}): ${operation.join(' ')}`
        return { guest, expected, actual: text(printed) }
      }
      if (printed === '0' && !queries.has(operation[0])) comparison.changed()
    }
    program.exit()
    vfs.exit(task)
  }
  return null
}

function text(printed: Printed): string {
  return typeof printed === 'string' ? printed : printed.map(({ value }) => value).join(',')
}

/** A time that was printed: there and here, of which field, and after how many changes. */
interface SeenTime {
  readonly there: number
  readonly here: number
  readonly field: string
  readonly changes: number
}

/** Compares what is printed with what was. */
class Comparison {
  /** Inode numbers there and here, and here and there. */
  readonly #here = new Map<string, string>()
  readonly #there = new Map<string, string>()
  /** Times that were seen, by inode. */
  readonly #times = new Map<number, SeenTime[]>()
  /** Times that the calls set. */
  readonly #set: ReadonlySet<string>
  #changes = 0

  constructor(calls: readonly TraceCall[]) {
    const settings = calls.flatMap(({ operations }) => operations.filter(([name]) => name === 'utimensat'))
    this.#set = new Set(settings.flatMap((setting) => [setting[3]!, setting[5]!]))
  }

  /** A call has succeeded that may have changed something. */
  changed(): void {
    this.#changes++
  }

  /** What is wrong, or `null`. */
  compare(expected: string, printed: Printed): string | null {
    if (typeof printed === 'string') return expected === printed ? null : 'the answer'
    const values = expected.split(',')
    if (values.length !== printed.length) return 'the answer'
    for (const [index, field] of printed.entries()) if (!this.#agrees(values[index]!, field)) return field.field
    return null
  }

  #agrees(expected: string, { field, value, inode }: PrintedField): boolean {
    if (field === 'inode') {
      const [here, there] = [this.#here.get(expected) ?? value, this.#there.get(value) ?? expected]
      this.#here.set(expected, value)
      this.#there.set(value, expected)
      return here === value && there === expected
    }
    if (!/^[amc]time$/.test(field) || this.#set.has(expected)) return expected === value
    const seen = { there: Number(expected), here: Number(value), field, changes: this.#changes }
    const known = this.#times.get(inode) ?? []
    this.#times.set(inode, [...known, seen])
    return known.every((before) => sameOrder(before, seen))
  }
}

/**
 * Whether two times of an inode stand to each other as they did there. Those that were the same there are here, too, if
 * nothing has changed between them; otherwise the later one may have moved on, because here each call takes a second.
 */
function sameOrder(before: SeenTime, after: SeenTime): boolean {
  if (before.there !== after.there) return Math.sign(before.there - after.there) === Math.sign(before.here - after.here)
  if (before.changes === after.changes) return before.here === after.here
  return before.field !== after.field || before.here <= after.here
}
