/**
 * The control group of a container ("Control Group v2"). It is two: limits are set on an outer one, and again on an inner one, which
 * holds the processes and is all that they see of the hierarchy. So one whose root may write its own files may lower its limits,
 * and raise them, and never has more than the outer one says.
 */
import { type Group, type Hierarchy, MemoryKind } from '@vmexit/cgroup'
import type { LinuxKernel } from '@vmexit/linux'
import { type ChargeKind, type Charges, Errno, errnoName } from '@vmexit/vfs'
import { containerError } from './errors.ts'

/** How much a container may have at most; what is not stated has no limit. */
export interface Limits {
  /** Bytes, or with `K`, `M`, `G`, `KiB`, `MiB`, `GiB`: programs, page tables, files that it makes, buffers. */
  readonly memory?: number | string
  /** Processes and threads. */
  readonly pids?: number
  /** Parts of the CPU, of which there is one: 0.5 is every second instruction. */
  readonly cpus?: number
  /** Its part of the CPU where other containers of the host want it too: 1 to 10000, 100 unless stated. */
  readonly weight?: number
}

/** A file of a group, and what is written to it. */
export type GroupFile = readonly [file: string, text: string]

/** `cpu.max` counts in this time: microseconds. */
const PERIOD = 100_000
const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }
/** What Linux's slab takes for an inode of tmpfs with its entry: bytes. */
const INODE_BYTES = 1024

/** The two groups of one container. */
export class ContainerGroup {
  readonly #kernel: Kernel
  readonly #outer: Group
  /** Where its processes are. */
  readonly inner: Group

