/** What a config.json may say, what is no config.json, and what is refused because it cannot be had. */
import { describe, expect, test } from 'vitest'
import { type OciConfig, readOciConfig, readOciProcess } from './config.ts'
import { mountOptions } from './mount-options.ts'
import { refuseUnsupported } from './refusals.ts'
import { groupFiles } from './resources.ts'

const good = {
  ociVersion: '1.0.2-dev',
  process: { args: ['sh'], cwd: '/' },
  root: { path: 'rootfs' },
  linux: { namespaces: [{ type: 'mount' }, { type: 'network' }] },
}
const encode = (document: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(document))
const read = (change: object): OciConfig => readOciConfig(encode({ ...good, ...change }))
const linux = (change: object): OciConfig => read({ linux: { ...good.linux, ...change } })
const program = (change: object): OciConfig => read({ process: { ...good.process, ...change } })

describe('a document', () => {
  test('is read, and what nobody knows in it is passed over', () => {
    const config = read({ hostname: 'h', vm: {}, unknown: { deep: 1 } })
    expect(config.hostname).toBe('h')
    expect(readOciProcess(encode(good.process)).args).toEqual(['sh'])
  })

  test.each<[what: string, document: unknown, where: string]>([
    ['no version', { ...good, ociVersion: undefined }, 'ociVersion'],
    ['a version to come', { ...good, ociVersion: '2.0.0' }, 'ociVersion'],
    ['no root', { ...good, root: undefined }, 'root'],
    ['a relative cwd', { ...good, process: { cwd: 'here' } }, 'process.cwd'],
    ['arguments that are no texts', { ...good, process: { cwd: '/', args: [1] } }, 'process.args.0'],
    ['a zero in an argument', { ...good, process: { cwd: '/', args: ['a\0b'] } }, 'process.args.0'],
    ['a user below 0', { ...good, process: { cwd: '/', user: { uid: -1 } } }, 'process.user.uid'],
    [
      'half a limit',
      { ...good, process: { cwd: '/', rlimits: [{ type: 'RLIMIT_CPU', soft: 1 }] } },
      'process.rlimits.0',
    ],
    ['a hook by a relative path', { ...good, hooks: { prestart: [{ path: 'x' }] } }, 'hooks.prestart.0.path'],
    ['mounts that are no list', { ...good, mounts: {} }, 'mounts'],
    ['a filter without an action', { ...good, linux: { seccomp: {} } }, 'linux.seccomp.defaultAction'],
  ])('with %s is refused, and says where', (_what, document, where) => {
    expect(() => readOciConfig(encode(document))).toThrow(where)
  })

  test('that is no JSON, or none of UTF-8, or too long, is refused', () => {
    for (const bytes of [encode([]), new TextEncoder().encode('{'), Uint8Array.of(0xff), new Uint8Array(5 << 20)])
      expect(() => readOciConfig(bytes)).toThrow(expect.objectContaining({ code: 'container-config' }))
  })
})

