/** Programs in namespaces that try to get out of them: each way that is known, and what comes of it. */
import { describe, expect, it } from 'vitest'
import { isBusyboxThere, WHY_NOT } from '../test/busybox.ts'
import { shell } from '../test/busybox-shell.ts'
import { type Call, mapScratch, programOf, SCRATCH, SCRATCH_BYTES } from '../test/calls.ts'
import { type RunOptions, type RunResult, run } from '../test/run.ts'
import { i386 } from './abi/i386/table.ts'
import type { LinuxKernel } from './kernel.ts'
import { Random } from './random.ts'
import { Cap, capabilitySet } from './tasks/capabilities.ts'

const isThere = isBusyboxThere
const skipped = isThere ? '' : WHY_NOT

/** A file outside that nobody inside may see, and a root for those inside. */
const SECRET = 'outside-secret'
function jail(kernel: LinuxKernel): void {
  const { vfs } = kernel
  const task = vfs.newTask(kernel.tree)
  const text = new TextEncoder().encode(SECRET)
  const file = vfs.open(task, null, '/secret', 0o101, 0o644)
  if (typeof file !== 'number') vfs.write(task, file, text)
  if (typeof file !== 'number') vfs.close(file)
  for (const path of ['/jail', '/jail/bin', '/jail/proc', '/jail/tmp']) vfs.mkdir(task, null, path, 0o777)
  vfs.bind(task, '/bin', '/jail/bin')
  vfs.exit(task)
}

/** A container by hand: own namespaces, own root by pivot_root, own /proc. */
function contained(script: string, options: Partial<RunOptions> = {}): RunResult {
  const begin =
    'mount -o rbind /jail /jail; cd /jail; mount -t proc p proc; mkdir tmp/old; pivot_root . tmp/old; umount -l /tmp/old; rmdir /tmp/old'
  return shell('', {
    args: ['/bin/busybox', 'sh', '-c', `${begin}; exec sh -c "$1"`, '_', script],
    namespaces: ['mnt', 'pid', 'uts', 'ipc', 'net', 'cgroup'],
    prepare: jail,
    ...options,
  })
}

describe.skipIf(!isThere)(`who is in a container${skipped}`, () => {
  it.each<[what: string, script: string, output: string]>([
    [
      'sees its own root',
      'ls /; cat /secret 2>&1',
      "bin\nproc\ntmp\ncat: can't open '/secret': No such file or directory\n",
    ],
    ['does not come up by ..', 'cd /; cd ../../../../..; pwd; ls', '/\nbin\nproc\ntmp\n'],
    [
      'does not come out by chroot and ..',
      'mkdir /tmp/x; chroot /tmp/x /bin/sh 2>/tmp/e; cd /tmp; rm e; chroot / sh -c "cd ../../..; ls"',
      'bin\nproc\ntmp\n',
    ],
    [
      'does not come out by the root of another process',
      'ls /proc/1/root/; ls -d /proc/[0-9]* | wc -l',
      'bin\nproc\ntmp\n3\n',
    ],
    [
      'does not come out by its working directory before',
      'ls /proc/self/cwd/; ls /proc/1/cwd/',
      'bin\nproc\ntmp\nbin\nproc\ntmp\n',
    ],
    [
      'mounts no /proc of others',
      'mount -t proc x /tmp; ls -d /tmp/[0-9]* | wc -l; cat /tmp/1/status | grep NSpid',
      '3\nNSpid:\t1\n',
    ],
    [
      'does not get back what is unmounted',
      'umount /; umount -l /; ls',
      "umount: can't unmount /: Invalid argument\numount: can't unmount /: Invalid argument\nbin\nproc\ntmp\n",
    ],
    ['kills nobody outside', 'kill -9 -1 2>/tmp/e; echo $?; kill -9 2 300 4000 2>/tmp/e; echo alive', '1\nalive\n'],
    [
      'enters no namespace outside',
      'for n in /proc/1/ns/*; do nsenter --$(basename $n | sed "s/_.*//;s/mnt/mount/")=$n true 2>/tmp/e; done; ls /',
      'bin\nproc\ntmp\n',
    ],
  ])('%s', (_what, script, output) => {
    const result = contained(script)
    expect(result.output).toBe(output)
    expect(result.wrong).toEqual([])
  })

  it('of a user namespace does not show what covers something, and has no /proc without its covers', () => {
    const { output } = shell(
      'exec unshare -U -r -m -p -f sh -c "umount /hidden 2>&1; ls /hidden; mkdir /tmp/b; mount --bind / /tmp/b 2>&1; mount --rbind / /tmp/b; ls /tmp/b/hidden; umount /tmp/b/hidden 2>&1; mount -o remount,rw,suid,dev,exec /tmp 2>&1; mount -t proc p /tmp 2>&1; nsenter -t 1 -m true 2>&1"',
      {
        uid: 1000,
        prepare(kernel) {
          const { vfs } = kernel
          const task = vfs.newTask(kernel.tree)
          vfs.mkdir(task, null, '/hidden', 0o777)
          const file = vfs.open(task, null, '/hidden/secret', 0o101, 0o644)
          if (typeof file !== 'number') vfs.close(file)
          const empty = vfs.mountAt(task, '/tmp')
          if (typeof empty === 'number') throw new Error('no /tmp')
          for (const path of ['/hidden', '/proc/sys']) vfs.mount(task, empty.super.fs, path)
          vfs.exit(task)
        },
      },
    )
    expect(output).not.toContain('secret')
    expect(output.split('\n').filter((line) => line.includes('Invalid argument')).length).toBe(3)
    expect(output).toContain('permission denied')
  })

  it('has the capabilities that it was given, and gets no others by programs or namespaces of users', () => {
    const few = capabilitySet([Cap.SYS_CHROOT, Cap.SYS_ADMIN])
    const { output } = contained(
      'grep CapEff /proc/self/status; chown 5 /tmp 2>&1; mknod /tmp/d c 1 3 2>&1; unshare -U -r sh -c "mknod /tmp/d b 8 0 2>&1; hostname x 2>&1"; chroot / true; echo $?',
      {
        before: (task) => {
          task.ids = {
            ...task.ids,
            caps: { permitted: few, effective: few, bounding: few, inheritable: 0n, ambient: 0n },
          }
        },
      },
    )
    expect(output).toBe(
      `CapEff:\t${few.toString(16).padStart(16, '0')}\nchown: /tmp: Operation not permitted\nmknod: /tmp/d: Operation not permitted\nmknod: /tmp/d: Operation not permitted\nhostname: sethostname: Operation not permitted\n0\n`,
    )
  })
})

