/** Pseudoterminals (pty(7)): masters by /dev/ptmx, slaves by /dev/pts/N, terminals of the host. */
import { Mode, makeDevice, type Stat } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import { AnonymousFile } from '../files/anonymous-file.ts'
import { type KernelOperations, Poll } from '../files/open-file.ts'
import type { Kernel } from '../system.ts'
import { WaitQueue } from '../tasks/wait-queue.ts'
import { ttyIoctl } from './ioctl.ts'
import { Tty } from './tty.ts'

/** Major number of slaves. */
export const SLAVE_MAJOR = 136
/** What a master keeps of output that nobody has read. */
const MOST = 65_536
// biome-ignore format: a table
const Request = { TIOCGPTN: 0x8004_5430, TIOCSPTLCK: 0x4004_5431, TIOCGPTLCK: 0x8004_5439, FIONREAD: 0x541b } as const

/** One pair. */
export class Pty {
  readonly tty: Tty
  readonly number: number
  /** What programs wrote to the slave and the master has not read. */
  readonly output: number[] = []
  readonly queue: WaitQueue = new WaitQueue()
  isLocked = true
  slaves = 0
  /** A slave was opened, and all are closed again. */
  wasOpened = false

  constructor(kernel: Kernel, number: number) {
    this.number = number
    this.tty = new Tty(
      kernel,
      `/dev/pts/${number}`,
      makeDevice(SLAVE_MAJOR, number),
      (bytes) => {
        for (const byte of bytes) this.output.push(byte)
        this.queue.wake()
      },
      (tty) => new TerminalOperations(tty, this),
    )
    // Nobody has said yet how large it is.
    this.tty.resize(0, 0)
    this.tty.room = () => this.output.length < MOST
  }
}

/** All pairs of a kernel. */
export class Ptys {
  readonly #kernel: Kernel
  /** Terminals by number: slaves, and those of the host. */
  readonly terminals: Map<number, Tty> = new Map()
  readonly #pairs = new Map<number, Pty>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  #free(): number {
    let number = 0
    while (this.terminals.has(number)) number++
    return number
  }

  /** A terminal whose other end is the host's. */
  addHost(output: (bytes: Uint8Array) => void): Tty {
    const number = this.#free()
    const tty = new Tty(
      this.#kernel,
      `/dev/pts/${number}`,
      makeDevice(SLAVE_MAJOR, number),
      output,
      (made) => new TerminalOperations(made),
    )
    this.terminals.set(number, tty)
    return tty
  }

  /** /dev/ptmx has been opened. */
  openMaster(): KernelOperations {
    const pty = new Pty(this.#kernel, this.#free())
    pty.tty.pids = this.#kernel.current?.ns.pid
    this.terminals.set(pty.number, pty.tty)
    this.#pairs.set(pty.number, pty)
    return new MasterOperations(this.#kernel, pty, () => {
      this.terminals.delete(pty.number)
      this.#pairs.delete(pty.number)
    })
  }

  /** /dev/pts/N has been opened. */
  openSlave(number: number): KernelOperations | number {
    const tty = this.terminals.get(number)
    const pty = this.#pairs.get(number)
    if (tty === undefined || !this.#isSeen(tty)) return -Errno.ENXIO
    if (pty?.isLocked || tty.isHungUp) return -Errno.EIO
    return new TerminalOperations(tty, pty)
  }

  /**
   * Numbers are the kernel's, not those of a mount of devpts: so whoever could make a node by mknod(2) must not come to the
   * terminals of others by it. They are for whom their processes have numbers, and for those whom they control.
   */
  #isSeen(tty: Tty): boolean {
    const { current, ns } = this.#kernel
    if (current === undefined || current.process.session.tty === tty) return true
    return (tty.pids ?? ns.pid).isWithin(current.ns.pid)
  }

  /** A terminal of the host has no other end any more. */
  removeHost(tty: Tty): void {
    tty.hangUp()
    for (const [number, known] of this.terminals) if (known === tty) this.terminals.delete(number)
  }
}

const all = new WeakMap<Kernel, Ptys>()

/** The terminals of a kernel. */
export function ptysOf(kernel: Kernel): Ptys {
  let ptys = all.get(kernel)
  if (ptys === undefined) {
    ptys = new Ptys(kernel)
    all.set(kernel, ptys)
  }
  return ptys
}

const TIOCSPGRP = 0x5410

/** A terminal as an open file. */
export class TerminalOperations implements KernelOperations {
  readonly seekable = false
  readonly tty: Tty
  readonly #pty: Pty | undefined

