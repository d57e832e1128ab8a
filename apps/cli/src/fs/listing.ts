/** Directories as `ls` shows them. */
import {
  At,
  type ByteString,
  type File,
  Mode,
  majorOf,
  minorOf,
  Open,
  Stat,
  type TaskContext,
  toByteString,
  toText,
  type Vfs,
} from '@vmexit/vfs'
import { refuse } from './errors.ts'
import { shown } from './shown.ts'

/** Who looks, and through what. */
export interface Looker {
  readonly vfs: Vfs
  readonly task: TaskContext
}

/** One entry, as `--json` gives it. */
export interface Listed {
  readonly name: string
  readonly type: string
  readonly mode: string
  readonly links: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly modified: string
  readonly target?: string
  readonly device?: string
}

const TYPES: Readonly<Record<number, readonly [letter: string, name: string]>> = {
  [Mode.IFREG]: ['-', 'file'],
  [Mode.IFDIR]: ['d', 'directory'],
  [Mode.IFLNK]: ['l', 'symlink'],
  [Mode.IFCHR]: ['c', 'character'],
  [Mode.IFBLK]: ['b', 'block'],
  [Mode.IFIFO]: ['p', 'fifo'],
  [Mode.IFSOCK]: ['s', 'socket'],
}

/** Names in a directory, in the order of their bytes. @throws VmexitError `fs-refused`. */
export function namesOf({ vfs, task }: Looker, path: ByteString): ByteString[] {
  const file = vfs.open(task, null, path, Open.O_RDONLY | Open.O_DIRECTORY)
  if (typeof file === 'number') throw refuse('list', path, file)
  const names: ByteString[] = []
  const entry = (name: ByteString): boolean => {
    if (name !== '.' && name !== '..') names.push(name)
    return true
  }
  const answer = vfs.getdents(file as File, { entry })
  vfs.close(file as File)
  if (answer < 0) throw refuse('list', path, answer)
  return names.sort()
}

/** What is known of a file; a link is looked at itself. @throws VmexitError `fs-refused`. */
export function look({ vfs, task }: Looker, path: ByteString, into: Stat = new Stat()): Stat {
  const answer = vfs.stat(task, null, path, into, At.AT_SYMLINK_NOFOLLOW)
  if (answer < 0) throw refuse('look at', path, answer)
  return into
}

/** An entry in full. */
export function describe(looker: Looker, path: ByteString, name: ByteString): Listed {
  const stat = look(looker, path)
  const type = stat.mode & Mode.IFMT
  const target = type === Mode.IFLNK ? looker.vfs.readlink(looker.task, null, path) : undefined
  const isDevice = type === Mode.IFCHR || type === Mode.IFBLK
  return {
    name: toText(name),
    type: TYPES[type]?.[1] ?? 'unknown',
    mode: (stat.mode & 0o7777).toString(8).padStart(4, '0'),
    links: stat.nlink,
    uid: stat.uid,
    gid: stat.gid,
    size: stat.size,
    modified: new Date(stat.mtimeSeconds * 1000 + Math.floor(stat.mtimeNanoseconds / 1e6)).toISOString(),
    ...(typeof target === 'string' ? { target: toText(target) } : {}),
    ...(isDevice ? { device: `${majorOf(stat.rdev)}:${minorOf(stat.rdev)}` } : {}),
  }
}

/** As `ls -l` has it. */
export function line(looker: Looker, path: ByteString, name: ByteString): string {
  const listed = describe(looker, path, name)
  const { links, uid, gid, size, modified, target, device } = listed
  const when = modified.slice(0, 16).replace('T', ' ')
  const what = device ?? String(size)
  const letters = lettersOf(look(looker, path).mode)
  const full = target === undefined ? shown(name) : `${shown(name)} -> ${shown(toByteString(target))}`
  return `${letters} ${String(links).padStart(3)} ${`${uid}:${gid}`.padEnd(9)} ${what.padStart(9)} ${when} ${full}`
}

/** `drwxr-xr-x`. */
export function lettersOf(mode: number): string {
  const set = (bit: number, letter: string): string => ((mode & bit) !== 0 ? letter : '-')
  const execute = (x: number, special: number, letter: string): string => {
    if ((mode & special) === 0) return set(x, 'x')
    return (mode & x) !== 0 ? letter : letter.toUpperCase()
  }
  return [
    TYPES[mode & Mode.IFMT]?.[0] ?? '?',
    ...[set(0o400, 'r'), set(0o200, 'w'), execute(0o100, Mode.ISUID, 's')],
    ...[set(0o040, 'r'), set(0o020, 'w'), execute(0o010, Mode.ISGID, 's')],
    ...[set(0o004, 'r'), set(0o002, 'w'), execute(0o001, Mode.ISVTX, 't')],
  ].join('')
}

/** All paths below a directory, each directory before what is in it. */
export function* walk(looker: Looker, directory: ByteString): Generator<ByteString> {
  for (const name of namesOf(looker, directory)) {
    const path = directory === '/' ? `/${name}` : `${directory}/${name}`
    yield path
    if ((look(looker, path).mode & Mode.IFMT) === Mode.IFDIR) yield* walk(looker, path)
  }
}
