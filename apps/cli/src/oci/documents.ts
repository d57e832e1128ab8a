/** What `spec` writes and `features` prints (runtime-spec, "Features Structure"): all that this runtime has. */

import { HOST_HOOKS, type OciConfig } from '@vmexit/container/oci'
import { Cap } from '@vmexit/linux'
import { OCI_VERSION } from './state.ts'

const NAMESPACES = ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup']
const PLAIN = ['nosuid', 'noexec', 'nodev']

/** A configuration to begin with: a shell at a terminal. */
export function exampleConfig(): OciConfig {
  const few = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE']
  return {
    ociVersion: OCI_VERSION,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: few, effective: few, permitted: few },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'vmexit',
    mounts: [
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
        options: ['nosuid', 'noexec', 'newinstance', 'mode=0620'],
      },
      { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...PLAIN, 'mode=1777', 'size=65536k'] },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...PLAIN, 'ro'] },
      { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...PLAIN, 'relatime', 'ro'] },
    ],
    linux: {
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      namespaces: NAMESPACES.map((type) => ({ type })),
      maskedPaths: ['/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/timer_list', '/sys/firmware'],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  }
}

const ACTIONS = ['KILL', 'KILL_THREAD', 'KILL_PROCESS', 'TRAP', 'ERRNO', 'TRACE', 'LOG', 'ALLOW']
const OPERATORS = ['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ']

/** What there is. */
export function features(): object {
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: OCI_VERSION,
    hooks: HOST_HOOKS,
    mountOptions: [
      ...[
        'async',
        'atime',
        'bind',
        'defaults',
        'dev',
        'diratime',
        'dirsync',
        'exec',
        'mand',
        'noatime',
        'nodev',
        'nodiratime',
      ],
      ...[
        'noexec',
        'nomand',
        'norelatime',
        'nostrictatime',
        'nosuid',
        'nosymfollow',
        'private',
        'rbind',
        'relatime',
        'ro',
      ],
      ...['rprivate', 'rslave', 'rw', 'slave', 'strictatime', 'suid', 'symfollow', 'sync'],
    ],
    linux: {
      namespaces: ['cgroup', 'ipc', 'mount', 'network', 'pid', 'time', 'user', 'uts'],
      capabilities: Object.keys(Cap).map((name) => `CAP_${name}`),
      cgroup: { v1: false, v2: true, systemd: false, systemdUser: false, rdma: false },
      seccomp: {
        enabled: true,
        actions: ACTIONS.map((name) => `SCMP_ACT_${name}`),
        operators: OPERATORS.map((name) => `SCMP_CMP_${name}`),
        archs: ['SCMP_ARCH_X86'],
        knownFlags: [],
        supportedFlags: [],
      },
      apparmor: { enabled: false },
      selinux: { enabled: false },
      intelRdt: { enabled: false },
      mountExtensions: { idmap: { enabled: false } },
    },
    annotations: { 'org.vmexit.kernel': 'simulated', 'org.vmexit.architecture': '386' },
    potentiallyUnsafeConfigAnnotations: [],
  }
}
