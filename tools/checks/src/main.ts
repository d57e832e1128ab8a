/**
 * Runs every check, or those named on the command line, one after the other; a failed one does not keep the others
 * from running. Prints what each took, what the failed ones said, and as its last line
 * `N passed, N failed, N skipped`, counting checks. Exit code 1 where one failed.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { workspaceRoot } from '@vmexit-tools/workspace'

/** One check: a command, run at the workspace root, that ends with 0 where all is well. */
interface Check {
  readonly name: string
  readonly command: readonly string[]
  /** A check that must have passed before, for this one to mean anything; naming this one runs that one too. */
  readonly after?: string
}

const tool = (name: string) => ['node', '--conditions=@vmexit/source', `tools/${name}/src/main.ts`]
const target = (name: string) => ['nx', 'run-many', `--target=${name}`, '--outputStyle=static']

/** In the order of running: the quickest first, so that a slip shows soon. */
const checks: readonly Check[] = [
  { name: 'lint', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { name: 'floors', command: tool('floors') },
  { name: 'package-map', command: [...tool('package-map'), '--check'] },
  { name: 'unused', command: ['knip', '--no-progress', '--no-config-hints'] },
  { name: 'build', command: target('build') },
  { name: 'types', command: target('typecheck') },
  { name: 'docs', command: ['typedoc', '--logLevel', 'Warn'], after: 'build' },
  { name: 'site', command: tool('site'), after: 'docs' },
  { name: 'published', command: tool('published'), after: 'build' },
]

const named = process.argv.slice(2)
const unknown = named.filter((name) => !checks.some((check) => check.name === name))
if (unknown.length > 0) {
  throw new Error(`No check "${unknown.join(', ')}": there are ${checks.map(({ name }) => name).join(', ')}`)
}

const wanted = new Set(named.length > 0 ? named : checks.map(({ name }) => name))
for (const { name, after } of checks) if (after && wanted.has(name)) wanted.add(after)

const passed = new Set<string>()
const failed = new Set<string>()
const skipped = new Set<string>()
for (const { name, command, after } of checks) {
  if (!wanted.has(name)) continue
  if (after && failed.has(after)) {
    console.log(`${name.padEnd(12)} skipped, since ${after} failed`)
    skipped.add(name)
    continue
  }
  const start = performance.now()
  const [file, ...args] = command
  const { status, stdout, stderr, error } = spawnSync(join(workspaceRoot, 'node_modules/.bin', file!), args, {
    cwd: workspaceRoot,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    shell: process.platform === 'win32',
  })
  const ok = status === 0
  ;(ok ? passed : failed).add(name)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${name.padEnd(12)} ${ok ? 'passed' : 'FAILED'} ${seconds.padStart(6)} s`)
  if (!ok) console.log(`${error ?? ''}${stdout}${stderr}`)
}

console.log(`${passed.size} passed, ${failed.size} failed, ${skipped.size} skipped`)
process.exitCode = failed.size > 0 ? 1 : 0
