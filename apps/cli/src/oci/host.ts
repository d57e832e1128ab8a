/** The host process of a container: it makes it, says so to whoever creates it, waits to be started, runs it, and ends as it ends. */
import { randomInt } from 'node:crypto'
import { openSync } from 'node:fs'
import { ContainerHost } from '@vmexit/container'
import { type OciConfig, OciContainer } from '@vmexit/container/oci'
import { isVmexitError } from '@vmexit/core'
import { Signal } from '@vmexit/linux'
import { hostVolume } from '@vmexit/vfs/node'
import { tuneHost } from '../boot/host.ts'
import { hostOf } from '../run-elf/run.ts'
import { serve } from './control.ts'
import type { ContainerFolder } from './directory.ts'
import { runHooks } from './hooks.ts'
import { pump, terminalSize } from './pump.ts'
import { readBundle, rootOf, stateOf } from './state.ts'

/** What whoever creates a container is told: that it is there, or why not. */
export type HostMessage = {
  readonly failure?: { readonly code: string; readonly problem: string; readonly remedy: string }
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const

/** Runs the container of a folder, and ends this process as its program ends. */
export async function hostContainer(folder: ContainerFolder): Promise<never> {
  tuneHost()
  process.title = `vmexit oci ${folder.id}`
  // Whoever creates it is gone before it is there: nobody will know of it.
  const abandoned = (): never => process.exit(1)
  process.on('disconnect', abandoned)
  const tell = async (message: HostMessage): Promise<void> => {
    process.off('disconnect', abandoned)
    if (!process.connected) return
    await new Promise((done) => process.send!(message, undefined, {}, done))
    process.disconnect()
  }
  try {
    const config = readBundle(folder.creation.bundle)
    const exitCode = await run(folder, config, () => tell({}))
    process.exit(exitCode)
  } catch (error) {
    await tell({ failure: failureOf(error) })
    process.exit(1)
  }
}

async function run(folder: ContainerFolder, config: OciConfig, created: () => Promise<void>): Promise<number> {
  const { bundle, id, hooks, without, ram } = folder.creation
  const hasTerminal = config.process?.terminal === true
  const started = Promise.withResolvers<void>()
  let isStarted = false
  const host = new ContainerHost({
    ...{ engine: 'jit', memory: ram, seed: randomInt(2 ** 31), epoch: Math.floor(Date.now() / 1000) },
    pace: (came) => {
      const pace = hostOf(
        { came },
        () => false,
        { idle: 'sleep' },
        () => false,
      )
      return { ...pace, pause: () => (isStarted ? pace.pause() : started.promise) }
    },
  })
  // By descriptors, which nobody can exchange for something else.
  const root = hostVolume(rootOf(bundle, config), { readOnly: true })
  const size = terminalSize()
  await using container = new OciContainer({
    ...{ id, config, host, root, hooks, without },
    bind: (source, readOnly) => {
      const fileSystem = hostVolume(source, { readOnly })
      return { fileSystem, file: fileSystem.file }
    },
    ...(size !== undefined && { size }),
  })
  const { main } = container
  const start = async (): Promise<void> => {
    if (isStarted) return
    isStarted = true
    folder.enter('running')
    started.resolve()
    if (hooks) runHooks(config.hooks?.poststart, stateOf(folder, config, 'running'))
  }
  try {
    folder.host()
    const server = await serve(folder.socket, {
      start,
      kill: (signal, all) => {
        if (all) container.killAll(signal)
        else main.kill(signal)
        // What was only created has no program to handle it.
        if (!isStarted && signal === Signal.SIGKILL) void start()
      },
      freeze: (isFrozen) => {
        container.freeze(isFrozen)
        folder.enter(isFrozen ? 'paused' : 'running')
      },
      processes: () => container.processes(),
      resize: (to) => main.resize(to),
      exec: (program, to) => container.exec(program, to),
    })
    for (const name of FORWARDED) process.on(name, () => main.kill(name))
    // A terminal tells its size to whoever it controls: the leader of a session gets the first one that it opens.
    if (hasTerminal && process.stdin.isTTY) openSync('/proc/self/fd/0', 'r+')
    if (hooks) {
      const state = stateOf(folder, config, 'creating')
      for (const time of ['prestart', 'createRuntime'] as const) runHooks(config.hooks?.[time], state)
    }
    folder.enter('created')
    // While it waits for what nobody has sent yet, this process is not at its end.
    const alive = setInterval(() => {}, 2 ** 30)
    await created()
    await started.promise
    const [{ exitCode }] = await Promise.all([container.exited, pump({ ...programOf(main) }, hasTerminal)])
    clearInterval(alive)
    server.close()
    return exitCode
  } finally {
    // What is ended before its start has to run to its end, too.
    isStarted = true
    started.resolve()
  }
}

function programOf(main: OciContainer['main']) {
  const { stdin, stdout, stderr } = main
  return { stdin, stdout, stderr, resize: (size: Parameters<typeof main.resize>[0]) => main.resize(size) }
}

function failureOf(error: unknown): NonNullable<HostMessage['failure']> {
  if (isVmexitError(error)) return { code: error.code, problem: error.problem, remedy: error.remedy }
  const { message, stack } = error as Error
  const isOfHost = error instanceof Error && 'syscall' in error
  return {
    code: 'oci-host',
    problem: isOfHost ? message : (stack ?? message),
    remedy: 'see whether the bundle is as it should be',
  }
}
