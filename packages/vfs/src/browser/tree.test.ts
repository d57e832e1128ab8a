import { isVmexitError } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import {
  Change,
  Changes,
  FIRST_COOKIE,
  type FileSystem,
  type Inode,
  isDirectory,
  Mode,
  makeDevice,
  Seek,
  SettableTime,
  Stat,
  TmpFs,
} from '../index.ts'
import { indexedDbStore, loadTree, opfsStore, saveTree, type TreeStore } from './index.ts'

const { IFREG, IFCHR, IFIFO } = Mode

function made(answer: Inode | number): Inode {
  if (typeof answer === 'number') throw new Error(`answered ${answer}`)
  return answer
}

const tmpfs = (seconds = 1000): FileSystem => new TmpFs({ time: new SettableTime(seconds, 5), sizeBytes: 1 << 24 })

/** A tree with all kinds of things in it. */
function manyThings(): FileSystem {
  const fs = tmpfs()
  const dir = made(fs.mkdir(fs.root, 'd', 0o2750, 1, 2))
  const file = made(fs.create(dir, '\xff name', IFREG | 0o4755, 3, 4, 0))
  fs.write(file, new TextEncoder().encode('hello'), 0, 5, 0)
  fs.link(file, fs.root, 'hard')
  fs.setxattr(file, 'user.a', new Uint8Array([0, 255, 128]), 0)
  const sparse = made(fs.create(fs.root, 'sparse', IFREG | 0o600, 0, 0, 0))
  fs.write(sparse, new Uint8Array(10).fill(7), 0, 10, 5_000_000)
  fs.truncate(sparse, 10_000_000_000)
  made(fs.symlink(dir, 'l', '../\xfe', 5, 6))
  made(fs.create(fs.root, 'null', IFCHR | 0o666, 0, 0, makeDevice(1, 3)))
  made(fs.create(fs.root, 'pipe', IFIFO | 0o600, 0, 0, 0))
  const changes = Object.assign(new Changes(), { mask: Change.ATIME | Change.MTIME })
  Object.assign(changes, { atimeSeconds: 1, atimeNanoseconds: 2, mtimeSeconds: -3, mtimeNanoseconds: 4 })
  for (const inode of [file, dir]) fs.setattr(inode, changes)
  return fs
}

/** Everything of a tree that is to be kept, by path. */
function described(fs: FileSystem): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  const numbers = new Map<Inode, number>()
  const visit = (inode: Inode, path: string) => {
    if (!numbers.has(inode)) numbers.set(inode, numbers.size)
    const stat = new Stat()
    fs.getattr(inode, stat)
    const {
      mode,
      nlink,
      uid,
      gid,
      rdev,
      size,
      blocks,
      atimeSeconds,
      atimeNanoseconds,
      mtimeSeconds,
      mtimeNanoseconds,
    } = stat
    const data = new Uint8Array(100)
    const start = (mode & Mode.IFMT) === IFREG ? fs.seek(inode, 0, Seek.SEEK_DATA) : -1
    found[path] = {
      ...{ number: numbers.get(inode), mode, nlink, uid, gid, rdev, size, blocks },
      ...{ atimeSeconds, atimeNanoseconds, mtimeSeconds, mtimeNanoseconds, start },
      target: (mode & Mode.IFMT) === Mode.IFLNK ? fs.readlink(inode) : undefined,
      data: start < 0 ? undefined : [fs.read(inode, data, 0, 100, start), ...data],
      xattrs: (fs.listxattr(inode) as string[]).map((name) => [name, fs.getxattr(inode, name)]),
    }
    if (!isDirectory(mode)) return
    const names: string[] = []
    fs.readdir(inode, FIRST_COOKIE, { entry: (name) => names.push(name) > 0 })
    for (const name of names.sort()) visit(made(fs.lookup(inode, name)), `${path}/${name}`)
  }
  visit(fs.root, '')
  return found
}

