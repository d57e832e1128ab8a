/** The rules of the house, applied to the sources of every member. */
import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import type { Member, SourceFile } from '@vmexit-tools/workspace'
import { cycles } from './cycles.ts'
import { floorOf, mayDepend } from './floors.ts'
import { type Import, type Reading, read, remedyFor } from './read.ts'

/** One breach of a rule: the place, what is wrong, and what to do about it. */
export interface Finding {
  readonly where: string
  readonly what: string
  readonly remedy: string
}

/** A member with its source files, as the rules see it. */
export interface House {
  readonly member: Member
  readonly files: readonly SourceFile[]
}

/** Names that every member's tests and tools may import, since the workspace root installs them. */
export type RootDependencies = ReadonlySet<string>

/** All breaches in all members. */
export function check(houses: readonly House[], root: RootDependencies): Finding[] {
  const members = new Map(houses.map(({ member }) => [member.manifest.name, member]))
  return [
    ...houses.flatMap(({ member }) => checkManifest(member, members)),
    ...houses.flatMap(({ member, files }) => checkFiles(member, files, members, root)),
    ...packageCycles(houses),
  ]
}

type Members = ReadonlyMap<string, Member>

/** A package stands in the table of floors, and depends only on floors below its own. */
function checkManifest(member: Member, members: Members): Finding[] {
  if (member.top !== 'packages') return []
  const { name, dependencies = {}, peerDependencies = {} } = member.manifest
  const where = `packages/${member.folder}/package.json`
  if (floorOf(name) === undefined) {
    return [{ where, what: `${name} stands on no floor`, remedy: 'give it one in tools/floors/src/floors.ts' }]
  }
  return Object.keys({ ...dependencies, ...peerDependencies })
    .filter((to) => members.has(to) && !mayDepend(name, to))
    .map((to) => ({ where, ...wrongFloor(name, to) }))
}

function wrongFloor(from: string, to: string): { what: string; remedy: string } {
  const floor = (name: string) => (floorOf(name) === undefined ? 'no floor' : `floor ${floorOf(name)}`)
  return {
    what: `${from} (${floor(from)}) depends on ${to} (${floor(to)})`,
    remedy: 'a package depends only on floors below its own: take what you need as a small interface of your own',
  }
}

/** What the files of a member import and use, and whether they import themselves around a corner. */
function checkFiles(member: Member, files: readonly SourceFile[], members: Members, root: RootDependencies): Finding[] {
  const readings = new Map(files.map((file) => [file.name, read(file.name, file.text)]))
  const findings: Finding[] = []
  for (const file of files) {
    const { imports, uses } = readings.get(file.name)!
    const place = `${member.top}/${member.folder}/${file.name}`
    for (const each of imports) {
      const wrong = checkImport(file, each, members, root)
      if (wrong) findings.push({ where: `${place}:${each.line}`, ...wrong })
    }
    if (member.top !== 'packages' || file.kind !== 'source' || isNodeAdapter(file.name)) continue
    for (const use of uses) {
      findings.push({ where: `${place}:${use.line}`, what: `${use.what} below apps`, remedy: remedyFor(use) })
    }
  }
  for (const group of cycles(fileGraph(readings))) {
    findings.push({
      where: `${member.top}/${member.folder}`,
      what: `these files import each other in a circle: ${group.join(', ')}`,
      remedy: 'move what they share into a file of its own',
    })
  }
  return findings
}

type Wrong = Omit<Finding, 'where'>

function checkImport(file: SourceFile, { specifier }: Import, members: Members, root: RootDependencies) {
  if (specifier.startsWith('.')) return checkRelative(file, specifier)
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) return checkBuiltin(file, specifier)
  return checkPackage(file, specifier, members, root)
}

