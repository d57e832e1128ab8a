/**
 * The filter of system calls that containers have unless told otherwise, as Docker's default profile decides: calls that reach beyond a
 * container are refused by EPERM, some of them only without the capability that they are for. What the kernel does not know is
 * ENOSYS, as it is without a filter.
 */
import {
  Cap,
  type CapabilitySet,
  callNumbers,
  capabilitySet,
  i386,
  type OciArgument,
  type OciSeccomp,
  type OciSyscall,
} from '@vmexit/linux'

const { ERRNO, ALLOW } = { ERRNO: 'SCMP_ACT_ERRNO', ALLOW: 'SCMP_ACT_ALLOW' }
const [EPERM, ENOSYS] = [1, 38]

/** Nobody makes them in a container: keys and memory policies are not separated, others are old or have been ways out. */
// biome-ignore format: a table
const NEVER: readonly string[] = [
  'add_key', 'keyctl', 'request_key', 'create_module', 'get_kernel_syms', 'query_module', 'nfsservctl', 'pivot_root', 'swapon', 'swapoff',
  'sysfs', '_sysctl', 'userfaultfd', 'uselib', 'ustat', 'vm86', 'vm86old', 'kexec_file_load', 'kexec_load', 'move_pages', 'migrate_pages',
  'io_uring_setup', 'io_uring_enter', 'io_uring_register', 'afs_syscall', 'bdflush', 'break', 'ftime', 'getpmsg', 'putpmsg', 'gtty', 'stty',
  'idle', 'lock', 'mpx', 'nice', 'prof', 'profil', 'ulimit', 'vserver', 'tuxcall', 'security', 'sgetmask', 'ssetmask',
]
/** Who has one of the capabilities makes them. */
// biome-ignore format: a table
const BY_CAPABILITY: readonly (readonly [calls: readonly string[], capabilities: readonly (keyof typeof Cap)[]])[] = [
  [['fanotify_init', 'fsconfig', 'fsmount', 'fsopen', 'fspick', 'lookup_dcookie', 'mount', 'mount_setattr', 'move_mount', 'open_tree',
    'quotactl', 'quotactl_fd', 'setdomainname', 'sethostname', 'setns', 'umount', 'umount2', 'unshare'], ['SYS_ADMIN']],
  [['bpf'], ['SYS_ADMIN', 'BPF']], [['perf_event_open'], ['SYS_ADMIN', 'PERFMON']], [['syslog'], ['SYS_ADMIN', 'SYSLOG']],
  [['open_by_handle_at'], ['DAC_READ_SEARCH']], [['reboot'], ['SYS_BOOT']], [['chroot'], ['SYS_CHROOT']],
  [['delete_module', 'init_module', 'finit_module'], ['SYS_MODULE']], [['acct'], ['SYS_PACCT']],
  [['kcmp', 'pidfd_getfd', 'process_madvise'], ['SYS_PTRACE']], [['iopl', 'ioperm'], ['SYS_RAWIO']],
  [['settimeofday', 'stime', 'clock_settime', 'clock_settime64'], ['SYS_TIME']], [['vhangup'], ['SYS_TTY_CONFIG']],
  [['get_mempolicy', 'mbind', 'set_mempolicy', 'set_mempolicy_home_node'], ['SYS_NICE']],
]
/** PER_LINUX, PER_LINUX32, each with UNAME26, and the question which it is. */
const PERSONALITIES = [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff]
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
const NEW_NAMESPACES = 0x7e02_0000
/** Sockets to the host of a virtual machine. */
const AF_VSOCK = 40

const known: readonly string[] = [...callNumbers(i386).keys()]

/** The profile of a container whose programs may have these capabilities. */
export function defaultSeccomp(capabilities: CapabilitySet): OciSeccomp {
  const has = (...names: (keyof typeof Cap)[]): boolean =>
    (capabilities & capabilitySet(names.map((name) => Cap[name]))) !== 0n
  const denied = new Set([...NEVER, ...BY_CAPABILITY.flatMap(([calls, by]) => (has(...by) ? [] : calls))])
  const isAdmin = has('SYS_ADMIN')
  const partly = ['personality', 'socket', ...(isAdmin ? [] : ['clone', 'clone3'])]
  const when = (name: string, ...args: OciArgument[]): OciSyscall => ({ names: [name], action: ALLOW, args })
  return {
    defaultAction: ERRNO,
    defaultErrnoRet: ENOSYS,
    syscalls: [
      { names: known.filter((name) => !denied.has(name) && !partly.includes(name)), action: ALLOW },
      ...PERSONALITIES.map((value) => when('personality', { index: 0, value, op: 'SCMP_CMP_EQ' })),
      when('socket', { index: 0, value: AF_VSOCK, op: 'SCMP_CMP_NE' }),
      ...(isAdmin ? [] : [when('clone', { index: 0, value: NEW_NAMESPACES, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' })]),
      // Its flags lie in memory, where a filter does not look: the C library takes clone(2) then.
      ...(isAdmin ? [] : [{ names: ['clone3'], action: ERRNO, errnoRet: ENOSYS }]),
      {
        names: [...denied, 'personality', 'socket', ...(isAdmin ? [] : ['clone'])].filter((name) =>
          known.includes(name),
        ),
        action: ERRNO,
        errnoRet: EPERM,
      },
    ],
  }
}
