import { type FileSystem, Mode, MountFlag, makeDevice, SettableTime, TmpFs, userCredentials, Vfs } from '@vmexit/vfs'
import { volumeOf, volumeOfTask } from '@vmexit/vfs/memfs'
import { createFsFromVolume, type Volume } from 'memfs'
import { beforeEach, describe, expect, test } from 'vitest'

/** What programs do with Node's `fs`, on a file system of one kind that is seen as a volume. `make` gives an empty one, its root of mode 0755. */
export function volumeSuite(kind: string, make: (time: SettableTime) => FileSystem): void {
  describe(`${kind} as a volume`, () => {
    let time: SettableTime
    let fileSystem: FileSystem
    let volume: Volume
    let fs: ReturnType<typeof createFsFromVolume>

    beforeEach(() => {
      time = new SettableTime(1_700_000_000, 123_456_789)
      fileSystem = make(time)
      volume = volumeOf(fileSystem, { time })
      fs = createFsFromVolume(volume)
    })

    const text = (path: string) => fs.readFileSync(path, 'utf8')

    /** What a call throws. */
    function thrown(call: () => unknown): Record<string, unknown> {
      try {
        call()
      } catch (error) {
        return error as Record<string, unknown>
      }
      throw new Error('nothing was thrown')
    }

    const pause = () => new Promise((resolve) => setTimeout(resolve, 0))

    describe('the calls that do not wait', () => {
      test('files: written, appended to, read, truncated', () => {
        fs.writeFileSync('/f', 'hello')
        fs.appendFileSync('/f', ' world')
        expect(text('/f')).toBe('hello world')
        fs.truncateSync('/f', 5)
        fs.truncateSync('/f', 7)
        expect(text('/f')).toBe('hello\0\0')
        fs.writeFileSync('/f', 'new', { flag: 'r+' })
        expect(text('/f')).toBe('newlo\0\0')
        fs.writeFileSync('/large', new Uint8Array(300_000).fill(7))
        expect((fs.readFileSync('/large') as Uint8Array).every((byte) => byte === 7)).toBe(true)
      })

      test('descriptors have positions', () => {
        const fd = fs.openSync('/f', 'w+')
        expect(fs.writeSync(fd, 'abcdef')).toBe(6)
        expect(fs.writeSync(fd, 'XY', 1)).toBe(2)
        const into = new Uint8Array(4)
        expect(fs.readSync(fd, into, 0, 4, 0)).toBe(4)
        expect([...into]).toEqual([...new TextEncoder().encode('aXYd')])
        expect(fs.readSync(fd, into, 0, 4, null)).toBe(0)
        expect(fs.readFileSync(fd, 'utf8')).toBe('')
        expect(fs.fstatSync(fd).size).toBe(6)
        fs.ftruncateSync(fd, 1)
        fs.fchmodSync(fd, 0o600)
        fs.fsyncSync(fd)
        fs.closeSync(fd)
        expect(thrown(() => fs.closeSync(fd))).toMatchObject({ code: 'EBADF', errno: -9, syscall: 'close' })
        expect(fs.statSync('/f')).toMatchObject({ size: 1, mode: Mode.IFREG | 0o600 })
        const append = fs.openSync('/f', 'a')
        fs.writeSync(append, 'z')
        fs.closeSync(append)
        expect(text('/f')).toBe('az')
        const vector = fs.openSync('/f', 'r+')
        expect(fs.writevSync(vector, [new Uint8Array([1, 2]), new Uint8Array([3])])).toBe(3)
        const parts = [new Uint8Array(1), new Uint8Array(5)]
        expect(fs.readvSync(vector, parts, 0)).toBe(3)
        expect(parts).toEqual([new Uint8Array([1]), new Uint8Array([2, 3, 0, 0, 0])])
        fs.closeSync(vector)
      })

      test('stat to the nanosecond, and what lstat shows of a link', () => {
        fs.writeFileSync('/f', 'x'.repeat(5000), { mode: 0o666 })
        fs.linkSync('/f', '/g')
        fs.symlinkSync('f', '/l')
        const stats = fs.statSync('/l')
        expect(stats).toMatchObject({ mode: Mode.IFREG | 0o644, nlink: 2, size: 5000, blocks: 16, uid: 0, gid: 0 })
        expect(stats.isFile()).toBe(true)
        expect(stats).toBeInstanceOf(fs.Stats)
        expect(stats.mtimeMs).toBeCloseTo(1_700_000_000_123.456, 2)
        expect(fs.statSync('/f', { bigint: true })).toMatchObject({
          mtimeNs: 1_700_000_000_123_456_789n,
          birthtimeMs: 1_700_000_000_123n,
          nlink: 2n,
        })
        expect(fs.lstatSync('/l').isSymbolicLink()).toBe(true)
        expect(fs.lstatSync('/l').size).toBe(1)
        expect(fs.readlinkSync('/l')).toBe('f')
        expect(fs.statSync('/none', { throwIfNoEntry: false })).toBeUndefined()
        expect(fs.lstatSync('/none', { throwIfNoEntry: false })).toBeUndefined()
        fileSystem.create(fileSystem.root, 'null', Mode.IFCHR | 0o666, 0, 0, makeDevice(1, 3))
        expect(fs.statSync('/null').rdev).toBe(0x103)
        expect(fs.statSync('/null').isCharacterDevice()).toBe(true)
      })

      test('times are those of the file system’s clock, and what utimes sets', () => {
        fs.writeFileSync('/f', '')
        time.advance(10)
        fs.chmodSync('/f', 0o600)
        expect(fs.statSync('/f').ctimeMs - fs.statSync('/f').mtimeMs).toBe(10_000)
        fs.utimesSync('/f', 1.5, new Date(1_234_567_890_123))
        expect(fs.statSync('/f', { bigint: true })).toMatchObject({
          atimeNs: 1_500_000_000n,
          mtimeNs: 1_234_567_890_123_000_000n,
        })
        fs.utimesSync('/f', new Date(-1500), -1)
        expect(fs.statSync('/f', { bigint: true })).toMatchObject({
          atimeNs: -1_500_000_000n,
          mtimeNs: 1_700_000_010_123_456_789n,
        })
        fs.symlinkSync('f', '/l')
        fs.lutimesSync('/l', 7, 8)
        expect(fs.lstatSync('/l').mtimeMs).toBe(8000)
        expect(fs.statSync('/l').atimeMs).toBe(-1500)
      })

      test('directories: made, listed in each way, renamed, removed', () => {
        expect(fs.mkdirSync('/a/b/c', { recursive: true })).toBe('/a')
        expect(fs.mkdirSync('/a/b', { recursive: true })).toBeUndefined()
        fs.writeFileSync('/a/é', '')
        fs.writeFileSync('/a/b/f', '')
        fs.symlinkSync('b', '/a/l')
        expect(fs.readdirSync('/a')).toEqual(['b', 'l', 'é'])
        expect((fs.readdirSync('/', { recursive: true }) as string[]).sort()).toEqual([
          ...['a', 'a/b', 'a/b/c', 'a/b/f', 'a/l', 'a/é'],
        ])
        const entries = fs.readdirSync('/a/l', { withFileTypes: true }) as unknown as (typeof fs.Dirent.prototype)[]
        expect(entries.map(({ name, parentPath }) => [name, parentPath])).toEqual([
          ['c', '/a/l'],
          ['f', '/a/l'],
        ])
        expect(entries[0]!.isDirectory()).toBe(true)
        const all = fs.readdirSync('/a/.', { withFileTypes: true, recursive: true }) as unknown as typeof entries
        expect(all.map(({ name, parentPath }) => `${parentPath} ${name}`)).toEqual([
          ...['/a/. b', '/a/. l', '/a/. é', '/a/b c', '/a/b f'],
        ])
        expect([...(fs.readdirSync('/a', { encoding: 'buffer' })[2] as Uint8Array)]).toEqual([0xc3, 0xa9])
        fs.renameSync('/a/b', '/d')
        expect(fs.existsSync('/d/f')).toBe(true)
        expect(thrown(() => fs.rmdirSync('/d'))).toMatchObject({
          code: 'ENOTEMPTY',
          errno: -39,
          syscall: 'rmdir',
          path: '/d',
        })
        fs.rmSync('/d', { recursive: true })
        fs.rmSync('/d', { recursive: true, force: true })
        expect(thrown(() => fs.rmSync('/d'))).toMatchObject({ code: 'ENOENT', syscall: 'lstat' })
        expect(thrown(() => fs.rmSync('/a'))).toMatchObject({ code: 'ERR_FS_EISDIR', name: 'SystemError' })
        expect(fs.realpathSync('/a/../a/./é')).toBe('/a/é')
        const names = [fs.mkdtempSync('/a/t-'), fs.mkdtempSync('/a/t-')]
        expect(new Set(names).size).toBe(2)
        expect(fs.statSync(names[0]!).mode & 0o777).toBe(0o700)
      })

      test('a tree deeper than a path is long, and than a stack, is removed', () => {
        let dir = fileSystem.mkdir(fileSystem.root, 'd', 0o755, 0, 0)
        for (let i = 0; i < 20_000; i++) if (typeof dir !== 'number') dir = fileSystem.mkdir(dir, 'd', 0o755, 0, 0)
        fs.rmSync('/d', { recursive: true })
        expect(fs.readdirSync('/')).toEqual([])
      })

      test('names that are no UTF-8 are texts that lead back to them', () => {
        fileSystem.create(fileSystem.root, '\xff\xfe', Mode.IFREG | 0o644, 0, 0, 0)
        const [name] = fs.readdirSync('/') as string[]
        fs.writeFileSync(`/${name}`, 'x')
        expect(text(`/${name}`)).toBe('x')
        expect([...(fs.readdirSync('/', { encoding: 'buffer' })[0] as unknown as Uint8Array)]).toEqual([0xff, 0xfe])
        fs.unlinkSync(`/${name}`)
        expect(fs.readdirSync('/')).toEqual([])
      })

      test('errors are those of Node, with all of their fields', () => {
        expect(thrown(() => fs.readFileSync('/none'))).toMatchObject({
          ...{ name: 'Error', message: "ENOENT: no such file or directory, open '/none'" },
          ...{ code: 'ENOENT', errno: -2, syscall: 'open', path: '/none' },
        })
        fs.mkdirSync('/d')
        expect(thrown(() => fs.readFileSync('/d'))).toMatchObject({ code: 'EISDIR', syscall: 'read' })
        expect(thrown(() => fs.renameSync('/d', '/d/e'))).toMatchObject({
          ...{ message: "EINVAL: invalid argument, rename '/d' -> '/d/e'", path: '/d', dest: '/d/e' },
        })
        expect(thrown(() => fs.unlinkSync('/d'))).toMatchObject({ code: 'EISDIR' })
        expect(thrown(() => fs.mkdirSync('/d'))).toMatchObject({ code: 'EEXIST', syscall: 'mkdir' })
        fs.symlinkSync('loop', '/loop')
        expect(thrown(() => fs.statSync('/loop'))).toMatchObject({ code: 'ELOOP', syscall: 'stat' })
        expect(thrown(() => fs.writeFileSync('/d/x/y', ''))).toMatchObject({ code: 'ENOENT' })
        expect(thrown(() => fs.mkdirSync('/loop/x', { recursive: true }))).toMatchObject({ code: 'ELOOP' })
        expect(thrown(() => fs.writeFileSync(`/${'x'.repeat(256)}`, ''))).toMatchObject({ code: 'ENAMETOOLONG' })
      })

      test('a full file system is an error also where files are copied', () => {
        const small = createFsFromVolume(volumeOf(new TmpFs({ time, sizeBytes: 4 * 4096 }), { time }))
        small.writeFileSync('/f', new Uint8Array(3 * 4096))
        expect(thrown(() => small.copyFileSync('/f', '/g'))).toMatchObject({ code: 'ENOSPC' })
        expect(small.readdirSync('/')).toEqual(['f'])
        expect(small.statfsSync('/')).toMatchObject({ type: 0x0102_1994, blocks: 4, bfree: 1 })
        expect(small.statfsSync('/', { bigint: true })).toMatchObject({ bavail: 1n })
      })

      test('copying a file to itself leaves it as it is', () => {
        fs.writeFileSync('/f', 'kept')
        fs.linkSync('/f', '/g')
        fs.copyFileSync('/f', '/g')
        expect(text('/g')).toBe('kept')
      })
    })

    describe('who asks', () => {
      test('is asked for permission, and owns what it makes', () => {
        const vfs = new Vfs({ time })
        const task = vfs.newTask(vfs.newTree(fileSystem))
        const root = createFsFromVolume(volumeOfTask(vfs, task))
        root.mkdirSync('/home')
        root.chownSync('/home', 1000, 100)
        root.writeFileSync('/secret', 's', { mode: 0o600 })
        const another = vfs.fork(task)
        another.credentials = userCredentials(1000, 100)
        another.umask = 0o077
        const user = createFsFromVolume(volumeOfTask(vfs, another))
        user.writeFileSync('/home/f', 'x')
        expect(user.statSync('/home/f')).toMatchObject({ uid: 1000, gid: 100, mode: Mode.IFREG | 0o600 })
        expect(thrown(() => user.readFileSync('/secret'))).toMatchObject({ code: 'EACCES', syscall: 'open' })
        expect(thrown(() => user.accessSync('/secret', user.constants.R_OK))).toMatchObject({
          code: 'EACCES',
          syscall: 'access',
        })
        user.accessSync('/secret')
        expect(thrown(() => user.mkdirSync('/d'))).toMatchObject({ code: 'EACCES' })
        expect(thrown(() => user.chownSync('/home/f', 0, 0))).toMatchObject({ code: 'EPERM' })
        root.accessSync('/secret', root.constants.R_OK | root.constants.W_OK)
        const alone = createFsFromVolume(
          volumeOf(fileSystem, { time, credentials: userCredentials(1000, 100), umask: 0o077 }),
        )
        expect(thrown(() => alone.readFileSync('/secret'))).toMatchObject({ code: 'EACCES' })
      })

      test('sees the mounts, the root and the working directory of its task', () => {
        const vfs = new Vfs({ time })
        const task = vfs.newTask(vfs.newTree(fileSystem))
        vfs.mkdir(task, null, '/mnt', 0o755)
        const other = new TmpFs({ time })
        vfs.mount(task, other, '/mnt', { flags: MountFlag.RELATIME })
        vfs.chdir(task, null, '/mnt')
        const its = createFsFromVolume(volumeOfTask(vfs, task))
        its.writeFileSync('f', 'x')
        expect(its.realpathSync('f')).toBe('/mnt/f')
        expect(typeof other.lookup(other.root, 'f')).toBe('object')
        expect(thrown(() => its.renameSync('f', '/f'))).toMatchObject({ code: 'EXDEV' })
        vfs.chroot(task, null, '/mnt')
        expect(its.readdirSync('/')).toEqual(['f'])
        expect(its.statSync('..').dev).toBe(its.statSync('/f').dev)
      })
    })

    test('what is made up when it is read is read to its end', () => {
      const said = new TextEncoder().encode('x'.repeat(10_000))
      let at = 0
      const operations = {
        seekable: false,
        read(into: Uint8Array, start: number, length: number) {
          const count = Math.min(length, said.length - at, 1000)
          into.set(said.subarray(at, at + count), start)
          at += count
          return count
        },
        write: () => 0,
        release: () => {},
      }
      const vfs = new Vfs({ time, hooks: { openSpecial: () => operations } })
      const task = vfs.newTask(vfs.newTree(fileSystem))
      vfs.mknod(task, null, '/pipe', Mode.IFIFO | 0o666)
      const its = createFsFromVolume(volumeOfTask(vfs, task))
      expect(its.readFileSync('/pipe', 'utf8')).toBe('x'.repeat(10_000))
      its.writeFileSync('/pipe', 'nobody takes it', { flag: 'r+' })
    })

    describe('callbacks, promises and handles', () => {
      test('callbacks', async () => {
        const error = await new Promise<NodeJS.ErrnoException | null | undefined>((resolve) =>
          fs.readFile('/none', resolve),
        )
        expect(error).toMatchObject({ code: 'ENOENT' })
        await new Promise((resolve) => fs.writeFile('/f', 'x', resolve))
        const read = await new Promise((resolve) => fs.readFile('/f', 'utf8', (_error, data) => resolve(data)))
        expect(read).toBe('x')
        expect(await new Promise((resolve) => fs.exists('/f', resolve))).toBe(true)
      })

      test('promises', async () => {
        const { promises } = fs
        await promises.mkdir('/d/e', { recursive: true })
        await promises.writeFile('/d/f', 'x')
        await promises.appendFile('/d/f', 'y')
        await promises.copyFile('/d/f', '/d/g')
        await promises.symlink('f', '/d/l')
        await promises.link('/d/f', '/d/h')
        await promises.rename('/d/g', '/d/e/g')
        await promises.chmod('/d/f', 0o600)
        await promises.utimes('/d/f', 1, 2)
        await promises.truncate('/d/f', 1)
        expect(await promises.readFile('/d/l', 'utf8')).toBe('x')
        expect(Number((await promises.stat('/d/h')).mode) & 0o777).toBe(0o600)
        expect((await promises.lstat('/d/l')).isSymbolicLink()).toBe(true)
        expect(await promises.readdir('/d')).toEqual(['e', 'f', 'h', 'l'])
        expect(await promises.realpath('/d/l')).toBe('/d/f')
        expect(await promises.mkdtemp('/d/')).toMatch(/^\/d\/.{6}$/)
        await promises.access('/d/f')
        await expect(promises.access('/none')).rejects.toMatchObject({ code: 'ENOENT', syscall: 'access' })
        await promises.rm('/d', { recursive: true })
        await expect(promises.stat('/d')).rejects.toMatchObject({ code: 'ENOENT', syscall: 'stat', path: '/d' })
      })

      test('a file handle', async () => {
        const handle = await fs.promises.open('/f', 'w+', 0o640)
        await handle.writeFile('hello')
        expect(Number((await handle.stat()).mode) & 0o777).toBe(0o640)
        const into = new Uint8Array(3)
        expect((await handle.read(into, 0, 3, 1)).bytesRead).toBe(3)
        expect([...into]).toEqual([...new TextEncoder().encode('ell')])
        await handle.truncate(2)
        await handle.datasync()
        await handle.close()
        expect(text('/f')).toBe('he')
        await expect(handle.stat()).rejects.toMatchObject({ code: 'EBADF' })
      })

      test('a file that is open outlives its name', async () => {
        fs.writeFileSync('/f', 'kept')
        const handle = await fs.promises.open('/f', 'r')
        await fs.promises.unlink('/f')
        expect(await handle.readFile('utf8')).toBe('kept')
        expect((await handle.stat()).nlink).toBe(0)
        await handle.close()
      })

      test('opendir reads entry by entry', async () => {
        for (const name of ['a', 'b']) fs.writeFileSync(`/${name}`, '')
        fs.mkdirSync('/d')
        const names: string[] = []
        const dir = fs.opendirSync('/')
        for (let entry = dir.readSync(); entry; entry = dir.readSync()) {
          names.push(`${entry.name}${entry.isDirectory() ? '/' : ''}`)
        }
        dir.closeSync()
        expect(names.sort()).toEqual(['a', 'b', 'd/'])
        const awaited: string[] = []
        for await (const entry of await fs.promises.opendir('/', { recursive: true })) awaited.push(`${entry.name}`)
        expect(awaited.sort()).toEqual(['a', 'b', 'd'])
        expect(thrown(() => fs.opendirSync('/a'))).toMatchObject({ code: 'ENOTDIR' })
      })
    })

    describe('streams', () => {
      test('write and read, in parts and from a position', async () => {
        const out = fs.createWriteStream('/f')
        for (let i = 0; i < 100; i++) out.write(`${i}\n`.padStart(2000))
        await new Promise((resolve) => out.end(resolve))
        expect(fs.statSync('/f').size).toBe(200_000)
        const parts: string[] = []
        const stream = fs.createReadStream('/f', { encoding: 'utf8', start: 2000, end: 101_999, highWaterMark: 1000 })
        stream.on('data', (part: string) => parts.push(part))
        await new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject))
        expect(parts.join('')).toBe(text('/f').slice(2000, 102_000))
      })

      test('tell errors', async () => {
        const error = await new Promise((resolve) => fs.createReadStream('/none').on('error', resolve))
        expect(error).toMatchObject({ code: 'ENOENT', path: '/none' })
      })
    })

    describe('watching', () => {
      test('a directory: what happens in it, whoever does it', async () => {
        const vfs = new Vfs({ time })
        const task = vfs.newTask(vfs.newTree(fileSystem))
        const its = createFsFromVolume(volumeOfTask(vfs, task))
        its.mkdirSync('/d/e', { recursive: true })
        const seen: string[] = []
        const watcher = its.watch('/d', (type: string, name: string) => seen.push(`${type} ${name}`))
        its.writeFileSync('/d/f', 'x')
        its.renameSync('/d/f', '/d/g')
        its.writeFileSync('/d/e/deep', '')
        vfs.unlink(vfs.newTask(task.tree), null, '/d/g')
        await pause()
        expect(seen).toEqual(['rename f', 'change f', 'rename f', 'rename g', 'rename g'])
        watcher.close()
        its.writeFileSync('/d/h', 'x')
        await pause()
        expect(seen).toHaveLength(5)
      })

      test('a file', async () => {
        fs.writeFileSync('/f', '')
        const seen: string[] = []
        const watcher = fs.watch('/f', (type: string, name: string) => seen.push(`${type} ${name}`))
        fs.appendFileSync('/f', 'x')
        fs.chmodSync('/f', 0o600)
        await pause()
        expect(seen).toEqual(['change f', 'change f'])
        watcher.close()
        expect(thrown(() => fs.watch('/none'))).toMatchObject({ code: 'ENOENT', syscall: 'watch' })
      })

      test('a whole tree, with directories that come', async () => {
        fs.mkdirSync('/a/b', { recursive: true })
        const seen: string[] = []
        const watcher = fs.watch('/', { recursive: true }, (type: string, name: string) => seen.push(`${type} ${name}`))
        fs.writeFileSync('/a/b/f', '')
        fs.mkdirSync('/a/n/m', { recursive: true })
        await pause()
        fs.writeFileSync('/a/n/m/g', '')
        fs.renameSync('/a/n', '/o')
        await pause()
        fs.rmSync('/o/m/g')
        await pause()
        watcher.close()
        expect(seen).toEqual([
          ...['rename a/b/f', 'rename a/n', 'rename a/n/m'],
          ...['rename a/n/m/g', 'rename a/n', 'rename o', 'rename o/m/g'],
        ])
      })

      test('as an iterator of promises', async () => {
        fs.mkdirSync('/d')
        const stop = new AbortController()
        const events = fs.promises.watch('/d', { signal: stop.signal })
        fs.writeFileSync('/d/f', '')
        const next = await events[Symbol.asyncIterator]().next()
        expect(next.value).toEqual({ eventType: 'rename', filename: 'f' })
        stop.abort()
      })

      test('the state of a file', async () => {
        fs.writeFileSync('/f', '')
        const changed = new Promise<[number, number]>((resolve) => {
          fs.watchFile('/f', { interval: 5 }, (now, before) => resolve([Number(now.size), Number(before.size)]))
        })
        time.advance(1)
        fs.writeFileSync('/f', 'xyz')
        expect(await changed).toEqual([3, 0])
        fs.unwatchFile('/f')
      })
    })

    describe('whole trees', () => {
      beforeEach(() => {
        volume.fromNestedJSON({ src: { 'a.ts': '1', sub: { 'b.ts': '2', 'c.js': '3' }, empty: {} } }, '/')
        fs.symlinkSync('a.ts', '/src/l.ts')
      })

      test('glob', async () => {
        expect(fs.globSync('/src/**/*.ts').sort()).toEqual(['/src/a.ts', '/src/l.ts', '/src/sub/b.ts'])
        const found: string[] = []
        for await (const path of fs.promises.glob('**/*.js', { cwd: '/src' })) found.push(`${path}`)
        expect(found).toEqual(['sub/c.js'])
        expect(fs.globSync('src/*').sort()).toEqual(['src/a.ts', 'src/empty', 'src/l.ts', 'src/sub'])
        expect(await new Promise((resolve) => fs.glob('*', (_error, paths) => resolve(paths)))).toEqual(['src'])
      })

      test('cp with all that lies below', () => {
        fs.chmodSync('/src/a.ts', 0o600)
        fs.utimesSync('/src/a.ts', 1, 2)
        fs.cpSync('/src', '/copy', { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
        expect(text('/copy/sub/b.ts')).toBe('2')
        expect(fs.readlinkSync('/copy/l.ts')).toBe('a.ts')
        expect(fs.statSync('/copy/a.ts')).toMatchObject({ mtimeMs: 2000, mode: Mode.IFREG | 0o600 })
        expect(fs.readdirSync('/copy/empty')).toEqual([])
      })

      test('as JSON, and back', () => {
        expect(volume.toJSON('/src')).toEqual({
          ...{ '/src/a.ts': '1', '/src/sub/b.ts': '2', '/src/sub/c.js': '3', '/src/empty': null },
        })
        expect(volume.toJSON(['/src/sub'], {}, true)).toEqual({ 'b.ts': '2', 'c.js': '3' })
        volume.reset()
        expect(fs.readdirSync('/')).toEqual([])
        volume.fromJSON({ './a/b': 'x', '/c': null })
        expect(volume.toJSON()).toEqual({ '/a/b': 'x', '/c': null })
      })

      test('as memfs prints and snapshots them', () => {
        expect(volume.toTree()).toContain('b.ts')
        const snapshot = volume.toBinarySnapshot('/src')
        fs.mkdirSync('/back')
        volume.fromBinarySnapshot(snapshot, '/back')
        expect(text('/back/sub/c.js')).toBe('3')
      })
    })
  })
}
