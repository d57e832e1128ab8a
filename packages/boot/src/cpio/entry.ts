/** What an initramfs is made of (Linux, "initramfs buffer format"; the "newc" format of cpio). */
import { VmexitError } from '@vmexit/core'

/** Codes of what reading and writing archives throws. */
export type CpioErrorCode =
  /** A path that cannot be, twice, or missing. */
  | 'cpio-path'
  /** A number or file too large for the format. */
  | 'cpio-size'
  /** The archive ends too early, or is none. */
  | 'cpio-archive'

/** What every entry may have. */
export interface CpioCommon {
  /** Without a slash at its beginning: `bin/sh`. */
  readonly path: string
  /** The twelve permission bits: 0o755 for directories, 0o777 for symbolic links, 0o644 for others unless stated. */
  readonly mode?: number
  /** Owner; 0 unless stated. */
  readonly uid?: number
  readonly gid?: number
  /** Seconds since 1970; 0 unless stated. */
  readonly mtime?: number
}

/** One file of an archive. */
export type CpioEntry = CpioCommon &
  (
    | { readonly kind: 'file'; readonly bytes: Uint8Array }
    | { readonly kind: 'directory' | 'fifo' | 'socket' }
    | { readonly kind: 'symlink'; readonly target: string }
    | { readonly kind: 'character' | 'block'; readonly major: number; readonly minor: number }
    /** Another name of the file at `target`, whose mode, owner and time it shares. */
    | { readonly kind: 'link'; readonly target: string }
  )

/** File types in `mode`. */
export const TYPES = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
} as const
export const TYPE_MASK = 0o170000
export const MAGIC = '070701'
/** The same with checksums of the files. */
export const MAGIC_WITH_CHECKSUMS = '070702'
/** Bytes of a header: the magic, and 13 numbers of 8 hexadecimal digits. */
export const HEADER_BYTES: number = 6 + 13 * 8
export const TRAILER = 'TRAILER!!!'
/** What Linux takes, the zero included. */
export const PATH_BYTES = 4096

/** @throws VmexitError always. */
export function refuse(code: CpioErrorCode, problem: string, remedy: string): never {
  throw new VmexitError(code, { problem, remedy })
}
