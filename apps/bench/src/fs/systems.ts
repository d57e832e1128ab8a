/** File systems to be measured, each by paths as its users give them. */
import { OverlayFs } from '@vmexit/overlayfs'
import { At, type File, type FileSystem, Open, SettableTime, Stat, type TaskContext, TmpFs, Vfs } from '@vmexit/vfs'
import { memfsFileSystem } from '@vmexit/vfs/memfs'
import { Volume } from 'memfs'
import { Union } from 'unionfs'

/** What is measured. Each call fails by throwing. */
export interface Measured {
  mkdir(path: string): void
  /** A new empty file. */
  create(path: string): void
  /** 4 KiB more at its end. */
  append(path: string): void
  /** All of it: how many bytes. */
  read(path: string): number
  /** Its attributes: how large it is. */
  lookup(path: string): number
  rename(from: string, to: string): void
  /** How many entries. */
  readdir(path: string): number
}

/** One row of the table. */
export interface FsSystem {
  readonly name: string
  readonly title: string
  /** Files are made in a layer below what is measured: the cost of `create` is not this row's. */
  readonly isBelow?: true
  /** What the files are made in, and what they are measured in from then on. */
  make(): { readonly fill: Measured; measured(): Measured }
}

const CHUNK = new Uint8Array(4096).fill(97)

/** memfs by its own functions. */
function onMemfs(
  volume: Pick<
    Volume,
    'mkdirSync' | 'writeFileSync' | 'appendFileSync' | 'readFileSync' | 'statSync' | 'renameSync' | 'readdirSync'
  >,
): Measured {
  const chunk = Buffer.from(CHUNK)
  return {
    mkdir: (path) => void volume.mkdirSync(path),
    create: (path) => volume.writeFileSync(path, '', { flag: 'wx' }),
    append: (path) => volume.appendFileSync(path, chunk),
    read: (path) => volume.readFileSync(path).length,
    lookup: (path) => Number(volume.statSync(path).size),
    rename: (from, to) => volume.renameSync(from, to),
    readdir: (path) => volume.readdirSync(path).length,
  }
}

/** One of ours by the calls of its layer, each file opened and closed as a program does. */
function onVfs(fs: FileSystem, time: SettableTime): Measured {
  const vfs = new Vfs({ time })
  const task = vfs.newTask(vfs.newTree(fs))
  const stat = new Stat()
  const into = new Uint8Array(1 << 16)
  return {
    mkdir: (path) => void must(vfs.mkdir(task, null, path, 0o755), path),
    create: (path) => vfs.close(open(vfs, task, path, Open.O_WRONLY | Open.O_CREAT | Open.O_EXCL)),
    append: (path) => {
      const file = open(vfs, task, path, Open.O_WRONLY | Open.O_APPEND)
      must(vfs.write(task, file, CHUNK), path)
      vfs.close(file)
    },
    read: (path) => {
      const file = open(vfs, task, path, Open.O_RDONLY)
      let total = 0
      for (;;) {
        const read = must(vfs.read(file, into), path)
        if (read === 0) break
        total += read
      }
      vfs.close(file)
      return total
    },
    lookup: (path) => {
      must(vfs.stat(task, null, path, stat, At.AT_SYMLINK_NOFOLLOW), path)
      return stat.size
    },
    rename: (from, to) => void must(vfs.rename(task, null, from, null, to), from),
    readdir: (path) => {
      const file = open(vfs, task, path, Open.O_RDONLY | Open.O_DIRECTORY)
      let count = -2
      const entry = (): boolean => {
        count++
        return true
      }
      must(vfs.getdents(file, { entry }), path)
      vfs.close(file)
      return count
    },
  }
}

function open(vfs: Vfs, task: TaskContext, path: string, flags: number): File {
  const file = vfs.open(task, null, path, flags, 0o644)
  if (typeof file === 'number') throw new Error(`${path}: ${file}`)
  return file
}

function must(answer: number, path: string): number {
  if (answer < 0) throw new Error(`${path}: ${answer}`)
  return answer
}

const same = (measured: Measured): ReturnType<FsSystem['make']> => ({ fill: measured, measured: () => measured })

/** An overlay whose files are made in it, so that they are in its upper layer. */
function inUpper(make: (time: SettableTime) => FileSystem): FsSystem['make'] {
  return () => {
    const time = new SettableTime(1_700_000_000)
    return same(onVfs(new OverlayFs({ lower: [make(time).root], upper: make(time).root }), time))
  }
}

/** An overlay whose files are in its lower layer, and copied up where they are changed. */
function inLower(make: (time: SettableTime) => FileSystem): FsSystem['make'] {
  return () => {
    const time = new SettableTime(1_700_000_000)
    const lower = make(time)
    return {
      fill: onVfs(lower, time),
      measured: () => onVfs(new OverlayFs({ lower: [lower.root], upper: make(time).root }), time),
    }
  }
}

const tmpfs = (time: SettableTime): FileSystem => new TmpFs({ time })
const volume = (time: SettableTime): FileSystem => memfsFileSystem(new Volume(), { time })

/** All rows. */
export const FS_SYSTEMS: readonly FsSystem[] = [
  { name: 'memfs', title: 'memfs', make: () => same(onMemfs(new Volume())) },
  {
    name: 'unionfs',
    title: 'unionfs (npm) on memfs',
    make: () => same(onMemfs(new Union().use(new Volume() as never).use(new Volume() as never) as never)),
  },
  {
    name: 'tmpfs',
    title: 'tmpfs',
    make: () => {
      const time = new SettableTime(1_700_000_000)
      return same(onVfs(tmpfs(time), time))
    },
  },
  { name: 'overlay-tmpfs', title: 'overlay on tmpfs', make: inUpper(tmpfs) },
  {
    name: 'overlay-tmpfs-lower',
    title: 'overlay on tmpfs, files in the lower layer',
    isBelow: true,
    make: inLower(tmpfs),
  },
  {
    name: 'memfs-vfs',
    title: 'memfs as a file system of ours',
    make: () => {
      const time = new SettableTime(1_700_000_000)
      return same(onVfs(volume(time), time))
    },
  },
  { name: 'overlay-memfs', title: 'overlay on memfs', make: inUpper(volume) },
  {
    name: 'overlay-memfs-lower',
    title: 'overlay on memfs, files in the lower layer',
    isBelow: true,
    make: inLower(volume),
  },
]
