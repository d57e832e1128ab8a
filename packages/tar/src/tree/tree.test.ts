import {
  At,
  type File,
  Mode,
  makeDevice,
  Open,
  type Path,
  SettableTime,
  Stat,
  type TaskContext,
  TmpFs,
  Vfs,
} from '@vmexit/vfs'
import { describe, expect, it } from 'vitest'
import { collect } from '../../test/collect.ts'
import {
  END_OF_ARCHIVE,
  encodeEntry,
  packTree,
  paddingAfter,
  type TarEntryToWrite,
  TarReader,
  Unpacker,
} from '../index.ts'

interface Tree {
  readonly vfs: Vfs
  readonly task: TaskContext
  readonly fs: TmpFs
}

function emptyTree(sizeBytes?: number): Tree {
  const time = new SettableTime(1_000_000)
  const vfs = new Vfs({ time })
  const fs = new TmpFs({ time, ...(sizeBytes === undefined ? {} : { sizeBytes }) })
  const task = vfs.newTask(vfs.newTree(fs))
  task.umask = 0
  return { vfs, task, fs }
}

function write({ vfs, task }: Tree, name: string, text: string, position = 0): void {
  const file = vfs.open(task, null, name, Open.O_CREAT | Open.O_WRONLY, 0o644) as File
  vfs.pwrite(task, file, new TextEncoder().encode(text), 0, text.length, position)
  vfs.close(file)
}

function read({ vfs, task }: Tree, name: string): string | number {
  const file = vfs.open(task, null, name, Open.O_RDONLY)
  if (typeof file === 'number') return file
  const into = new Uint8Array(1000)
  const text = new TextDecoder().decode(into.subarray(0, vfs.read(file, into)))
  vfs.close(file)
  return text
}

function stat({ vfs, task }: Tree, name: string): Stat | number {
  const into = new Stat()
  const answer = vfs.stat(task, null, name, into, At.AT_SYMLINK_NOFOLLOW)
  return answer < 0 ? answer : into
}

function pack(tree: Tree, whiteouts: 'plain' | 'overlay' = 'plain'): Uint8Array {
  return Uint8Array.from([...packTree({ ...tree, whiteouts })].flatMap((piece) => [...piece]))
}

function unpack(tree: Tree, archive: Uint8Array, whiteouts: 'plain' | 'overlay' = 'plain'): void {
  const unpacker = new Unpacker({ ...tree, whiteouts })
  const reader = new TarReader(unpacker)
  reader.push(archive)
  reader.finish()
  unpacker.finish()
}

function archiveOf(...entries: [TarEntryToWrite, string?][]): Uint8Array {
  const parts = entries.flatMap(([entry, text = '']) => {
    const data = new TextEncoder().encode(text)
    return [...encodeEntry({ size: data.length, ...entry }), ...data, ...paddingAfter(data.length)]
  })
  return Uint8Array.from([...parts, ...END_OF_ARCHIVE])
}

describe('a tree', () => {
  it('comes back from its archive as it was, and gives the same archive again', () => {
    const tree = emptyTree()
    const { vfs, task } = tree
    vfs.mkdir(task, null, '/d', 0o1777)
    write(tree, '/d/f', 'hello')
    vfs.chown(task, null, '/d/f', 5, 6)
    vfs.chmod(task, null, '/d/f', 0o4711)
    vfs.setxattr(task, vfs.lookup(task, null, '/d/f') as Path, 'user.x', Uint8Array.of(1, 0))
    vfs.link(task, null, '/d/f', null, '/z')
    vfs.symlink(task, '../gone', null, '/d/s')
    vfs.mknod(task, null, '/d/null', Mode.IFCHR | 0o666, makeDevice(1, 3))
    vfs.mknod(task, null, '/d/pipe', Mode.IFIFO | 0o600)
    vfs.mknod(task, null, '/d/socket', Mode.IFSOCK | 0o600)
    write(tree, '/sparse', 'far', 10_000_000)
    write(tree, '/\u00ff\u00fe', '')
    vfs.utimens(task, null, '/d', [
      { seconds: 1, nanoseconds: 2 },
      { seconds: -3, nanoseconds: 4 },
    ])
    const archive = pack(tree)
    expect(archive.length).toBeLessThan(32_768)

    const copy = emptyTree()
    unpack(copy, archive)
    expect(read(copy, '/z')).toBe('hello')
    expect(stat(copy, '/z')).toMatchObject({
      uid: 5,
      gid: 6,
      mode: Mode.IFREG | 0o4711,
      nlink: 2,
      mtimeSeconds: 1_000_000,
    })
    expect(stat(copy, '/d')).toMatchObject({ mode: Mode.IFDIR | 0o1777, mtimeSeconds: -3, mtimeNanoseconds: 4 })
    expect(stat(copy, '/d/null')).toMatchObject({ mode: Mode.IFCHR | 0o666, rdev: makeDevice(1, 3) })
    expect(copy.vfs.readlink(copy.task, null, '/d/s')).toBe('../gone')
    expect(stat(copy, '/sparse')).toMatchObject({ size: 10_000_003, blocks: 8 })
    expect(stat(copy, '/d/socket')).toBe(-2)
    expect(copy.vfs.getxattr(copy.task, copy.vfs.lookup(copy.task, null, '/z') as Path, 'user.x')).toEqual(
      Uint8Array.of(1, 0),
    )
    expect(pack(copy)).toEqual(archive)
  })
})

