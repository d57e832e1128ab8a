/** Sums vitest's JSON reports to the one line that closes a run. */

/** How many tests of a run ended how. A test file that could not be loaded counts as one failed test. */
export interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** The part of vitest's JSON report that is read here. */
export interface Report {
  readonly success: boolean
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly {
      readonly status: string
      readonly fullName: string
      readonly failureMessages?: readonly string[]
    }[]
  }[]
}

export const none: Totals = { passed: 0, failed: 0, skipped: 0 }

/** The totals of one report. A report that says "not successful" without naming a failure counts as one failed. */
export function totalsOf(report: Report): Totals {
  let { passed, failed, skipped } = none
  for (const file of report.testResults) {
    const failures = file.assertionResults.filter(({ status }) => status === 'failed').length
    failed += file.status === 'failed' ? Math.max(failures, 1) : failures
    passed += file.assertionResults.filter(({ status }) => status === 'passed').length
    skipped += file.assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed').length
  }
  return { passed, failed: report.success ? failed : Math.max(failed, 1), skipped }
}

/** The names of the tests that were skipped, so that a run says what it did not test. */
export function skippedTests(report: Report): string[] {
  return report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed').map(({ fullName }) => fullName),
  )
}

/** Lines of a failure's message that a run's end repeats: the assertion and the first frames of its stack. */
const repeatedLines = 12

/**
 * What failed, as lines that each begin with `failed: `: the file and the test, then the head of its message. A run
 * repeats them at its end, since what it printed when they failed is thousands of lines above.
 */
export function failures(report: Report): string[] {
  return report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed')
    const whole = status === 'failed' && failed.length === 0
    return [
      ...(whole ? described(name, message ?? 'the file could not be run') : []),
      ...failed.flatMap(({ fullName, failureMessages }) =>
        described(`${name} > ${fullName}`, (failureMessages ?? []).join('\n')),
      ),
    ]
  })
}

function described(what: string, message: string): string[] {
  const lines = message.split('\n').slice(0, repeatedLines)
  return [`failed: ${what}`, ...lines.filter((line) => line.trim() !== '').map((line) => `failed:   ${line}`)]
}

export function add(a: Totals, b: Totals): Totals {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }
}

/** The closing line of a run; `.ci/run` reads it. */
export function closingLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}
