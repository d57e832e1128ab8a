/**
 * Says where two outcomes of a sequence differ. What may differ, and is not compared:
 * - with `index`, which names of an indexed file the upper layer has: so neither the upper layers, nor the link counts
 *   of directories, which a copy-up of an entry merges;
 * - the same after a rename that was ENOTEMPTY: Linux has copied up before it looks;
 * - with `metacopy`, mtime of a file that has been opened for writing: bringing the data over is a write on Linux;
 * - the link count of a lower file that is open and has been removed: it stays on Linux, and is 0 here;
 * - holes that Linux's copy-up fills, which ours keeps;
 * - in upper layers, link counts and times of what the kernel's index also holds, and attributes of its own.
 */
import { Errno, Mode, Seek } from '@vmexit/vfs'
import type { Operation, Outcome, Result, Sequence } from './operations.ts'

/** What `stat` and the trees say of a file: the numbers of fields. */
const [MODE, NLINK, ATIME, MTIME, GROUP, ATTRIBUTES] = [0, 1, 6, 7, 8, 9]

type Entry = readonly unknown[]

/** The differences, for people; none if there are none. */
export function differences(sequence: Sequence, kernel: Outcome, ours: Outcome): string[] {
  const loose = isLoose(sequence, kernel)
  const found: string[] = []
  const compare = (where: string, theirs: unknown, own: unknown) => {
    const [a, b] = [JSON.stringify(theirs), JSON.stringify(own)]
    if (a !== b) found.push(`${where}: ${short(a)}, ours ${short(b)}`)
  }
  kernel.results.forEach((results, part) => {
    const operations = sequence.lower[part]?.operations ?? sequence.operations
    const name = part < sequence.lower.length ? `layer ${part + 1}` : 'operation'
    results.forEach((theirs, index) => {
      const operation = operations[index]!
      const own = ours.results[part]![index]!
      compare(
        `${name} ${index} ${short(JSON.stringify(operation))}`,
        ...resultsOf(sequence, loose, operation, theirs, own),
      )
    })
  })
  compareTrees('merged', kernel.tree, ours.tree, (a, b) => entries(sequence, loose, a, b), compare)
  if (kernel.upper !== null && ours.upper !== null && !loose) {
    compareTrees('upper', kernel.upper, ours.upper, (a, b) => entries(sequence, true, a, b).map(ofLayer), compare)
  }
  return found
}

function compareTrees(
  where: string,
  theirs: Outcome['tree'],
  ours: Outcome['tree'],
  prepare: (theirs: Entry | undefined, ours: Entry | undefined) => (Entry | undefined)[],
  compare: (where: string, theirs: unknown, ours: unknown) => void,
): void {
  for (const path of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
    const [a, b] = prepare(theirs[path], ours[path])
    compare(`${where} ${path || '.'}`, a, b)
  }
}

/** Whether it is not sure which directories are merged. */
function isLoose({ options, lower, operations }: Sequence, { results }: Outcome): boolean {
  const all = [...lower.map((layer) => layer.operations), operations]
  const refused = all.some((some, part) =>
    some.some(([name], index) => name === 'rename' && results[part]![index]![0] === Errno.ENOTEMPTY),
  )
  return refused || options.includes('index=on')
}

/** Two results as they are to be compared. */
function resultsOf(
  sequence: Sequence,
  loose: boolean,
  [name, , , whence]: Operation,
  theirs: Result,
  ours: Result,
): [Result, Result] {
  const [a, b] = [theirs[1], ours[1]]
  if (name === 'lseek' && fillsHole(whence, theirs, ours)) return [ours, ours]
  if ((name !== 'stat' && name !== 'fstat') || !Array.isArray(a) || !Array.isArray(b)) return [theirs, ours]
  const [left, right] = entries(sequence, loose || (name === 'fstat' && b[NLINK] === 0), a, b)
  return [
    [0, left],
    [0, right],
  ]
}

/** Whether SEEK_DATA or SEEK_HOLE found more data there than here. */
function fillsHole(whence: unknown, theirs: Result, ours: Result): boolean {
  if (theirs[0] !== 0) return false
  const [there, here] = [Number(theirs[1]), ours[0] === 0 ? Number(ours[1]) : Number.POSITIVE_INFINITY]
  return whence === Seek.SEEK_DATA ? there <= here : there >= here
}

/** What is known of a file there and here, as it is to be compared. */
function entries(
  { options }: Sequence,
  loose: boolean,
  theirs: Entry | undefined,
  ours: Entry | undefined,
): (Entry | undefined)[] {
  if (theirs === undefined || ours === undefined || theirs.length === 1 || ours.length === 1) return [theirs, ours]
  let both = [theirs, ours].map((entry) => (entry.length > ATTRIBUTES ? entry.with(ATTRIBUTES, sorted(entry)) : entry))
  const type = (theirs[MODE] as number) & Mode.IFMT
  if (loose && (type === Mode.IFDIR || ours[NLINK] === 0)) both = both.map((entry) => entry.with(NLINK, null))
  const late = options.includes('metacopy=on') && theirs[MTIME] === 'now' && type === Mode.IFREG
  return late ? both.map((entry) => entry.with(MTIME, null)) : both
}

/** Attributes of layers that are each one's own affair. */
const kernelOnly = ['origin', 'uuid', 'nlink', 'impure'].map((name) => `trusted.overlay.${name}`)

function ofLayer(entry: Entry | undefined): Entry | undefined {
  if (entry === undefined || entry.length === 1) return entry
  const kept = sorted(entry).filter(([name]) => !kernelOnly.includes(name))
  return [NLINK, ATIME, MTIME, GROUP].reduce<Entry>(
    (made, field) => made.with(field, null),
    entry.with(ATTRIBUTES, kept),
  )
}

function sorted(entry: Entry): [string, string][] {
  const attributes = entry[ATTRIBUTES] as Record<string, string> | [string, string][]
  return Array.isArray(attributes) ? attributes : Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))
}

function short(text = 'absent'): string {
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length})` : text
}
