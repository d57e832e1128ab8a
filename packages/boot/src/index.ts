/**
 * `@vmexit/boot`
 *
 * @packageDocumentation
 */
export {}