describe('one file or folder', () => {
  it('is packed alone, under the name that it is given', () => {
    const tree = emptyTree()
    tree.vfs.mkdir(tree.task, null, '/d', 0o750)
    write(tree, '/d/f', 'inside')
    write(tree, '/other', 'outside')
    tree.vfs.link(tree.task, null, '/d/f', null, '/d/g')
    const only = (path: string, name: string): Uint8Array =>
      Uint8Array.from([...packTree({ ...tree, only: { path, name } })].flatMap((piece) => [...piece]))
    const copy = emptyTree()
    unpack(copy, only('/d', 'new'))
    unpack(copy, only('/other', 'file'))
    expect([read(copy, '/new/f'), read(copy, '/file'), (stat(copy, '/new') as Stat).mode & 0o777]).toEqual([
      ...['inside', 'outside', 0o750],
    ])
    expect((stat(copy, '/new/g') as Stat).nlink).toBe(2)
    expect([stat(copy, '/d'), stat(copy, '/other')].map((each) => typeof each)).toEqual(['number', 'number'])
  })
})

describe('an archive', () => {
  it('cannot lead out of the root, nor write through a link', () => {
    const tree = emptyTree()
    const { vfs, task } = tree
    vfs.mkdir(task, null, '/jail', 0o755)
    write(tree, '/outside', 'untouched')
    const inside = vfs.fork(task)
    vfs.chroot(inside, null, '/jail')
    vfs.chdir(inside, null, '/')
    const jail: Tree = { ...tree, task: inside }
    expect(() => unpack(jail, archiveOf([{ type: 'file', name: '../outside', mode: 0o644 }, 'x']))).toThrow(
      'leads upwards',
    )
    unpack(
      jail,
      archiveOf(
        [{ type: 'symlink', name: 'up', mode: 0o777, target: '../../..' }],
        [{ type: 'file', name: 'up/outside', mode: 0o644 }, 'inside'],
        [{ type: 'symlink', name: 'last', mode: 0o777, target: '/outside' }],
        [{ type: 'file', name: 'last', mode: 0o644 }, 'replaced'],
        [{ type: 'file', name: '/absolute', mode: 0o644 }, 'here'],
      ),
    )
    expect(read(tree, '/outside')).toBe('untouched')
    expect(read(jail, '/outside')).toBe('inside')
    expect(read(jail, '/last')).toBe('replaced')
    expect(read(tree, '/jail/absolute')).toBe('here')
  })

  it('replaces what is in the way, a directory and all below it too', () => {
    const tree = emptyTree()
    const { vfs, task } = tree
    vfs.mkdir(task, null, '/d', 0o755)
    write(tree, '/d/old', 'old')
    write(tree, '/f', 'old')
    unpack(
      tree,
      archiveOf([{ type: 'file', name: 'd', mode: 0o644 }, 'new'], [{ type: 'directory', name: 'f', mode: 0o700 }]),
    )
    expect(read(tree, '/d')).toBe('new')
    expect(stat(tree, '/f')).toMatchObject({ mode: Mode.IFDIR | 0o700 })
  })

  it('that is too large is refused by the quota, by name', () => {
    const small = emptyTree(8192)
    expect(() => unpack(small, archiveOf([{ type: 'file', name: 'big', mode: 0o644 }, 'x'.repeat(20_000)]))).toThrow(
      "cannot write 'big': ENOSPC",
    )
  })

  it('of deep names takes a step for each part, not for each pair of them', () => {
    const tree = emptyTree()
    const deep = 'a/'.repeat(2000)
    const { vfs } = tree
    let parts = 0
    for (const call of ['lookup', 'mkdir'] as const) {
      const original = vfs[call].bind(vfs) as (task: TaskContext, at: Path | null, path: string, last?: number) => never
      vfs[call] = (task: TaskContext, at: Path | null, path: string, last?: number) => {
        parts += path.split('/').filter((part) => part !== '').length
        return original(task, at, path, last)
      }
    }
    unpack(
      tree,
      archiveOf(
        ...Array.from({ length: 100 }, (_, n): [TarEntryToWrite] => [{ type: 'file', name: `${n}/${deep}f`, mode: 0 }]),
      ),
    )
    expect(read(tree, `/99/${deep}f`)).toBe('')
    // Looked up, made, looked up again.
    expect(parts).toBe(3 * 100 * 2001)
  })

  it('that names a file twice, as a link to itself, keeps it', () => {
    const tree = emptyTree()
    unpack(
      tree,
      archiveOf(
        [{ type: 'file', name: 'a', mode: 0o644 }, 'once'],
        [{ type: 'hardlink', name: './a', mode: 0o644, target: 'a', size: 0 }],
      ),
    )
    expect(read(tree, '/a')).toBe('once')
    expect(stat(tree, '/a')).toMatchObject({ nlink: 1 })
  })

  it('with a hard link to nothing says so', () => {
    const archive = archiveOf([{ type: 'hardlink', name: 'a', mode: 0, target: 'b', size: 0 }])
    expect(() => unpack(emptyTree(), archive)).toThrow("cannot link to 'b' 'a': ENOENT")
  })
})

