/** /proc/sys/net: what of the network can be set and read (proc(5), ip(7)). */
import type { Kernel } from '../system.ts'
import { directory, file, type ProcDirectory, type ProcFile } from './node.ts'

/** The directory; it shows the network of who looks. */
export function netSysctl(kernel: Kernel): ProcDirectory {
  const namespace = () => (kernel.current ?? kernel).ns.net
  const number = (get: () => number, set: (value: number) => void, most: number): ProcFile => ({
    kind: 'file',
    mode: 0o644,
    text: () => `${get()}\n`,
    write(text) {
      const value = Number(text.trim())
      if (!/^\d+$/.test(text.trim()) || value > most) return -22 // EINVAL
      set(value)
      return 0
    },
  })
  const forwarding = number(
    () => Number(namespace().stack.forwarding),
    (value) => {
      namespace().stack.forwarding = value !== 0
    },
    1,
  )
  const ports = number(
    () => namespace().privilegedPorts,
    (value) => {
      namespace().privilegedPorts = value
    },
    65_536,
  )
  return directory({
    core: directory({
      somaxconn: file(() => '4096\n'),
      rmem_default: file(() => '212992\n'),
      rmem_max: file(() => '212992\n'),
      wmem_default: file(() => '212992\n'),
      wmem_max: file(() => '212992\n'),
    }),
    ipv4: directory({
      ip_forward: forwarding,
      ip_unprivileged_port_start: ports,
      ip_local_port_range: file(() => '32768\t60999\n'),
      ip_default_ttl: file(() => '64\n'),
      ping_group_range: file(() => '0\t2147483647\n'),
      tcp_fin_timeout: file(() => '60\n'),
      tcp_syncookies: file(() => '0\n'),
    }),
    unix: directory({ max_dgram_qlen: file(() => '10\n') }),
  })
}
