/**
 * `@vmexit/pci`
 *
 * @packageDocumentation
 */
export {}
