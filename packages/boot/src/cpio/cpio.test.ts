import { describe, expect, test } from 'vitest'
import { codeOf } from '../../test/machine.ts'
import type { CpioEntry } from './entry.ts'
import { readCpio } from './read.ts'
import { concatenateArchives, writeCpio } from './write.ts'

const text = (value: string) => new TextEncoder().encode(value)
const file = (path: string, contents = path): CpioEntry => ({ kind: 'file', path, bytes: text(contents) })
const common = { mode: 0o644, uid: 0, gid: 0, mtime: 0 }

const everything: readonly CpioEntry[] = [
  { kind: 'directory', path: 'dev' },
  { kind: 'character', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
  { kind: 'block', path: 'dev/sda', mode: 0o660, gid: 6, major: 8, minor: 0 },
  { kind: 'file', path: 'init', mode: 0o755, mtime: 1_577_836_800, bytes: text('#!/bin/sh\n') },
  { kind: 'symlink', path: 'linuxrc', target: 'init' },
  { kind: 'fifo', path: 'run' },
  { kind: 'socket', path: 'sock', mode: 0o777, uid: 1000 },
  { kind: 'file', path: 'with\u00e4', bytes: new Uint8Array(0) },
]

test('what is written is read again, with what was left out filled in', () => {
  const modes: Partial<Record<CpioEntry['kind'], number>> = { directory: 0o755, symlink: 0o777 }
  const expected = everything.map((entry) => ({
    ...common,
    ...(modes[entry.kind] && { mode: modes[entry.kind] }),
    ...entry,
  }))
  expect(readCpio(writeCpio(everything))).toEqual(expected)
})

test('the same entries give the same bytes, in whatever order', () => {
  expect(writeCpio(everything.toReversed())).toEqual(writeCpio(everything))
  expect(writeCpio(everything).length % 512).toBe(0)
})

test('a header is what cpio and Linux expect', () => {
  const header = String.fromCharCode(...writeCpio([file('abc', 'hello')]).subarray(0, 124))
  expect(header).toBe(
    '070701' +
      '00000001' +
      '000081a4' +
      '00000000'.repeat(2) +
      '00000001' +
      '00000000' +
      '00000005' +
      '00000000'.repeat(4) +
      '00000004' +
      '00000000' +
      'abc\0\0\0' +
      'hello\0\0\0',
  )
})

test('directories above a file are made, since Linux would leave the file out', () => {
  expect(
    readCpio(writeCpio([file('./usr/share/x'), file('/bin/sh')])).map(({ kind, path }) => `${kind} ${path}`),
  ).toEqual(['directory bin', 'file bin/sh', 'directory usr', 'directory usr/share', 'file usr/share/x'])
})

test('a file may have several names; the last has the contents', () => {
  const entries: readonly CpioEntry[] = [
    { kind: 'link', path: 'bin/a', target: 'bin/busybox' },
    { ...file('bin/busybox', 'program'), mode: 0o755 },
    { kind: 'link', path: 'bin/z', target: '/bin/busybox' },
  ]
  const read = readCpio(writeCpio(entries)).slice(1)
  expect(read.map(({ kind, path, mode }) => [kind, path, mode])).toEqual([
    ['link', 'bin/a', 0o755],
    ['link', 'bin/busybox', 0o755],
    ['file', 'bin/z', 0o755],
  ])
  expect(read[0]).toMatchObject({ target: 'bin/z' })
  expect(read[2]).toMatchObject({ bytes: text('program') })
})

test('several archives are one initrd', () => {
  const odd = writeCpio([file('a')]).subarray(0, -1)
  const all = concatenateArchives(odd, Uint8Array.of(), writeCpio([file('b')]), Uint8Array.of())
  expect(readCpio(all).map(({ path }) => path)).toEqual(['a', 'b'])
  expect(all.length % 4).toBe(0)
})

describe('refuses to write', () => {
  test.each([
    ['a path that leaves the archive', [file('../etc/passwd')], 'cpio-path'],
    ['a path that is empty', [file('/')], 'cpio-path'],
    ['a path with a zero', [file('a\0b')], 'cpio-path'],
    ['a path of 5,000 characters', [file('a'.repeat(5000))], 'cpio-path'],
    ['the name of the trailer', [file('TRAILER!!!')], 'cpio-path'],
    ['a path twice', [file('a'), file('./a')], 'cpio-path'],
    ['a file within a file', [file('a'), file('a/b')], 'cpio-path'],
    ['a link to nothing', [{ kind: 'link', path: 'a', target: 'b' }], 'cpio-path'],
    [
      'a link to a directory',
      [
        { kind: 'directory', path: 'b' },
        { kind: 'link', path: 'a', target: 'b' },
      ],
      'cpio-path',
    ],
    ['an owner below 0', [{ ...file('a'), uid: -1 }], 'cpio-size'],
    ['a time after 2106', [{ ...file('a'), mtime: 2 ** 32 }], 'cpio-size'],
  ] as const)('%s', (_, entries, code) => {
    expect(codeOf(() => writeCpio(entries as readonly CpioEntry[]))).toBe(code)
  })
})

describe('refuses to read', () => {
  const archive = writeCpio(everything)
  test.each([
    ['something else', text('x'.repeat(200))],
    ['an archive without trailer', archive.subarray(0, 124)],
    ['an archive cut off within a header', archive.subarray(0, 50)],
    ['a damaged number', archive.map((byte, i) => (i === 20 ? 0x7a : byte))],
    ['a file that is longer than the archive', archive.map((byte, i) => (i === 54 ? 0x66 : byte))],
    ['a file of no type', archive.map((byte, i) => (i === 18 ? 0x30 : byte))],
  ])('%s', (_, bytes) => {
    expect(codeOf(() => readCpio(bytes))).toBe('cpio-archive')
  })

  test('any cut of an archive, except behind its trailer', () => {
    const trailer = archive.findLastIndex((byte) => byte !== 0) + 2
    for (let length = 1; length < trailer; length++) {
      expect(codeOf(() => readCpio(archive.subarray(0, length)))).toBe('cpio-archive')
    }
  })
})
