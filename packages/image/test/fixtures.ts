/** For tests: layers, images, layouts and archives of them, made by hand. */
import { END_OF_ARCHIVE, encodeEntry, paddingAfter, type TarEntryToWrite } from '@vmexit/tar'
import { type FileSystem, SettableTime, type TaskContext, toText, Vfs } from '@vmexit/vfs'
import { gzipSync } from 'fflate'
import { type Digest, portableCodecs } from '../src/index.ts'

export const bytesOfText = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

export function digestOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest {
  const hash = portableCodecs.hash(algorithm)
  hash.update(bytes)
  return `${algorithm}:${hash.hex()}`
}

export function joined(pieces: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> {
  const all = [...pieces]
  const bytes = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of all) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

export async function collected(source: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = []
  for await (const piece of source) pieces.push(piece.slice())
  return joined(pieces)
}

/** A tar archive of entries; those with data are files. */
export function tarOf(
  ...entries: readonly (Partial<TarEntryToWrite> & { name: string; data?: string | Uint8Array })[]
) {
  const pieces: Uint8Array[] = []
  for (const { data = '', ...entry } of entries) {
    const bytes = typeof data === 'string' ? bytesOfText(data) : data
    const type = entry.type ?? 'file'
    pieces.push(encodeEntry({ mode: type === 'directory' ? 0o755 : 0o644, size: bytes.length, ...entry, type }))
    if (type === 'file') pieces.push(bytes, paddingAfter(bytes.length))
  }
  return joined([...pieces, END_OF_ARCHIVE])
}

/** What a made image consists of: any part may be changed before it is put into a layout. */
export interface Made {
  readonly config: Uint8Array<ArrayBuffer>
  readonly manifest: Uint8Array<ArrayBuffer>
  readonly layers: readonly Uint8Array<ArrayBuffer>[]
  readonly diffs: readonly Uint8Array<ArrayBuffer>[]
}

export const descriptorOf = (mediaType: string, bytes: Uint8Array) => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
})
export const json = (value: unknown): Uint8Array<ArrayBuffer> => bytesOfText(JSON.stringify(value))

const OCI = 'application/vnd.oci.image'
export const MANIFEST: string = `${OCI}.manifest.v1+json`
export const INDEX: string = `${OCI}.index.v1+json`
export const CONFIG: string = `${OCI}.config.v1+json`
export const LAYER: string = `${OCI}.layer.v1.tar`

/** An image of layers, gzipped unless `plain`. */
export function imageOf(
  diffs: readonly Uint8Array<ArrayBuffer>[],
  {
    plain = false,
    architecture = '386',
    config = {},
    diffIds = diffs.map((diff) => digestOf(diff)) as readonly string[],
  } = {},
): Made {
  const layers = diffs.map((diff) => (plain ? diff : (gzipSync(diff, { mtime: 0 }) as Uint8Array<ArrayBuffer>)))
  const configBytes = json({ architecture, os: 'linux', config, rootfs: { type: 'layers', diff_ids: diffIds } })
  const manifest = json({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: descriptorOf(CONFIG, configBytes),
    layers: layers.map((layer) => descriptorOf(plain ? LAYER : `${LAYER}+gzip`, layer)),
  })
  return { config: configBytes, manifest, layers, diffs }
}

/** The files of a layout by their paths. */
export type Layout = Map<string, Uint8Array<ArrayBuffer>>

export const blobPath = (bytes: Uint8Array): string => `blobs/${digestOf(bytes).replace(':', '/')}`

export function layoutOf(image: Made, name?: string, platform?: object): Layout {
  const annotations = name === undefined ? {} : { annotations: { 'org.opencontainers.image.ref.name': name } }
  const entry = { ...descriptorOf(MANIFEST, image.manifest), ...annotations, ...(platform ? { platform } : {}) }
  return new Map([
    ['oci-layout', json({ imageLayoutVersion: '1.0.0' })],
    ['index.json', json({ schemaVersion: 2, manifests: [entry] })],
    ...[image.manifest, image.config, ...image.layers].map((bytes) => [blobPath(bytes), bytes] as const),
  ])
}

/** An archive as `docker save` made them before Docker 25. */
export function dockerArchiveOf(image: Made, ...tags: string[]): Uint8Array<ArrayBuffer> {
  const id = digestOf(image.config).slice(7)
  const layers = image.diffs.map((_, n) => `${String(n).repeat(64)}/layer.tar`)
  return tarOf(
    ...image.diffs.flatMap((diff, n) => [
      { name: layers[n]!.slice(0, 64), type: 'directory' as const },
      { name: layers[n]!, data: diff },
      { name: `${layers[n]!.slice(0, 64)}/VERSION`, data: '1.0' },
    ]),
    { name: `${id}.json`, data: image.config },
    { name: 'manifest.json', data: json([{ Config: `${id}.json`, RepoTags: tags, Layers: layers }]) },
  )
}

export function archiveOf(layout: Layout): Uint8Array<ArrayBuffer> {
  return tarOf(...[...layout].map(([name, data]) => ({ name, data })))
}

/** In pieces, as they come from a disk. */
export function* inPieces(bytes: Uint8Array, piece = 1 << 16): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece)
}

/** A file system seen by root. */
export function seen(fs: FileSystem): { readonly vfs: Vfs; readonly task: TaskContext } {
  const vfs = new Vfs({ time: new SettableTime(1_700_000_000) })
  return { vfs, task: vfs.newTask(vfs.newTree(fs)) }
}

/** A file's text, or the number of the error. */
export function readFile(fs: FileSystem, path: string): string | number {
  const { vfs, task } = seen(fs)
  const file = vfs.open(task, null, path, 0)
  if (typeof file === 'number') return file
  let text = ''
  const bytes = new Uint8Array(1 << 12)
  for (;;) {
    const count = vfs.read(file, bytes)
    if (count <= 0) break
    text += String.fromCharCode(...bytes.subarray(0, count))
  }
  vfs.close(file)
  return toText(text)
}

/** Numbers from a seed (xorshift). */
export class Random {
  #state: number
  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) | 1
  }
  below(limit: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % limit
  }
  of<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!
  }
}

/** A zstd frame (RFC 8878): blocks of `bytes` as they are, or `repeated` blocks of 128 KiB of zeros, in 4 bytes each. */
export function zstdOf(bytes: Uint8Array, repeated = 0): Uint8Array<ArrayBuffer> {
  const block = (isLast: boolean, type: number, size: number): Uint8Array => {
    const header = Number(isLast) | (type << 1) | (size << 3)
    return Uint8Array.of(header & 0xff, (header >> 8) & 0xff, header >> 16)
  }
  const pieces: Uint8Array[] = [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0x50)]
  for (const piece of inPieces(bytes)) pieces.push(block(false, 0, piece.length), piece)
  for (let n = 0; n < repeated; n++) pieces.push(block(false, 1, 1 << 17), Uint8Array.of(0))
  return joined([...pieces, block(true, 0, 0)])
}
