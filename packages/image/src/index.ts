/**
 * `@vmexit/image`: a store of container images, whose layers are file systems.
 *
 * @packageDocumentation
 */

export type { LayoutReader } from './archive/load.ts'
export { type Program, programArchive } from './archive/program.ts'
export { archiveOf, type LayoutFile } from './archive/save.ts'
export { type TreeEntry, treeArchive } from './archive/tree.ts'
export { type Bytes, type Codecs, type Compression, type Hash, portableCodecs, uncompressed } from './codecs.ts'
export { type Digest, type DigestAlgorithm, isDigest, parseDigest, shortDigest } from './digest.ts'
export type {
  Annotations,
  Descriptor,
  ExecutionConfig,
  HistoryEntry,
  ImageConfig,
  Manifest,
} from './documents/documents.ts'
export { ImageError, type ImageErrorCode } from './errors.ts'
export { Image } from './images/image.ts'
export { type ChoiceOptions, Images, type ImagesOptions, type LoadOptions, type Removed } from './images/images.ts'
export type { NewImage } from './images/make.ts'
export type { ImageRoot } from './images/root.ts'
export { DEFAULT_LIMITS, type ImageLimits, type ImageProgress, type OperationOptions } from './images/workspace.ts'
export type { LayerLimits } from './layer/indexer.ts'
export { LINUX_386, type Platform, parsePlatform, platformName } from './platform.ts'
export { canonicalName, familiarName, familiarRepository, parseReference, type Reference } from './reference.ts'
export {
  type Fetch,
  Registry,
  type RegistryCredentials,
  type RegistryOptions,
  type RegistryRequest,
} from './registry/registry.ts'
export { memoryStore } from './store/memory.ts'
export type { ContentStore, ContentWriter, ExclusiveOptions, RandomAccess } from './store/store.ts'
