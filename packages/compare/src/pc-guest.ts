/** What PCs of a comparison are and boot: a kernel, the workloads in an initramfs, and on its command line which of them run. */
import { type CpioEntry, concatenateArchives, writeCpio } from '@vmexit/boot'
import { readProgram, workloadInitramfs } from '@vmexit/guests'
import type { PcHardware } from '@vmexit/vmexit'
import { trueProgram, waitingProgram } from './start/programs.ts'
import type { Kernel } from './technique.ts'
import type { Workload } from './workload.ts'

/**
 * A virtual second has as many instructions as the processors of the profiles have cycles: a tick of the kernel's timer comes every
 * forty million, and next to never while a slope is taken. `random` alone wants 32 MiB.
 */
export const HARDWARE_OF_ALL: PcHardware = {
  memory: '64 MiB',
  frequency: 4_000_000_000,
  interruptController: 'pic',
  display: 'none',
}
/** RAM of a guest that has a busybox and its kernel's modules in it beside the workloads. */
export const MEMORY_WITH_MODULES = '128 MiB'
/**
 * A file that lies about, so that the kernel gives out memory behind the first 2 MiB. These hold the hole for displays and
 * ROMs, and are never one large page.
 */
const BALLAST = { kind: 'file', mode: 0o644, path: 'ballast', bytes: new Uint8Array(2 << 20) } as const
/**
 * The command line of a Linux: no mitigations, whose figures differ from one CPU model to the next, and addresses that stay. Self-tests
 * of ciphers are two thirds of a boot.
 */
const LINUX = 'console=ttyS0 quiet norandmaps mitigations=off cryptomgr.notests'
const EXECUTABLE = { kind: 'file', mode: 0o755 } as const

/** What a PC boots. */
export type Guest =
  | { readonly kernel: Uint8Array; readonly initrd: Uint8Array; readonly append: string }
  | {
      readonly multiboot: Uint8Array
      readonly modules: readonly { readonly bytes: Uint8Array }[]
      readonly append: string
    }

/** A kernel whose init runs `runs`, `NAME:COUNT` each. */
export function workloadGuest(kernel: Kernel, workloads: readonly Workload[], runs: readonly string[]): Guest {
  const entries = workloads.map(({ name, image }) => ({ ...EXECUTABLE, path: `bin/${name}`, bytes: image() }))
  return guestOf(kernel, workloadInitramfs({ programs: [], entries: [BALLAST, ...entries] }), runs)
}

/** A kernel whose first program waits until it was seen, and is then init, which runs one that ends at once. */
export function startGuest(kernel: Kernel): StartGuest {
  const archive = writeCpio([
    ...startPrograms(''),
    { kind: 'character', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    BALLAST,
  ])
  const imageBytes = kernel.image.length + archive.length - BALLAST.bytes.length
  return { boots: guestOf(kernel, archive, ['true']), imageBytes }
}

/** What a start is measured with. */
export interface StartGuest {
  readonly boots: Guest
  /** Of what one starts from, without the file that only lies about. */
  readonly imageBytes: number
}

function startPrograms(folder: string): readonly CpioEntry[] {
  return [
    { ...EXECUTABLE, path: `${folder}init`, bytes: waitingProgram('/real') },
    { ...EXECUTABLE, path: `${folder}real`, bytes: readProgram('init') },
    { ...EXECUTABLE, path: `${folder}bin/true`, bytes: trueProgram() },
  ]
}

function guestOf(kernel: Kernel, archive: Uint8Array, runs: readonly string[]): Guest {
  return kernel.protocol === 'linux'
    ? { kernel: kernel.image, initrd: archive, append: `${LINUX} -- ${runs.join(' ')}` }
    : { multiboot: kernel.image, modules: [{ bytes: archive }], append: `${kernel.name} -- ${runs.join(' ')}` }
}

/**
 * The first process of a guest that makes a container by its kernel's own means, as runc does: an overlay over the workloads, a control
 * group with the controllers that limit, and namespaces, in which init is the first process again. What init's power-off ends there
 * is the container; the guest's follows.
 */
const CONTAINER = `#!/bin/sh
set -e
mount -t proc proc /proc
mount -t sysfs sysfs /sys
modprobe overlay
mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo '+cpu +memory +pids' > /sys/fs/cgroup/cgroup.subtree_control
echo @@contain
mkdir -p /sys/fs/cgroup/container /layer /merged
mount -t tmpfs tmpfs /layer
mkdir /layer/upper /layer/work
mount -t overlay -o lowerdir=/image,upperdir=/layer/upper,workdir=/layer/work overlay /merged
echo $$ > /sys/fs/cgroup/container/cgroup.procs
unshare -m -u -i -n -p -f chroot /merged /init "$@" || true
read peak < /sys/fs/cgroup/container/memory.peak
echo @@peak $peak
poweroff -f
`

/** What it says when the guest is ready, and it begins to make the container. */
export const CONTAINED = '@@contain\r\n'
/** Where it says what its container was charged at most: bytes. */
export const PEAK: RegExp = /@@peak ([0-9]{1,12})\r\n/

/** Why a kernel has no container of its own here; undefined where it has. */
export function refusesContainer({ name, protocol, initramfs }: Kernel): string | undefined {
  return protocol === 'linux' && initramfs !== undefined
    ? undefined
    : `the kernel ${name} has no containers of its own here, which takes Linux with an initramfs of its modules`
}

/** The same, in a container that the guest makes. @throws RangeError on a kernel that {@link refusesContainer}. */
export function containerGuest(kernel: Kernel, workloads: readonly Workload[], runs: readonly string[]): Guest {
  return containing(kernel, runs, [
    { ...EXECUTABLE, path: 'image/init', bytes: readProgram('init') },
    ...workloads.map(({ name, image }) => ({ ...EXECUTABLE, path: `image/bin/${name}`, bytes: image() })),
  ])
}

/** The first program of a container in a guest waits, and so on. One starts from what is in the container. */
export function containedStart(kernel: Kernel): StartGuest {
  const programs = startPrograms('image/')
  return { boots: containing(kernel, ['true'], programs), imageBytes: trueProgram().length }
}

function containing(kernel: Kernel, runs: readonly string[], image: readonly CpioEntry[]): Guest {
  if (kernel.initramfs === undefined) throw new RangeError(refusesContainer(kernel))
  const script = { ...EXECUTABLE, path: 'contain', bytes: new TextEncoder().encode(CONTAINER) }
  const own = workloadInitramfs({ programs: [], entries: [BALLAST, script, ...image] })
  const initrd = concatenateArchives(kernel.initramfs, own)
  return { kernel: kernel.image, initrd, append: `rdinit=/contain ${LINUX} -- ${runs.join(' ')}` }
}
