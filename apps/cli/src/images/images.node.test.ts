/** The commands for images, as a person uses them. */
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { writeCpio } from '@vmexit/boot'
import { END_OF_ARCHIVE, encodeEntry, paddingAfter, TarReader } from '@vmexit/tar'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'vmexit-images-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const env = { ...process.env, XDG_STATE_HOME: join(folder, 'state') }
const store = join(folder, 'state/vmexit/images')
const command = ['--conditions=@vmexit/source', join(import.meta.dirname, '..', 'main.ts')]
const hasTar = spawnSync('tar', ['--version']).status === 0

async function vmexit(...args: string[]): Promise<{ code: unknown; out: string; said: string }> {
  return await new Promise((resolve) => {
    const child = execFile(process.execPath, [...command, ...args], { cwd: folder, env }, (error, out, said) =>
      resolve({ code: error?.code ?? 0, out, said }),
    )
    child.stdin!.end()
  })
}

const motd = Buffer.from('hello\n')
const tree = Buffer.concat([
  encodeEntry({ type: 'file', name: 'etc/motd', mode: 0o644, size: motd.length }),
  motd,
  paddingAfter(motd.length),
  END_OF_ARCHIVE,
])
writeFileSync(join(folder, 'tree.tar.gz'), gzipSync(tree))
writeFileSync(join(folder, 'program'), '\x7fELF and so on')
beforeEach(() => rmSync(store, { recursive: true, force: true }))

/** Blobs of the store and what is on its way there. */
const kept = (): string[] => ['blobs/sha256', 'incoming', 'notes'].flatMap((name) => readdirSync(join(store, name)))

describe('images', () => {
  test('are made of an initramfs as of a tar archive', async () => {
    const archive = writeCpio([
      { kind: 'directory', path: 'etc' },
      { kind: 'file', path: 'etc/motd', bytes: motd, mode: 0o640 },
      { kind: 'symlink', path: 'etc/issue', target: 'motd' },
      { kind: 'character', path: 'console', major: 5, minor: 1 },
    ])
    for (const [name, bytes] of Object.entries({ plain: archive, packed: gzipSync(archive) })) {
      writeFileSync(join(folder, name), bytes)
      expect(await vmexit('import', name, `${name}:1`)).toMatchObject({ code: 0, said: '' })
      expect(await vmexit('export', `${name}:1`, '-o', `${name}.tar`)).toMatchObject({ code: 0 })
      const names: string[] = []
      const reader = new TarReader({
        entry: ({ name: path, mode }) => void names.push(`${path} ${mode.toString(8)}`),
        data: () => {},
        end: () => {},
      })
      reader.push(readFileSync(join(folder, `${name}.tar`)))
      reader.finish()
      expect(names).toEqual(['etc 755', 'etc/issue 777', 'etc/motd 640'])
    }
  }, 240_000)

  test('are made, listed, tagged, inspected and removed', async () => {
    const made = await vmexit(
      'import',
      'tree.tar.gz',
      'app:1',
      '--cmd',
      '["/bin/sh","-c","a b"]',
      '-e',
      'A=1',
      '-e',
      'B=2',
    )
    expect(made).toMatchObject({ code: 0, said: '' })
    expect(await vmexit('tag', 'app:1', 'registry.example:5000/team/app')).toMatchObject({ code: 0 })
    const listed = await vmexit('images')
    expect(listed.out.split('\n').map((line) => line.split(/ {3,}/).slice(0, 2))).toEqual([
      ['REPOSITORY', 'TAG'],
      ['app', '1'],
      ['registry.example:5000/team/app', 'latest'],
      [''],
    ])
    expect((await vmexit('images', '-q', '--no-trunc')).out).toBe(made.out)
    expect(JSON.parse((await vmexit('images', 'app', '--json')).out)).toMatchObject([
      { repository: 'app', tag: '1', size: 2048 },
    ])
    const [about] = JSON.parse((await vmexit('inspect', made.out.trim().slice(7, 15))).out)
    expect(about.Config).toEqual({ Cmd: ['/bin/sh', '-c', 'a b'], Env: ['A=1', 'B=2'] })
    expect(await vmexit('rmi', 'app:1', 'none')).toMatchObject({
      code: 1,
      out: 'Untagged: app:1\n',
      said: "vmexit: there is no image 'none:latest' here: see which there are, or pull or load it\n",
    })
    expect((await vmexit('rmi', 'registry.example:5000/team/app')).out).toContain('Deleted: sha256:')
    expect(kept()).toEqual([])
  })

  test('of one program start with it', async () => {
    await vmexit('import', 'program', 'hello')
    const [about] = JSON.parse((await vmexit('inspect', 'hello')).out)
    expect(about).toMatchObject({ Os: 'linux', Architecture: '386', Config: { Entrypoint: ['/program'] } })
  })

  test('are saved and loaded, as archives and as layouts', async () => {
    await vmexit('import', 'tree.tar.gz', 'app:1')
    for (const file of ['app.tar', 'app.tar.gz', 'app.tar.zst']) {
      expect(await vmexit('save', 'app:1', '-o', file)).toMatchObject({ code: 0, said: '' })
      await vmexit('rmi', 'app:1')
      expect(await vmexit('load', '-i', file)).toMatchObject({ code: 0, out: 'Loaded image: app:1\n' })
    }
    expect(await vmexit('save', 'app:1', '-o', 'layout', '--layout')).toMatchObject({ code: 0 })
    expect((await vmexit('load', '-i', 'layout', '--name', 'other:2')).out).toBe('Loaded image: other:2\n')
    expect(await vmexit('save', 'app:1', '-o', 'layout', '--layout')).toMatchObject({ code: 1 })
    expect(await vmexit('save', 'none', '-o', 'none.tar')).toMatchObject({ code: 1 })
    expect(existsSync(join(folder, 'none.tar'))).toBe(false)
  })

  test.runIf(hasTar)('are exported as trees', async () => {
    await vmexit('import', 'tree.tar.gz', 'app:1')
    await vmexit('export', 'app:1', '-o', 'all.tar.gz')
    mkdirSync(join(folder, 'all'), { recursive: true })
    execFileSync('tar', ['-xf', 'all.tar.gz', '-C', 'all'], { cwd: folder })
    expect(readFileSync(join(folder, 'all/etc/motd'), 'utf8')).toBe('hello\n')
  })

  test('are taken from standard input, and Ctrl-C leaves nothing of them', async () => {
    const load = spawn(process.execPath, [...command, 'import', '-', 'slow'], { cwd: folder, env })
    load.stdin.write(tree.subarray(0, 600))
    while (!existsSync(join(store, 'incoming')) || readdirSync(join(store, 'incoming')).length === 0)
      await new Promise((resolve) => setTimeout(resolve, 20))
    load.kill('SIGINT')
    const [code] = await once(load, 'exit')
    expect(code).toBe(130)
    expect(kept()).toEqual([])
    expect(existsSync(join(store, 'lock'))).toBe(false)
  })

  test('that are none are refused in a line', async () => {
    for (const args of [
      ['load', '-i', 'program'],
      ['load', '-i', 'tree.tar.gz'],
      ['load', '-i', 'nowhere.tar'],
      ['load', '-i', '.'],
      ['import', 'tree.tar.gz', 'Bad:Name'],
      ['images', 'a b'],
      ['inspect', '../../etc'],
      ['pull', 'localhost:1/app', '--user', 'me'],
      ['pull', 'localhost:9/app\u001b[2J'],
    ]) {
      const { code, out, said } = await vmexit(...args)
      expect([code, out], args.join(' ')).toEqual([1, ''])
      expect(said, args.join(' ')).toMatch(/^vmexit: [^\p{Cc}]*\n$/u)
    }
  })

  test('have help with examples', async () => {
    for (const name of ['images', 'pull', 'push', 'load', 'save', 'import', 'export', 'tag', 'rmi', 'inspect'])
      expect((await vmexit(name, '--help')).out).toContain(`$ vmexit ${name}`.replace('load', ''))
  })
})

