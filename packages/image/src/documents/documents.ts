/**
 * The documents of an image, as schemas and as types (OCI image specification 1.1: "Content Descriptors", "Image Manifest", "Image Index",
 * "Image Configuration", "Image Layout"; Docker's manifest list and docker-archive). What is not known here stays as it is.
 */
import * as v from 'valibot'
import type { Digest } from '../digest.ts'
import { isDigest } from '../digest.ts'

/** Notes on something, by names that are domains in reverse. */
export type Annotations = Readonly<Record<string, string>>

/** Points to content, and says what it is and how large. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly annotations?: Annotations | undefined
  readonly platform?:
    | { readonly os: string; readonly architecture: string; readonly variant?: string | undefined }
    | undefined
}

/** What an image is made of: its configuration, and its layers, the lowest first. */
export interface Manifest {
  readonly schemaVersion: 2
  readonly mediaType?: string | undefined
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly annotations?: Annotations | undefined
}

/** Images of one name for several platforms; or, as a layout's `index.json`, all that it holds. */
export interface ImageIndex {
  readonly schemaVersion: 2
  readonly mediaType?: string | undefined
  readonly manifests: readonly Descriptor[]
  readonly annotations?: Annotations | undefined
}

/** How a container of an image is run, unless whoever runs it says otherwise. */
export interface ExecutionConfig {
  /** `uid`, `uid:gid`, or names of the image's own /etc/passwd. */
  readonly User?: string | null | undefined
  readonly ExposedPorts?: Readonly<Record<string, object | null>> | null | undefined
  /** `NAME=value`. */
  readonly Env?: readonly string[] | null | undefined
  readonly Entrypoint?: readonly string[] | null | undefined
  readonly Cmd?: readonly string[] | null | undefined
  readonly Volumes?: Readonly<Record<string, object | null>> | null | undefined
  readonly WorkingDir?: string | null | undefined
  readonly Labels?: Readonly<Record<string, string>> | null | undefined
  readonly StopSignal?: string | null | undefined
}

/** What was done at one step of the making; a step without files has no layer. */
export interface HistoryEntry {
  readonly created?: string | undefined
  readonly created_by?: string | undefined
  readonly author?: string | undefined
  readonly comment?: string | undefined
  readonly empty_layer?: boolean | undefined
}

/** An image's configuration. Its digest is the image's ID. */
export interface ImageConfig {
  readonly created?: string | null | undefined
  readonly author?: string | undefined
  readonly os: string
  readonly architecture: string
  readonly variant?: string | undefined
  readonly config?: ExecutionConfig | null | undefined
  /** Digests of the layers, uncompressed; the lowest first. */
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] }
  readonly history?: readonly HistoryEntry[] | null | undefined
}

/** One image of an archive of `docker save`: its `manifest.json` is an array of them. */
export interface DockerArchiveImage {
  /** Path of the configuration. */
  readonly Config: string
  readonly RepoTags?: readonly string[] | null | undefined
  /** Paths of the layers, the lowest first. */
  readonly Layers: readonly string[]
}

/** As many as an overlay takes; Docker takes 127. */
const MOST_LAYERS = 1000
const MOST_MANIFESTS = 10_000

const digest: v.GenericSchema<unknown, Digest> = v.pipe(
  v.string(),
  v.custom<Digest>((text) => typeof text === 'string' && isDigest(text), 'no digest by sha256 or sha512'),
)
const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const annotations = v.optional(v.record(v.string(), v.string()))
const descriptor = v.looseObject({
  mediaType: v.pipe(v.string(), v.regex(/^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/)),
  digest,
  size,
  annotations,
  platform: v.optional(v.looseObject({ os: v.string(), architecture: v.string(), variant: v.optional(v.string()) })),
})
const texts = v.nullish(v.array(v.string()))
const names = v.nullish(v.record(v.string(), v.nullable(v.looseObject({}))))

export const manifestSchema: v.GenericSchema<unknown, Manifest> = v.looseObject({
  schemaVersion: v.literal(2),
  mediaType: v.optional(v.string()),
  config: descriptor,
  layers: v.pipe(v.array(descriptor), v.maxLength(MOST_LAYERS)),
  annotations,
})

export const indexSchema: v.GenericSchema<unknown, ImageIndex> = v.looseObject({
  schemaVersion: v.literal(2),
  mediaType: v.optional(v.string()),
  manifests: v.pipe(v.array(descriptor), v.maxLength(MOST_MANIFESTS)),
  annotations,
})

export const configSchema: v.GenericSchema<unknown, ImageConfig> = v.looseObject({
  created: v.nullish(v.string()),
  author: v.optional(v.string()),
  os: v.string(),
  architecture: v.string(),
  variant: v.optional(v.string()),
  config: v.nullish(
    v.looseObject({
      User: v.nullish(v.string()),
      ExposedPorts: names,
      Env: texts,
      Entrypoint: texts,
      Cmd: texts,
      Volumes: names,
      WorkingDir: v.nullish(v.string()),
      Labels: v.nullish(v.record(v.string(), v.string())),
      StopSignal: v.nullish(v.string()),
    }),
  ),
  rootfs: v.looseObject({ type: v.literal('layers'), diff_ids: v.pipe(v.array(digest), v.maxLength(MOST_LAYERS)) }),
  history: v.nullish(
    v.array(
      v.looseObject({
        created: v.optional(v.string()),
        created_by: v.optional(v.string()),
        author: v.optional(v.string()),
        comment: v.optional(v.string()),
        empty_layer: v.optional(v.boolean()),
      }),
    ),
  ),
})

export const layoutSchema: v.GenericSchema<unknown, { readonly imageLayoutVersion: string }> = v.looseObject({
  imageLayoutVersion: v.pipe(v.string(), v.regex(/^1\./)),
})

export const dockerArchiveSchema: v.GenericSchema<unknown, readonly DockerArchiveImage[]> = v.pipe(
  v.array(
    v.looseObject({
      Config: v.string(),
      RepoTags: texts,
      Layers: v.pipe(v.array(v.string()), v.maxLength(MOST_LAYERS)),
    }),
  ),
  v.maxLength(MOST_MANIFESTS),
)

/** What is in a manifest's place: enough to tell what it is. */
export const anySchema: v.GenericSchema<unknown, { readonly schemaVersion?: unknown; readonly mediaType?: unknown }> =
  v.looseObject({ schemaVersion: v.optional(v.unknown()), mediaType: v.optional(v.unknown()) })
