/**
 * The kernel: who has the CPU, what user code comes to it for, and time.
 *
 * A handler runs to its end, in the middle of `Cpu.run`. One that must wait answers BLOCK: its task leaves the CPU, the next
 * one takes it in the same run, and the call is made again from its beginning when the task is woken. So nothing awaits,
 * and generated code is not left for a switch of tasks.
 */

import type { Pick as Turn } from '@vmexit/cgroup'
import { type FileSystem, type Inode, type MountTree, type Path, type TimeSource, TmpFs, Vfs } from '@vmexit/vfs'
import { type Cpu, type CpuEvent, Gpr, type RingZero, Vector } from '@vmexit/x86'
import { Refused } from './abi/decoders.ts'
import { i386 } from './abi/i386/table.ts'
import type { CallTable } from './abi/table.ts'
import { fileSystemGone, TmpFsCharges } from './cgroups/charges.ts'
import { ControlGroups } from './cgroups/groups.ts'
import { Answer, Errno } from './errno.ts'
import { openSpecial } from './files/devices.ts'
import { Machine, type MachineOptions } from './machine.ts'
import { type AddressSpace, Fault } from './memory/address-space.ts'
import { PageCache } from './memory/file-pages.ts'
import { type Frames, PAGE } from './memory/frames.ts'
import { BAD_ADDRESS, PAGE_PENDING, UserMemory } from './memory/user-memory.ts'
import { firstNamespaces } from './namespaces/first.ts'
import type { UserNamespace } from './namespaces/user.ts'
import type { NetNamespace } from './net/namespace.ts'
import { Network } from './net/network.ts'
import { callEnds, stopsAtEntry, stopsInCall } from './ptrace/stops.ts'
import { Random } from './random.ts'
import { enforce } from './seccomp/enforce.ts'
import { deliverSignals } from './signals/deliver.ts'
import { signalOfFault, signalOfTrap } from './signals/faults.ts'
import { Code } from './signals/queue.ts'
import { alarmFired, sendToProcess } from './signals/send.ts'
import { Signal } from './signals/set.ts'
import type { CallObserver, Kernel, Process, Task } from './system.ts'
import { tellOfFileSize } from './tasks/apply-limit.ts'
import { Futexes } from './tasks/futex.ts'
import type { Namespaces } from './tasks/namespaces.ts'
import { reloadTls } from './tasks/segments.ts'
import { type Spawn, spawn } from './tasks/spawn.ts'
import { Timer, Timers } from './tasks/timers.ts'
import type { WaitQueue } from './tasks/wait-queue.ts'
import { WallClock } from './tasks/wall-clock.ts'

/** What a kernel is made with. */
export interface KernelOptions extends MachineOptions {
  /** The file system at the root; an empty tmpfs unless stated. Give it the `time` of the kernel by a function. */
  readonly root?: FileSystem | ((time: TimeSource) => FileSystem)
  /** What /dev/urandom and AT_RANDOM come from. 1 unless stated. */
  readonly seed?: number
  /** Seconds since 1970 at the start. 2023-11-14 22:13:20 UTC unless stated. */
  readonly epoch?: number
  readonly hostname?: string
}

/** Why {@link LinuxKernel.step} returned: `idle` until `LinuxKernel.timers.next`, or until something comes from outside. */
export type StepOutcome = 'budget' | 'idle' | 'ended'

/** Instructions after which another task has its turn. */
const QUANTUM = 1_000_000
/** What is not due yet by CPU time cuts no turn shorter: a timer that ends each nanosecond must not hold up whoever else is here. */
const SHORTEST_TURN = 1000
/** What a task that slept may run ahead of others, in instructions. */
const BONUS = 500_000
/** What the current task must have run more than one that is woken, for that one to take the CPU from it: less than the bonus of a sleeper. */
const PREEMPTION = 250_000
/** A call that a tracer has taken away. */
const NO_CALL = -1
/** Frames that the page cache gives up at a time where there are none left. */
const RECLAIMED = 64
/** INT 80h. */
const CALL_VECTOR = 0x80

