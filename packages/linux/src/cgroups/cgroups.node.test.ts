/** Each controller with Debian's busybox: the limit in numbers, as the group's own files tell it. */
import type { Group } from '@vmexit/cgroup'
import { describe, expect, it } from 'vitest'
import { isBusyboxThere, WHY_NOT } from '../../test/busybox.ts'
import { shell } from '../../test/busybox-shell.ts'
import { type Call, mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { type RunOptions, type RunResult, run } from '../../test/run.ts'
import type { LinuxKernel } from '../kernel.ts'
import { CgroupFs } from './cgroup-fs.ts'

const isThere = isBusyboxThere
const skipped = isThere ? '' : WHY_NOT

/** A hierarchy with two groups, and a shell that can have programs run in one: `in_ a dd …`. */
const BEGIN = `mkdir /cg; mount -t cgroup2 c /cg; echo "+pids +memory +cpu +cpuset +io" > /cg/cgroup.subtree_control; mkdir /cg/a /cg/b
in_() { g=$1; shift; sh -c 'echo 0 > /cg/'$g'/cgroup.procs; exec "$@"' _ "$@"; }
of() { grep "^$1 " /cg/$2 | cut -d' ' -f2; }
spin() { exec sh -c 'while :; do :; done'; }
`
function groups(script: string, options: Partial<RunOptions> = {}): RunResult {
  const result = shell(BEGIN + script, { most: 1e10, ...options })
  expect(result.wrong).toEqual([])
  return result
}

/** The lines of what a script prints, as numbers. */
function numbers(script: string): number[] {
  return groups(script)
    .output.trim()
    .split('\n')
    .map((line) => Number(line))
}

describe.skipIf(!isThere)(`control groups${skipped}`, () => {
  it('cpu.weight shares the CPU', () => {
    const [a, b] = numbers(
      'echo 300 > /cg/a/cpu.weight; for g in a b; do in_ $g sh -c "while :; do :; done" & done; usleep 800000; of usage_usec a/cpu.stat; of usage_usec b/cpu.stat; for g in a b; do echo 1 > /cg/$g/cgroup.kill; done; wait',
    )
    expect(a! / b!).toBeCloseTo(3, 1)
    expect(a! + b!).toBeGreaterThan(790_000)
  }, 60_000)

  it('cpu.max stops a group for the rest of each period, and leaves the CPU to others or idle', () => {
    const [used, periods, throttled] = numbers(
      'echo "20000 100000" > /cg/a/cpu.max; in_ a sh -c "while :; do :; done" & sleep 1; of usage_usec a/cpu.stat; of nr_periods a/cpu.stat; of nr_throttled a/cpu.stat; echo 1 > /cg/a/cgroup.kill; wait',
    )
    expect(used).toBeGreaterThan(199_000)
    expect(used).toBeLessThan(222_000)
    expect(periods).toBeGreaterThanOrEqual(9)
    expect(throttled).toBeGreaterThanOrEqual(9)
  }, 60_000)

  it('pids.max refuses a fork, and a bomb stays small', () => {
    const { output } = groups(
      'echo 20 > /cg/a/pids.max; bomb() { bomb | bomb & }; (echo 0 > /cg/a/cgroup.procs; bomb) 2>/dev/null; sleep 1; cat /cg/a/pids.peak; of max a/pids.events; echo 1 > /cg/a/cgroup.kill; sleep 1; cat /cg/a/pids.current',
    )
    const [peak, refused, left] = output
      .trim()
      .split('\n')
      .filter((line) => /^[0-9]+$/.test(line))
      .map(Number)
    expect(peak).toBe(20)
    expect(refused).toBeGreaterThan(10)
    expect(left).toBe(0)
  }, 120_000)

  it('memory.max kills who takes more, and gives all back', () => {
    const { output } = groups(
      'echo 4M > /cg/a/memory.max; in_ a dd if=/dev/zero of=/dev/null bs=2M count=1 2>/dev/null; echo $?; in_ a dd if=/dev/zero of=/dev/null bs=16M count=1 2>/dev/null; echo $?; cat /cg/a/memory.peak; of oom_kill a/memory.events; of anon a/memory.stat',
    )
    const [fits, killed, peak, kills, anon] = output.replaceAll('Killed\n', '').trim().split('\n').map(Number)
    expect([fits, killed, kills, anon]).toEqual([0, 137, 1, 0])
    expect(peak).toBeLessThanOrEqual(4 << 20)
    expect(peak).toBeGreaterThan(3 << 20)
  }, 60_000)

  it('memory.max counts files in memory, pipes and page tables', () => {
    const [file, bytes, tables, buffered, gone] = numbers(
      'in_ a dd if=/dev/zero of=/tmp/f bs=4096 count=100 2>/dev/null; of shmem a/memory.stat; stat -c %s /tmp/f; in_ a sleep 2 & usleep 100000; of pagetables a/memory.stat; mkfifo /tmp/p; (sleep 2 < /tmp/p) & in_ a dd if=/dev/zero of=/tmp/p bs=4096 count=10 2>/dev/null; of slab_unreclaimable a/memory.stat; wait; rm /tmp/f; of shmem a/memory.stat',
    )
    expect(bytes).toBe(409_600)
    expect(file).toBe(409_600)
    expect(tables).toBeGreaterThanOrEqual(8192)
    expect(buffered).toBe(40_960)
    expect(gone).toBe(0)
  }, 60_000)

  it('memory.max is not left by files in memory, which nothing can take away', () => {
    const { output } = groups(
      'echo 2M > /cg/a/memory.max; in_ a dd if=/dev/zero of=/tmp/f bs=4096 count=1000 2>/dev/null; echo $?; stat -c %s /tmp/f; cat /cg/a/memory.peak',
    )
    const [status, size, peak] = output.replaceAll('Killed\n', '').trim().split('\n').map(Number)
    expect(status).toBe(137)
    expect(size).toBeGreaterThan(1 << 20)
    expect(size).toBeLessThan(2 << 20)
    expect(peak).toBeLessThanOrEqual(2 << 20)
  }, 60_000)

  it('memory.oom.group kills all of a group, and none of another', () => {
    const { output } = groups(
      'echo 4M > /cg/a/memory.max; echo 1 > /cg/a/memory.oom.group; in_ a sleep 50 & in_ a sleep 60 & in_ b sleep 70 & usleep 100000; in_ a dd if=/dev/zero of=/dev/null bs=16M count=1 2>/dev/null; usleep 100000; wc -l < /cg/a/cgroup.procs; wc -l < /cg/b/cgroup.procs; of oom_kill a/memory.events; of oom_group_kill a/memory.events; kill %3',
    )
    expect(output.replaceAll('Killed\n', '')).toBe('0\n1\n3\n1\n')
  }, 60_000)

  it('memory.high delays who takes more, and lets it go on', () => {
    const [before, after, kills, highs] = numbers(
      'echo 2M > /cg/a/memory.high; date +%s; in_ a dd if=/dev/zero of=/dev/null bs=4M count=1 2>/dev/null; date +%s; of oom_kill a/memory.events; of high a/memory.events',
    )
    expect(after! - before!).toBeGreaterThanOrEqual(2)
    expect(kills).toBe(0)
    expect(highs).toBeGreaterThan(100)
  }, 60_000)

  it('io.max slows reads and writes of a block device down, and io.stat counts them', () => {
    const result = groups(
      'echo "8:0 rbps=1048576 wbps=2097152" > /cg/a/io.max; cat /cg/a/io.max; a=$(date +%s); in_ a dd if=/data of=/dev/null bs=64k 2>/dev/null; b=$(date +%s); in_ a dd if=/dev/zero of=/new bs=64k count=64 2>/dev/null; c=$(date +%s); echo $((b - a)) $((c - b)); cat /cg/a/io.stat; echo "9:9 rbps=1" > /cg/a/io.max',
      {
        files: { '/data': new Uint8Array(4 << 20) },
        prepare: ({ groups: control, tree }) => void control.devices.set(tree.root.super.fs, '8:0'),
      },
    )
    const [limits, seconds, stat, refused] = result.output.trim().split('\n')
    expect(limits).toBe('8:0 rbps=1048576 wbps=2097152 riops=max wiops=max')
    const [read, written] = seconds!.split(' ').map(Number)
    expect([3, 4]).toContain(read)
    expect([1, 2]).toContain(written)
    expect(stat).toMatch(/^8:0 rbytes=[0-9]{7} wbytes=4194304 /)
    expect(refused).toBe('sh: write error: No such device')
  }, 60_000)

  it('gives back what a tmpfs had when its last mount goes, and tmpfs has a size of its own', () => {
    const { output } = groups(
      'mkdir /tmp/m; echo $$ > /cg/b/cgroup.procs; mount -t tmpfs -o size=64k,mode=700,nr_inodes=10 x /tmp/m; stat -c %a /tmp/m; dd if=/dev/zero of=/tmp/m/f bs=4096 count=100 2>&1 | grep -o "No space left on device"; stat -c %s /tmp/m/f; of shmem b/memory.stat; umount /tmp/m; of shmem b/memory.stat; mount -t tmpfs -o size=x x /tmp/m 2>&1 | grep -o "Invalid argument"',
    )
    expect(output).toBe('700\nNo space left on device\n65536\n65536\n0\nInvalid argument\n')
  }, 60_000)

  /** Groups under /cg, one of which is user 1000's to do with as he likes. */
  function delegate(kernel: LinuxKernel): void {
    const { vfs, groups: control } = kernel
    const { tree } = control
    tree.write(tree.root, 'cgroup.subtree_control', '+pids')
    tree.mkdir(tree.mkdir(tree.root, 'd') as Group, 'own')
    const task = vfs.newTask(kernel.tree)
    vfs.mkdir(task, null, '/cg', 0o755)
    vfs.mount(task, new CgroupFs(kernel, tree.root), '/cg')
    for (const path of ['', '/cgroup.procs', '/cgroup.subtree_control', '/own', '/own/cgroup.procs'])
      vfs.chown(task, null, `/cg/d${path}`, 1000, 1000)
    vfs.exit(task)
  }

  it('CLONE_INTO_CGROUP begins a child in a group that a descriptor names', () => {
    const [OPEN, CLONE3, GETPID] = [5, 435, 20]
    const path = new TextEncoder().encode('/cg/d/own\0')
    const request = new Uint8Array(88)
    const view = new DataView(request.buffer)
    const words = [
      [1, 2],
      [8, 17],
      [20, 3],
    ] as const
    for (const [word, value] of words) view.setUint32(word * 4, value, true)
    const where: string[] = []
    const { wrong } = run({
      files: {
        '/p': programOf([
          ...[mapScratch, [3, 0, SCRATCH, 98], [OPEN, SCRATCH, 0x1_0000], [CLONE3, SCRATCH + 10, 88], [GETPID]],
        ] as Call[]),
      },
      args: ['/p'],
      engine: 'interpreter',
      input: new Uint8Array([...path, ...request]),
      prepare: delegate,
      observe: (number, answer, task) => number === GETPID && where.push(`${answer} ${task.process.member.group.path}`),
    })
    expect(where.toSorted()).toEqual(['1 /', '2 /d/own'])
    expect(wrong).toEqual([])
  })

  it('counts the tasks of a group as memory of the kernel', () => {
    const [stacks, none] = numbers(
      'in_ a sh -c "sleep 1 & sleep 1 & sleep 1 & wait" & usleep 100000; of kernel_stack a/memory.stat; wait; of kernel_stack a/memory.stat',
    )
    expect([stacks, none]).toEqual([3 * 8192, 0])
  }, 60_000)

  it('cgroup.freeze stands all still, what comes later too, until it is over or they are killed', () => {
    const { output } = groups(
      'in_ a sh -c "while :; do :; done" & usleep 50000; echo 1 > /cg/a/cgroup.freeze; x=$(of usage_usec a/cpu.stat); (in_ a sh -c "echo late") & usleep 100000; y=$(of usage_usec a/cpu.stat); echo $((y - x)); of frozen a/cgroup.events; echo 0 > /cg/a/cgroup.freeze; usleep 100000; z=$(of usage_usec a/cpu.stat); [ $z -gt $((y + 50000)) ] && echo runs; echo 1 > /cg/a/cgroup.freeze; echo 1 > /cg/a/cgroup.kill; usleep 100000; of populated a/cgroup.events; wait',
    )
    expect(output.replaceAll('Killed\n', '')).toBe('0\n1\nlate\nruns\n0\n')
  }, 60_000)

  it('freezes who freezes itself, in the middle of its write', () => {
    const { status, kernel } = groups('echo 0 > /cg/a/cgroup.procs; echo 1 > /cg/a/cgroup.freeze; echo on')
    expect(status).toBeUndefined()
    expect(kernel.groups.tree.write(kernel.groups.tree.lookup('/a')!, 'cgroup.freeze', '0')).toBe(0)
    kernel.runToEnd(1e9)
    expect(kernel.processes.size).toBe(0)
  }, 60_000)

  it('shows cgroup namespaces their own group as the root, and lets nothing out of it', () => {
    const { output, wrong } = shell(
      'cat /proc/self/cgroup; mkdir /tmp/c; mount -t cgroup2 c /tmp/c; ls /tmp/c/cgroup.procs; wc -l < /tmp/c/cgroup.procs; mkdir /tmp/c/below; echo $$ > /tmp/c/below/cgroup.procs; cat /proc/self/cgroup; echo $$ > /cg/cgroup.procs; cat /proc/self/cgroup',
      { cgroup: '/d/own', namespaces: ['cgroup'], prepare: delegate },
    )
    expect(output).toBe(
      '0::/\n/tmp/c/cgroup.procs\n2\n0::/below\nsh: write error: No such file or directory\n0::/below\n',
    )
    expect(wrong).toEqual([])
  }, 60_000)

  it('lets a user do as he likes in what is delegated to him, and not outside', () => {
    const denied = "can't create"
    const { output, wrong } = shell(
      `cd /cg/d; exec 2>&1; mkdir x && echo made; echo $$ > x/cgroup.procs && cat /proc/self/cgroup; echo 1 > cgroup.freeze; echo $$ > ../cgroup.procs; mkdir ../y; echo +pids > cgroup.subtree_control; echo 5 > x/pids.max; cat x/pids.max; rmdir own && echo removed; rmdir x; echo 1 > pids.max`,
      { uid: 1000, cgroup: '/d/own', prepare: delegate },
    )
    expect(output.replaceAll('nonexistent directory', 'it').split('\n')).toEqual([
      ...['made', '0::/d/x', `sh: ${denied} cgroup.freeze: Permission denied`],
      ...[
        `sh: ${denied} ../cgroup.procs: Permission denied`,
        "mkdir: can't create directory '../y': Permission denied",
      ],
      ...['5', 'removed', "rmdir: 'x': Device or resource busy", `sh: ${denied} pids.max: Permission denied`, ''],
    ])
    expect(wrong).toEqual([])
  }, 60_000)

  it('lets no user move what is not in his part', () => {
    const { output } = shell('exec 2>&1; echo $$ > /cg/d/own/cgroup.procs; cat /proc/self/cgroup', {
      uid: 1000,
      prepare: delegate,
    })
    expect(output).toBe('sh: write error: Permission denied\n0::/\n')
  }, 60_000)
})
