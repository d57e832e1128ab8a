import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { deviceSuite, pattern } from '../test/device-suite.ts'
import { Overlay } from './index.ts'
import { openCd, openDisk, openFile } from './node.ts'

const folder = mkdtempSync(join(tmpdir(), 'vmexit-block-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
function fileOf(bytes: Uint8Array): string {
  const path = join(folder, `${files++}.img`)
  writeFileSync(path, bytes)
  return path
}
const code = (code: string, words = '') => expect.objectContaining({ code, message: expect.stringContaining(words) })

describe('a disk in a file', () => {
  deviceSuite(() => openDisk(fileOf(new Uint8Array(300 * 512)), { writable: true }))

  test('what is written is in the file', () => {
    const path = fileOf(pattern(2048))
    using disk = openDisk(path, { writable: true })
    disk.write(2, new Uint8Array(512))
    disk.flush()
    const expected = pattern(2048)
    expected.fill(0, 1024, 1536)
    expect(new Uint8Array(readFileSync(path))).toEqual(expected)
  })

  test('it is read-only unless stated, and can be covered', () => {
    const path = fileOf(pattern(2048))
    using disk = openDisk(path)
    expect(disk.readOnly).toBe(true)
    expect(() => disk.write(0, new Uint8Array(512))).toThrow(code('block-read-only', path))
    const overlay = new Overlay(disk)
    overlay.write(0, new Uint8Array(512))
    expect(() => overlay.commit()).toThrow(code('block-read-only'))
    expect(new Uint8Array(readFileSync(path))).toEqual(pattern(2048))
    disk.flush()
  })

  test('a CD', () => {
    using cd = openCd(fileOf(pattern(4096)))
    expect([cd.sectors, cd.sectorBytes, cd.readOnly]).toEqual([2, 2048, true])
  })

  test('a last sector that is cut off is refused, or padded', () => {
    const path = fileOf(pattern(1000))
    expect(() => openDisk(path)).toThrow(code('block-size', path))
    using disk = openDisk(path, { pad: true })
    const into = new Uint8Array(512)
    disk.read(1, into)
    expect([disk.sectors, into[487], into[488]]).toEqual([2, pattern(1000)[999], 0])
  })
})

describe('what goes wrong with files names them', () => {
  test('no file, no regular file, no right', () => {
    expect(() => openDisk(join(folder, 'absent.img'))).toThrow(code('block-file', 'absent.img cannot be opened'))
    expect(() => openDisk(folder)).toThrow(code('block-file', 'is no regular file'))
    expect(() => openDisk(folder, { writable: true })).toThrow(code('block-file'))
    expect(() => openFile('/dev/null')).toThrow(code('block-file', 'is no regular file'))
  })

  test('a file that shrinks', () => {
    const path = fileOf(pattern(2048))
    using disk = openDisk(path)
    truncateSync(path, 700)
    expect(() => disk.read(1, new Uint8Array(1024))).toThrow(code('block-io', 'it ends at byte 700'))
  })

  test('a file that was closed', () => {
    const disk = openDisk(fileOf(pattern(2048)), { writable: true })
    disk[Symbol.dispose]()
    disk[Symbol.dispose]()
    expect(() => disk.read(0, new Uint8Array(512))).toThrow(code('block-io', 'it was closed'))
    expect(() => disk.write(0, new Uint8Array(512))).toThrow(code('block-io'))
    expect(() => disk.flush()).toThrow(code('block-io'))
  })
})
