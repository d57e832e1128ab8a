/**
 * `node tools/tests/src/main.ts node` runs the tests of every member, each from Nx's cache where nothing changed.
 * `node tools/tests/src/main.ts chromium` runs those of the packages that claim browsers, all in one Chromium.
 * Either prints what was skipped and, again, what failed, a line per member, and as its last line `N passed, N failed, N skipped`.
 * With `--require`, a missing Chromium is a failure instead of a message.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { workspaceMembers, workspaceRoot } from '@vmexit-tools/workspace'
import { findChromium } from './chromium.ts'
import { add, closingLine, failures, none, type Report, skippedTests, type Totals, totalsOf } from './totals.ts'

const node = join(workspaceRoot, 'node_modules/.bin')

/** Runs an installed command at the workspace root, its output passed through. True where it ended with 0. */
function run(command: string, args: readonly string[]): boolean {
  const { status } = spawnSync(join(node, command), args, { cwd: workspaceRoot, stdio: 'inherit', shell: isWindows })
  return status === 0
}
const isWindows = process.platform === 'win32'

/** Reads one report; a run that left none has failed. */
function read(name: string, path: string): Totals {
  if (!existsSync(path)) {
    console.log(`${name.padEnd(24)} left no report: it ended before its tests did`)
    return { ...none, failed: 1 }
  }
  const report = JSON.parse(readFileSync(path, 'utf8')) as Report
  const totals = totalsOf(report)
  if (totals.passed + totals.failed + totals.skipped > 0) console.log(`${name.padEnd(24)} ${closingLine(totals)}`)
  for (const line of failures(report)) console.log(line)
  for (const each of skippedTests(report)) console.log(`${''.padEnd(24)}   skipped: ${each}`)
  return totals
}

/** Prints the totals and gives the exit code. A run that ended badly has failed, whatever its reports say. */
function close(totals: Totals, ok: boolean): number {
  const { passed, failed, skipped } = totals
  console.log(closingLine({ passed, failed: ok ? failed : Math.max(failed, 1), skipped }))
  return ok && failed === 0 ? 0 : 1
}

function testInNode(): number {
  const tested = workspaceMembers().filter(({ manifest }) => manifest.scripts?.test)
  const reports = tested.map(({ folder, path }) => ({ folder, path: join(path, '.vitest/report.json') }))
  for (const { path } of reports) rmSync(path, { force: true })
  const ok = run('nx', ['run-many', '--target=test', '--outputStyle=static', '--nxBail=false'])
  console.log()
  return close(reports.map(({ folder, path }) => read(folder, path)).reduce(add, none), ok)
}

function testInChromium(required: boolean): number {
  if (!findChromium()) {
    const remedy = 'install the package `chromium` (Debian: apt-get install chromium) or set CHROMIUM to its path'
    console.log(`No Chromium on this machine: the browser tests are skipped. To run them, ${remedy}.`)
    return close(none, !required)
  }
  const report = join(workspaceRoot, '.vitest/chromium.json')
  rmSync(report, { force: true })
  const ok = run('vitest', ['run', '--config', 'vitest.chromium.config.ts'])
  console.log()
  return close(read('chromium', report), ok)
}

const [where, ...rest] = process.argv.slice(2)
if (where === 'node') process.exitCode = testInNode()
else if (where === 'chromium') process.exitCode = testInChromium(rest.includes('--require'))
else throw new Error(`"${where}" is no place to run tests in: say "node" or "chromium"`)
