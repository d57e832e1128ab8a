/** Tests of bad input, through the layer: the right error, nothing half done, nothing lost. */
import { At, byteStringOf, Mode, Open, Stat, Xattr } from '@vmexit/vfs'
import type { TestDefinition } from '../suite.ts'
import { type FileSystemSubject, said } from './subject.ts'

type Test = TestDefinition<FileSystemSubject>

const paths: readonly Test[] = [
  {
    name: 'loops of symbolic links are ELOOP for every call that follows them',
    section: 'path_resolution(7)',
    run({ vfs, task }, expect) {
      vfs.symlink(task, 'b', null, '/a')
      vfs.symlink(task, 'a', null, '/b')
      vfs.symlink(task, 'self/x', null, '/self')
      for (const path of ['/a', '/a/x', '/self', '/self/y']) {
        expect(said(vfs.open(task, null, path, Open.O_RDONLY)), 'ELOOP', 'open(2)')
        expect(said(vfs.stat(task, null, path, new Stat())), 'ELOOP', 'stat(2)')
        expect(said(vfs.chmod(task, null, path, 0)), 'ELOOP', 'chmod(2)')
        expect(said(vfs.truncate(task, path, 0)), 'ELOOP', 'truncate(2)')
      }
      expect(said(vfs.open(task, null, '/a', Open.O_CREAT | Open.O_WRONLY, 0o644)), 'ELOOP', 'open(2) with O_CREAT')
      expect(said(vfs.rename(task, null, '/a/x', null, '/y')), 'ELOOP', 'rename(2)')
      expect(vfs.readlink(task, null, '/a'), 'b', 'a loop is no link')
    },
  },
  {
    name: '40 links lead on and 41 do not',
    section: 'path_resolution(7)',
    run(subject, expect) {
      const { vfs, task } = subject
      subject.file('l0')
      for (let i = 1; i <= 41; i++) vfs.symlink(task, `l${i - 1}`, null, `/l${i}`)
      expect(said(vfs.stat(task, null, '/l40', new Stat())), 'ok', '40 links')
      expect(said(vfs.stat(task, null, '/l41', new Stat())), 'ELOOP', '41 links')
    },
  },
  {
    name: 'names have 255 bytes at most and paths 4095',
    section: 'path_resolution(7)',
    run(subject, expect) {
      const { vfs, task } = subject
      const [fits, long] = ['n'.repeat(255), 'n'.repeat(256)]
      for (const name of [long, `${long}/x`, `/${long}`]) {
        expect(said(vfs.mkdir(task, null, name, 0o755)), 'ENAMETOOLONG', 'mkdir(2)')
        expect(said(vfs.open(task, null, name, Open.O_CREAT, 0o644)), 'ENAMETOOLONG', 'open(2)')
        expect(said(vfs.stat(task, null, name, new Stat())), 'ENAMETOOLONG', 'stat(2)')
        expect(said(vfs.unlink(task, null, name)), 'ENAMETOOLONG', 'unlink(2)')
        expect(said(vfs.symlink(task, 'x', null, name)), 'ENAMETOOLONG', 'symlink(2)')
      }
      expect(vfs.mkdir(task, null, fits, 0o755), 0, '255 bytes do not fit')
      expect(said(vfs.rename(task, null, fits, null, long)), 'ENAMETOOLONG', 'rename(2)')
      expect(subject.names(), [fits], 'a failed call leaves something')
      const path = `${'./'.repeat(1920)}${fits}`
      expect([path.length, said(vfs.stat(task, null, path, new Stat()))], [4095, 'ok'], 'a path of 4095 bytes')
      expect(said(vfs.stat(task, null, `/${path}`, new Stat())), 'ENAMETOOLONG', 'a path of 4096 bytes')
      expect(said(vfs.symlink(task, 'x'.repeat(4096), null, '/l')), 'ENAMETOOLONG', 'a target of 4096 bytes')
    },
  },
  {
    name: '.. above the root is the root, and an empty path is nothing',
    section: 'path_resolution(7)',
    run(subject, expect) {
      const { vfs, task } = subject
      const f = subject.file('f')
      const stat = new Stat()
      for (const path of ['/..', '/../../f', '../f', '/./../..//f', '..']) {
        expect(vfs.stat(task, null, path, stat), 0, `${path} leads nowhere`)
        expect(stat.ino, path.endsWith('f') ? f.ino : subject.root.ino, `${path} leads elsewhere`)
      }
      expect(said(vfs.stat(task, null, '', stat)), 'ENOENT', 'an empty path')
      expect(said(vfs.mkdir(task, null, '', 0o755)), 'ENOENT', 'mkdir(2) of an empty path')
      expect(said(vfs.symlink(task, '', null, '/l')), 'ENOENT', 'an empty target')
      expect(vfs.stat(task, null, '', stat, At.AT_EMPTY_PATH), 0, 'AT_EMPTY_PATH')
    },
  },
  {
    name: 'slashes at the end ask for a directory',
    section: 'path_resolution(7)',
    run(subject, expect) {
      const { vfs, task } = subject
      subject.file('f')
      vfs.symlink(task, 'd', null, '/l')
      expect(vfs.mkdir(task, null, '/d//', 0o755), 0, 'mkdir(2)')
      expect(said(vfs.stat(task, null, '/f/', new Stat())), 'ENOTDIR', 'stat(2)')
      expect(said(vfs.open(task, null, '/f/', Open.O_RDONLY)), 'ENOTDIR', 'open(2)')
      expect(said(vfs.open(task, null, '/new/', Open.O_CREAT, 0o644)), 'EISDIR', 'open(2) with O_CREAT')
      expect(said(vfs.unlink(task, null, '/f/')), 'ENOTDIR', 'unlink(2)')
      expect(said(vfs.rename(task, null, '/f', null, '/g/')), 'ENOTDIR', 'rename(2)')
      expect(said(vfs.symlink(task, 'x', null, '/new/')), 'ENOENT', 'symlink(2)')
      expect(said(vfs.rmdir(task, null, '/l/')), 'ENOTDIR', 'rmdir(2) of a link')
      const stat = new Stat()
      vfs.stat(task, null, '/l/', stat, At.AT_SYMLINK_NOFOLLOW)
      expect(stat.mode & Mode.IFMT, Mode.IFDIR, 'a link with a slash is followed')
      expect(subject.names(), ['d', 'f', 'l'], 'a failed call leaves something')
    },
  },
]

