/** Record locks, locks of open files, and flock: fcntl(2), flock(2). */
import { describe, expect, test } from 'vitest'
import { Bench, ok, said } from '../../test/bench.ts'
import { type File, Flock, LockType, NOT_YET, Open, Seek } from '../index.ts'

const { F_RDLCK, F_UNLCK, F_WRLCK } = LockType

/** A file of 100 bytes, and two processes. */
function locked() {
  const bench = new Bench()
  const f = bench.open('/f', Open.O_CREAT | Open.O_RDWR)
  ok(bench.vfs.ftruncate(bench.task, f, 100))
  const [a, b] = [{ name: 'a' }, { name: 'b' }]
  const set = (owner: object, type: number, start: number, length: number, file: File = f, wake?: () => void) =>
    said(bench.vfs.setLock(file, owner, { type, start, length }, wake))
  const get = (owner: object, type: number, start: number, length: number) => {
    const lock = bench.vfs.getLock(f, owner, { type, start, length })
    if (lock === null || typeof lock === 'number') return lock
    return [lock.owner, lock.type, lock.start, lock.end]
  }
  return { bench, vfs: bench.vfs, f, a, b, set, get }
}

describe('record locks', () => {
  test('share reading and exclude writing, byte by byte', () => {
    const { a, b, set, get } = locked()
    expect([set(a, F_RDLCK, 0, 10), set(b, F_RDLCK, 5, 10), set(b, F_WRLCK, 10, 5)]).toEqual(['ok', 'ok', 'ok'])
    expect([set(a, F_WRLCK, 4, 2), set(a, F_RDLCK, 14, 1), set(a, F_WRLCK, 0, 5), set(a, F_WRLCK, 15, 0)]).toEqual([
      'EAGAIN',
      'EAGAIN',
      'ok',
      'ok',
    ])
    expect(get(b, F_WRLCK, 0, 0)).toEqual([a, F_WRLCK, 0, 5])
    expect(get(b, F_RDLCK, 5, 5)).toBe(null)
    expect(get(b, F_RDLCK, 20, 1)).toEqual([a, F_WRLCK, 15, Infinity])
  })

  test('of one owner split, change and join', () => {
    const { a, b, set, get } = locked()
    set(a, F_WRLCK, 0, 30)
    set(a, F_UNLCK, 10, 10)
    expect([set(b, F_WRLCK, 10, 10), set(b, F_WRLCK, 9, 1), set(b, F_WRLCK, 20, 1)]).toEqual(['ok', 'EAGAIN', 'EAGAIN'])
    set(b, F_UNLCK, 0, 0)
    set(a, F_RDLCK, 5, 10)
    set(a, F_RDLCK, 15, 15)
    expect(get(b, F_WRLCK, 6, 0)).toEqual([a, F_RDLCK, 5, 30])
    expect(get(b, F_RDLCK, 0, 0)).toEqual([a, F_WRLCK, 0, 5])
  })

  test('are counted from the start, the position or the end, also backwards', () => {
    const { vfs, f, a, b, get } = locked()
    vfs.lseek(f, 50, Seek.SEEK_SET)
    const set = (whence: number, start: number, length: number) =>
      said(vfs.setLock(f, a, { type: F_WRLCK, whence, start, length }))
    expect([set(Seek.SEEK_CUR, -5, 2), get(b, F_RDLCK, 0, 0)]).toEqual(['ok', [a, F_WRLCK, 45, 47]])
    expect([set(Seek.SEEK_END, -10, -5), get(b, F_RDLCK, 60, 0)]).toEqual(['ok', [a, F_WRLCK, 85, 90]])
    expect([set(Seek.SEEK_SET, 3, -4), set(Seek.SEEK_CUR, -51, 1), set(9, 0, 1)]).toEqual([
      'EINVAL',
      'EINVAL',
      'EINVAL',
    ])
    expect(set(Seek.SEEK_SET, Number.MAX_SAFE_INTEGER, 5)).toBe('EOVERFLOW')
  })

  test('need a descriptor that reads or writes, and go when the process closes any of its descriptors', () => {
    const { bench, vfs, f, a, b, set } = locked()
    const [reader, path] = [bench.open('/f', Open.O_RDONLY), bench.open('/f', Open.O_PATH)]
    expect([set(a, F_WRLCK, 0, 1, reader), set(a, F_RDLCK, 0, 1, path), set(a, F_WRLCK, 0, 1, f)]).toEqual([
      'EBADF',
      'EBADF',
      'ok',
    ])
    expect([set(a, F_RDLCK, 5, 1, reader), set(b, F_WRLCK, 0, 1)]).toEqual(['ok', 'EAGAIN'])
    vfs.close(reader, a)
    expect(set(b, F_WRLCK, 0, 10)).toBe('ok')
  })

  test('that wait are NOT_YET, and are woken when it is worth trying again', () => {
    const { vfs, f, a, b, set } = locked()
    let woken = 0
    set(a, F_WRLCK, 0, 10)
    const wait = () => vfs.setLock(f, b, { type: F_WRLCK, start: 5, length: 1 }, () => woken++)
    expect(wait()).toBe(NOT_YET)
    set(a, F_UNLCK, 0, 5)
    expect([woken, wait()]).toEqual([1, NOT_YET])
    set(a, F_UNLCK, 5, 5)
    expect([woken, wait()]).toEqual([2, 0])
  })

  test('that would wait for each other are EDEADLK, over any number of processes and files', () => {
    const { bench, vfs, f, a, b, set } = locked()
    const g = bench.open('/g', Open.O_CREAT | Open.O_RDWR)
    const c = { name: 'c' }
    const wait = (owner: object, file: File, start: number) =>
      vfs.setLock(file, owner, { type: F_WRLCK, start, length: 1 }, () => {})
    for (const [owner, file, start] of [
      [a, f, 1],
      [b, f, 2],
      [c, g, 3],
    ] as const)
      set(owner, F_WRLCK, start, 1, file)
    expect([wait(a, f, 2), wait(b, g, 3), said(wait(c, f, 1))]).toEqual([NOT_YET, NOT_YET, 'EDEADLK'])
    vfs.forgetWait(b)
    expect(wait(c, f, 1)).toBe(NOT_YET)
  })

  test('of open files belong to the file, and to its last descriptor', () => {
    const { bench, vfs, f, a, set } = locked()
    const g = bench.open('/f')
    const twin = vfs.dup(g)
    expect([set(g, F_WRLCK, 0, 10, g), set(f, F_WRLCK, 0, 1), set(a, F_WRLCK, 9, 1)]).toEqual([
      'ok',
      'EAGAIN',
      'EAGAIN',
    ])
    vfs.close(g, a)
    expect(set(f, F_WRLCK, 0, 1)).toBe('EAGAIN')
    vfs.close(twin)
    expect(set(f, F_WRLCK, 0, 1)).toBe('ok')
  })
})