  constructor(tty: Tty, pty?: Pty) {
    this.tty = tty
    this.#pty = pty
    if (pty !== undefined) {
      pty.slaves++
      pty.wasOpened = true
    }
  }
  get queue(): WaitQueue {
    return this.tty.queue
  }
  read(into: Uint8Array, start: number, length: number): number {
    const count = this.tty.read(into, start, length)
    if (count > 0) this.#pty?.queue.wake()
    return count
  }
  write(from: Uint8Array, start: number, length: number): number {
    return this.tty.write(from, start, length)
  }
  poll(): number {
    return this.tty.poll()
  }
  ioctl(request: number, argument: number): number {
    if (this.tty.isHungUp && this.#pty !== undefined) return request === TIOCSPGRP ? -Errno.ENOTTY : -Errno.EIO
    return ttyIoctl(this.tty.kernel.current!, this.tty, request, argument)
  }
  release(): void {
    const pty = this.#pty
    if (pty === undefined) return
    pty.slaves--
    pty.queue.wake()
  }
}

class MasterOperations implements KernelOperations {
  readonly seekable = false
  readonly #kernel: Kernel
  readonly #pty: Pty
  readonly #released: () => void

  constructor(kernel: Kernel, pty: Pty, released: () => void) {
    this.#kernel = kernel
    this.#pty = pty
    this.#released = released
  }
  get queue(): WaitQueue {
    return this.#pty.queue
  }
  get #isAlone(): boolean {
    return this.#pty.wasOpened && this.#pty.slaves === 0
  }
  read(into: Uint8Array, start: number, length: number): number {
    const { output } = this.#pty
    if (output.length === 0) return this.#isAlone ? -Errno.EIO : this.#kernel.block(this.#pty.queue)
    const piece = output.splice(0, length)
    into.set(piece, start)
    this.#pty.tty.queue.wake()
    return piece.length
  }
  write(from: Uint8Array, start: number, length: number): number {
    this.#pty.tty.type(from.slice(start, start + length))
    return length
  }
  poll(): number {
    return (
      (this.#pty.output.length > 0 ? Poll.IN | Poll.RDNORM : 0) |
      (this.#isAlone ? Poll.HUP : 0) |
      Poll.OUT |
      Poll.WRNORM
    )
  }
  ioctl(request: number, argument: number): number {
    const { memory } = this.#kernel
    switch (request) {
      case Request.TIOCGPTN:
        memory.set32(argument, this.#pty.number)
        return 0
      case Request.TIOCSPTLCK:
        this.#pty.isLocked = memory.get32(argument) !== 0
        return 0
      case Request.TIOCGPTLCK:
        memory.set32(argument, this.#pty.isLocked ? 1 : 0)
        return 0
      case Request.FIONREAD:
        memory.set32(argument, this.#pty.output.length)
        return 0
      default:
        return ttyIoctl(this.#kernel.current!, this.#pty.tty, request, argument)
    }
  }
  release(): void {
    // What was typed and was not read is gone.
    this.#pty.tty.flushInput()
    this.#pty.tty.hangUp()
    this.#released()
  }
}

/** A terminal of the host as descriptors of a program that is started from outside. */
export class HostTerminal extends AnonymousFile {
  protected readonly kind = 'terminal'
  readonly tty: Tty
  readonly #operations: TerminalOperations

  /** `output` gets what is to be shown. */
  constructor(kernel: Kernel, output: (bytes: Uint8Array) => void) {
    super(kernel, 2)
    this.tty = ptysOf(kernel).addHost(output)
    this.#operations = new TerminalOperations(this.tty)
  }
  get queue(): WaitQueue {
    return this.tty.queue
  }
  override get terminal(): Tty {
    return this.tty
  }
  override get canTell(): boolean {
    return true
  }
  override describe(): string {
    return this.tty.name
  }
  protected override get mode(): number {
    return Mode.IFCHR | 0o620
  }
  override read(into: Uint8Array, start: number, length: number): number {
    return this.tty.read(into, start, length)
  }
  override write(from: Uint8Array, start: number, length: number): number {
    return this.tty.write(from, start, length)
  }
  override poll(): number {
    return this.tty.poll()
  }
  override ioctl(request: number, argument: number): number {
    return this.#operations.ioctl(request, argument)
  }
  override reopen(): KernelOperations {
    return new TerminalOperations(this.tty)
  }
  override stat(into: Stat): number {
    // Where it has a node, it is that one: ttyname(3) compares them.
    const { current, vfs } = this.kernel
    if (
      current !== undefined &&
      vfs.stat(current.context, null, this.tty.name, into) === 0 &&
      into.rdev === this.tty.rdev
    )
      return 0
    super.stat(into)
    into.rdev = this.tty.rdev
    return 0
  }
  protected release(): void {}

  /** Nobody is at the other end any more: its session is hung up, and its number is free. */
  end(): void {
    ptysOf(this.kernel).removeHost(this.tty)
  }
}
