/** `vmexit oci` as other tools call it: runc's commands, a bundle, a life from create to delete. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { busyboxFolder, isBusyboxThere, WHY_NOT } from '../../test/busybox-folder.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))
const base = mkdtempSync(join(tmpdir(), 'vmexit-oci-'))
const bundle = join(base, 'bundle')
const command = ['--conditions=@vmexit/source', main, '--root', join(base, 'state')]

function oci(args: readonly string[], input = '') {
  return spawnSync(process.execPath, [...command, ...args], { encoding: 'utf8', input, timeout: 100_000 })
}
/** Fails where the command does. */
function done(...args: string[]): string {
  const { status, stdout, stderr } = oci(args)
  if (status !== 0) throw new Error(`${args.join(' ')}: ${status} ${stderr}`)
  return stdout
}

/** Writes the bundle's configuration: that of `spec`, with a script, and what is changed. */
function write(script: string, change: (config: Config) => void = () => {}): void {
  const config = JSON.parse(readFileSync(join(base, 'example/config.json'), 'utf8')) as Config
  Object.assign(config.process, { terminal: false, args: ['sh', '-c', script] })
  config.root.readonly = false
  change(config)
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config))
}
interface Config {
  process: Record<string, unknown>
  root: { readonly: boolean }
  mounts: object[]
  hooks?: Record<string, object[]>
  annotations?: Record<string, string>
  linux: Record<string, unknown>
}

/** Starts a container that is killed and forgotten after the test. */
function created(id: string): void {
  onTestFinished(() => void oci(['delete', '--force', id]), 100_000)
  // Its streams are those of its program: a pipe would not end before that does.
  const log = join(base, `${id}.log`)
  const pidFile = join(base, `${id}.pid`)
  const { status } = spawnSync(
    process.execPath,
    [...command, '--log', log, 'create', '--bundle', bundle, '--pid-file', pidFile, id],
    { stdio: 'ignore', timeout: 60_000 },
  )
  expect([status, existsSync(log) ? readFileSync(log, 'utf8') : '']).toEqual([0, ''])
}
const statusOf = (id: string): { status: string; pid: number } => JSON.parse(done('state', id))
async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; n < 300 && !condition(); n++) await new Promise((go) => setTimeout(go, 100))
  expect(condition()).toBe(true)
}

