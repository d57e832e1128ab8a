/** Names of calls that Linux has on i386 and that are not in the table, for strace and the support page. */

// biome-ignore format: a table
export const otherNames: readonly (readonly [number, string])[] = [
  [51, 'acct'], [86, 'uselib'], [87, 'swapon'], [88, 'reboot'], [101, 'ioperm'], [111, 'vhangup'], [113, 'vm86old'],
  [115, 'swapoff'], [123, 'modify_ldt'], [124, 'adjtimex'], [128, 'init_module'], [129, 'delete_module'],
  [131, 'quotactl'], [149, '_sysctl'], [245, 'io_setup'], [274, 'mbind'], [277, 'mq_open'], [286, 'add_key'],
  [317, 'move_pages'], [336, 'perf_event_open'], [341, 'name_to_handle_at'], [342, 'open_by_handle_at'],
  [343, 'clock_adjtime'], [349, 'kcmp'], [357, 'bpf'], [374, 'userfaultfd'], [386, 'rseq'], [425, 'io_uring_setup'],
  [428, 'open_tree'], [438, 'pidfd_getfd'], [444, 'landlock_create_ruleset'], [449, 'futex_waitv'],
]
