/** What the commands of the OCI runtime do. Each answers its exit code. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { Signal } from '@vmexit/linux'
import { ask } from './control.ts'
import { type CreateOptions, create } from './create.ts'
import { ContainerFolder, type Creation, RuntimeDirectory } from './directory.ts'
import { exampleConfig, features } from './documents.ts'
import { type ExecOptions, exec } from './execute.ts'
import type { GlobalOptions } from './global-options.ts'
import { runHooks } from './hooks.ts'
import { errorText, log } from './log.ts'
import { terminalSize } from './pump.ts'
import { printedState, readBundle, stateOf } from './state.ts'

/** Options of `create` beside the global ones. */
type Creating = Omit<CreateOptions, keyof GlobalOptions>

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const
/** Milliseconds in which a process that was killed is gone. */
const PATIENCE = 10_000

/** Does something, and says what is wrong where it does not: exit code 1. */
export async function guarded(globals: GlobalOptions, act: () => Promise<number>): Promise<void> {
  if (globals.debug === true) log(globals, 'debug', process.argv.slice(2).join(' '))
  try {
    process.exitCode = await act()
  } catch (error) {
    log(globals, 'error', errorText(error))
    process.exitCode = 1
  }
}

export async function createOnly(globals: GlobalOptions, id: string, options: Creating): Promise<number> {
  warnOfMissing(globals)
  await create(directory(globals), id, { ...options, ...globals })
  return 0
}

export async function start(globals: GlobalOptions, id: string): Promise<number> {
  const folder = directory(globals).find(id)
  const { phase } = folder
  if (phase !== 'created')
    throw new VmexitError('oci-state', {
      problem: `cannot start a container that is ${phase}`,
      remedy: phase === 'stopped' ? 'delete it, and create it again' : 'it runs already',
    })
  await ask(folder.socket, { do: 'start' })
  return 0
}

export async function run(
  globals: GlobalOptions,
  id: string,
  { detach = false, keep = false, ...options }: Creating & { readonly detach?: boolean; readonly keep?: boolean },
): Promise<number> {
  warnOfMissing(globals)
  const { folder, ended } = await create(directory(globals), id, { ...options, ...globals }, !detach)
  const { socket } = folder
  if (detach) {
    await ask(socket, { do: 'start' })
    return 0
  }
  for (const name of SIGNALS)
    process.on(name, () => void ask(socket, { do: 'kill', signal: Signal[name], all: false }).catch(() => {}))
  const resize = (): void => {
    const size = terminalSize()
    if (size !== undefined) void ask(socket, { do: 'resize', size }).catch(() => {})
  }
  process.stdout.on('resize', resize)
  const alive = setInterval(() => {}, 2 ** 30)
  await ask(socket, { do: 'start' })
  const exitCode = await ended
  clearInterval(alive)
  process.stdout.off('resize', resize)
  if (!keep) forget(folder)
  return exitCode
}

export async function state(globals: GlobalOptions, id: string): Promise<number> {
  print(JSON.stringify(printedState(directory(globals).find(id)), undefined, 2))
  return 0
}

export async function kill(globals: GlobalOptions, id: string, name: string, all: boolean): Promise<number> {
  const folder = directory(globals).find(id)
  if (folder.phase === 'stopped' && all) return 0
  await ask(folder.socket, { do: 'kill', signal: signalOf(name), all })
  return 0
}

export async function remove(globals: GlobalOptions, id: string, isForced: boolean): Promise<number> {
  let folder: ContainerFolder
  try {
    folder = directory(globals).find(id)
  } catch (error) {
    if (isForced) return 0
    throw error
  }
  const { phase } = folder
  if ((phase === 'running' || phase === 'paused') && !isForced)
    throw new VmexitError('oci-state', {
      problem: `cannot delete container ${id} that is not stopped: ${phase}`,
      remedy: 'kill it, or give --force',
    })
  if (phase !== 'stopped') await end(folder)
  forget(folder)
  return 0
}

export async function execIn(
  globals: GlobalOptions,
  id: string,
  args: readonly string[],
  options: ExecOptions,
): Promise<number> {
  return await exec(directory(globals).find(id), args, options)
}

