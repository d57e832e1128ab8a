/** Says where two outcomes of a sequence differ. */
import type { Operation, Outcome, Result, Sequence } from './operations.ts'

/** The first differences, for people; none if there are none. */
export function differences(sequence: Sequence, kernel: Outcome, ours: Outcome): string[] {
  const found: string[] = []
  kernel.results.forEach((results, part) => {
    const operations = sequence.lower[part] ?? sequence.operations
    results.forEach((result, index) => {
      const own = shown(ours.results[part]![index]!)
      const theirs = shown(
        operations[index]![0] === 'fstat' ? withoutName(result, ours.results[part]![index]!) : result,
      )
      if (theirs !== own)
        found.push(`${nameOf(sequence, part)} ${index} ${said(operations[index]!)}: ${theirs}, ours ${own}`)
    })
  })
  for (const [where, theirs, own] of pairs(sequence, kernel, ours)) {
    for (const path of new Set([...Object.keys(theirs), ...Object.keys(own)])) {
      const [a, b] = [entry(theirs[path], where), entry(own[path], where)]
      if (a !== b) found.push(`${where} ${path || '.'}: ${a}, ours ${b}`)
    }
  }
  return found
}

function pairs({ options }: Sequence, kernel: Outcome, ours: Outcome): [string, Outcome['tree'], Outcome['tree']][] {
  const merged: [string, Outcome['tree'], Outcome['tree']] = ['merged', kernel.tree, ours.tree]
  // Which names of an indexed file the upper layer has is each one's own affair.
  if (kernel.upper === null || ours.upper === null || options.includes('index=on')) return [merged]
  return [merged, ['upper', kernel.upper, ours.upper]]
}

/** A lower file that is open and has been removed keeps its link count on Linux; here it is 0. */
function withoutName([errno, answer]: Result, [, ours]: Result): Result {
  if (!Array.isArray(answer) || !Array.isArray(ours) || ours[1] !== 0) return [errno, answer]
  return [errno, answer.map((value, index) => (index === 1 ? 0 : value))]
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

function entry(values: readonly unknown[] | undefined, where: string): string {
  if (values === undefined) return 'absent'
  const attributes = { ...(values[9] as Record<string, string>) }
  if (where === 'upper') for (const name of own) delete attributes[name]
  const shownValues = values.map((value, index) =>
    index === 9 ? Object.fromEntries(Object.entries(attributes).sort()) : value,
  )
  // The index holds a link of its own; times of directories there are of no account.
  if (where === 'upper') for (const index of [1, 6, 7, 8]) shownValues[index] = null
  return short(JSON.stringify(shownValues))
}
