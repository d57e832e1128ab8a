/** `vmexit kill`, `stop`, `wait` and `rm`: an instance's end, and what comes after it. */
import { existsSync } from 'node:fs'
import { isVmexitError, VmexitError } from '@vmexit/core'
import { Command, InvalidArgumentError } from 'commander'
import { ended } from './client.ts'
import { eachOf } from './each.ts'
import { endedSilently, notRunning } from './errors.ts'
import { holdFolder } from './lock.ts'
import { send, signalNamed, stop } from './signals.ts'
import { type Found, StateDirectory } from './state-directory.ts'
import { describeStatus, isAlive, statusOf } from './status.ts'

const theirs = 'names, IDs, or the first digits of them'

/** `vmexit kill`. */
export function killCommand(): Command {
  return new Command('kill')
    .summary('send a signal')
    .description(
      'Sends a signal: to the program of a container, or to the host process of a PC, as kill(1) does with what `vmexit ps` shows as PID.',
    )
    .argument('<instance...>', theirs)
    .option('-s, --signal <signal>', 'a name such as TERM, or a number', 'KILL')
    .addHelpText(
      'after',
      `
Examples:
  $ vmexit kill web
      ends its program; of a PC, as if the power failed; the exit code is 137
  $ vmexit kill -s HUP web
  $ vmexit kill -s TERM pc
      ends the run; what boot was to write at the end (--save, --screenshot) is written; its exit code is 143
  $ vmexit kill -s STOP pc && vmexit ps && vmexit kill -s CONT pc`,
    )
    .action(async (words: readonly string[], flags: { readonly signal: string }) => {
      const signal = signalNamed(flags.signal)
      await eachOf(words, async (found) => {
        const { state } = await send(found, signal)
        if (state !== 'stopped' || signal === 'SIGKILL' || signal === 'SIGCONT' || signal === 'SIGSTOP') return
        const { name } = found.instance
        process.stderr.write(
          `vmexit: ${name} is stopped, and takes ${signal} when it goes on: vmexit kill -s CONT ${name}\n`,
        )
      })
    })
}

/** `vmexit stop`. */
export function stopCommand(): Command {
  return new Command('stop')
    .summary('ask to end, then end')
    .description(
      'Sends the program of a container SIGTERM, or what its image says; what runs after --time is killed. ' +
        'Presses the power button of a PC, at which an operating system with ACPI shuts down; ' +
        'one that is on after --time ends as by `vmexit kill -s TERM`.',
    )
    .argument('<instance...>', theirs)
    .option('-t, --time <seconds>', 'how long to wait for it', seconds, 10)
    .addHelpText('after', '\nExamples:\n  $ vmexit stop web\n  $ vmexit stop -t 60 web db')
    .action(async (words: readonly string[], { time }: { readonly time: number }) => {
      await eachOf(words, (found) => stop(found, time))
    })
}

/** `vmexit wait`. */
export function waitCommand(): Command {
  return new Command('wait')
    .summary('wait for the end, and print the exit code')
    .description('Waits until instances have ended, and prints their exit codes, a line each.')
    .argument('<instance...>', theirs)
    .addHelpText(
      'after',
      '\nExamples:\n  $ vmexit wait web\n  $ exit $(vmexit wait "$(vmexit boot -d --rom test.rom)")',
    )
    .action(async (words: readonly string[]) => {
      await eachOf(
        words,
        async (found) => {
          const exit = await ended(found)
          if (exit === undefined) throw await unknownEnd(found)
          process.stdout.write(`${exit.exitCode}\n`)
        },
        { say: false },
      )
    })
}

/** That there is no exit code: it has not run yet, or was killed. */
async function unknownEnd(found: Found): Promise<VmexitError> {
  const status = await statusOf(found)
  return status.state === 'created' ? notRunning(found, status) : endedSilently(found.instance.name)
}

/** `vmexit rename`. */
export function renameCommand(): Command {
  return new Command('rename')
    .summary('give another name')
    .description('Gives an instance another name. Its ID stays.')
    .argument('<instance>', 'a name, an ID, or its first digits')
    .argument('<name>', 'what it is to be called')
    .addHelpText('after', '\nExamples:\n  $ vmexit rename web web-old')
    .action((word: string, name: string) => {
      const state = new StateDirectory()
      state.rename(state.find(word), name)
    })
}

/** `vmexit rm`. */
export function rmCommand(): Command {
  return new Command('rm')
    .summary('forget what has ended')
    .description(
      'Deletes what is kept of instances that have ended: their logs, how they ended, and what a container has changed. ' +
        'Disk images are left.',
    )
    .argument('<instance...>', theirs)
    .option('-f, --force', 'kill what runs')
    .addHelpText('after', '\nExamples:\n  $ vmexit rm web\n  $ vmexit rm -f $(vmexit ps -aq)')
    .action(async (words: readonly string[], { force }: { readonly force?: true }) => {
      await eachOf(words, (found) => removeInstance(found, force === true))
    })
}

/** Forgets one; by `force` also one that runs. Throws a {@link VmexitError} `running`. */
export async function removeInstance(found: Found, force: boolean): Promise<void> {
  const status = await statusOf(found)
  const { name } = found.instance
  // One that is made and not started is removed; one that is being started is somebody's.
  if (!force && isAlive(status))
    throw new VmexitError('running', {
      problem: `${name} has not ended (${describeStatus(status, Date.now())})`,
      remedy: `end it: vmexit stop ${name}; or kill and remove it: vmexit rm -f ${name}`,
    })
  if (isAlive(status)) await send(found, 'SIGKILL', { discard: true })
  const state = new StateDirectory()
  // It may remove itself.
  if (!existsSync(found.folder)) return
  try {
    using _lock = await holdFolder(found.folder)
    state.remove(found)
  } catch (error) {
    if (!isVmexitError(error, 'instance-unknown')) throw error
  }
}

export function seconds(text: string): number {
  const value = Number(text)
  if (text !== '' && value >= 0 && value <= 1e6) return value
  throw new InvalidArgumentError('It must be a number of seconds.')
}
