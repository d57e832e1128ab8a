/**
 * `@vmexit/image/node`: images in folders of the host, with Node's own hashes and decompressors.
 *
 * @packageDocumentation
 */
export { nodeCodecs } from './codecs.ts'
export { directoryStore } from './directory-store.ts'
export { layoutFolder, writeLayout } from './layout-folder.ts'
export { takeLock } from './lock.ts'
