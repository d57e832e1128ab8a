/** Tests of data: reading, writing, sizes, holes. */
import { byteStringOf, bytesOf, Fallocate, type Inode, Seek } from '@vmexit/vfs'
import { Random } from '../random.ts'
import type { TestDefinition } from '../suite.ts'
import { type FileSystemSubject, said } from './subject.ts'

type Test = TestDefinition<FileSystemSubject>

/** A whole file. */
function contents(subject: FileSystemSubject, file: Inode): Uint8Array {
  const bytes = new Uint8Array(file.size)
  subject.fs.read(file, bytes, 0, bytes.length, 0)
  return bytes
}

/** All of them. */
export const dataTests: readonly Test[] = [
  {
    name: 'what is written is read, and only where it was asked for',
    section: 'read, write',
    run(subject, expect) {
      const { fs } = subject
      const f = subject.file('f')
      expect(fs.write(f, bytesOf('..hello..'), 2, 5, 3), 5, 'part of a buffer is not written')
      expect(byteStringOf(contents(subject, f)), '\0\0\0hello', 'bytes before the first one written are not 0')
      const into = bytesOf('--------')
      expect(fs.read(f, into, 2, 4, 4), 4, 'part of a buffer is not read')
      expect(byteStringOf(into), '--ello--', 'a read overwrites what it should not')
      expect(
        [fs.read(f, into, 0, 8, 8), fs.read(f, into, 0, 8, 1000), f.size],
        [0, 0, 8],
        'there is data beyond the end',
      )
      expect(fs.read(f, into, 0, 8, 6), 2, 'a read at the end')
    },
  },
  {
    name: 'writes of any size at any place read back as from an array of bytes',
    section: 'read, write, truncate',
    run(subject, expect) {
      const random = new Random(42)
      const f = subject.file('f')
      let model = new Uint8Array(0)
      for (let i = 0; i < 300; i++) {
        const at = random.below(random.pick([10, 5000, 40_000]))
        const length = random.below(random.pick([3, 100, 9000]))
        if (random.below(6) === 0) {
          expect(subject.fs.truncate(f, at), 0, 'truncate fails')
          model = resized(model, at)
        } else if (length > 0) {
          const bytes = Uint8Array.from({ length }, () => random.below(256))
          expect(subject.fs.write(f, bytes, 0, length, at), length, 'write fails')
          model = resized(model, Math.max(model.length, at + length))
          model.set(bytes, at)
        }
        expect(f.size, model.length, `the size after step ${i}`)
        if (i % 10 === 0) expect(contents(subject, f), model, `the contents after step ${i}`)
      }
    },
  },
  {
    name: 'what is cut off is gone, and reads as zeros when the file grows again',
    section: 'truncate',
    run(subject, expect) {
      const f = subject.file('f')
      subject.write(f, 'secret'.repeat(2000))
      expect([subject.fs.truncate(f, 5001), f.size], [0, 5001], 'a file cannot be cut')
      expect([subject.fs.truncate(f, 9000), f.size], [0, 9000], 'a file cannot grow')
      expect(
        contents(subject, f)
          .subarray(5001)
          .every((byte) => byte === 0),
        true,
        'what was cut off comes back',
      )
      subject.fs.truncate(f, 0)
      subject.write(f, 'x', 4100)
      expect(
        contents(subject, f)
          .subarray(0, 4100)
          .every((byte) => byte === 0),
        true,
        'what was cut off comes back',
      )
    },
  },
  {
    name: 'a write far away makes a hole, which SEEK_DATA and SEEK_HOLE may see and which reads as zeros',
    section: 'seek',
    run(subject, expect) {
      const { fs } = subject
      const f = subject.file('f')
      const far = 1 << 22
      subject.write(f, 'x', far)
      const data = fs.seek(f, 0, Seek.SEEK_DATA)
      expect(data === 0 || (data > 0 && data <= far), true, 'SEEK_DATA passes data by')
      expect(fs.seek(f, far, Seek.SEEK_DATA), far, 'there is data')
      expect(fs.seek(f, far, Seek.SEEK_HOLE), far + 1, 'the end is a hole')
      expect(said(fs.seek(f, far + 1, Seek.SEEK_DATA)), 'ENXIO', 'SEEK_DATA at the end')
      expect(said(fs.seek(f, far + 1, Seek.SEEK_HOLE)), 'ENXIO', 'SEEK_HOLE at the end')
      expect(subject.read(f, far - 3, 10), '\0\0\0x', 'a hole is no zeros')
      expect(said(fs.seek(subject.file('empty'), 0, Seek.SEEK_DATA)), 'ENXIO', 'an empty file has data')
    },
  },
  {
    name: 'fallocate grows, punches and zeroes, or is EOPNOTSUPP and does nothing',
    section: 'fallocate',
    run(subject, expect) {
      const { fs } = subject
      const { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE } = Fallocate
      const f = subject.file('f')
      subject.write(f, 'abc'.repeat(5000))
      const before = contents(subject, f)
      const model = before.slice()
      const tried = [
        [FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 9000],
        [FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 12_000, 100_000],
        [FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 9200, 10],
        [FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 9300, 10],
      ] as const
      for (const [mode, offset, length] of tried) {
        const answer = fs.fallocate(f, mode, offset, length)
        if (answer === 0) model.fill(0, offset, offset + length)
        else expect(said(answer), 'EOPNOTSUPP', 'fallocate fails')
        expect([f.size, byteStringOf(contents(subject, f)) === byteStringOf(model)], [15_000, true], 'a punched hole')
      }
      const grown = fs.fallocate(f, 0, 14_000, 6000)
      if (grown < 0) expect(said(grown), 'EOPNOTSUPP', 'fallocate fails')
      expect(f.size, grown < 0 ? 15_000 : 20_000, 'the size after fallocate')
      const kept = fs.fallocate(f, FALLOC_FL_KEEP_SIZE, 30_000, 6000)
      if (kept < 0) expect(said(kept), 'EOPNOTSUPP', 'fallocate fails')
      expect(f.size, grown < 0 ? 15_000 : 20_000, 'KEEP_SIZE does not keep the size')
    },
  },
  {
    name: 'writing and cutting stamp mtime and ctime; reading stamps nothing by itself',
    section: 'Times',
    run(subject, expect) {
      const { fs, time } = subject
      const f = subject.file('f')
      const steps: readonly (readonly [() => unknown, stamps: boolean])[] = [
        [() => subject.write(f, 'x'), true],
        [() => subject.read(f), false],
        [() => fs.truncate(f, 0), true],
        [() => fs.truncate(f, 0), true],
        [() => fs.write(f, new Uint8Array(0), 0, 0, 0), false],
      ]
      for (const [step, stamps] of steps) {
        const before = subject.stat(f).mtimeSeconds
        time.advance(1)
        step()
        const { atimeSeconds, mtimeSeconds, ctimeSeconds } = subject.stat(f)
        const now = stamps ? time.seconds : before
        expect(
          [atimeSeconds, mtimeSeconds, ctimeSeconds],
          [1_000_000, now, now],
          'make(1) builds too much or too little',
        )
      }
      fs.accessed(f)
      expect(subject.stat(f).atimeSeconds, time.seconds, 'atime does not move')
    },
  },
]

function resized(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(length)
  result.set(bytes.subarray(0, length))
  return result
}
