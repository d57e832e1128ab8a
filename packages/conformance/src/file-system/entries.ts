/** Tests of entries: what comes and goes in directories, with its link counts and times. */
import { type Inode, Mode, makeDevice, Rename } from '@vmexit/vfs'
import type { TestDefinition } from '../suite.ts'
import { type FileSystemSubject, inode, said } from './subject.ts'

type Test = TestDefinition<FileSystemSubject>

/** Whether a directory's link count is that of so many subdirectories, or is not kept. */
function linksAreRight(dir: Inode, subdirectories: number): boolean {
  return dir.nlink === 1 || dir.nlink === 2 + subdirectories
}

const making: readonly Test[] = [
  {
    name: 'what is made is found, the same each time, and has the mode, owner and device that it was given',
    section: 'lookup, create',
    run({ fs, root }, expect) {
      const made = inode(fs.create(root, 'f', Mode.IFREG | 0o4751, 7, 8, 0))
      expect(fs.lookup(root, 'f') === made, true, 'one file is two')
      expect([made.mode, made.uid, made.gid, made.nlink, made.size], [Mode.IFREG | 0o4751, 7, 8, 1, 0], 'a new file')
      const node = inode(fs.create(root, 'n', Mode.IFBLK | 0o600, 0, 0, makeDevice(8, 300)))
      expect([node.mode, node.rdev], [Mode.IFBLK | 0o600, makeDevice(8, 300)], 'a device is another one')
      for (const type of [Mode.IFIFO, Mode.IFSOCK, Mode.IFCHR]) {
        expect(inode(fs.create(root, `t${type}`, type | 0o644, 0, 0, 0)).mode, type | 0o644, 'a node has another type')
      }
      expect(said(fs.lookup(root, 'absent')), 'ENOENT', 'what was never made is there')
    },
  },
  {
    name: 'a name that is taken stays what it is',
    section: 'EEXIST of create, mkdir, symlink, link',
    run(subject, expect) {
      const { fs, root } = subject
      const f = subject.file('f')
      const d = subject.directory('d')
      for (const name of ['f', 'd']) {
        expect(said(fs.create(root, name, Mode.IFREG, 0, 0, 0)), 'EEXIST', 'create replaces a file')
        expect(said(fs.mkdir(root, name, 0o755, 0, 0)), 'EEXIST', 'mkdir replaces a file')
        expect(said(fs.symlink(root, name, 'x', 0, 0)), 'EEXIST', 'symlink replaces a file')
        expect(said(fs.link(f, root, name)), 'EEXIST', 'link replaces a file')
      }
      expect([f.nlink, linksAreRight(root, 1)], [1, true], 'a failed call counts')
      expect([fs.lookup(root, 'f') === f, fs.lookup(root, 'd') === d], [true, true], 'a failed call replaces')
    },
  },
  {
    name: 'names are bytes: all but / and 0, up to 255 of them, and upper case is not lower case',
    section: 'Names',
    run(subject, expect) {
      const every = Array.from({ length: 255 }, (_, i) => String.fromCharCode(i + 1)).filter((byte) => byte !== '/')
      const names = [
        ...every.filter((byte) => byte !== '.'),
        'x'.repeat(255),
        '\xff\xfe',
        '...',
        'a',
        'A',
        '\u00c3\u00a9',
      ]
      const made = new Map(
        names.filter((name, i) => names.indexOf(name) === i).map((name) => [name, subject.file(name)]),
      )
      expect(subject.names(), [...made.keys()].sort(), 'a name comes back as another')
      for (const [name, file] of made)
        expect(subject.fs.lookup(subject.root, name) === file, true, 'names are mixed up')
    },
  },
  {
    name: 'a symbolic link keeps its target byte for byte',
    section: 'symlink, readlink',
    run({ fs, root }, expect) {
      for (const [i, target] of ['x', '/a/../\xff\xfe', 'y'.repeat(200), 'z'.repeat(4095)].entries()) {
        const link = inode(fs.symlink(root, `l${i}`, target, 5, 6))
        expect(fs.readlink(link), target, 'a link leads elsewhere')
        expect(
          [link.mode, link.size, link.uid, link.gid],
          [Mode.IFLNK | 0o777, target.length, 5, 6],
          'a link’s attributes',
        )
      }
    },
  },
  {
    name: 'directories count their subdirectories, or do not count at all',
    section: 'Inode.nlink',
    run(subject, expect) {
      const { fs, root } = subject
      const d = subject.directory('d')
      subject.directory('e', d)
      subject.file('f', d)
      expect([linksAreRight(root, 1), linksAreRight(d, 1)], [true, true], 'find(1) overlooks directories')
      fs.rmdir(d, 'e')
      expect(linksAreRight(d, 0), true, 'find(1) overlooks directories')
    },
  },
]

