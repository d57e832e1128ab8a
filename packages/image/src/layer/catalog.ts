/**
 * A layer's catalog: its tree of files as an overlay wants it, and where in the uncompressed archive each file's data lie. It is what is kept
 * of an archive beside the archive itself, so that the next one who opens the layer need not read it.
 */
import type { Codecs } from '../codecs.ts'

/** A piece of a file's data: where it is in the file, where in the archive, and how long it is. */
export type CatalogExtent = readonly [position: number, at: number, length: number]

/** An inode. Names, targets and values of attributes are byte strings. */
export interface CatalogInode {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** atime and mtime, in seconds and nanoseconds. */
  readonly times: readonly [number, number, number, number]
  readonly xattrs?: readonly (readonly [name: string, value: string])[]
  /** Of device nodes. */
  readonly rdev?: number
  /** Of symbolic links. */
  readonly target?: string
  /** Of directories: names, and indexes of inodes. */
  readonly entries?: readonly (readonly [name: string, inode: number])[]
  /** Of regular files. */
  readonly size?: number
  /** Of regular files, in order; the rest are holes. */
  readonly extents?: readonly CatalogExtent[]
}

/** All inodes, the root first. */
export type Catalog = readonly CatalogInode[]

/** Changed with the form: an old one is made again. */
const MAGIC = 'vmexit layer catalog 1 '

/** A catalog in bytes, with a digest of itself in front. */
export function encodeCatalog(codecs: Codecs, catalog: Catalog): Uint8Array<ArrayBuffer> {
  const body = `[${catalog.map((inode) => JSON.stringify(inode)).join(',\n')}]`
  const bytes = new TextEncoder().encode(body)
  const head = new TextEncoder().encode(`${MAGIC}${digestOf(codecs, bytes)}\n`)
  const all = new Uint8Array(head.length + bytes.length)
  all.set(head)
  all.set(bytes, head.length)
  return all
}

/** The catalog, or undefined where it is not whole or of another form: then it is to be made again. */
export function decodeCatalog(codecs: Codecs, bytes: Uint8Array): Catalog | undefined {
  const end = bytes.indexOf(0x0a)
  const head = new TextDecoder().decode(bytes.subarray(0, Math.max(end, 0)))
  const body = bytes.subarray(end + 1)
  if (head !== `${MAGIC}${digestOf(codecs, body)}`) return undefined
  return JSON.parse(new TextDecoder().decode(body)) as Catalog
}

function digestOf(codecs: Codecs, bytes: Uint8Array): string {
  const hash = codecs.hash('sha256')
  hash.update(bytes)
  return hash.hex()
}
