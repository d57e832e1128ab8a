/** Names of calls that Linux has on i386 and that are not in the table, for strace and the support page. */

// biome-ignore format: a table
export const otherNames: readonly (readonly [number, string])[] = [
  [21, 'mount'], [22, 'umount'], [26, 'ptrace'], [51, 'acct'], [52, 'umount2'],
  [86, 'uselib'], [87, 'swapon'], [88, 'reboot'], [101, 'ioperm'], [102, 'socketcall'], [106, 'stat'], [107, 'lstat'],
  [108, 'fstat'], [111, 'vhangup'], [113, 'vm86old'], [115, 'swapoff'], [117, 'ipc'], [123, 'modify_ldt'],
  [124, 'adjtimex'], [126, 'sigprocmask'], [128, 'init_module'], [129, 'delete_module'], [131, 'quotactl'],
  [138, 'setfsuid'], [139, 'setfsgid'], [141, 'getdents'], [149, '_sysctl'], [154, 'sched_setparam'], [178, 'rt_sigqueueinfo'],
  [185, 'capset'], [215, 'setfsuid32'], [216, 'setfsgid32'], [217, 'pivot_root'], [218, 'mincore'], [226, 'setxattr'],
  [227, 'lsetxattr'], [228, 'fsetxattr'], [229, 'getxattr'], [230, 'lgetxattr'], [231, 'fgetxattr'], [232, 'listxattr'],
  [233, 'llistxattr'], [234, 'flistxattr'], [235, 'removexattr'], [236, 'lremovexattr'], [237, 'fremovexattr'],
  [245, 'io_setup'], [259, 'timer_create'], [260, 'timer_settime'], [261, 'timer_gettime'], [262, 'timer_getoverrun'],
  [263, 'timer_delete'], [271, 'utimes'], [274, 'mbind'], [277, 'mq_open'], [286, 'add_key'],
  [289, 'ioprio_set'], [290, 'ioprio_get'], [291, 'inotify_init'], [292, 'inotify_add_watch'], [293, 'inotify_rm_watch'],
  [299, 'futimesat'], [310, 'unshare'], [312, 'get_robust_list'], [313, 'splice'], [315, 'tee'], [316, 'vmsplice'],
  [317, 'move_pages'], [321, 'signalfd'], [327, 'signalfd4'], [332, 'inotify_init1'], [335, 'rt_tgsigqueueinfo'],
  [336, 'perf_event_open'], [337, 'recvmmsg'], [341, 'name_to_handle_at'], [342, 'open_by_handle_at'],
  [343, 'clock_adjtime'], [345, 'sendmmsg'], [346, 'setns'], [347, 'process_vm_readv'], [348, 'process_vm_writev'],
  [349, 'kcmp'], [354, 'seccomp'], [356, 'memfd_create'], [357, 'bpf'],
  [359, 'socket'], [360, 'socketpair'], [361, 'bind'], [362, 'connect'], [363, 'listen'], [364, 'accept4'],
  [365, 'getsockopt'], [366, 'setsockopt'], [367, 'getsockname'], [368, 'getpeername'], [369, 'sendto'], [370, 'sendmsg'],
  [371, 'recvfrom'], [372, 'recvmsg'], [373, 'shutdown'], [374, 'userfaultfd'], [376, 'mlock2'], [377, 'copy_file_range'],
  [378, 'preadv2'], [379, 'pwritev2'], [386, 'rseq'], [424, 'pidfd_send_signal'],
  [425, 'io_uring_setup'], [428, 'open_tree'], [434, 'pidfd_open'], [438, 'pidfd_getfd'], [441, 'epoll_pwait2'],
  [444, 'landlock_create_ruleset'], [449, 'futex_waitv'],
]