describe('flock', () => {
  const { LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN } = Flock

  test('shares or excludes by open file, converts, and does not meet record locks', () => {
    const { bench, vfs, f, a, set } = locked()
    const g = bench.open('/f')
    const lock = (file: File, operation: number) => said(vfs.flock(file, operation | LOCK_NB))
    expect([lock(f, LOCK_SH), lock(g, LOCK_SH), lock(f, LOCK_EX)]).toEqual(['ok', 'ok', 'EAGAIN'])
    // The conversion that failed has given up the lock that it was to replace.
    expect([lock(g, LOCK_EX), lock(f, LOCK_SH), set(a, F_WRLCK, 0, 0)]).toEqual(['ok', 'EAGAIN', 'ok'])
    expect([lock(g, LOCK_UN), lock(f, LOCK_EX), lock(f, 16)]).toEqual(['ok', 'ok', 'EINVAL'])
  })

  test('waits, and goes with the last descriptor', () => {
    const { bench, vfs, f } = locked()
    const g = bench.open('/f')
    let woken = 0
    vfs.flock(f, LOCK_EX)
    expect(vfs.flock(g, LOCK_EX, () => woken++)).toBe(NOT_YET)
    vfs.close(f)
    expect([woken, vfs.flock(g, LOCK_EX)]).toEqual([1, 0])
  })
})
