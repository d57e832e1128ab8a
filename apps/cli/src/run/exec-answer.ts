/** A further program of a container, whose streams are those of whoever asks; it runs on where they hang up. */
import type { Container, ContainerProcess } from '@vmexit/container'
import type { Answer, Caller, Message } from '../hosted/hosted.ts'
import { each } from './life.ts'
import { sizeOf } from './terminal-size.ts'

/** What is asked for. */
export interface ExecRequest {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly user?: string
  readonly tty: boolean
  readonly interactive: boolean
  readonly detach: boolean
  readonly rows: number
  readonly columns: number
}

export function execAnswer(container: Container): Answer {
  return (request, caller) => {
    const { args, env, cwd, user, tty, interactive, detach } = request as unknown as ExecRequest
    const program = container.spawn({
      ...{ args, env },
      ...(cwd !== undefined && { cwd }),
      ...(user !== undefined && { user }),
      ...(tty && { terminal: sizeOf(request) }),
    })
    const writer = program.stdin.getWriter()
    writer.closed.catch(() => {})
    const end = (): void => {
      if (!tty) void writer.close().catch(() => {})
    }
    if (!interactive || detach) end()
    if (detach) {
      for (const stream of [program.stdout, program.stderr]) void stream.cancel()
      return { started: true }
    }
    caller.receive(async (sent) => {
      if (!(sent instanceof Uint8Array)) control(program, sent)
      else if (sent.length === 0) end()
      else await writer.write(sent).catch(() => {})
    })
    caller.gone.addEventListener('abort', end)
    caller.tell({ started: true })
    void follow(program, caller)
    return undefined
  }
}

function control(program: ContainerProcess, request: Message): void {
  if (request['do'] === 'resize') program.resize(sizeOf(request))
  else if (request['do'] === 'kill') program.kill(request['signal'] as 'SIGTERM')
}

async function follow(program: ContainerProcess, { send, tell }: Caller): Promise<void> {
  try {
    const [status] = await Promise.all([
      program.exited,
      each(program.stdout, (bytes) => send('output', bytes)),
      each(program.stderr, (bytes) => send('errors', bytes)),
    ])
    tell({ exit: status })
  } catch (error) {
    tell({ error: `${error}` })
  }
}
