import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isVmexitError } from '@vmexit/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Errno, FIRST_COOKIE, type Inode, Mode, Stat, StatFs } from '../index.ts'
import { type HostDirectory, hostDirectory } from './index.ts'

let path: string
let fs: HostDirectory
beforeEach(() => {
  path = mkdtempSync(join(realpathSync(tmpdir()), 'vmexit-vfs-'))
  fs = hostDirectory(path, { descriptors: 4 })
})
afterEach(() => {
  fs[Symbol.dispose]()
  rmSync(path, { recursive: true })
})

function at(...names: string[]): Inode {
  return names.reduce<Inode>((dir, name) => {
    const found = fs.lookup(dir, name)
    if (typeof found === 'number') throw new Error(`${name}: ${found}`)
    return found
  }, fs.root)
}

function statOf(inode: Inode): Stat {
  const stat = new Stat()
  expect(fs.getattr(inode, stat)).toBe(0)
  return stat
}

function textOf(inode: Inode): string | number {
  const into = new Uint8Array(100)
  const count = fs.read(inode, into, 0, 100, 0)
  return count < 0 ? count : new TextDecoder().decode(into.subarray(0, count))
}

function list(dir: Inode, cookie = FIRST_COOKIE, most = Number.POSITIVE_INFINITY) {
  const entries: [string, number, number][] = []
  let last = cookie
  const answer = fs.readdir(dir, cookie, {
    entry(name, ino, type, next) {
      if (entries.length >= most) return false
      entries.push([name, ino, type])
      last = next
      return true
    },
  })
  return { answer, entries, names: entries.map(([name]) => name), last }
}

const descriptorsOf = (under: string) =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return realpathSync(`/proc/self/fd/${fd}`).startsWith(under)
    } catch {
      return false
    }
  }).length

describe('what is there is shown', () => {
  test('files with their attributes, to the nanosecond, and their data', () => {
    writeFileSync(join(path, 'f'), 'hello')
    chmodSync(join(path, 'f'), 0o4750)
    utimesSync(join(path, 'f'), 5, 1_700_000_000.5)
    linkSync(join(path, 'f'), join(path, 'g'))
    const stat = statOf(at('f'))
    expect(stat).toMatchObject({ mode: Mode.IFREG | 0o4750, size: 5, nlink: 2, atimeSeconds: 5 })
    expect([stat.mtimeSeconds, stat.mtimeNanoseconds]).toEqual([1_700_000_000, 500_000_000])
    expect(at('g')).toBe(at('f'))
    expect(textOf(at('g'))).toBe('hello')
  })

  test('symbolic links are links, wherever they lead, and nothing is found through them', () => {
    symlinkSync('/etc', join(path, 'l'))
    expect(at('l').mode & Mode.IFMT).toBe(Mode.IFLNK)
    expect(fs.readlink(at('l'))).toBe('/etc')
    expect(textOf(at('l'))).toBe(-Errno.ESTALE)
  })

  test('names of any bytes', () => {
    writeFileSync(Buffer.from(`${path}/\xff\xfe`, 'latin1'), 'x')
    writeFileSync(join(path, 'é'), 'y')
    expect(list(fs.root).names.sort()).toEqual(['\xc3\xa9', '\xff\xfe'])
    expect([textOf(at('\xff\xfe')), textOf(at('\xc3\xa9'))]).toEqual(['x', 'y'])
  })

  test('entries with their numbers and types', () => {
    mkdirSync(join(path, 'd'))
    writeFileSync(join(path, 'f'), '')
    expect(list(fs.root).entries.sort()).toEqual([
      ['d', at('d').ino, 4],
      ['f', at('f').ino, 8],
    ])
  })

  test.runIf(process.platform === 'linux')('a FIFO is shown and never opened, which would wait for its writer', () => {
    execFileSync('mkfifo', [join(path, 'p')])
    expect(at('p').mode & Mode.IFMT).toBe(Mode.IFIFO)
    expect(fs.open(at('p'), 0)).toBe(0)
  })

  test('space, and no extended attributes', () => {
    const into = new StatFs()
    expect(fs.statfs(into)).toBe(0)
    expect(into.blocks).toBeGreaterThan(0)
    expect(fs.getxattr(fs.root, 'user.a')).toBe(-Errno.EOPNOTSUPP)
  })
})

