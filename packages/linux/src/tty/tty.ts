/**
 * Terminals: the line discipline between what is typed and what a program reads (termios(3), N_TTY), and job control
 * (credentials(7), setpgid(2)).
 */
import { Answer, Errno } from '../errno.ts'
import { type KernelOperations, Poll } from '../files/open-file.ts'
import { Code } from '../signals/queue.ts'
import { isIgnored, sendToGroup } from '../signals/send.ts'
import { Signal } from '../signals/set.ts'
import type { Kernel, Task, Terminal } from '../system.ts'
import { WaitQueue } from '../tasks/wait-queue.ts'
import { Character, freshTermios, Input, Local, Output, type Termios } from './termios.ts'

/** Bytes of a line, and of what may wait to be read. */
const MOST = 4096
const NEWLINE = 10
const RETURN = 13
const BACKSPACE = 8
const CARET = 94

/** A terminal. `output` gets what is to be shown; `type` takes what is typed. */
export class Tty implements Terminal {
  readonly kernel: Kernel
  readonly #output: (bytes: Uint8Array) => void
  termios: Termios = freshTermios()
  size = { rows: 24, columns: 80, width: 0, height: 0 }
  /** The session that it controls, and the group in the foreground; 0 are none. */
  session = 0
  foreground = 0
  pids: Terminal['pids'] = undefined
  readonly queue: WaitQueue = new WaitQueue()
  /** Its number, of /dev/tty or pts. */
  readonly name: string
  readonly rdev: number
  /** Nobody is at the other end. */
  isHungUp = false
  /** Opens it once more: of /dev/tty. */
  open: () => KernelOperations
  /** Whether the other end takes more output. */
  room: () => boolean = () => true
  readonly #edit: number[] = []
  /** Bytes to be read; in canonical mode whole lines. −1 ends one without a character: EOF. */
  readonly #ready: number[] = []
  #lines = 0
  #isStopped = false
  #takesLiterally = false

  constructor(
    kernel: Kernel,
    name: string,
    rdev: number,
    output: (bytes: Uint8Array) => void,
    open: (tty: Tty) => KernelOperations,
  ) {
    this.kernel = kernel
    this.name = name
    this.rdev = rdev
    this.#output = output
    this.open = () => open(this)
  }

