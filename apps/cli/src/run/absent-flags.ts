/** Flags of `docker run` that are told apart from mistakes in writing, and refused with what to do instead. */
import { VmexitError } from '@vmexit/core'
import { type Command, Option } from 'commander'

/** Flags of `docker run` that mean something which is not there. */
const ABSENT: readonly (readonly [flags: string, remedy: string])[] = [
  ['-d, --detach', 'leave it out: containers run in the foreground'],
  ['-p, --publish <port>', 'leave it out: containers have loopback alone, and `vmexit run-elf -p` publishes ports'],
  ['-P, --publish-all', 'leave it out: containers have loopback alone'],
  ['--name <name>', 'leave it out: a container ends with this command; --hostname names what it sees'],
  ['--privileged', 'name what it needs by --cap-add'],
  ['--init', 'leave it out'],
  ['--restart <policy>', 'leave it out: nothing is kept'],
  ['--device <device>', 'leave it out: there are no devices of the host'],
]

export function absentFlags(command: Command): Command {
  for (const [flags] of ABSENT) command.addOption(new Option(flags).hideHelp())
  return command
}

/** @throws VmexitError `run-absent`. */
export function refuseAbsent(command: Command): void {
  const given = command.opts()
  for (const [flags, remedy] of ABSENT) {
    const option = new Option(flags)
    if (given[option.attributeName()] === undefined) continue
    process.exitCode = 125
    throw new VmexitError('run-absent', { problem: `vmexit ${command.name()} has no ${option.long}`, remedy })
  }
}