describe('what changes underneath is noticed', () => {
  test('names that come, go and are given to others', () => {
    writeFileSync(join(path, 'a'), '1')
    const a = at('a')
    expect(fs.revalidate!(fs.root, 'a', a)).toBe(1)
    expect(fs.revalidate!(fs.root, 'b', null)).toBe(1)
    writeFileSync(join(path, 'b'), '22')
    expect(fs.revalidate!(fs.root, 'b', null)).toBe(0)
    renameSync(join(path, 'b'), join(path, 'a'))
    expect(fs.revalidate!(fs.root, 'a', a)).toBe(0)
    expect(statOf(at('a')).size).toBe(2)
    truncateSync(join(path, 'a'), 1)
    expect(fs.revalidate!(fs.root, 'a', at('a'))).toBe(1)
    expect(at('a').size).toBe(1)
  })

  test('a file that is open stays readable, one that is not is stale', () => {
    writeFileSync(join(path, 'a'), 'open')
    writeFileSync(join(path, 'b'), 'closed')
    const [a, b] = [at('a'), at('b')]
    expect(fs.open(a, 0)).toBe(0)
    unlinkSync(join(path, 'a'))
    unlinkSync(join(path, 'b'))
    writeFileSync(join(path, 'b'), 'another')
    expect(textOf(a)).toBe('open')
    expect(statOf(a).nlink).toBe(0)
    fs.release(a)
    expect(fs.getattr(a, new Stat())).toBe(-Errno.ESTALE)
    symlinkSync('b', join(path, 'a'))
    expect(textOf(a)).toBe(-Errno.ESTALE)
    if (at('b') !== b) expect(textOf(b)).toBe(-Errno.ESTALE)
  })

  test('a directory that a link has replaced is not read through it', () => {
    mkdirSync(join(path, 'd'))
    const dir = at('d')
    renameSync(join(path, 'd'), join(path, 'e'))
    symlinkSync('/etc', join(path, 'd'))
    expect(list(dir)).toMatchObject({ answer: -Errno.ESTALE, names: [] })
    expect(at('e')).toBe(dir)
    expect(list(dir).answer).toBe(0)
  })

  test('a listing goes on where it stopped', () => {
    for (let i = 0; i < 40; i++) writeFileSync(join(path, `f${i}`), '')
    const first = list(fs.root, FIRST_COOKIE, 20)
    for (const name of first.names.slice(0, 10)) unlinkSync(join(path, name))
    writeFileSync(join(path, 'new'), '')
    list(fs.root)
    const rest = list(fs.root, first.last)
    const seen = [...first.names, ...rest.names]
    expect(new Set(seen).size).toBe(seen.length)
    for (let i = 0; i < 40; i++) expect(seen).toContain(`f${i}`)
  })
})

test.runIf(process.platform === 'linux')('no more files are open on the host than were allowed', () => {
  for (let i = 0; i < 20; i++) writeFileSync(join(path, `f${i}`), `${i}`)
  const files = Array.from({ length: 20 }, (_, i) => at(`f${i}`))
  for (const file of files) fs.open(file, 0)
  expect(descriptorsOf(path)).toBe(4)
  expect(files.map(textOf)).toEqual(files.map((_, i) => `${i}`))
  for (const file of files) fs.release(file)
  expect(descriptorsOf(path)).toBe(0)
})

test('nothing can be changed', () => {
  expect(fs.readOnly).toBe(true)
  expect(fs.create(fs.root, 'f', Mode.IFREG, 0, 0, 0)).toBe(-Errno.EROFS)
  expect(readdirSync(path)).toEqual([])
})

test('what is no directory is refused, by name', () => {
  writeFileSync(join(path, 'f'), '')
  for (const name of ['f', 'none']) {
    expect(() => hostDirectory(join(path, name))).toThrow(name)
    try {
      hostDirectory(join(path, name))
    } catch (error) {
      expect(isVmexitError(error, 'vfs-host')).toBe(true)
    }
  }
})