export async function freeze(globals: GlobalOptions, id: string, isFrozen: boolean): Promise<number> {
  const folder = directory(globals).find(id)
  const { phase } = folder
  if (phase !== (isFrozen ? 'running' : 'paused'))
    throw new VmexitError('oci-state', {
      problem: `container ${id} is ${phase}`,
      remedy: isFrozen ? 'pause what runs' : 'resume what is paused',
    })
  await ask(folder.socket, { do: 'freeze', isFrozen })
  return 0
}

export async function ps(globals: GlobalOptions, id: string, format: 'table' | 'json'): Promise<number> {
  const { processes } = await ask(directory(globals).find(id).socket, { do: 'ps' })
  const all = processes as { pid: number; args: string }[]
  if (format === 'json') print(JSON.stringify(all.map(({ pid }) => pid)))
  else print(['  PID COMMAND', ...all.map(({ pid, args }) => `${String(pid).padStart(5)} ${args}`)].join('\n'))
  return 0
}

export async function list(
  globals: GlobalOptions,
  { quiet = false, format }: { readonly quiet?: boolean; readonly format: 'table' | 'json' },
): Promise<number> {
  const all = directory(globals).list()
  if (quiet) for (const { id } of all) print(id)
  else if (format === 'json') print(JSON.stringify(all.map(printedState)))
  else {
    const rows = all.map(({ id, pid, phase, creation }) => [
      id,
      String(pid ?? 0),
      phase,
      creation.bundle,
      creation.created,
    ])
    const table = [['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED'], ...rows]
    const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
    for (const row of table)
      print(
        row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('   ')
          .trimEnd(),
      )
  }
  return 0
}

export async function spec(bundle: string): Promise<number> {
  mkdirSync(bundle, { recursive: true })
  writeFileSync(join(bundle, 'config.json'), `${JSON.stringify(exampleConfig(), undefined, 2)}\n`, { flag: 'wx' })
  return 0
}

export async function printFeatures(): Promise<number> {
  print(JSON.stringify(features(), undefined, 2))
  return 0
}

/** The host process of a folder. */
export async function hostOf(path: string): Promise<never> {
  const creation = JSON.parse(readFileSync(join(path, 'create.json'), 'utf8')) as Creation
  return await (await import('./host.ts')).hostContainer(new ContainerFolder(path, creation))
}

/** What is left out is said. */
function warnOfMissing(globals: GlobalOptions): void {
  if (globals.without.length > 0) log({ ...globals }, 'debug', `mounts are left out: ${globals.without.join(', ')}`)
}

/** Kills it, and returns when its process is gone. */
async function end(folder: ContainerFolder): Promise<void> {
  const { pid } = folder
  if (folder.phase === 'paused') await ask(folder.socket, { do: 'freeze', isFrozen: false }).catch(() => {})
  await ask(folder.socket, { do: 'kill', signal: Signal.SIGKILL, all: false }).catch(() => {})
  for (let waited = 0; folder.pid !== undefined; waited += 10) {
    if (waited === PATIENCE / 2 && pid !== undefined) process.kill(pid, 'SIGKILL')
    if (waited > PATIENCE)
      throw new VmexitError('oci-state', { problem: `${folder.id} does not end`, remedy: `kill its process ${pid}` })
    await new Promise((done) => setTimeout(done, 10))
  }
}

/** Deletes what is known of one that has ended. Hooks that fail are no reason not to ("Lifecycle", 13). */
function forget(folder: ContainerFolder): void {
  const { creation } = folder
  try {
    if (creation.hooks) {
      const config = readBundle(creation.bundle)
      runHooks(config.hooks?.poststop, stateOf(folder, config, 'stopped'))
    }
  } catch (error) {
    process.stderr.write(`vmexit oci: ${errorText(error)}\n`)
  }
  folder.remove()
}

function directory({ root }: GlobalOptions): RuntimeDirectory {
  return new RuntimeDirectory(root)
}

function signalOf(name: string): number {
  const word = name.toUpperCase()
  const number = /^[0-9]+$/.test(word)
    ? Number(word)
    : Signal[(word.startsWith('SIG') ? word : `SIG${word}`) as keyof typeof Signal]
  if (number !== undefined && number >= 1 && number <= 64) return number
  throw new VmexitError('oci-options', { problem: `there is no signal ${name}`, remedy: 'give one of signal(7)' })
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
