/**
 * What is known of an instance: a thing that runs in a host process of its own, in the background.
 *
 * ```
 * ID/instance.json      what was started, written by whoever starts it
 * ID/host.json          the process, written by it when it runs
 * ID/exit.json          how it ended, written by it at the end
 * ID/console-*.log      what was printed
 * ID/host.log           what the process itself had to say
 * ID/ctl.sock           where it is asked; a named pipe on Windows
 * ```
 * Each JSON file is written once and as a whole.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
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
    if (record !== 'instance' || contents.version === 1) return contents
  } catch {
    // Told below.
  }
  throw new VmexitError('instance-file', {
    problem: `${path} is not what this vmexit writes`,
    remedy: 'use the vmexit that started it, or delete its folder',
  })
}

/** Writes one of the files, so that nobody sees half of it. */
export function writeRecord<K extends keyof Contents>(folder: string, record: K, contents: Contents[K]): void {
  const path = join(folder, files[record])
  writeFileSync(`${path}.new`, `${JSON.stringify(contents, undefined, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
