/** Fetches packages and builds guests of them. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { VmexitError } from '@vmexit/core'
import { type Apt, createApt, hasApt } from './apt.ts'
import { defaultDirectory, type GuestRecord, readGuest, replaceGuest } from './cache.ts'
import { systemPackages } from './closure.ts'
import { uncompressDeb, unpackDeb } from './deb.ts'
import type { PackageArchives } from './debian-root.ts'
import { obtainPackages, type PackageFile, type PackageSpec, type PackageStore } from './packages.ts'
import { type GuestName, type Kitchen, recipes, withNeeds } from './recipes.ts'
import { type Run, runOnHost } from './run.ts'
import { toolsIn } from './tools.ts'

/** What is fetched, and where to. */
export interface FetchOptions {
  /** The cache; {@link defaultDirectory} unless stated. */
  readonly directory?: string
  /** Guests by name, with those they need; all if there are none. */
  readonly names?: readonly string[]
  /** Asks for newer packages and builds anew what is there. */
  readonly refresh?: boolean
  /** Told what is going on, a line at a time. */
  readonly progress?: (line: string) => void
  /** Told what did not go well, and does not stop us. */
  readonly warn?: (line: string) => void
  readonly signal?: AbortSignal
  /** The host's operating system in Node's words; a test gives another. */
  readonly platform?: NodeJS.Platform
  /** Runs programs; a test gives a fake. */
  readonly run?: Run
  /** Waits so many milliseconds; a test does not. */
  readonly pause?: (milliseconds: number) => Promise<void>
}

/** A guest in the cache, and whether it was made just now. */
export interface FetchedGuest extends GuestRecord {
  /** Its folder. */
  readonly directory: string
  readonly built: boolean
}

/**
 * Makes sure that guests are in the cache. Those that are, are left as they are, without any network.
 *
 * Throws `guests-unknown` for a name that is none, `guests-packages` where packages are missing (it says which ones to
 * bring, and where to), `guests-host` for what this system cannot make, `guests-indices` and `guests-keyring` where apt
 * gets no further, `guests-program` where a program fails; the signal's reason when aborted.
 */
