/**
 * Control groups in the kernel ("Control Group v2"): its tasks are the hierarchy's threads, its scheduler is the hierarchy's,
 * and whoever needs memory is charged there. What the hierarchy asks for in turn, to freeze, to kill, to reclaim, is done here.
 */
import {
  type Group,
  type Process as GroupMember,
  Hierarchy,
  type IoOperation,
  type MemoryAccount,
  oomVictims,
} from '@vmexit/cgroup'
import type { FileSystem, Inode } from '@vmexit/vfs'
import { Code } from '../signals/queue.ts'
import { sendToProcess } from '../signals/send.ts'
import { Signal } from '../signals/set.ts'
import type { Kernel, Process } from '../system.ts'
import type { Account } from '../tasks/account.ts'
import { endProcess } from '../tasks/exit.ts'
import { WaitQueue } from '../tasks/wait-queue.ts'
import type { KernelGroups } from './hierarchy.ts'

const PAGE = 4096
/** `oom_score_adj` of whom is never killed. */
const SPARED = -1000
/** A delay of memory.high is at most so long, and shorter ones are saved up: nanoseconds. */
const LONGEST_DELAY = 2e9
const SHORTEST_DELAY = 1e7

/** The hierarchy of a kernel. */
export class ControlGroups implements KernelGroups {
  readonly tree: Hierarchy
  /** Woken when a file has changed by itself: `cgroup.events`, `memory.events`. */
  readonly changed: WaitQueue = new WaitQueue()
  /** How often each file of a group has changed, for who polls it. */
  readonly #changes = new WeakMap<object, Map<string, number>>()
  readonly #kernel: Kernel
  readonly #accounts = new WeakMap<GroupMember, Account>()
  /** File systems on block devices, by the device's number such as `8:0`: their transfers are counted, and limited by io.max. */
  readonly devices: Map<FileSystem, string> = new Map()
  /** What the current task's transfers have it wait for: nanoseconds. */
  #transfer = 0
  /** Nobody is killed for what is charged now. */
  #isSparing = false
  /** Somebody's memory is above memory.high. */
  #isPressed = false
  #delay = 0

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.tree = new Hierarchy({
      hasDevice: (device) => [...this.devices.values()].includes(device),
      kernel: {
        now: () => kernel.now,
        changed: (group, file) => this.#tell(group, file),
        freeze: (member, frozen) => this.#freeze(member, frozen),
        kill: (member) => this.#kill(member),
        reclaim: (memory, bytes) => this.#reclaim(memory, bytes),
        outOfMemory: (memory) => this.#outOfMemory(memory),
      },
    })
  }

  /** Whom a process is charged to: its group's accounts, whichever that is at the time. */
  accountOf(member: GroupMember): Account {
    let account = this.#accounts.get(member)
    if (account === undefined) {
      account = {
        get memory() {
          return member.group.memory
        },
        withoutKill: (act) => this.#withoutKill(act),
      }
      this.#accounts.set(member, account)
    }
    return account
  }

  #withoutKill(act: () => boolean): boolean {
    this.#isSparing = true
    try {
      return act()
    } finally {
      this.#isSparing = false
    }
  }

  /** How often a file of a group has changed by itself. */
  changesOf(group: object, file: string): number {
    return this.#changes.get(group)?.get(file) ?? 0
  }

  transferred({ fs }: Inode, operation: IoOperation, bytes: number): void {
    if (this.devices.size === 0) return
    const device = this.devices.get(fs)
    const group = this.#kernel.current?.process.member.group
    if (device === undefined || group === undefined) return
    this.#transfer = Math.max(this.#transfer, group.io.charge(device, operation, bytes))
  }

  #tell(group: object, file: string): void {
    let files = this.#changes.get(group)
    if (files === undefined) {
      files = new Map()
      this.#changes.set(group, files)
    }
    files.set(file, (files.get(file) ?? 0) + 1)
    this.changed.wake()
  }

  #process(member: GroupMember): Process | undefined {
    return this.#kernel.processes.get(member.pid)
  }

  #freeze(member: GroupMember, frozen: boolean): void {
    const kernel = this.#kernel
    const proc = this.#process(member)
    if (proc === undefined) return
    proc.isFrozen = frozen
    for (const task of proc.tasks) {
      if (!frozen) {
        if (task.state === 'stopped') kernel.makeReady(task)
      } else if (task === kernel.current) task.hasWork = true
      else if (task.state === 'ready') {
        kernel.withdraw(task)
        task.state = 'stopped'
      }
    }
  }

  #kill(member: GroupMember): void {
    const proc = this.#process(member)
    if (proc !== undefined) sendToProcess(proc, { signal: Signal.SIGKILL, code: Code.SI_KERNEL })
  }

  #reclaim(memory: MemoryAccount, bytes: number): number {
    const freed = this.#kernel.pageCache.reclaim(Math.ceil(bytes / PAGE), (payer) => isWithin(payer, memory)) * PAGE
    this.#isPressed ||= memory.usage > memory.counter.high
    return freed
  }

  /** Kills whoever has most. The current task cannot end in the middle of what it does: it gets the signal. */
  #outOfMemory(memory: MemoryAccount): boolean {
    const kernel = this.#kernel
    if (this.#isSparing) return false
    // Whoever is about to end frees what he has.
    if (kernel.current?.process.pending.set.has(Signal.SIGKILL) === true) return false
    const total = kernel.frames.count
    const victims = oomVictims(memory, (member) => {
      const proc = this.#process(member)
      if (proc === undefined || proc.oomAdjustment <= SPARED || proc.status !== undefined) return -1
      const { space } = proc.leader
      return Math.max(0, space.resident + (proc.oomAdjustment * total) / 1000)
    })
    let hasEnded = false
    for (const member of victims) {
      const proc = this.#process(member)!
      if (isAbove(proc, kernel.current?.process)) this.#kill(member)
      else {
        kernel.observer?.signal?.(proc.leader, Signal.SIGKILL)
        endProcess(kernel, proc, Signal.SIGKILL)
        hasEnded = true
      }
    }
    return hasEnded
  }

  /** Behind a fault or a call of the current task: it waits for its transfers, and where its group has more than memory.high. */
  settle(): void {
    if (this.#transfer > 0) {
      this.#kernel.delay(this.#transfer)
      this.#transfer = 0
    }
    if (!this.#isPressed) return
    this.#isPressed = false
    const group: Group | undefined = this.#kernel.current?.process.member.group
    if (group === undefined) return
    const { excess } = group.memory
    if (excess <= 0) return
    // As Linux reckons: the square of the excess's share, a second per page.
    this.#delay += (excess / Math.max(PAGE, group.memory.usage - excess)) ** 2 * 1e9
    if (this.#delay < SHORTEST_DELAY) return
    const delay = Math.min(LONGEST_DELAY, this.#delay)
    this.#delay = 0
    this.#kernel.delay(delay)
  }
}

function isWithin(payer: object, memory: MemoryAccount): boolean {
  let account = payer as MemoryAccount | null
  while (account !== null) {
    if (account === memory) return true
    account = account.parent ?? null
  }
  return false
}

/** Does the end of a process end another one with it? */
function isAbove(proc: Process, other: Process | undefined): boolean {
  if (other === undefined) return false
  if (proc === other) return true
  for (let ns = other.leader.ns.pid; ns.parent !== null; ns = ns.parent) if (ns.init === proc) return true
  return false
}