describe.skipIf(!isBusyboxThere)(`the OCI runtime${isBusyboxThere ? '' : WHY_NOT}`, () => {
  beforeAll(() => {
    mkdirSync(bundle)
    busyboxFolder(join(bundle, 'rootfs'))
    done('spec', '--bundle', join(base, 'example'))
  }, 60_000)
  afterAll(() => rmSync(base, { recursive: true, force: true }))

  it('says where there is no bundle, and waits for no FIFO', () => {
    const other = join(base, 'other')
    mkdirSync(other)
    const wrong = /config\.json cannot be read .*: give a folder that has one/
    expect(oci(['create', '--bundle', other, 'c0'])).toMatchObject({ status: 1, stderr: expect.stringMatching(wrong) })
    execFileSync('mkfifo', [join(other, 'config.json')])
    expect(oci(['create', '--bundle', other, 'c0'])).toMatchObject({ status: 1, stderr: expect.stringMatching(wrong) })
  }, 60_000)

  it('runs a bundle in the foreground, with its streams and its exit code', () => {
    write('read x; echo got $x; echo err >&2; exit 7')
    const ran = oci(['run', '--bundle', bundle, 'c1'], 'typed\n')
    expect([ran.stdout, ran.stderr, ran.status]).toEqual(['got typed\n', 'err\n', 7])
    expect(oci(['state', 'c1']).stderr).toContain('container does not exist')
    expect(done('list', '-q')).toBe('')
  }, 300_000)

  it('has a life: created, running, paused, stopped, and gone', async () => {
    const mark = join(base, 'volume')
    mkdirSync(mark)
    write('trap "exit 5" TERM; echo x > /v/started; while :; do sleep 0.05; done', (config) => {
      config.mounts.push({ destination: '/v', source: mark, options: ['rbind', 'rw'] })
      config.annotations = { 'org.example.a': 'b' }
    })
    created('life')
    const state = statusOf('life')
    expect(state).toMatchObject({
      ociVersion: '1.2.0',
      id: 'life',
      status: 'created',
      bundle,
      annotations: { 'org.example.a': 'b' },
    })
    expect(readFileSync(join(base, 'life.pid'), 'utf8')).toBe(`${state.pid}`)
    expect(existsSync(`/proc/${state.pid}`)).toBe(true)
    await new Promise((go) => setTimeout(go, 500))
    expect(existsSync(join(mark, 'started'))).toBe(false)
    expect(oci(['exec', 'life', 'true']).stderr).toContain('cannot exec in a container that is created')

    done('start', 'life')
    expect(oci(['start', 'life']).stderr).toContain('cannot start a container that is running')
    await until(() => existsSync(join(mark, 'started')))
    expect(oci(['delete', 'life']).stderr).toContain('that is not stopped: running')
    expect(oci(['create', '--bundle', bundle, 'life']).stderr).toContain('container with id exists: life')
    expect(done('ps', 'life')).toMatch(/PID COMMAND\n +1 sh\n/)
    expect(JSON.parse(done('ps', '--format', 'json', 'life'))).toContain(1)
    expect(JSON.parse(done('list', '--format', 'json'))).toMatchObject([{ id: 'life', status: 'running' }])

    done('pause', 'life')
    expect(statusOf('life').status).toBe('paused')
    done('resume', 'life')
    done('kill', 'life', 'TERM')
    await until(() => statusOf('life').status === 'stopped')
    expect(statusOf('life').pid).toBe(0)
    expect(oci(['kill', 'life', 'KILL']).stderr).toContain('container not running')
    expect(oci(['exec', 'life', 'true']).status).toBe(1)
    done('delete', 'life')
    expect(oci(['delete', 'life']).status).toBe(1)
    expect(oci(['delete', '--force', 'life']).status).toBe(0)
  }, 300_000)

  it('executes further programs: with streams, by a file, in the background', async () => {
    write('while :; do sleep 1; done')
    created('exec')
    done('start', 'exec')
    const ran = oci(
      [
        'exec',
        '-u',
        '3:4',
        '-e',
        'A=b',
        '--cwd',
        '/tmp',
        'exec',
        'sh',
        '-c',
        'cat; id -u; id -g; echo $A; pwd; exit 9',
      ],
      'typed\n',
    )
    expect([ran.stdout, ran.status]).toEqual(['typed\n3\n4\nb\n/tmp\n', 9])
    writeFileSync(
      join(base, 'process.json'),
      JSON.stringify({
        args: ['sh', '-c', 'echo file; cat /proc/self/status | grep NoNew'],
        cwd: '/',
        env: ['PATH=/bin'],
        noNewPrivileges: true,
      }),
    )
    expect(done('exec', '--process', join(base, 'process.json'), 'exec')).toBe('file\nNoNewPrivs:\t1\n')
    expect(oci(['exec', 'exec', 'nosuch']).stderr).toContain('executable file not found in $PATH')
    const pidFile = join(base, 'exec.pid')
    const started = spawnSync(
      process.execPath,
      [...command, 'exec', '-d', '--pid-file', pidFile, 'exec', 'sh', '-c', 'while [ ! -e /go ]; do sleep 0.1; done'],
      { stdio: 'ignore' },
    )
    expect(started.status).toBe(0)
    const stat = `/proc/${readFileSync(pidFile, 'utf8')}/stat`
    expect(existsSync(stat)).toBe(true)
    done('exec', 'exec', 'touch', '/go')
    await until(() => !existsSync(stat))
    const big = 'x'.repeat(500_000)
    expect(oci(['exec', 'exec', 'wc', '-c'], big).stdout.trim()).toBe('500000')
    expect(oci(['exec', 'exec', 'sh', '-c', 'head -c 700000 /dev/zero']).stdout.length).toBe(700_000)
  }, 300_000)

  it('is killed before it was started, and with its host process', async () => {
    write('echo never')
    created('early')
    done('kill', 'early', '9')
    await until(() => statusOf('early').status === 'stopped')
    write('sleep 1000')
    created('host')
    done('start', 'host')
    process.kill(Number(readFileSync(join(base, 'host.pid'), 'utf8')), 'SIGKILL')
    await until(() => statusOf('host').status === 'stopped')
    done('delete', 'host')
  }, 300_000)

  it.each<[what: string, change: (config: Config) => void, message: string]>([
    [
      'a mount that is not there',
      (config) => config.mounts.push({ destination: '/dev/mqueue', type: 'mqueue' }),
      'there is no file system mqueue',
    ],
    [
      "the host's network",
      (config) => {
        config.linux['namespaces'] = [{ type: 'mount' }]
      },
      "the host's network cannot be shared",
    ],
    [
      'hooks',
      (config) => {
        config.hooks = { prestart: [{ path: '/bin/true' }] }
      },
      'runs programs of the host: allow it by --hooks',
    ],
    [
      'a terminal that nobody has',
      (config) => {
        config.process['terminal'] = true
      },
      'process.terminal without --console-socket',
    ],
    [
      'a version to come',
      (config) => Object.assign(config, { ociVersion: '3.0.0' }),
      'config.json is wrong at ociVersion',
    ],
    [
      'a program that is not there',
      (config) => {
        config.process['args'] = ['nosuch']
      },
      'executable file not found in $PATH',
    ],
  ])(
    'refuses %s, on standard error and in the log, and leaves nothing',
    (_what, change, message) => {
      write('true', change)
      const log = join(base, 'log.json')
      rmSync(log, { force: true })
      const ran = oci(['--log', log, '--log-format', 'json', 'create', '--bundle', bundle, 'wrong'])
      expect([ran.status, ran.stderr]).toEqual([1, expect.stringContaining(message)])
      expect(JSON.parse(readFileSync(log, 'utf8'))).toMatchObject({
        level: 'error',
        msg: expect.stringContaining(message),
        time: expect.any(String),
      })
      expect(oci(['state', 'wrong']).status).toBe(1)
    },
    60_000,
  )

  it('runs hooks, if it is told to, with the state of the container', () => {
    const out = join(base, 'hooks')
    const hook = (name: string) => [
      {
        path: '/bin/sh',
        args: ['sh', '-c', `cat >> ${out}; echo " ${name} $X" >> ${out}`],
        env: ['PATH=/bin:/usr/bin', 'X=y'],
      },
    ]
    write('true', (config) => {
      config.hooks = Object.fromEntries(
        ['prestart', 'createRuntime', 'poststart', 'poststop'].map((name) => [name, hook(name)]),
      )
    })
    expect(oci(['--hooks', 'run', '--bundle', bundle, 'hooked']).status).toBe(0)
    const lines = readFileSync(out, 'utf8').trim().split('\n')
    expect(lines.map((line) => line.replace(/^.*"status":"([a-z]+)".*\} /, '$1 '))).toEqual([
      'creating prestart y',
      'creating createRuntime y',
      'running poststart y',
      'stopped poststop y',
    ])
    write('true', (config) => {
      config.hooks = { prestart: [{ path: '/bin/false' }] }
    })
    expect(oci(['--hooks', 'run', '--bundle', bundle, 'hooked'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('the hook /bin/false failed'),
    })
  }, 300_000)

  it('sends the other end of a terminal to a console socket', async () => {
    write('tty; stty size; exit 3', (config) => {
      config.process['terminal'] = true
      config.process['consoleSize'] = { height: 33, width: 99 }
    })
    const path = join(base, 'console.sock')
    const connected = Promise.withResolvers<void>()
    // Node takes no descriptors out of messages: that one has come is what can be seen here; podman's test has the rest.
    const server = createServer((socket) => {
      socket.on('data', (bytes) => {
        expect(bytes.toString()).toContain('ptmx')
        connected.resolve()
      })
    }).listen(path)
    onTestFinished(() => void server.close())
    onTestFinished(() => void oci(['delete', '--force', 'terminal']), 100_000)
    const child = spawn(
      process.execPath,
      [...command, 'create', '--bundle', bundle, '--console-socket', path, 'terminal'],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    let errors = ''
    child.stderr.on('data', (bytes) => {
      errors += bytes
    })
    const status = await new Promise((end) => child.on('close', end))
    expect([status, errors]).toEqual([0, ''])
    await connected.promise
  }, 300_000)

  it('says what it has', () => {
    write('true')
    const features = JSON.parse(done('features'))
    expect(features).toMatchObject({ ociVersionMax: '1.2.0', linux: { seccomp: { enabled: true } } })
    expect(features.mountOptions).toContain('rbind')
    expect(oci(['spec', '--bundle', join(base, 'example')]).status).toBe(1)
    expect(oci(['create', '--bundle', bundle, '../x']).stderr).toContain('is no container ID')
  }, 60_000)
})