export async function fetchGuests(options: FetchOptions = {}): Promise<FetchedGuest[]> {
  const directory = resolve(options.directory ?? defaultDirectory())
  const { refresh = false, signal, run = runOnHost } = options
  const names = buildable(withNeeds(options.names ?? []), options)
  const missing = refresh ? names : names.filter((name) => readGuest(directory, name) === undefined)
  const built = new Map<GuestName, GuestRecord>()
  const systems = new Map<GuestName, PackageFile[]>()
  if (missing.length > 0) {
    const store = await packageStore(directory, options)
    const specs = missing.flatMap((name) => recipes[name].packages)
    await obtainPackages(store, unique(specs), { refresh })
    for (const name of missing) systems.set(name, await obtainSystem(name, store, run, refresh))
    removeLeftovers(directory)
    const scratch = mkdtempSync(join(directory, '.building-'))
    try {
      for (const name of missing) {
        signal?.throwIfAborted()
        options.progress?.(`building ${name}`)
        const system = systems.get(name) ?? []
        built.set(name, await build(name, { directory, scratch, store, system, run, ...(signal && { signal }) }))
      }
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
  }
  return names.flatMap((name) => {
    const record = built.get(name) ?? readGuest(directory, name)
    return record === undefined ? [] : [{ ...record, directory: join(directory, name), built: built.has(name) }]
  })
}

/** The packages of a guest's system, all of one state of the archive. */
async function obtainSystem(name: GuestName, store: PackageStore, run: Run, refresh: boolean): Promise<PackageFile[]> {
  const { system } = recipes[name]
  if (system === undefined) return []
  const { specs, complete } = await systemPackages(store, run, system, { refresh })
  const files = await obtainPackages(store, specs, { refresh: !complete })
  return files.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Removes what runs that were killed left behind: working folders, hidden ones, of more than a day ago. */
function removeLeftovers(directory: string): void {
  for (const folder of [directory, join(directory, 'packages')]) {
    for (const name of readdirSync(folder).filter((one) => one.startsWith('.'))) {
      const path = join(folder, name)
      if (Date.now() - statSync(path).mtimeMs > 86_400_000) rmSync(path, { recursive: true, force: true })
    }
  }
}

/** Without those that only Linux can make, since programs of Debian make them; throws if they were asked for by name. */
function buildable(names: readonly GuestName[], { platform = process.platform, names: asked, warn }: FetchOptions) {
  if (platform === 'linux') return names
  const beyond = names.filter((name) => recipes[name].packages.some(({ architecture }) => architecture === 'host'))
  const problem = `${beyond.join(' and ')}: made by programs of Debian, which run on Linux alone`
  const remedy = 'make them there, and bring their folders'
  if (beyond.some((name) => asked?.includes(name))) throw new VmexitError('guests-host', { problem, remedy })
  warn?.(`${problem}; ${remedy}`)
  return names.filter((name) => !beyond.includes(name))
}

const unique = (specs: readonly PackageSpec[]): PackageSpec[] => [
  ...new Map(specs.map((spec) => [`${spec.name}:${spec.architecture}`, spec])).values(),
]

async function packageStore(directory: string, options: FetchOptions): Promise<PackageStore> {
  const { run = runOnHost, signal, progress = () => {}, warn = () => {} } = options
  const pause = options.pause ?? ((milliseconds: number) => sleep(milliseconds, undefined, signal && { signal }))
  const host = await hostArchitecture(run)
  let apt: Promise<Apt | undefined> | undefined
  const setUp = async () => {
    if (!(await hasApt(run))) return undefined
    return createApt({ directory: join(directory, 'apt'), host, run, progress, warn, pause, ...(signal && { signal }) })
  }
  return {
    folder: join(directory, 'packages'),
    host,
    warn,
    pause,
    apt() {
      apt ??= setUp()
      return apt
    },
  }
}

/** The host's architecture in Debian's words. */
async function hostArchitecture(run: Run): Promise<string> {
  const { code, stdout } = await run('dpkg', ['--print-architecture'])
  if (code === 0 && stdout.trim() !== '') return stdout.trim()
  return { x64: 'amd64', ia32: 'i386', arm: 'armhf' }[process.arch as string] ?? process.arch
}

interface Site {
  readonly directory: string
  readonly scratch: string
  readonly store: PackageStore
  readonly system: readonly PackageFile[]
  readonly run: Run
  readonly signal?: AbortSignal
}

async function build(name: GuestName, { directory, scratch, store, system, run, signal }: Site): Promise<GuestRecord> {
  const recipe = recipes[name]
  const files = await obtainPackages(store, recipe.packages)
  const found = (wanted: string): PackageFile => {
    const file = files[recipe.packages.findIndex((spec) => spec.name === wanted)]
    if (file === undefined) throw new Error(`the recipe of ${name} does not name ${wanted}`)
    return file
  }
  const unpacked = new Map<string, Promise<string>>()
  const site = join(scratch, name)
  mkdirSync(site)
  const ofNeeds = recipe.needs.flatMap((need) => readGuest(directory, need)?.packages ?? [])
  const own = [...files, ...system].map(({ name, version, architecture }) => ({ name, version, architecture }))
  const packages = [...ofNeeds, ...own]
  try {
    return await replaceGuest(directory, name, packages, async (into) => {
      const kitchen: Kitchen = {
        into,
        scratch: site,
        packageOf: found,
        ...(signal && { signal }),
        path: (guest, file) => join(directory, guest, file),
        unpacked(wanted) {
          const known = unpacked.get(wanted) ?? unpack(found(wanted), join(site, `package-${wanted}`))
          unpacked.set(wanted, known)
          return known
        },
        async system() {
          const archives: PackageArchives[] = []
          for (const { name: wanted, path } of system) {
            const names = { control: join(site, `${wanted}.control`), data: join(site, `${wanted}.data`) }
            await uncompressDeb(run, path, names, signal)
            archives.push(names)
          }
          return archives
        },
        async tools() {
          const root = join(site, 'tools')
          for (const [index, spec] of recipe.packages.entries()) {
            const file = files[index]
            if (spec.architecture === 'host' && file !== undefined) await unpack(file, root)
          }
          return toolsIn(root, run, signal)
        },
      }
      const unpack = async (file: PackageFile, root: string) => {
        await unpackDeb(run, file.path, root, signal)
        return root
      }
      await recipe.build(kitchen)
    })
  } finally {
    rmSync(site, { recursive: true, force: true })
  }
}
