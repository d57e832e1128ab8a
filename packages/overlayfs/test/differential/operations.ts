/**
 * Sequences of operations at random, the same ones for the same seed: layers, how they are mounted, and what is then done
 * to the overlay. They are plain data, for the kernel and for us: kernel.py and ours.ts execute them.
 */
import { Fallocate, Mode, makeDevice, Open, Seek } from '@vmexit/vfs'

/** The name of an operation and its arguments. Paths are relative to the root; slots are numbers of open files. */
export type Operation = readonly [name: string, ...args: (string | number)[]]

/** What is to be done. */
export interface Sequence {
  /**
   * What makes each lower layer, the topmost first. None: the operations are done on a tmpfs. A layer is filled directly,
   * or it is the upper layer of an overlay on those below it for a while, mounted with the same options but `index`.
   */
  readonly lower: readonly { readonly mounted: boolean; readonly operations: readonly Operation[] }[]
  /** Mount options of the overlay, as Linux has them. */
  readonly options: readonly string[]
  readonly operations: readonly Operation[]
}

/** 0 and an answer, or an error number. */
export type Result = readonly [errno: number, answer?: unknown]

/** What comes of a sequence. */
export interface Outcome {
  /** Of each lower layer's operations, then of those on the overlay. */
  readonly results: readonly (readonly Result[])[]
  /** By path: mode, links, owner, size, device, times, number of its link group, attributes, and contents. */
  readonly tree: Readonly<Record<string, readonly unknown[]>>
  /** The upper layer in the same form; `null` without layers. */
  readonly upper: Readonly<Record<string, readonly unknown[]>> | null
}

/** A generator of pseudo-random numbers (mulberry32). */
class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let x = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) % limit
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }
}

const names = ['a', 'b', 'c', 'd', 'e']
const attributes = ['user.x', 'user.y', 'trusted.t', 'trusted.overlay.z', 'user.overlay.z', 'security.s']
const modes = [0o644, 0o600, 0o755, 0o4755, 0o2755, 0o1777, 0]
const targets = ['a', 'b', 'c/d', '../a', 'nowhere', 'a/']

/** The sequence of a number: 40 operations on a tmpfs, or on an overlay of one to five lower layers. */
export function randomSequence(number: number): Sequence {
  const [random, depth, length] = [new Random(number * 31), number % 6, 40]
  const options = depth === 0 ? [] : random.pick(mounts)
  const live = new Live(random)
  const lower: { mounted: boolean; operations: Operation[] }[] = []
  for (let at = depth; at >= 1; at--) {
    const mounted = at < depth && random.below(2) === 0
    const operations = mounted ? steps(random, live, length / 2) : layer(random)
    if (!mounted) for (const operation of operations) live.note(operation)
    lower.unshift({ mounted, operations })
  }
  return { lower, options, operations: steps(random, live, length) }
}

function steps(random: Random, live: Live, length: number): Operation[] {
  const operations: Operation[] = []
  while (operations.length < length) {
    const next = operation(random, live)
    operations.push(next)
    live.note(next)
  }
  return operations
}

/** Roughly what is there, so that most operations find something to do. */
class Live {
  readonly #random: Random
  /** Whether a path is a directory's. */
  readonly #paths = new Map<string, boolean>()

  constructor(random: Random) {
    this.#random = random
  }

