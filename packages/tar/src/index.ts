/** Tar archives, and layers of container images in them. */
export type { TarEntry, TarError, TarExtent, TarTime, TarType } from './entry.ts'
export { TarReader, type TarVisitor } from './reader.ts'
export { TreeError } from './tree/errors.ts'
export { type PackOptions, packTree } from './tree/pack.ts'
export { Unpacker, type UnpackOptions } from './tree/unpack.ts'
export { END_OF_ARCHIVE, encodeEntry, paddingAfter, type TarEntryToWrite } from './writer.ts'
