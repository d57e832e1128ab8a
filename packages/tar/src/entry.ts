/** What a tar archive says of one file (POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header File Format"). */
import { VmexitError } from '@vmexit/core'
import type { ByteString } from '@vmexit/vfs'

/** What an entry is. A `hardlink` is a further name of an entry before it. */
export type TarType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo'

/** A time: whole seconds since 1970, negative before it, and 0 to 999,999,999 nanoseconds on top. */
export interface TarTime {
  readonly seconds: number
  readonly nanoseconds: number
}

/** A piece of a file's data: the rest are holes. */
export interface TarExtent {
  /** Where it is in the file. */
  readonly position: number
  readonly length: number
}

/** One entry. Names are byte strings: one character a byte. */
export interface TarEntry {
  readonly type: TarType
  /** As in the archive, without the slashes at the end. It may begin with `/` or `./` and hold `..`: who unpacks it looks. */
  readonly name: ByteString
  /** Permission bits, with set-id and sticky bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Names of the owner; empty where the archive has none. */
  readonly userName: ByteString
  readonly groupName: ByteString
  readonly modified: TarTime
  readonly accessed?: TarTime | undefined
  /** Bytes of a regular file, holes included; else 0. */
  readonly size: number
  /** Target of a link; of a hard link the name of an entry before. */
  readonly target: ByteString
  /** Of devices. */
  readonly major: number
  readonly minor: number
  /** Extended attributes. */
  readonly attributes: ReadonlyMap<ByteString, Uint8Array>
  /** Where the data of a sparse file is, in order; undefined where all of it is there. */
  readonly extents?: readonly TarExtent[] | undefined
}

/** Archives are read from outside: all that is wrong with one is this error. */
export type TarError = VmexitError<'tar-damaged' | 'tar-truncated' | 'tar-unsupported'>

/** `tar-damaged`, at that place of the archive. */
export function damaged(what: string, position: number): TarError {
  return new VmexitError('tar-damaged', {
    problem: `the archive is damaged at byte ${position}: ${what}`,
    remedy: 'get it again, and see that it is an uncompressed tar archive',
  })
}
