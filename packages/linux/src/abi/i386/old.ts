/**
 * Calls that newer ones have replaced, by number (arch/x86/entry/syscalls/syscall_32.tbl): ids of sixteen bits, masks of one word, files of
 * 32 bits. Programs that were linked long ago make them, and small C libraries.
 */
import { At, type ByteString, Stat, StatFs } from '@vmexit/vfs'
import { Errno } from '../../errno.ts'
import { from, fstat, getdents, type PutEntry, stat } from '../../files/paths.ts'
import { oldSigaction, oldSigprocmask, oldSigsuspend, rtSigpending, setMask } from '../../signals/calls.ts'
import type { Task } from '../../system.ts'
import { setFileId, setgroups, setId, setIds, setReal, shownId } from '../../tasks/user-calls.ts'
import { bits, fd, int, path, pointer, size } from '../decoders.ts'
import { type CallRow, call } from '../table.ts'
import { chown, fchown, newselect } from './files.ts'
import { short, wide } from './short-ids.ts'
import { deviceWord } from './structs.ts'

const { AT_FDCWD, AT_SYMLINK_NOFOLLOW } = At
const MOST_SMALL = 0x7fff_ffff

function getShortIds(task: Task, which: 'u' | 'g', at: readonly number[], values: readonly number[]): number {
  for (const [n, address] of at.entries()) task.kernel.memory.set16(address, short(shownId(task, which, values[n]!)))
  return 0
}
function getgroups(task: Task, count: number, at: number): number {
  const { groups } = task.ids
  if (count < 0) return -Errno.EINVAL
  if (count === 0) return groups.length
  if (count < groups.length) return -Errno.EINVAL
  for (const [n, group] of groups.entries()) task.kernel.memory.set16(at + n * 2, short(shownId(task, 'g', group)))
  return groups.length
}
function setShortGroups(task: Task, count: number, at: number): number {
  return setgroups(task, count, at, (n) => wide(task.kernel.memory.get16(at + n * 2)) >>> 0)
}

/** `struct stat`: 64 bytes. What does not fit is EOVERFLOW. */
function writeStat(task: Task, at: number, found: Stat, answer: number): number {
  if (answer < 0) return answer
  if (found.size > MOST_SMALL) return -Errno.EOVERFLOW
  const view = new DataView(new ArrayBuffer(64))
  const words = [
    ...[deviceWord(found.rdev), found.size, found.blksize, found.blocks],
    ...[found.atimeSeconds, found.atimeNanoseconds, found.mtimeSeconds, found.mtimeNanoseconds],
    ...[found.ctimeSeconds, found.ctimeNanoseconds],
  ]
  view.setUint32(0, deviceWord(found.dev), true)
  view.setUint32(4, found.ino % 2 ** 32, true)
  for (const [n, value] of [found.mode, found.nlink, short(found.uid), short(found.gid)].entries())
    view.setUint16(8 + n * 2, value, true)
  for (const [n, word] of words.entries()) view.setUint32(16 + n * 4, word >>> 0, true)
  task.kernel.memory.write(at, new Uint8Array(view.buffer))
  return 0
}
const found = new Stat()

/** `struct statfs`: 64 bytes. */
function writeStatFs(task: Task, at: number, answer: number): number {
  if (answer < 0) return answer
  const { type, bsize, blocks, bfree, bavail, files, ffree, namelen } = foundFs
  if ([blocks, bfree, bavail, files, ffree].some((value) => value > 0xffff_ffff)) return -Errno.EOVERFLOW
  const words = Uint32Array.of(type, bsize, blocks, bfree, bavail, files, ffree, 0, 0, namelen, bsize, 0, 0, 0, 0, 0)
  task.kernel.memory.write(at, new Uint8Array(words.buffer))
  return 0
}
const foundFs = new StatFs()

function fstatfs(task: Task, file: number): number {
  const opened = task.files.get(file)
  if (opened === undefined) return -Errno.EBADF
  return opened.file?.inode.fs.statfs(foundFs) ?? -Errno.ENOSYS
}

/** `struct linux_dirent`: the type is its last byte. */
const putEntry: PutEntry = (view, at, name, ino, type, next) => {
  const bytes = (10 + name.length + 2 + 3) & ~3
  if (at + bytes > view.byteLength) return 0
  view.setUint32(at, ino % 2 ** 32, true)
  view.setUint32(at + 4, next, true)
  view.setUint16(at + 8, bytes, true)
  for (let n = 0; n < name.length; n++) view.setUint8(at + 10 + n, name.charCodeAt(n))
  view.setUint8(at + bytes - 1, type)
  return bytes
}

