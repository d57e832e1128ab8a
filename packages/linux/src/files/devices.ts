/** Character devices and FIFOs, as opening them by their inode gives them (Linux's devices.txt). */
import { type FileOperations, type Inode, Mode, majorOf, minorOf, type Path } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Kernel } from '../system.ts'
import { openTty } from '../tty/open.ts'
import type { KernelOperations } from './open-file.ts'
import { openFifo, type Pipe } from './pipe.ts'

/** Memory devices by minor number, of major 1. */
// biome-ignore format: a table
const MemoryDevice = { null: 3, zero: 5, full: 7, random: 8, urandom: 9 } as const
const MEMORY = 1

/** Opens what is no plain file. */
export function openSpecial(kernel: Kernel, inode: Inode, flags: number, _path: Path): FileOperations | number {
  const type = inode.mode & Mode.IFMT
  if (type === Mode.IFIFO) return openFifo(kernel, inode, kernel.fifos as Map<object, Pipe>, flags)
  if (type !== Mode.IFCHR) return -Errno.ENXIO
  const minor = minorOf(inode.rdev)
  if (majorOf(inode.rdev) === MEMORY) return memoryDevice(kernel, minor)
  return openTty(kernel, majorOf(inode.rdev), minor, flags)
}

function memoryDevice(kernel: Kernel, minor: number): KernelOperations | number {
  const zeros = (into: Uint8Array, start: number, length: number): number => {
    into.fill(0, start, start + length)
    return length
  }
  const random = (into: Uint8Array, start: number, length: number): number => {
    kernel.random.fill(into, start, length)
    return length
  }
  const taken = (_from: Uint8Array, _start: number, length: number): number => length
  const device = (read: KernelOperations['read'], write: KernelOperations['write'] = taken): KernelOperations => ({
    read,
    write,
    seekable: true,
    discards: minor === MemoryDevice.null || minor === MemoryDevice.zero,
    endless: minor !== MemoryDevice.null,
    staysAtStart: minor === MemoryDevice.null || minor === MemoryDevice.zero || minor === MemoryDevice.full,
    release: () => {},
  })
  switch (minor) {
    case MemoryDevice.null:
      return device(() => 0)
    case MemoryDevice.zero:
      return device(zeros)
    case MemoryDevice.full:
      return device(zeros, () => -Errno.ENOSPC)
    case MemoryDevice.random:
    case MemoryDevice.urandom:
      return device(random)
    default:
      return -Errno.ENXIO
  }
}
