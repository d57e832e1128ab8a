/** Containers of bundles: what config.json asks for is what a busybox finds. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readCpio } from '@vmexit/boot'
import { checkKernel } from '@vmexit/linux'
import { hostVolume } from '@vmexit/vfs/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isBusyboxThere, WHY_NOT } from '../../test/busybox-image.ts'
import { ContainerHost } from '../index.ts'
import { collect } from '../streams.ts'
import { type OciConfig, OciContainer, type OciContainerOptions, type OciProcess, readOciConfig } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'vmexit-bundle-'))
const rootfs = join(folder, 'rootfs')
const decoder = new TextDecoder()
afterAll(() => rmSync(folder, { recursive: true }))

const NAMESPACES = ['mount', 'pid', 'network', 'ipc', 'uts', 'cgroup'].map((type) => ({ type }))
const MOUNTS = [
  { destination: '/proc', type: 'proc', source: 'proc' },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] },
  { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro'] },
]

interface Change {
  readonly process?: object
  readonly linux?: object
  readonly root?: object
  readonly hostname?: string
  readonly mounts?: readonly object[]
}

function configOf(
  script: string,
  { process = {}, linux = {}, root = {}, mounts = [], ...more }: Change = {},
): OciConfig {
  const document = {
    ociVersion: '1.2.0',
    process: { args: ['sh', '-c', script], cwd: '/', env: ['PATH=/bin'], user: {}, ...process },
    root: { path: 'rootfs', ...root },
    mounts: [...MOUNTS, ...mounts],
    linux: { namespaces: NAMESPACES, ...linux },
    ...more,
  }
  return readOciConfig(new TextEncoder().encode(JSON.stringify(document)))
}

function containerOf(config: OciConfig, options: Partial<OciContainerOptions> = {}): OciContainer {
  return new OciContainer({
    ...{ id: 'c1', config, host: new ContainerHost({ engine: 'jit' }), root: hostVolume(rootfs, { readOnly: true }) },
    bind: (source, readOnly) => {
      const fileSystem = hostVolume(source, { readOnly })
      return { fileSystem, file: fileSystem.file }
    },
    ...options,
  })
}

async function said(program: Pick<OciContainer['main'], 'stdin' | 'stdout' | 'stderr'>): Promise<string> {
  await program.stdin.close()
  const [out, err] = await Promise.all([collect(program.stdout), collect(program.stderr)])
  return decoder.decode(out) + decoder.decode(err)
}

async function run(script: string, change: Change = {}, options: Partial<OciContainerOptions> = {}): Promise<string> {
  await using container = containerOf(configOf(script, change), options)
  const text = await said(container.main)
  await container.exited
  expect(checkKernel(container.host.kernel)).toEqual([])
  return text
}

describe.skipIf(!isBusyboxThere)(`a container of a bundle${isBusyboxThere ? '' : WHY_NOT}`, () => {
  beforeAll(() => {
    for (const name of ['bin', 'etc', 'tmp']) mkdirSync(join(rootfs, name), { recursive: true })
    const archive = gunzipSync(readFileSync(join(homedir(), '.cache/vmexit/guests/busybox/initramfs.gz')))
    for (const entry of readCpio(archive)) {
      if (!entry.path.startsWith('bin/')) continue
      if (entry.kind === 'file') writeFileSync(join(rootfs, entry.path), entry.bytes, { mode: 0o755 })
      else if (entry.kind === 'symlink') symlinkSync(entry.target, join(rootfs, entry.path))
    }
    writeFileSync(join(rootfs, 'etc/file'), 'of the host\n')
    mkdirSync(join(folder, 'volume'))
    writeFileSync(join(folder, 'volume/f'), 'shared\n')
  })

  it.each<[what: string, change: Change, script: string, output: string | RegExp]>([
    [
      'runs as the user that it says',
      { process: { user: { uid: 5, gid: 6, additionalGids: [7, 8], umask: 0o77 } } },
      'id -u; id -G; umask',
      '5\n6 7 8\n0077\n',
    ],
    [
      'where and with what it says',
      { process: { cwd: '/tmp', env: ['PATH=/bin', 'A=b=c', 'EMPTY='] } },
      'pwd; echo $A; env | grep EMPTY',
      '/tmp\nb=c\nEMPTY=\n',
    ],
    [
      'has the capabilities that it says',
      {
        process: {
          user: { uid: 9 },
          capabilities: {
            bounding: ['CAP_KILL', 'CAP_CHOWN'],
            permitted: ['CAP_KILL'],
            inheritable: ['CAP_KILL'],
            effective: ['CAP_KILL'],
            ambient: ['CAP_KILL'],
          },
        },
      },
      'grep Cap /proc/self/status',
      /CapInh:\t0+20\nCapPrm:\t0+20\nCapEff:\t0+20\nCapBnd:\t0+21\nCapAmb:\t0+20\n/,
    ],
    [
      'and none where it says none',
      {},
      'grep -E "Cap(Eff|Bnd)" /proc/self/status',
      'CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n',
    ],
    [
      'has limits',
      {
        process: {
          rlimits: [
            { type: 'RLIMIT_NOFILE', soft: 20, hard: 30 },
            { type: 'RLIMIT_CORE', soft: 0, hard: 2 ** 64 - 1 },
          ],
        },
      },
      'ulimit -n; ulimit -H -n; ulimit -H -c',
      '20\n30\nunlimited\n',
    ],
    [
      'gains nothing',
      { process: { noNewPrivileges: true, oomScoreAdj: 300 } },
      'grep NoNewPrivs /proc/self/status; cat /proc/self/oom_score_adj',
      'NoNewPrivs:\t1\n300\n',
    ],
    ['has the name that it says', { hostname: 'named' }, 'hostname', 'named\n'],
    [
      'has what was mounted, with its options',
      {
        mounts: [
          {
            destination: '/scratch/deep',
            type: 'tmpfs',
            source: 't',
            options: ['size=64k', 'mode=700', 'uid=3', 'noexec', 'nosuid'],
          },
        ],
      },
      'grep scratch /proc/mounts; ls -ldn /scratch/deep | cut -c1-40',
      't /scratch/deep tmpfs rw,nosuid,noexec,relatime 0 0\ndrwx------    2 3        0              \n',
    ],
    [
      'has limits of its group',
      {
        linux: {
          resources: {
            memory: { limit: 16 << 20 },
            pids: { limit: 9 },
            cpu: { quota: 50_000, period: 100_000, shares: 512 },
          },
        },
      },
      'cd /sys/fs/cgroup; cat memory.max pids.max cpu.max cpu.weight',
      '16777216\n9\n50000 100000\n20\n',
    ],
    [
      'does not see what is masked',
      { linux: { maskedPaths: ['/proc/meminfo', '/etc', '/absent'] } },
      'cat /proc/meminfo; ls /etc; touch /etc/x',
      'touch: /etc/x: Read-only file system\n',
    ],
    [
      'does not write what is read-only',
      { linux: { readonlyPaths: ['/tmp', '/proc/sys'] } },
      'touch /tmp/x; touch /y; ls /y',
      '/y\ntouch: /tmp/x: Read-only file system\n',
    ],
    [
      'writes nothing to a read-only root',
      { root: { readonly: true } },
      'touch /x; touch /dev/shm',
      'touch: /x: Read-only file system\n',
    ],
    [
      'is filtered',
      {
        linux: {
          seccomp: {
            defaultAction: 'SCMP_ACT_ALLOW',
            architectures: ['SCMP_ARCH_X86'],
            syscalls: [{ names: ['mkdir', 'nosuchcall'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }],
          },
        },
      },
      'mkdir /tmp/d',
      "mkdir: can't create directory '/tmp/d': Function not implemented\n",
    ],
    [
      'has the devices that it says',
      {
        linux: {
          devices: [
            { type: 'c', path: '/dev/my/null', major: 1, minor: 3, fileMode: 0o600, uid: 4 },
            { type: 'p', path: '/fifo' },
          ],
        },
      },
      'ls -ln /dev/my/null | cut -c1-25; [ -p /fifo ] && echo fifo; echo x > /dev/null',
      'crw-------    1 4        \nfifo\n',
    ],
    [
      'has the settings that it says',
      { linux: { sysctl: { 'net.ipv4.ip_unprivileged_port_start': '80', 'net.ipv4.ip_forward': '1' } } },
      'cd /proc/sys/net/ipv4; cat ip_unprivileged_port_start ip_forward',
      '80\n1\n',
    ],
    [
      'has its own clock',
      { linux: { namespaces: [...NAMESPACES, { type: 'time' }], timeOffsets: { boottime: { secs: 1000 } } } },
      'cut -d. -f1 /proc/uptime',
      '1000\n',
    ],
    [
      'has what the specification promises in /dev',
      {},
      'cd /dev; ls -d null zero full random urandom tty fd | wc -l; readlink stdin; readlink ptmx; [ -c pts/ptmx ] && echo ptmx',
      '7\n/proc/self/fd/0\npts/ptmx\nptmx\n',
    ],
  ])(
    '%s',
    async (_what, change, script, output) => {
      const text = await run(script, change)
      if (typeof output === 'string') expect(text).toBe(output)
      else expect(text).toMatch(output)
    },
    60_000,
  )

  it('has the ids of its user namespace, and files of the host belong to those that are mapped', async () => {
    const map = [{ containerID: 0, hostID: 100_000, size: 1000 }]
    const linux = { namespaces: [...NAMESPACES, { type: 'user' }], uidMappings: map, gidMappings: map }
    const script =
      'id -u; cat /proc/self/uid_map | tr -s " "; touch /etc/file 2>&1; ls -ln /etc/file | cut -c1-32; ls -ldn /tmp/own 2>/dev/null'
    expect(await run(script, { linux })).toBe(
      `0\n 0 100000 1000\ntouch: /etc/file: Permission denied\n-rw-r--r--    1 65534    65534  \n`,
    )
    await expect(run('true', { linux, process: { user: { uid: 1000 } } })).rejects.toThrow('not mapped')
  }, 60_000)

  it('never changes its root folder: what it writes lies above it', async () => {
    expect(await run('echo changed > /etc/file; rm -r /tmp; mkdir /new; cat /etc/file; ls -d /new')).toBe(
      'changed\n/new\n',
    )
    expect(readFileSync(join(rootfs, 'etc/file'), 'utf8')).toBe('of the host\n')
    expect(readdirSync(rootfs).sort()).toEqual(['bin', 'etc', 'tmp'])
    expect(await run('ls -d /new /tmp')).toContain('/new: No such file')
  }, 60_000)

  it('shares what is bound, directories and files, and writes them unless they are read-only', async () => {
    const source = join(folder, 'volume')
    const mounts = [
      { destination: '/v', source, options: ['rbind', 'rprivate'] },
      { destination: '/ro', source, options: ['bind', 'ro', 'nosuid'] },
      { destination: '/etc/one', source: join(source, 'f'), options: ['bind'] },
    ]
    const script = 'cat /v/f /ro/f /etc/one; echo new > /v/g; echo more >> /etc/one; touch /ro/x; ls /etc; rm /etc/one'
    const text = await run(script, { mounts })
    expect(text).toContain('shared\nshared\nshared\nfile\none\n')
    expect(text).toContain('touch: /ro/x: Read-only file system')
    expect(text).toMatch(/rm: .*busy/i)
    expect(readFileSync(join(source, 'g'), 'utf8')).toBe('new\n')
    expect(readFileSync(join(source, 'f'), 'utf8')).toBe('shared\nmore\n')
    expect(readdirSync(source).sort()).toEqual(['f', 'g'])
  }, 60_000)

  it('executes further programs, with rights of their own', async () => {
    await using container = containerOf(configOf('sleep 1000'))
    const program: OciProcess = {
      args: ['sh', '-c', 'id -u; echo $X; ps -o pid,comm | tail -n +2; exit 4'],
      cwd: '/',
      user: { uid: 3 },
      env: ['PATH=/bin', 'X=y'],
    }
    const executed = container.exec(program)
    expect(await said(executed)).toMatch(/^3\ny\n {4}1 sleep\n {4}2 sh\n/)
    expect((await executed.exited).exitCode).toBe(4)
    expect(container.processes()).toEqual([{ pid: 1, args: 'sleep' }])
    container.killAll(9)
    expect(await container.exited).toEqual({ exitCode: 137, signal: 'SIGKILL' })
    expect(() => container.exec(program)).toThrow(expect.objectContaining({ code: 'container-ended' }))
  }, 60_000)

  it('stands still while it is frozen', async () => {
    await using container = containerOf(configOf('while :; do echo tick; done'))
    const reader = container.main.stdout.getReader()
    await reader.read()
    container.freeze(true)
    const turns = async (): Promise<void> => {
      for (let n = 0; n < 50; n++) {
        await new Promise((done) => setTimeout(done))
        await Promise.race([reader.read(), new Promise((done) => setTimeout(done))])
      }
    }
    await turns()
    const before = container.host.kernel.cpu.retired
    await turns()
    expect(container.host.kernel.cpu.retired).toBe(before)
    container.freeze(false)
    await turns()
    expect(container.host.kernel.cpu.retired).toBeGreaterThan(before)
  }, 60_000)

  it.each<[what: string, change: Change, code: string]>([
    [
      'a type of mount that JavaScript has',
      { mounts: [{ destination: '/m', type: 'constructor' }] },
      'container-unsupported',
    ],
    ['a type of mount that is not there', { mounts: [{ destination: '/m', type: 'mqueue' }] }, 'container-unsupported'],
    [
      'a device of the host',
      { linux: { devices: [{ type: 'b', path: '/dev/sda', major: 8, minor: 0 }] } },
      'container-unsupported',
    ],
    ['a setting that cannot be made', { linux: { sysctl: { 'kernel.shmmax': '1' } } }, 'container-unsupported'],
    ['a mount at the root', { mounts: [{ destination: '/.', type: 'tmpfs' }] }, 'container-config'],
    [
      'what is not there on the host',
      { mounts: [{ destination: '/m', source: '/no/such', options: ['bind'] }] },
      'vfs-host',
    ],
    ['a mount on a file', { mounts: [{ destination: '/etc/file', type: 'tmpfs' }] }, 'container-image'],
    ['a program that is not there', { process: { args: ['nosuch'] } }, 'container-program-missing'],
    ['a place that is none', { process: { cwd: '/nowhere' } }, 'container-options'],
    ['a capability that is none', { process: { capabilities: { bounding: ['CAP_FLY'] } } }, 'container-config'],
    ['a limit that is none', { linux: { resources: { unified: { 'memory.max': 'much' } } } }, 'container-options'],
  ])('refuses %s, and leaves nothing', (_what, change, code) => {
    const host = new ContainerHost()
    const { frames, groups, processes } = host.kernel
    const before = frames.used
    expect(() => containerOf(configOf('true', change), { host })).toThrow(expect.objectContaining({ code }))
    expect([frames.used, groups.tree.root.children.size, processes.size]).toEqual([before, 0, 0])
    expect(checkKernel(host.kernel)).toEqual([])
  })

  it('leaves out types of mounts that it is told to', async () => {
    const mounts = [{ destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue' }]
    expect(await run('ls -d /dev/mqueue', { mounts }, { without: ['mqueue'] })).toContain('No such file')
  }, 60_000)
})
