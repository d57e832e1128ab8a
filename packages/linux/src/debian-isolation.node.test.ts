/** Debian's bash, util-linux and python3 in namespaces and groups: isolation and limits, as they see them. */
import { describe, expect, it } from 'vitest'
import { debianPackages } from '../test/debian-packages.ts'
import { type RunOptions, type RunResult, run } from '../test/run.ts'
import { CgroupFs } from './cgroups/cgroup-fs.ts'
import type { LinuxKernel } from './kernel.ts'

const found = debianPackages()
const skipped = found ? '' : ' (skipped: `vmexit guests` has not fetched its packages)'

/** /cg, with a group that has limits. */
function limits(kernel: LinuxKernel): void {
  const { vfs, groups } = kernel
  const { tree } = groups
  tree.write(tree.root, 'cgroup.subtree_control', '+pids +memory +cpu')
  const group = tree.mkdir(tree.root, 'a')
  if (typeof group === 'number') throw new Error('no group')
  tree.write(group, 'memory.max', '40M')
  tree.write(group, 'pids.max', '6')
  const task = vfs.newTask(kernel.tree)
  vfs.mkdir(task, null, '/cg', 0o755)
  vfs.mount(task, new CgroupFs(kernel, tree.root), '/cg')
  vfs.exit(task)
}

function bash(script: string, options: Partial<RunOptions> = {}): RunResult {
  const result = run({
    files: found ?? {},
    args: ['/bin/bash', '-c', script],
    engine: 'jit',
    most: 1e10,
    env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
    ...options,
  })
  expect(result.wrong).toEqual([])
  return result
}

describe.skipIf(found === undefined)(`Debian's programs${skipped}`, () => {
  it('in all namespaces at once see themselves alone', () => {
    const { output } = bash(
      "unshare --uts --pid --fork --mount-proc --ipc --net --cgroup --time --user --map-root-user bash -c \"hostname inner; hostname; echo \\$\\$ \\$PPID; ps -e --no-headers | wc -l; id -u; lsns -n -o TYPE | sort | tr '\\n' ' '; python3.11 -c 'import os; print(os.getpid(), os.getuid(), os.uname().nodename)'\"; hostname; id -u",
      { uid: 1000 },
    )
    expect(output).toBe('inner\n1 0\n3\n0\ncgroup ipc mnt net pid time user uts 1 0 inner\nvmexit\n1000\n')
  }, 120_000)

  it('count what they share, and where', () => {
    const { output } = bash(
      'ipcmk -M 8192 > /dev/null; ipcs -m | grep -c 8192; unshare -i ipcs -m | grep -c 8192; unshare -T --boottime 1000 cut -d. -f1 /proc/uptime; lsns -n | wc -l; unshare -un lsns -n | wc -l; ps -o netns= $$; readlink /proc/self/ns/net',
    )
    expect(output).toBe('1\n0\n1000\n8\n10\n4026531841\nnet:[4026531841]\n')
  }, 120_000)

  it('are signalled by descriptors of processes, their directories in /proc too', () => {
    const script = [
      'import os, signal',
      'signal.signal(15, lambda *_: print("got"))',
      'for fd in os.pidfd_open(os.getpid()), os.open("/proc/self", os.O_DIRECTORY): signal.pidfd_send_signal(fd, 15)',
      'try: signal.pidfd_send_signal(os.open("/proc", os.O_DIRECTORY), 15)',
      'except OSError as reason: print(reason)',
      'print(signal.sigtimedwait([], 0))',
    ]
    expect(bash(`python3.11 -c '${script.join('\n')}'`).output).toBe('got\ngot\n[Errno 9] Bad file descriptor\nNone\n')
  }, 120_000)

  it('have the capabilities that setpriv leaves', () => {
    const { output } = bash(
      "setpriv --bounding-set -all,+kill --inh-caps -all --no-new-privs bash -c 'grep -E \"CapEff|NoNewPrivs\" /proc/self/status; chown 5 /tmp 2>&1; setpriv --dump | grep Capability'; setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps +sys_chroot --ambient-caps +sys_chroot bash -c 'id -u; grep CapEff /proc/self/status; chroot / true && echo rooted'",
    )
    expect(output).toBe(
      "CapEff:\t0000000000000020\nNoNewPrivs:\t1\nchown: changing ownership of '/tmp': Operation not permitted\nCapability bounding set: kill\n1000\nCapEff:\t0000000000040000\nrooted\n",
    )
  }, 120_000)

  it('python has as many threads as pids.max leaves it', () => {
    const { output } = bash(
      `python3.11 -c "
import threading, time
threads = []
try:
    for i in range(20):
        threads.append(threading.Thread(target=time.sleep, args=(1,)))
        threads[-1].start()
except RuntimeError as error:
    print(len(threads) - 1, error, open('/cg/a/pids.current').read().strip())
"`,
      { cgroup: '/a', prepare: limits },
    )
    expect(output).toBe("5 can't start new thread 6\n")
  }, 120_000)

  it('python is killed at memory.max, and its shell lives on', () => {
    const { output, kernel } = bash(
      `python3.11 -c "
kept = []
for i in range(100):
    kept.append(bytearray(1 << 20))
    print(i, flush=True)
" | tail -1; echo \${PIPESTATUS[0]}; grep '^oom_kill' /cg/a/memory.events`,
      { cgroup: '/a', prepare: limits },
    )
    const [last, status, killed] = output
      .replace(/.*Killed.*\n/, '')
      .trim()
      .split('\n')
    expect(Number(last)).toBeGreaterThan(25)
    expect(Number(last)).toBeLessThan(40)
    expect([status, killed]).toEqual(['137', 'oom_kill 1'])
    expect(kernel.groups.tree.lookup('/a')!.memory.counter.peak).toBeLessThanOrEqual(40 << 20)
  }, 120_000)
})
