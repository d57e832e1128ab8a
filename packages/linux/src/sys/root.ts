/** The top of sysfs: what of Linux's there is in this kernel. */
import type { NetNamespace } from '../net/namespace.ts'
import { link, type ProcDirectory } from '../proc/node.ts'
import type { Kernel } from '../system.ts'
import { attribute, object } from './attribute.ts'
import { byNumber, characterClass, characterDevices, processors } from './devices.ts'
import { netClass } from './net.ts'

/** A directory that other file systems are mounted on: what is there is hidden by none of them. */
export const MOUNT_POINT: ProcDirectory = object({})
/** No block device has a node, no module is loaded, no firmware says anything. */
const NONE = object({})

/** /sys itself, with the devices of a network. */
export function rootNode(kernel: Kernel, namespace: NetNamespace): ProcDirectory {
  const net = netClass(kernel, namespace)
  const root = object({
    block: NONE,
    bus: object({
      cpu: object({
        devices: object({ cpu0: link(() => '../../../devices/system/cpu/cpu0') }),
        drivers: NONE,
      }),
    }),
    class: object({ block: NONE, mem: characterClass('mem'), net: net.links, tty: characterClass('tty') }),
    dev: object({ block: NONE, char: byNumber() }),
    devices: object({
      system: object({ cpu: processors() }),
      virtual: object({ mem: characterDevices('mem'), net: net.devices, tty: characterDevices('tty') }),
    }),
    firmware: NONE,
    fs: object({ cgroup: MOUNT_POINT }),
    kernel: object({
      fscaps: attribute(() => '1'),
      mm: object({
        transparent_hugepage: object({
          defrag: attribute(() => 'always defer defer+madvise madvise [never]'),
          enabled: attribute(() => 'always madvise [never]'),
          shmem_enabled: attribute(() => 'always within_size advise [never] deny force'),
        }),
      }),
      uevent_seqnum: attribute(() => '0'),
    }),
    module: NONE,
  })
  return { ...root, mode: 0o555 }
}
