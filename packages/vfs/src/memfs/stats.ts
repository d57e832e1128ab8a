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
  const numbers = {
    ...{ dev: stat.dev, mode: stat.mode, nlink: stat.nlink, uid: stat.uid, gid: stat.gid },
    ...{ rdev: toNodeDevice(stat.rdev), blksize: stat.blksize, ino: stat.ino, size: stat.size, blocks: stat.blocks },
  }
  for (const [name, value] of Object.entries(numbers)) stats[name] = bigint ? BigInt(value) : value
  setTime(stats, 'atime', stat.atimeSeconds, stat.atimeNanoseconds, bigint)
  setTime(stats, 'mtime', stat.mtimeSeconds, stat.mtimeNanoseconds, bigint)
  setTime(stats, 'ctime', stat.ctimeSeconds, stat.ctimeNanoseconds, bigint)
  setTime(stats, 'birthtime', stat.btimeSeconds, stat.btimeNanoseconds, bigint)
  return stats
}

function setTime(stats: Record<string, unknown>, name: string, seconds: number, ns: number, bigint: boolean): void {
  stats[name] = new Date(seconds * 1000 + Math.floor(ns / 1_000_000))
  if (!bigint) {
    stats[`${name}Ms`] = seconds * 1000 + ns / 1_000_000
    return
  }
  const nanoseconds = BigInt(seconds) * 1_000_000_000n + BigInt(ns)
  stats[`${name}Ns`] = nanoseconds
  stats[`${name}Ms`] = nanoseconds / 1_000_000n
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
