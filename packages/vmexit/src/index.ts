/**
 * `@vmexit/vmexit`
 *
 * @packageDocumentation
 */
export {}
