/** Makes containers, and starts them: each in a host process of its own, with this process's streams or in the background. */
import { VmexitError } from '@vmexit/core'
import { codeOf } from '../hosted/console-commands.ts'
import { eachOf } from '../hosted/each.ts'
import type { Exit } from '../hosted/instance.ts'
import { useConsole } from '../hosted/program-console.ts'
import { type Started, start, startAgain } from '../hosted/start.ts'
import { type Found, StateDirectory } from '../hosted/state-directory.ts'
import { isAlive, statusOf } from '../hosted/status.ts'
import { openImages } from '../images/store.ts'
import { linesOf } from '../run-elf/statistics.ts'
import { asContainer, codeOfError, running } from './containers.ts'
import { type ContainerSpec, type SpecFlags, specOf } from './spec.ts'

/** What the command line says of a container that is made. */
export interface CreateFlags extends SpecFlags {
  readonly name?: string
  readonly rm?: true
  readonly join?: string
}

/** What it says of one that is run. */
export interface ContainerFlags extends CreateFlags {
  readonly detach?: true
  readonly detachKeys: readonly number[]
  readonly sigProxy: boolean
  readonly stats?: true
  readonly json?: true
}

/** What it says of those that are started. */
export interface StartFlags {
  readonly attach?: true
  readonly interactive?: true
  readonly detachKeys: readonly number[]
}

/** Runs it; answers its exit code, or that it has begun in the background. */
export async function runContainer(name: string, args: readonly string[], flags: ContainerFlags): Promise<number> {
  try {
    if (flags.tty && flags.interactive && !flags.detach && !process.stdin.isTTY)
      throw new VmexitError('run-terminal', {
        problem: '-it asks for a terminal, and standard input is none',
        remedy: 'leave -t out, or run it in one',
      })
    const { what, join } = await newContainer(name, args, flags, !flags.detach)
    const started = await start(what, { join })
    if (!flags.detach) return await attended(started, flags)
    started.leaveAlone()
    process.stdout.write(`${started.found.instance.id}\n`)
    return 0
  } catch (error) {
    process.exitCode = codeOfError(error)
    throw error
  }
}

/** `vmexit create`. */
export async function createContainer(name: string, args: readonly string[], flags: CreateFlags): Promise<void> {
  const { what } = await newContainer(name, args, flags, flags.interactive === true)
  process.stdout.write(`${new StateDirectory().create(what).instance.id}\n`)
}

/** What is to be kept of a new one, and whom it joins. */
async function newContainer(
  word: string,
  args: readonly string[],
  flags: CreateFlags,
  isAttended: boolean,
): Promise<{ readonly what: Parameters<StateDirectory['create']>[0]; readonly join: Found | undefined }> {
  const image = await openImages().find(word)
  const join = flags.join === undefined ? undefined : asContainer(new StateDirectory().find(flags.join))
  const options: ContainerSpec = {
    ...specOf({ id: image.id, name: word }, args, flags),
    ...(join !== undefined && { join: join.instance.id }),
    ...(isAttended && { once: true }),
  }
  const config = image.config.config ?? {}
  const command = [
    ...(options.entrypoint === undefined ? (config.Entrypoint ?? []) : [options.entrypoint]),
    ...(args.length > 0 ? args : options.entrypoint === undefined ? (config.Cmd ?? []) : []),
  ].join(' ')
  const shown = command.replace(/\s+/g, ' ')
  const what = `${word} "${shown.length > 24 ? `${shown.slice(0, 23)}…` : shown}"`
  return {
    what: { kind: 'container', name: flags.name, what, options, ...(flags.rm && { remove: true }) },
    join,
  }
}

/** With the streams of this process, to its end. */
async function attended(
  { found, leaveAlone }: Started,
  flags: Pick<ContainerFlags, 'interactive' | 'sigProxy' | 'detachKeys' | 'stats' | 'json'>,
): Promise<number> {
  const { began = 0, program = { tty: false, input: 'none' } as const } = await running(found)
  let text = ''
  const decoder = new TextDecoder()
  const end = await useConsole(found, {
    ...{ program, from: began, types: flags.interactive === true, forwards: flags.sigProxy },
    ...{ detachKeys: flags.detachKeys, watching: leaveAlone },
    ...(flags.json && { print: (bytes: Uint8Array) => void (text += decoder.decode(bytes, { stream: true })) }),
    ...(found.instance.remove && { over: () => new StateDirectory().remove(found) }),
  })
  if (end !== 'left' && end !== undefined) tell(end, text, flags)
  return codeOf(found, end)
}

function tell(
  { exitCode, report = {} }: Exit,
  output: string,
  { json, stats }: Pick<ContainerFlags, 'stats' | 'json'>,
): void {
  if (json) process.stdout.write(`${JSON.stringify({ exitCode, output, ...report }, undefined, 2)}\n`)
  else if (stats) process.stderr.write(linesOf(report))
}

/** `vmexit start`. */
export async function startContainers(words: readonly string[], flags: StartFlags): Promise<void> {
  const { attach, interactive, detachKeys } = flags
  const isAttended = attach === true || interactive === true
  if (isAttended && words.length > 1)
    throw new VmexitError('start-options', {
      problem: 'several containers cannot have one terminal',
      remedy: 'start one of them with -a or -i, or leave these out',
    })
  await eachOf(
    words,
    async (found) => {
      const started = await startOne(found)
      if (!isAttended) return started?.leaveAlone()
      const watched = started ?? { found, leaveAlone: () => {} }
      process.exitCode = await attended(watched, { ...(interactive && { interactive }), sigProxy: true, detachKeys })
    },
    { say: !isAttended },
  )
}

/** Starts one that does not run; nothing is done to one that does. */
export async function startOne(found: Found): Promise<Started | undefined> {
  const { spec } = asContainer(found)
  if (isAlive(await statusOf(found))) return undefined
  return await startAgain(found, { join: spec.join === undefined ? undefined : joined(spec.join) })
}

function joined(id: string): Found {
  try {
    return new StateDirectory().find(id)
  } catch {
    throw new VmexitError('not-running', {
      problem: `the container whose kernel it runs on (${id.slice(0, 12)}) is gone`,
      remedy: 'commit what it has changed, and run that image: vmexit commit',
    })
  }
}