const removing: readonly Test[] = [
  {
    name: 'a file lives while it has a name, and its names are one file',
    section: 'link, unlink',
    run(subject, expect) {
      const { fs, root } = subject
      const f = subject.file('f')
      const d = subject.directory('d')
      expect(fs.link(f, d, 'g'), 0, 'a file gets no second name')
      expect([f.nlink, fs.lookup(d, 'g') === f], [2, true], 'the second name is another file')
      subject.write(f, 'both')
      expect(fs.unlink(root, 'f'), 0, 'a name cannot be removed')
      expect([said(fs.lookup(root, 'f')), f.nlink], ['ENOENT', 1], 'the removed name is there')
      expect(subject.read(inode(fs.lookup(d, 'g'))), 'both', 'a file goes with one of its names')
      expect(said(fs.unlink(root, 'f')), 'ENOENT', 'a name is removed twice')
    },
  },
  {
    name: 'only empty directories go',
    section: 'rmdir',
    run(subject, expect) {
      const { fs, root } = subject
      const d = subject.directory('d')
      subject.file('f', d)
      expect(said(fs.rmdir(root, 'd')), 'ENOTEMPTY', 'a directory goes with what is in it')
      expect(subject.names(d), ['f'], 'a failed rmdir removes')
      fs.unlink(d, 'f')
      expect([fs.rmdir(root, 'd'), said(fs.lookup(root, 'd')), d.nlink], [0, 'ENOENT', 0], 'an empty directory stays')
      expect(said(fs.rmdir(root, 'd')), 'ENOENT', 'a directory is removed twice')
    },
  },
  {
    name: 'what comes and goes in a directory stamps it; what stays is not stamped',
    section: 'Times',
    run(subject, expect) {
      const { fs, root, time } = subject
      const keep = subject.file('keep')
      const steps: readonly (() => unknown)[] = [
        () => subject.file('f'),
        () => subject.directory('d'),
        () => fs.symlink(root, 'l', 't', 0, 0),
        () => fs.link(keep, root, 'k2'),
        () => fs.rename(root, 'f', root, 'g', 0, 0, 0),
        () => fs.unlink(root, 'g'),
        () => fs.rmdir(root, 'd'),
      ]
      for (const [i, step] of steps.entries()) {
        time.advance(1, 5)
        step()
        const { mtimeSeconds, ctimeSeconds, mtimeNanoseconds } = subject.stat(root)
        const now = [time.seconds, time.seconds, time.nanoseconds]
        expect([mtimeSeconds, ctimeSeconds, mtimeNanoseconds], now, `make(1) misses change ${i} of a directory`)
      }
      expect(subject.stat(keep).ctimeSeconds, 1_000_004, 'a new name is no change of the file')
      expect(subject.stat(keep).mtimeSeconds, 1_000_000, 'a new name is a change of the contents')
    },
  },
  {
    name: 'files without names live while they are open, and may get a name',
    section: 'open, release, tmpfile',
    run(subject, expect) {
      const { fs, root } = subject
      const f = subject.file('f')
      subject.write(f, 'still here')
      expect([fs.open(f, 0), fs.open(f, 0), fs.unlink(root, 'f')], [0, 0, 0], 'open')
      fs.release(f)
      expect(
        [subject.read(f), subject.write(f, 'STILL'), subject.read(f)],
        ['still here', 5, 'STILL here'],
        'data are lost',
      )
      fs.release(f)
      const nameless = fs.tmpfile(root, Mode.IFREG | 0o600, 1, 2)
      if (nameless === -95) return
      const t = inode(nameless)
      expect([fs.open(t, 0), t.nlink, subject.names()], [0, 0, []], 'a nameless file has a name')
      subject.write(t, 'named')
      expect([fs.link(t, root, 't'), t.nlink], [0, 1], 'a nameless file gets no name')
      fs.release(t)
      expect(subject.read(inode(fs.lookup(root, 't'))), 'named', 'data are lost')
    },
  },
]

