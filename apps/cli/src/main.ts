#!/usr/bin/env -S node --max-semi-space-size=8 --conditions=@vmexit/source
/** The program `vmexit`. */
import { isVmexitError } from '@vmexit/core'
import { Command, CommanderError } from 'commander'
import { hostCommand, hostedCommands } from './hosted/index.ts'
import { imageCommands } from './images/commands.ts'
import { networkCommand, portCommand } from './networks/commands.ts'
import { ociCommand, ociProcesses } from './oci/command.ts'
import { runCommands } from './run/command.ts'
import { containerCommands } from './run/container-commands.ts'
import { volumeCommand } from './volumes/command.ts'

const program = new Command('vmexit')
  .description('One simulated PC, and every way to share it.')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'vmexit: ')) })
  .enablePositionalOptions()
  .exitOverride()
  .addHelpText('after', '\n`vmexit COMMAND --help` shows the options of a command, with examples.')

// Most of this program is the PC, without which those that only ask after one, or deal with images, start four times as fast.
const asking = [
  ...[...runCommands(), ...containerCommands(), ...hostedCommands(), ...imageCommands()],
  ...[networkCommand(), portCommand(), volumeCommand(), ociCommand(), ...ociProcesses()],
]
if (process.argv[2] !== 'host' && !asking.some((command) => command.name() === process.argv[2])) {
  program.addCommand((await import('./boot/command.ts')).bootCommand())
  const { runElfCommand, straceCommand } = await import('./run-elf/command.ts')
  for (const command of [runElfCommand(), straceCommand()]) program.addCommand(command)
  program.addCommand((await import('./compare/command.ts')).compareCommand())
  program.addCommand((await import('./compare/explain.ts')).explainCommand())
  program.addCommand((await import('./check/command.ts')).checkCommand())
  program.addCommand((await import('./fs/command.ts')).fsCommand())
  program.addCommand((await import('./guests/index.ts')).guestsCommand())
}
for (const command of asking) program.addCommand(command, { hidden: command.name().startsWith('oci-') })
program.addCommand(
  hostCommand(async () => (await import('./hosted-kinds.ts')).kinds),
  { hidden: true },
)

// Errors of the command line look like all others.
const inherit = (parent: Command): void => {
  for (const command of parent.commands) inherit(command.copyInheritedSettings(parent))
}
inherit(program)

// An output that is closed, as by `| head`, ends the program quietly; one that is full, with the reason.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  process.stderr.write(`vmexit: ${messageOf(error)}\n`)
  process.exit(1)
})
process.stderr.on('error', () => process.exit(process.exitCode ?? 0))

/** What containers are run by says with this that it was not understood, as Docker's do: other codes are the program's. */
const NOT_UNDERSTOOD = 125
const runsPrograms = ['run', 'create', 'exec'].includes(process.argv[2] ?? '')

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError)
    process.exitCode = error.exitCode !== 0 && runsPrograms ? NOT_UNDERSTOOD : error.exitCode
  else {
    process.stderr.write(`vmexit: ${messageOf(error)}\n`)
    // A command that has said what its errors are keeps that.
    process.exitCode ??= 1
  }
}

/** What went wrong, for people: the stack only of what should not happen. */
function messageOf(error: unknown): string {
  if (isVmexitError(error)) return error.message
  if (error instanceof Error && 'syscall' in error) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : `${error}`
}
