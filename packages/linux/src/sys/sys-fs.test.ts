/** /sys as whoever looks: what stands there, where links lead, what can be changed, and by what a change is refused. */
import { NetStack, parseMac } from '@vmexit/net'
import {
  bytesOf,
  EntryType,
  errnoName,
  Mode,
  MountFlag,
  majorOf,
  minorOf,
  Open,
  Stat,
  StatFs,
  type TaskContext,
} from '@vmexit/vfs'
import { describe, expect, it } from 'vitest'
import { createKernel, type LinuxKernel } from '../kernel.ts'
import { populate } from '../populate.ts'
import { unsigned } from './attribute.ts'

const LO = '/sys/class/net/lo'

function bench() {
  const kernel: LinuxKernel = createKernel()
  populate(kernel)
  const { vfs } = kernel
  const task: TaskContext = vfs.newTask(kernel.tree)
  const opened = <T>(path: string, flags: number, then: (file: Parameters<typeof vfs.read>[0]) => T): T | string => {
    const file = vfs.open(task, null, path, flags)
    if (typeof file === 'number') return errnoName(file)
    const answer = then(file)
    vfs.close(file)
    return answer
  }
  return {
    kernel,
    vfs,
    task,
    opened,
    /** The text, or the name of an error. */
    read: (path: string): string =>
      opened(path, Open.O_RDONLY, (file) => {
        const bytes = new Uint8Array(4096)
        const got = vfs.read(file, bytes)
        return got < 0 ? errnoName(got) : new TextDecoder().decode(bytes.subarray(0, got))
      }),
    /** How many bytes were taken, or the name of an error. */
    write: (path: string, text: string): number | string =>
      opened(path, Open.O_WRONLY | Open.O_TRUNC, (file) => {
        const answer = vfs.write(task, file, bytesOf(text))
        return answer < 0 ? errnoName(answer) : answer
      }),
    list: (path: string): { name: string; type: number }[] | string =>
      opened(path, Open.O_RDONLY | Open.O_DIRECTORY, (file) => {
        const found: { name: string; type: number }[] = []
        vfs.getdents(file, {
          entry: (name, _ino, type) => {
            if (name !== '.' && name !== '..') found.push({ name, type })
            return true
          },
        })
        return found
      }),
    stat: (path: string, flags = 0): Stat => {
      const into = new Stat()
      const answer = vfs.stat(task, null, path, into, flags)
      if (answer < 0) throw new Error(`${path}: ${errnoName(answer)}`)
      return into
    },
  }
}

const names = (list: { name: string }[] | string): string[] | string =>
  typeof list === 'string' ? list : list.map(({ name }) => name).sort()

