/** What flags of containers are read by: numbers, sizes, lists, `NAME=value`. */
import { InvalidArgumentError } from 'commander'

/** A flag that can be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

export function whole(text: string): number {
  const value = Number(text)
  if (text !== '' && Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value
  throw new InvalidArgumentError('It must be a whole number from 0 to 4294967295.')
}

/** Above 0. */
export function number(text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError('It must be a number, as 0.5.')
}

export function size(text: string): string {
  if (/^[0-9]+(\.[0-9]+)?[kmgb]?(i?b)?$/i.test(text)) return text
  throw new InvalidArgumentError('It must be a size, as 64M.')
}

/** Seconds since 1970. */
export function time(text: string): number {
  return text === 'now' ? Math.floor(Date.now() / 1000) : whole(text)
}

/** `NAME=value` each; `NAME` alone is this process's, if it has it. */
export function variables(texts: readonly string[] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(texts.flatMap(variable))
}

function variable(text: string): readonly (readonly [string, string])[] {
  const at = text.indexOf('=')
  if (at >= 0) return [[text.slice(0, at), text.slice(at + 1)]]
  const value = process.env[text]
  return value === undefined ? [] : [[text, value]]
}
