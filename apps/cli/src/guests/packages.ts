/** The package files of a cache: those that are there, and those that are fetched. */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { VmexitError } from '@vmexit/core'
import type { Apt } from './apt.ts'
import { type PackageRecord, parseDebName } from './control.ts'
import { suite } from './sources.ts'

/** A package that a guest is made of. */
export interface PackageSpec {
  /** Its name; that of a metapackage where `kernel` is set. */
  readonly name: string
  /** `host` is the architecture of the machine that builds: its programs are run. */
  readonly architecture: 'i386' | 'all' | 'host'
  /** The flavour of a kernel, `686` or `686-pae`: the package wanted is the image that the metapackage depends on. */
  readonly kernel?: string
}

/** A package file that is there. */
export interface PackageFile {
  readonly name: string
  readonly version: string
  readonly architecture: string
  /** Where it lies. */
  readonly path: string
}

/** What {@link obtainPackages} works with. */
export interface PackageStore {
  /** The folder of package files; made if it is not there. */
  readonly folder: string
  /** The architecture of the host in Debian's words. */
  readonly host: string
  /** Sets up apt when it is first needed; undefined where there is none. */
  readonly apt: () => Promise<Apt | undefined>
  readonly warn: (line: string) => void
  readonly pause: (milliseconds: number) => Promise<void>
}

/** Pauses between attempts at a package, in milliseconds; then an older version is tried. */
const pauses = [2_000, 5_000]

const newest = new Intl.Collator('en', { numeric: true })

/** The file in the folder for a package, the newest version if there are several. */
export function localPackage(store: PackageStore, spec: PackageSpec): PackageFile | undefined {
  return localPackages(store, spec)[0]
}

function localPackages({ folder, host }: PackageStore, spec: PackageSpec): PackageFile[] {
  if (!existsSync(folder)) return []
  const architecture = spec.architecture === 'host' ? host : spec.architecture
  const image = spec.kernel === undefined ? undefined : new RegExp(`^linux-image-\\d[\\d.]*-\\d+-${spec.kernel}$`)
  const fits = (name: string) => (image === undefined ? name === spec.name : image.test(name))
  return readdirSync(folder)
    .flatMap((file) => {
      const parts = parseDebName(file)
      return parts?.architecture === architecture && fits(parts.name) ? [{ ...parts, path: join(folder, file) }] : []
    })
    .sort((a, b) => newest.compare(b.name, a.name) || newest.compare(b.version, a.version))
}

/**
 * The files of the packages asked for, in order. Those in the folder are taken; the others come from apt, or all of
 * them with `refresh`, which also deletes the versions that a newer one replaces.
 *
 * Throws `guests-packages` with all that is missing, what to bring and where to put it.
 */
export async function obtainPackages(
  store: PackageStore,
  specs: readonly PackageSpec[],
  { refresh = false }: { refresh?: boolean } = {},
): Promise<PackageFile[]> {
  mkdirSync(store.folder, { recursive: true })
  const wanted = refresh ? specs : specs.filter((spec) => localPackage(store, spec) === undefined)
  const apt = wanted.length > 0 ? await store.apt() : undefined
  const failures = new Map<PackageSpec, string>()
  if (apt !== undefined) for (const [spec, said] of await fetchPackages(store, apt, wanted)) failures.set(spec, said)

  const missing = specs.filter((spec) => localPackage(store, spec) === undefined)
  if (missing.length > 0) throw missingPackages(store, missing, failures, apt !== undefined)
  return specs.map((spec) => {
    const found = localPackage(store, spec)
    if (found === undefined) throw missingPackages(store, [spec], failures, apt !== undefined)
    return found
  })
}

