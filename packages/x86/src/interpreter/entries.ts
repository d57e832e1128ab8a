/**
 * The records of one page of code by instruction pointer. (Maps took a third of the time of translating; most pages have few
 * of their 4096 places in use, so that is given room by pieces.)
 */

const PIECE_LOG = 6
const PIECE = 1 << PIECE_LOG
/** Places in 64 pieces. */
const CHUNK = 64 * PIECE

/** Room for pieces, many together: a buffer for each took more room than what is in it. */
export class EntryRoom {
  #chunk = new Int32Array(0)
  #used = 0

  take(): Int32Array {
    if (this.#used === this.#chunk.length) {
      this.#chunk = new Int32Array(CHUNK)
      this.#used = 0
    }
    return this.#chunk.subarray(this.#used, (this.#used += PIECE))
  }
}

export class Entries {
  /** Tells the instruction pointer of a record. */
  readonly #ipOf: (record: number) => number
  readonly #room: EntryRoom
  readonly #pieces: (Int32Array | undefined)[] = []
  /** Of instruction pointers whose place is taken: the page is mapped at several addresses. */
  #others: Map<number, number> | undefined

  constructor(ipOf: (record: number) => number, room: EntryRoom) {
    this.#ipOf = ipOf
    this.#room = room
  }

  /** The record for `ip`, or 0. */
  get(ip: number): number {
    const piece = this.#pieces[(ip & 0xfff) >> PIECE_LOG]
    const record = piece === undefined ? 0 : piece[ip & (PIECE - 1)]!
    if (record !== 0 && this.#ipOf(record) === ip) return record
    return this.#others?.get(ip) ?? 0
  }

  set(ip: number, record: number): void {
    const at = (ip & 0xfff) >> PIECE_LOG
    this.#pieces[at] ??= this.#room.take()
    const piece = this.#pieces[at]
    const held = piece[ip & (PIECE - 1)]!
    if (held === 0 || this.#ipOf(held) === ip) piece[ip & (PIECE - 1)] = record
    else {
      this.#others ??= new Map()
      this.#others.set(ip, record)
    }
  }

  delete(ip: number): void {
    const piece = this.#pieces[(ip & 0xfff) >> PIECE_LOG]
    const held = piece?.[ip & (PIECE - 1)] ?? 0
    if (held !== 0 && this.#ipOf(held) === ip) piece![ip & (PIECE - 1)] = 0
    else this.#others?.delete(ip)
  }
}
