/**
 * `@vmexit/container/web`: what networks of containers have of a browser: its `fetch`, and WebSockets.
 *
 * @packageDocumentation
 */
export { type WebOutsideOptions, webOutside } from './web/web-outside.ts'
