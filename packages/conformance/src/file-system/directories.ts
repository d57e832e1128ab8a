/** Tests of reading directories: cookies that stay, and directories with very many entries. */
import { EntryType, FIRST_COOKIE, Mode } from '@vmexit/vfs'
import { Random } from '../random.ts'
import type { TestDefinition } from '../suite.ts'
import { type FileSystemSubject, inode, said } from './subject.ts'

type Test = TestDefinition<FileSystemSubject>

/** All of them; `many` is how many entries the large directory has. */
export function directoryTests(many: number): readonly Test[] {
  return [
    {
      name: 'entries have their names, numbers and types, and . and .. are not among them',
      section: 'readdir',
      run(subject, expect) {
        const { fs, root } = subject
        const made = [subject.file('f'), subject.directory('d'), inode(fs.symlink(root, 'l', 'f', 0, 0))]
        made.push(inode(fs.create(root, 'p', Mode.IFIFO | 0o644, 0, 0, 0)))
        const found: (readonly [string, number, number])[] = []
        const answer = fs.readdir(root, FIRST_COOKIE, {
          entry: (name, ino, type) => found.push([name, ino, type]) > 0,
        })
        found.sort(([a], [b]) => (a < b ? -1 : 1))
        const [f, d, l, p] = made.map(({ ino }) => ino)
        const { DT_DIR, DT_FIFO, DT_LNK, DT_REG } = EntryType
        const entries = [
          ['d', d, DT_DIR],
          ['f', f, DT_REG],
          ['l', l, DT_LNK],
          ['p', p, DT_FIFO],
        ]
        expect([answer, found], [0, entries], 'getdents(2) and stat(2) differ')
      },
    },
    {
      name: 'in pieces of any size each entry is seen once, and reading on from a cookie twice shows the same',
      section: 'readdir',
      run(subject, expect) {
        const { root } = subject
        const names = Array.from({ length: 100 }, (_, i) => `f${i}`)
        for (const name of names) subject.file(name)
        const whole = subject.list(root, FIRST_COOKIE, Infinity).names
        expect([...whole].sort(), [...names].sort(), 'entries are missing')
        for (const room of [1, 7, 99]) {
          const pieces: string[] = []
          for (let cookie = FIRST_COOKIE; ; ) {
            const { names: piece, next } = subject.list(root, cookie, room)
            expect(subject.list(root, cookie, room).names, piece, 'a cookie leads to two places')
            pieces.push(...piece)
            if (piece.length === 0) break
            cookie = next
          }
          expect(pieces, whole, 'pieces are not the whole')
        }
      },
    },
    {
      name: 'entries that stay are seen once, whatever comes and goes while the directory is read',
      section: 'readdir',
      run(subject, expect) {
        const { fs, root } = subject
        const random = new Random(7)
        for (let i = 0; i < 400; i++) subject.file(`f${i}`)
        const gone = new Set<string>()
        const seen: string[] = []
        for (let cookie = FIRST_COOKIE, step = 0; ; step++) {
          const { names, next } = subject.list(root, cookie, 1 + random.below(20))
          if (names.length === 0) break
          seen.push(...names)
          cookie = next
          for (let i = 0; i < 10; i++) {
            const name = `f${random.below(400)}`
            if (gone.has(name)) continue
            gone.add(name)
            fs.unlink(root, name)
          }
          if (step < 200) subject.file(`new${step}`)
        }
        const staying = Array.from({ length: 400 }, (_, i) => `f${i}`).filter((name) => !gone.has(name))
        const times = staying.map((name) => seen.filter((other) => other === name).length)
        expect(
          times,
          staying.map(() => 1),
          'rm -r misses files, or meets them twice',
        )
      },
    },
    {
      name: 'a directory can be emptied while it is read',
      section: 'readdir',
      run(subject, expect) {
        const { fs, root } = subject
        for (let i = 0; i < 1000; i++) subject.file(`f${i}`)
        for (let cookie = FIRST_COOKIE; ; ) {
          const { names, next } = subject.list(root, cookie, 50)
          if (names.length === 0) break
          for (const name of names) fs.unlink(root, name)
          cookie = next
        }
        expect(subject.names(), [], 'rm -r leaves files')
      },
    },
    {
      name: `${many} entries in one directory are found, read and removed one by one`,
      section: 'create, lookup, readdir, unlink',
      run(subject, expect) {
        const { fs, root } = subject
        const d = subject.directory('d')
        for (let i = 0; i < many; i++) subject.file(`f${i}`, d)
        expect(said(fs.create(d, `f${many - 1}`, Mode.IFREG, 0, 0, 0)), 'EEXIST', 'a name is there twice')
        let count = 0
        fs.readdir(d, FIRST_COOKIE, { entry: () => ++count > 0 })
        expect(count, many, 'entries are missing')
        let missing = 0
        for (let i = 0; i < many; i++) if (typeof fs.lookup(d, `f${(i * 7919) % many}`) === 'number') missing++
        expect(missing, 0, 'entries are not found')
        let { names } = subject.list(d, FIRST_COOKIE, many)
        for (const name of names) if (fs.unlink(d, name) < 0) missing++
        names = subject.names(d)
        expect([missing, names, fs.rmdir(root, 'd')], [0, [], 0], 'entries cannot be removed')
      },
    },
  ]
}
