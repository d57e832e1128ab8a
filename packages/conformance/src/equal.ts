/** Comparing and showing values of plain data. */

/** Whether two values of plain data are the same, all the way down. Numbers are the same as `Object.is` says. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof Uint8Array !== b instanceof Uint8Array || Array.isArray(a) !== Array.isArray(b)) return false
  const [keysA, keysB] = [Object.keys(a), Object.keys(b)]
  const fields = (value: object) => value as Readonly<Record<string, unknown>>
  return keysA.length === keysB.length && keysA.every((key) => key in b && same(fields(a)[key], fields(b)[key]))
}

/** A value in an error's words: JSON, bytes in hexadecimal, not too long. */
export function show(value: unknown): string {
  const text = JSON.stringify(value, (_, inner) => {
    if (inner instanceof Uint8Array) return `bytes ${[...inner.subarray(0, 32)].map(twoDigits).join(' ')}`
    return typeof inner === 'number' && !Number.isFinite(inner) ? `${inner}` : inner
  })
  if (text === undefined) return `${value}`
  return text.length > 400 ? `${text.slice(0, 400)}…` : text
}

/** Paths at which two values differ, a few of them: `counters.0.out`. */
export function differences(a: unknown, b: unknown, path = ''): string[] {
  if (same(a, b)) return []
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return [path]
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  const fields = (value: object) => value as Readonly<Record<string, unknown>>
  const found: string[] = []
  for (const key of keys) {
    found.push(...differences(fields(a)[key], fields(b)[key], path === '' ? key : `${path}.${key}`))
    if (found.length >= 5) break
  }
  return found
}

function twoDigits(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
