/**
 * What runs in the background, in a host process each, whatever it is: how it is started, and the commands that deal
 * with it. They talk over a socket in a folder an instance (`instance.ts` says what else is there), in frames.
 */
import { Command } from 'commander'
import { attachCommand, logsCommand } from './console-commands.ts'
import { killCommand, renameCommand, rmCommand, stopCommand, waitCommand } from './end-commands.ts'
import { eventsCommand } from './events.ts'
import { host } from './host.ts'
import type { OpenHosted } from './hosted.ts'
import { psCommand, statsCommand } from './list-commands.ts'

export { start } from './start.ts'

/** The commands for people. */
export function hostedCommands(): readonly Command[] {
  return [
    psCommand(),
    logsCommand(),
    attachCommand(),
    statsCommand(),
    stopCommand(),
    killCommand(),
    waitCommand(),
    renameCommand(),
    eventsCommand(),
    rmCommand(),
  ]
}

/** What a host process is started by. `kinds` gives what opens each kind, by its name. */
export function hostCommand(kinds: () => Promise<Readonly<Record<string, OpenHosted>>>): Command {
  return new Command('host').argument('<folder>').action((folder: string) => host(folder, kinds))
}