/** A kernel and its machine. `createKernel` makes one. */
export class LinuxKernel implements Kernel, RingZero {
  readonly machine: Machine
  readonly cpu: Cpu
  readonly frames: Frames
  readonly pageCache: PageCache
  readonly memory: UserMemory
  readonly vfs: Vfs
  readonly tree: MountTree
  readonly ns: Namespaces<Task>
  readonly network: Network
  readonly random: Random
  readonly groups: ControlGroups
  readonly fileSystemOwners: WeakMap<FileSystem, UserNamespace> = new WeakMap()
  readonly timers: Timers = new Timers()
  readonly futexes: Futexes = new Futexes()
  readonly processes: Map<number, Process> = new Map()
  /** Pipes of FIFOs, by inode: see `files/fifo.ts`. */
  readonly fifos: Map<Inode, unknown> = new Map()
  readonly calls: CallTable = i386
  /** Calls so far, by number. */
  readonly callCounts: Float64Array = new Float64Array(512)
  /** What happened, beside what the CPU counts. `pages`: faults behind which the program went on. */
  readonly counts = { switches: 0, faults: 0, pages: 0, signals: 0, forks: 0, execs: 0 }
  observer: CallObserver | undefined = undefined
  /** CLOCK_REALTIME, as file systems take it. */
  readonly time: WallClock
  /** Whoever has the CPU. */
  current: Task | undefined = undefined
  /** The current task gives way behind its call. */
  yieldsAfter = false
  /** The call in progress must not wait. */
  nonBlocking = false
  /** Ends the wait of those whose quota is used up. */
  readonly #refill = new Timer(() => {})
  readonly #tlb
  readonly #args = new Int32Array(6)
  /** Ticks that nobody ran. */
  #idleTicks = 0
  #quantumEnd = 0
  /** Who is picked, and has not got the CPU yet. */
  #turn: Turn | undefined = undefined
  /** When the current task took the CPU. */
  #turnStart = 0
  #started = false
  /** Somebody who is owed the CPU has been woken: the current task gives way behind its call. */
  #isPreempted = false
  #anonymousInodes = 1