const moving: readonly Test[] = [
  {
    name: 'a rename takes the inode along and replaces what was there',
    section: 'rename',
    run(subject, expect) {
      const { fs, root } = subject
      const [f, g, d] = [subject.file('f'), subject.file('g'), subject.directory('d')]
      fs.link(g, root, 'g2')
      expect(fs.rename(root, 'f', d, 'f', 0, 0, 0), 0, 'a file cannot be moved')
      expect([said(fs.lookup(root, 'f')), fs.lookup(d, 'f') === f], ['ENOENT', true], 'a moved file')
      expect(fs.rename(d, 'f', root, 'g', 0, 0, 0), 0, 'a file cannot be replaced')
      expect([fs.lookup(root, 'g') === f, g.nlink, f.nlink, subject.names(d)], [true, 1, 1, []], 'a replaced file')
    },
  },
  {
    name: 'directories move with what is in them, and only empty ones are replaced',
    section: 'rename',
    run(subject, expect) {
      const { fs, root } = subject
      const [a, b] = [subject.directory('a'), subject.directory('b')]
      const [c, d] = [subject.directory('c', a), subject.directory('d', b)]
      subject.file('f', c)
      subject.file('g', d)
      expect(said(fs.rename(a, 'c', b, 'd', 0, 0, 0)), 'ENOTEMPTY', 'a full directory is replaced')
      expect([subject.names(c), subject.names(d)], [['f'], ['g']], 'a failed rename loses files')
      fs.unlink(d, 'g')
      expect(fs.rename(a, 'c', b, 'd', 0, 0, 0), 0, 'an empty directory cannot be replaced')
      expect([fs.lookup(b, 'd') === c, subject.names(c), subject.names(a)], [true, ['f'], []], 'a moved directory')
      expect(
        [linksAreRight(a, 0), linksAreRight(b, 1), linksAreRight(root, 2), d.nlink],
        [true, true, true, 0],
        'link counts',
      )
    },
  },
  {
    name: 'RENAME_NOREPLACE, RENAME_EXCHANGE and RENAME_WHITEOUT do what they say, or are EINVAL',
    section: 'rename',
    run(subject, expect) {
      const { fs, root } = subject
      const [f, g, d] = [subject.file('f'), subject.file('g'), subject.directory('d')]
      const e = subject.directory('e', d)
      const kept = fs.rename(root, 'f', root, 'g', Rename.RENAME_NOREPLACE, 0, 0)
      expect(['EEXIST', 'EINVAL'].includes(said(kept)), true, 'NOREPLACE replaces')
      expect([fs.lookup(root, 'f') === f, fs.lookup(root, 'g') === g], [true, true], 'NOREPLACE replaces')
      const exchanged = fs.rename(root, 'f', d, 'e', Rename.RENAME_EXCHANGE, 0, 0)
      if (said(exchanged) !== 'EINVAL') {
        expect([exchanged, fs.lookup(root, 'f') === e, fs.lookup(d, 'e') === f], [0, true, true], 'EXCHANGE')
        expect([linksAreRight(root, 2), linksAreRight(d, 0)], [true, true], 'link counts after EXCHANGE')
        expect(said(fs.rename(root, 'f', d, 'none', Rename.RENAME_EXCHANGE, 0, 0)), 'ENOENT', 'EXCHANGE with nothing')
      }
      const left = fs.rename(root, 'g', root, 'h', Rename.RENAME_WHITEOUT, 3, 4)
      if (said(left) === 'EINVAL') return
      const whiteout = inode(fs.lookup(root, 'g'))
      expect(
        [whiteout.mode & Mode.IFMT, whiteout.rdev, whiteout.uid, whiteout.gid],
        [Mode.IFCHR, 0, 3, 4],
        'a whiteout',
      )
      expect(fs.lookup(root, 'h') === g, true, 'WHITEOUT loses the file')
    },
  },
]

/** All of them. */
export const entryTests: readonly Test[] = [...making, ...removing, ...moving]
