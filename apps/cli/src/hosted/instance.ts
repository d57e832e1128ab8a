/**
 * What is known of an instance: a thing that runs in a host process of its own, in the background.
 *
 * ```
 * ID/instance.json      what was started, written by whoever starts it
 * ID/host.json          the process, written by it when it runs
 * ID/exit.json          how it ended, written by it at the end
 * ID/console-*          what was printed
 * ID/lock               whose the folder is: the process that runs it, or one that changes it while nothing runs
 * ID/host.log           what the process itself had to say
 * ID/ctl.sock           where it is asked; a named pipe on Windows
 * ```
 * What runs it may have files of its own beside them. Each is replaced as a whole.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { VmexitError } from '@vmexit/core'

/** What was started. */
export interface Instance {
  readonly version: 1
  /** 32 hexadecimal digits. */
  readonly id: string
  readonly name: string
  /** What runs it: a name among those that `vmexit host` knows. */
  readonly kind: string
  /** What it is, for people. */
  readonly what: string
  /** ISO 8601. */
  readonly created: string
  /** For what runs it. */
  readonly options: unknown
  /** It is removed when it has ended. */
  readonly remove?: true
}

/** The process that runs it. */
export interface HostProcess {
  readonly pid: number
  /** ISO 8601. */
  readonly started: string
}

/** How it ended. */
export interface Exit {
  readonly exitCode: number
  /** ISO 8601. */
  readonly at: string
  /** What there is to say about it, if it is not what one would expect. */
  readonly word?: string | undefined
  /** What was counted, for those who ask for it. */
  readonly report?: Readonly<Record<string, unknown>> | undefined
}

const files = { instance: 'instance.json', host: 'host.json', exit: 'exit.json' } as const
interface Contents {
  readonly instance: Instance
  readonly host: HostProcess
  readonly exit: Exit
}

/**
 * Reads one of the files of an instance's folder; undefined where there is none. Throws a {@link VmexitError}
 * `instance-file`.
 */
export function readRecord<K extends keyof Contents>(folder: string, record: K): Contents[K] | undefined {
  const path = join(folder, files[record])
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
  try {
    const contents = JSON.parse(text)
    if (isRecord(record, contents)) return contents
  } catch {
    // Told below.
  }
  throw new VmexitError('instance-file', {
    problem: `${path} is not what this vmexit writes`,
    remedy:
      record === 'instance'
        ? `use the vmexit that started it, or delete the folder ${folder}`
        : `delete that file: then it counts as killed`,
  })
}

function isRecord(record: keyof Contents, contents: unknown): boolean {
  if (typeof contents !== 'object' || contents === null) return false
  const has = contents as Partial<Record<string, unknown>>
  if (record === 'host') return typeof has['pid'] === 'number' && typeof has['started'] === 'string'
  if (record === 'exit') return typeof has['exitCode'] === 'number' && typeof has['at'] === 'string'
  return has['version'] === 1 && ['id', 'name', 'kind', 'created'].every((key) => typeof has[key] === 'string')
}

/** It has not ended, whatever was written before. */
export function forget(folder: string, record: 'exit'): void {
  rmSync(join(folder, files[record]), { force: true })
}

/** Writes one of the files, so that nobody sees half of it. */
export function writeRecord<K extends keyof Contents>(folder: string, record: K, contents: Contents[K]): void {
  const path = join(folder, files[record])
  writeFileSync(`${path}.new`, `${JSON.stringify(contents, undefined, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
