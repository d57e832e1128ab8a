#!/usr/bin/env -S node --max-semi-space-size=8 --conditions=@vmexit/source
/** The program `vmexit-oci`: `vmexit oci` by a name of its own, since those that take a runtime take the path of one. */
import { Command, CommanderError } from 'commander'
import { ociCommand, ociProcesses } from './command.ts'

const word = process.argv[2] ?? ''
const program = ociProcesses().find((command) => command.name() === word)
try {
  if (program === undefined) await ociCommand().name('vmexit-oci').parseAsync()
  else await new Command().addCommand(program, { hidden: true }).parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode
}