const moves: readonly Test[] = [
  {
    name: 'a directory never comes below itself',
    section: 'rename(2)',
    run(subject, expect) {
      const { vfs, task } = subject
      for (const path of ['/a', '/a/b', '/a/b/c']) vfs.mkdir(task, null, path, 0o755)
      for (const to of ['/a/x', '/a/b/x', '/a/b/c', '/a/b/c/x']) {
        expect(said(vfs.rename(task, null, '/a', null, to)), 'EINVAL', 'a directory becomes its own ancestor')
      }
      expect(said(vfs.rename(task, null, '/a/b/c', null, '/a')), 'ENOTEMPTY', 'a directory replaces its ancestor')
      expect(said(vfs.rename(task, null, '/a/b/c', null, '/a', 2)), 'EINVAL', 'RENAME_EXCHANGE with an ancestor')
      expect(vfs.rename(task, null, '/a', null, '/a'), 0, 'a rename to itself')
      expect(said(vfs.stat(task, null, '/a/b/c', new Stat())), 'ok', 'a failed rename loses directories')
    },
  },
  {
    name: 'directories replace directories, and other files other files',
    section: 'rename(2)',
    run(subject, expect) {
      const { vfs, task } = subject
      subject.file('f')
      subject.directory('d')
      expect(said(vfs.rename(task, null, '/f', null, '/d')), 'EISDIR', 'a file replaces a directory')
      expect(said(vfs.rename(task, null, '/d', null, '/f')), 'ENOTDIR', 'a directory replaces a file')
      expect(said(vfs.rmdir(task, null, '/f')), 'ENOTDIR', 'rmdir(2) of a file')
      expect(said(vfs.unlink(task, null, '/d')), 'EISDIR', 'unlink(2) of a directory')
      expect(said(vfs.link(task, null, '/d', null, '/e')), 'EPERM', 'link(2) of a directory')
      expect(said(vfs.mkdir(task, null, '/f/x', 0o755)), 'ENOTDIR', 'a file is a directory')
      expect(said(vfs.rmdir(task, null, '/d/.')), 'EINVAL', 'rmdir(2) of .')
      expect(said(vfs.rmdir(task, null, '/d/..')), 'ENOTEMPTY', 'rmdir(2) of ..')
      expect(said(vfs.rename(task, null, '/d/.', null, '/e')), 'EBUSY', 'rename(2) of .')
      expect(said(vfs.rmdir(task, null, '/')), 'EBUSY', 'rmdir(2) of /')
      expect(subject.names(), ['d', 'f'], 'a failed call removes')
    },
  },
  {
    name: 'names of one file are not renamed into each other',
    section: 'rename(2)',
    run(subject, expect) {
      const { vfs, task } = subject
      subject.file('f')
      vfs.link(task, null, '/f', null, '/g')
      expect([vfs.rename(task, null, '/f', null, '/g'), subject.names()], [0, ['f', 'g']], 'a name is lost')
    },
  },
  {
    name: 'nothing is made in a directory that has been removed',
    section: 'rmdir(2)',
    run(subject, expect) {
      const { vfs, task } = subject
      vfs.mkdir(task, null, '/d', 0o755)
      const d = subject.open('/d', Open.O_RDONLY)
      vfs.rmdir(task, null, '/d')
      expect(said(vfs.mkdir(task, d.path, 'x', 0o755)), 'ENOENT', 'mkdir(2)')
      expect(said(vfs.open(task, d.path, 'x', Open.O_CREAT, 0o644)), 'ENOENT', 'open(2)')
      expect(said(vfs.symlink(task, 't', d.path, 'x')), 'ENOENT', 'symlink(2)')
      expect(said(vfs.getdents(d, { entry: () => true })), 'ENOENT', 'getdents(2)')
      vfs.close(d)
    },
  },
]

