/**
 * Calls by number (arch/x86/entry/syscalls/syscall_32.tbl) on signals and timers as descriptors, on data between files, on
 * scheduling and locked memory, and those of sixteen bits.
 */
import { inotifyAddWatch, inotifyInit, inotifyRmWatch } from '../../files/inotify.ts'
import { preadv2, pwritev2 } from '../../files/io.ts'
import { memfdCreate } from '../../files/memfd.ts'
import { signalfd } from '../../files/signalfd.ts'
import { copyFileRange, splice, tee, vmsplice } from '../../files/transfer.ts'
import { mincore, mlock, mlock2, mlockall } from '../../memory/locked.ts'
import { moveBetween } from '../../ptrace/memory.ts'
import { ptrace } from '../../ptrace/requests.ts'
import { queueInfo } from '../../signals/calls.ts'
import { personality } from '../../tasks/identity-calls.ts'
import { timerCreate, timerDelete, timerGetoverrun, timerGettime, timerSettime } from '../../tasks/posix-timers.ts'
import { prctl } from '../../tasks/prctl.ts'
import {
  getcpu,
  ioprioGet,
  ioprioSet,
  membarrier,
  priorityRange,
  schedGetaffinity,
  schedGetattr,
  schedGetparam,
  schedGetscheduler,
  schedRrGetInterval,
  schedSetaffinity,
  schedSetattr,
  schedSetscheduler,
} from '../../tasks/sched-calls.ts'
import { bits, fd, int, path, pathAddress, pointer, size } from '../decoders.ts'
import { type CallRow, call } from '../table.ts'
import { position } from './decoders.ts'

// biome-ignore format: a table
export const moreCalls: readonly CallRow[] = [
  call(26, 'ptrace', [int, int, int, int], ptrace, 'no breakpoints of the CPU, no XSTATE'),
  call(136, 'personality', [size], personality),
  call(150, 'mlock', [pointer, size], mlock),
  call(151, 'munlock', [pointer, size], mlock),
  call(152, 'mlockall', [bits], (_t, flags) => mlockall(flags)),
  call(153, 'munlockall', [], () => 0),
  call(154, 'sched_setparam', [int, pointer], (t, p, a) => schedSetscheduler(t, p, undefined, a)),
  call(155, 'sched_getparam', [int, pointer], schedGetparam),
  call(156, 'sched_setscheduler', [int, int, pointer], schedSetscheduler, 'kept, without effect'),
  call(157, 'sched_getscheduler', [int], schedGetscheduler),
  call(159, 'sched_get_priority_max', [int], (_t, p) => priorityRange(1, p)),
  call(160, 'sched_get_priority_min', [int], (_t, p) => priorityRange(0, p)),
  call(161, 'sched_rr_get_interval', [int, pointer], (t, p, a) => schedRrGetInterval(t, p, a, false)),
  call(172, 'prctl', [int, int, int, int, int], prctl, 'names, capabilities, seccomp, reapers, signals of death, switches'),
  call(178, 'rt_sigqueueinfo', [int, int, pointer], (t, p, s, a) => queueInfo(t, p, undefined, s, a)),
  call(218, 'mincore', [pointer, size, pointer], mincore),
  call(241, 'sched_setaffinity', [int, size, pointer], schedSetaffinity, 'one CPU'),
  call(242, 'sched_getaffinity', [int, size, pointer], schedGetaffinity, 'one CPU'),
  call(351, 'sched_setattr', [int, pointer, bits], schedSetattr, 'kept, without effect but nice; no SCHED_DEADLINE, no clamps'),
  call(352, 'sched_getattr', [int, pointer, size, bits], schedGetattr),
  call(259, 'timer_create', [int, pointer, pointer], timerCreate),
  call(260, 'timer_settime', [int, bits, pointer, pointer], (t, id, f, a, o) => timerSettime(t, id, f, a, o, false)),
  call(261, 'timer_gettime', [int, pointer], (t, id, a) => timerGettime(t, id, a, false)),
  call(262, 'timer_getoverrun', [int], timerGetoverrun),
  call(263, 'timer_delete', [int], timerDelete),
  call(289, 'ioprio_set', [int, int, int], ioprioSet, 'kept, without effect'),
  call(290, 'ioprio_get', [int, int], ioprioGet),
  call(291, 'inotify_init', [], (t) => inotifyInit(t, 0)),
  call(292, 'inotify_add_watch', [fd, pathAddress, bits], (t, f, p, m) => inotifyAddWatch(t, f, () => path.decode!(t, p, 0), m)),
  call(293, 'inotify_rm_watch', [fd, int], inotifyRmWatch),
  call(313, 'splice', [fd, pointer, fd, pointer, size, bits], splice),
  call(315, 'tee', [fd, fd, size, bits], tee),
  call(316, 'vmsplice', [fd, pointer, size, bits], vmsplice, 'bytes are copied'),
  call(318, 'getcpu', [pointer, pointer], getcpu),
  call(321, 'signalfd', [fd, pointer, size], (t, f, a, n) => signalfd(t, f, a, n, 0)),
  call(327, 'signalfd4', [fd, pointer, size, bits], signalfd),
  call(332, 'inotify_init1', [bits], inotifyInit),
  call(335, 'rt_tgsigqueueinfo', [int, int, int, pointer], queueInfo),
  call(347, 'process_vm_readv', [int, pointer, int, pointer, int, bits], (t, p, l, n, r, m, f) => moveBetween(t, p, [l, n, r, m], f, false)),
  call(348, 'process_vm_writev', [int, pointer, int, pointer, int, bits], (t, p, l, n, r, m, f) => moveBetween(t, p, [l, n, r, m], f, true)),
  call(356, 'memfd_create', [pathAddress, bits], memfdCreate, 'no huge pages'),
  call(375, 'membarrier', [int, bits], membarrier, 'global and private'),
  call(376, 'mlock2', [pointer, size, bits], mlock2),
  call(377, 'copy_file_range', [fd, pointer, fd, pointer, size, bits], copyFileRange),
  call(378, 'preadv2', [fd, pointer, int, position, bits], preadv2),
  call(379, 'pwritev2', [fd, pointer, int, position, bits], pwritev2),
  call(408, 'timer_gettime64', [int, pointer], (t, id, a) => timerGettime(t, id, a, true)),
  call(409, 'timer_settime64', [int, bits, pointer, pointer], (t, id, f, a, o) => timerSettime(t, id, f, a, o, true)),
  call(423, 'sched_rr_get_interval_time64', [int, pointer], (t, p, a) => schedRrGetInterval(t, p, a, true)),
]
