/** Calls on memory, tasks, signals and time, by number (arch/x86/entry/syscalls/syscall_32.tbl). */
import { At, type ByteString } from '@vmexit/vfs'
import { Answer, Errno } from '../../errno.ts'
import { execute, readStrings } from '../../exec/exec.ts'
import { start } from '../../files/paths.ts'
import { pidfdOpen, pidfdSendSignal } from '../../files/pidfd.ts'
import { brk, madvise, mmap, mprotect, mremap, munmap } from '../../memory/calls.ts'
import { mayInspect, setns, unshare } from '../../namespaces/unshare.ts'
import { owesEnd } from '../../ptrace/stops.ts'
import { seccomp } from '../../seccomp/calls.ts'
import {
  kill,
  pause,
  rtSigaction,
  rtSigpending,
  rtSigprocmask,
  rtSigsuspend,
  rtSigtimedwait,
  sigaltstack,
  signal,
  tgkill,
  tkill,
} from '../../signals/calls.ts'
import { returnFromSignal } from '../../signals/frame.ts'
import type { Task } from '../../system.ts'
import { getrandom, setName, sysinfo, syslog, uname } from '../../system-calls.ts'
import {
  clone3,
  cloneCall,
  getpgid,
  getrlimit,
  getsid,
  getThreadArea,
  iopl,
  mayBeNice,
  priority,
  prlimit64,
  schedYield,
  setpgid,
  setrlimit,
  setsid,
  setThreadArea,
  wait4,
  waitid,
} from '../../tasks/calls.ts'
import { capget, capset } from '../../tasks/capability-calls.ts'
import { Clone } from '../../tasks/clone-flags.ts'
import { endProcess, exitThread } from '../../tasks/exit.ts'
import { futex } from '../../tasks/futex-calls.ts'
import { shownPid, taskOf } from '../../tasks/numbers.ts'
import { clockSettime, settimeofday, stime } from '../../tasks/set-time-calls.ts'
import {
  alarm,
  clockGetres,
  clockGettime,
  deadlineOf,
  getitimer,
  getrusage,
  setitimer,
  sleep,
  times,
} from '../../tasks/time-calls.ts'
import { getgroups, getIds, setFileId, setgroups, setId, setIds, setReal, shownId } from '../../tasks/user-calls.ts'
import { bits, fd, int, path, pointer, size } from '../decoders.ts'
import { type CallRow, call } from '../table.ts'
import { short, wide } from './short-ids.ts'

const SIGCHLD = 17

function exit(task: Task, code: number): number {
  const status = (code & 0xff) << 8
  if (owesEnd(task, status)) return Answer.BLOCK
  exitThread(task.kernel, task, status)
  return Answer.GONE
}
function exitGroup(task: Task, code: number): number {
  const status = (code & 0xff) << 8
  if (owesEnd(task, status)) return Answer.BLOCK
  endProcess(task.kernel, task.process, status)
  return Answer.GONE
}

function execve(task: Task, name: ByteString, args: number, env: number): number {
  const words = readStrings(task.kernel, args)
  const variables = readStrings(task.kernel, env)
  if (typeof words === 'number') return words
  return typeof variables === 'number' ? variables : execute(task, null, name, words, variables)
}
function execveat(task: Task, at: number, name: ByteString, args: number, env: number, flags: number): number {
  if ((flags & ~(At.AT_EMPTY_PATH | At.AT_SYMLINK_NOFOLLOW)) !== 0) return -Errno.EINVAL
  const isEmpty = name === '' && (flags & At.AT_EMPTY_PATH) !== 0
  const place = start(task, at, name)
  if (typeof place === 'number') return isEmpty && task.files.get(at) !== undefined ? -Errno.EACCES : place
  const words = readStrings(task.kernel, args)
  const variables = readStrings(task.kernel, env)
  if (typeof words === 'number') return words
  return typeof variables === 'number' ? variables : execute(task, place, name, words, variables, flags)
}

