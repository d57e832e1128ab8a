/** `vmexit exec`: a further program in a container, with the streams of this process. */
import { VmexitError } from '@vmexit/core'
import { ask } from '../hosted/client.ts'
import { type Conversation, converse } from '../hosted/converse.ts'
import { followSize, forwardSignals, printTo, terminalSize, typeInput } from '../hosted/program-console.ts'
import { codeOfError, containerNamed, running } from './containers.ts'
import type { ExecRequest } from './exec-answer.ts'
import { variables } from './flag-values.ts'

/** As commander gives them. */
export interface ExecFlags {
  readonly interactive?: true
  readonly tty?: true
  readonly env?: readonly string[]
  readonly workdir?: string
  readonly user?: string
  readonly detach?: true
  readonly detachKeys: readonly number[]
}

/** Returns the exit code. */
export async function exec(word: string, args: readonly string[], flags: ExecFlags): Promise<number> {
  try {
    return await run(word, args, flags)
  } catch (error) {
    process.exitCode = codeOfError(error)
    throw error
  }
}

async function run(word: string, args: readonly string[], flags: ExecFlags): Promise<number> {
  const { interactive = false, tty = false, detach = false } = flags
  if (interactive && tty && !detach && !process.stdin.isTTY)
    throw new VmexitError('run-terminal', {
      problem: '-it asks for a terminal, and standard input is none',
      remedy: 'leave -t out, or run it in one',
    })
  const container = containerNamed(word)
  const status = await running(container)
  if (status.state === 'paused')
    throw new VmexitError('paused', {
      problem: `${container.instance.name} is paused`,
      remedy: `let it go on: vmexit unpause ${container.instance.name}`,
    })
  const request: ExecRequest & { readonly do: string } = {
    ...{ do: 'exec', args, interactive, tty, detach, ...terminalSize() },
    env: { ...(tty && { TERM: process.env['TERM'] ?? 'xterm' }), ...variables(flags.env) },
    ...(flags.workdir !== undefined && { cwd: flags.workdir }),
    ...(flags.user !== undefined && { user: flags.user }),
  }
  if (detach) {
    await ask(container, { ...request })
    return 0
  }
  const ends: (() => void)[] = []
  const begun = (conversation: Conversation): void => {
    const tell = async (message: Parameters<Conversation['tell']>[0]): Promise<void> => conversation.tell(message)
    ends.push(forwardSignals((signal) => tell({ do: 'kill', signal })))
    if (tty && process.stdout.isTTY) ends.push(followSize((size) => tell({ do: 'resize', ...size })))
    if (interactive) ends.push(typeInput(conversation, tty ? flags.detachKeys : [], !tty))
  }
  try {
    const last = await converse(container, { ...request }, { take: printTo, begun })
    const { exitCode = 0 } = (last?.['exit'] ?? {}) as { readonly exitCode?: number }
    return exitCode
  } finally {
    for (const end of ends) end()
  }
}
