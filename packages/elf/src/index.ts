/**
 * `@vmexit/elf`
 *
 * @packageDocumentation
 */
export {}
