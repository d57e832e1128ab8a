/**
 * An image of real Debian through every way in and out, with the tools that others use between: imported, saved, copied by skopeo, loaded, pushed
 * to Debian's docker-registry, pulled, run; and what a container of it has changed, committed, unpacked by umoci, exported.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const archive = join(homedir(), '.cache/vmexit/guests/debian-root/root.tar')
const TOOLS = ['skopeo', 'umoci', 'docker-registry']
const missing = TOOLS.filter((name) => spawnSync(name, ['--version']).status !== 0)
const why = !existsSync(archive)
  ? ' (skipped: `vmexit guests` has not fetched debian-root)'
  : missing.length > 0
    ? ` (skipped: ${missing.join(', ')} is not installed)`
    : ''
const base = mkdtempSync(join(tmpdir(), 'vmexit-debian-'))
const at = (name: string): string => join(base, name)

/** Runs a program in the folder; `state` is whose images there are. */
function run(program: string, args: readonly string[], state = 'one'): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    ...{ encoding: 'utf8', cwd: base, timeout: 240_000, maxBuffer: 1 << 26 },
    env: { ...process.env, XDG_STATE_HOME: at(state) },
  })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${status} ${stderr}`)
  return stdout
}
const vmexit = (state: string, ...args: string[]): string =>
  run(process.execPath, ['--conditions=@vmexit/source', main, ...args], state)
const skopeo = (...args: string[]): string => run('skopeo', ['--insecure-policy', ...args])
const PYTHON = ['python3', '-c', 'import platform; print(6 * 7, platform.machine())']

describe.skipIf(why !== '')(`an image of Debian${why}`, () => {
  let registry: ChildProcess
  let host: string
  beforeAll(async () => {
    const server = createServer()
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const address = server.address()
    host = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
    await new Promise((done) => server.close(done))
    const config = {
      version: 0.1,
      log: { level: 'error' },
      storage: { filesystem: { rootdirectory: at('registry') } },
      http: { addr: host },
    }
    writeFileSync(at('registry.json'), JSON.stringify(config))
    registry = spawn('docker-registry', ['serve', at('registry.json')], { stdio: 'ignore' })
    for (let n = 0; n < 200 && !(await fetch(`http://${host}/v2/`).catch(() => undefined))?.ok; n++)
      await new Promise((done) => setTimeout(done, 100))
    vmexit('one', 'import', archive, 'debian:12')
  }, 300_000)
  afterAll(() => {
    registry?.kill()
    rmSync(base, { recursive: true, force: true })
  })

  it('is saved as a layout, which skopeo copies, loaded elsewhere, and runs', () => {
    vmexit('one', 'save', '-o', 'debian.tar', 'debian:12')
    const about = JSON.parse(skopeo('inspect', 'oci-archive:debian.tar'))
    expect(about).toMatchObject({ Os: 'linux', Architecture: '386' })
    skopeo('copy', 'oci-archive:debian.tar', 'docker-archive:docker.tar:debian:12')
    vmexit('two', 'load', '-i', 'docker.tar')
    expect(vmexit('two', 'run', '--rm', 'debian:12', ...PYTHON)).toBe('42 i686\n')
  }, 300_000)

  it('is taken from a registry, and runs', () => {
    skopeo('copy', '--dest-tls-verify=false', 'oci-archive:debian.tar', `docker://${host}/debian:12`)
    vmexit('three', 'pull', `${host}/debian:12`)
    expect(
      vmexit('three', 'run', '--rm', `${host}/debian:12`, 'bash', '-c', 'source /etc/os-release; echo $ID $VERSION_ID'),
    ).toBe('debian 12\n')
  }, 300_000)

  it('is committed with what a container has changed, as others read it, and exported', () => {
    const script =
      'rm -r /usr/share/doc; echo new > /etc/motd; mkdir -m 1777 /srv/d; ln /etc/motd /srv/hard; ln -s motd /etc/link; chown 5:6 /srv/hard'
    vmexit('one', 'run', '--name', 'changed', 'debian:12', 'bash', '-c', script)
    vmexit('one', 'commit', '-c', 'CMD ["cat", "/etc/motd"]', 'changed', 'debian:mine')
    expect(vmexit('one', 'run', '--rm', 'debian:mine')).toBe('new\n')
    vmexit('one', 'save', '-o', 'mine.tar', 'debian:mine')
    const config = JSON.parse(skopeo('inspect', '--config', 'oci-archive:mine.tar'))
    expect(config).toMatchObject({ architecture: '386', config: { Cmd: ['cat', '/etc/motd'] } })
    expect(config.rootfs.diff_ids).toHaveLength(2)
    skopeo('copy', 'oci-archive:mine.tar', 'oci:mine:latest')
    run('umoci', ['unpack', '--rootless', '--image', 'mine:latest', 'bundle'])
    const unpacked = (path: string): string => join(base, 'bundle/rootfs', path)
    expect(readFileSync(unpacked('etc/link'), 'utf8')).toBe('new\n')
    expect(statSync(unpacked('etc/motd')).ino).toBe(statSync(unpacked('srv/hard')).ino)
    expect(statSync(unpacked('srv/d')).mode & 0o7777).toBe(0o1777)
    expect([existsSync(unpacked('usr/share/doc')), existsSync(unpacked('usr/bin/bash'))]).toEqual([false, true])
    vmexit('one', 'export', '-o', 'exported.tar', 'changed')
    mkdirSync(at('exported'))
    run(
      'tar',
      ['-xf', 'exported.tar', '-C', 'exported', '--no-same-owner', './etc/motd', './srv'].map((each) =>
        each.replace('./', ''),
      ),
    )
    expect(readFileSync(at('exported/etc/motd'), 'utf8')).toBe('new\n')
    expect(statSync(at('exported/srv/d')).mode & 0o7777).toBe(0o1777)
  }, 300_000)
})