describe('a registry of this machine', () => {
  let server: Server
  const contents = new Map<string, Buffer>()
  /** Whether it stops in the middle of layers; of which the client has gone away. */
  let stalls = false
  const left: string[] = []

  /** Takes what is pushed, and gives it again. */
  async function listen(): Promise<string> {
    server = createServer(async (request, response) => {
      const { method, url = '' } = request
      const pieces: Buffer[] = []
      for await (const piece of request) pieces.push(piece)
      const body = Buffer.concat(pieces)
      const path = url.replace(/\?.*/, '')
      if (method === 'POST') response.writeHead(202, { location: `${path}1` }).end()
      else if (method === 'PATCH') {
        contents.set(path, Buffer.concat([contents.get(path) ?? Buffer.of(), body]))
        response.writeHead(202, { location: path }).end()
      } else if (method === 'PUT' && path.includes('/uploads/')) {
        const digest = new URL(url, 'http://x').searchParams.get('digest')!
        contents.set(path.replace(/uploads\/.*/, digest), contents.get(path) ?? body)
        contents.delete(path)
        response.writeHead(201).end()
      } else if (method === 'PUT') {
        contents.set(path, body)
        response.writeHead(201).end()
      } else if (contents.has(path)) {
        response.setHeader('content-type', 'application/vnd.oci.image.manifest.v1+json')
        const body = contents.get(path)!
        if (method === 'HEAD') response.end()
        else if (stalls && body.length > 1024) {
          response.write(body.subarray(0, 1024))
          response.once('close', () => left.push(path))
        } else response.end(body)
      } else response.writeHead(404).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  afterAll(() => server.close())

  test('takes images and gives them', async () => {
    const name = `${await listen()}/team/app:1`
    const id = (await vmexit('import', 'tree.tar.gz', name)).out
    const pushed = await vmexit('push', name)
    expect(pushed).toMatchObject({ code: 0, said: '' })
    await vmexit('rmi', name)
    expect(await vmexit('pull', name)).toMatchObject({ code: 0, out: pushed.out })
    expect((await vmexit('images', '-q', '--no-trunc')).out).toBe(id)
    expect(await vmexit('pull', name.replace('app', 'none'))).toMatchObject({ code: 1, out: '' })
    // Ctrl-C in the middle of a layer: the registry is left, and nothing stays.
    await vmexit('rmi', name)
    stalls = true
    const pull = spawn(process.execPath, [...command, 'pull', name], { cwd: folder, env, stdio: 'ignore' })
    const incoming = () =>
      readdirSync(join(store, 'incoming')).map(
        (file) => statSync(join(store, 'incoming', file), { throwIfNoEntry: false })?.size,
      )
    while (!incoming().includes(1024)) await new Promise((resolve) => setTimeout(resolve, 20))
    pull.kill('SIGINT')
    expect((await once(pull, 'exit'))[0]).toBe(130)
    expect(kept()).toEqual([])
    while (left.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    stalls = false
    expect(await vmexit('pull', name)).toMatchObject({ code: 0, out: pushed.out })
  })
})
