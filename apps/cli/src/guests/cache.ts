/**
 * The cache of guests on this machine.
 *
 * ```
 * packages/   the package files, as fetched or brought
 * apt/        the indices
 * GUEST/      the guest's files, and guest.json: what they were made of
 * ```
 */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { type GuestName, guestFiles, guestNames, recipeVersion } from './recipes.ts'

/** A file of a guest. */
export interface GuestFile {
  readonly name: string
  readonly bytes: number
  /** SHA-256 in hexadecimal. */
  readonly sha256: string
}

/** What a guest was made of, and what came of it: the contents of its guest.json. */
export interface GuestRecord {
  readonly name: GuestName
  readonly recipe: number
  readonly packages: readonly { readonly name: string; readonly version: string; readonly architecture: string }[]
  readonly files: readonly GuestFile[]
}

/** The absolute paths of the guests that are in the cache, by guest and file: `guests['linux-686']?.kernel`. */
export type GuestPaths = {
  readonly [Name in GuestName]?: { readonly [File in keyof (typeof guestFiles)[Name]]: string }
}

/** Where the cache is unless a folder is given: `$XDG_CACHE_HOME/vmexit/guests`, or ~/.cache/vmexit/guests. */
export function defaultDirectory(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const base = env.XDG_CACHE_HOME
  // The XDG Base Directory Specification has relative paths ignored.
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), '.cache'), 'vmexit', 'guests')
}

/** The guests that are in the cache. Those that are not, or not whole, are left out. */
export function findGuests(directory: string = defaultDirectory()): GuestPaths {
  const found: Record<string, Record<string, string>> = {}
  for (const name of guestNames) {
    if (readGuest(directory, name) === undefined) continue
    const paths = Object.entries(guestFiles[name]).map(([file, path]) => [file, resolve(directory, name, path)])
    found[name] = Object.fromEntries(paths)
  }
  return found as GuestPaths
}

/** The archive of a guest's files, if the guest that was fetched is one that has them, and no file is called so. */
export function rootOfGuest(name: string): string | undefined {
  if (existsSync(name)) return undefined
  const { busybox, 'debian-root': debian } = findGuests()
  return { busybox: busybox?.initramfs, 'debian-root': debian?.root }[name]
}

/** What is known of a guest in the cache; undefined if it is not there, not whole, or made by an earlier recipe. */
export function readGuest(directory: string, name: GuestName): GuestRecord | undefined {
  let record: GuestRecord
  try {
    record = JSON.parse(readFileSync(join(directory, name, 'guest.json'), 'utf8'))
  } catch {
    return undefined
  }
  if (record?.recipe !== recipeVersion || !Array.isArray(record.files) || !Array.isArray(record.packages))
    return undefined
  const whole = Object.values(guestFiles[name]).every((file: string) => {
    const path = join(directory, name, file)
    const known = record.files.find((one) => one.name === file)
    return known !== undefined && existsSync(path) && statSync(path).size === known.bytes
  })
  return whole ? record : undefined
}

/**
 * Makes a guest's folder anew: `build` fills a folder beside it, which takes its place only when all went well. What
 * is given is kept in guest.json.
 */
export async function replaceGuest(
  directory: string,
  name: GuestName,
  packages: GuestRecord['packages'],
  build: (into: string) => Promise<void>,
): Promise<GuestRecord> {
  mkdirSync(directory, { recursive: true })
  const fresh = mkdtempSync(join(directory, `.${name}-`))
  try {
    chmodSync(fresh, 0o755)
    await build(fresh)
    const files = Object.values(guestFiles[name]).map((file: string): GuestFile => {
      const bytes = readFileSync(join(fresh, file))
      return { name: file, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
    })
    const record: GuestRecord = { name, recipe: recipeVersion, packages, files }
    writeFileSync(join(fresh, 'guest.json'), `${JSON.stringify(record, undefined, 2)}\n`)
    const old = `${fresh}.old`
    if (existsSync(join(directory, name))) renameSync(join(directory, name), old)
    renameSync(fresh, join(directory, name))
    rmSync(old, { recursive: true, force: true })
    return record
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}
