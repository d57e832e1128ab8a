/** Register files of 8-bit chips. */
import type { RegisterFile } from '@vmexit/core'

/** Registers of one byte each, as chips on the ISA bus have them: wider accesses are done byte by byte. */
export function byteRegisters(
  size: number,
  read: (offset: number) => number,
  write: (offset: number, value: number) => void,
): RegisterFile {
  return { size, widest: 1, split: true, read, write: (offset, _, value) => write(offset, value) }
}
