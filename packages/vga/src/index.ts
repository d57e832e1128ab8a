/**
 * `@vmexit/vga`
 *
 * @packageDocumentation
 */
export {}
