/// <reference types="node" />
/** Inodes of the host: known by device and number, with the attributes that were last seen and a path that led there. */
import type { BigIntStats } from 'node:fs'
import { fromNodeDevice } from '../devices.ts'
import type { FileSystem, Inode } from '../file-system.ts'
import { Mode } from '../flags.ts'
import type { ByteString } from '../names.ts'
import type { Stat } from '../stat.ts'
import type { HostListing } from './host-listing.ts'

/** An inode of the host. */
export class HostInode implements Inode {
  readonly fs: FileSystem
  readonly ino: number
  /** The path that it was last found by. */
  path: ByteString
  stats: BigIntStats
  state: object | undefined = undefined
  opens = 0
  listing: HostListing | undefined = undefined

  constructor(fs: FileSystem, ino: number, path: ByteString, stats: BigIntStats) {
    this.fs = fs
    this.ino = ino
    this.path = path
    this.stats = stats
  }

  get mode(): number {
    return Number(this.stats.mode)
  }
  get uid(): number {
    return Number(this.stats.uid)
  }
  get gid(): number {
    return Number(this.stats.gid)
  }
  get nlink(): number {
    return Number(this.stats.nlink)
  }
  get size(): number {
    return Number(this.stats.size)
  }
  get rdev(): number {
    const type = this.mode & Mode.IFMT
    return type === Mode.IFCHR || type === Mode.IFBLK ? fromNodeDevice(Number(this.stats.rdev)) : 0
  }

  /** Whether this is what those attributes are of. */
  is(stats: BigIntStats): boolean {
    return stats.ino === this.stats.ino && stats.dev === this.stats.dev && sameType(stats, this.stats)
  }

  /** Fills in a record. */
  fill(into: Stat): void {
    const { stats } = this
    into.ino = this.ino
    into.mode = this.mode
    into.nlink = this.nlink
    into.uid = this.uid
    into.gid = this.gid
    into.rdev = this.rdev
    into.size = this.size
    into.blksize = Number(stats.blksize)
    into.blocks = Number(stats.blocks)
    into.atimeSeconds = secondsOf(stats.atimeNs)
    into.atimeNanoseconds = nanosecondsOf(stats.atimeNs)
    into.mtimeSeconds = secondsOf(stats.mtimeNs)
    into.mtimeNanoseconds = nanosecondsOf(stats.mtimeNs)
    into.ctimeSeconds = secondsOf(stats.ctimeNs)
    into.ctimeNanoseconds = nanosecondsOf(stats.ctimeNs)
    into.btimeSeconds = secondsOf(stats.birthtimeNs)
    into.btimeNanoseconds = nanosecondsOf(stats.birthtimeNs)
  }
}

const ifmt = BigInt(Mode.IFMT)

function sameType(a: BigIntStats, b: BigIntStats): boolean {
  return (a.mode & ifmt) === (b.mode & ifmt)
}

function secondsOf(time: bigint): number {
  return Number((time - BigInt(nanosecondsOf(time))) / 1_000_000_000n)
}

function nanosecondsOf(time: bigint): number {
  const rest = Number(time % 1_000_000_000n)
  return rest < 0 ? rest + 1_000_000_000 : rest
}

/** The inodes that anyone still knows, each as one object, and their numbers. */
export class HostInodes<Known extends HostInode> {
  readonly #make: (ino: number, path: ByteString, stats: BigIntStats) => Known
  readonly #rootDevice: bigint
  readonly #known = new Map<string, WeakRef<Known>>()
  readonly #gone = new FinalizationRegistry<string>((key) => {
    if (this.#known.get(key)?.deref() === undefined) this.#known.delete(key)
  })
  /** Numbers given to inodes whose own could be taken for another's. */
  readonly #numbers = new Map<string, number>()

  /** `make` makes the object of one that nobody knows yet. */
  constructor(make: (ino: number, path: ByteString, stats: BigIntStats) => Known, rootDevice: bigint) {
    this.#make = make
    this.#rootDevice = rootDevice
  }

  /** The inode that has been found at a path. */
  at(path: ByteString, stats: BigIntStats): Known {
    const key = `${stats.dev}:${stats.ino}`
    const known = this.#known.get(key)?.deref()
    if (known?.is(stats)) {
      known.path = path
      known.stats = stats
      return known
    }
    const inode = this.#make(this.number(stats), path, stats)
    this.#known.set(key, new WeakRef(inode))
    this.#gone.register(inode, key)
    return inode
  }

  /** The object of an inode, if anyone knows it. */
  peek(stats: BigIntStats): Known | undefined {
    const known = this.#known.get(`${stats.dev}:${stats.ino}`)?.deref()
    return known?.is(stats) ? known : undefined
  }

  /** The host's number on the device of the root; above 2⁵² one of our own for what lies on others. */
  number({ dev, ino }: BigIntStats): number {
    if (dev === this.#rootDevice && ino < 2n ** 52n) return Number(ino)
    const key = `${dev}:${ino}`
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = 2 ** 52 + this.#numbers.size
      this.#numbers.set(key, number)
    }
    return number
  }
}
