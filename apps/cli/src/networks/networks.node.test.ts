/** `vmexit network`, and the network of `vmexit run`, as a person uses them, with an image of Debian's busybox. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { readCpio } from '@vmexit/boot'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { StateDirectory } from '../hosted/state-directory.ts'
import { isAlive, statusOf } from '../hosted/status.ts'
import { Networks } from './record.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const archive = join(homedir(), '.cache/vmexit/guests/busybox/initramfs.gz')
const isThere = existsSync(archive)
const folder = mkdtempSync(join(tmpdir(), 'vmexit-nets-'))
const state = new StateDirectory(join(folder, 'vmexit'))
const environment = { ...process.env, XDG_STATE_HOME: folder }

interface Said {
  readonly out: string
  readonly err: string
  readonly status: number | null
}

/** Runs the program to its end. */
function vmexit(...args: string[]): Promise<Said> {
  const child = spawn(process.execPath, ['--conditions=@vmexit/source', main, ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { out: '', err: '' }
  child.stdout.on('data', (bytes: Buffer) => void (said.out += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => void (said.err += bytes.toString()))
  return new Promise((done) => child.on('close', (status) => done({ ...said, status })))
}
const shell = (script: string, ...flags: string[]): Promise<Said> =>
  vmexit('run', '--rm', ...flags, 'box', 'busybox', 'sh', '-c', script)

const wget = 'busybox wget -q -O -'
const httpd = (text: string): string =>
  `busybox mkdir /w; echo ${text} > /w/index.html; exec busybox httpd -f -p 80 -h /w`

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 40_000; !(await holds()); ) {
    if (performance.now() > end) throw new Error('it did not come to that')
    await new Promise((done) => setTimeout(done, 50))
  }
}

async function killAll(): Promise<void> {
  for (const found of state.list()) {
    const status = await statusOf(found)
    if (isAlive(status)) process.kill(status.pid, 'SIGKILL')
    state.remove(found)
  }
}

describe('networks that are kept', () => {
  const where = mkdtempSync(join(tmpdir(), 'vmexit-nets-'))
  afterAll(() => rmSync(where, { recursive: true, force: true }))
  const networks = new Networks(where)

  it('have names and addresses that no other has', () => {
    expect([networks.create('one').subnet, networks.create('two', '10.89.1.0/25').subnet]).toEqual([
      '10.89.0.0/24',
      '10.89.1.0/25',
    ])
    expect(networks.create('three').subnet).toBe('10.89.2.0/24')
    expect(() => networks.create('one')).toThrow(/there is a network one already/)
    expect(() => networks.create('four', '10.89.0.128/25')).toThrow(/addresses of the network one/)
    expect(() => networks.create('four', '10.0.0.0/8')).toThrow(/addresses of the network/)
    expect(() => networks.create('four', 'much')).toThrow(/no subnet/)
    networks.remove(networks.find('one'))
    expect(networks.create('again').subnet).toBe('10.89.0.0/24')
    expect(networks.list().map(({ name }) => name)).toEqual(['again', 'three', 'two'])
    expect(() => networks.find('one')).toThrow(/vmexit network create one/)
  })
  it.each(['none', 'bridge', 'host', '../x', '', 'a b', 'x'.repeat(41)])('is not called %j', (name) => {
    expect(() => networks.create(name)).toThrow(/cannot be the name of a network/)
    expect(() => networks.find(name)).toThrow(/there is no network/)
  })
})

describe.skipIf(!isThere)(
  `networks of vmexit run${isThere ? '' : ' (skipped: `vmexit guests` has not fetched busybox)'}`,
  () => {
    beforeAll(async () => {
      const program = readCpio(gunzipSync(readFileSync(archive))).find(({ path }) => path === 'bin/busybox')
      if (program?.kind !== 'file') throw new Error('no busybox')
      writeFileSync(join(folder, 'busybox'), program.bytes)
      expect((await vmexit('import', join(folder, 'busybox'), 'box', '-e', 'PATH=/')).status).toBe(0)
    }, 60_000)
    afterEach(killAll)
    afterAll(() => rmSync(folder, { recursive: true, force: true }))

    it('join containers of two host processes by name; other networks reach nothing of them', async () => {
      expect((await vmexit('network', 'create', 'shop')).out).toBe('shop\n')
      expect((await vmexit('network', 'create', 'other')).out).toBe('other\n')
      // Two that start the switch at once.
      const [db, second] = await Promise.all([
        vmexit(
          ...['run', '-d', '--name', 'db', '--network', 'shop', '--network-alias', 'database', '--ip', '10.89.0.9'],
          'box',
          'busybox',
          'sh',
          '-c',
          httpd('rows'),
        ),
        shell('exit 5', '--network', 'shop'),
      ])
      expect([db.status, second.status, second.err]).toEqual([0, 5, ''])
      const script = `for name in db database 10.89.0.9 ${db.out.slice(0, 12)}; do ${wget} http://$name/; done; ${wget} http://nobody/`
      const read = await shell(script, '--network', 'shop')
      expect(read.out).toBe('rows\nrows\nrows\nrows\n')
      expect(read.err).toContain("bad address 'nobody'")
      for (const flags of [['--network', 'other'], ['--network', 'none'], []]) {
        const { out, err } = await shell(`busybox timeout 5 ${wget} http://10.89.0.9/; ${wget} http://db/`, ...flags)
        expect(out).toBe('')
        expect(err).toMatch(/refused|unreachable|No route/)
      }
      const [inspected] = JSON.parse((await vmexit('network', 'inspect', 'shop')).out)
      expect(inspected).toMatchObject({ name: 'shop', subnet: '10.89.0.0/24', containers: [{ address: '10.89.0.9' }] })
      expect((await vmexit('ps')).out).toMatch(/network-shop +10\.89\.0\.0\/24 +Up/)
      const used = await vmexit('network', 'rm', 'shop')
      expect([used.status, used.err]).toEqual([1, expect.stringContaining('db is on the network shop')])
      await vmexit('rm', '-f', 'db')
      await until(async () => JSON.parse((await vmexit('network', 'inspect', 'shop')).out)[0].containers.length === 0)
      expect((await vmexit('network', 'rm', 'shop', 'other')).out).toBe('shop\nother\n')
      expect(readdirSync(join(folder, 'vmexit', 'networks'))).toEqual([])
      expect((await vmexit('ps', '-a')).out).not.toContain('network-')
    }, 480_000)

    it('go on, with all who are on them, when their switch is killed', async () => {
      await vmexit('network', 'create', 'shop')
      const web = (name: string) =>
        vmexit(
          ...['run', '-d', '--name', name, '--network', 'shop', 'box', 'busybox', 'sh', '-c'],
          `busybox mkdir /w; echo ${name} > /w/index.html; exec busybox httpd -f -p 80 -h /w`,
        )
      for (const name of ['one', 'two']) expect((await web(name)).status).toBe(0)
      const kill = async (): Promise<string> => {
        const found = state.find('network-shop')
        const status = await statusOf(found)
        if (!isAlive(status)) throw new Error('no switch')
        process.kill(status.pid, 'SIGKILL')
        return found.instance.id
      }
      const before = await kill()
      const members = async (): Promise<number> =>
        JSON.parse((await vmexit('network', 'inspect', 'shop')).out)[0].containers.length
      await until(async () => (await members()) === 2)
      expect(state.find('network-shop').instance.id).not.toBe(before)
      expect((await shell(`${wget} http://one/; ${wget} http://two/`, '--network', 'shop')).out).toBe('one\ntwo\n')
      // One that is removed stays away.
      expect((await vmexit('network', 'rm', '-f', 'shop')).out).toBe('shop\n')
      await new Promise((done) => setTimeout(done, 3000))
      expect((await vmexit('ps')).out).not.toContain('network-shop')
      expect((await vmexit('logs', 'one')).err).toContain('the switch of the network shop has gone')
    }, 480_000)

    it('publish ports of this machine, and say which', async () => {
      const run = await vmexit(
        'run',
        '-d',
        '--name',
        'web',
        '-p',
        '80',
        '-p',
        '0:9/udp',
        'box',
        'busybox',
        'sh',
        '-c',
        httpd('hello'),
      )
      expect(run.status).toBe(0)
      const at = (await vmexit('port', 'web', '80')).out.trim()
      expect(at).toMatch(/^127\.0\.0\.1:\d+$/)
      expect((await vmexit('port', 'web')).out).toMatch(/^80\/tcp -> 127\.0\.0\.1:\d+\n9\/udp -> 127\.0\.0\.1:\d+\n$/)
      const served = () =>
        fetch(`http://${at}/`)
          .then((answer) => answer.text())
          .catch(() => '')
      await until(async () => (await served()) === 'hello\n')
      expect((await vmexit('ps')).out).toContain(`${at}->80/tcp, `)
      expect((await vmexit('port', 'web', '81')).err).toContain('is not published')
      const taken = await vmexit('run', '-p', `${at.split(':')[1]}:80`, 'box', 'busybox', 'true')
      expect([taken.status, taken.err]).toEqual([125, expect.stringContaining('cannot be listened at')])
      await vmexit('rm', '-f', 'web')
      expect(await served()).toBe('')
    }, 480_000)

    it('reach nothing outside but what is allowed', async () => {
      const server = createServer((request, response) => response.end(`${request.method} ${request.url}\n`))
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
      try {
        const { port } = server.address() as AddressInfo
        const script = `${wget} http://machine:${port}/path; ${wget} http://192.0.2.1/`
        const way = ['--add-host', 'machine:host-gateway']
        const allowed = await shell(script, ...way, '--allow', `127.0.0.1:${port}`)
        expect(allowed.out).toBe('GET /path\n')
        expect(allowed.err).toContain('vmexit: denied: tcp 192.0.2.1:80 (--allow 192.0.2.1:80 would let it through)')
        const refused = await shell(script, ...way)
        expect(refused.out).toBe('')
        expect(refused.err).toContain(`denied: tcp 127.0.0.1:${port}`)
      } finally {
        server.close()
      }
    }, 480_000)

    it.each([
      [['--network', 'nosuch'], /there is no network 'nosuch': make it: vmexit network create nosuch/],
      [['--network', 'host'], /no network of this machine/],
      [['--network', 'none', '-p', '80'], /leave out --network none/],
      [['--network-alias', 'x'], /make a network/],
      [['--idle', 'skip', '-p', '80'], /leave out --idle skip/],
      [['--ip', '10.1.2.3'], /no address of 10\.88\.0\.0\/24/],
    ])(
      'refuse %j',
      async (flags, message) => {
        const { status, err } = await shell('true', ...flags)
        expect(err).toMatch(message)
        expect(status).toBe(125)
      },
      60_000,
    )
  },
)