  constructor(options: KernelOptions) {
    this.machine = new Machine(options, () => this.ticks)
    this.cpu = this.machine.cpu
    this.frames = this.machine.frames
    this.pageCache = new PageCache(this.frames, (inode, bytes) => this.groups.transferred(inode, 'read', bytes))
    this.frames.reclaim = () => this.pageCache.reclaim(RECLAIMED, () => true) > 0
    this.memory = new UserMemory(this.cpu.paging, this.machine.memory)
    this.groups = new ControlGroups(this)
    this.random = new Random(options.seed ?? 1)
    this.time = new WallClock(() => this.now, options.epoch ?? 1_700_000_000)
    this.#tlb = {
      invalidate: (linear: number) => this.cpu.paging.invalidate(linear),
      flush: () => this.machine.loadRoot(this.memory.space.table.root),
    }
    this.vfs = new Vfs({
      time: this.time,
      hooks: {
        openSpecial: (inode, flags, path: Path) => openSpecial(this, inode, flags, path),
        unmounted: fileSystemGone,
      },
    })
    const { root } = options
    const fs =
      typeof root === 'function'
        ? root(this.time)
        : (root ?? new TmpFs({ time: this.time, charges: new TmpFsCharges(this) }))
    this.tree = this.vfs.newTree(fs, 'root')
    this.network = new Network(this, options.seed ?? 1)
    const first = (owner: UserNamespace): NetNamespace => this.network.newNamespace(owner, true)
    this.ns = firstNamespaces(options.hostname ?? 'vmexit', this.tree, this.groups.tree.root, first)
    this.timers.onEarlier = (when) => {
      const ticks = when - this.now
      if (this.current !== undefined) this.cpu.shorten(Math.max(0, ticks))
    }
  }

  // ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Instructions retired, and those that could have been while nobody ran. */
  get ticks(): number {
    return this.cpu.retired + this.#idleTicks
  }
  /** Virtual nanoseconds since the start: a tick is one. */
  get now(): number {
    return this.ticks
  }
  /** Lets time pass while nobody runs: to `when`, virtual nanoseconds. */
  skipTo(when: number): void {
    if (when > this.now) this.#idleTicks += Math.ceil(when) - this.now
  }

  nextAnonymousInode(): number {
    return this.#anonymousInodes++
  }
  /** The TLB as address spaces see it. */
  get tlb(): { invalidate(linear: number): void; flush(): void } {
    return this.#tlb
  }

  // ── Programs from outside ───────────────────────────────────────────────────────────────────────────────────────

  /** Starts a program. @throws VmexitError `exec-failed`. */
  spawn(program: Spawn): Process {
    return spawn(this, program)
  }

  /** A signal from outside, as kill(2) sends it: the first process of a pid namespace gets SIGKILL and SIGSTOP, too. */
  signal(proc: Process, signal: number): void {
    sendToProcess(proc, { signal, code: Code.SI_KERNEL })
  }

  /** Runs at most so many instructions. Where it stops is invisible to programs. */
  step(instructions: number): StepOutcome {
    if (!this.#started) return 'ended'
    const end = this.cpu.retired + instructions
    for (;;) {
      this.timers.run(this.now)
      if (this.cpu.retired >= this.#quantumEnd && this.current !== undefined) this.#yield()
      if (!this.#settle()) return this.processes.size === 0 ? 'ended' : 'idle'
      const { retired } = this.cpu
      if (retired >= end) return 'budget'
      const budget = Math.min(end - retired, this.#quantumEnd - retired, this.timers.next - this.now)
      this.cpu.run(Math.max(1, Math.ceil(budget)))
    }
  }

  /** Runs until all programs have ended, or wait for what can only come from outside. Idle time passes at once. */
  runToEnd(mostInstructions: number = Number.POSITIVE_INFINITY): StepOutcome {
    const end = this.cpu.retired + mostInstructions
    while (this.cpu.retired < end) {
      const outcome = this.step(Math.min(end - this.cpu.retired, 1e9))
      if (outcome === 'ended') return outcome
      if (outcome === 'idle') {
        const { next } = this.timers
        if (next === Number.POSITIVE_INFINITY) return 'idle'
        this.skipTo(next)
      }
    }
    return 'budget'
  }

  // ── Switching ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** A task can go on. */
  makeReady(task: Task): void {
    if (isHeld(task)) {
      task.state = 'stopped'
      return
    }
    task.state = 'ready'
    if (task === this.current) return
    const { scheduler } = this.groups.tree
    scheduler.wake(task.thread, BONUS)
    if (this.current === undefined || this.#isPreempted) return
    this.#account()
    this.#isPreempted = scheduler.preempts(task.thread, this.current.thread, PREEMPTION)
  }

  /** The current task gives the CPU up, and stays ready. */
  #yield(): void {
    const task = this.current!
    const { scheduler } = this.groups.tree
    if (task.process.cpuTimers !== undefined) {
      this.#account()
      task.process.cpuTimers.run(task)
    }
    this.#account()
    scheduler.put(task.thread)
    this.#turn = scheduler.pick()
    if (this.#turn?.thread === task.thread) {
      this.#begins(this.#turn)
      return
    }
    task.registers.save(this.cpu.state)
    this.current = undefined
  }

  /** The turn of the current task begins: until the quantum ends, a quota, or a timer by CPU time. */
  #begins(turn: Turn): void {
    this.#turn = undefined
    this.#turnStart = this.cpu.retired
    this.#quantumEnd = this.cpu.retired + Math.max(1, Math.min(QUANTUM, turn.until, this.#cpuTimeLeft()))
    // (In a call, the CPU runs already, for as long as somebody else's turn was to last.)
    this.cpu.shorten(this.#quantumEnd - this.cpu.retired)
  }

  /** Instructions until a timer by CPU time is looked at, if the current task runs on. */
  #cpuTimeLeft(): number {
    const task = this.current!
    const due = Math.ceil(task.process.cpuTimers?.dueIn(task) ?? Number.POSITIVE_INFINITY)
    return due <= 0 ? 1 : Math.max(SHORTEST_TURN, due)
  }

  shortenTurn(): void {
    if (this.current === undefined) return
    this.#account()
    const left = this.#cpuTimeLeft()
    if (this.cpu.retired + left >= this.#quantumEnd) return
    this.#quantumEnd = this.cpu.retired + left
    this.cpu.shorten(left)
  }

  /** sched_yield(2): whoever is ready runs before the task does again. */
  #letOthers(task: Task): void {
    const { thread } = task
    const { first } = thread.account.queue
    if (first !== undefined) thread.vruntime = Math.max(thread.vruntime, first.vruntime + 1)
    this.#yield()
  }

  /** Charges the current task for what it ran. */
  #account(): void {
    const task = this.current!
    const ran = this.cpu.retired - this.#turnStart
    this.#turnStart += ran
    task.ticks += ran
    task.process.times.user += ran
    if (ran > 0) this.groups.tree.scheduler.charge(task.thread, ran)
  }

  /** Instructions of a task until now. */
  ticksOf(task: Task): number {
    if (task === this.current) this.#account()
    return task.ticks
  }

  /** The current task waits: BLOCK, or the answer of a call that must not wait or that a signal interrupts. */
  block(queue: WaitQueue | undefined, interrupted: number = Answer.RESTART): number {
    const task = this.current!
    if (this.nonBlocking) return -Errno.EAGAIN
    if (task.hasSignal && !task.isUninterruptible) return interrupted
    queue?.add(task)
    return Answer.BLOCK
  }

  /** The same until a time at the latest; the caller looks whether it has come. */
  blockUntil(deadline: number, queue: WaitQueue | undefined, interrupted: number = Answer.RESTART): number {
    const answer = this.block(queue, interrupted)
    if (answer === Answer.BLOCK && deadline !== Number.POSITIVE_INFINITY) this.timers.set(this.current!.sleep, deadline)
    return answer
  }

  /** The current task leaves the CPU, its registers being kept. */
  #park(task: Task): void {
    this.#account()
    task.registers.save(this.cpu.state)
    task.state = 'blocked'
    this.groups.tree.scheduler.sleep(task.thread)
    this.current = undefined
  }

  /** The current task goes on after a while. */
  delay(nanoseconds: number): void {
    const task = this.current
    if (task === undefined || task.state !== 'ready' || task.inCall || task.hasSignal) return
    this.timers.set(task.sleep, this.now + nanoseconds)
    this.#park(task)
  }

  /** A task is no longer to run. */
  withdraw(task: Task): void {
    if (task === this.current) this.#account()
    this.groups.tree.scheduler.sleep(task.thread)
    for (const queue of task.queues) queue.remove(task)
    task.queues.length = 0
    this.timers.cancel(task.sleep)
    if (task === this.current) {
      task.registers.save(this.cpu.state)
      this.current = undefined
    }
  }

  /** Gives the CPU an address space. */
  loadSpace(task: Task): void {
    const { space } = task
    const before = this.memory.space
    if (before === space && space.loaded) return
    if (before !== undefined) before.loaded = false
    space.loaded = true
    this.memory.space = space
    if (this.#started) this.machine.loadRoot(space.table.root)
    else {
      this.#started = true
      this.machine.start(space.table.root, this)
    }
  }

  /** The address space that the CPU has is about to end. */
  spaceGone(space: AddressSpace): void {
    if (this.memory.space === space) this.memory.space = undefined as never
  }

  /** Takes a task to the CPU as it stands: the first of a program that was started from outside. */
  adopt(task: Task): void {
    const { scheduler } = this.groups.tree
    if (this.current !== undefined) {
      this.#account()
      this.current.registers.save(this.cpu.state)
      scheduler.put(this.current.thread)
    }
    this.current = task
    scheduler.wake(task.thread)
    const turn = scheduler.pick(undefined, (thread) => thread === task.thread)
    this.#begins(turn ?? { thread: task.thread, until: 1 })
    task.identify()
    this.loadSpace(task)
    this.machine.loadTls(task.tls)
  }

  /** Sees to it that a task has the CPU and can go on in user code. False where none can. */
  #settle(): boolean {
    for (;;) {
      const task = this.current ?? this.#next()
      if (task === undefined) return false
      if (!task.thread.running || (task.process.isFrozen && isHeld(task) && !task.inCall)) {
        this.#putAside(task)
        continue
      }
      if (task.inCall) {
        if (task.entry === undefined) this.#invoke(task)
        else this.#enterLate(task, task.entry)
        this.groups.settle()
      } else if (this.yieldsAfter) {
        this.yieldsAfter = false
        this.#letOthers(task)
      } else if (this.#isPreempted) {
        this.#isPreempted = false
        this.#yield()
      } else if (task.hasWork) {
        task.hasWork = false
        deliverSignals(this, task)
      } else return true
    }
  }

  /** A task that has the CPU and must not run: its quota is used up, or its group is frozen. */
  #putAside(task: Task): void {
    this.#account()
    task.registers.save(this.cpu.state)
    task.hasWork = true
    this.current = undefined
    if (!isHeld(task)) return
    this.groups.tree.scheduler.sleep(task.thread)
    task.state = 'stopped'
  }

  #next(): Task | undefined {
    this.#isPreempted = false
    const { scheduler } = this.groups.tree
    const turn = this.#turn ?? scheduler.pick()
    if (turn === undefined) {
      if (scheduler.due < Number.POSITIVE_INFINITY) this.timers.set(this.#refill, scheduler.due)
      return undefined
    }
    const task = this.ns.pid.tasks.get(turn.thread.tid)!
    this.counts.switches++
    this.current = task
    this.#begins(turn)
    task.identify()
    this.machine.loadTls(task.tls)
    this.loadSpace(task)
    task.registers.load(this.cpu.state)
    this.cpu.events.modeChanged()
    if (task.hasStaleTls) {
      task.hasStaleTls = false
      reloadTls(this, task)
    }
    return task
  }

  // ── Into the kernel ─────────────────────────────────────────────────────────────────────────────────────────────

  /** See `RingZero`. */
  enter(event: CpuEvent): boolean {
    const task = this.current!
    if (event.source === 'software' && event.vector === CALL_VECTOR) {
      task.call = this.cpu.state.reg32(Gpr.ax)
      this.#begin(task)
    } else if (event.source === 'fault' && event.vector === Vector.PF) {
      this.counts.faults++
      const address = event.address!
      const outcome =
        address < 0xc000_0000
          ? task.space.fault(Math.floor(address / PAGE), (event.errorCode! & 2) !== 0)
          : Fault.MAPPING
      if (outcome === Fault.DONE) {
        this.counts.pages++
        this.groups.settle()
        return this.current !== undefined || this.#settle()
      }
      if (outcome === Fault.BLOCK) this.#park(task)
      else signalOfFault(task, outcome, address, event.errorCode!)
    } else if (event.source === 'sysenter') {
      const { state } = this.cpu
      task.call = state.reg32(Gpr.ax)
      this.#sysenter(task)
    } else signalOfTrap(task, event)
    this.groups.settle()
    if (this.current !== undefined && !task.hasWork && !this.yieldsAfter && !this.#isPreempted) return true
    return this.#settle()
  }

  /** SYSENTER: EBP is the stack, where the sixth argument lies, and it returns behind the vDSO's instruction. */
  #sysenter(task: Task): void {
    const { state } = this.cpu
    const stack = state.reg32(Gpr.bp) >>> 0
    state.setReg32(Gpr.sp, stack)
    state.ip = task.space.vdso + this.calls.sysenterReturn
    try {
      state.setReg32(Gpr.bp, this.memory.get32(stack))
    } catch (reason) {
      if (reason !== BAD_ADDRESS) throw reason
      state.setReg32(Gpr.ax, -Errno.EFAULT)
      return
    }
    this.#begin(task)
  }

  #begin(task: Task): void {
    task.progress = 0
    task.scratch = undefined
    task.deadline = task.keptDeadline
    task.keptDeadline = Number.POSITIVE_INFINITY
    task.restart = 0
    if (task.call >= 0 && task.call < this.callCounts.length) this.callCounts[task.call]!++
    if (this.observer?.begin) this.observer.begin(task, task.call, this.#arguments())
    if (task.tracing !== undefined && stopsAtEntry(task, task.tracing)) return
    this.#admit(task)
  }

  /** A task goes on that was stopped before its call, which its tracer may have changed. */
  #enterLate(task: Task, entry: 'ask' | 'make' | 'skip'): void {
    task.inCall = false
    task.entry = undefined
    if (task.process.pending.set.has(Signal.SIGKILL)) task.hasWork = true
    else if (entry === 'skip') return
    else if (task.call === NO_CALL) {
      if (task.tracing !== undefined) callEnds(task, task.tracing, 0)
    } else if (entry === 'ask') this.#admit(task)
    else this.#invoke(task)
  }

  /** Makes a call if its task's filter lets it through. */
  #admit(task: Task): void {
    if (task.seccomp !== undefined) {
      const answer = enforce(this, task, task.seccomp, this.#arguments())
      if (answer === Answer.BLOCK) {
        this.cpu.state.setReg32(Gpr.ax, -Errno.ENOSYS)
        stopsInCall(task, task.tracing!)
        task.entry = 'make'
        return
      }
      if (answer !== undefined) {
        if (answer !== Answer.GONE) this.cpu.state.setReg32(Gpr.ax, answer)
        this.observer?.end?.(task, task.call, this.#args, answer === Answer.GONE ? undefined : answer)
        if (task.tracing !== undefined) callEnds(task, task.tracing, 0)
        return
      }
    }
    this.#invoke(task)
  }

  /** The arguments of the call that the current task is in. */
  #arguments(): Int32Array {
    const { state } = this.cpu
    const order = [Gpr.bx, Gpr.cx, Gpr.dx, Gpr.si, Gpr.di, Gpr.bp]
    for (let n = 0; n < 6; n++) this.#args[n] = state.reg32(order[n]!)
    return this.#args
  }

  /** Makes the call that a task is in, for the first time or again. */
  #invoke(task: Task): void {
    const { host, base } = this.cpu.state
    const { i32 } = host
    const at = base >> 2
    const row = this.calls.rows[task.call]
    const [bx, cx, dx, si, di, bp] = [
      i32[at + 6]!,
      i32[at + 2]!,
      i32[at + 4]!,
      i32[at + 12]!,
      i32[at + 14]!,
      i32[at + 10]!,
    ]
    this.nonBlocking = false
    let answer: number
    if (row === undefined) answer = -Errno.ENOSYS
    else {
      try {
        answer = row.run(task, bx, cx, dx, si, di, bp)
      } catch (reason) {
        if (reason === BAD_ADDRESS) answer = -Errno.EFAULT
        else if (reason instanceof Refused) answer = reason.error
        else if (reason === PAGE_PENDING) answer = Answer.BLOCK
        else throw reason
      }
    }
    if (answer === -Errno.EFBIG) tellOfFileSize(task)
    if (answer > Answer.BLOCK) {
      task.inCall = false
      this.cpu.state.setReg32(Gpr.ax, answer)
      if (this.observer?.end) this.observer.end(task, task.call, this.#arguments(), answer)
    } else if (answer === Answer.BLOCK) {
      task.inCall = true
      if (task.tracing === undefined || !stopsInCall(task, task.tracing)) this.#park(task)
      return
    } else if (answer === Answer.GONE) {
      task.inCall = false
      const answer = task.state === 'ended' ? undefined : this.cpu.state.reg32(Gpr.ax)
      this.observer?.end?.(task, task.call, this.#args, answer)
    } else {
      task.inCall = false
      task.restart = answer
      task.hasWork = true
      this.cpu.state.setReg32(Gpr.ax, -Errno.EINTR)
      this.observer?.end?.(task, task.call, this.#arguments(), -Errno.EINTR)
    }
    if (task.tracing !== undefined) callEnds(task, task.tracing, answer)
  }

  /** The processes' alarm timers end here. */
  onAlarm(proc: Process): void {
    alarmFired(this, proc)
  }
}

/** A task does not run: a signal has stopped its process, or its group is frozen, from which only its end frees it. */
function isHeld({ tracing, process: { stopSignal, isFrozen, pending } }: Task): boolean {
  // (Whether a traced one goes on though its group is stopped is for its tracer to say.)
  return (stopSignal !== 0 && tracing === undefined) || (isFrozen && !pending.set.has(Signal.SIGKILL))
}

/** A kernel, on a machine of its own. */
export function createKernel(options: KernelOptions = {}): LinuxKernel {
  return new LinuxKernel(options)
}