  /** An operation that has perhaps been done. */
  note([name, first, second]: Operation): void {
    const [one, other] = [String(first), String(second)]
    if (name === 'unlink') this.#remove(one, false)
    else if (name === 'rmdir') this.#remove(one, true)
    else if (name === 'symlink') this.#add(other, false)
    else if (name === 'link' && this.#paths.get(one) === false) this.#add(other, false)
    else if (name === 'mkdir') this.#add(one, true)
    else if (name === 'mknod' || name === 'write') this.#add(one, false)
    else if (name === 'rename' && this.#paths.has(one) && !other.startsWith(`${one}/`)) this.#move(one, other)
  }

  /** A path that is probably there. */
  get old(): string {
    return this.#pick(() => true)
  }

  get directory(): string {
    return this.#pick((path) => this.#paths.get(path)!)
  }

  get file(): string {
    return this.#pick((path) => !this.#paths.get(path))
  }

  /** A path that is probably free. */
  get fresh(): string {
    const place = this.#random.below(3) === 0 ? '' : `${this.directory}/`
    const path = place.length > 8 ? this.#any : place + this.#random.pick(names)
    return this.#paths.has(path) && this.#random.below(4) > 0 ? this.fresh : path
  }

  #pick(wanted: (path: string) => boolean): string {
    const paths = this.#random.below(8) === 0 ? [] : [...this.#paths.keys()].filter(wanted)
    return paths.length === 0 ? this.#any : this.#random.pick(paths)
  }

  get #any(): string {
    const depth = this.#random.pick([1, 1, 2, 2, 3])
    return Array.from({ length: depth }, () => this.#random.pick(names)).join('/')
  }

  #add(path: string, directory: boolean): void {
    const slash = path.lastIndexOf('/')
    if (slash >= 0 && this.#paths.get(path.slice(0, slash)) !== true) return
    if (!this.#paths.has(path)) this.#paths.set(path, directory)
  }

  #remove(path: string, directory: boolean): void {
    const full = directory && [...this.#paths.keys()].some((below) => below.startsWith(`${path}/`))
    if (this.#paths.get(path) === directory && !full) this.#paths.delete(path)
  }

  #move(path: string, to: string): void {
    const within = [...this.#paths].filter(([below]) => below === path || below.startsWith(`${path}/`))
    for (const [below, directory] of within) {
      this.#paths.delete(below)
      this.#paths.set(to + below.slice(path.length), directory)
    }
  }
}

// biome-ignore format: a table
const mounts = [
  [], [], ['redirect_dir=on'], ['redirect_dir=on'], ['index=on'], ['redirect_dir=on', 'index=on'],
  ['redirect_dir=on', 'metacopy=on'], ['redirect_dir=on', 'metacopy=on', 'index=on'],
]

function layer(random: Random): Operation[] {
  const made: Operation[] = []
  const fill = (dir: string, depth: number) => {
    for (const name of names) {
      const place = dir === '' ? name : `${dir}/${name}`
      switch (random.below(depth === 0 ? 8 : 10)) {
        case 0:
        case 1:
        case 2:
          if (depth === 2) break
          made.push(['mkdir', place, random.pick(modes.slice(0, 6))])
          if (random.below(5) === 0) made.push(['setxattr', place, 'trusted.overlay.opaque', 'y', 0])
          fill(place, depth + 1)
          break
        case 3:
        case 4:
          made.push(['write', place, Open.O_CREAT, data(random), random.pick([0, 0, 0, 5000, 70_000])])
          if (random.below(2)) made.push(attribute(random, place))
          break
        case 5:
          made.push(
            random.pick<Operation>([
              ['symlink', random.pick(targets), place],
              ['mknod', place, Mode.IFIFO | 0o640, 0],
            ]),
          )
          break
        case 6:
          made.push(['mknod', place, Mode.IFCHR, 0])
          break
        case 7:
          if (made.length > 0) made.push(['link', String(random.pick(made)[1]), place])
      }
    }
  }
  fill('', 0)
  return made
}

function data(random: Random): string {
  return random.pick(['', 'x', 'text', 'y'.repeat(5000)])
}

function attribute(random: Random, place: string): Operation {
  return random.pick<Operation>([
    ['setxattr', place, random.pick(attributes), data(random).slice(0, 10), 0],
    ['chown', place, random.below(3), random.below(3)],
    ['chmod', place, random.pick(modes)],
    ['utimens', place, random.below(1e6) * 1000 + 1, random.below(1e6) * 1000 + 7],
  ])
}

function operation(random: Random, live: Live): Operation {
  const slot = random.below(2)
  const offset = random.pick([0, 0, 3, 4096, 9000])
  switch (random.below(41)) {
    case 0:
    case 1:
    case 2:
      return ['mkdir', live.fresh, random.pick(modes.slice(0, 6))]
    case 3:
      return ['mknod', live.fresh, Mode.IFREG | random.pick(modes), 0]
    case 4: {
      const type = random.pick([Mode.IFIFO, Mode.IFSOCK, Mode.IFCHR])
      return ['mknod', live.fresh, type | 0o600, random.pick([0, makeDevice(3999, 3)])]
    }
    case 5:
      return ['symlink', random.pick(targets), live.fresh]
    case 6:
    case 7:
    case 8:
      return ['link', live.file, live.fresh]
    case 9:
    case 10:
    case 11:
      return ['unlink', live.file]
    case 12:
    case 13:
    case 14:
      return ['rmdir', live.directory]
    case 15:
    case 16:
    case 17:
    case 18:
    case 19:
    case 20: {
      const flags = random.pick([0, 0, 0, 0, 1, 2, 2, 4])
      return ['rename', live.old, random.below(3) > 0 && flags !== 2 ? live.fresh : live.old, flags]
    }
    case 21:
    case 22:
    case 23:
      return attribute(random, live.old)
    case 24:
      // To the size that it has, truncate(2) stamps nothing on Linux: the sizes hardly meet.
      return ['truncate', live.file, 6 + random.below(15_000)]
    case 25:
    case 26: {
      const flags = random.pick([0, 0, Open.O_CREAT, Open.O_CREAT | Open.O_EXCL, Open.O_TRUNC, Open.O_APPEND])
      return ['write', flags & Open.O_CREAT ? live.fresh : live.file, flags, data(random), offset]
    }
    case 27:
      return random.pick<Operation>([
        ['read', live.file],
        ['readlink', live.file],
        ['stat', live.old],
      ])
    case 28:
    case 29:
      return ['readdir', random.pick([live.directory, live.directory, '.'])]
    case 30:
      return ['setxattr', live.old, random.pick(attributes), 'v', random.pick([0, 1, 2])]
    case 31:
      return random.pick<Operation>([
        ['getxattr', live.old, random.pick(attributes)],
        ['listxattr', live.old],
        ['removexattr', live.old, random.pick(attributes)],
      ])
    case 32:
    case 33:
    case 38:
    case 39:
    case 40:
      return [
        'open',
        slot,
        live.file,
        random.pick([0, 0, 2, 2, Open.O_CREAT | 2, Open.O_TRUNC | 1]),
        random.pick(modes),
      ]
    case 34:
      return random.pick<Operation>([
        ['close', slot],
        ['tmpfile', slot, live.directory, 0o640],
        ['flink', slot, live.fresh],
        ['fstat', slot],
      ])
    case 35:
      return ['fwrite', slot, data(random), offset]
    case 36:
      return ['fread', slot, 100, offset]
    default:
      return random.pick<Operation>([
        ['ftruncate', slot, random.pick([0, 2, 8000])],
        ['lseek', slot, offset, random.pick([Seek.SEEK_DATA, Seek.SEEK_HOLE])],
        ['fallocate', slot, random.pick([0, 1, Fallocate.FALLOC_FL_PUNCH_HOLE | 1]), offset, 5000],
      ])
  }
}
