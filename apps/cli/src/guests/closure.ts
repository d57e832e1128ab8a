/** Packages with all that they depend on (Debian Policy Manual 7.2: Pre-Depends and Depends; recommendations stay behind). */
import { VmexitError } from '@vmexit/core'
import { type PackageRecord, parseRecords } from './control.ts'
import { localPackage, type PackageSpec, type PackageStore } from './packages.ts'
import type { Run } from './run.ts'
import { suite } from './sources.ts'

/** What is known of packages by name; undefined for a name that none has. */
type LookUp = (names: readonly string[]) => Promise<readonly (PackageRecord | undefined)[]>

/** A closure, and the groups of names of which none was found. */
export interface Closure {
  readonly records: readonly PackageRecord[]
  readonly missing: readonly (readonly string[])[]
}

/**
 * The named packages and what they need, in the order in which they were found. Of alternatives one that is there already, or
 * that one which is there provides, else the first that exists: who wants another one names it.
 */
export async function closureOf(names: readonly string[], lookUp: LookUp): Promise<Closure> {
  const found = new Map<string, PackageRecord>()
  const present = new Set<string>()
  const missing = new Map<string, readonly string[]>()
  let groups: (readonly string[])[] = names.map((name) => [name])
  while (groups.length > 0) {
    const level = await choose(groups, present, lookUp)
    for (const group of level.missing) missing.set(group.join(), group)
    for (const record of level.records) {
      found.set(record.name, record)
      for (const name of [record.name, ...record.provides]) present.add(name)
    }
    groups = level.records.flatMap(({ needs }) => needs)
  }
  return { records: [...found.values()], missing: [...missing.values()] }
}

/** One package for each group that nobody serves yet; what comes for one group serves the others too. */
async function choose(groups: readonly (readonly string[])[], present: ReadonlySet<string>, lookUp: LookUp) {
  const records = new Map<string, PackageRecord>()
  const missing: (readonly string[])[] = []
  const isServed = (group: readonly string[]): boolean => group.some((name) => present.has(name) || records.has(name))
  let open = groups.filter((group) => !isServed(group))
  for (let nth = 0; open.length > 0; nth++) {
    const names = [...new Set(open.flatMap((group) => group[nth] ?? []))]
    for (const record of await lookUp(names)) if (record !== undefined) records.set(record.name, record)
    const provided = new Set([...records.values()].flatMap(({ provides }) => provides))
    open = open.filter((group) => !isServed(group) && !group.some((name) => provided.has(name)))
    missing.push(...open.filter((group) => group.length === nth + 1))
    open = open.filter((group) => group.length > nth + 1)
  }
  return { records: [...records.values()], missing }
}

/**
 * What a system for i386 of these packages is made of. If the store's folder has all of it, that is taken; else the indices say
 * what the newest versions need. Throws `guests-packages` where something is missing.
 */
export async function systemPackages(
  store: PackageStore,
  run: Run,
  names: readonly string[],
  { refresh = false }: { refresh?: boolean } = {},
): Promise<{ readonly specs: PackageSpec[]; readonly complete: boolean }> {
  const here = await closureOf(names, (wanted) => Promise.all(wanted.map((name) => ofFile(store, run, name))))
  if (!refresh && here.missing.length === 0) return { specs: specsOf(here), complete: true }
  const apt = await store.apt()
  if (apt === undefined) throw missingPackages(store, here)
  let there: Closure = { records: [], missing: [] }
  const look = async (): Promise<boolean> => {
    there = await closureOf(names, async (wanted) => {
      const architectures = ['i386', store.host]
      const asked = wanted.flatMap((name) => architectures.map((architecture) => ({ name, architecture })))
      const records = await apt.records(asked)
      return wanted.map((_, index) => (records[2 * index] ?? [])[0] ?? ofAll(records[2 * index + 1]))
    })
    return there.missing.length === 0
  }
  await apt.update(look)
  if (!(await look())) throw missingPackages(store, there)
  return { specs: specsOf(there), complete: false }
}

const ofAll = (records: readonly PackageRecord[] = []) => records.find(({ architecture }) => architecture === 'all')

const specsOf = ({ records }: Closure): PackageSpec[] =>
  records.map(({ name, architecture }) => ({ name, architecture: architecture === 'all' ? 'all' : 'i386' }))

/** What a package file in the folder says of itself. */
async function ofFile(store: PackageStore, run: Run, name: string): Promise<PackageRecord | undefined> {
  const file = localPackage(store, { name, architecture: 'i386' }) ?? localPackage(store, { name, architecture: 'all' })
  if (file === undefined) return undefined
  const { code, stdout } = await run('dpkg-deb', ['-f', file.path])
  return code === 0 ? parseRecords(stdout)[0] : undefined
}

function missingPackages({ folder }: PackageStore, { missing }: Closure): VmexitError {
  const wanted = missing.map((group) => group.join(' or ')).join(', ')
  return new VmexitError('guests-packages', {
    problem: `packages of Debian ${suite} for i386, and what they need in turn, are neither here nor to be had: ${wanted}`,
    remedy: `check the network, or bring their files, with the names they have in Debian's archive, into ${folder}`,
  })
}
