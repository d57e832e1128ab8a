/** Mistakes that file systems have: each is found by a test of the suite. */
import {
  type Changes,
  type DirectoryVisitor,
  Errno,
  FIRST_COOKIE,
  type Inode,
  isDirectory,
  Mode,
  TmpFs,
  type TmpInode,
} from '@vmexit/vfs'
import { expect, test } from 'vitest'
import { ConformanceError } from '../suite.ts'
import type { LimitedFileSystemFactory } from './subject.ts'
import { fileSystemConformance } from './suite.ts'

type Options = ConstructorParameters<typeof TmpFs>[0]

/** A tmpfs with one mistake each, and a word of the test that is to find it. */
const mutants: Readonly<Record<string, readonly [found: string, new (options: Options) => TmpFs]>> = {
  'a rename that forgets the file it replaces': [
    'a rename takes the inode along',
    class extends TmpFs {
      override rename(...[oldDir, oldName, newDir, newName, ...rest]: Parameters<TmpFs['rename']>) {
        const target = this.lookup(newDir, newName)
        const links = typeof target === 'number' ? 0 : target.nlink
        const answer = super.rename(oldDir, oldName, newDir, newName, ...rest)
        if (typeof target !== 'number' && !isDirectory(target.mode)) target.nlink = links
        return answer
      }
    },
  ],
  'cookies that are counted from the beginning': [
    'entries that stay are seen once',
    class extends TmpFs {
      override readdir(dir: TmpInode, cookie: number, visitor: DirectoryVisitor) {
        let at = FIRST_COOKIE
        return super.readdir(dir, FIRST_COOKIE, {
          entry: (name, ino, type) => ++at <= cookie || visitor.entry(name, ino, type, at),
        })
      }
    },
  ],
  'a cut that leaves the data there': [
    'what is cut off is gone',
    class extends TmpFs {
      override truncate(inode: TmpInode, size: number) {
        if (size >= inode.size || size === 0) return super.truncate(inode, size)
        inode.size = size
        return 0
      }
    },
  ],
  'a write that does not stamp': [
    'writing and cutting stamp',
    class extends TmpFs {
      override write(inode: TmpInode, ...rest: [Uint8Array, number, number, number]) {
        const { mtimeSeconds, ctimeSeconds } = inode
        const answer = super.write(inode, ...rest)
        Object.assign(inode, { mtimeSeconds, ctimeSeconds })
        return answer
      }
    },
  ],
  'a write that fails after it has grown the file': [
    'space that ends in the middle of a write',
    class extends TmpFs {
      override write(inode: TmpInode, from: Uint8Array, start: number, length: number, position: number) {
        const answer = super.write(inode, from, start, length, position)
        inode.size = Math.max(inode.size, position + length)
        return answer
      }
    },
  ],
  'a setattr that changes the type': [
    'setattr changes what the mask names',
    class extends TmpFs {
      override setattr(inode: TmpInode, changes: Changes) {
        const answer = super.setattr(inode, changes)
        if (changes.mask & 1) inode.mode = changes.mode
        return answer
      }
    },
  ],
  'data that go with the last name although the file is open': [
    'files without names live',
    class extends TmpFs {
      override unlink(dir: TmpInode, name: string) {
        const inode = this.lookup(dir, name)
        const answer = super.unlink(dir, name)
        if (typeof inode !== 'number' && inode.nlink === 0) super.truncate(inode, 0)
        return answer
      }
    },
  ],
  'a full directory that is removed': [
    'only empty directories go',
    class extends TmpFs {
      override rmdir(dir: TmpInode, name: string) {
        const answer = super.rmdir(dir, name)
        return answer === -Errno.ENOTEMPTY ? 0 : answer
      }
    },
  ],
  'names in one case': [
    'names are bytes',
    class extends TmpFs {
      override lookup(dir: TmpInode, name: string) {
        return super.lookup(dir, name.toLowerCase())
      }
      override create(dir: TmpInode, name: string, ...rest: [number, number, number, number]) {
        return super.create(dir, name.toLowerCase(), ...rest)
      }
    },
  ],
  'two objects for one inode': [
    'what is made is found, the same each time',
    class extends TmpFs {
      override lookup(dir: TmpInode, name: string) {
        const found = super.lookup(dir, name)
        return typeof found === 'number' ? found : (Object.create(found) as TmpInode)
      }
    },
  ],
  'a hole that holds what was there before': [
    'fallocate grows, punches and zeroes',
    class extends TmpFs {
      override fallocate() {
        return 0
      }
    },
  ],
  'a new directory that is not empty': [
    'random sequences',
    class extends TmpFs {
      #made = 0
      override mkdir(...given: Parameters<TmpFs['mkdir']>) {
        const made = super.mkdir(...given)
        if (typeof made !== 'number' && ++this.#made === 3) this.create(made, 'lost', Mode.IFREG, 0, 0, 0)
        return made
      }
    },
  ],
  'numbers that are handed out twice': [
    'getattr says what the inode says',
    class extends TmpFs {
      override getattr(inode: Inode, ...rest: [never]) {
        const answer = super.getattr(inode as TmpInode, ...rest)
        ;(rest[0] as { ino: number }).ino = 7
        return answer
      }
    },
  ],
}

test.each(Object.entries(mutants))('%s', (_, [word, Mutant]) => {
  const make: LimitedFileSystemFactory = (time, { bytes, inodes }) => {
    const size = bytes === undefined ? {} : { sizeBytes: bytes }
    return new Mutant({ time, mode: 0o755, ...size, ...(inodes === undefined ? {} : { inodes }) })
  }
  const suite = fileSystemConformance(make, { manyEntries: 100, random: { sequences: 3, operations: 300 } })
  const failed = suite.filter(({ run }) => {
    try {
      run()
      return false
    } catch (error) {
      expect(error).toBeInstanceOf(ConformanceError)
      return true
    }
  })
  expect(failed.map(({ name }) => name)).toContainEqual(expect.stringContaining(word))
})