describe('/sys', () => {
  it('is a sysfs that programs may not have devices or programs on', () => {
    const { vfs, task, stat } = bench()
    const into = new StatFs()
    expect(vfs.statfs(task, '/sys', into)).toBe(0)
    expect(into.type).toBe(0x6265_6572)
    expect(stat('/sys').mode).toBe(Mode.IFDIR | 0o555)
    const mount = vfs.mountAt(task, '/sys')
    if (typeof mount === 'number') throw new Error('no mount')
    expect(mount.super.fs.type).toBe('sysfs')
    expect(mount.flags & MountFlag.NOEXEC).not.toBe(0)
  })

  it('has links that lead somewhere, directories that say what is in them, and texts of a line', () => {
    const { vfs, kernel, list, read, stat } = bench()
    const { stack } = kernel.ns.net
    const bridge = stack.addBridge({ name: 'br0' })!
    stack.addVeth({ name: 'veth0' }, stack, { name: 'veth1' })![0].enslave(bridge)
    stack.addDummy({ name: 'dummy0' })
    const seen: string[] = []
    const walk = (path: string): void => {
      const entries = list(path)
      if (typeof entries === 'string') throw new Error(`${path}: ${entries}`)
      expect([path, stat(path).nlink]).toEqual([
        path,
        2 + entries.filter(({ type }) => type === EntryType.DT_DIR).length,
      ])
      expect([path, new Set(entries.map(({ name }) => name)).size]).toEqual([path, entries.length])
      for (const { name, type } of entries) {
        const at = `${path}/${name}`
        seen.push(at)
        if (type === EntryType.DT_DIR) walk(at)
        else if (type === EntryType.DT_LNK) expect([at, stat(at).mode & Mode.IFMT]).toEqual([at, Mode.IFDIR])
        else {
          const { size, mode, blocks } = stat(at)
          expect([at, size, blocks, mode & 0o7777 & ~0o200]).toEqual([at, 4096, 0, 0o444])
          expect([at, read(at)]).toEqual([at, expect.stringMatching(/^(EINVAL|([^\n]*\n)*)$/)])
        }
      }
    }
    walk('/sys')
    expect(seen.length).toBeGreaterThan(300)
    expect(vfs.readlink(vfs.newTask(kernel.tree), null, '/sys/dev/char/1:3')).toBe('../../devices/virtual/mem/null')
  })

  it('tells one processor, as sched_getaffinity does', () => {
    const { read } = bench()
    const cpu = '/sys/devices/system/cpu'
    expect(['online', 'possible', 'present', 'offline'].map((name) => read(`${cpu}/${name}`))).toEqual([
      ...['0\n', '0\n', '0\n', '\n'],
    ])
    expect(read(`${cpu}/cpu0/topology/thread_siblings_list`)).toBe('0\n')
  })

  it('shows the numbers of devices, as their nodes have them', () => {
    const { read, stat } = bench()
    for (const [type, name] of [
      ...[['mem', 'null'] as const, ['mem', 'urandom'] as const],
      ...[['tty', 'tty'] as const, ['tty', 'ptmx'] as const],
    ]) {
      const { rdev } = stat(`/dev/${name}`)
      expect(read(`/sys/class/${type}/${name}/dev`)).toBe(`${majorOf(rdev)}:${minorOf(rdev)}\n`)
    }
    expect(read('/sys/class/mem/null/uevent')).toBe('MAJOR=1\nMINOR=3\nDEVNAME=null\nDEVMODE=0666\n')
  })

  it('refuses names as Linux does: no creation, no removal, and attributes only for what they can do', () => {
    const { vfs, task, opened, write } = bench()
    const made = (path: string): string => opened(path, Open.O_WRONLY | Open.O_CREAT, () => 'made')
    expect([made('/sys/x'), made(`${LO}/x`)]).toEqual(['EACCES', 'EACCES'])
    expect(made(`${LO}/mtu`)).toBe('made')
    const answers = [
      vfs.mkdir(task, null, '/sys/class/net/x', 0o755),
      vfs.unlink(task, null, `${LO}/mtu`),
      vfs.unlink(task, null, LO),
      vfs.rmdir(task, null, '/sys/class/net'),
      vfs.symlink(task, 'a', null, '/sys/x'),
      vfs.rename(task, null, `${LO}/mtu`, null, `${LO}/x`),
      vfs.mknod(task, null, '/sys/x', Mode.IFIFO | 0o666, 0),
    ]
    expect(answers.map((answer) => errnoName(answer))).toEqual(answers.map(() => 'EPERM'))
    expect(write(`${LO}/address`, 'x')).toBe('EACCES')
    expect(write('/sys/kernel/mm/transparent_hugepage/enabled', 'always')).toBe('EACCES')
  })

  it('keeps owners and modes that were set', () => {
    const { vfs, task, stat, write } = bench()
    expect(vfs.chmod(task, null, `${LO}/mtu`, 0o400)).toBe(0)
    expect(vfs.chown(task, null, `${LO}/mtu`, 5, 6)).toBe(0)
    expect(stat(`${LO}/mtu`)).toMatchObject({ mode: Mode.IFREG | 0o400, uid: 5, gid: 6 })
    expect(write(`${LO}/mtu`, '1500')).toBe('EACCES')
  })
})

