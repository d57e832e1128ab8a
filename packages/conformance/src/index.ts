/**
 * `@vmexit/conformance`
 *
 * @packageDocumentation
 */
export {}
