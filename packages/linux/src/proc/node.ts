/** What /proc and /sys are made of: directories, texts that are made when they are opened, and links. */
import type { Path } from '@vmexit/vfs'
import type { Process } from '../system.ts'

/** A directory whose entries are asked for by name, and listed. */
export interface ProcDirectory {
  readonly kind: 'directory'
  /** Whose it is, and all that is in it; root's unless stated. */
  owner?(): { readonly uid: number; readonly gid: number }
  readonly mode?: number
  /** Of which process it is the directory, by which pidfd_send_signal(2) takes it, too. */
  readonly process?: Process
  /** How many of its entries are directories, where links to them are counted. */
  directories?(): number
  entry(name: string): ProcNode | undefined
  names(): Iterable<string>
}

/** A file whose contents are made at each open. */
export interface ProcFile {
  readonly kind: 'file'
  readonly mode?: number
  /** The contents, as text or as bytes that are none; an error number below 0 where there are none now. */
  text(): string | Uint8Array | number
  /** Takes what was written, and where; an error number below 0 refuses it. */
  write?(text: string, position: number): number
}

/** A link: its text, or an error number below 0 where it leads nowhere now, and where it leads if that is more than its text. */
export interface ProcLink {
  readonly kind: 'link'
  target(): string | number
  place?(): Path | number | undefined
}

/** Anything in them. */
export type ProcNode = ProcDirectory | ProcFile | ProcLink

/** A directory with fixed entries. */
export function directory(entries: Readonly<Record<string, ProcNode>>): ProcDirectory {
  return {
    kind: 'directory',
    entry: (name) => (Object.hasOwn(entries, name) ? entries[name] : undefined),
    names: () => Object.keys(entries),
  }
}

export function file(text: () => string | Uint8Array | number, mode = 0o444): ProcFile {
  return { kind: 'file', mode, text }
}

export function link(target: () => string | number, place?: () => Path | number | undefined): ProcLink {
  return { kind: 'link', target, ...(place && { place }) }
}
