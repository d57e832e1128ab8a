/** What a saved state may be made of, and its way through JSON. */
import type { StateValue } from '@vmexit/core'

/** Paths at which a value is not what JSON can say, nor bytes: `timers.0 is undefined`. */
export function notPlain(value: unknown, path = ''): string[] {
  const at = path === '' ? 'it' : path
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return []
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? [] : [`${at} is ${value}`]
  if (value instanceof Uint8Array) return []
  if (Array.isArray(value)) return value.flatMap((each, i) => notPlain(each, `${path}[${i}]`))
  if (typeof value !== 'object') return [`${at} is ${typeof value}`]
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return [`${at} is an object of a class`]
  return Object.entries(value).flatMap(([key, each]) => notPlain(each, path === '' ? key : `${path}.${key}`))
}

/** A state as text: JSON, in which bytes are a record of their numbers. */
export function toText(value: StateValue): string {
  return JSON.stringify(value, (_, each) => (each instanceof Uint8Array ? { '@bytes': [...each] } : each))
}

/** What {@link toText} wrote. */
export function fromText(text: string): StateValue {
  return JSON.parse(text, (_, each) => {
    const bytes = typeof each === 'object' && each !== null ? each['@bytes'] : undefined
    return bytes === undefined ? each : Uint8Array.from(bytes)
  })
}
