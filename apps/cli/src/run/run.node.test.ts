/** `vmexit run` as a person uses it, with an image of Debian's busybox. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { readCpio } from '@vmexit/boot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const archive = join(homedir(), '.cache/vmexit/guests/busybox/initramfs.gz')
const isThere = existsSync(archive)
const folder = mkdtempSync(join(tmpdir(), 'vmexit-run-'))
const env = { ...process.env, XDG_STATE_HOME: folder, GIVEN: 'here' }
const command = ['--conditions=@vmexit/source', main]

function vmexit(args: readonly string[], input = '') {
  return spawnSync(process.execPath, [...command, ...args], { encoding: 'utf8', input, env, timeout: 240_000 })
}
const run = (...args: string[]) => vmexit(['run', ...args])

describe.skipIf(!isThere)(`vmexit run${isThere ? '' : ' (skipped: `vmexit guests` has not fetched busybox)'}`, () => {
  beforeAll(() => {
    const program = readCpio(gunzipSync(readFileSync(archive))).find(({ path }) => path === 'bin/busybox')
    if (program?.kind !== 'file') throw new Error('no busybox')
    writeFileSync(join(folder, 'busybox'), program.bytes)
    expect(vmexit(['import', join(folder, 'busybox'), 'box', '-e', 'IMAGE=said', '-w', '/work']).status).toBe(0)
  }, 240_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('runs the program that the image says, and ends with its exit code', () => {
    expect(run('--rm', 'box', 'echo', 'hello')).toMatchObject({ stdout: 'hello\n', stderr: '', status: 0 })
    expect(run('box', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toMatchObject({
      stdout: 'out\n',
      stderr: 'err\n',
      status: 7,
    })
    expect(run('box', 'sh', '-c', 'kill -9 $$; exec busybox sleep 1').status).toBe(0)
  }, 240_000)

  it('gives it variables, a place, a user, a name, limits and rights', () => {
    const script =
      'echo $IMAGE $A $GIVEN; pwd; id -u; id -g; hostname; cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max; grep -E "CapBnd|NoNew" /proc/self/status; echo x > /x'
    const { stdout, stderr, status } = run(
      ...[
        '-e',
        'A=b',
        '-e',
        'GIVEN',
        '-e',
        'ABSENT',
        '-w',
        '/some/place',
        '-u',
        '5:6',
        '-h',
        'name',
        '--memory',
        '16m',
        '--pids-limit',
        '9',
      ],
      ...[
        '--cpus',
        '0.5',
        '--read-only',
        '--cap-drop',
        'ALL',
        '--cap-add',
        'KILL',
        '--no-new-privileges',
        '--network',
        'none',
        'box',
        'sh',
        '-c',
        script,
      ],
    )
    expect(stdout).toBe(
      'said b here\n/some/place\n5\n6\nname\n16777216\n9\nCapBnd:\t0000000000000020\nNoNewPrivs:\t1\n',
    )
    expect(stderr).toContain('Read-only file system')
    expect(status).toBe(1)
  }, 240_000)

  it('reads standard input with -i, and nothing without', () => {
    const big = 'x'.repeat(300_000)
    expect(vmexit(['run', '-i', 'box', 'wc', '-c'], big).stdout.trim()).toBe('300000')
    expect(vmexit(['run', 'box', 'wc', '-c'], big).stdout.trim()).toBe('0')
  }, 240_000)

  it('prints one object, with --idle skip without waiting', () => {
    const { stdout } = run(
      '--json',
      '--idle',
      'skip',
      '--entrypoint',
      '/busybox',
      'box',
      'sh',
      '-c',
      'busybox sleep 1000; echo done',
    )
    const told = JSON.parse(stdout)
    expect(told).toMatchObject({ exitCode: 0, output: 'done\n' })
    expect(told.virtualSeconds).toBeGreaterThan(1000)
    expect(told.memoryPeak).toBeGreaterThan(4096)
  }, 240_000)

  it.each([
    ['an image that is not there', ['nosuch'], 125, /there is no image 'nosuch:latest' here/],
    [
      'a program that is not there',
      ['--entrypoint', 'nosuch', 'box'],
      127,
      /there is no program nosuch in .*: name one/,
    ],
    ['a user who is not there', ['-u', 'me', 'box', 'true'], 125, /there is no user me/],
    [
      'a port of what has no network',
      ['-p', '80:80', '--network', 'none', 'box', 'true'],
      125,
      /leave out --network none/,
    ],
    ['a folder without a place', ['-v', '/tmp', 'box', 'true'], 125, /-v \/tmp is not understood/],
    ['a folder at the root', ['-v', '/tmp:/', 'box', 'true'], 125, /nothing can be mounted at/],
    [
      'a security option that is none',
      ['--security-opt', 'apparmor=x', 'box', 'true'],
      125,
      /there is no --security-opt/,
    ],
    [
      'a profile that is not there',
      ['--security-opt', 'seccomp=/nosuch', 'box'],
      125,
      /cannot be read .*: name a file/,
    ],
    ['a flag that is none', ['--nosuch', 'box'], 125, /unknown option '--nosuch'/],
    ['a number that is none', ['--cpus', '0', 'box'], 125, /It must be a number/],
    ['a terminal where there is none', ['-it', 'box', 'sh'], 125, /standard input is none: leave -t out/],
  ])(
    'refuses %s',
    (_what, args, status, message) => {
      const ran = run(...args)
      expect(ran.stderr).toMatch(message)
      expect(ran.status).toBe(status)
    },
    240_000,
  )

  it('answers while it prints without end to nobody, in the background', async () => {
    const id = vmexit(['run', '-d', 'box', 'cat', '/dev/zero']).stdout.trim()
    // So that slices are as long as they get.
    await new Promise((done) => setTimeout(done, 3000))
    const listed = vmexit(['ps']).stdout
    expect(vmexit(['rm', '-f', id]).status).toBe(0)
    expect(listed).toMatch(new RegExp(`${id.slice(0, 12)}.* Up `))
  }, 240_000)

  it('gives signals to the program, and the third one ends it', async () => {
    const start = async (script: string) => {
      const child = spawn(process.execPath, [...command, 'run', 'box', 'sh', '-c', script], { env })
      let out = ''
      child.stdout.on('data', (bytes: Buffer) => void (out += bytes.toString()))
      const ended = new Promise<number | null>((done) => child.on('close', done))
      while (!out.includes('ready')) await new Promise((done) => setTimeout(done, 20))
      return { child, ended, out: () => out }
    }
    const one = await start('trap "echo caught; exit 3" INT; echo ready; while :; do sleep 0.05; done')
    one.child.kill('SIGINT')
    expect(await one.ended).toBe(3)
    expect(one.out()).toContain('caught')
    const two = await start('trap "" TERM; echo ready; while :; do sleep 0.05; done')
    for (let n = 0; n < 3; n++) {
      two.child.kill('SIGTERM')
      await new Promise((done) => setTimeout(done, 100))
    }
    expect(await two.ended).toBe(137)
  }, 240_000)
})
