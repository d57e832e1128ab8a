/** /sys as Debian's programs read and write it: busybox in namespaces, and python3 of a whole root. */
import { describe, expect, it } from 'vitest'
import { isBusyboxThere, WHY_NOT } from '../../test/busybox.ts'
import { shell } from '../../test/busybox-shell.ts'
import { haveDebian, runDebian, withoutDebian } from '../../test/debian.ts'
import type { RunOptions } from '../../test/run.ts'

const b = 'busybox'

describe.skipIf(!isBusyboxThere)(`busybox in /sys${isBusyboxThere ? '' : WHY_NOT}`, () => {
  it.each<[what: string, script: string, output: string, options?: Partial<RunOptions>]>([
    [
      'reads of devices what ip has made of them',
      `${b} ip link add br0 type bridge; ${b} ip link add v0 type veth; ${b} brctl addif br0 v0; ${b} ip link set v0 up
       cd /sys/class/net; ls; cat v0/operstate v0/master/ifindex; ls br0/brif; ${b} ip link del v0; ls . br0/brif; pwd -P`,
      'br0\nlo\nv0\nveth0\nlowerlayerdown\n2\nv0\n.:\nbr0\nlo\n\nbr0/brif:\n/sys/class/net\n',
    ],
    [
      'finds its way by links, up as well as down',
      `cd /sys/class/net/lo; pwd -P; readlink -f subsystem; readlink -f /sys/dev/char/1:5; find /sys -name mtu; cat /sys/class/net/lo/statistics/rx_bytes`,
      '/sys/devices/virtual/net/lo\n/sys/class/net\n/sys/devices/virtual/mem/zero\n/sys/devices/virtual/net/lo/mtu\n0\n',
    ],
    [
      'sets an MTU, which ip shows',
      `echo 9000 > /sys/class/net/lo/mtu; ${b} ip link show lo | grep -o 'mtu 9000'; echo 1 > /sys/class/net/lo/mtu; cat /sys/class/net/lo/mtu`,
      'mtu 9000\nsh: write error: Invalid argument\n9000\n',
    ],
    [
      'is refused an MTU as a user, who may read all',
      'cat /sys/class/net/lo/mtu; echo 9000 > /sys/class/net/lo/mtu; rm /sys/class/net/lo; mkdir /sys/x; cat /sys/class/net/lo/mtu',
      "65536\nsh: can't create /sys/class/net/lo/mtu: Permission denied\nrm: can't remove '/sys/class/net/lo': Permission denied\nmkdir: can't create directory '/sys/x': Permission denied\n65536\n",
      { uid: 1000 },
    ],
    [
      'sees by a mount the network that it is in, and by an older mount that one',
      `${b} ip link add d0 type dummy; unshare -n sh -c "mkdir /tmp/sys; mount -t sysfs s /tmp/sys; ${b} ip link add e0 type dummy; ls /tmp/sys/class/net; ls /sys/class/net; stat -f -c %t /tmp/sys; grep sysfs /proc/mounts | cut -d' ' -f1-3"`,
      'e0\nlo\nd0\nlo\n62656572\nsysfs /sys sysfs\ns /tmp/sys sysfs\n',
    ],
    [
      'is root of its own network and of no other one in a user namespace',
      'unshare -U -r -m sh -c "mount -t sysfs s /tmp; echo 1500 > /sys/class/net/lo/mtu; unshare -n sh -c \\"mount -t sysfs s /tmp; ls -ln /tmp/class/net/lo/mtu | cut -c1-16; echo 1500 > /tmp/class/net/lo/mtu; cat /tmp/class/net/lo/mtu\\"" 2>&1',
      "mount: permission denied (are you root?)\nsh: can't create /sys/class/net/lo/mtu: Permission denied\n-rw-r--r--    1 \n1500\n",
      { uid: 1000 },
    ],
    [
      'has no /sys without what covers a part of the one that there is, save its control groups',
      `mount -t cgroup2 c /sys/fs/cgroup; unshare -U -r -m -n sh -c 'mount -t sysfs s /tmp && echo whole'
       mount -t tmpfs t /sys/firmware; unshare -U -r -m -n sh -c 'mount -t sysfs s /tmp || echo part' 2>&1`,
      'whole\nmount: permission denied (are you root?)\npart\n',
    ],
    [
      'mounts control groups where they are mounted',
      'mount -t cgroup2 c /sys/fs/cgroup; ls /sys/fs; cat /sys/fs/cgroup/cgroup.controllers | wc -w; nproc; cat /sys/devices/system/cpu/online',
      'cgroup\n5\n1\n0\n',
    ],
  ])('%s', (_what, script, output, options) => {
    const result = shell(`exec 2>&1\n${script}`, options)
    expect(result.output).toBe(output)
    expect(result.wrong).toEqual([])
  })
})

describe.skipIf(!haveDebian)(`Debian's programs in /sys${withoutDebian}`, () => {
  it('python3 and lscpu find devices and processors', () => {
    const python = runDebian([
      'python3',
      '-c',
      `
import os, socket
print(sorted(os.listdir('/sys/class/net')), [name for _, name in socket.if_nameindex()], os.cpu_count())
print(open('/sys/class/net/lo/address').read().strip(), os.stat('/sys/class/net/lo/mtu').st_size)
print(os.path.realpath('/sys/class/net/lo'), len(list(os.walk('/sys'))) > 30)
for action in (lambda: os.unlink('/sys/class/net/lo/mtu'), lambda: open('/sys/x', 'w'), lambda: open('/sys/class/net/lo/speed').read()):
    try:
        action()
    except OSError as error:
        print(error.errno)
`,
    ])
    expect(python.output).toBe("['lo'] ['lo'] 1\n00:00:00:00:00:00 4096\n/sys/devices/virtual/net/lo True\n1\n13\n22\n")
    expect(python.wrong).toEqual([])
    const { output } = runDebian(['lscpu', '-p=CPU,CORE,SOCKET,ONLINE'])
    expect(output.trim().split('\n').at(-1)).toBe('0,0,0,Y')
  }, 120_000)
})
