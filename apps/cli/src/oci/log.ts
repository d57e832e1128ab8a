/** Where errors go: to standard error, and to `--log` in runc's two formats, which those that call a runtime read. */
import { appendFileSync } from 'node:fs'
import { isVmexitError } from '@vmexit/core'

/** Global options that say where. */
export interface LogOptions {
  readonly log?: string
  readonly logFormat: 'text' | 'json'
}

/** What those that call a runtime tell errors apart by: words of Go's and of the C library's. */
const WORDS: Readonly<Record<string, string>> = {
  'container-program-missing': 'executable file not found in $PATH',
  'container-program': 'permission denied',
  'exec-failed': 'exec format error',
}

/** An error, for people and for programs. */
export function errorText(error: unknown): string {
  if (!isVmexitError(error))
    return error instanceof Error && 'syscall' in error ? error.message : `${(error as Error).stack}`
  const word = WORDS[error.code]
  return word === undefined ? error.message : `${error.message}: ${word}`
}

/** Writes a line. It is not an error where a log cannot be written: standard error has it. */
export function log({ log: path, logFormat }: LogOptions, level: 'error' | 'warning' | 'debug', msg: string): void {
  if (level !== 'debug') process.stderr.write(`vmexit oci: ${msg}\n`)
  if (path === undefined) return
  const time = new Date().toISOString()
  const line =
    logFormat === 'json'
      ? JSON.stringify({ level, msg, time })
      : `time="${time}" level=${level} msg=${JSON.stringify(msg)}`
  try {
    appendFileSync(path, `${line}\n`)
  } catch (error) {
    process.stderr.write(`vmexit oci: ${path} cannot be written (${(error as Error).message})\n`)
  }
}
