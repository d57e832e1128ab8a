/** The work: many files in directories of a thousand, 4 KiB each, one kind of call after the other. */
import type { FsSystem } from './systems.ts'

/** What is done, in this order. */
export const OPERATIONS = ['create', 'first look', 'lookup', 'read', 'append', 'rename', 'readdir'] as const
/** One of them. */
export type Operation = (typeof OPERATIONS)[number]

/** Microseconds of processor time per call (of readdir, per entry), and bytes of heap per empty file. */
export interface FsSample {
  readonly micros: Readonly<Record<Operation, number>>
  readonly bytesPerFile: number
}

const PER_DIRECTORY = 1000
/** Times that each file is looked up when it is known. */
const LOOKS = 5

/** Does the work in this process. */
export function measureFs({ make }: FsSystem, files: number): FsSample {
  // What is compiled is compiled before.
  const practice = Math.min(files, 4000)
  work(make(), practice)
  work(make(), practice)
  return work(make(), files)
}

function work({ fill, measured }: ReturnType<FsSystem['make']>, files: number): FsSample {
  const directories = Math.ceil(files / PER_DIRECTORY)
  const paths: string[] = []
  for (let n = 0; n < files; n++) paths.push(`/d${n % directories}/file-${n}`)
  for (let n = 0; n < directories; n++) fill.mkdir(`/d${n}`)
  const before = heap()
  const create = each(paths, (path) => fill.create(path))
  const bytesPerFile = (heap() - before) / files
  for (const path of paths) fill.append(path)
  const on = measured()
  const first = each(paths, (path) => expect(on.lookup(path), 4096, path))
  // What knows a file has been made by `create`, or by the first look where the files lie below. After either the heap is collected: what
  // V8 has not moved together yet lies among garbage, and takes a third longer to look at.
  heap()
  const looks = Array.from({ length: LOOKS }, () => each(paths, (path) => expect(on.lookup(path), 4096, path)))
  const lookup = looks.reduce((sum, look) => sum + look, 0) / LOOKS
  const read = each(paths, (path) => expect(on.read(path), 4096, path))
  const append = each(paths, (path) => on.append(path))
  expect(on.read(paths[0]!), 8192, paths[0]!)
  const rename = each(paths, (path) => on.rename(path, `${path}~`))
  let entries = 0
  const listed = each(paths.slice(0, directories), (_, n) => {
    entries += on.readdir(`/d${n}`)
  })
  expect(entries, files, 'entries')
  const readdir = (listed * directories) / files
  return { micros: { create, 'first look': first, lookup, read, append, rename, readdir }, bytesPerFile }
}

function each(paths: readonly string[], act: (path: string, n: number) => void): number {
  const start = process.cpuUsage()
  for (let n = 0; n < paths.length; n++) act(paths[n]!, n)
  const { user, system } = process.cpuUsage(start)
  return (user + system) / paths.length
}

/** Bytes of JavaScript's heap that are in use. */
function heap(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

function expect(found: number, expected: number, path: string): void {
  if (found !== expected) throw new Error(`${path}: ${found} where ${expected} was expected`)
}
