/**
 * What a tmpfs may take: its own limits (tmpfs(5), `size=` and `nr_inodes=`), answered by ENOSPC, and a charge to
 * whoever pays for it, such as a memory cgroup or a quota.
 */
import { Errno } from '../errno.ts'
import { PAGE } from './page-store.ts'

/** What is charged: bytes of data, link targets and extended attributes; inodes, and further names of them. */
export type ChargeKind = 'bytes' | 'inodes'

/** Whoever pays. */
export interface Charges {
  /** What a refused charge is for the guest: EDQUOT, as of a disk quota, unless stated; ENOMEM for a memory cgroup. */
  readonly errno?: number
  /** Takes an amount as a whole, or nothing and answers false. */
  charge(kind: ChargeKind, amount: number): boolean
  /** Gives back what has been charged. */
  release(kind: ChargeKind, amount: number): void
}

/** What Linux reckons for an inode when extended attributes are counted against `nr_inodes`. */
const inodeBytes = 1024

/** The account of one tmpfs. `take…` answer 0 or a negated error number, and then have taken nothing. */
export class Space {
  readonly maxPages: number
  readonly maxInodes: number
  readonly #charges: Charges | undefined
  pages = 0
  /** Of inodes, names and attributes together, in bytes. */
  #inodeSpace = 0

  constructor(maxPages: number, maxInodes: number, charges: Charges | undefined) {
    this.maxPages = maxPages
    this.maxInodes = maxInodes
    this.#charges = charges
  }

  /** How many inodes may still be made. */
  get freeInodes(): number {
    return Math.floor(this.maxInodes - this.#inodeSpace / inodeBytes)
  }

  takePages(count: number): number {
    if (this.pages + count > this.maxPages) return -Errno.ENOSPC
    const answer = this.#charge('bytes', count * PAGE)
    if (answer === 0) this.pages += count
    return answer
  }

  givePages(count: number): void {
    if (count === 0) return
    this.pages -= count
    this.#charges?.release('bytes', count * PAGE)
  }

  takeInode(): number {
    if (this.#inodeSpace + inodeBytes > this.maxInodes * inodeBytes) return -Errno.ENOSPC
    const answer = this.#charge('inodes', 1)
    if (answer === 0) this.#inodeSpace += inodeBytes
    return answer
  }

  giveInode(): void {
    this.#inodeSpace -= inodeBytes
    this.#charges?.release('inodes', 1)
  }

  /** Extended attributes grow by so many bytes. */
  takeAttribute(bytes: number): number {
    if (this.#inodeSpace + bytes > this.maxInodes * inodeBytes) return -Errno.ENOSPC
    const answer = this.#charge('bytes', bytes)
    if (answer === 0) this.#inodeSpace += bytes
    return answer
  }

  giveAttribute(bytes: number): void {
    if (bytes === 0) return
    this.#inodeSpace -= bytes
    this.#charges?.release('bytes', bytes)
  }

  #charge(kind: ChargeKind, amount: number): number {
    if (this.#charges === undefined || this.#charges.charge(kind, amount)) return 0
    return -(this.#charges.errno ?? Errno.EDQUOT)
  }
}
