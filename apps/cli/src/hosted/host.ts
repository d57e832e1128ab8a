/**
 * The host process of an instance: it opens what the instance is, says so to whoever started it, runs it to its end,
 * and records that.
 */
import { rmSync } from 'node:fs'
import { constants } from 'node:os'
import { isVmexitError } from '@vmexit/core'
import { ConsoleLog } from './console-log.ts'
import type { Hosted, HostedEnd, OpenHosted } from './hosted.ts'
import { type Exit, readRecord, writeRecord } from './instance.ts'
import { listen } from './server.ts'
import { socketPath } from './state-directory.ts'

/** Why an instance does not run, between processes; undefined if it runs. */
export type StartMessage =
  | { readonly failure?: undefined }
  | { readonly failure: { readonly code: string; readonly problem: string; readonly remedy: string } }
  | { readonly failure: { readonly stack: string } }

/** Runs the instance of a folder, and ends this process as it ended. `kinds` gives what opens each kind. */
export async function host(folder: string, kinds: () => Promise<Readonly<Record<string, OpenHosted>>>): Promise<never> {
  const starter = new Starter(folder)
  const interrupts = new Interrupts()
  let hosted: Hosted
  try {
    const { kind, name, what, options } = readRecord(folder, 'instance')!
    // For ps and top, of which the latter shows the first 15 characters.
    process.title = `vmexit ${name} ${what}`
    hosted = await (await kinds())[kind]!(options)
    await run(folder, hosted, interrupts, () => starter.tell({}))
  } catch (error) {
    await starter.tell(failureOf(error))
    process.stderr.write(`${wordOf(error)}\n`)
    process.exit(1)
  }
  process.exit()
}

/** Runs, from where it can be asked to where it can be no more. */
async function run(
  folder: string,
  hosted: Hosted,
  interrupts: Interrupts,
  running: () => Promise<void>,
): Promise<void> {
  await using _hosted = hosted
  using log = new ConsoleLog(folder)
  const about = { pid: process.pid, started: new Date().toISOString() }
  writeRecord(folder, 'host', about)
  await using server = await listen(socketPath(folder), { process: about, log, hosted })
  hosted.onOutput((bytes) => {
    log.append(bytes)
    server.printed()
  })
  await running()
  const exit = await exitOf(hosted, interrupts)
  // Before those who watch are hung up on: they look for it then.
  writeRecord(folder, 'exit', exit)
  process.exitCode = exit.exitCode
}

async function exitOf(hosted: Hosted, interrupts: Interrupts): Promise<Exit> {
  const ended = (end: HostedEnd) => ({ ...end, at: new Date().toISOString() })
  try {
    const end = await hosted.run(interrupts.signal)
    return ended({ ...end, exitCode: interrupts.exitCode ?? end.exitCode })
  } catch (error) {
    return ended({ exitCode: 1, word: wordOf(error) })
  }
}

/** The signals that end a run. */
class Interrupts {
  readonly #control = new AbortController()
  #exitCode: number | undefined

  constructor() {
    for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(name, () => {
        this.#exitCode ??= 128 + constants.signals[name]
        this.#control.abort()
      })
    }
  }

  get signal(): AbortSignal {
    return this.#control.signal
  }

  /** As shells give it; undefined without a signal. */
  get exitCode(): number | undefined {
    return this.#exitCode
  }
}

/** Whoever waits for the start. Where they are gone before it, nobody will ever know of this instance, and it ends. */
class Starter {
  readonly #abandoned: () => void

  constructor(folder: string) {
    this.#abandoned = () => {
      rmSync(folder, { recursive: true, force: true })
      process.exit(1)
    }
    process.on('disconnect', this.#abandoned)
  }

  /** Says how it went, once. */
  async tell(message: StartMessage): Promise<void> {
    process.off('disconnect', this.#abandoned)
    if (!process.connected) return
    await new Promise((resolve) => process.send!(message, undefined, {}, resolve))
    process.disconnect()
  }
}

function failureOf(error: unknown): StartMessage {
  if (!isVmexitError(error)) return { failure: { stack: wordOf(error) } }
  const { code, problem, remedy } = error
  return { failure: { code, problem, remedy } }
}

function wordOf(error: unknown): string {
  if (isVmexitError(error)) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : `${error}`
}
