/** Volumes and filters of `vmexit run`, as a person uses them. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { busyboxFolder, isBusyboxThere, WHY_NOT } from '../../test/busybox-folder.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const base = mkdtempSync(join(tmpdir(), 'vmexit-volumes-'))
const env = { ...process.env, XDG_STATE_HOME: base }

function vmexit(...args: string[]) {
  return spawnSync(process.execPath, ['--conditions=@vmexit/source', main, ...args], {
    ...{ encoding: 'utf8', env, cwd: base, timeout: 60_000 },
  })
}
const run = (...args: string[]) => vmexit('run', '--rm', ...args)

describe.skipIf(!isBusyboxThere)(`volumes${isBusyboxThere ? '' : WHY_NOT}`, () => {
  beforeAll(() => {
    busyboxFolder(join(base, 'root'))
    mkdirSync(join(base, 'folder'))
    writeFileSync(join(base, 'folder/f'), 'of the host\n')
    const tar = spawnSync('tar', ['-C', join(base, 'root'), '-cf', join(base, 'box.tar'), '.'])
    expect(tar.status).toBe(0)
    expect(vmexit('import', join(base, 'box.tar'), 'box', '-e', 'PATH=/bin').status).toBe(0)
  }, 120_000)
  afterAll(() => rmSync(base, { recursive: true, force: true }))

  it('folders and files of the host are seen, and written unless they are read-only', () => {
    const script = 'cat /v/f /etc/one; echo new > /v/g; touch /ro/x'
    const ran = run(
      ...[
        '-v',
        './folder:/v',
        '-v',
        `${base}/folder:/ro:ro`,
        '--mount',
        `type=bind,src=${base}/folder/f,dst=/etc/one,readonly`,
      ],
      ...['box', 'sh', '-c', script],
    )
    expect(ran.stdout).toBe('of the host\nof the host\n')
    expect(ran.stderr).toContain('Read-only file system')
    expect(readFileSync(join(base, 'folder/g'), 'utf8')).toBe('new\n')
  }, 300_000)

  it('volumes with a name outlive containers, begin with what the image has, and are dealt with', () => {
    expect(run('-v', 'data:/etc', 'box', 'sh', '-c', 'cat /etc/passwd; echo more > /etc/own').stdout).toContain(
      'root:x:0',
    )
    expect(run('--mount', 'type=volume,source=data,target=/d,readonly', 'box', 'cat', '/d/own').stdout).toBe('more\n')
    expect(vmexit('volume', 'ls', '-q').stdout).toBe('data\n')
    expect(vmexit('create', '--name', 'user', '-v', 'data:/d', 'box', 'true').status).toBe(0)
    expect(vmexit('volume', 'rm', 'data').stderr).toContain('the volume data is in use by user')
    expect(vmexit('rm', 'user').status).toBe(0)
    const [{ mountpoint }] = JSON.parse(vmexit('volume', 'inspect', 'data').stdout)
    expect(readdirSync(mountpoint)).toContain('own')
    const anonymous = vmexit('volume', 'create').stdout.trim()
    expect(vmexit('volume', 'create', 'other', '--label', 'a=b').stdout).toBe('other\n')
    expect(vmexit('volume', 'prune').stdout.trim()).toBe(anonymous)
    expect(vmexit('volume', 'rm', 'data', 'nosuch').status).toBe(1)
    expect(existsSync(mountpoint)).toBe(false)
    expect(vmexit('volume', 'rm', '-f', 'nosuch').status).toBe(0)
    expect(vmexit('volume', 'prune', '-a').stdout).toBe('other\n')
    expect(vmexit('volume', 'create', '../x').stderr).toContain('cannot be the name of a volume')
  }, 300_000)

  it('memory is mounted, with a size', () => {
    const { stdout } = run(
      '--tmpfs',
      '/t:size=64k,mode=700',
      'box',
      'sh',
      '-c',
      'grep " /t " /proc/mounts; ls -ld /t | cut -c1-10; dd if=/dev/zero of=/t/x bs=1k count=99 2>&1 | tail -1',
    )
    expect(stdout).toMatch(/^tmpfs \/t tmpfs .*\ndrwx------\n64\+0 records out\n$/)
  }, 300_000)

  it.each([
    ['type=bind,src=/no/such,dst=/v', 1, /cannot be shown/],
    ['type=image,dst=/v', 125, /there is no type image/],
    ['type=volume,dst=/v,speed=9', 125, /there is no speed/],
    ['type=bind,dst=/v', 125, /no source/],
  ])(
    '--mount %s is refused',
    (mount, status, message) => {
      const ran = run('--mount', mount, 'box', 'true')
      expect(ran.stderr).toMatch(message)
      expect([status, 125]).toContain(ran.status)
    },
    300_000,
  )

  it('calls are filtered as by Docker, unless it is said otherwise', () => {
    const script = 'unshare -U true && echo unshared; grep Seccomp: /proc/self/status'
    expect(run('box', 'sh', '-c', script).stdout).toBe('Seccomp:\t2\n')
    expect(run('--security-opt', 'seccomp=unconfined', 'box', 'sh', '-c', script).stdout).toBe(
      'unshared\nSeccomp:\t0\n',
    )
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [
        {
          names: ['mkdir'],
          action: 'SCMP_ACT_ERRNO',
          errnoRet: 38,
          args: null,
          includes: { arches: ['x86'], minKernel: '4.8' },
          excludes: { caps: ['CAP_SYS_ADMIN'] },
        },
        { names: ['rmdir'], action: 'SCMP_ACT_ERRNO', includes: { caps: ['CAP_SYS_ADMIN'] } },
      ],
    }
    writeFileSync(join(base, 'profile.json'), JSON.stringify(profile))
    const own = ['--security-opt', 'seccomp=profile.json', '--security-opt', 'no-new-privileges']
    const ran = run(...own, 'box', 'sh', '-c', 'mkdir /x; rmdir /tmp && echo gone; grep NoNew /proc/self/status')
    expect(ran.stderr).toContain('Function not implemented')
    expect(ran.stdout).toBe('gone\nNoNewPrivs:\t1\n')
    const admin = run(...own, '--cap-add', 'SYS_ADMIN', 'box', 'sh', '-c', 'mkdir /x && echo made; rmdir /x')
    expect([admin.stdout, admin.stderr]).toEqual(['made\n', expect.stringContaining('not permitted')])
  }, 300_000)
})
