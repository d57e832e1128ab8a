/**
 * Where our kernel answers other than the recorded one, on purpose: the case as Linux answers it and as it is here, each with what is
 * printed below it, and why. One that no longer differs fails the test, as does one that is not here.
 */
export interface Difference {
  readonly program: string
  readonly linux: string
  readonly here: string
  readonly reason: string
}

const LARGE = 'positions are doubles, and exact up to 2⁵³: files end there'
const PORTS = 'the recorded kernel was built without CONFIG_X86_IOPL_IOPERM; Debian’s has it'
const NO_RSEQ = 'a preempted restartable sequence needs the kernel to look at user memory; C libraries do without'
const PIPE_LOCKS = 'locks belong to inodes of file systems, and a pipe of pipe(2) has none'
const SLOTS = 'a pipe holds bytes here, 65,536 of them; in Linux it holds 16 pages, however full each is'

export const differences: readonly Difference[] = [
  {
    program: 'files',
    linux: '_llseek(f, 0x7fffffff, -1, &place, 0) = 0\n  at 9223372036854775807',
    here: '_llseek(f, 0x7fffffff, -1, &place, 0) = EINVAL\n  at 4294967298',
    reason: LARGE,
  },
  {
    program: 'files',
    linux: '_llseek(f, 0, 1, &place, 1) = EINVAL',
    here: '_llseek(f, 0, 1, &place, 1) = 0',
    reason: `${LARGE} (it follows from the case before)`,
  },
  {
    program: 'files',
    linux: 'write(f, "a", 1) = EINVAL',
    here: 'write(f, "a", 1) = 1',
    reason: `${LARGE} (it follows from the case before)`,
  },
  {
    program: 'files',
    linux: 'truncate64("t", 0, 0x7fffffff) = 0',
    here: 'truncate64("t", 0, 0x7fffffff) = EFBIG',
    reason: LARGE,
  },
  {
    program: 'files',
    linux: 'ftruncate64(f, 0, 1) = EINVAL',
    here: 'ftruncate64(f, 0, 1) = 0',
    reason:
      'a 64-bit kernel asks 32-bit programs for O_LARGEFILE here, an i386 kernel does not (fs/open.c, ftruncate64)',
  },
  ...(
    [
      ['iopl(3)', 'EPERM'],
      ['iopl(0)', '0'],
      ['iopl(4)', 'EINVAL'],
      ['iopl(-1)', 'EINVAL'],
    ] as const
  ).map(([call, here]) => ({
    program: 'identity',
    linux: `${call} = ENOSYS`,
    here: `${call} = ${here}`,
    reason: PORTS,
  })),
  { program: 'identity', linux: 'rseq(0, 0, 0, 0) = EINVAL', here: 'rseq(0, 0, 0, 0) = ENOSYS', reason: NO_RSEQ },
  {
    program: 'inotify',
    linux: 'read of the events of what is left = 32\n  watch 4 mask 8  length 16 x',
    here: 'read of the events of what is left = 64\n  watch 4 mask 2  length 16 x\n  watch 4 mask 8  length 16 x',
    reason: 'Linux loses an event that it cannot store at the address of a read (the EFAULT before); here it stays',
  },
  {
    program: 'locks',
    linux: 'fcntl64 lock of a pipe = 0',
    here: 'fcntl64 lock of a pipe = EBADF',
    reason: PIPE_LOCKS,
  },
  { program: 'locks', linux: 'flock(p[0], 1 | 4) = 0', here: 'flock(p[0], 1 | 4) = EINVAL', reason: PIPE_LOCKS },
  {
    program: 'pipes',
    linux: 'write(p[1], page, 100) = EAGAIN',
    here: 'write(p[1], page, 100) = 100',
    reason: SLOTS,
  },
  {
    program: 'pipes',
    linux: 'read(p[0], page, sizeof page) = 65436',
    here: 'read(p[0], page, sizeof page) = 65536',
    reason: `${SLOTS} (it follows from the case before)`,
  },
  {
    program: 'xattrs',
    linux: 'getxattr("a", "system.posix_acl_access", buffer, 10) = ENODATA',
    here: 'getxattr("a", "system.posix_acl_access", buffer, 10) = EOPNOTSUPP',
    reason: 'there are no access control lists',
  },
  {
    program: 'polling',
    linux: 'writev(b, parts, 2) = EINVAL',
    here: 'writev(b, parts, 2) = 8',
    reason: 'Linux hands each part of a vector to an eventfd as a write of its own; here they are one',
  },
  {
    program: 'ptrace',
    linux:
      'wait4 of a program that is executed = 263551\n  info 0: signal 5 errno 0 code 1029\n  message it\n  call 11 EAX -38',
    here: 'wait4 of a program that is executed = 263551\n  info 0: signal 5 errno 0 code 1029\n  message it\n  call 11 EAX 0',
    reason: 'the registers are the new program’s already, which begins with 0 in EAX',
  },
]
