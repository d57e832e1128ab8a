#!/usr/bin/env -S node --max-semi-space-size=8 --conditions=@vmexit/source
/** The program `vmexit`. */
import { isVmexitError } from '@vmexit/core'
import { Command, CommanderError } from 'commander'
import { bootCommand } from './boot/command.ts'
import { checkCommand } from './check/command.ts'
import { compareCommand } from './compare/command.ts'
import { guestsCommand } from './guests/index.ts'
import { runElfCommand, straceCommand } from './run-elf/command.ts'

const program = new Command('vmexit')
  .description('One simulated PC, and every way to share it.')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'vmexit: ')) })
  .enablePositionalOptions()
  .addCommand(bootCommand())
  .addCommand(runElfCommand())
  .addCommand(straceCommand())
  .addCommand(compareCommand())
  .addCommand(checkCommand())
  .addCommand(guestsCommand())
  .addHelpText('after', '\n`vmexit COMMAND --help` shows the options of a command, with examples.')

// Errors of the command line look like all others.
for (const command of program.commands) command.copyInheritedSettings(program)

// An output that is closed, as by `| head`, ends the program quietly.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode
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
