/// <reference types="node" />
/**
 * `@vmexit/guests/node`: the teaching kernel's images, from their files.
 *
 * @packageDocumentation
 */
import { readFileSync } from 'node:fs'

/** The builds of the teaching kernel: 32-bit paging, and PAE. */
export type TeachingKernel = 'teaching' | 'teaching-pae'

/** Their names. */
export const teachingKernels: readonly TeachingKernel[] = ['teaching', 'teaching-pae']

/** The image of a build: an ELF file for Multiboot 1. */
export function readTeachingKernel(name: TeachingKernel): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../images/${name}.elf`, import.meta.url)))
}
