/** Suites: lists of named tests that run anywhere, and the error of one that fails. */
import { isVmexitError, VmexitError } from '@vmexit/core'
import { same, show } from './equal.ts'

/** One test of a suite. Hand it to the test runner of your choice: `for (const { name, run } of suite) test(name, run)`. */
export interface ConformanceTest {
  /** The suite, and what holds: `8259 pair: an edge is one interrupt`. */
  readonly name: string
  /** Where it is written that it must. */
  readonly section: string
  /** Makes a part and tries it. Throws a {@link ConformanceError} if it does not conform. */
  run(): void
}

/** What a {@link ConformanceError} says. */
export interface ConformanceFailure {
  /** The test's name. */
  readonly test: string
  /** What a guest would see go wrong, as a clause. */
  readonly guest: string
  /** Where the right behaviour is written down. */
  readonly section: string
  readonly expected?: unknown
  readonly actual?: unknown
  readonly cause?: unknown
}

/**
 * A part does not do what its kind does. `code` is `not-conforming`; `expected` and `actual` are there for test runners
 * that show differences.
 */
export class ConformanceError extends VmexitError<'not-conforming'> {
  override readonly name: string = 'ConformanceError'
  /** The test that failed. */
  readonly test: string
  /** Where the right behaviour is written down. */
  readonly section: string
  readonly expected: unknown
  readonly actual: unknown

  constructor({ test, guest, section, expected, actual, cause }: ConformanceFailure) {
    const values = cause === undefined ? ` (${show(actual)} instead of ${show(expected)})` : ''
    super('not-conforming', { problem: `${test}: ${guest}${values}`, remedy: `see ${section}`, cause })
    this.test = test
    this.section = section
    this.expected = expected
    this.actual = actual
  }
}

/** Compares what the part did with what it should; `guest` says what a guest would see go wrong. */
export type Expect = (actual: unknown, expected: unknown, guest: string) => void

/** A test as a suite writes it down. */
export interface TestDefinition<Subject> {
  /** What holds, as a clause. */
  readonly name: string
  /** Where it is written; the suite's manual unless stated. */
  readonly section?: string
  /** Tries a fresh subject. */
  run(subject: Subject, expect: Expect): void
}

/** What the tests of a suite have in common. */
export interface SuiteDefinition<Subject> {
  /** The kind of part. */
  readonly name: string
  /** The manual that says what it does. */
  readonly manual: string
  /** Makes a subject for one test. */
  readonly make: () => Subject
  readonly tests: readonly TestDefinition<Subject>[]
}

/** A suite for parts of a kind. Each test has a subject of its own; whatever one throws is told as a failure of it. */
export function defineSuite<Subject>(definition: SuiteDefinition<Subject>): readonly ConformanceTest[] {
  const { name: suite, manual, make, tests } = definition
  return tests.map(({ name, section, run }) => {
    const test = `${suite}: ${name}`
    const where = section === undefined ? manual : `${manual}, ${section}`
    const expect: Expect = (actual, expected, guest) => {
      if (same(actual, expected)) return
      throw new ConformanceError({ test, guest, section: where, expected, actual })
    }
    return {
      name: test,
      section: where,
      run() {
        try {
          run(make(), expect)
        } catch (error) {
          if (isVmexitError(error, 'not-conforming')) throw error
          const guest = `the part throws (${error}) where a guest sees a register`
          throw new ConformanceError({ test, guest, section: where, cause: error })
        }
      },
    }
  })
}
