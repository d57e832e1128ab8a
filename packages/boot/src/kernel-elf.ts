/** Kernels as ELF files: loaded by physical addresses, below 4 GiB, for an i386. */
import { type Elf, FileType, loadableSegments, MachineType, machineName } from '@vmexit/elf'
import { refuse } from './errors.ts'
import type { BootPiece } from './image.ts'

/** Where a kernel goes, and where it begins. */
export interface LoadedElf {
  readonly pieces: readonly BootPiece[]
  readonly entry: number
}

/** @throws VmexitError `kernel-unsupported`, `elf-segment`. */
export function loadKernelElf(elf: Elf): LoadedElf {
  if (elf.bits !== 32 || elf.machine !== MachineType.i386 || !elf.littleEndian) {
    const what = `the kernel is an ELF file of ${elf.bits} bits for ${machineName(elf.machine)}`
    refuse('kernel-unsupported', what, 'give one of 32 bits for i386')
  }
  const segments = loadableSegments(elf, 'physical')
  if (elf.type !== FileType.executable || segments.length === 0) {
    const what = segments.length === 0 ? 'has nothing to load' : `is an ELF file of type ${elf.type}`
    refuse('kernel-unsupported', `the kernel ${what}`, 'give an executable (type 2), linked completely')
  }
  const at = segments.find((segment) => within(elf.entry, segment.physicalAddress, segment.memoryBytes))
  const linked = at ?? segments.find((segment) => within(elf.entry, segment.virtualAddress, segment.memoryBytes))
  if (linked === undefined) {
    const what = `the kernel begins at 0x${elf.entry.toString(16)}, where it has nothing`
    return refuse('kernel-unsupported', what, 'link it with an entry in one of its segments')
  }
  const entry = at === undefined ? elf.entry - linked.virtualAddress + linked.physicalAddress : elf.entry
  return {
    entry: Number(entry),
    pieces: segments.map(({ physicalAddress, bytes, memoryBytes }, i) => ({
      name: segments.length === 1 ? 'kernel' : `kernel, segment ${i}`,
      address: Number(physicalAddress),
      bytes,
      size: Number(memoryBytes),
    })),
  }
}

function within(address: bigint, start: bigint, bytes: bigint): boolean {
  return address >= start && address < start + bytes
}
