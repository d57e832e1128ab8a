/** Flags of `docker run` that are told apart from mistakes in writing, and refused with what to do instead. */
import { VmexitError } from '@vmexit/core'
import { type Command, Option } from 'commander'

/** Flags of `docker run` that mean something which is not there. */
const ABSENT: readonly (readonly [flags: string, remedy: string])[] = [
  ['-P, --publish-all', 'name each port by -p'],
  ['--privileged', 'name what it needs by --cap-add'],
  ['--init', 'leave it out'],
  ['--restart <policy>', 'leave it out, and start it again by `vmexit start`'],
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