  get #canonical(): boolean {
    return (this.termios.local & Local.ICANON) !== 0
  }

  // ── Typing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Bytes come from the keyboard. */
  type(bytes: Uint8Array): void {
    for (const byte of bytes) this.#typed(byte)
    this.queue.wake()
  }

  #typed(given: number): void {
    const { input, local, characters } = this.termios
    let byte = (input & Input.ISTRIP) !== 0 ? given & 0x7f : given
    if (this.#takesLiterally) {
      this.#takesLiterally = false
      this.#accept(byte)
      return
    }
    if ((input & Input.IXON) !== 0) {
      if (byte === characters[Character.STOP] && byte !== 0) {
        this.#isStopped = true
        return
      }
      if (byte === characters[Character.START] && byte !== 0) {
        this.#isStopped = false
        this.queue.wake()
        return
      }
      if (this.#isStopped && (input & Input.IXANY) !== 0) this.#isStopped = false
    }
    if ((local & Local.ISIG) !== 0 && byte !== 0) {
      const signal =
        byte === characters[Character.INTR]
          ? Signal.SIGINT
          : byte === characters[Character.QUIT]
            ? Signal.SIGQUIT
            : byte === characters[Character.SUSP]
              ? Signal.SIGTSTP
              : 0
      if (signal !== 0) {
        if ((local & Local.NOFLSH) === 0) this.flushInput()
        this.#echo(byte)
        if (this.foreground !== 0) sendToGroup(this.kernel, this.foreground, { signal, code: Code.SI_KERNEL })
        return
      }
    }
    if (byte === RETURN) {
      if ((input & Input.IGNCR) !== 0) return
      if ((input & Input.ICRNL) !== 0) byte = NEWLINE
    } else if (byte === NEWLINE && (input & Input.INLCR) !== 0) byte = RETURN
    if (this.#canonical && this.#edited(byte)) return
    this.#accept(byte)
  }

  /** Editing of a line. True where the character was for that. */
  #edited(byte: number): boolean {
    const { local, characters } = this.termios
    const is = (index: number): boolean => byte !== 0 && byte === characters[index]
    if (is(Character.ERASE)) this.#erase()
    else if (is(Character.KILL)) {
      while (this.#edit.length > 0) this.#erase()
      if ((local & Local.ECHOK) !== 0 && (local & Local.ECHOKE) === 0) this.#show([NEWLINE])
    } else if (is(Character.WERASE) && (local & Local.IEXTEN) !== 0) {
      while (this.#edit.at(-1) === 32) this.#erase()
      while (this.#edit.length > 0 && this.#edit.at(-1) !== 32) this.#erase()
    } else if (is(Character.REPRINT) && (local & Local.IEXTEN) !== 0) {
      this.#echo(byte)
      this.#show([NEWLINE])
      for (const other of this.#edit) this.#echo(other)
    } else if (is(Character.LNEXT) && (local & Local.IEXTEN) !== 0) {
      this.#takesLiterally = true
      if ((local & Local.ECHO) !== 0 && (local & Local.ECHOCTL) !== 0) this.#show([CARET, BACKSPACE])
    } else if (is(Character.EOF)) {
      this.#ready.push(...this.#edit.splice(0), -1)
      this.#lines++
    } else return false
    return true
  }

  #erase(): void {
    if (this.#edit.length === 0) return
    let byte = this.#edit.pop()!
    // The bytes of one character in UTF-8 go together.
    if ((this.termios.input & Input.IUTF8) !== 0)
      while ((byte & 0xc0) === 0x80 && this.#edit.length > 0) byte = this.#edit.pop()!
    const { local } = this.termios
    if ((local & Local.ECHO) === 0) return
    if ((local & Local.ECHOE) === 0) this.#echo(this.termios.characters[Character.ERASE]!)
    else for (let n = this.#isShownAsTwo(byte) ? 2 : 1; n > 0; n--) this.#output(Uint8Array.of(8, 32, 8))
  }

  #isShownAsTwo(byte: number): boolean {
    if ((this.termios.local & Local.ECHOCTL) === 0) return false
    // (The end of a line is one of a line only.)
    return byte === 127 || (byte < 32 && byte !== 9 && !(byte === NEWLINE && this.#canonical))
  }

  #accept(byte: number): void {
    if (this.#edit.length + this.#ready.length >= MOST) return
    const { local, characters } = this.termios
    if ((local & Local.ECHO) !== 0 || (byte === NEWLINE && (local & Local.ECHONL) !== 0)) this.#echo(byte)
    if (!this.#canonical) {
      this.#ready.push(byte)
      return
    }
    this.#edit.push(byte)
    const ends =
      byte === NEWLINE || (byte !== 0 && (byte === characters[Character.EOL] || byte === characters[Character.EOL2]))
    if (!ends) return
    this.#ready.push(...this.#edit.splice(0))
    this.#lines++
  }

  #echo(byte: number): void {
    if ((this.termios.local & Local.ECHO) === 0 && byte !== NEWLINE) return
    if (this.#isShownAsTwo(byte)) this.#show([CARET, byte ^ 64])
    else this.#show([byte])
  }

  #show(bytes: readonly number[]): void {
    this.#output(this.#processed(Uint8Array.from(bytes), 0, bytes.length))
  }

  /** What is typed and was not read is gone. */
  flushInput(): void {
    this.#edit.length = 0
    this.#ready.length = 0
    this.#lines = 0
  }

  // ── Reading and writing ─────────────────────────────────────────────────────────────────────────────────────────

  /** Bytes that a read would give. */
  get available(): number {
    return this.#canonical && this.#lines === 0 ? 0 : this.#ready.reduce((count, byte) => count + (byte < 0 ? 0 : 1), 0)
  }

  read(into: Uint8Array, start: number, length: number): number {
    const { kernel } = this
    const refused = this.#jobControl(Signal.SIGTTIN)
    if (refused !== 0) return refused
    if (this.#canonical) return this.#readLine(into, start, length)
    const { characters } = this.termios
    const least = characters[Character.MIN]!
    const time = characters[Character.TIME]!
    if (this.#ready.length >= Math.max(1, Math.min(least, length))) return this.#take(into, start, length)
    if (this.isHungUp || length === 0) return 0
    // Who does not wait gets what there is, however much was to be waited for.
    if (kernel.nonBlocking && this.#ready.length > 0) return this.#take(into, start, length)
    if (least === 0 && time === 0) return this.#take(into, start, length)
    const task = kernel.current!
    if (time > 0 && (least === 0 || this.#ready.length > 0)) {
      if (task.deadline === Number.POSITIVE_INFINITY) task.deadline = kernel.now + time * 1e8
      if (kernel.now >= task.deadline) return this.#take(into, start, length)
      return kernel.blockUntil(task.deadline, this.queue)
    }
    return kernel.block(this.queue)
  }

  #readLine(into: Uint8Array, start: number, length: number): number {
    if (this.#lines === 0) return this.isHungUp || length === 0 ? 0 : this.kernel.block(this.queue)
    const { characters } = this.termios
    let count = 0
    while (count < length) {
      const byte = this.#ready.shift()
      if (byte === undefined) break
      if (byte >= 0) into[start + count++] = byte
      const ends =
        byte < 0 ||
        byte === NEWLINE ||
        (byte !== 0 && (byte === characters[Character.EOL] || byte === characters[Character.EOL2]))
      if (!ends) continue
      this.#lines--
      break
    }
    // An end of file right behind a line that filled the reader's room belongs to the line.
    if (count === length && this.#ready[0] === -1) {
      this.#ready.shift()
      this.#lines--
    }
    return count
  }

  #take(into: Uint8Array, start: number, length: number): number {
    let count = 0
    while (count < length && this.#ready.length > 0) {
      const byte = this.#ready.shift()!
      if (byte >= 0) into[start + count++] = byte
    }
    return count
  }

  write(from: Uint8Array, start: number, length: number): number {
    if (this.isHungUp) return -Errno.EIO
    if ((this.termios.local & Local.TOSTOP) !== 0) {
      const refused = this.#jobControl(Signal.SIGTTOU)
      if (refused !== 0) return refused
    }
    if (this.#isStopped || !this.room()) return this.kernel.block(this.queue)
    this.#output(this.#processed(from, start, length))
    return length
  }

  #processed(from: Uint8Array, start: number, length: number): Uint8Array {
    const { output } = this.termios
    const piece = from.slice(start, start + length)
    if ((output & Output.OPOST) === 0 || (output & Output.ONLCR) === 0 || !piece.includes(NEWLINE)) return piece
    const shown: number[] = []
    for (const byte of piece) {
      if (byte === NEWLINE) shown.push(RETURN)
      shown.push(byte)
    }
    return Uint8Array.from(shown)
  }

  poll(): number {
    let events = 0
    const least = this.#canonical
      ? 1
      : Math.max(1, this.termios.characters[Character.TIME] === 0 ? this.termios.characters[Character.MIN]! : 1)
    if (this.#canonical ? this.#lines > 0 : this.#ready.length >= least) events |= Poll.IN | Poll.RDNORM
    if (this.isHungUp) events |= Poll.HUP | Poll.ERR | Poll.IN | Poll.OUT | Poll.RDNORM | Poll.WRNORM
    else if (!this.#isStopped && this.room()) events |= Poll.OUT | Poll.WRNORM
    return events
  }

  /** A change of mode: what was typed stays. */
  setTermios(termios: Termios): void {
    const was = this.#canonical
    this.termios = termios
    if (was && !this.#canonical) {
      const bytes = [...this.#ready.filter((byte) => byte >= 0), ...this.#edit.splice(0)]
      this.#ready.splice(0, this.#ready.length, ...bytes)
      this.#lines = 0
    } else if (!was && this.#canonical && this.#ready.length > 0) this.#lines = 1
    this.queue.wake()
  }

  resize(rows: number, columns: number, width = 0, height = 0): void {
    const { size } = this
    if (size.rows === rows && size.columns === columns && size.width === width && size.height === height) return
    this.size = { rows, columns, width, height }
    if (this.foreground !== 0)
      sendToGroup(this.kernel, this.foreground, { signal: Signal.SIGWINCH, code: Code.SI_KERNEL })
  }

  /** The other end is gone. */
  hangUp(): void {
    this.isHungUp = true
    this.queue.wake()
    const { kernel, session } = this
    const leader = kernel.processes.get(session)
    if (leader === undefined) return
    const signals = [Signal.SIGHUP, Signal.SIGCONT]
    for (const signal of signals) sendToGroup(kernel, leader.group, { signal, code: Code.SI_KERNEL })
    if (this.foreground !== 0 && this.foreground !== leader.group) {
      for (const signal of signals) sendToGroup(kernel, this.foreground, { signal, code: Code.SI_KERNEL })
    }
  }

  /** A group in the background that reads, or writes where that is not allowed, is stopped. 0 where there is nothing against it. */
  #jobControl(signal: number): number {
    const task = this.kernel.current
    if (task === undefined || !this.isInBackground(task)) return 0
    if (isIgnored(task.actions, signal) || task.blocked.has(signal)) return signal === Signal.SIGTTOU ? 0 : -Errno.EIO
    sendToGroup(this.kernel, task.process.group, { signal, code: Code.SI_KERNEL })
    return Answer.RESTART
  }

  /** See {@link Tty.read}: as a write of a group in the background that is not allowed. */
  stopBackground(_task: Task): number {
    return this.#jobControl(Signal.SIGTTOU)
  }

  /** Does the terminal control the task's session, and is its group not in the foreground? */
  isInBackground(task: Task): boolean {
    const { session, group } = task.process
    return session.tty === this && this.foreground !== 0 && group !== this.foreground
  }
}
