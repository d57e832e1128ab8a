/** Says where two outcomes of a sequence differ. */
import { Errno, Mode } from '@vmexit/vfs'
import type { Operation, Outcome, Result, Sequence } from './operations.ts'

/** The first differences, for people; none if there are none. */
export function differences(sequence: Sequence, kernel: Outcome, ours: Outcome): string[] {
  if (isErratic(kernel) || isErratic(ours)) return []
  const found: string[] = []
  kernel.results.forEach((results, part) => {
    const operations = sequence.lower[part]?.operations ?? sequence.operations
    results.forEach((result, index) => {
      const [theirs, own] = comparable(sequence, operations[index]![0], result, ours.results[part]![index]!).map(shown)
      if (theirs !== own)
        found.push(`${nameOf(sequence, part)} ${index} ${said(operations[index]!)}: ${theirs}, ours ${own}`)
    })
  })
  // Data that follow attributes are a write on Linux; here a copy-up leaves the times as they are.
  const lateData = sequence.options.includes('metacopy=on')
  for (const [where, theirs, own] of pairs(sequence, kernel, ours)) {
    for (const path of new Set([...Object.keys(theirs), ...Object.keys(own)])) {
      const kernel = theirs[path]
      const late = lateData && kernel?.[7] === 'now' && ((kernel[0] as number) & Mode.IFMT) === Mode.IFREG
      const [a, b] = [kernel, own[path]].map((values) => entry(late && values?.[7] ? values.with(7, null) : values, where, sequence))
      if (a !== b) found.push(`${where} ${path || '.'}: ${a}, ours ${b}`)
    }
  }
  return found
}

/** ESTALE: redirects show one directory in two places, which Linux takes now so and now so. */
function isErratic({ results, tree }: Outcome): boolean {
  return results.flat().some(([errno]) => errno === Errno.ESTALE) || Object.values(tree).some(([errno]) => errno === Errno.ESTALE)
}

function pairs({ options }: Sequence, kernel: Outcome, ours: Outcome): [string, Outcome['tree'], Outcome['tree']][] {
  const merged: [string, Outcome['tree'], Outcome['tree']] = ['merged', kernel.tree, ours.tree]
  // Which names of an indexed file the upper layer has is each one's own affair.
  if (kernel.upper === null || ours.upper === null || options.includes('index=on')) return [merged]
  return [merged, ['upper', kernel.upper, ours.upper]]
}

/** Two results without the link counts that are not to be compared. */
function comparable({ options }: Sequence, name: string, theirs: Result, ours: Result): Result[] {
  const [a, b] = [theirs[1], ours[1]]
  if ((name !== 'stat' && name !== 'fstat') || !Array.isArray(a) || !Array.isArray(b)) return [theirs, ours]
  // With metacopy data are brought over late, which is a write on Linux; here a copy-up leaves the times as they are.
  if (options.includes('metacopy=on') && a[7] === 'now') b[7] = a[7]
  // A lower file that is open and has been removed keeps its count on Linux; here it is 0.
  const removed = name === 'fstat' && b[1] === 0
  if (!removed && !(options.includes('index=on') && b[4] === -1)) return [theirs, ours]
  return [
    [0, a.with(1, null)],
    [0, b.with(1, null)],
  ]
}

function nameOf({ lower }: Sequence, part: number): string {
  return part < lower.length ? `layer ${part + 1}` : 'operation'
}

function said(operation: Operation): string {
  return short(JSON.stringify(operation))
}

function shown([errno, answer]: Result): string {
  return errno === 0 ? short(JSON.stringify(answer ?? null)) : `errno ${errno}`
}

function short(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}… (${text.length})` : text
}

/** Attributes of the upper layer whose values are the kernel's own affair. */
const own = ['trusted.overlay.origin', 'trusted.overlay.uuid', 'trusted.overlay.nlink', 'trusted.overlay.impure']

function entry(values: readonly unknown[] | undefined, where: string, { options }: Sequence): string {
  if (values === undefined) return 'absent'
  if (values.length === 1) return `errno ${values[0]}`
  const attributes = { ...(values[9] as Record<string, string>) }
  if (where === 'upper') for (const name of own) delete attributes[name]
  const shownValues = values.map((value, index) =>
    index === 9 ? Object.fromEntries(Object.entries(attributes).sort()) : value,
  )
  // The index holds a link of its own; times of directories there are of no account.
  if (where === 'upper') for (const index of [1, 6, 7, 8]) shownValues[index] = null
  // So does which of their directories are merged, and thus count no subdirectories.
  if (options.includes('index=on') && values[4] === -1) shownValues[1] = null
  return short(JSON.stringify(shownValues))
}
