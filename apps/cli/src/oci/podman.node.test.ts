/** Debian's podman with `vmexit oci` as its runtime: it starts containers on a kernel in TypeScript, and does not know. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { busyboxFolder, isBusyboxThere, WHY_NOT } from '../../test/busybox-folder.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))
const isRoot = process.getuid?.() === 0
const isThere = ['podman', 'conmon'].every((name) => spawnSync(name, ['--version']).status === 0)
const why = !isBusyboxThere
  ? WHY_NOT
  : !isThere
    ? ' (skipped: podman and conmon are not installed)'
    : isRoot
      ? ''
      : ' (skipped: it needs root)'

// Sockets of podman's have names of 107 bytes at most.
const base = mkdtempSync(join(tmpdir(), 'vp-'))
const env = {
  ...process.env,
  CONTAINERS_CONF: join(base, 'containers.conf'),
  CONTAINERS_STORAGE_CONF: join(base, 'storage.conf'),
}
const LOCAL = ['--network', 'none']

function podman(args: readonly string[], input = '') {
  const ran = spawnSync('podman', args, { encoding: 'utf8', env, input, timeout: 100_000 })
  return { ...ran, stderr: ran.stderr.replace(/^WARNING: image platform.*\n/gm, '') }
}
const run = (...args: string[]) => podman(['run', '--rm', ...LOCAL, ...args])

describe.skipIf(why !== '')(`podman with vmexit as its runtime${why}`, () => {
  beforeAll(() => {
    writeFileSync(
      join(base, 'runtime'),
      `#!/bin/sh\nexec '${process.execPath}' --conditions=@vmexit/source '${main}' --root '${join(base, 'oci')}' --without mqueue "$@"\n`,
      { mode: 0o755 },
    )
    writeFileSync(
      join(base, 'storage.conf'),
      `[storage]\ndriver = "vfs"\ngraphroot = "${join(base, 'graph')}"\nrunroot = "${join(base, 'run')}"\n`,
    )
    writeFileSync(
      join(base, 'containers.conf'),
      `[engine]\nruntime = "vmexit"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\ntmp_dir = "${join(base, 'tmp')}"\n` +
        `runtime_supports_nocgroup = ["vmexit"]\nruntime_supports_json = ["vmexit"]\n` +
        `[engine.runtimes]\nvmexit = ["${join(base, 'runtime')}"]\n`,
    )
    busyboxFolder(join(base, 'root'))
    expect(spawnSync('tar', ['-C', join(base, 'root'), '-cf', join(base, 'root.tar'), '.']).status).toBe(0)
    expect(podman(['import', '--arch', '386', join(base, 'root.tar'), 'box']).status).toBe(0)
  }, 300_000)
  afterAll(() => {
    podman(['rm', '-f', '-a', '-t', '0'])
    rmSync(base, { recursive: true, force: true })
  })

  it('runs a program, tells its exit code, and gives it input', () => {
    expect(run('box', 'echo', 'hello')).toMatchObject({ stdout: 'hello\n', stderr: '', status: 0 })
    expect(run('box', 'sh', '-c', 'echo out; echo err >&2; exit 42')).toMatchObject({
      stdout: 'out\n',
      stderr: 'err\n',
      status: 42,
    })
    expect(podman(['run', '-i', '--rm', ...LOCAL, 'box', 'tr', 'a-z', 'A-Z'], 'typed\n').stdout).toBe('TYPED\n')
    expect(run('--cgroups', 'disabled', 'box', 'uname', '-s').stdout).toBe('Linux\n')
  }, 300_000)

  it('has exit codes of its own for programs that are not there, or are none', () => {
    expect(run('box', 'nosuch').status).toBe(127)
    expect(run('box', '/etc/passwd').status).toBe(126)
  }, 300_000)

  it('sets limits, rights and names', () => {
    const script =
      'id -u; pwd; hostname; cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max; grep -E "CapBnd|Seccomp:" /proc/self/status; touch /x; touch /tmp/y && echo tmp'
    const flags = [
      '--memory',
      '32m',
      '--pids-limit',
      '20',
      '-u',
      '5:6',
      '-w',
      '/tmp',
      '-h',
      'name',
      '--cap-drop',
      'all',
      '--read-only',
    ]
    const ran = run(...flags, 'box', 'sh', '-c', script)
    expect(ran.stdout).toBe('5\n/tmp\nname\n33554432\n20\nCapBnd:\t0000000000000000\nSeccomp:\t2\ntmp\n')
    expect(ran.stderr).toContain('Read-only file system')
  }, 300_000)

  it('mounts folders of the host', () => {
    const folder = join(base, 'folder')
    mkdirSync(folder)
    writeFileSync(join(folder, 'f'), 'of the host\n')
    const ran = run(
      '-v',
      `${folder}:/v`,
      '-v',
      `${folder}:/ro:ro`,
      '--tmpfs',
      '/t:size=1m',
      'box',
      'sh',
      '-c',
      'cat /v/f; echo new > /v/g; touch /ro/x; echo x > /t/x && echo t',
    )
    expect(ran.stdout).toBe('of the host\nt\n')
    expect(ran.stderr).toContain('Read-only file system')
    expect(readFileSync(join(folder, 'g'), 'utf8')).toBe('new\n')
  }, 300_000)

  it('keeps one in the background, lists it, executes in it, pauses it and stops it', async () => {
    const script = 'trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.1; done'
    expect(podman(['run', '-d', '--name', 'bg', ...LOCAL, 'box', 'sh', '-c', script]).status).toBe(0)
    const logs = () => podman(['logs', 'bg']).stdout
    for (let n = 0; n < 100 && logs() !== 'up\n'; n++) await new Promise((go) => setTimeout(go, 100))
    expect(podman(['ps', '--format', '{{.Names}} {{.Status}}']).stdout).toMatch(/^bg Up/)
    expect(podman(['exec', 'bg', 'sh', '-c', 'id -u; exit 3'])).toMatchObject({ stdout: '0\n', status: 3 })
    expect(podman(['exec', '-i', '-u', '7', 'bg', 'sh', '-c', 'cat; id -u'], 'stdin\n').stdout).toBe('stdin\n7\n')
    expect(podman(['exec', 'bg', 'nosuch']).status).toBe(127)
    expect(podman(['pause', 'bg']).status).toBe(0)
    expect(podman(['inspect', '--format', '{{.State.Status}}', 'bg']).stdout).toBe('paused\n')
    expect(podman(['unpause', 'bg']).status).toBe(0)
    expect(podman(['stop', '-t', '20', 'bg']).status).toBe(0)
    expect(podman(['inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'bg']).stdout).toBe('exited 5\n')
    expect(logs()).toBe('up\nbye\n')
    expect(podman(['start', 'bg']).status).toBe(0)
    expect(podman(['kill', 'bg']).status).toBe(0)
    expect(podman(['wait', 'bg']).stdout).toBe('137\n')
    expect(podman(['rm', 'bg']).status).toBe(0)
  }, 300_000)

  it.skipIf(spawnSync('script', ['--version']).status !== 0)(
    'gives it a terminal, whose size it follows',
    async () => {
      const line = `stty rows 33 cols 111; podman run -it --rm ${LOCAL.join(' ')} box sh -c 'tty; while ! stty size | grep "33 111"; do sleep 0.1; done; read x; echo "<$x>"; exit 9'`
      const child = spawn('script', ['-qec', line, '/dev/null'], { env })
      let text = ''
      child.stdout.on('data', (bytes) => {
        text += bytes
      })
      const ended = new Promise((end) => child.on('close', end))
      for (let n = 0; n < 400 && !text.includes('33 111\r\n'); n++) await new Promise((go) => setTimeout(go, 100))
      child.stdin.write('typed\r')
      expect(await ended).toBe(9)
      expect(text).toContain('/dev/pts/0\r\n33 111\r\n')
      expect(text).toContain('<typed>\r\n')
    },
    300_000,
  )
})
