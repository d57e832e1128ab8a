/** The processor and the character devices of sysfs (Linux's Documentation/ABI/testing/sysfs-devices-system-cpu, devices.txt). */
import { link, type ProcDirectory, type ProcNode } from '../proc/node.ts'
import { attribute, object, uevent } from './attribute.ts'

/** Classes with their devices: names, numbers, and the mode that udev(7) gives their nodes. */
// biome-ignore format: a table
const DEVICES: readonly (readonly [type: string, name: string, major: number, minor: number, mode?: string])[] = [
  ['mem', 'null', 1, 3, '0666'], ['mem', 'zero', 1, 5, '0666'], ['mem', 'full', 1, 7, '0666'],
  ['mem', 'random', 1, 8, '0666'], ['mem', 'urandom', 1, 9, '0666'],
  ['tty', 'tty', 5, 0, '0666'], ['tty', 'console', 5, 1], ['tty', 'ptmx', 5, 2, '0666'],
]

/** Directories of a class's devices, below devices/virtual. */
export function characterDevices(type: string): ProcDirectory {
  return ofDevices(type, (name, major, minor, mode) =>
    object({
      dev: attribute(() => `${major}:${minor}`),
      subsystem: link(() => `../../../../class/${type}`),
      uevent: uevent(() => [
        ...[`MAJOR=${major}`, `MINOR=${minor}`, `DEVNAME=${name}`],
        ...(mode === undefined ? [] : [`DEVMODE=${mode}`]),
      ]),
    }),
  )
}

/** The class: links to them. */
export function characterClass(type: string): ProcDirectory {
  return ofDevices(type, (name) => link(() => `../../devices/virtual/${type}/${name}`))
}

function ofDevices(
  type: string,
  node: (name: string, major: number, minor: number, mode?: string) => ProcNode,
): ProcDirectory {
  const ofType = DEVICES.filter(([own]) => own === type)
  return object(Object.fromEntries(ofType.map(([, ...device]) => [device[0], node(...device)])))
}

/** dev/char: the same by number. */
export function byNumber(): ProcDirectory {
  return object(
    Object.fromEntries(
      DEVICES.map(([type, name, major, minor]) => [
        `${major}:${minor}`,
        link(() => `../../devices/virtual/${type}/${name}`),
      ]),
    ),
  )
}

/** devices/system/cpu: there is one, with one core and one thread. */
export function processors(): ProcDirectory {
  const value = (text: string) => attribute(() => text)
  const alone = (name: string): Record<string, ProcNode> => ({ [name]: value('1'), [`${name}_list`]: value('0') })
  return object({
    cpu0: object({
      subsystem: link(() => '../../../../bus/cpu'),
      topology: object({
        ...{ core_id: value('0'), physical_package_id: value('0') },
        ...{ ...alone('core_cpus'), ...alone('core_siblings'), ...alone('package_cpus'), ...alone('thread_siblings') },
      }),
      uevent: uevent(() => []),
    }),
    isolated: value(''),
    kernel_max: value('0'),
    offline: value(''),
    online: value('0'),
    possible: value('0'),
    present: value('0'),
    uevent: uevent(() => []),
  })
}
