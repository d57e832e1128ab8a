/** System calls, case by case, with what Linux answered: `test/cases` has programs, their images, and the recordings. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  blocksOf,
  buildCases,
  caseNames,
  hostRelease,
  obstacle,
  programPath,
  recorded,
  runHere,
  runNatively,
} from '../test/cases.ts'
import { differences } from '../test/differences.ts'
import { i386 } from './index.ts'

/** The calls that programs of Debian were seen to make, by how many make them. */
const SEEN =
  `close statx fcntl64 openat read getdents64 mmap2 write rt_sigaction ioctl _llseek statfs64 brk futex mprotect
  rt_sigprocmask poll set_robust_list rmdir execve exit_group ugetrlimit rseq getrandom set_tid_address set_thread_area
  getuid32 munmap prctl rename readlink access wait4 readlinkat dup2 utimensat clone socket getcwd fchmod fsync connect
  fchown32 sync_file_range pipe2 clock_nanosleep prlimit64 umask sigreturn getsockname unlink mremap mkdir setpgid
  epoll_wait sysinfo recvmsg bind listen accept4 socketpair epoll_create1 epoll_ctl clone3 vfork madvise tgkill syslog
  sched_getaffinity ftruncate64 chown32 chmod mknodat sendfile64 fadvise64_64 link close_range clock_getres_time64
  geteuid32 getgid32 getegid32 getpid getppid gettid getpgrp kill dup pipe lseek open rt_sigreturn rt_sigsuspend
  rt_sigpending sigaltstack setitimer uname chdir fchdir symlink unlinkat mkdirat pread64 pwrite64 readv writev times
  getrusage setsid sched_yield`.split(/\s+/)

/** Calls that have no cases here: mounts are compared by the tests of `@vmexit/vfs`, by sequences of their own. */
const ELSEWHERE = ['mount', 'umount', 'umount2']

const names = caseNames()
/** Sockets are compared once there are any. */
const haveSockets = i386.rows.some((row) => row?.name === 'socket')
const compared = names.filter((name) => name !== 'sockets' || haveSockets)

describe('system calls answer what Linux answered', () => {
  it.each(compared)(
    '%s',
    (name) => {
      const expected = blocksOf(recorded(name).lines)
      const found = blocksOf(runHere(name))
      const known = differences.filter(({ program }) => program === name)
      const wrong: string[] = []
      for (let n = 0; n < Math.max(expected.length, found.length); n++) {
        const [linux, here] = [expected[n] ?? 'nothing', found[n] ?? 'nothing']
        if (linux === here || known.some((one) => one.linux === linux && one.here === here)) continue
        wrong.push(`Linux: ${linux}\n here: ${here}`)
      }
      expect(wrong).toEqual([])
      const pairs = expected.map((linux, n) => `${linux} | ${found[n]}`)
      const settled = known.filter(({ linux, here }) => !pairs.includes(`${linux} | ${here}`))
      expect(settled, 'these no longer differ: take them off the list').toEqual([])
    },
    180_000,
  )
})

describe('the cases', () => {
  const blocks = compared.flatMap((name) => blocksOf(recorded(name).lines))
  const covered = new Set(blocks.map((block) => /^\w+/.exec(block)![0]))

  it('are at least a thousand', () => {
    console.log(`${blocks.length} cases of ${covered.size} calls, ${differences.length} of them differ on purpose`)
    expect(blocks.length).toBeGreaterThanOrEqual(1000)
  })
  it('have every call that programs were seen to make, and the kernel has all but rseq', () => {
    const network = haveSockets
      ? []
      : ['socket', 'connect', 'getsockname', 'recvmsg', 'bind', 'listen', 'accept4', 'socketpair']
    const seen = SEEN.filter((name) => !network.includes(name))
    expect(SEEN.length).toBeGreaterThanOrEqual(102)
    expect(seen.filter((name) => !covered.has(name))).toEqual([])
    const there = new Set(i386.rows.map((row) => row?.name))
    expect(seen.filter((name) => !there.has(name))).toEqual(['rseq'])
  })
  it('have every call of the table', () => {
    const all = i386.rows.filter((row) => row !== undefined).map(({ name }) => name)
    expect(all.filter((name) => !covered.has(name) && !ELSEWHERE.includes(name))).toEqual([])
  })
  it.each(['memory', 'signals', 'processes', 'futexes'])(
    '%s does the same whatever engine runs it',
    (name) => {
      expect(runHere(name, 'interpreter')).toEqual(runHere(name, 'jit'))
    },
    180_000,
  )
})

const reason = obstacle()
describe.skipIf(reason !== undefined)(
  `this machine's kernel${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    const here = hostRelease()
    for (const name of names) {
      const { release, lines } = recorded(name)
      const other = release === here ? '' : ` (skipped: it was recorded on Linux ${release}, this is ${here})`
      it.skipIf(other !== '')(
        `answers ${name} as it was recorded${other}`,
        () => {
          // A machine with other work to do may be late for a child's few milliseconds.
          let found: string[] = []
          for (let tries = 0; tries < 4 && found.join() !== lines.join(); tries++) found = runNatively(name)
          expect(found).toEqual(lines)
        },
        180_000,
      )
    }
  },
)

const compiler = toolVersion()
describe.skipIf(compiler !== undefined)(`the images${compiler === undefined ? '' : ` (skipped: ${compiler})`}`, () => {
  it('are what their sources give', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vmexit-'))
    try {
      buildCases(folder)
      for (const name of names)
        expect(readFileSync(join(folder, name)).equals(readFileSync(programPath(name))), `build ${name}`).toBe(true)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }, 120_000)
})

/** Why the images cannot be built here byte for byte, if so. */
function toolVersion(): string | undefined {
  const first = (command: string, argument: string): string => {
    try {
      return execFileSync(command, [argument], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split(
        '\n',
      )[0]!
    } catch {
      return 'none'
    }
  }
  const [gcc, ld] = [first('gcc', '-dumpfullversion'), first('ld', '--version')]
  if (process.arch === 'x64' && gcc.startsWith('12.2.') && / 2\.40\b/.test(ld)) return undefined
  return `they are built with gcc 12.2 and binutils 2.40 for x64; here are gcc ${gcc} and ld ${ld}`
}