describe('a saved tree', () => {
  test('is loaded as it was: names, owners, times, links, holes, attributes', async () => {
    const [fs, copy] = [manyThings(), tmpfs(5000)]
    const blob = saveTree(fs)
    expect(blob.size).toBeLessThan(20_000)
    await loadTree(blob, copy)
    expect(described(copy)).toEqual(described(fs))
  })

  test('of files larger than what is held at a time, and of more directories in each other than a stack has room for', async () => {
    const [fs, copy] = [tmpfs(), tmpfs()]
    const bytes = Uint8Array.from({ length: 9_000_000 }, (_, i) => (i * 2654435761) >>> 24)
    fs.write(made(fs.create(fs.root, 'large', IFREG | 0o644, 0, 0, 0)), bytes, 0, bytes.length, 3)
    let dir: Inode = fs.root
    for (let i = 0; i < 20_000; i++) dir = made(fs.mkdir(dir, 'd', 0o755, 0, 0))
    await loadTree(saveTree(fs), copy)
    const read = new Uint8Array(bytes.length)
    expect(copy.read(made(copy.lookup(copy.root, 'large')), read, 0, bytes.length, 3)).toBe(bytes.length)
    expect(read.every((byte, i) => byte === bytes[i])).toBe(true)
    dir = copy.root
    for (let i = 0; i < 20_000; i++) dir = made(copy.lookup(dir, 'd'))
  })

  test('that is none, is cut off or has been tampered with is an error that says so', async () => {
    const whole = saveTree(manyThings())
    const text = await whole.text()
    const at = text.lastIndexOf('}') + 1
    const header = (inodes: unknown) => {
      const json = new TextEncoder().encode(JSON.stringify({ inodes }))
      const prefix = new Uint8Array(12)
      prefix.set(new TextEncoder().encode('VMXTREE1'))
      new DataView(prefix.buffer).setUint32(8, json.length, true)
      return new Blob([prefix, json])
    }
    const times = [0, 0, 0, 0]
    const root = (entries: unknown) => ({ mode: 0o40755, uid: 0, gid: 0, times, entries })
    const bad = [
      new Blob([]),
      new Blob(['hello, what is this?']),
      whole.slice(0, at - 10),
      whole.slice(0, whole.size - 5),
      header({}),
      header([{ ...root([]), mode: 0o100644 }]),
      header([root([['..', 1]]), root([])]),
      header([root([['a/b', 1]]), root([])]),
      header([root([['a', 7]])]),
      header([
        root([
          ['a', 1],
          ['b', 1],
        ]),
        root([]),
      ]),
      header([root([['a', 0]])]),
      ...[null, 7, [null], [{}], [{ ...root([]), times: [0, 0, 0] }], [{ ...root([]), uid: -1 }]].map(header),
      header([root([['a', 1]]), { mode: 0o100644, uid: 0, gid: 0, times, size: 1, extents: [[-1, 1]] }]),
      header([root([['a', 1]]), { mode: 0o644, uid: 0, gid: 0, times }]),
      header([root([['a', 1]]), { mode: 0o120777, uid: 0, gid: 0, times, target: 'x\u0100' }]),
    ]
    for (const blob of bad) {
      const error = await loadTree(blob, tmpfs()).catch((thrown: unknown) => thrown)
      expect(isVmexitError(error, 'vfs-tree'), `${error}`).toBe(true)
    }
  })

  test('that does not fit says which file did not', async () => {
    const small = new TmpFs({ time: new SettableTime(), sizeBytes: 4096 })
    const error = await loadTree(saveTree(manyThings()), small).catch((thrown: unknown) => thrown)
    expect(`${error}`).toContain('could not be made (ENOSPC)')
  })
})

/** Saves, and opens the store anew for each step as a page does that has been loaded again. */
async function visits(open: () => Promise<TreeStore>): Promise<void> {
  const name = 'a/name: %'
  await (await open()).remove(name)
  expect(await (await open()).load(name, tmpfs())).toBe(false)
  await (await open()).save(name, manyThings())
  const second = tmpfs()
  expect(await (await open()).load(name, second)).toBe(true)
  expect(described(second)).toEqual(described(manyThings()))
  second.unlink(second.root, 'sparse')
  await (await open()).save(name, second)
  const third = tmpfs()
  expect(await (await open()).load(name, third)).toBe(true)
  expect(described(third)).toEqual(described(second))
  expect(await (await open()).names()).toEqual([name])
  await (await open()).remove(name)
  expect(await (await open()).names()).toEqual([])
}

const inBrowsers = globalThis.indexedDB !== undefined

test.runIf(inBrowsers)('the origin private file system keeps trees from visit to visit (in browsers)', async () => {
  await visits(async () => {
    const root = await navigator.storage.getDirectory()
    return opfsStore(await root.getDirectoryHandle('trees', { create: true }))
  })
})

test.runIf(inBrowsers)('IndexedDB keeps trees from visit to visit (in browsers)', async () => {
  await visits(async () => indexedDbStore('trees'))
})
