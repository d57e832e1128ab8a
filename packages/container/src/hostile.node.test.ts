/** Containers whose programs mean ill: each way out that is known, and what comes of it; and two of them on one kernel. */
import { checkKernel } from '@vmexit/linux'
import { Open } from '@vmexit/vfs'
import { describe, expect, it } from 'vitest'
import { busyboxImage, isBusyboxThere, WHY_NOT } from '../test/busybox-image.ts'
import { said, shell } from '../test/run.ts'
import { ContainerHost, createContainer } from './index.ts'

/** A host with a file that nobody inside may see, and a process that nobody inside may end. */
function hostWithSecret(): ContainerHost {
  const host = new ContainerHost()
  const { vfs, tree } = host.kernel
  const task = vfs.newTask(tree)
  const file = vfs.open(task, null, '/secret', Open.O_CREAT | Open.O_WRONLY, 0o644)
  if (typeof file !== 'number') vfs.close(file)
  vfs.exit(task)
  return host
}

const CAPABLE = { capAdd: ['ALL'] } as const

describe.skipIf(!isBusyboxThere)(`who wants out of a container${isBusyboxThere ? '' : WHY_NOT}`, () => {
  it.each<[what: string, script: string, output: string, options?: { readonly capAdd: readonly string[] }]>([
    ['does not come up by ..', 'cd ../../../..; pwd; ls -d secret', '/\n'],
    [
      'does not come out by chroot and ..',
      'mkdir /tmp/x; chroot /tmp/x /nothing; cd /tmp; ls -d /secret ../../secret',
      '',
    ],
    ['has no root of others in /proc', 'ls -d /proc/[0-9]*; ls /proc/1/root/secret /proc/1/cwd/secret', '/proc/1\n'],
    [
      'mounts nothing',
      'mount -t tmpfs x /tmp || echo no; umount /proc/sys || echo no; mount -o remount,rw /sys || echo no; pivot_root /tmp /tmp || echo no',
      'no\nno\nno\nno\n',
    ],
    [
      'with all capabilities finds nothing under its mounts',
      'umount -l /proc/sys; umount -l /proc; umount -l / && echo out; ls -d /secret /proc/1',
      '',
      CAPABLE,
    ],
    ['with all capabilities has no /proc of others', 'mount -t proc p /tmp; ls -d /tmp/[0-9]*', '/tmp/1\n', CAPABLE],
    ['kills nobody outside', 'kill -9 -1; for i in $(seq 2 40); do kill -9 $i 2>/tmp/e; done; echo alive', 'alive\n'],
    ['enters no namespace outside', 'nsenter -t 1 -m ls -d /secret; ls /proc/1/ns | wc -l', '10\n'],
    ['changes no name outside', 'hostname x || echo no; echo x > /proc/sys/kernel/hostname || echo no', 'no\nno\n'],
    [
      'makes nodes of devices that lead nowhere',
      'mknod /tmp/d b 8 0; mknod /tmp/m c 1 1; mknod /tmp/c c 136 0; for f in d m c; do cat /tmp/$f 2>&1; done',
      "cat: can't open '/tmp/d': No such device or address\ncat: can't open '/tmp/m': No such device or address\ncat: can't open '/tmp/c': No such device or address\n",
    ],
  ])(
    '%s',
    async (_what, script, output, options) => {
      const host = hostWithSecret()
      await using other = await createContainer({
        image: await busyboxImage(),
        host,
        args: ['cat'],
        terminal: { rows: 2, columns: 2 },
      })
      const ran = await shell(`exec 2>/dev/null; ${script}`, { host, ...options })
      expect(ran.output).toBe(output)
      expect(other.status).toBeUndefined()
      expect(host.kernel.ns.uts.hostname).toBe('vmexit')
    },
    60_000,
  )

  it('has no more than its limits, though it may write its own group', async () => {
    const host = new ContainerHost()
    await using container = await createContainer({
      image: await busyboxImage(),
      host,
      memory: '4M',
      pids: 8,
      capAdd: ['ALL'],
      args: ['cat'],
    })
    const script =
      'mkdir /tmp/c; mount -t cgroup2 c /tmp/c; cd /tmp/c; echo max > memory.max; echo max > pids.max; cat memory.max pids.max; ls -d ../../..'
    expect(await said(container, script)).toContain('max\nmax\n')
    const killed = await container.exec({ args: ['tail', '-n', '1', '/dev/zero'] })
    expect(killed.signal).toBe('SIGKILL')
    expect(container.usage.memoryPeak).toBeLessThanOrEqual(4 << 20)
    expect(await said(container, 'for i in 1 2 3 4 5 6 7 8 9; do sleep 9 & done; true')).toContain("can't fork")
    expect(checkKernel(host.kernel)).toEqual([])
  }, 60_000)

  it('cannot keep what it has, whatever it makes of its group and its processes', async () => {
    const host = new ContainerHost()
    const image = await busyboxImage()
    const { frames, groups, pageCache, processes } = host.kernel
    await shell('true', { host })
    // What is cached of layers is nobody's.
    pageCache.shrink()
    const before = frames.used
    const { memory } = groups.tree.root
    const usage = memory.usage
    {
      await using container = await createContainer({
        image,
        host,
        capAdd: ['ALL'],
        args: ['sh', '-c', 'trap "" TERM HUP INT; while :; do sleep 1; done'],
      })
      await said(
        container,
        'mkdir /tmp/c; mount -t cgroup2 c /tmp/c; mkdir -p /tmp/c/a/b; sleep 9999 & echo $! > /tmp/c/a/b/cgroup.procs; unshare -p -f sh -c "sleep 9999 & sleep 9999" & (while :; do :; done) & mount -t tmpfs t /mnt; mkdir /tmp/t; mount -t tmpfs t /tmp/t; echo x > /tmp/t/f',
      )
    }
    pageCache.shrink()
    expect([groups.tree.root.children.size, processes.size, memory.usage]).toEqual([0, 0, usage])
    expect(frames.used).toBeLessThanOrEqual(before)
    expect(checkKernel(host.kernel)).toEqual([])
  }, 60_000)

  it('gets no file outside by an image whose directories are links', async () => {
    const image = await busyboxImage()
    const host = hostWithSecret()
    await using container = await createContainer({ image, host })
    await said(container, 'rm -r /etc; ln -s /proc/1/root/.. /etc')
    expect(await said(container, 'ls -d /etc/secret 2>&1')).toBe('ls: /etc/secret: No such file or directory\n')
  }, 60_000)

  it('does not see another container on its kernel', async () => {
    const host = new ContainerHost()
    const image = await busyboxImage()
    await using one = await createContainer({ image, host, name: 'one', args: ['cat'] })
    await using two = await createContainer({ image, host, name: 'two', args: ['cat'] })
    const script = 'echo $HOSTNAME; ps -o pid,comm; ls /tmp; ls -l /proc/self/ns'
    await said(one, 'touch /tmp/one')
    one.spawn({ args: ['cat'] })
    await said(two, 'touch /tmp/two')
    const [a, b] = [await said(one, script), await said(two, script)]
    const kinds = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'uts']
    const of = (text: string): string[] => kinds.map((kind) => new RegExp(`-> ${kind}:.*`).exec(text)![0])
    expect(new Set([...of(a), ...of(b)]).size).toBe(12)
    expect(a).toContain('one\n')
    expect(a).not.toContain('two')
    expect(b).not.toContain('one')
    expect([a.match(/ cat/g)?.length, b.match(/ cat/g)?.length]).toEqual([2, 1])
    await expect(createContainer({ image, host, name: 'one' })).rejects.toMatchObject({ code: 'container-options' })
    one.kill('SIGKILL')
    await one.exited
    expect(two.status).toBeUndefined()
    expect(() => one.spawn({ args: ['true'] })).toThrow(/has ended/)
  }, 60_000)

  it('makes no calls that a filter refuses', async () => {
    const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }] }
    const ran = await shell('mkdir /tmp/x', { seccomp, noNewPrivileges: true })
    expect(ran.errors).toContain('Operation not permitted')
    expect((await shell('grep NoNewPrivs /proc/self/status', { noNewPrivileges: true })).output).toBe(
      'NoNewPrivs:\t1\n',
    )
  }, 60_000)
})