const forkRequest = { exitSignal: SIGCHLD, stack: 0, parentTid: 0, tls: 0, childTid: 0 }
const fork = (task: Task): number => cloneCall(task, forkRequest.exitSignal, 0, 0, 0, 0)
const vfork = (task: Task): number => cloneCall(task, Clone.VM | Clone.VFORK | SIGCHLD, 0, 0, 0, 0)

function sigreturn(task: Task, isRt: boolean): number {
  returnFromSignal(task.kernel, task, isRt)
  return Answer.GONE
}

function setTidAddress(task: Task, at: number): number {
  task.clearTid = at
  return shownPid(task, task.tid)
}
function setRobustList(task: Task, at: number, bytes: number): number {
  if (bytes !== 12) return -Errno.EINVAL
  task.robustList = at
  return 0
}
function getRobustList(task: Task, tid: number, at: number, bytes: number): number {
  const target = tid === 0 ? task : taskOf(task, tid)
  if (target === undefined) return -Errno.ESRCH
  if (!mayInspect(task, target)) return -Errno.EPERM
  task.kernel.memory.set32(bytes, 12)
  task.kernel.memory.set32(at, target.robustList)
  return 0
}

function gettimeofday(task: Task, at: number, zone: number): number {
  const { kernel } = task
  if (at !== 0) {
    kernel.memory.set32(at, kernel.time.seconds)
    kernel.memory.set32(at + 4, Math.floor(kernel.time.nanoseconds / 1000))
  }
  if (zone !== 0) for (const [n, word] of kernel.time.zone.entries()) kernel.memory.set32(zone + n * 4, word)
  return 0
}
function time(task: Task, at: number): number {
  const { seconds } = task.kernel.time
  if (at !== 0) task.kernel.memory.set32(at, seconds)
  return seconds | 0
}
function oldMmap(task: Task, at: number): number {
  const word = (n: number): number => task.kernel.memory.get32(at + n * 4)
  if (word(5) % 4096 !== 0) return -Errno.EINVAL
  return mmap(task, word(0), word(1), word(2) | 0, word(3) | 0, word(4) | 0, word(5) / 4096)
}
function nice(task: Task, increment: number): number {
  const wanted = Math.max(-20, Math.min(19, task.nice + increment))
  if (wanted < task.nice && !mayBeNice(task, task.process, wanted)) return -Errno.EPERM
  task.nice = wanted
  return 0
}