function checkRelative(file: SourceFile, specifier: string): Wrong | undefined {
  const target = posix.join(posix.dirname(file.name), specifier)
  if (target.startsWith('..') && !isSuiteBelow(file, target)) {
    return { what: `"${specifier}" leaves the package's folder`, remedy: 'import other packages by their names' }
  }
  if (file.kind === 'source' && /\.(test|test-d)\.ts$/.test(target)) {
    return { what: `"${specifier}" is a test`, remedy: 'move what both need into a source file' }
  }
  return undefined
}

/** Suites are not published: a package's tests may run those of a package that it depends on, from that one's `test/`. */
function isSuiteBelow({ member, kind }: SourceFile, target: string): boolean {
  const [, folder] = target.match(/^\.\.\/([^/]+)\/test\//) ?? []
  const { dependencies = {} } = member.manifest
  return kind !== 'source' && member.top === 'packages' && folder !== undefined && `@vmexit/${folder}` in dependencies
}

/** Whether a source file belongs to the adapter export `./node`: `src/node.ts`, or anything in `src/node/`. */
function isNodeAdapter(name: string): boolean {
  return name === 'src/node.ts' || name.startsWith('src/node/')
}

function checkBuiltin(file: SourceFile, specifier: string): Wrong | undefined {
  if (file.member.top !== 'packages') return undefined
  if (file.kind === 'source') {
    if (isNodeAdapter(file.name)) return undefined
    return {
      what: `${specifier} below apps`,
      remedy: 'packages run in browsers too: put it behind an export `./node`, in src/node.ts or src/node/',
    }
  }
  const runsInBrowsers = file.member.manifest.vmexit?.browser && file.name.endsWith('.test.ts')
  if (!runsInBrowsers || file.name.endsWith('.node.test.ts')) return undefined
  return {
    what: `${specifier} in a test that also runs in Chromium`,
    remedy: 'name the file *.node.test.ts, or take it out',
  }
}

function checkPackage(file: SourceFile, specifier: string, members: Members, root: RootDependencies) {
  const name = specifier.match(/^(@[^/]+\/)?[^/]+/)![0]
  const { manifest, top } = file.member
  const target = members.get(name)
  if (target && !exportsSubpath(target, specifier.slice(name.length))) {
    return { what: `${name} does not export "${specifier}"`, remedy: 'import what its `exports` map names' }
  }
  if (name === manifest.name) return undefined
  const needed = { ...manifest.dependencies, ...manifest.peerDependencies }
  if (name in needed) return undefined // its floor was checked with the manifest
  const testing = file.kind === 'test' || top === 'tools'
  if (testing && (root.has(name) || name in { ...manifest.devDependencies })) return undefined
  return {
    what: `${name} is not a dependency of ${manifest.name}`,
    remedy: testing ? 'add it to devDependencies' : 'add it to dependencies, if its floor is below',
  }
}

function exportsSubpath({ manifest }: Member, subpath: string): boolean {
  const { exports } = manifest
  if (typeof exports !== 'object' || exports === null) return subpath === ''
  return `.${subpath}` in exports
}

function fileGraph(readings: ReadonlyMap<string, Reading>): Map<string, string[]> {
  const target = (from: string, specifier: string) => posix.join(posix.dirname(from), specifier)
  const edges = (name: string, { imports }: Reading) =>
    imports.filter(({ specifier }) => specifier.startsWith('.')).map(({ specifier }) => target(name, specifier))
  return new Map([...readings].map(([name, reading]) => [name, edges(name, reading)]))
}

/** Members that depend on each other in a circle, development dependencies included: Nx could not order their builds. */
function packageCycles(houses: readonly House[]): Finding[] {
  const graph = new Map(
    houses.map(({ member: { manifest } }) => [
      manifest.name,
      Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.devDependencies }),
    ]),
  )
  return cycles(graph).map((group) => ({
    where: 'package.json',
    what: `these packages depend on each other in a circle: ${group.join(', ')}`,
    remedy: 'move a test that needs a package above to that package, or to the conformance suites',
  }))
}