/** All of those that need no limits. */
export const badInputTests: readonly Test[] = [...paths, ...moves]

/** Those of file systems whose space can be limited. */
export const fullTests: readonly Test[] = [
  {
    name: 'space that ends in the middle of a write cuts it short, then it is an error, and what is freed can be used',
    section: 'write(2), ENOSPC, EDQUOT',
    run(unlimited, expect) {
      const subject = unlimited.limited({ bytes: 8 * 4096 })
      const { vfs, task, fs, root } = subject
      const f = subject.open('/f')
      const bytes = new Uint8Array(10 * 4096).fill(0x61)
      const count = vfs.write(task, f, bytes)
      expect([count > 0, count < bytes.length, f.inode.size], [true, true, count], 'a short write and the size differ')
      expect(['ENOSPC', 'EDQUOT', 'ENOMEM'].includes(said(vfs.write(task, f, bytes))), true, 'a full file system')
      expect(f.inode.size, count, 'a failed write changes the size')
      expect(vfs.pwrite(task, f, bytes, 0, 100, 0), 100, 'what is there cannot be overwritten')
      expect(subject.read(f.inode, count - 3), 'aaa', 'data are lost')
      vfs.close(f)
      vfs.unlink(task, null, '/f')
      const g = subject.file('g')
      expect(fs.write(g, bytes, 0, count, 0), count, 'space is lost')
      expect(subject.names(root), ['g'], 'the directory')
    },
  },
  {
    name: 'without inodes nothing is made, and what is freed can be made again',
    section: 'ENOSPC, EDQUOT',
    run(unlimited, expect) {
      const subject = unlimited.limited({ inodes: 4 })
      const { vfs, task } = subject
      for (const name of ['a', 'b', 'c']) subject.file(name)
      const full = (answer: unknown) => ['ENOSPC', 'EDQUOT', 'ENOMEM'].includes(said(answer))
      expect(full(vfs.mkdir(task, null, '/d', 0o755)), true, 'mkdir(2)')
      expect(full(vfs.open(task, null, '/d', Open.O_CREAT, 0o644)), true, 'open(2)')
      expect(full(vfs.symlink(task, 't', null, '/d')), true, 'symlink(2)')
      expect(full(vfs.rename(task, null, '/a', null, '/d', 4)), true, 'rename(2) with RENAME_WHITEOUT')
      expect(subject.names(), ['a', 'b', 'c'], 'a failed call leaves something')
      vfs.unlink(task, null, '/b')
      expect([vfs.mkdir(task, null, '/d', 0o755), subject.names()], [0, ['a', 'c', 'd']], 'an inode is lost')
    },
  },
  {
    name: 'an attribute that does not fit leaves the one that is there',
    section: 'setxattr(2), ENOSPC, EDQUOT',
    run(unlimited, expect) {
      const subject = unlimited.limited({ inodes: 3, bytes: 4096 })
      const { fs } = subject
      const f = subject.file('f')
      const small = new Uint8Array(10).fill(1)
      if (fs.setxattr(f, 'user.a', small, 0) < 0) return
      const answer = fs.setxattr(f, 'user.a', new Uint8Array(60_000), Xattr.XATTR_REPLACE)
      if (answer === 0) return
      const value = fs.getxattr(f, 'user.a')
      expect(typeof value === 'number' ? said(value) : byteStringOf(value), byteStringOf(small), 'a value is lost')
    },
  },
]
