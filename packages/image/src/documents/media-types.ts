/** Media types (OCI image specification, "Media Types"; Docker's image manifest version 2, schema 2). */
const OCI = 'application/vnd.oci.image'
const DOCKER = 'application/vnd.docker'

export const OCI_INDEX: string = `${OCI}.index.v1+json`
export const OCI_MANIFEST: string = `${OCI}.manifest.v1+json`
export const OCI_CONFIG: string = `${OCI}.config.v1+json`
export const OCI_LAYER: string = `${OCI}.layer.v1.tar`
const DOCKER_INDEX = `${DOCKER}.distribution.manifest.list.v2+json`
const DOCKER_MANIFEST = `${DOCKER}.distribution.manifest.v2+json`
const DOCKER_CONFIG = `${DOCKER}.container.image.v1+json`

/** What a registry is asked for. */
export const MANIFESTS: readonly string[] = [OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST]

const LAYERS: ReadonlySet<string> = new Set([
  ...[OCI_LAYER, `${OCI}.layer.nondistributable.v1.tar`].flatMap((type) => [type, `${type}+gzip`, `${type}+zstd`]),
  ...['diff', 'foreign.diff'].flatMap((kind) =>
    ['.tar', '.tar.gzip', '.tar.zstd'].map((end) => `${DOCKER}.image.rootfs.${kind}${end}`),
  ),
])

export function isIndexType(type: string): boolean {
  return type === OCI_INDEX || type === DOCKER_INDEX
}

export function isManifestType(type: string): boolean {
  return type === OCI_MANIFEST || type === DOCKER_MANIFEST
}

/** Manifests of registries before 2016. */
export function isSchema1Type(type: string): boolean {
  return type.startsWith(`${DOCKER}.distribution.manifest.v1`)
}

export function isConfigType(type: string): boolean {
  return type === OCI_CONFIG || type === DOCKER_CONFIG
}

/** A layer of files. How it is compressed its first bytes say, which writers have had wrong in the type. */
export function isLayerType(type: string): boolean {
  return LAYERS.has(type)
}
