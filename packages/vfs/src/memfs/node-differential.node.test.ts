/** Random calls of Node's `fs` on a real directory and on a volume that shows a tmpfs: what comes back must be the same. */
import * as node from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFsFromVolume } from 'memfs'
import { expect, test } from 'vitest'
import { privilegedCredentials, SettableTime, TmpFs, userCredentials } from '../index.ts'
import { volumeOf } from './index.ts'

type Fs = typeof node

/** Numbers from a seed, below a limit (a linear congruential generator). */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** What a call came back with, as data. */
function outcome(call: () => unknown): unknown {
  try {
    const value = call()
    return value instanceof Uint8Array ? `bytes ${Buffer.from(value).toString('hex')}` : value
  } catch (error) {
    const { code, errno, syscall, path, dest, message } = error as NodeJS.ErrnoException & { dest?: string }
    return { code, errno, syscall, path, dest, message }
  }
}

function statOf(stat: node.Stats | undefined): unknown {
  if (stat === undefined) return undefined
  const directory = stat.isDirectory()
  return [stat.mode, stat.nlink, directory ? 'directory' : stat.size, stat.isFile(), stat.isSymbolicLink()]
}

/** One random call, the same for both. */
function randomCall(random: (below: number) => number, root: string): [string, (fs: Fs) => unknown] {
  const one = <Value>(...values: Value[]): Value => values[random(values.length)]!
  const path = () => {
    const names = Array.from({ length: 1 + random(3) }, () => one('a', 'b', 'c', 'é', '..', '.'))
    return `${root}/${names.join('/')}${one('', '', '', '', '/')}`
  }
  const [p, q] = [path(), path()]
  const text = 'x'.repeat(random(20))
  const flag = one('w', 'wx', 'a', 'r+', 'a+', 'w+', 'ax')
  const mode = one(0o644, 0o755, 0o600, 0o4755)
  const on = one(true, false)
  const target = one('a', '../b', q, 'c/a')
  const calls: [string, (fs: Fs) => unknown][] = [
    [`writeFile ${p} ${flag}`, (fs) => fs.writeFileSync(p, text, { flag, mode })],
    [`appendFile ${p}`, (fs) => fs.appendFileSync(p, text)],
    [`readFile ${p}`, (fs) => fs.readFileSync(p)],
    [`mkdir ${p}`, (fs) => fs.mkdirSync(p, { mode })],
    [`mkdir -p ${p}`, (fs) => fs.mkdirSync(p, { recursive: true })],
    [`rmdir ${p}`, (fs) => fs.rmdirSync(p)],
    [`unlink ${p}`, (fs) => fs.unlinkSync(p)],
    [`rename ${p} ${q}`, (fs) => fs.renameSync(p, q)],
    [`link ${p} ${q}`, (fs) => fs.linkSync(p, q)],
    [`symlink ${target} ${p}`, (fs) => fs.symlinkSync(target, p)],
    [`readlink ${p}`, (fs) => fs.readlinkSync(p)],
    [`realpath ${p}`, (fs) => fs.realpathSync.native(p)],
    [`readdir ${p}`, (fs) => fs.readdirSync(p).sort()],
    [
      `readdir types ${p}`,
      (fs) =>
        fs
          .readdirSync(p, { withFileTypes: true })
          .map((entry) => `${entry.parentPath} ${entry.name} ${entry.isDirectory()} ${entry.isSymbolicLink()}`)
          .sort(),
    ],
    [`stat ${p}`, (fs) => statOf(fs.statSync(p))],
    [`lstat ${p}`, (fs) => statOf(fs.lstatSync(p, { throwIfNoEntry: on }))],
    [`truncate ${p}`, (fs) => fs.truncateSync(p, 5)],
    [`chmod ${p}`, (fs) => fs.chmodSync(p, mode)],
    [`access ${p}`, (fs) => fs.accessSync(p, mode & 7)],
    [`exists ${p}`, (fs) => fs.existsSync(p)],
    [`copyFile ${p} ${q}`, (fs) => fs.copyFileSync(p, q, on ? node.constants.COPYFILE_EXCL : 0)],
    [`utimes ${p}`, (fs) => fs.utimesSync(p, 5, 6.25)],
    [`mtime ${p}`, (fs) => [fs.utimesSync(p, 5, 6.25), fs.statSync(p, { bigint: true }).mtimeNs]],
    [
      `open ${p}`,
      (fs) => {
        const fd = fs.openSync(p, flag, mode)
        const seen = [fs.writeSync(fd, 'yz', 3), outcome(() => fs.readSync(fd, new Uint8Array(4), 0, 4, 1))]
        fs.closeSync(fd)
        return seen
      },
    ],
    [`opendir ${p}`, (fs) => readAll(fs.opendirSync(p)).sort()],
    [`glob`, (fs) => fs.globSync(`${root}/**/a`).sort()],
  ]
  if (!p.startsWith(`${root}/..`) && random(4) === 0) {
    const inside = `${root}/${one('a', 'b', 'c', 'é')}/${one('a', 'b')}`
    calls.push([`rm -r ${inside}`, (fs) => fs.rmSync(inside, { recursive: true, force: on })])
  }
  return one(...calls)
}

function readAll(dir: node.Dir): string[] {
  const names: string[] = []
  for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) names.push(entry.name)
  dir.closeSync()
  return names
}

const comparable = process.platform === 'linux' && process.version.startsWith('v24.')

test.runIf(comparable)('a volume answers as Node 24 does on Linux (skipped elsewhere)', () => {
  const wrong: string[] = []
  for (let seed = 1; seed <= 60; seed++) {
    const top = node.mkdtempSync(join(tmpdir(), 'vmexit-node-'))
    const root = join(top, 'x/y/z')
    const time = new SettableTime(1_700_000_000)
    const [uid, gid] = [process.getuid!(), process.getgid!()]
    const credentials = uid === 0 ? privilegedCredentials(uid, gid) : userCredentials(uid, gid)
    const umask = process.umask()
    const volume = createFsFromVolume(
      volumeOf(new TmpFs({ time, uid, gid }), { time, credentials, umask }),
    ) as unknown as Fs
    for (const fs of [node, volume]) {
      fs.mkdirSync(root, { recursive: true })
      fs.chmodSync(top, 0o755)
    }
    const random = generator(seed)
    for (let step = 0; step < 300 && wrong.length < 20; step++) {
      const [name, call] = randomCall(random, root)
      const expected = outcome(() => call(node))
      const actual = outcome(() => call(volume))
      // Node has errors without a code, where C++'s library removes a tree.
      if ((expected as { code?: string } | undefined)?.code === '') continue
      try {
        expect(actual).toEqual(expected)
      } catch {
        wrong.push(`${seed}/${step} ${name.replaceAll(root, '')}\n  ${show(expected, root)}\n  ${show(actual, root)}`)
        break
      }
    }
    node.rmSync(top, { recursive: true })
  }
  expect(wrong.join('\n')).toBe('')
})

function show(value: unknown, root: string): string {
  const text = JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? `${part}n` : part))
  return `${text}`.replaceAll(root, '')
}
