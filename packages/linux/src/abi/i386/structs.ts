/** Layouts of structures on i386 (arch/x86/include/uapi/asm, asm-generic; man 2 of each call). */
import { majorOf, minorOf, type Stat, type StatFs } from '@vmexit/vfs'
import type { UserMemory } from '../../memory/user-memory.ts'

/** A device number as `stat` has it, and `stat64` in the lower half of its field. */
export function deviceWord(device: number): number {
  const [major, minor] = [majorOf(device), minorOf(device)]
  return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)
}

/** `struct stat64`: 96 bytes. */
export function writeStat64(memory: UserMemory, at: number, stat: Stat): void {
  const bytes = new Uint8Array(96)
  const view = new DataView(bytes.buffer)
  const put = (offset: number, value: number): void => view.setUint32(offset, value >>> 0, true)
  const put64 = (offset: number, value: number): void =>
    view.setBigUint64(offset, BigInt.asUintN(64, BigInt(value)), true)
  put(0, deviceWord(stat.dev))
  put(12, stat.ino % 2 ** 32)
  put(16, stat.mode)
  put(20, stat.nlink)
  put(24, stat.uid)
  put(28, stat.gid)
  put(32, deviceWord(stat.rdev))
  put64(44, stat.size)
  put(52, stat.blksize)
  put64(56, stat.blocks)
  put(64, stat.atimeSeconds)
  put(68, stat.atimeNanoseconds)
  put(72, stat.mtimeSeconds)
  put(76, stat.mtimeNanoseconds)
  put(80, stat.ctimeSeconds)
  put(84, stat.ctimeNanoseconds)
  put64(88, stat.ino)
  memory.write(at, bytes)
}

/** `struct statx`: 256 bytes. The time of birth is told to who asks for it. */
export function writeStatx(memory: UserMemory, at: number, stat: Stat, wantsBirth: boolean): void {
  const bytes = new Uint8Array(256)
  const view = new DataView(bytes.buffer)
  const put = (offset: number, value: number): void => view.setUint32(offset, value >>> 0, true)
  const put64 = (offset: number, value: number): void => view.setBigInt64(offset, BigInt(value), true)
  const time = (offset: number, seconds: number, nanoseconds: number): void => {
    put64(offset, seconds)
    put(offset + 8, nanoseconds)
  }
  const hasBirth = wantsBirth && stat.btimeSeconds !== -1
  put(0, hasBirth ? 0xfff : 0x7ff)
  put(4, stat.blksize)
  put(16, stat.nlink)
  put(20, stat.uid)
  put(24, stat.gid)
  view.setUint16(28, stat.mode, true)
  put64(32, stat.ino)
  put64(40, stat.size)
  put64(48, stat.blocks)
  time(64, stat.atimeSeconds, stat.atimeNanoseconds)
  if (hasBirth) time(80, stat.btimeSeconds, stat.btimeNanoseconds)
  time(96, stat.ctimeSeconds, stat.ctimeNanoseconds)
  time(112, stat.mtimeSeconds, stat.mtimeNanoseconds)
  put(128, majorOf(stat.rdev))
  put(132, minorOf(stat.rdev))
  put(136, majorOf(stat.dev))
  put(140, minorOf(stat.dev))
  memory.write(at, bytes)
}

/** `struct statfs64`: 84 bytes. */
export function writeStatFs64(memory: UserMemory, at: number, stat: StatFs): void {
  const bytes = new Uint8Array(84)
  const view = new DataView(bytes.buffer)
  const put64 = (offset: number, value: number): void =>
    view.setBigUint64(offset, BigInt.asUintN(64, BigInt(value)), true)
  view.setUint32(0, stat.type, true)
  view.setUint32(4, stat.bsize, true)
  put64(8, stat.blocks)
  put64(16, stat.bfree)
  put64(24, stat.bavail)
  put64(32, stat.files)
  put64(40, stat.ffree)
  view.setUint32(56, stat.namelen, true)
  view.setUint32(60, stat.bsize, true)
  memory.write(at, bytes)
}

/** A time in nanoseconds; `undefined` for one that is none. `wide`: 64-bit seconds (`__kernel_timespec`). */
export function readTimespec(memory: UserMemory, at: number, wide: boolean): number | undefined {
  const seconds = wide ? memory.get64(at) : memory.get32(at) | 0
  const nanoseconds = memory.get32(at + (wide ? 8 : 4))
  if (seconds < 0 || nanoseconds > 999_999_999) return undefined
  return seconds * 1e9 + nanoseconds
}

export function writeTimespec(memory: UserMemory, at: number, nanoseconds: number, wide: boolean): void {
  const seconds = Math.floor(nanoseconds / 1e9)
  const rest = nanoseconds - seconds * 1e9
  if (wide) {
    memory.set64(at, seconds)
    memory.set64(at + 8, rest)
  } else {
    memory.set32(at, seconds)
    memory.set32(at + 4, rest)
  }
}

/** `struct timeval`, in nanoseconds. */
export function readTimeval(memory: UserMemory, at: number): number | undefined {
  const seconds = memory.get32(at) | 0
  const microseconds = memory.get32(at + 4)
  if (seconds < 0 || microseconds > 999_999) return undefined
  return seconds * 1e9 + microseconds * 1000
}

export function writeTimeval(memory: UserMemory, at: number, nanoseconds: number): void {
  memory.set32(at, Math.floor(nanoseconds / 1e9))
  memory.set32(at + 4, Math.floor((nanoseconds % 1e9) / 1000))
}
