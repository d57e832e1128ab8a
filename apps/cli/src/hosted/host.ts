/**
 * The host process of an instance: it opens what the instance is, says so to whoever started it, runs it to its end,
 * and records that. Others may join it, each with a folder and a socket of its own; it ends with the last of them.
 */
import { existsSync, rmSync } from 'node:fs'
import { constants } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { isVmexitError, VmexitError } from '@vmexit/core'
import { ConsoleLog } from './console-log.ts'
import type { Caller, Hosted, HostedEnd, Message, OpenHosted } from './hosted.ts'
import { type Exit, forget, readRecord, writeRecord } from './instance.ts'
import { holdFolder } from './lock.ts'
import { listen } from './server.ts'
import { StateDirectory, socketPath } from './state-directory.ts'

/** Why an instance does not run, between processes; undefined if it runs. */
export type StartMessage =
  | { readonly failure?: undefined }
  | { readonly failure: { readonly code: string; readonly problem: string; readonly remedy: string } }
  | { readonly failure: { readonly stack: string } }

/** What opens each kind, by its name. */
export type Kinds = () => Promise<Readonly<Record<string, OpenHosted>>>

/** Runs the instance of a folder, and ends this process as it ended. */
export async function host(folder: string, kinds: Kinds): Promise<never> {
  const starter = new Starter(folder)
  const instances = new Instances(kinds)
  let exit: Exit
  try {
    const { name, what } = instanceOf(folder)
    // For ps and top, of which the latter shows the first 15 characters.
    process.title = `vmexit ${name} ${what}`
    exit = await instances.run(folder, starter)
  } catch (error) {
    await starter.tell(failureOf(error))
    process.stderr.write(`${wordOf(error)}\n`)
    process.exit(1)
  }
  await instances.ended
  process.exit(exit.exitCode)
}

/** Who waits for a start. */
interface Waiting {
  /** It runs. */
  running(): Promise<void>
  /** Resolves when whoever started it has come to watch, or is gone: what is printed is for them. */
  readonly attended: Promise<void>
}

/** All that run in this process. */
class Instances {
  readonly #kinds: Kinds
  readonly #interrupts = new Interrupts()
  readonly #all = new Set<Promise<unknown>>()

  constructor(kinds: Kinds) {
    this.#kinds = kinds
  }

  /** When none runs any more. */
  get ended(): Promise<void> {
    return (async () => {
      while (this.#all.size > 0) await Promise.allSettled(this.#all)
    })()
  }

  /** Runs one to its end. Throws what is wrong with it before it runs. */
  run(folder: string, waiting: Waiting): Promise<Exit> {
    const ended = this.#run(folder, waiting)
    this.#all.add(ended)
    const forgotten = (): void => void this.#all.delete(ended)
    ended.then(forgotten, forgotten)
    return ended
  }

  /** From where it can be asked to where it can be no more. */
  async #run(folder: string, waiting: Waiting): Promise<Exit> {
    let exit: Exit
    let isLeft: boolean
    {
      using _lock = await holdFolder(folder)
      const { kind, id, options, remove } = instanceOf(folder)
      await using hosted = await (await this.#kinds())[kind]!(options, { folder, id })
      using log = ConsoleLog.resume(folder)
      const about = { pid: process.pid, started: new Date().toISOString() }
      const path = socketPath(folder)
      // Whoever listened there is gone: it had the lock.
      if (process.platform !== 'win32') rmSync(path, { force: true })
      forget(folder, 'exit')
      writeRecord(folder, 'host', about)
      await using server = await listen(path, {
        ...{ process: about, log, began: log.end, hosted },
        answers: { adopt: (request, caller) => this.#adopt(dirname(folder), request, caller) },
      })
      hosted.onOutput((bytes, stream) => {
        log.append(bytes, stream)
        server.printed()
      })
      await waiting.running()
      exit = await exitOf(hosted, this.#interrupts)
      await waiting.attended
      // Before those who watch are hung up on: they look for it then.
      writeRecord(folder, 'exit', exit)
      await server.tellEnd(exit, remove !== true)
      isLeft = remove !== true || server.isClaimed
    }
    if (!isLeft && existsSync(folder))
      new StateDirectory(dirname(folder)).remove({ folder, instance: instanceOf(folder) })
    return exit
  }

  /** Another one joins. Whoever asks is told when it runs, and hangs up when it need not be waited for. */
  async #adopt(root: string, { id, attended }: Message, { gone, tell }: Caller): Promise<undefined> {
    const { instance, folder } = new StateDirectory(root).withId(`${id}`)
    if (basename(folder) !== instance.id) return
    const leaving = new Promise<void>((done) => gone.addEventListener('abort', () => done(), { once: true }))
    await new Promise<void>((begun, failed) => {
      this.run(folder, {
        running: async () => begun(),
        attended: attended === true ? leaving : Promise.resolve(),
      }).catch(failed)
    })
    tell({ runs: instance.id })
  }
}

function instanceOf(folder: string) {
  const instance = readRecord(folder, 'instance')
  if (instance !== undefined) return instance
  throw new VmexitError('instance-unknown', {
    problem: `${join(folder, 'instance.json')} is not there`,
    remedy: 'see `vmexit ps -a`',
  })
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

/**
 * Whoever waits for the start. Where they are gone before it, nobody will ever know of this instance: what is new is forgotten, what has
 * run before stays as it was.
 */
class Starter implements Waiting {
  readonly #abandoned: () => void
  readonly attended: Promise<void>
  #tells = false

  constructor(folder: string) {
    const isNew = ['host.json', 'exit.json'].every((name) => !existsSync(join(folder, name)))
    this.#abandoned = () => {
      if (this.#tells) return
      if (isNew) rmSync(folder, { recursive: true, force: true })
      process.exit(1)
    }
    process.on('disconnect', this.#abandoned)
    this.attended = new Promise((done) => process.on('disconnect', () => done()))
  }

  running(): Promise<void> {
    return this.tell({})
  }

  /** Says how it went, once; who started it hangs up when it is to be left alone. */
  async tell(message: StartMessage): Promise<void> {
    this.#tells = true
    if (process.connected) await new Promise((resolve) => process.send!(message, undefined, {}, resolve))
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
