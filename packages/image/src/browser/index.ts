/**
 * `@vmexit/image/browser`: images that a browser keeps for a site.
 *
 * @packageDocumentation
 */
export { opfsImageStore } from './opfs-store.ts'
