/** What a kernel did with a few hundred sequences, kept beside this file. */
import { readFileSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import type { Outcome, Sequence } from './operations.ts'

/** Sequences and what came of them. */
export interface Recording {
  /** Whose doing it was: name and version. */
  readonly kernel: string
  readonly sequences: readonly (readonly [Sequence, Outcome])[]
}

const file = new URL('recording.json.br', import.meta.url)

export function writeRecording(recording: Recording): void {
  const text = Buffer.from(JSON.stringify(recording))
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 }
  writeFileSync(file, brotliCompressSync(text, { params }))
}

export function readRecording(): Recording {
  return JSON.parse(brotliDecompressSync(readFileSync(file)).toString()) as Recording
}