describe('whiteouts of an image layer', () => {
  it('become those of an overlay, and names again', () => {
    const tree = emptyTree()
    const archive = archiveOf(
      [{ type: 'file', name: 'd/.wh.gone', mode: 0 }],
      [{ type: 'file', name: 'd/.wh..wh..opq', mode: 0 }],
      [
        {
          type: 'file',
          name: 'd/kept',
          mode: 0o644,
          attributes: new Map([['trusted.overlay.redirect', Uint8Array.of(0x2f)]]),
        },
        'k',
      ],
      [{ type: 'file', name: 'd/.wh.kept', mode: 0 }],
    )
    unpack(tree, archive, 'overlay')
    const { vfs, task } = tree
    const attribute = (name: string, key: string): Uint8Array | number =>
      vfs.getxattr(task, vfs.lookup(task, null, name) as Path, key)
    expect(stat(tree, '/d/gone')).toMatchObject({ mode: Mode.IFCHR, rdev: 0 })
    expect(attribute('/d', 'trusted.overlay.opaque')).toEqual(Uint8Array.of(0x79))
    expect(read(tree, '/d/kept')).toBe('k')
    expect(attribute('/d/kept', 'trusted.overlay.redirect')).toBe(-61)
    const names = collect(pack(tree, 'overlay')).map(({ entry }) => entry.name)
    expect(names).toEqual(['d', 'd/.wh..wh..opq', 'd/.wh.gone', 'd/kept'])
    expect(collect(pack(tree)).map(({ entry }) => entry.name)).toEqual(['d', 'd/gone', 'd/kept'])
  })

  it.each([
    ['before it', ['.wh.d', 'd', 'd/new']],
    ['behind it', ['d', 'd/new', '.wh.d']],
    ['before what is in it', ['.wh.d', 'd/new']],
  ])('hide a lower directory below one of the same layer, %s', (_where, names) => {
    const tree = emptyTree()
    const entries = names.map((name): [TarEntryToWrite] => [
      { type: name === 'd' ? 'directory' : 'file', name, mode: 0o755 },
    ])
    unpack(tree, archiveOf(...entries), 'overlay')
    expect(read(tree, '/d/new')).toBe('')
    const packed = collect(pack(tree, 'overlay')).map(({ entry }) => entry.name)
    expect(packed).toEqual(['d', 'd/.wh..wh..opq', 'd/new'])
  })
})
