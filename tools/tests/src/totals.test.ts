import { expect, test } from 'vitest'
import { add, closingLine, failures, none, type Report, skippedTests, totalsOf } from './totals.ts'

const file = (status: string, ...statuses: string[]): Report['testResults'][number] => ({
  name: '/w/a.test.ts',
  status,
  assertionResults: statuses.map((each, index) => ({ status: each, fullName: `test ${index}` })),
})

test('passed, failed and skipped tests are counted; todo and pending ones count as skipped', () => {
  const report = {
    success: false,
    testResults: [file('failed', 'passed', 'failed', 'skipped'), file('passed', 'todo', 'pending', 'passed')],
  }
  expect(totalsOf(report)).toEqual({ passed: 2, failed: 1, skipped: 3 })
  expect(skippedTests(report)).toEqual(['test 2', 'test 0', 'test 1'])
})

test('a file that could not be loaded is one failure, so that a broken import never looks like a green run', () => {
  expect(totalsOf({ success: false, testResults: [file('failed')] })).toEqual({ passed: 0, failed: 1, skipped: 0 })
})

test('a run that failed for another reason, such as an unhandled rejection, is one failure', () => {
  expect(totalsOf({ success: false, testResults: [file('passed', 'passed')] }).failed).toBe(1)
})

test('totals add up to the closing line', () => {
  const one = { passed: 1, failed: 2, skipped: 3 }
  expect(closingLine(add(add(none, one), one))).toBe('2 passed, 4 failed, 6 skipped')
})

test('what failed is told again with the head of its message, on lines that a script can pick out', () => {
  const report = {
    success: false,
    testResults: [
      {
        name: '/w/a.test.ts',
        status: 'failed',
        assertionResults: [
          { status: 'passed', fullName: 'holds' },
          {
            status: 'failed',
            fullName: 'adds up',
            failureMessages: [`Error: 1 is not 2\n\n${'    at x\n'.repeat(30)}`],
          },
        ],
      },
      { name: '/w/b.test.ts', status: 'failed', message: 'no such module', assertionResults: [] },
    ],
  }
  const lines = failures(report)
  expect(lines.slice(0, 2)).toEqual(['failed: /w/a.test.ts > adds up', 'failed:   Error: 1 is not 2'])
  expect(lines.slice(-2)).toEqual(['failed: /w/b.test.ts', 'failed:   no such module'])
  expect(lines.length).toBeLessThan(16)
  expect(failures({ success: true, testResults: [file('passed', 'passed', 'skipped')] })).toEqual([])
})
