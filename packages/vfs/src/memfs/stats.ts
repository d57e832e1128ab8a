/** Records of the layer as Node's `Stats`, `BigIntStats`, `StatFs` and `Dirent`, in memfs's classes. */
import { fs as memfs } from 'memfs'
import { toNodeDevice } from '../devices.ts'
import type { ByteString } from '../names.ts'
import { bytesOf } from '../names.ts'
import type { Stat, StatFs } from '../stat.ts'
import { bufferKind } from './buffers.ts'
import { toMemfs } from './names.ts'

/** `Stats`, or with `bigint` `BigIntStats`, which has nanoseconds. */
export function statsOf(stat: Stat, bigint: boolean): object {
  const stats = new memfs.Stats() as unknown as Record<string, unknown>
  const number: (value: number) => number | bigint = bigint ? BigInt : (value) => value
  stats.dev = number(stat.dev)
  stats.mode = number(stat.mode)
  stats.nlink = number(stat.nlink)
  stats.uid = number(stat.uid)
  stats.gid = number(stat.gid)
  stats.rdev = number(toNodeDevice(stat.rdev))
  stats.blksize = number(stat.blksize)
  stats.ino = number(stat.ino)
  stats.size = number(stat.size)
  stats.blocks = number(stat.blocks)
  stats.atime = dateOf(stat.atimeSeconds, stat.atimeNanoseconds)
  stats.mtime = dateOf(stat.mtimeSeconds, stat.mtimeNanoseconds)
  stats.ctime = dateOf(stat.ctimeSeconds, stat.ctimeNanoseconds)
  stats.birthtime = dateOf(stat.btimeSeconds, stat.btimeNanoseconds)
  if (bigint) {
    setNanoseconds(stats, 'atime', stat.atimeSeconds, stat.atimeNanoseconds)
    setNanoseconds(stats, 'mtime', stat.mtimeSeconds, stat.mtimeNanoseconds)
    setNanoseconds(stats, 'ctime', stat.ctimeSeconds, stat.ctimeNanoseconds)
    setNanoseconds(stats, 'birthtime', stat.btimeSeconds, stat.btimeNanoseconds)
  } else {
    stats.atimeMs = millisecondsOf(stat.atimeSeconds, stat.atimeNanoseconds)
    stats.mtimeMs = millisecondsOf(stat.mtimeSeconds, stat.mtimeNanoseconds)
    stats.ctimeMs = millisecondsOf(stat.ctimeSeconds, stat.ctimeNanoseconds)
    stats.birthtimeMs = millisecondsOf(stat.btimeSeconds, stat.btimeNanoseconds)
  }
  return stats
}

function dateOf(seconds: number, nanoseconds: number): Date {
  return new Date(seconds * 1000 + Math.floor(nanoseconds / 1_000_000))
}

function millisecondsOf(seconds: number, nanoseconds: number): number {
  return seconds * 1000 + nanoseconds / 1_000_000
}

function setNanoseconds(stats: Record<string, unknown>, name: string, seconds: number, nanoseconds: number): void {
  const sum = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)
  stats[`${name}Ns`] = sum
  stats[`${name}Ms`] = sum / 1_000_000n
}

/** Fills in `statfs`'s object. */
export function fillStatFs(into: object, statfs: StatFs, bigint: boolean): object {
  const { type, bsize, blocks, bfree, bavail, files, ffree } = statfs
  for (const [name, value] of Object.entries({ type, bsize, blocks, bfree, bavail, files, ffree })) {
    Object.assign(into, { [name]: bigint ? BigInt(value) : value })
  }
  return into
}

/** A name as Node gives it in an encoding. */
export function encodedName(name: ByteString, encoding: string | undefined): string | Uint8Array {
  if (encoding === undefined || encoding === 'utf8' || encoding === 'utf-8') return toMemfs(name)
  const buffer = bufferKind().from(bytesOf(name))
  return encoding === 'buffer'
    ? buffer
    : (buffer as Uint8Array & { toString(encoding: string): string }).toString(encoding)
}

/** An entry of a directory; `type` is `EntryType`. */
export function direntOf(name: string | Uint8Array, parentPath: string, type: number): object {
  return Object.assign(new memfs.Dirent(), { name, parentPath, path: parentPath, mode: type << 12 })
}
