/** Puts figures and numbers where the pages have places for them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { workspaceRoot } from '@vmexit-tools/workspace'
import { cpuShares, lookAround, overlayChanges, sharedLayers } from './containers.ts'
import { deviceAccesses } from './devices.ts'
import { pages, type Runs } from './pages.ts'
import { compareTechniques } from './techniques.ts'

const open = '<!-- numbers: written by tools/concepts -->'
const close = '<!-- /numbers -->'
export const folder: string = join(workspaceRoot, 'docs/concepts')

/** Runs all of it. */
export async function run(): Promise<Runs> {
  const { seen } = await lookAround()
  return {
    comparison: await compareTechniques(),
    accesses: await deviceAccesses(),
    seen,
    shares: [
      { title: 'two equals', labels: ['weight 100', 'weight 100'], seconds: cpuShares([100, 100]) },
      { title: 'one to three', labels: ['weight 100', 'weight 300'], seconds: cpuShares([100, 300]) },
      { title: 'a quota', labels: ['at most 20 %', 'weight 100'], seconds: cpuShares([100, 100], '20000 100000') },
    ],
    changes: overlayChanges(),
    kept: await sharedLayers(),
  }
}

/** Files below docs/concepts as they are to be, by name. @throws Error for a page without a place for its numbers. */
export function files(runs: Runs): Map<string, string> {
  const all = new Map<string, string>()
  for (const [name, { figure, numbers }] of Object.entries(pages)) {
    const page = `${name}.md`
    const text = readFileSync(join(folder, page), 'utf8')
    const [start, end] = [text.indexOf(open), text.indexOf(close)]
    if (start < 0 || end < start)
      throw new Error(`${page} has no place for its numbers: put ${open} and ${close} there`)
    all.set(page, `${text.slice(0, start + open.length)}\n${numbers(runs)}\n${text.slice(end)}`)
    all.set(`figures/${name}.svg`, figure(runs))
  }
  return all
}
