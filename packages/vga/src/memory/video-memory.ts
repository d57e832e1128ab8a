/**
 * RAM of the card, by offset. A card on a PCI bus has memory that the CPU also sees as plain RAM; one by itself has
 * bytes of its own.
 */
import { VmexitError, type Width } from '@vmexit/core'

/** Tells of writes to memory that nobody else sees, such as those of the CPU to a linear framebuffer. */
export interface MemoryWatch {
  /** Whether there were any since the last call. */
  changed(): boolean
  close(): void
}

/** Memory of an adapter. Offsets and widths stay within `size`; values are unsigned. */
export interface VideoMemory {
  /** In bytes: a power of two from 256 KiB to 256 MiB. */
  readonly size: number
  read(offset: number, width: Width): number
  write(offset: number, width: Width, value: number): void
  readBytes(offset: number, into: Uint8Array): void
  writeBytes(offset: number, from: Uint8Array): void
  /** For memory that others write to without the adapter. */
  watch?(): MemoryWatch
}

/** Throws a {@link VmexitError} `vga-memory` if `bytes` is not a power of two from 256 KiB to 256 MiB. */
export function demandVideoMemorySize(bytes: number): void {
  if (bytes >= 2 ** 18 && bytes <= 2 ** 28 && Number.isInteger(bytes) && (bytes & (bytes - 1)) === 0) return
  throw new VmexitError('vga-memory', {
    problem: `a VGA adapter cannot have ${bytes} bytes of memory`,
    remedy: 'give a power of two from 256 KiB to 256 MiB',
  })
}

/** Memory for an adapter without a bus; 256 KiB unless stated. Throws a {@link VmexitError} `vga-memory`. */
export function createVideoMemory(bytes: number = 2 ** 18): VideoMemory {
  demandVideoMemorySize(bytes)
  const all = new Uint8Array(bytes)
  const view = new DataView(all.buffer)
  return {
    size: bytes,
    read(offset, width) {
      if (width === 1) return all[offset]!
      return width === 2 ? view.getUint16(offset, true) : view.getUint32(offset, true)
    },
    write(offset, width, value) {
      if (width === 1) all[offset] = value
      else if (width === 2) view.setUint16(offset, value, true)
      else view.setUint32(offset, value, true)
    },
    readBytes: (offset, into) => into.set(all.subarray(offset, offset + into.length)),
    writeBytes: (offset, from) => all.set(from, offset),
  }
}

/** Fills `into` from `offset` on, and from offset 0 on when the end is reached. */
export function readWrapping(memory: VideoMemory, offset: number, into: Uint8Array): void {
  const start = offset & (memory.size - 1)
  const first = Math.min(into.length, memory.size - start)
  memory.readBytes(start, into.subarray(0, first))
  if (first < into.length) memory.readBytes(0, into.subarray(first))
}

const zeros = new Uint8Array(0x1_0000)

/** Sets the first `bytes` to zero, as far as there are so many. */
export function clear(memory: VideoMemory, bytes: number): void {
  const end = Math.min(bytes, memory.size)
  for (let offset = 0; offset < end; offset += zeros.length) {
    memory.writeBytes(offset, zeros.subarray(0, Math.min(zeros.length, end - offset)))
  }
}