describe('/sys/class/net', () => {
  it('shows a loopback device as Linux shows it', () => {
    const { read } = bench()
    // biome-ignore format: a table
    const expected = {
      addr_len: '6', address: '00:00:00:00:00:00', broadcast: '00:00:00:00:00:00', carrier: '1', dev_id: '0x0',
      dev_port: '0', dormant: '0', flags: '0x9', ifindex: '1', iflink: '1', link_mode: '0', mtu: '65536', netdev_group: '0',
      operstate: 'unknown', testing: '0', tx_queue_len: '1000', type: '772', uevent: 'INTERFACE=lo\nIFINDEX=1',
      'statistics/rx_packets': '0', 'statistics/tx_window_errors': '0',
    }
    for (const [name, value] of Object.entries(expected))
      expect([name, read(`${LO}/${name}`)]).toEqual([name, `${value}\n`])
    expect([read(`${LO}/speed`), read(`${LO}/duplex`)]).toEqual(['EINVAL', 'EINVAL'])
  })

  it('tells of a device that is down, and of the other end of a pair', () => {
    const { kernel, read } = bench()
    const { stack } = kernel.ns.net
    const [one, other] = stack.addVeth({ name: 'a', mac: parseMac('02:00:00:00:00:01')! }, stack, { name: 'b' })!
    const told = (): string[] =>
      ['carrier', 'operstate', 'flags', 'speed'].map((name) => read(`/sys/class/net/a/${name}`))
    expect(told()).toEqual(['EINVAL', 'down\n', '0x1002\n', 'EINVAL'])
    stack.setUp(one, true)
    expect(told()).toEqual(['0\n', 'lowerlayerdown\n', '0x1003\n', '10000\n'])
    stack.setUp(other, true)
    expect(told()).toEqual(['1\n', 'up\n', '0x1003\n', '10000\n'])
    expect(read('/sys/class/net/a/address')).toBe('02:00:00:00:00:01\n')
    expect(read('/sys/class/net/a/iflink')).toBe(`${other.index}\n`)
  })

  it('takes an MTU, flags and a length of the queue', () => {
    const { kernel, write, read } = bench()
    const { stack } = kernel.ns.net
    expect([write(`${LO}/mtu`, '0x5dc\n'), write(`${LO}/tx_queue_len`, '10'), write(`${LO}/flags`, '0')]).toEqual([
      6, 2, 1,
    ])
    expect(stack.loopback).toMatchObject({ mtu: 1500, txQueueLength: 10, up: false })
    expect(read(`${LO}/operstate`)).toBe('down\n')
    expect(['1', '70000', 'x', '-5', ' 5', '5 5', '', '1500\n\n'].map((text) => write(`${LO}/mtu`, text))).toEqual([
      ...['EINVAL', 'EINVAL', 'EINVAL', 'EINVAL', 'EINVAL', 'EINVAL', 0, 'EINVAL'],
    ])
    expect(write(`${LO}/mtu`, '\xef\xbb\xbf900')).toBe('EINVAL')
    expect(stack.loopback.mtu).toBe(1500)
    expect([write(`${LO}/uevent`, 'add'), write(`${LO}/uevent`, 'sing')]).toEqual([3, 'EINVAL'])
  })

  it('follows devices that come, are renamed and go, also for those who have a file of one open', () => {
    const { kernel, vfs, task, list, read } = bench()
    const { stack } = kernel.ns.net
    const device = stack.addDummy({ name: 'd' })!
    const file = vfs.open(task, null, '/sys/class/net/d/mtu', Open.O_RDONLY)
    if (typeof file === 'number') throw new Error('no file')
    stack.ip.interfaces.rename(device, 'e')
    expect([names(list('/sys/class/net')), read('/sys/class/net/e/uevent')]).toEqual([
      ['e', 'lo'],
      `INTERFACE=e\nIFINDEX=${device.index}\n`,
    ])
    const bytes = new Uint8Array(16)
    expect(vfs.pread(file, bytes, 0, 16, 0)).toBe(5)
    stack.deleteDevice(device)
    expect(errnoName(vfs.pread(file, bytes, 0, 16, 0))).toBe('ENODEV')
    vfs.close(file)
    expect(names(list('/sys/class/net'))).toEqual(['lo'])
    expect(names(list('/sys/class/net/e'))).toBe('ENOENT')
  })

  it('says nothing of a device that is elsewhere now to those who have a part of it open', () => {
    const { kernel, vfs, task } = bench()
    const { stack } = kernel.ns.net
    const elsewhere = new NetStack({ clock: stack.ip.clock, seed: 1 })
    const master = stack.addBridge({ name: 'br0' })!
    const [port] = stack.addVeth({ name: 'p' }, stack, { name: 'q' })!
    port.enslave(master)
    const opened = (path: string, flags: number) => {
      const file = vfs.open(task, null, `/sys/class/net/${path}`, flags)
      if (typeof file === 'number') throw new Error(`${path}: ${errnoName(file)}`)
      return file
    }
    const files = ['p/uevent', 'p/address', 'p/brport/state', 'br0/bridge/bridge_id'].map((path) =>
      opened(path, Open.O_RDONLY),
    )
    const links = ['p', 'p/master', 'p/brport/bridge', 'br0/brif/p', 'br0/lower_p'].map((path) =>
      opened(path, Open.O_PATH | Open.O_NOFOLLOW),
    )
    stack.removeDevice(port)
    elsewhere.addDevice(port)
    elsewhere.ip.interfaces.rename(port, 'secret')
    port.enslave(elsewhere.addBridge({ name: 'hidden' })!)
    stack.deleteDevice(master)
    const bytes = new Uint8Array(64)
    expect(files.map((file) => errnoName(vfs.pread(file, bytes, 0, 64, 0)))).toEqual(files.map(() => 'ENODEV'))
    expect(links.map((file) => vfs.readlink(task, file.path, ''))).toEqual(links.map(() => -2))
  })

  it('lists devices by the bytes of their names, however few at a time', () => {
    const { kernel, vfs, task, read } = bench()
    const { stack } = kernel.ns.net
    const all = ['lo', '7', '07', '007', '999999999999999', '\xc4\xaf', '..\xff', '__proto__']
    for (const name of all.slice(1)) expect([name, stack.addDummy({ name })?.name]).toEqual([name, name])
    const file = vfs.open(task, null, '/sys/class/net', Open.O_RDONLY | Open.O_DIRECTORY)
    if (typeof file === 'number') throw new Error('no directory')
    const found: string[] = []
    for (let before = -1; before < found.length; ) {
      before = found.length
      let room = 1
      vfs.getdents(file, { entry: (name) => room-- > 0 && found.push(name) > 0 })
    }
    expect(found.filter((name) => name !== '.' && name !== '..').sort()).toEqual([...all].sort())
    expect(read('/sys/class/net/\xc4\xaf/uevent')).toMatch(/^INTERFACE=į\n/)
  })

  it('shows a bridge with its ports, both ways', () => {
    const { kernel, vfs, task, list, read } = bench()
    const { stack } = kernel.ns.net
    const bridge = stack.addBridge({ name: 'br0', mac: parseMac('02:00:00:00:00:01')! })!
    const [port] = stack.addVeth({ name: 'p' }, stack, { name: 'q' })!
    expect(names(list('/sys/class/net/br0/brif'))).toEqual([])
    port.enslave(bridge)
    expect(read('/sys/class/net/br0/bridge/bridge_id')).toBe('8000.020000000001\n')
    expect(names(list('/sys/class/net/br0/brif'))).toEqual(['p'])
    expect(names(list('/sys/class/net/br0/brif/p'))).toEqual(['bridge', 'state'])
    for (const path of ['p/master', 'p/upper_br0', 'p/brport/bridge', 'br0/lower_p/master', 'br0/brif/p/bridge'])
      expect([path, read(`/sys/class/net/${path}/ifindex`)]).toEqual([path, `${bridge.index}\n`])
    port.enslave(undefined)
    expect(names(list('/sys/class/net/br0/brif'))).toEqual([])
    expect(vfs.readlink(task, null, '/sys/class/net/p/master')).toBeLessThan(0)
  })
})

describe('a number of an attribute', () => {
  it.each([
    ...[['0', 0] as const, ['10\n', 10] as const, ['+7', 7] as const, ['017', 15] as const, ['0X1f', 31] as const],
    ...[['4294967295', 0xffff_ffff] as const, ['4294967296', -34] as const, ['9'.repeat(400), -34] as const],
    ...[['', -22] as const, ['0x', -22] as const, ['08', -22] as const, ['1\n\n', -22] as const, ['5\0x', 5] as const],
  ])('%j is %d', (text, value) => expect(unsigned(text)).toBe(value))
})
