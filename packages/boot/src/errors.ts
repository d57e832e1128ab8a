/** Errors of loaders. */
import { VmexitError } from '@vmexit/core'

/** Codes of what loaders throw, beside those of `@vmexit/elf`. */
export type BootErrorCode =
  /** The kernel's file ends too early. */
  | 'kernel-truncated'
  /** Not a kernel of the kind that was asked for. */
  | 'kernel-unknown'
  /** A kernel, but one that cannot be booted here: 64 bits, another machine, an old protocol, features that are not there. */
  | 'kernel-unsupported'
  /** Longer than the kernel takes. */
  | 'command-line-too-long'
  /** The initrd does not fit beside the kernel. */
  | 'initrd-too-large'
  /** A Multiboot module does not fit beside the kernel. */
  | 'module-too-large'
  /** The machine has too little memory, or none where it must be. */
  | 'memory-too-small'
  /** A table of firmware is not in memory. */
  | 'boot-table'
  /** A ROM of a size, or with contents, that no PC has. */
  | 'rom-image'
  /** A flat binary that is not in memory, or an entry outside of what can be. */
  | 'raw-image'

/** @throws VmexitError always. */
export function refuse(code: BootErrorCode, problem: string, remedy: string): never {
  throw new VmexitError(code, { problem, remedy })
}

/** `5,242,880 bytes (5 MiB)` without the commas of any locale. */
export function amount(bytes: number): string {
  return bytes < 2 ** 20 ? `${bytes} bytes` : `${(bytes / 2 ** 20).toFixed(bytes % 2 ** 20 === 0 ? 0 : 1)} MiB`
}
