/** `vmexit images` and `vmexit inspect`: what is said of images. */
import { canonicalName, familiarName, familiarRepository, type Image, parseReference, shortDigest } from '@vmexit/image'
import { instanceNamed } from '../hosted/state-directory.ts'
import { table } from '../hosted/table.ts'
import { aboutInstance } from '../run/inspect.ts'
import { openImages } from './store.ts'

export interface ListFlags {
  readonly quiet?: true
  readonly digests?: true
  readonly json?: true
  readonly trunc: boolean
}

/** A row: an image has one for each name. */
interface Row {
  readonly image: Image
  readonly repository: string
  readonly tag: string
}

/** `vmexit images`. */
export async function list(filter: string | undefined, { quiet, digests, json, trunc }: ListFlags): Promise<void> {
  const isMeant = filter === undefined ? () => true : filterBy(filter)
  const rows = (await openImages().list()).flatMap(rowsOf).filter(isMeant)
  rows.sort((a, b) => (createdOf(b.image) ?? 0) - (createdOf(a.image) ?? 0) || (a.repository < b.repository ? -1 : 1))
  const idOf = ({ id }: Image): string => (trunc ? shortDigest(id) : id)
  if (json) process.stdout.write(`${JSON.stringify(rows.map(objectOf), undefined, 2)}\n`)
  else if (quiet) process.stdout.write([...new Set(rows.map(({ image }) => `${idOf(image)}\n`))].join(''))
  else
    process.stdout.write(
      table([
        ['REPOSITORY', 'TAG', ...(digests ? ['DIGEST'] : []), 'IMAGE ID', 'CREATED', 'SIZE'],
        ...rows.map(({ image, repository, tag }) => [
          repository,
          tag,
          ...(digests ? [image.descriptor.digest] : []),
          idOf(image),
          age(createdOf(image)),
          bytes(image.size),
        ]),
      ]),
    )
}

function rowsOf(image: Image): Row[] {
  if (image.names.length === 0) return [{ image, repository: '<none>', tag: '<none>' }]
  return image.names.map((name) => {
    const reference = parseReference(name)
    return { image, repository: familiarRepository(reference), tag: reference.tag ?? '<none>' }
  })
}

/** `debian` means all its tags, `debian:12` one. */
function filterBy(filter: string): (row: Row) => boolean {
  const wanted = parseReference(filter)
  const name = familiarRepository(wanted)
  const hasTag = /:[^/]+$/.test(filter)
  return ({ repository, tag }) => name === repository && (!hasTag || wanted.tag === tag)
}

function objectOf({ image, repository, tag }: Row): object {
  return {
    id: image.id,
    repository,
    tag,
    digest: image.descriptor.digest,
    created: image.config.created ?? null,
    size: image.size,
    platform: `${image.config.os}/${image.config.architecture}`,
  }
}

/** When an image was made, in milliseconds since 1970; undefined where it does not say so, or nonsense. */
function createdOf({ config: { created } }: Image): number | undefined {
  const time = Date.parse(created ?? '')
  return Number.isNaN(time) ? undefined : time
}

const UNITS = [
  [365 * 86_400, 'years'],
  [30 * 86_400, 'months'],
  [7 * 86_400, 'weeks'],
  [86_400, 'days'],
  [3600, 'hours'],
  [60, 'minutes'],
] as const

function age(created: number | undefined): string {
  if (created === undefined) return 'N/A'
  const seconds = Math.max(0, (Date.now() - created) / 1000)
  if (seconds < 2) return 'just now'
  const [length, name] = UNITS.find(([unit]) => seconds >= 2 * unit) ?? [1, 'seconds']
  return `${Math.floor(seconds / length)} ${name} ago`
}

function bytes(size: number): string {
  for (const [unit, name] of [
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ] as const)
    if (size >= unit) return `${(size / unit).toPrecision(3)} ${name}`
  return `${size} B`
}

/** `vmexit inspect`: Docker's words, for those who take it apart. */
export async function inspect(words: readonly string[]): Promise<void> {
  const images = openImages()
  const all: object[] = []
  for (const word of words) {
    const found = instanceNamed(word)
    all.push(found === undefined ? about(await images.find(word)) : await aboutInstance(found))
  }
  process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`)
}

function about({ id, names, descriptor, config, manifest, size }: Image): object {
  const references = names.map(parseReference)
  const repositories = [
    ...new Set(references.map(({ registry, repository }) => familiarName({ registry, repository }))),
  ]
  return {
    Id: id,
    RepoTags: references.filter(({ tag }) => tag !== undefined).map(familiarName),
    RepoDigests: repositories.map((name) => `${name}@${descriptor.digest}`),
    Names: references.map(canonicalName),
    Created: config.created ?? null,
    Author: config.author ?? '',
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: size,
    Config: config.config ?? {},
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Layers: manifest.layers.map(({ mediaType, digest, size: compressed }) => ({
      MediaType: mediaType,
      Digest: digest,
      Size: compressed,
    })),
    History: config.history ?? [],
  }
}
