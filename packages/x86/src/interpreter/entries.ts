/**
 * The records of one page of code by instruction pointer. (Maps took a third of the time of translating; most pages have few
 * of their 4096 places in use, so that is given room by pieces.)
 */

const PIECE_LOG = 6
const PIECE = 1 << PIECE_LOG

export class Entries {
  /** Tells the instruction pointer of a record. */
  readonly #ipOf: (record: number) => number
  readonly #pieces: (Int32Array | undefined)[] = []
  /** Of instruction pointers whose place is taken: the page is mapped at several addresses. */
  #others: Map<number, number> | undefined

  constructor(ipOf: (record: number) => number) {
    this.#ipOf = ipOf
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
    this.#pieces[at] ??= new Int32Array(PIECE)
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
