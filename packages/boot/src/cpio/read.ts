/** Reading archives in cpio's "newc" format. */
import {
  type CpioEntry,
  HEADER_BYTES,
  MAGIC,
  MAGIC_WITH_CHECKSUMS,
  PATH_BYTES,
  refuse,
  TRAILER,
  TYPE_MASK,
  TYPES,
} from './entry.ts'

const AGAIN = 'give an uncompressed archive in newc format; if it should be one, get it again'

/** A header's numbers, by their place. */
const Number13 = {
  inode: 0,
  mode: 1,
  uid: 2,
  gid: 3,
  links: 4,
  mtime: 5,
  size: 6,
  major: 9,
  minor: 10,
  path: 11,
} as const

/**
 * The entries of an archive, or of several one behind the other, in their order. Of a file with several names, the one
 * that has the contents is the file, and the others are links to it.
 * @throws VmexitError `cpio-archive`.
 */
export function readCpio(archive: Uint8Array): CpioEntry[] {
  const entries: { entry: CpioEntry; inode: number; links: number }[] = []
  let first = 0
  for (let at = 0; ; ) {
    while (at % 4 !== 0 || archive[at] === 0) at++
    if (at >= archive.length) {
      if (entries.length > first) refuse('cpio-archive', 'the archive ends without its trailer', AGAIN)
      return entries.map(({ entry }) => entry)
    }
    const numbers = headerAt(archive, at)
    const path = textOf(part(archive, at + HEADER_BYTES, numbers[Number13.path]!, 'a path'))
    const start = up(at + HEADER_BYTES + numbers[Number13.path]!)
    const bytes = part(archive, start, numbers[Number13.size]!, path)
    at = up(start + bytes.length)
    if (path === TRAILER) {
      joinLinks(entries.slice(first), entries, first)
      first = entries.length
    } else {
      const [inode, links] = [numbers[Number13.inode]!, numbers[Number13.links]!]
      entries.push({ entry: entryOf(path, numbers, bytes), inode, links })
    }
  }
}

const up = (at: number): number => Math.ceil(at / 4) * 4

function headerAt(archive: Uint8Array, at: number): number[] {
  const text = String.fromCharCode(...part(archive, at, HEADER_BYTES, 'a header'))
  if (!text.startsWith(MAGIC) && !text.startsWith(MAGIC_WITH_CHECKSUMS)) {
    refuse('cpio-archive', `there is no entry of an archive at ${at}`, AGAIN)
  }
  if (!/^[\da-f]+$/i.test(text)) refuse('cpio-archive', `the header at ${at} is damaged`, AGAIN)
  return Array.from({ length: 13 }, (_, i) => Number.parseInt(text.slice(6 + i * 8, 14 + i * 8), 16))
}

function part(archive: Uint8Array, start: number, length: number, what: string): Uint8Array {
  if (start + length > archive.length) {
    const left = Math.max(0, archive.length - start)
    refuse('cpio-archive', `the archive ends within ${what}: ${left} of ${length} bytes are there`, AGAIN)
  }
  return archive.subarray(start, start + length)
}

/** A path ends with a zero, which is counted. */
function textOf(bytes: Uint8Array): string {
  if (bytes.length === 0 || bytes.length > PATH_BYTES || bytes.at(-1) !== 0) {
    refuse('cpio-archive', `a path of ${bytes.length} bytes is damaged`, AGAIN)
  }
  return new TextDecoder().decode(bytes.subarray(0, -1))
}

function entryOf(path: string, numbers: readonly number[], bytes: Uint8Array): CpioEntry {
  const mode = numbers[Number13.mode]!
  const common = {
    path,
    mode: mode & 0o7777,
    uid: numbers[Number13.uid]!,
    gid: numbers[Number13.gid]!,
    mtime: numbers[Number13.mtime]!,
  }
  switch (mode & TYPE_MASK) {
    case TYPES.file:
      return { ...common, kind: 'file', bytes }
    case TYPES.directory:
      return { ...common, kind: 'directory' }
    case TYPES.symlink:
      return { ...common, kind: 'symlink', target: new TextDecoder().decode(bytes) }
    case TYPES.fifo:
      return { ...common, kind: 'fifo' }
    case TYPES.socket:
      return { ...common, kind: 'socket' }
    case TYPES.character:
    case TYPES.block: {
      const kind = (mode & TYPE_MASK) === TYPES.block ? 'block' : 'character'
      return { ...common, kind, major: numbers[Number13.major]!, minor: numbers[Number13.minor]! }
    }
    default:
      return refuse('cpio-archive', `${path} is a file of unknown type ${mode.toString(8)}`, AGAIN)
  }
}

type Known = { entry: CpioEntry; inode: number; links: number }

/** Makes links of what shares an inode with a file within one archive. */
function joinLinks(archive: readonly Known[], entries: Known[], first: number): void {
  const files = new Map<number, CpioEntry>()
  for (const { entry, inode, links } of archive) {
    if (entry.kind !== 'file' || links < 2) continue
    if (!files.has(inode) || entry.bytes.length > 0) files.set(inode, entry)
  }
  for (const [i, known] of archive.entries()) {
    const file = files.get(known.inode)
    if (known.entry.kind !== 'file' || known.links < 2 || file === undefined || file === known.entry) continue
    const { path, mode, uid, gid, mtime } = known.entry
    const common = { mode: mode!, uid: uid!, gid: gid!, mtime: mtime! }
    entries[first + i] = { ...known, entry: { path, kind: 'link', target: file.path, ...common } }
  }
}