describe('what cannot be had is refused by its name', () => {
  test.each<[what: string, config: () => OciConfig]>([
    ['process.apparmorProfile', () => program({ apparmorProfile: 'docker-default' })],
    ['process.selinuxLabel', () => program({ selinuxLabel: 'system_u' })],
    ['process.ioPriority', () => program({ ioPriority: { class: 'IOPRIO_CLASS_IDLE', priority: 1 } })],
    ['linux.namespaces', () => read({ linux: {} })],
    [
      'linux.namespaces network at /run',
      () => linux({ namespaces: [{ type: 'mount' }, { type: 'network', path: '/run/n' }] }),
    ],
    ['linux.namespaces moon', () => linux({ namespaces: [{ type: 'mount' }, { type: 'network' }, { type: 'moon' }] })],
    ['linux.mountLabel', () => linux({ mountLabel: 'x' })],
    ['linux.intelRdt', () => linux({ intelRdt: {} })],
    ['linux.rootfsPropagation shared', () => linux({ rootfsPropagation: 'shared' })],
    ['linux.personality LINUX', () => linux({ personality: { domain: 'LINUX' } })],
    ['linux.seccomp.listenerPath', () => linux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/s' } })],
    [
      'linux.seccomp.architectures',
      () => linux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_ARM'] } }),
    ],
    ['hooks.createContainer', () => read({ hooks: { createContainer: [{ path: '/x' }] } })],
  ])('%s', (what, config) => {
    expect(() => refuseUnsupported(config(), { hooks: true })).toThrow(what)
    expect(() => refuseUnsupported(config(), { hooks: true })).toThrow(
      expect.objectContaining({ code: 'container-unsupported' }),
    )
  })

  test('hooks run programs of the host: only who allows it has them', () => {
    const config = read({ hooks: { prestart: [{ path: '/bin/true' }] } })
    expect(() => refuseUnsupported(config)).toThrow(expect.objectContaining({ code: 'container-hooks' }))
    expect(() => refuseUnsupported(config, { hooks: true })).not.toThrow()
  })

  test('users of a namespace that has no ids, and ids without a namespace', () => {
    const ids = [{ containerID: 0, hostID: 1, size: 1 }]
    const user = { namespaces: [{ type: 'mount' }, { type: 'network' }, { type: 'user' }] }
    expect(() => refuseUnsupported(linux(user))).toThrow('uidMappings')
    expect(() => refuseUnsupported(linux({ uidMappings: ids }))).toThrow('user')
    expect(() => refuseUnsupported(linux({ ...user, uidMappings: ids, gidMappings: ids }))).not.toThrow()
  })

  test.each([
    ['cpu.cpus', { cpu: { cpus: '0-3' } }],
    ['cpu.idle', { cpu: { idle: 1 } }],
    ['cpu.realtimeRuntime', { cpu: { realtimeRuntime: 9 } }],
    ['memory.swappiness', { memory: { swappiness: 60 } }],
    ['memory.disableOOMKiller', { memory: { disableOOMKiller: true } }],
    ['memory.kernel', { memory: { kernel: 4096 } }],
    ['memory.swap', { memory: { limit: 8192, swap: 4096 } }],
    ['blockIO', { blockIO: { weight: 10 } }],
    ['hugepageLimits', { hugepageLimits: [{ pageSize: '2MB', limit: 1 }] }],
    ['network', { network: { classID: 7 } }],
    ['rdma', { rdma: { mlx: {} } }],
    ['devices', { devices: [{ allow: false, type: 'c', major: 1, minor: 3 }] }],
    ['unified["io.max"]', { unified: { 'io.max': 'x' } }],
    ['unified["../x"]', { unified: { '../x': 'x' } }],
  ])('linux.resources.%s', (what, resources) => {
    expect(() => groupFiles(resources)).toThrow(`linux.resources.${what}`)
  })

  test('options of mounts', () => {
    for (const option of ['shared', 'idmap', 'hidepid=2', 'ro=1', 'mode', 'RO', 'constructor'])
      expect(() => mountOptions('mounts[0]', [option], ['size'])).toThrow(option)
  })
})

test('resources are files of a group', () => {
  expect(
    groupFiles({
      memory: { limit: 1 << 24, reservation: 1 << 20, swap: 1 << 25 },
      cpu: { shares: 1024, quota: 50_000, period: 100_000, burst: 10_000, cpus: '0' },
      pids: { limit: 20 },
      devices: [
        { allow: false, access: 'rwm' },
        { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
      ],
      unified: { 'memory.high': '1000000' },
      blockIO: {},
      network: {},
    }),
  ).toEqual([
    ['memory.max', '16777216'],
    ['memory.low', '1048576'],
    ['cpu.weight', '39'],
    ['cpu.max', '50000 100000'],
    ['cpu.max.burst', '10000'],
    ['pids.max', '20'],
    ['memory.high', '1000000'],
  ])
  expect(groupFiles({ memory: { limit: -1 }, pids: { limit: -1 } })).toEqual([
    ['memory.max', 'max'],
    ['pids.max', 'max'],
  ])
})
