/** Tar archives, and layers of container images in them. */
export type { TarEntry, TarError, TarExtent, TarTime, TarType } from './entry.ts'
export { TarReader, type TarVisitor } from './reader.ts'
export { END_OF_ARCHIVE, encodeEntry, paddingAfter, type TarEntryToWrite } from './writer.ts'