// biome-ignore format: a table
export const taskCalls: readonly CallRow[] = [
  call(0, 'restart_syscall', [], () => -Errno.EINTR),
  call(1, 'exit', [int], exit),
  call(2, 'fork', [], fork),
  call(7, 'waitpid', [int, pointer, bits], (t, p, s, o) => wait4(t, p, s, o, 0)),
  call(11, 'execve', [path, pointer, pointer], execve),
  call(13, 'time', [pointer], time),
  call(20, 'getpid', [], (t) => shownPid(t, t.process.pid)),
  call(23, 'setuid', [int], (t, id) => setId(t, 'u', wide(id))),
  call(24, 'getuid', [], (t) => short(shownId(t, 'u', t.ids.uid))),
  call(25, 'stime', [pointer], stime),
  call(27, 'alarm', [size], alarm),
  call(29, 'pause', [], pause),
  call(34, 'nice', [int], nice),
  call(37, 'kill', [int, int], kill),
  call(43, 'times', [pointer], times),
  call(45, 'brk', [pointer], brk),
  call(47, 'getgid', [], (t) => short(shownId(t, 'g', t.ids.gid))),
  call(48, 'signal', [int, pointer], signal),
  call(49, 'geteuid', [], (t) => short(shownId(t, 'u', t.ids.euid))),
  call(50, 'getegid', [], (t) => short(shownId(t, 'g', t.ids.egid))),
  call(57, 'setpgid', [int, int], setpgid),
  call(64, 'getppid', [], (t) => shownPid(t, t.process.parent?.pid ?? 0)),
  call(65, 'getpgrp', [], (t) => shownPid(t, t.process.group)),
  call(66, 'setsid', [], setsid),
  call(74, 'sethostname', [pointer, int], (t, a, n) => setName(t, 'hostname', a, n)),
  call(75, 'setrlimit', [int, pointer], setrlimit),
  call(76, 'getrlimit', [int, pointer], (t, r, a) => getrlimit(t, r, a, 0x7fff_ffff)),
  call(77, 'getrusage', [int, pointer], getrusage, 'times only'),
  call(78, 'gettimeofday', [pointer, pointer], gettimeofday),
  call(79, 'settimeofday', [pointer, pointer], settimeofday, 'the zone without effect'),
  call(90, 'mmap', [pointer], oldMmap),
  call(91, 'munmap', [pointer, size], munmap),
  call(96, 'getpriority', [int, int], (t, w, who) => priority(t, w, who, undefined)),
  call(97, 'setpriority', [int, int, int], priority),
  call(103, 'syslog', [int, pointer, int], syslog, 'an empty log'),
  call(104, 'setitimer', [int, pointer, pointer], setitimer),
  call(105, 'getitimer', [int, pointer], getitimer),
  call(110, 'iopl', [int], iopl),
  call(114, 'wait4', [int, pointer, bits, pointer], wait4),
  call(116, 'sysinfo', [pointer], sysinfo),
  call(119, 'sigreturn', [], (t) => sigreturn(t, false)),
  call(120, 'clone', [bits, pointer, pointer, pointer, pointer], cloneCall),
  call(121, 'setdomainname', [pointer, int], (t, a, n) => setName(t, 'domainname', a, n)),
  call(122, 'uname', [pointer], uname),
  call(125, 'mprotect', [pointer, size, bits], mprotect),
  call(132, 'getpgid', [int], getpgid),
  call(147, 'getsid', [int], getsid),
  call(158, 'sched_yield', [], schedYield),
  call(162, 'nanosleep', [pointer, pointer], (t, a, b) => sleep(t, 1, 0, a, b, false)),
  call(163, 'mremap', [pointer, size, size, bits, pointer], mremap),
  call(173, 'rt_sigreturn', [], (t) => sigreturn(t, true)),
  call(174, 'rt_sigaction', [int, pointer, pointer, size], rtSigaction),
  call(175, 'rt_sigprocmask', [int, pointer, pointer, size], rtSigprocmask),
  call(176, 'rt_sigpending', [pointer, size], rtSigpending),
  call(177, 'rt_sigtimedwait', [pointer, pointer, pointer, size], (t, a, i, d, n) => rtSigtimedwait(t, a, i, deadlineOf(t, d, false), n)),
  call(179, 'rt_sigsuspend', [pointer, size], rtSigsuspend),
  call(184, 'capget', [pointer, pointer], capget),
  call(185, 'capset', [pointer, pointer], capset),
  call(215, 'setfsuid32', [int], (t, id) => setFileId(t, 'u', id)),
  call(216, 'setfsgid32', [int], (t, id) => setFileId(t, 'g', id)),
  call(310, 'unshare', [bits], unshare),
  call(346, 'setns', [fd, bits], setns),
  call(354, 'seccomp', [int, bits, pointer], seccomp, 'no listeners, nobody traces'),
  call(424, 'pidfd_send_signal', [fd, int, pointer, bits], pidfdSendSignal),
  call(434, 'pidfd_open', [int, bits], pidfdOpen),
  call(186, 'sigaltstack', [pointer, pointer], sigaltstack),
  call(190, 'vfork', [], vfork),
  call(191, 'ugetrlimit', [int, pointer], (t, r, a) => getrlimit(t, r, a)),
  call(192, 'mmap2', [pointer, size, bits, bits, fd, size], mmap),
  call(199, 'getuid32', [], (t) => shownId(t, 'u', t.ids.uid)),
  call(200, 'getgid32', [], (t) => shownId(t, 'g', t.ids.gid)),
  call(201, 'geteuid32', [], (t) => shownId(t, 'u', t.ids.euid)),
  call(202, 'getegid32', [], (t) => shownId(t, 'g', t.ids.egid)),
  call(203, 'setreuid32', [int, int], (t, r, e) => setReal(t, 'u', r, e)),
  call(204, 'setregid32', [int, int], (t, r, e) => setReal(t, 'g', r, e)),
  call(205, 'getgroups32', [int, pointer], getgroups),
  call(206, 'setgroups32', [int, pointer], setgroups),
  call(208, 'setresuid32', [int, int, int], (t, r, e, s) => setIds(t, 'u', r, e, s)),
  call(209, 'getresuid32', [pointer, pointer, pointer], (t, a, b, c) => getIds(t, 'u', [a, b, c])),
  call(210, 'setresgid32', [int, int, int], (t, r, e, s) => setIds(t, 'g', r, e, s)),
  call(211, 'getresgid32', [pointer, pointer, pointer], (t, a, b, c) => getIds(t, 'g', [a, b, c])),
  call(213, 'setuid32', [int], (t, id) => setId(t, 'u', id)),
  call(214, 'setgid32', [int], (t, id) => setId(t, 'g', id)),
  call(219, 'madvise', [pointer, size, int], madvise),
  call(224, 'gettid', [], (t) => shownPid(t, t.tid)),
  call(238, 'tkill', [int, int], tkill),
  call(240, 'futex', [pointer, int, int, pointer, pointer, int], (t, a, o, v, d, b, c) => futex(t, a, o, v, d, b, c, false), 'no PI'),
  call(243, 'set_thread_area', [pointer], setThreadArea),
  call(244, 'get_thread_area', [pointer], getThreadArea),
  call(252, 'exit_group', [int], exitGroup),
  call(258, 'set_tid_address', [pointer], setTidAddress),
  call(264, 'clock_settime', [int, pointer], (t, c, a) => clockSettime(t, c, a, false)),
  call(265, 'clock_gettime', [int, pointer], (t, c, a) => clockGettime(t, c, a, false)),
  call(266, 'clock_getres', [int, pointer], (t, c, a) => clockGetres(t, c, a, false)),
  call(267, 'clock_nanosleep', [int, bits, pointer, pointer], (t, c, f, a, l) => sleep(t, c, f, a, l, false)),
  call(270, 'tgkill', [int, int, int], (t, g, tid, s) => (g <= 0 ? -Errno.EINVAL : tgkill(t, g, tid, s))),
  call(284, 'waitid', [int, int, pointer, bits], waitid),
  call(311, 'set_robust_list', [pointer, size], setRobustList),
  call(312, 'get_robust_list', [int, pointer, pointer], getRobustList),
  call(340, 'prlimit64', [int, int, pointer, pointer], prlimit64),
  call(355, 'getrandom', [pointer, size, bits], getrandom),
  call(358, 'execveat', [fd, path, pointer, pointer, bits], execveat),
  call(403, 'clock_gettime64', [int, pointer], (t, c, a) => clockGettime(t, c, a, true)),
  call(404, 'clock_settime64', [int, pointer], (t, c, a) => clockSettime(t, c, a, true)),
  call(406, 'clock_getres_time64', [int, pointer], (t, c, a) => clockGetres(t, c, a, true)),
  call(407, 'clock_nanosleep_time64', [int, bits, pointer, pointer], (t, c, f, a, l) => sleep(t, c, f, a, l, true)),
  call(421, 'rt_sigtimedwait_time64', [pointer, pointer, pointer, size], (t, a, i, d, n) => rtSigtimedwait(t, a, i, deadlineOf(t, d, true), n)),
  call(422, 'futex_time64', [pointer, int, int, pointer, pointer, int], (t, a, o, v, d, b, c) => futex(t, a, o, v, d, b, c, true), 'no PI'),
  call(435, 'clone3', [pointer, size], clone3, 'no set_tid'),
]
