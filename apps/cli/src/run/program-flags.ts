/** What runs in a container: its program, with what it is to run, and whether it reads and has a terminal. */
import type { ContainerOptions } from '@vmexit/container'
import type { Command } from 'commander'
import { collect, variables } from './flag-values.ts'

/** As commander gives them. */
export interface ProgramFlags {
  readonly entrypoint?: string
  readonly env?: readonly string[]
  readonly workdir?: string
  readonly user?: string
  readonly hostname?: string
  readonly interactive?: true
  readonly tty?: true
}

/** As they are kept. */
export interface ProgramPart {
  /** In the place of the image's Cmd; empty where nothing was said. */
  readonly args: readonly string[]
  readonly entrypoint?: string
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly user?: string
  readonly hostname?: string
  /** Its input is open. */
  readonly interactive: boolean
  readonly tty: boolean
}

export function programFlags(command: Command): Command {
  return command
    .optionsGroup('What runs:')
    .option('--entrypoint <program>', "in the place of the image's entrypoint, and of its command")
    .option('-e, --env <name=value>', 'a variable of its environment; without value that of this command', collect)
    .option('-w, --workdir <path>', 'where it starts')
    .option('-u, --user <user>', 'its user, and group behind a colon: names of the image, or numbers')
    .option('-h, --hostname <name>', 'the name that it sees')
    .option('-i, --interactive', 'it reads standard input')
    .option('-t, --tty', 'it has a terminal')
}

export function programPart(args: readonly string[], flags: ProgramFlags): ProgramPart {
  const { entrypoint, env, workdir, user, hostname, interactive = false, tty = false } = flags
  return {
    args,
    ...(entrypoint !== undefined && { entrypoint }),
    env: { ...(tty && interactive && { TERM: process.env['TERM'] ?? 'xterm' }), ...variables(env) },
    ...(workdir !== undefined && { cwd: workdir }),
    ...(user !== undefined && { user }),
    ...(hostname !== undefined && { hostname }),
    ...{ interactive, tty },
  }
}

export function programOptions(part: ProgramPart): Partial<ContainerOptions> {
  const { args, entrypoint, env, cwd, user, hostname } = part
  return {
    ...(args.length > 0 && { args }),
    ...(entrypoint !== undefined && { entrypoint: [entrypoint] }),
    env,
    ...(cwd !== undefined && { cwd }),
    ...(user !== undefined && { user }),
    ...(hostname !== undefined && { hostname }),
  }
}
