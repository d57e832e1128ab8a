/** Tests of attributes: getattr, setattr, extended attributes, statfs. */
import { bytesOf, Change, Changes, Mode, Stat, StatFs, Xattr } from '@vmexit/vfs'
import type { TestDefinition } from '../suite.ts'
import { type FileSystemSubject, inode, said } from './subject.ts'

type Test = TestDefinition<FileSystemSubject>

/** All of them. */
export const attributeTests: readonly Test[] = [
  {
    name: 'getattr says what the inode says, and sizes in blocks of 512 bytes',
    section: 'getattr',
    run(subject, expect) {
      const f = subject.file('f')
      subject.write(f, 'x'.repeat(5000))
      const stat = subject.stat(f)
      const { ino, mode, nlink, uid, gid, size, rdev } = stat
      expect(
        [ino, mode, nlink, uid, gid, size, rdev],
        [f.ino, f.mode, 1, 0, 0, 5000, 0],
        'stat(2) and the inode differ',
      )
      expect(stat.blocks * 512 >= 5000, true, 'du(1) counts too little')
      expect([stat.btimeSeconds === 1_000_000 || stat.btimeSeconds === -1, stat.blksize > 0], [true, true], 'statx(2)')
      const inos = [f, subject.root, subject.directory('d'), subject.file('g')].map((each) => each.ino)
      expect(new Set(inos).size, 4, 'two files have one number')
    },
  },
  {
    name: 'setattr changes what the mask names and nothing else, keeps the type, and stamps ctime',
    section: 'setattr',
    run({ fs, time }, expect) {
      const f = inode(fs.create(fs.root, 'f', Mode.IFREG | 0o644, 1, 2, 0))
      const changes = new Changes()
      const stat = new Stat()
      const state = () => {
        fs.getattr(f, stat)
        return [stat.mode & 0o7777, stat.uid, stat.gid, stat.atimeSeconds, stat.mtimeSeconds, stat.mode & Mode.IFMT]
      }
      const expected = [0o644, 1, 2, 1_000_000, 1_000_000, Mode.IFREG]
      const set = (mask: number) => {
        time.advance(1)
        changes.mask = mask
        expect(fs.setattr(f, changes), 0, 'an attribute cannot be changed')
        fs.getattr(f, stat)
        expect(stat.ctimeSeconds, time.seconds, 'ctime does not move')
      }
      Object.assign(changes, { mode: Mode.IFDIR | 0o6711, uid: 70_000, gid: 4_000_000_000 })
      Object.assign(changes, {
        atimeSeconds: -5,
        atimeNanoseconds: 999_999_999,
        mtimeSeconds: 2 ** 33,
        mtimeNanoseconds: 7,
      })
      for (const [mask, index, value] of [
        [Change.MODE, 0, 0o6711],
        [Change.UID, 1, 70_000],
        [Change.GID, 2, 4_000_000_000],
        [Change.ATIME, 3, -5],
        [Change.MTIME, 4, 2 ** 33],
      ] as const) {
        set(mask)
        expected[index] = value
        expect(state(), expected, 'another attribute changes')
      }
      expect([stat.atimeNanoseconds, stat.mtimeNanoseconds], [999_999_999, 7], 'nanoseconds are lost')
    },
  },
  {
    name: 'extended attributes keep their values, CREATE and REPLACE what they say; or there are none',
    section: 'getxattr, setxattr, listxattr, removexattr',
    run(subject, expect) {
      const { fs } = subject
      const f = subject.file('f')
      const value = bytesOf('\0\xffvalue')
      if (said(fs.setxattr(f, 'user.a', value, 0)) === 'EOPNOTSUPP') return
      value[0] = 9
      expect(fs.getxattr(f, 'user.a'), bytesOf('\0\xffvalue'), 'a value is not its own')
      expect(said(fs.setxattr(f, 'user.a', value, Xattr.XATTR_CREATE)), 'EEXIST', 'CREATE replaces')
      expect(said(fs.setxattr(f, 'user.b', value, Xattr.XATTR_REPLACE)), 'ENODATA', 'REPLACE creates')
      expect(fs.setxattr(f, 'trusted.\xff', new Uint8Array(0), Xattr.XATTR_CREATE), 0, 'an empty value')
      expect(fs.setxattr(f, 'user.a', bytesOf('new'), Xattr.XATTR_REPLACE), 0, 'a value cannot be replaced')
      expect([...(fs.listxattr(f) as readonly string[])].sort(), ['trusted.\xff', 'user.a'], 'the list of names')
      expect([fs.getxattr(f, 'user.a'), fs.getxattr(f, 'trusted.\xff')], [bytesOf('new'), new Uint8Array(0)], 'values')
      expect([fs.removexattr(f, 'user.a'), said(fs.removexattr(f, 'user.a'))], [0, 'ENODATA'], 'removal')
      expect(said(fs.getxattr(f, 'user.a')), 'ENODATA', 'a removed attribute is there')
    },
  },
  {
    name: 'extended attributes belong to the inode, whatever its names',
    section: 'setxattr',
    run(subject, expect) {
      const { fs, root, time } = subject
      const d = subject.directory('d')
      if (said(fs.setxattr(d, 'user.a', bytesOf('1'), 0)) === 'EOPNOTSUPP') return
      time.advance(1)
      fs.setxattr(d, 'user.b', bytesOf('2'), 0)
      expect(subject.stat(d).ctimeSeconds, time.seconds, 'ctime does not move')
      fs.rename(root, 'd', root, 'e', 0, 0, 0)
      expect(fs.getxattr(inode(fs.lookup(root, 'e')), 'user.a'), bytesOf('1'), 'a rename loses attributes')
      expect(said(fs.getxattr(subject.directory('d'), 'user.a')), 'ENODATA', 'a new directory has those of an old one')
    },
  },
  {
    name: 'statfs counts what is taken',
    section: 'statfs',
    run(subject, expect) {
      const [before, after] = [new StatFs(), new StatFs()]
      subject.fs.statfs(before)
      subject.write(subject.file('f'), 'x'.repeat(100_000))
      subject.fs.statfs(after)
      const limited = after.blocks > 0
      expect(!limited || before.bfree - after.bfree >= 100_000 / after.bsize, true, 'df(1) shows no change')
      expect([after.namelen, after.blocks], [subject.fs.maxNameBytes, before.blocks], 'statfs(2)')
    },
  },
]
