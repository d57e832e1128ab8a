/**
 * `@vmexit/vfs/browser`: trees of files kept by a browser from one visit to the next.
 *
 * @packageDocumentation
 */

export { indexedDbStore } from './indexed-db.ts'
export { opfsStore } from './opfs.ts'
export type { TreeStore } from './store.ts'
export { loadTree } from './tree-reader.ts'
export { saveTree } from './tree-writer.ts'
