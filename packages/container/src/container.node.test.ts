/** Containers of a real busybox: what its programs see, what they may, what they take, and what is left of them. */
import { describe, expect, it } from 'vitest'
import { busyboxImage, isBusyboxThere, WHY_NOT } from '../test/busybox-image.ts'
import { finish, said, shell } from '../test/run.ts'
import { ContainerHost, createContainer } from './index.ts'

describe.skipIf(!isBusyboxThere)(`a container${isBusyboxThere ? '' : WHY_NOT}`, () => {
  it.each<[what: string, script: string, output: string, exitCode?: number]>([
    ['prints', 'echo hello', 'hello\n'],
    ['tells its exit code', 'exit 42', '', 42],
    ['tells the signal that ended it', 'sh -c "kill -9 \\$\\$"; echo $?', '137\n'],
    ['reads its input to the end', 'tr a-z A-Z', 'TYPED\n'],
    ['is alone with its processes', 'ps -o pid,comm; true', 'PID   COMMAND\n    1 sh\n    2 ps\n'],
    [
      'has its own root, and nothing else mounted',
      'cut -d" " -f2,3 /proc/mounts',
      '/ overlay\n/proc proc\n/proc/sys proc\n/dev tmpfs\n/dev/shm tmpfs\n/sys sysfs\n/sys/fs/cgroup cgroup2\n/sys/firmware tmpfs\n',
    ],
    [
      'has devices',
      'cd /dev; ls -d null zero full random urandom tty pts shm fd | wc -l; head -c 3 zero | od -An -tx1; echo x > full',
      '9\n 00 00 00\n',
      1,
    ],
    ['has its variables', 'echo $PATH $HOME $HOSTNAME', '/bin /root container-1\n'],
    [
      'is the root of its control groups',
      'cat /proc/self/cgroup; mkdir /sys/fs/cgroup/x 2>&1',
      "0::/\nmkdir: can't create directory '/sys/fs/cgroup/x': Read-only file system\n",
      1,
    ],
    [
      "has Docker's capabilities",
      'grep -E "Cap(Eff|Bnd)" /proc/self/status',
      'CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\n',
    ],
    ['has loopback alone', 'ls /proc/net/dev && grep -c : /proc/net/dev', '/proc/net/dev\n1\n'],
    [
      'sees its own network in /sys, and changes nothing there',
      'ls /sys/class/net; cd /sys/class/net/lo; cat mtu operstate; echo 1500 > mtu || cat mtu; ls /sys/firmware; cat /sys/devices/system/cpu/online',
      'lo\n65536\nunknown\n65536\n0\n',
    ],
    ['knows its own name', 'hostname; cat /etc/hostname', 'container-1\ncontainer-1\n'],
  ])(
    '%s',
    async (_what, script, output, exitCode = 0) => {
      const ran = await shell(script, {}, 'typed\n')
      expect(ran.output).toBe(output)
      expect(ran.exitCode).toBe(exitCode)
    },
    60_000,
  )

  it('is run as its options say', async () => {
    const ran = await shell('id -un; id -G; pwd; echo $A $HOME; hostname; touch /x', {
      ...{ user: 'app', cwd: '/new/place', env: { A: 'b c' }, hostname: 'name', readOnly: true },
    })
    expect(ran).toEqual({
      output: 'app\n1000 50\n/new/place\nb c /home/app\nname\n',
      errors: 'touch: /x: Read-only file system\n',
      exitCode: 1,
    })
  }, 60_000)

  it('is run as its image says', async () => {
    const config = {
      Entrypoint: ['echo', 'image:'],
      Cmd: ['default'],
      WorkingDir: '/tmp',
      User: '7:staff',
      Env: ['PATH=/bin', 'B=1'],
    }
    const image = await busyboxImage(config)
    await using plain = await createContainer({ image })
    expect((await finish(plain)).output).toBe('image: default\n')
    await using other = await createContainer({ image, args: ['given'] })
    expect((await finish(other)).output).toBe('image: given\n')
    await using entry = await createContainer({ image, entrypoint: ['sh', '-c', 'id -u; id -g; pwd; echo $B'] })
    expect((await finish(entry)).output).toBe('7\n50\n/tmp\n1\n')
  }, 60_000)

  it.each([
    ['nosuch', { args: ['nosuch'] }, 'container-program-missing'],
    ['a file that is no program', { args: ['/etc/passwd'] }, 'container-program'],
    ['a user who is not there', { user: 'nobody' }, 'container-user'],
    ['a working directory that is a file', { cwd: '/etc/passwd' }, 'container-options'],
    ['a capability that there is not', { capAdd: ['FLY'] }, 'container-options'],
    ['memory that is none', { memory: 'much' }, 'container-options'],
    ['a name that leads away', { name: '../x' }, 'container-options'],
  ])(
    'refuses %s, and leaves nothing',
    async (_what, options, code) => {
      const image = await busyboxImage()
      const host = new ContainerHost()
      const { frames, groups, processes } = host.kernel
      const before = frames.used
      await expect(createContainer({ image, host, ...options })).rejects.toMatchObject({ code })
      expect([frames.used, groups.tree.root.children.size, processes.size]).toEqual([before, 0, 0])
    },
    60_000,
  )

  it('keeps what it writes to itself', async () => {
    const host = new ContainerHost()
    const image = await busyboxImage()
    await using one = await createContainer({ image, host })
    await using two = await createContainer({ image, host })
    await said(one, 'echo mine > /etc/passwd; rm /bin/ls; mkdir /etc/x')
    expect(await said(one, 'cat /etc/passwd; [ -e /bin/ls ] || echo no')).toBe('mine\nno\n')
    expect(await said(two, 'grep -c app /etc/passwd; ls /etc')).toBe('1\ngroup\nhostname\nhosts\npasswd\n')
    await using later = await createContainer({ image, host, args: ['sh', '-c', 'ls /etc | wc -l'] })
    expect((await finish(later)).output).toBe('4\n')
  }, 60_000)

  it('has no more memory than it may: the process is killed, the container lives', async () => {
    const image = await busyboxImage()
    await using container = await createContainer({ image, memory: '4M', cwd: '/' })
    expect(await said(container, 'cat /sys/fs/cgroup/memory.max')).toBe('4194304\n')
    // tail keeps a line that has no end.
    const killed = await container.exec({ args: ['tail', '-n', '1', '/dev/zero'] })
    expect(killed.signal).toBe('SIGKILL')
    expect(
      await said(
        container,
        'dd if=/dev/zero of=/tmp/big bs=64k count=100 2>&1 | head -1; rm -f /tmp/big; grep -w oom_kill /sys/fs/cgroup/memory.events',
      ),
    ).toMatch(/oom_kill [1-9]/)
    expect(container.usage.memoryPeak).toBeLessThanOrEqual(4 << 20)
    expect(container.status).toBeUndefined()
  }, 60_000)

  it('has no more processes than it may', async () => {
    const image = await busyboxImage()
    await using container = await createContainer({ image, pids: 5 })
    const { stdout } = await container.exec({
      args: ['sh', '-c', 'for i in 1 2 3 4 5 6; do sleep 100 & cat /sys/fs/cgroup/pids.current; done 2>&1'],
    })
    expect(new TextDecoder().decode(stdout)).toContain("can't fork")
    expect(container.usage.processes).toBeLessThanOrEqual(5)
  }, 60_000)

  it('has no more of the CPU than it may', async () => {
    const host = new ContainerHost({ engine: 'jit' })
    const image = await busyboxImage()
    const script = 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done'
    const time = async (cpus: number): Promise<number> => {
      const before = host.kernel.now
      await using container = await createContainer({ image, host, cpus, args: ['sh', '-c', script] })
      await finish(container)
      return host.kernel.now - before
    }
    const [whole, quarter] = [await time(1), await time(0.25)]
    expect(quarter / whole).toBeGreaterThan(2)
    expect(quarter / whole).toBeLessThan(5)
  }, 60_000)

  it('gives all back when it is disposed of, whatever ran in it', async () => {
    const host = new ContainerHost()
    const image = await busyboxImage()
    const { frames, groups, processes } = host.kernel
    const round = async (): Promise<number[]> => {
      await using container = await createContainer({ image, host, pids: 20 })
      const left = container.spawn({ args: ['sh', '-c', 'sleep 1000 & sleep 2000 & while :; do :; done'] })
      await said(
        container,
        'echo x > /tmp/f; mkfifo /tmp/p; cp /bin/busybox /tmp/b; /tmp/b true; (sleep 50 > /tmp/p) & :',
      )
      await container[Symbol.asyncDispose]()
      expect((await left.exited).signal).toBe('SIGKILL')
      return [frames.used, groups.tree.root.memory.usage, groups.tree.root.children.size, processes.size]
    }
    const first = await round()
    for (let n = 0; n < 3; n++) expect(await round()).toEqual(first)
    expect(first.slice(2)).toEqual([0, 0])
  }, 120_000)

  it('is killed by an AbortSignal, and gets signals that it handles', async () => {
    const image = await busyboxImage()
    const controller = new AbortController()
    await using container = await createContainer({
      image,
      signal: controller.signal,
      args: ['sh', '-c', 'trap "echo caught" TERM; echo ready; while :; do sleep 1; done'],
    })
    const reader = container.stdout.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toBe('ready\n')
    container.kill('SIGTERM')
    expect((await reader.read()).value).toBe('caught\n')
    container.kill('SIGINT')
    controller.abort()
    expect(await container.exited).toEqual({ exitCode: 137, signal: 'SIGKILL' })
    await expect(createContainer({ image, signal: controller.signal })).rejects.toThrow()
  }, 60_000)

  it('has a terminal, which is its own', async () => {
    const image = await busyboxImage()
    await using container = await createContainer({
      image,
      terminal: { rows: 30, columns: 100 },
      args: ['sh', '-c', 'tty; stty size; read line; echo "<$line>"'],
    })
    const writer = container.stdin.getWriter()
    await writer.write(new TextEncoder().encode('typed\r'))
    let text = ''
    for await (const piece of container.stdout.pipeThrough(new TextDecoderStream())) text += piece
    expect(text).toContain('/dev/pts/0\r\n30 100\r\n')
    expect(text).toContain('<typed>\r\n')
  }, 60_000)

  it.each([[{}], [{ terminal: { rows: 2, columns: 2 } }]])(
    'waits for whoever reads %j',
    async (options) => {
      const image = await busyboxImage()
      await using container = await createContainer({ image, args: ['yes'], ...options })
      for (let n = 0; n < 200; n++) await new Promise((done) => setTimeout(done))
      const before = container.host.kernel.cpu.retired
      for (let n = 0; n < 20; n++) await new Promise((done) => setTimeout(done))
      expect(container.host.kernel.cpu.retired).toBe(before)
      const { value } = await container.stdout.getReader().read()
      expect(new TextDecoder().decode(value).replaceAll('\r', '').slice(0, 2)).toBe('y\n')
    },
    60_000,
  )
})
