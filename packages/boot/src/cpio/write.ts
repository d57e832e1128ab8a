/** Writing archives in cpio's "newc" format, which Linux unpacks as its initramfs. */
import { type CpioCommon, type CpioEntry, HEADER_BYTES, MAGIC, PATH_BYTES, refuse, TRAILER, TYPES } from './entry.ts'

/** One header with what follows it. */
interface Record {
  readonly path: string
  readonly inode: number
  readonly mode: number
  readonly common: CpioCommon
  readonly links: number
  readonly device: readonly [major: number, minor: number]
  readonly bytes: Uint8Array
}

const NOTHING = new Uint8Array(0)
const DEFAULT_MODES: { readonly [Kind in CpioEntry['kind']]?: number } = { directory: 0o755, symlink: 0o777 }
/** Archives are padded to this, as cpio does. */
const BLOCK = 512

/**
 * An archive of `entries`. The same entries give the same bytes: sorted by path, numbered in that order, times 0 unless
 * given. Directories that are missing above an entry are added, since Linux would leave the entry out.
 * @throws VmexitError `cpio-path`, `cpio-size`.
 */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const records = [...recordsOf(withParents(entries)), trailer()]
  const paths = records.map(({ path }) => new TextEncoder().encode(`${path}\0`))
  const sizes = records.map(({ bytes }, i) => up(HEADER_BYTES + paths[i]!.length, 4) + up(bytes.length, 4))
  const archive = new Uint8Array(
    up(
      sizes.reduce((sum, size) => sum + size, 0),
      BLOCK,
    ),
  )
  let at = 0
  for (const [i, record] of records.entries()) {
    const path = paths[i]!
    archive.set(new TextEncoder().encode(headerOf(record, path.length)), at)
    archive.set(path, at + HEADER_BYTES)
    archive.set(record.bytes, at + up(HEADER_BYTES + path.length, 4))
    at += sizes[i]!
  }
  return archive
}

/**
 * Several archives as one initrd, each compressed or not: what comes later lies over what came before. They are padded to
 * multiples of 4 bytes, as Linux expects.
 */
export function concatenateArchives(...archives: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(archives.reduce((sum, { length }) => sum + up(length, 4), 0))
  let at = 0
  for (const archive of archives) {
    whole.set(archive, at)
    at += up(archive.length, 4)
  }
  return whole
}

const up = (value: number, to: number): number => Math.ceil(value / to) * to

/** Checked, by path, with all directories above them. */
function withParents(entries: readonly CpioEntry[]): CpioEntry[] {
  const byPath = new Map<string, CpioEntry>()
  for (const entry of entries) {
    const path = checkPath(entry.path)
    if (byPath.has(path)) refuse('cpio-path', `${path} is there twice`, 'give each path once')
    byPath.set(path, { ...entry, path })
  }
  for (const path of [...byPath.keys()]) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const parent = path.slice(0, slash)
      const known = byPath.get(parent)
      if (known === undefined) byPath.set(parent, { kind: 'directory', path: parent })
      else if (known.kind !== 'directory') {
        refuse(
          'cpio-path',
          `${path} lies in ${parent}, which is no directory`,
          `make ${parent} a directory, or move it`,
        )
      }
    }
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

function checkPath(given: string): string {
  const path = given.replace(/^(\.?\/+)+/, '').replace(/\/+$/, '')
  const names = path.split('/')
  if (names.some((name) => name === '' || name === '.' || name === '..') || path.includes('\0') || path === TRAILER) {
    refuse('cpio-path', `'${given}' cannot be a path in an archive`, "give one like 'bin/sh'")
  }
  if (new TextEncoder().encode(path).length >= PATH_BYTES) {
    refuse('cpio-path', `a path of ${path.length} characters begins '${path.slice(0, 40)}'`, 'give shorter paths')
  }
  return path
}

/** Numbers inodes; of files with several names, the last one in the archive has the contents, as cpio expects. */
function recordsOf(entries: readonly CpioEntry[]): Record[] {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]))
  const names = new Map<CpioEntry, CpioEntry[]>()
  for (const entry of entries) {
    const file = entry.kind === 'link' ? linked(entry, byPath) : entry
    names.set(file, [...(names.get(file) ?? []), entry])
  }
  const inodes = new Map([...names.keys()].map((file, i) => [file, i + 1]))
  return entries.map((entry) => {
    const file = entry.kind === 'link' ? linked(entry, byPath) : entry
    const all = names.get(file)!
    return { ...recordOf(file, all.length, entry === all.at(-1)), path: entry.path, inode: inodes.get(file)! }
  })
}

function linked(entry: CpioEntry & { kind: 'link' }, byPath: ReadonlyMap<string, CpioEntry>): CpioEntry {
  const file = byPath.get(checkPath(entry.target))
  if (file?.kind === 'file') return file
  const what = file === undefined ? 'is not there' : `is a ${file.kind}`
  return refuse('cpio-path', `${entry.path} links to ${entry.target}, which ${what}`, 'link to a file of the archive')
}

function recordOf(entry: CpioEntry, names: number, last: boolean): Omit<Record, 'path' | 'inode'> {
  const kind = entry.kind === 'link' ? 'file' : entry.kind
  const permissions = entry.mode ?? DEFAULT_MODES[kind] ?? 0o644
  const bytes = entry.kind === 'file' ? entry.bytes : NOTHING
  return {
    mode: TYPES[kind] | (permissions & 0o7777),
    common: entry,
    links: kind === 'directory' ? 2 : names,
    device: entry.kind === 'character' || entry.kind === 'block' ? [entry.major, entry.minor] : [0, 0],
    bytes: entry.kind === 'symlink' ? new TextEncoder().encode(entry.target) : last ? bytes : NOTHING,
  }
}

function trailer(): Record {
  const common = { path: TRAILER }
  return { path: TRAILER, inode: 0, mode: 0, common, links: 1, device: [0, 0], bytes: NOTHING }
}

function headerOf({ path, inode, mode, common, links, device, bytes }: Record, pathBytes: number): string {
  const { uid = 0, gid = 0, mtime = 0 } = common
  const numbers = [inode, mode, uid, gid, links, mtime, bytes.length, 0, 0, ...device, pathBytes, 0]
  const digits = numbers.map((number) => {
    if (Number.isInteger(number) && number >= 0 && number < 2 ** 32) return number.toString(16).padStart(8, '0')
    return refuse('cpio-size', `${path} has a number that does not go into 32 bits: ${number}`, 'give a smaller one')
  })
  return MAGIC + digits.join('')
}