  /** `further` files are written as they are. @throws VmexitError `container-options`. */
  constructor(kernel: Kernel, name: string, limits: Limits, further: readonly GroupFile[] = []) {
    this.#kernel = kernel
    const files = [...filesOf(limits), ...further]
    const { tree } = kernel.groups
    tree.write(tree.root, 'cgroup.subtree_control', '+cpu +memory +pids')
    this.#outer = made(tree, tree.root, name)
    tree.write(this.#outer, 'cgroup.subtree_control', '+cpu +memory +pids')
    try {
      this.inner = made(tree, this.#outer, 'container')
    } catch (error) {
      tree.rmdir(this.#outer)
      throw error
    }
    for (const [file, text] of files) {
      const answers = [this.#outer, this.inner].map((group) => tree.write(group, file, text))
      const wrong = answers.find((answer) => answer < 0)
      if (wrong === undefined) continue
      this.remove()
      containerError('options', `${file} of its group cannot be ${text} (${errnoName(wrong)})`, 'give another limit')
    }
  }

  /** All that runs in it stands still, or goes on. */
  set isFrozen(frozen: boolean) {
    this.#kernel.groups.tree.write(this.#outer, 'cgroup.freeze', frozen ? '1' : '0')
  }
  get isFrozen(): boolean {
    return this.#outer.freeze
  }

  /** Calls back when processes of it have been killed for want of memory; answers what ends that. */
  onOutOfMemory(killed: () => void): () => void {
    const { changed } = this.#kernel.groups
    const { events } = this.#outer.memory
    let before = events.oom_kill
    // (It sleeps on: whoever wakes the queue wakes all of it.)
    const sleeper = {
      queues: [],
      wake: () => {
        if (events.oom_kill === before) return
        before = events.oom_kill
        killed()
      },
    }
    changed.add(sleeper)
    return () => changed.remove(sleeper)
  }

  /** Nanoseconds of the CPU that its programs have had. */
  get cpuTime(): number {
    const { user, system } = this.#outer.totalCpuTime()
    return user + system
  }

  /** Gives back what is cached for it alone, and ends. Its processes have ended before. What it has read of layers stays for whoever comes next. */
  remove(): void {
    const { groups, pageCache } = this.#kernel
    const { memory } = this.#outer
    pageCache.reclaim(Number.POSITIVE_INFINITY, (payer) => isWithin(payer, memory), true)
    const remove = (group: Group): void => {
      for (const child of [...group.children.values()]) remove(child)
      groups.tree.rmdir(group)
    }
    remove(this.#outer)
  }
}

type Kernel = Pick<LinuxKernel, 'groups' | 'pageCache'>

/** All files that a container has in memory are paid by its group, whoever makes them, and as long as it lives. */
export class GroupCharges implements Charges {
  readonly errno: number = Errno.ENOMEM
  readonly #memory: Group['memory']
  readonly #paid: Record<ChargeKind, number> = { bytes: 0, inodes: 0 }
  #isOver = false

  constructor(group: Group) {
    this.#memory = group.memory
  }
  charge(kind: ChargeKind, amount: number): boolean {
    if (this.#isOver) return true
    if (!this.#memory.charge(bytesOf(kind, amount), kindOf(kind))) return false
    this.#paid[kind] += amount
    return true
  }
  release(kind: ChargeKind, amount: number): void {
    if (this.#isOver) return
    this.#memory.uncharge(bytesOf(kind, amount), kindOf(kind))
    this.#paid[kind] -= amount
  }
  /** The files are gone. */
  releaseAll(): void {
    for (const kind of ['bytes', 'inodes'] as const) this.release(kind, this.#paid[kind])
    this.#isOver = true
  }
}

function bytesOf(kind: ChargeKind, amount: number): number {
  return kind === 'bytes' ? amount : amount * INODE_BYTES
}
function kindOf(kind: ChargeKind): MemoryKind {
  return kind === 'bytes' ? MemoryKind.shmem : MemoryKind.slabReclaimable
}

function made(tree: Hierarchy, parent: Group, name: string): Group {
  const group = tree.mkdir(parent, name)
  if (typeof group !== 'number') return group
  const why = `no control group ${name} can be made (${errnoName(group)})`
  return containerError('options', why, group === -Errno.EEXIST ? 'give another name' : 'end other containers')
}

/** Files of the group, and what they are to say. */
function filesOf({ memory, pids, cpus, weight }: Limits): (readonly [file: string, text: string])[] {
  const files: (readonly [string, string])[] = []
  if (memory !== undefined) files.push(['memory.max', String(bytes(memory))])
  if (pids !== undefined) {
    if (!Number.isInteger(pids) || pids < 1)
      containerError('options', `${pids} processes are no limit`, 'give a whole number from 1 on')
    files.push(['pids.max', String(pids)])
  }
  if (cpus !== undefined) {
    if (!(cpus >= 0.01 && cpus <= 1024))
      containerError('options', `${cpus} CPUs are no limit`, 'give a number from 0.01 on, such as 0.5')
    files.push(['cpu.max', `${Math.round(cpus * PERIOD)} ${PERIOD}`])
  }
  if (weight !== undefined) {
    if (!(Number.isInteger(weight) && weight >= 1 && weight <= 10_000))
      containerError('options', `${weight} is no weight`, 'give a whole number from 1 to 10000; 100 is the usual one')
    files.push(['cpu.weight', String(weight)])
  }
  return files
}

function bytes(size: number | string): number {
  const [, digits, unit = ''] = /^([0-9]+(?:\.[0-9]+)?)\s*([kmgb]?)(?:i?b)?$/i.exec(String(size)) ?? []
  const count = Math.floor(Number(digits ?? Number.NaN) * (UNITS[unit.toLowerCase()] ?? Number.NaN))
  if (count >= 4096 && count <= Number.MAX_SAFE_INTEGER) return count
  return containerError('options', `${size} is no limit of memory`, 'give 4096 bytes at least, as in 64M')
}

function isWithin(payer: object, memory: Group['memory']): boolean {
  for (let at = payer as Group['memory'] | null; at !== null; at = at.parent ?? null) if (at === memory) return true
  return false
}
