/**
 * `@vmexit/block`
 *
 * @packageDocumentation
 */
export {}
