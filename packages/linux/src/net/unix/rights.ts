/**
 * Open files on their way between processes (SCM_RIGHTS, unix(7)). A socket may lie in its own queue, or two in each
 * other's: no descriptor leads there any more, and no reference count falls to 0. So whatever may have become the end of
 * the last way to a socket has them looked through.
 */
import type { OpenFile } from '../../files/open-file.ts'

/** What has files in its queue: an end of a UNIX socket. */
export interface Carrier {
  /** The file by which programs have it; undefined while nobody has accepted it. */
  readonly holder: OpenFile | undefined
  /** The one that it waits at to be accepted. */
  readonly listener: Carrier | undefined
  /** Files in its queue, each as often as it lies there. */
  carried(): Iterable<OpenFile>
  /** Throws away what is in its queue. */
  discard(): void
}

/** Files on their way at most, of one user without privileges beyond RLIMIT_NOFILE, and of a kernel. */
const MOST_IN_FLIGHT = 65_536
/** Suspicions that are let come together, where many files are on their way, before all are looked through. */
const PATIENCE = 256

/** All files on their way in one kernel. */
export class Rights {
  readonly #counts = new Map<OpenFile, number>()
  readonly #ofUsers = new Map<number, number>()
  readonly #carriers = new Map<Carrier, number>()
  readonly #closing: OpenFile[] = []
  #isClosing = false
  #total = 0
  #suspicions = 0

  /** How often a file is in queues. */
  inFlight(file: OpenFile): number {
    return this.#counts.get(file) ?? 0
  }
  /** Files on their way. */
  get total(): number {
    return this.#total
  }

  /** Whether a user may send so many more. */
  mayCarry(user: number, count: number, limit: number): boolean {
    if (this.#total + count > MOST_IN_FLIGHT) this.collect()
    return this.#total + count <= MOST_IN_FLIGHT && (this.#ofUsers.get(user) ?? 0) + count <= limit
  }

  /** Files are put into a queue, which holds references to them. */
  add(carrier: Carrier, user: number, files: readonly OpenFile[]): void {
    if (files.length === 0) return
    for (const file of files) {
      file.references++
      this.#counts.set(file, this.inFlight(file) + 1)
    }
    this.#count(user, carrier, files.length)
  }

  /** Files leave a queue; whoever takes them has the references now. */
  remove(carrier: Carrier, user: number, files: readonly OpenFile[]): void {
    if (files.length === 0) return
    for (const file of files) {
      const left = this.inFlight(file) - 1
      if (left > 0) this.#counts.set(file, left)
      else this.#counts.delete(file)
    }
    this.#count(user, carrier, -files.length)
  }

  #count(user: number, carrier: Carrier, more: number): void {
    this.#total += more
    add(this.#ofUsers, user, more)
    add(this.#carriers, carrier, more)
  }

  /**
   * Closes files that came out of queues. A socket among them may hold others in its own queue, and so on: they are closed one after
   * the other, not each inside of the one before.
   */
  close(files: readonly OpenFile[]): void {
    this.#closing.push(...files)
    if (this.#isClosing) return
    this.#isClosing = true
    for (let file = this.#closing.pop(); file !== undefined; file = this.#closing.pop()) file.close(undefined)
    this.#isClosing = false
  }

  /** A socket has one reference less, and perhaps none but from queues. */
  suspect(file: OpenFile): void {
    if (this.inFlight(file) !== file.references) return
    if (++this.#suspicions * PATIENCE >= this.#total) this.collect()
  }

  /** Empties the queues to which nothing leads but each other. */
  collect(): void {
    this.#suspicions = 0
    const carriersOf = new Map<OpenFile, Carrier[]>()
    for (const carrier of this.#carriers.keys()) {
      const root = carrier.holder ?? carrier.listener?.holder
      if (root === undefined) continue
      const others = carriersOf.get(root)
      if (others === undefined) carriersOf.set(root, [carrier])
      else others.push(carrier)
    }
    const reached: OpenFile[] = []
    for (const file of carriersOf.keys()) if (file.references > this.inFlight(file)) reached.push(file)
    const alive = new Set<OpenFile>(reached)
    for (let file = reached.pop(); file !== undefined; file = reached.pop()) {
      for (const carrier of carriersOf.get(file) ?? []) {
        for (const other of carrier.carried()) {
          if (alive.has(other)) continue
          alive.add(other)
          if (carriersOf.has(other)) reached.push(other)
        }
      }
    }
    for (const [file, carriers] of carriersOf) if (!alive.has(file)) for (const carrier of carriers) carrier.discard()
  }

  /** Every file that is on its way, with how often: for who looks whether the books are in order. */
  all(): Iterable<[OpenFile, number]> {
    return this.#counts
  }
}

function add<K>(counts: Map<K, number>, key: K, more: number): void {
  const count = (counts.get(key) ?? 0) + more
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}