describe('programs that mean ill, in namespaces and groups of their own', () => {
  const numbers = i386.rows.flatMap((row) => (row === undefined ? [] : [row.number]))
  /** fork, clone, vfork, clone3, unshare, setns, mount, umount2, pivot_root, chroot, setresuid, capset, prctl, seccomp, kill. */
  const OWN = [2, 120, 190, 435, 310, 346, 21, 52, 217, 61, 208, 185, 172, 354, 37]
  const ENDS = [1, 252, 29, 179, 168, 27, 104]
  /** CLONE_NEW…, alone and with SIGCHLD. */
  const FLAGS = [0x80, 0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000]
  const word = (random: Random): number => {
    const flag = (): number => FLAGS[random.next() % FLAGS.length]!
    const kinds = [
      () => random.next() % 8,
      () => flag() | 17,
      () => flag() | flag() | flag(),
      () => flag() | flag() | 17,
      () => SCRATCH + (random.next() % SCRATCH_BYTES),
      () => random.next(),
      () => -1,
      () => 0,
    ]
    return kinds[random.next() % kinds.length]!()
  }

  it.each(Array.from({ length: 30 }, (_, seed) => seed))(
    'leave the books in order, and give all back (seed %i)',
    (seed) => {
      const random = new Random(7000 + seed)
      const some = [
        ...numbers.filter((number) => !ENDS.includes(number)),
        ...OWN,
        ...OWN,
        ...OWN,
        ...OWN,
        ...OWN,
        ...OWN,
      ]
      const calls = Array.from({ length: 150 }, (): Call => {
        const number = some[random.next() % some.length]!
        return [number, ...Array.from({ length: 6 }, () => word(random))]
      })
      const { wrong, kernel } = run({
        files: { '/p': programOf([mapScratch, ...calls]) },
        args: ['/p'],
        engine: 'interpreter',
        most: 10e6,
        memory: '64 MiB',
        ...(seed % 3 === 0 && { uid: 1000 }),
        cgroup: '/limited',
        prepare({ groups: { tree } }) {
          tree.write(tree.root, 'cgroup.subtree_control', '+memory +pids +cpu')
          const group = tree.mkdir(tree.root, 'limited')
          if (typeof group === 'number') throw new Error('no group')
          tree.write(group, 'pids.max', '30')
          tree.write(group, 'memory.max', '6M')
          tree.write(group, 'cpu.max', '50000 100000')
        },
      })
      expect(wrong).toEqual([])
      const group = kernel.groups.tree.lookup('/limited')!
      expect(group.pids.usage).toBeLessThanOrEqual(30)
      expect(group.memory.usage).toBeLessThanOrEqual(6 << 20)
      group.freeze = false
      kernel.groups.tree.write(group, 'cgroup.kill', '1')
      kernel.runToEnd(10e6)
      expect(group.processes.size).toBe(0)
    },
  )
})
