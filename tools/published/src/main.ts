/**
 * Packs every package as it would be published, and checks the packs: `publint` the manifest, `attw` that the types resolve as the code does,
 * and that each keeps to its budget. Then all are installed into an empty project, where plain Node loads every export, the READMEs' examples
 * run and have no type errors, and Vite makes a page of what claims browsers. The packages must have been built. Exit code 1 where a check
 * fails; then its words are printed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Member } from '@vmexit-tools/workspace'
import { budgetOf } from './budgets.ts'
import { bin, type Pack, packAll, run } from './pack.ts'
import { bundles, checkTypes, installProject, runExamples, writeExamples } from './project.ts'

/** The names by which a package's exports are imported. */
function specifiers({ manifest: { name, exports } }: Member): string[] {
  return Object.keys(exports as object)
    .filter((subpath) => !subpath.endsWith('.json'))
    .map((subpath) => name + subpath.slice(1))
}

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`

function isWithinBudget({ member: { manifest }, bytes }: Pack): boolean {
  const budget = budgetOf(manifest.name)
  if (bytes <= budget) return true
  console.log(
    `${manifest.name} is ${kilobytes(bytes)} packed, and may be ${kilobytes(budget)}: find out what has grown, or change tools/published/src/budgets.ts`,
  )
  return false
}

/** Runs checks, and says which have failed. */
async function checked(
  name: string,
  checks: Readonly<Record<string, () => boolean | Promise<boolean>>>,
): Promise<number> {
  const failed: string[] = []
  for (const [check, holds] of Object.entries(checks)) if (!(await holds())) failed.push(check)
  const outcome = failed.length === 0 ? Object.keys(checks).join(', ') : `FAILED ${failed.join(', ')}`
  console.log(`${name.padEnd(34)} ${outcome}`)
  return failed.length
}

const place = mkdtempSync(join(tmpdir(), 'vmexit-published-'))
let failures = 0
try {
  const all = packAll(join(place, 'packs'))
  const packs = all.filter((pack) => pack !== undefined)
  failures += all.length - packs.length
  const project = join(place, 'project')
  failures += await checked('an empty project', { install: () => installProject(project, packs) })
  for (const pack of packs) {
    const { member, file, bytes } = pack
    failures += await checked(`${member.manifest.name.padEnd(24)} ${kilobytes(bytes).padStart(9)}`, {
      size: () => isWithinBudget(pack),
      publint: () => run(join(bin, 'publint'), ['run', '--strict', file], place),
      attw: () => run(join(bin, 'attw'), ['--profile', 'esm-only', file], place),
      loads: () => {
        const imports = specifiers(member).map((name) => `await import('${name}')`)
        return run(process.execPath, ['--input-type=module', '--eval', imports.join('\n')], project)
      },
    })
  }
  const examples = writeExamples(project, packs)
  failures += await checked('the project', {
    [`${examples.size} examples run`]: async () => (await runExamples(project, examples)).length === 0,
    types: () => checkTypes(project, examples.values()),
    'a page by Vite': () => bundles(project, packs),
  })
} finally {
  rmSync(place, { recursive: true, force: true })
}
process.exitCode = failures > 0 ? 1 : 0