/** select(2) of old: its arguments lie in memory. */
function select(task: Task, at: number): number {
  const word = (n: number): number => task.kernel.memory.get32(at + n * 4)
  return newselect(task, word(0) | 0, word(1), word(2), word(3), word(4))
}

/** utime(2), utimes(2), futimesat(2): two times of `unit` nanoseconds behind whole seconds; at 0 it is now. */
function utimes(task: Task, place: number, name: ByteString, at: number, unit: number): number {
  const { memory, vfs } = task.kernel
  const step = unit === 0 ? 4 : 8
  const read = (n: number): { seconds: number; nanoseconds: number } => ({
    seconds: memory.get32(at + n * step) | 0,
    nanoseconds: unit === 0 ? 0 : (memory.get32(at + n * step + 4) | 0) * unit,
  })
  const values = at === 0 ? null : ([read(0), read(1)] as const)
  if (values?.some(({ nanoseconds }) => nanoseconds < 0 || nanoseconds > 999_999_999)) return -Errno.EINVAL
  return from(task, place, name, (start) => vfs.utimens(task.context, start, name, values, 0))
}

// biome-ignore format: a table
export const oldCalls: readonly CallRow[] = [
  call(16, 'lchown', [path, int, int], (t, p, u, g) => chown(t, AT_FDCWD, p, wide(u), wide(g), AT_SYMLINK_NOFOLLOW)),
  call(30, 'utime', [path, pointer], (t, p, a) => utimes(t, AT_FDCWD, p, a, 0)),
  call(46, 'setgid', [int], (t, id) => setId(t, 'g', wide(id))),
  call(67, 'sigaction', [int, pointer, pointer], oldSigaction),
  call(68, 'sgetmask', [], (t) => setMask(t)),
  call(69, 'ssetmask', [bits], setMask),
  call(70, 'setreuid', [int, int], (t, r, e) => setReal(t, 'u', wide(r), wide(e))),
  call(71, 'setregid', [int, int], (t, r, e) => setReal(t, 'g', wide(r), wide(e))),
  call(72, 'sigsuspend', [int, int, bits], (t, _a, _b, mask) => oldSigsuspend(t, mask)),
  call(73, 'sigpending', [pointer], (t, a) => rtSigpending(t, a, 4)),
  call(80, 'getgroups', [int, pointer], getgroups),
  call(81, 'setgroups', [int, pointer], setShortGroups),
  call(82, 'select', [pointer], select),
  call(95, 'fchown', [fd, int, int], (t, f, u, g) => fchown(t, f, wide(u), wide(g))),
  call(99, 'statfs', [path, pointer], (t, p, a) => writeStatFs(t, a, t.kernel.vfs.statfs(t.context, p, foundFs))),
  call(100, 'fstatfs', [fd, pointer], (t, f, a) => writeStatFs(t, a, fstatfs(t, f))),
  call(106, 'stat', [path, pointer], (t, p, a) => writeStat(t, a, found, stat(t, AT_FDCWD, p, 0, found))),
  call(107, 'lstat', [path, pointer], (t, p, a) => writeStat(t, a, found, stat(t, AT_FDCWD, p, AT_SYMLINK_NOFOLLOW, found))),
  call(108, 'fstat', [fd, pointer], (t, f, a) => writeStat(t, a, found, fstat(t, f, found))),
  call(126, 'sigprocmask', [int, pointer, pointer], oldSigprocmask),
  call(138, 'setfsuid', [int], (t, id) => short(setFileId(t, 'u', wide(id)))),
  call(139, 'setfsgid', [int], (t, id) => short(setFileId(t, 'g', wide(id)))),
  call(141, 'getdents', [fd, pointer, size], (t, f, a, n) => getdents(t, f, a, n, putEntry)),
  call(164, 'setresuid', [int, int, int], (t, r, e, s) => setIds(t, 'u', wide(r), wide(e), wide(s))),
  call(165, 'getresuid', [pointer, pointer, pointer], (t, a, b, c) => getShortIds(t, 'u', [a, b, c], [t.ids.uid, t.ids.euid, t.ids.suid])),
  call(170, 'setresgid', [int, int, int], (t, r, e, s) => setIds(t, 'g', wide(r), wide(e), wide(s))),
  call(171, 'getresgid', [pointer, pointer, pointer], (t, a, b, c) => getShortIds(t, 'g', [a, b, c], [t.ids.gid, t.ids.egid, t.ids.sgid])),
  call(182, 'chown', [path, int, int], (t, p, u, g) => chown(t, AT_FDCWD, p, wide(u), wide(g), 0)),
  call(271, 'utimes', [path, pointer], (t, p, a) => utimes(t, AT_FDCWD, p, a, 1000)),
  call(299, 'futimesat', [fd, path, pointer], (t, d, p, a) => utimes(t, d, p, a, 1000)),
]
