/** What tests of this folder share: folders, packages and programs that are not there. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Outcome, Run } from '../src/guests/run.ts'

/** A folder that is deleted after the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'vmexit-guests-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Writes a file and the folders above it. */
export function put(path: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, contents)
}

/** How a program of a test ends. */
export const ended = (code: number | undefined, stdout = '', stderr = ''): Outcome => ({ code, stdout, stderr })

/** Programs by name; those that are not given do not exist. */
export function programs(known: Record<string, (args: readonly string[], cwd: string | undefined) => Outcome>): Run {
  return async (program, args, options) => known[program]?.(args, options?.cwd) ?? ended(undefined)
}

/** A module or program: an ELF32 file with the given sections. */
export function elf(sections: Record<string, string | Uint8Array>): Uint8Array {
  const names = ['', ...Object.keys(sections), '.shstrtab']
  const strings = Buffer.from(`${names.join('\0')}\0`, 'latin1')
  const bodies = [Buffer.alloc(0), ...Object.values(sections).map((body) => Buffer.from(body as string)), strings]
  const file = Buffer.alloc(52 + bodies.reduce((sum, body) => sum + body.length, 0) + 40 * bodies.length)
  file.write('\x7fELF\x01\x01\x01', 'latin1')
  let at = 52
  const table = file.length - 40 * bodies.length
  for (const [index, body] of bodies.entries()) {
    const header = table + 40 * index
    file.writeUInt32LE(
      names.slice(0, index).reduce((sum, name) => sum + name.length + 1, 0),
      header,
    )
    file.writeUInt32LE(at, header + 16)
    file.writeUInt32LE(body.length, header + 20)
    body.copy(file, at)
    at += body.length
  }
  file.writeUInt32LE(table, 32)
  file.writeUInt16LE(40, 46)
  file.writeUInt16LE(bodies.length, 48)
  file.writeUInt16LE(bodies.length - 1, 50)
  return file
}

/** A program that is linked with libraries. */
export function linkedWith(...libraries: string[]): Uint8Array {
  const dynamic = Buffer.alloc(8 * (libraries.length + 1))
  for (const [index] of libraries.entries()) {
    dynamic.writeUInt32LE(1, 8 * index)
    dynamic.writeUInt32LE(1 + libraries.slice(0, index).reduce((sum, name) => sum + name.length + 1, 0), 8 * index + 4)
  }
  return elf({ '.dynamic': dynamic, '.dynstr': `\0${libraries.join('\0')}\0` })
}

/** Bytes in which the applets of a busybox are found. */
export const fakeBusybox: Uint8Array = Buffer.from(
  `\x7fELF...\0${['[', '[[', 'cttyhack', 'ls', 'mount', 'poweroff', 'setsid', 'sh', 'zcat'].join('\0')}\0\0sh\0`,
  'latin1',
)
