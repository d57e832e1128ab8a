/** `create` and `run`: starts the host process of a container, and waits until it is there. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { openConsole } from './console.ts'
import type { ContainerFolder, RuntimeDirectory } from './directory.ts'
import type { HostMessage } from './host.ts'
import { readBundle } from './state.ts'

/** Options of `create`. */
export interface CreateOptions {
  readonly bundle: string
  readonly pidFile?: string
  readonly consoleSocket?: string
  readonly preserveFds?: number
  readonly hooks: boolean
  readonly without: readonly string[]
  readonly ram: string
}

/** A container that has been created. */
export interface Created {
  readonly folder: ContainerFolder
  /** Its host process ends as its program does. */
  readonly ended: Promise<number>
}

/** Creates it. `isForeground`: this process stands for its program. @throws VmexitError. */
export async function create(
  directory: RuntimeDirectory,
  id: string,
  options: CreateOptions,
  isForeground = false,
): Promise<Created> {
  const { pidFile, consoleSocket, preserveFds = 0, hooks, without, ram } = options
  if (preserveFds > 0)
    throw refused('--preserve-fds', 'a program on another kernel cannot have descriptors of this one')
  const bundle = resolve(options.bundle)
  const hasTerminal = readBundle(bundle).process?.terminal === true
  if (hasTerminal && consoleSocket === undefined && !isForeground)
    throw refused('process.terminal without --console-socket', 'nobody would be at the other end')
  if (!hasTerminal && consoleSocket !== undefined) throw refused('--console-socket', 'process.terminal is not set')
  const folder = directory.create({ id, bundle, created: new Date().toISOString(), hooks, without, ram })
  try {
    const descriptor = hasTerminal && consoleSocket !== undefined ? await openConsole(consoleSocket) : undefined
    const { pid, ended } = await startProcess(['oci-host', folder.path], descriptor, undefined)
    if (pidFile !== undefined) writeFileSync(pidFile, String(pid))
    return { folder, ended }
  } catch (error) {
    folder.remove()
    throw error
  }
}

/**
 * Starts this program in a session of its own, with this process's streams or a terminal, and waits until it says that it is there.
 * @throws VmexitError that it says instead.
 */
export async function startProcess(
  args: readonly string[],
  descriptor: number | undefined,
  message: object | undefined,
): Promise<{ readonly pid: number; readonly ended: Promise<number> }> {
  const stream = descriptor ?? 'inherit'
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], {
    detached: true,
    stdio: [stream, stream, stream, 'ipc'],
  })
  if (descriptor !== undefined) closeSync(descriptor)
  const ended = once(child, 'exit').then(([code]) => (code as number | null) ?? 137)
  const said = once(child, 'message').then(([first]) => first as HostMessage)
  if (message !== undefined) child.send(message)
  const outcome = await Promise.race([said, ended])
  if (typeof outcome === 'number')
    throw new VmexitError('oci-host', {
      problem: `the host process ended with ${outcome}`,
      remedy: 'see what it has said',
    })
  if (outcome.failure !== undefined) throw new VmexitError(outcome.failure.code, outcome.failure)
  if (child.connected) child.disconnect()
  child.unref()
  return { pid: child.pid!, ended }
}

function refused(what: string, why: string): VmexitError<'oci-options'> {
  return new VmexitError('oci-options', { problem: `${what}: ${why}`, remedy: 'leave it out' })
}
