/** Checks that the files beside a member's sources agree with its `package.json`. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Member } from '@vmexit-tools/workspace'
import { workspaceRoot } from '@vmexit-tools/workspace'
import ts from 'typescript'
import type { Finding } from './rules.ts'

/** The scripts that Nx runs and caches as targets. */
const targets = {
  packages: ['build', 'typecheck', 'test', 'lint'],
  apps: ['typecheck', 'lint'],
  tools: ['typecheck', 'lint'],
}

/**
 * A member has the targets of its kind; a package's project references are its workspace dependencies; and the root
 * `tsconfig.json` names every project, so that an editor finds it.
 */
export function checkShape(members: readonly Member[]): Finding[] {
  const names = new Map(members.map((member) => [member.manifest.name, member]))
  return [
    ...members.flatMap((member) => [...checkTargets(member), ...checkReferences(member, names)]),
    ...checkSolution(members),
  ]
}

function checkTargets({ top, folder, manifest }: Member): Finding[] {
  return targets[top]
    .filter((target) => !manifest.scripts?.[target])
    .map((target) => ({
      where: `${top}/${folder}/package.json`,
      what: `there is no script "${target}"`,
      remedy: `take it from another member of ${top}`,
    }))
}

/** The `references` of a configuration file, or undefined where the file is absent. */
function references(path: string): string[] | undefined {
  if (!existsSync(path)) return undefined
  const { config } = ts.readConfigFile(path, (name) => ts.sys.readFile(name))
  return (config?.references ?? []).map((reference: { path: string }) => reference.path).sort()
}

function checkReferences({ top, folder, path, manifest }: Member, names: ReadonlyMap<string, Member>): Finding[] {
  if (top !== 'packages') return []
  const where = `${top}/${folder}/tsconfig.json`
  const has = references(join(path, 'tsconfig.json'))
  if (!has) return [{ where, what: 'the file is missing', remedy: 'take it from another package' }]
  const wants = Object.keys(manifest.dependencies ?? {})
    .flatMap((name) => names.get(name) ?? [])
    .map((member) => `../${member.folder}`)
    .sort()
  if (has.join() === wants.join()) return []
  return [
    {
      where,
      what: `it references ${has.join(', ') || 'nothing'}; its package.json depends on ${wants.join(', ') || 'nothing'}`,
      remedy: 'name in `references` the folders of the workspace packages in `dependencies`, no more and no less',
    },
  ]
}

function checkSolution(members: readonly Member[]): Finding[] {
  const has = new Set(references(join(workspaceRoot, 'tsconfig.json')))
  return members
    .map(({ top, folder }) => `./${top}/${folder}${top === 'packages' ? '/tsconfig.test.json' : ''}`)
    .filter((path) => !has.has(path))
    .map((path) => ({ where: 'tsconfig.json', what: `it does not reference ${path}`, remedy: 'add it' }))
}
