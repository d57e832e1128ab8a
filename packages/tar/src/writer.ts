/** Writes archives: ustar headers, with pax records for what does not fit in them (POSIX.1-2017, pax). */
import { type ByteString, byteStringOf } from '@vmexit/vfs'
import type { TarEntry, TarType } from './entry.ts'
import { BLOCK, type Header, ID_BYTES, NAME_BYTES, SIZE_BYTES, writeHeader } from './header.ts'
import { largestOctal } from './numbers.ts'
import { attributeKey, type PaxRecord, writeRecords, writeTime } from './pax.ts'
import { writeLeadingMap } from './sparse.ts'

const FLAGS: Readonly<Record<TarType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
}
const LARGEST_ID = largestOctal(ID_BYTES)
const LARGEST_SIZE = largestOctal(SIZE_BYTES)

/** What ends an archive. */
export const END_OF_ARCHIVE: Uint8Array<ArrayBuffer> = new Uint8Array(2 * BLOCK)

/** An entry to be written; what is left out is 0, empty or none. */
export type TarEntryToWrite = Pick<TarEntry, 'type' | 'name' | 'mode'> & Partial<TarEntry>

/**
 * All that comes before an entry's data: of a sparse file, the pieces of `extents` one behind the other; of another the whole file. Behind the
 * data comes {@link paddingAfter} of its length. The same entry always gives the same bytes.
 */
export function encodeEntry(entry: TarEntryToWrite): Uint8Array<ArrayBuffer> {
  const { extents } = entry
  const map = extents && writeLeadingMap(extents, entry.size ?? 0)
  const stored = extents ? map!.length + extents.reduce((sum, { length }) => sum + length, 0) : (entry.size ?? 0)
  const records = recordsOf(entry, stored)
  const { modified = { seconds: 0, nanoseconds: 0 } } = entry
  const name = entry.type === 'directory' ? `${entry.name}/` : entry.name
  const header: Header = {
    name: name.slice(0, NAME_BYTES),
    mode: entry.mode & 0o7777,
    uid: within(entry.uid, LARGEST_ID),
    gid: within(entry.gid, LARGEST_ID),
    size: entry.type === 'file' ? within(stored, LARGEST_SIZE) : 0,
    seconds: within(modified.seconds, LARGEST_SIZE),
    flag: FLAGS[entry.type],
    target: (entry.target ?? '').slice(0, NAME_BYTES),
    userName: entry.userName ?? '',
    groupName: entry.groupName ?? '',
    major: within(entry.major, LARGEST_ID),
    minor: within(entry.minor, LARGEST_ID),
  }
  const parts = [writeHeader(header)]
  if (records.length > 0) {
    const bytes = writeRecords(records)
    const last = entry.name.slice(entry.name.lastIndexOf('/') + 1)
    const own = { ...header, name: `PaxHeaders/${last}`.slice(0, NAME_BYTES), mode: 0o644, flag: 'x', target: '' }
    parts.unshift(
      writeHeader({ ...own, uid: 0, gid: 0, seconds: 0, major: 0, minor: 0, size: bytes.length }),
      bytes,
      paddingAfter(bytes.length),
    )
  }
  if (map) parts.push(map)
  return joined(parts)
}

/** The zeros behind so many bytes of data. */
export function paddingAfter(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array((BLOCK - (bytes % BLOCK)) % BLOCK)
}

/** What a header has no room for. */
function recordsOf(entry: TarEntryToWrite, stored: number): PaxRecord[] {
  const records: PaxRecord[] = []
  const { extents, modified, accessed, target = '', uid = 0, gid = 0 } = entry
  const name = entry.type === 'directory' ? `${entry.name}/` : entry.name
  const isPlain = (text: ByteString): boolean => text.length <= NAME_BYTES && IS_ASCII.test(text)
  const names = [name, target, entry.userName ?? '', entry.groupName ?? '']
  if (!names.every(isUtf8)) records.push(['hdrcharset', 'BINARY'])
  if (extents) {
    records.push(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'], ['GNU.sparse.name', name])
    records.push(['GNU.sparse.realsize', String(entry.size ?? 0)])
  }
  if (!isPlain(name)) records.push(['path', name])
  if (!isPlain(target)) records.push(['linkpath', target])
  if (uid > LARGEST_ID) records.push(['uid', String(uid)])
  if (gid > LARGEST_ID) records.push(['gid', String(gid)])
  for (const [key, text] of [
    ['uname', entry.userName],
    ['gname', entry.groupName],
  ] as const)
    if (text !== undefined && (text.length > 31 || !IS_ASCII.test(text))) records.push([key, text])
  if (entry.type === 'file' && stored > LARGEST_SIZE) records.push(['size', String(stored)])
  if (modified && (modified.nanoseconds !== 0 || modified.seconds < 0 || modified.seconds > LARGEST_SIZE))
    records.push(['mtime', writeTime(modified)])
  if (accessed) records.push(['atime', writeTime(accessed)])
  // In order of their names: the same file gives the same bytes.
  for (const key of [...(entry.attributes?.keys() ?? [])].sort())
    records.push([attributeKey(key), byteStringOf(entry.attributes!.get(key)!)])
  return records
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII
const IS_ASCII = /^[\x01-\x7f]*$/

function isUtf8(text: ByteString): boolean {
  if (IS_ASCII.test(text)) return true
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(text, (each) => each.charCodeAt(0)))
    return true
  } catch {
    return false
  }
}

/** The number if the field holds it, else 0: a pax record has it then. */
function within(value = 0, largest: number): number {
  return value >= 0 && value <= largest ? value : 0
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
