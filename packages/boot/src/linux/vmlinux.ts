/** An ELF vmlinux, without the setup part of a bzImage (the Linux/x86 boot protocol, 32-bit boot protocol). */
import type { Elf } from '@vmexit/elf'
import type { BootPiece } from '../image.ts'
import { loadKernelElf } from '../kernel-elf.ts'
import { BOOT_FLAG, Field, LoadFlag, MAGIC } from './header.ts'

/** What a vmlinux would say in a setup header. */
export interface Vmlinux {
  readonly header: Uint8Array
  readonly pieces: readonly BootPiece[]
  readonly entry: number
}

/** The protocol up to which the header that is made up here says anything: 2.12. */
export const VMLINUX_PROTOCOL = 0x020c

/** @throws VmexitError `kernel-unsupported`, those of `@vmexit/elf`. */
export function readVmlinux(elf: Elf): Vmlinux {
  const view = new DataView(new ArrayBuffer(Field.end))
  view.setUint16(Field.bootFlag, BOOT_FLAG, true)
  view.setUint32(Field.magic, MAGIC, true)
  view.setUint16(Field.version, VMLINUX_PROTOCOL, true)
  view.setUint8(Field.loadFlags, LoadFlag.high)
  return { header: new Uint8Array(view.buffer).subarray(Field.setupSectors), ...loadKernelElf(elf) }
}
