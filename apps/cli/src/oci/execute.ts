/** `exec`: a further program in a container. In the background a process stands for it, which ends as it does. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { TerminalSize } from '@vmexit/container'
import { type OciProcess, readOciProcess } from '@vmexit/container/oci'
import { isVmexitError, VmexitError } from '@vmexit/core'
import { Signal } from '@vmexit/linux'
import { openConsole } from './console.ts'
import { execute } from './control.ts'
import { startProcess } from './create.ts'
import type { ContainerFolder } from './directory.ts'
import { pump, terminalSize } from './pump.ts'
import { readBundle } from './state.ts'

/** Options of `exec`. */
export interface ExecOptions {
  readonly process?: string
  readonly detach?: boolean
  readonly tty?: boolean
  readonly pidFile?: string
  readonly consoleSocket?: string
  readonly preserveFds?: number
  readonly cwd?: string
  readonly env?: readonly string[]
  readonly user?: string
  readonly additionalGids?: readonly string[]
  readonly cap?: readonly string[]
  readonly noNewPrivs?: boolean
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const

/** What the process that stands for a program is told. */
interface ProxyMessage {
  readonly socket: string
  readonly program: OciProcess
}

/** Answers the exit code; of a program in the background 0 once it runs. @throws VmexitError. */
export async function exec(folder: ContainerFolder, args: readonly string[], options: ExecOptions): Promise<number> {
  const { phase } = folder
  if (phase !== 'running')
    throw new VmexitError('oci-stopped', { problem: `cannot exec in a container that is ${phase}`, remedy: 'start it' })
  if ((options.preserveFds ?? 0) > 0)
    throw new VmexitError('oci-options', {
      problem: '--preserve-fds: a program on another kernel cannot have descriptors of this one',
      remedy: 'leave it out',
    })
  const program = processOf(folder, args, options)
  const { consoleSocket, pidFile } = options
  if (options.detach !== true) return await foreground(folder.socket, program, pidFile)
  const needsConsole = program.terminal === true
  if (needsConsole && consoleSocket === undefined)
    throw new VmexitError('oci-options', {
      problem: 'a terminal in the background has no other end',
      remedy: 'give --console-socket',
    })
  const descriptor = needsConsole ? await openConsole(consoleSocket!) : undefined
  const message: ProxyMessage = { socket: folder.socket, program }
  const { pid } = await startProcess(['oci-exec'], descriptor, message)
  if (pidFile !== undefined) writeFileSync(pidFile, String(pid))
  return 0
}

/** The process that stands for a program in the background. */
export async function proxy(): Promise<never> {
  const { socket, program } = await new Promise<ProxyMessage>((done) =>
    process.once('message', done as (m: unknown) => void),
  )
  const tell = async (message: object): Promise<void> => {
    await new Promise((done) => process.send!(message, undefined, {}, done))
    process.disconnect()
  }
  try {
    process.exit(await foreground(socket, program, undefined, () => tell({})))
  } catch (error) {
    const { code, problem, remedy } = isVmexitError(error)
      ? error
      : { code: 'oci-host', problem: `${error}`, remedy: 'see whether the container runs' }
    if (process.connected) await tell({ failure: { code, problem, remedy } })
    process.exit(1)
  }
}

async function foreground(
  socket: string,
  program: OciProcess,
  pidFile: string | undefined,
  started?: () => Promise<void>,
): Promise<number> {
  const size: TerminalSize | undefined = terminalSize()
  const executed = await execute(socket, program, size)
  if (pidFile !== undefined) writeFileSync(pidFile, String(process.pid))
  await started?.()
  for (const name of FORWARDED) process.on(name, () => executed.kill(Signal[name]))
  const alive = setInterval(() => {}, 2 ** 30)
  const [{ exitCode }] = await Promise.all([executed.exited, pump(executed, program.terminal === true)])
  clearInterval(alive)
  return exitCode
}

/** The program: a file says all of it, or the options what is not as with the container's own. */
function processOf({ creation }: ContainerFolder, args: readonly string[], options: ExecOptions): OciProcess {
  const { tty, cwd, env = [], user, additionalGids, cap = [], noNewPrivs } = options
  if (options.process !== undefined) return readOciProcess(readFileSync(options.process))
  if (args.length === 0) throw new VmexitError('oci-options', { problem: 'no program was given', remedy: 'name one' })
  const own = readBundle(creation.bundle).process!
  const { consoleSize: _, ...rest } = own
  const [uid, gid] = (user ?? '').split(':')
  const caps = own.capabilities ?? {}
  const added = (names: readonly string[] = []): readonly string[] => [...new Set([...names, ...cap])]
  const program = {
    ...rest,
    ...{ args, terminal: tty === true, env: [...(own.env ?? []), ...env] },
    ...(cwd !== undefined && { cwd }),
    ...(user !== undefined && {
      user: { uid: Number(uid), ...(gid !== undefined && { gid: Number(gid) }) },
    }),
    ...(additionalGids !== undefined && {
      user: {
        ...own.user,
        ...(user !== undefined && { uid: Number(uid) }),
        additionalGids: additionalGids.map(Number),
      },
    }),
    ...(noNewPrivs === true && { noNewPrivileges: true }),
    ...(cap.length > 0 && {
      capabilities: {
        ...caps,
        ...{ bounding: added(caps.bounding), effective: added(caps.effective), permitted: added(caps.permitted) },
      },
    }),
  }
  return readOciProcess(new TextEncoder().encode(JSON.stringify(program)))
}
