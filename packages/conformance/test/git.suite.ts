/**
 * isomorphic-git, which is written for Node's `fs`, clones a repository of the host's git into a file system that is seen
 * as a volume, works in it, and the host's git finds all of it in order. For Node.
 */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FileSystem, SettableTime, type TimeSource } from '@vmexit/vfs'
import { volumeOf } from '@vmexit/vfs/memfs'
import { hostDirectory } from '@vmexit/vfs/node'
import git from 'isomorphic-git'
import { createFsFromVolume } from 'memfs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GitRepository, hasGit } from './git-repository.ts'
import { filesOf } from './trees.ts'

/**
 * Tests of one kind of file systems. `make` answers an empty one; `made` is given it at the end: an overlay has then all
 * of it in its upper layer.
 */
export function gitSuite(
  kind: string,
  make: (time: TimeSource) => FileSystem,
  made: (fs: FileSystem) => void = () => {},
): void {
  describe.skipIf(!hasGit)(`isomorphic-git on ${kind} (skipped where git is absent)`, () => {
    const time = new SettableTime(1_700_000_000)
    let repository: GitRepository
    let fileSystem: FileSystem
    let fs: ReturnType<typeof createFsFromVolume>
    const author = { name: 'B', email: 'b@example.org', timestamp: 1_700_000_100, timezoneOffset: 0 }
    const dir = '/clone'

    beforeAll(() => {
      repository = new GitRepository()
      fileSystem = make(time)
      fs = createFsFromVolume(volumeOf(fileSystem, { time }))
    })
    afterAll(() => repository[Symbol.dispose]())

    test('clones', async () => {
      await git.clone({ fs, http: repository.http, dir, url: 'http://host/repository' })
      expect(await git.resolveRef({ fs, dir, ref: 'HEAD' })).toBe(repository.git('rev-parse', 'HEAD').trim())
      expect((await git.log({ fs, dir })).map(({ commit }) => commit.message)).toEqual(['second\n', 'first\n'])
      const status = await git.statusMatrix({ fs, dir })
      expect(status).toHaveLength(300)
      expect(status.filter(([, head, workdir, stage]) => head !== 1 || workdir !== 1 || stage !== 1)).toEqual([])
    })

    test('what it has checked out is what git has', () => {
      using host = hostDirectory(repository.path)
      const clone = fileSystem.lookup(fileSystem.root, 'clone')
      if (typeof clone === 'number') throw new Error(`${clone}`)
      const skipped = new Set(['.git'])
      const expected = filesOf(host, host.root, skipped)
      expect(Object.keys(expected)).toHaveLength(303)
      expect(filesOf(fileSystem, clone, skipped)).toEqual(expected)
    })

    test('commits, branches and goes back', async () => {
      await git.branch({ fs, dir, ref: 'work', checkout: true })
      time.advance(1)
      await fs.promises.writeFile(`${dir}/src/new.txt`, 'new\n')
      await fs.promises.rm(`${dir}/src/deep`, { recursive: true })
      await git.add({ fs, dir, filepath: 'src/new.txt' })
      for (const [filepath, , workdir] of await git.statusMatrix({ fs, dir })) {
        if (workdir === 0) await git.remove({ fs, dir, filepath })
      }
      await git.commit({ fs, dir, message: 'third', author })
      await git.checkout({ fs, dir, ref: 'main' })
      expect(await fs.promises.readdir(`${dir}/src/deep/er`)).toHaveLength(99)
      await git.checkout({ fs, dir, ref: 'work' })
      // It leaves empty directories, on any file system.
      expect(fs.globSync(`${dir}/src/deep/**/*.txt`)).toEqual([])
    })

    test('and git finds the result in order', () => {
      const out = join(repository.folder, 'out')
      copyOut(fs, dir, out)
      expect(repository.git('-C', out, 'fsck', '--strict', '--no-progress')).not.toContain('error')
      expect(repository.git('-C', out, 'status', '--porcelain')).toBe('')
      expect(repository.git('-C', out, 'log', '--format=%s')).toBe('third\nsecond\nfirst\n')
      expect(readFileSync(join(out, 'src/new.txt'), 'utf8')).toBe('new\n')
      made(fileSystem)
    })
  })
}

/** Writes a tree of a volume to the host. */
function copyOut(fs: ReturnType<typeof createFsFromVolume>, from: string, to: string): void {
  mkdirSync(to)
  for (const name of fs.readdirSync(from) as string[]) {
    const [source, target] = [`${from}/${name}`, join(to, name)]
    const stats = fs.lstatSync(source)
    if (stats.isDirectory()) copyOut(fs, source, target)
    else if (stats.isSymbolicLink()) symlinkSync(`${fs.readlinkSync(source)}`, target)
    else writeFileSync(target, fs.readFileSync(source) as Uint8Array, { mode: Number(stats.mode) & 0o777 })
  }
}