/** Fetches packages; gives those that did not come, with apt's words. */
async function fetchPackages(
  store: PackageStore,
  apt: Apt,
  specs: readonly PackageSpec[],
): Promise<Map<PackageSpec, string>> {
  let choices: PackageRecord[][] = []
  const look = async () => {
    choices = await versions(apt, specs, store.host)
    return choices.every((records) => records.length > 0)
  }
  await apt.update(look)
  await look()
  // All at once, and whatever does not come then by itself.
  const first = choices.flatMap((records) => records.slice(0, 1)).filter((record) => !have(store, record))
  await apt.download(first, store.folder)
  const failures = new Map<PackageSpec, string>()
  for (const [index, spec] of specs.entries()) {
    const said = await fetchOne(store, apt, spec, choices[index] ?? [])
    if (said !== undefined) failures.set(spec, said)
  }
  return failures
}

/** Fetches the newest version that comes; gives apt's words if none does. */
async function fetchOne(
  store: PackageStore,
  apt: Apt,
  spec: PackageSpec,
  records: readonly PackageRecord[],
): Promise<string | undefined> {
  let said: string | undefined = records.length === 0 ? 'the indices do not have it' : undefined
  for (const record of records) {
    for (let attempt = 0; attempt <= pauses.length; attempt++) {
      said = have(store, record) ? undefined : await apt.download([record], store.folder)
      if (said === undefined) {
        discardOthers(store, spec, record)
        return undefined
      }
      const wait = pauses[attempt]
      if (wait !== undefined) await store.pause(wait)
    }
    store.warn(`${record.name} ${record.version} could not be fetched (${said})`)
  }
  return said
}

const have = ({ folder }: PackageStore, { name, version, architecture }: PackageRecord) =>
  readdirSync(folder).some((file) => {
    const parts = parseDebName(file)
    return parts?.name === name && parts.version === version && parts.architecture === architecture
  })

function discardOthers(store: PackageStore, spec: PackageSpec, keep: PackageRecord): void {
  for (const { name, version, path } of localPackages(store, spec)) {
    if (name !== keep.name || version !== keep.version) rmSync(path, { force: true })
  }
}

/** The versions of each package: of a kernel those of the images that its metapackage's versions depend on. */
async function versions(apt: Apt, specs: readonly PackageSpec[], host: string): Promise<PackageRecord[][]> {
  const architecture = (spec: PackageSpec) => (spec.architecture === 'i386' ? 'i386' : host)
  const records = await apt.records(specs.map((spec) => ({ name: spec.name, architecture: architecture(spec) })))
  return Promise.all(
    records.map(async (found, index) => {
      const spec = specs[index]
      if (spec?.kernel === undefined) return found
      const images = found.flatMap(({ dependencies }) =>
        dependencies.filter(({ name }) => name.startsWith('linux-image-')).slice(0, 1),
      )
      const all = await apt.records(images.map(({ name }) => ({ name, architecture: architecture(spec) })))
      return all.flatMap((versions, at) => {
        const wanted = images[at]?.version
        return versions.filter(({ version }) => wanted === undefined || version === wanted)
      })
    }),
  )
}

function missingPackages(
  { folder, host }: PackageStore,
  specs: readonly PackageSpec[],
  failures: ReadonlyMap<PackageSpec, string>,
  apt: boolean,
): VmexitError {
  const lines = specs.map((spec) => {
    const architecture = spec.architecture === 'host' ? host : spec.architecture
    const file = spec.kernel === undefined ? spec.name : `linux-image-VERSION-${spec.kernel}`
    const where = `https://packages.debian.org/${suite}/${spec.name}`
    const said = failures.get(spec)
    return `  ${file}_*_${architecture}.deb  from ${where}${said === undefined ? '' : `  (${said})`}`
  })
  return new VmexitError('guests-packages', {
    problem: apt
      ? `packages of Debian ${suite} could not be fetched`
      : 'this system has no apt-get to fetch packages of Debian with',
    remedy: `bring these files, with the names they have in Debian's archive, into ${folder} (or the whole cache from a machine that has apt)\n${lines.join('\n')}`,
  })
}
