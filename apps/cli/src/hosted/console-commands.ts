/** `vmexit logs` and `vmexit attach`: the console of an instance. */
import { once } from 'node:events'
import { Command } from 'commander'
import { Keys } from '../keys.ts'
import { ask, type Keyboard, printLog, watch } from './client.ts'
import { endedSilently, notRunning, silent } from './errors.ts'
import type { Exit } from './instance.ts'
import { type Found, StateDirectory } from './state-directory.ts'
import { isAlive, statusOf } from './status.ts'

/** `vmexit logs`. */
export function logsCommand(): Command {
  return new Command('logs')
    .summary('print what was printed')
    .description('Prints what the console of an instance has printed: the latest 4 MiB at the least, 8 at the most.')
    .argument('<instance>', 'a name, an ID, or its first digits')
    .option('-f, --follow', 'and what comes, until it ends; Ctrl-C leaves it running')
    .addHelpText('after', '\nExamples:\n  $ vmexit logs web | tail\n  $ vmexit logs -f web')
    .action(async (word: string, { follow }: { readonly follow?: true }) => {
      const found = new StateDirectory().find(word)
      const status = follow ? await statusOf(found) : undefined
      if (status?.state === 'running') return void (await watch(found, { from: 'start', print, missed }))
      await printLog(found.folder, 0, { print, missed })
      if (status !== undefined && isAlive(status)) throw silent(found, status)
    })
}

/** `vmexit attach`. */
export function attachCommand(): Command {
  return new Command('attach')
    .summary('use a console')
    .description(
      'Connects the console of an instance with this terminal, or with standard input and output. ' +
        'Several may be attached at once: all see what is printed.',
    )
    .argument('<instance>', 'a name, an ID, or its first digits')
    .option('--no-stdin', 'only watch')
    .addHelpText(
      'after',
      `
In a terminal every key goes to the guest, Ctrl-C too, and Ctrl-A is a prefix: x leaves, p presses the power button, s shows the
counts, Ctrl-A or a sends Ctrl-A. Without a terminal, Ctrl-C leaves; the end of standard input does not. The instance runs on.

Exit code: that of the instance if it ends meanwhile; else 0.

Examples:
  $ vmexit attach web
  $ echo 'uname -a; poweroff -f' | vmexit attach web`,
    )
    .action(async (word: string, { stdin }: { readonly stdin: boolean }) => {
      process.exitCode = await attach(new StateDirectory().find(word), stdin)
    })
}

/** Returns the exit code. */
async function attach(found: Found, stdin: boolean): Promise<number> {
  const status = await statusOf(found)
  if (!isAlive(status)) throw notRunning(found, status)
  if (status.state !== 'running') throw silent(found, status)
  let typing: Disposable | undefined
  const watching = (keyboard: Keyboard) => {
    if (stdin) typing = process.stdin.isTTY && process.stdout.isTTY ? typeKeys(found, keyboard) : typeInput(keyboard)
  }
  let end: Exit | 'left' | undefined
  try {
    end = await watch(found, { from: 'end', print, missed, watching })
  } finally {
    typing?.[Symbol.dispose]()
  }
  if (end === 'left') return 0
  if (end === undefined) throw endedSilently(found.instance.name)
  if (end.word !== undefined) process.stderr.write(`vmexit: ${end.word}\n`)
  return end.exitCode
}

/** A terminal: every key, and the prefix. Disposing it gives the terminal back. */
function typeKeys(found: Found, keyboard: Keyboard): Disposable {
  const { stdin, stderr } = process
  const say = (text: string) => void stderr.write(`\r\n${text.replaceAll('\n', '\r\n')}\r\n`)
  const keys = new Keys({
    send: (bytes) => void keyboard.type(bytes),
    say,
    leave: () => {
      stderr.write('\r\n')
      keyboard.leave()
    },
    power: () => void ask(found, 'stop').catch(() => {}),
    stats: () => void showStats().catch(() => {}),
  })
  const showStats = async () => {
    const answer = await ask(found, 'stats')
    if (typeof answer === 'object')
      say(
        Object.entries(answer)
          .map(([name, count]) => `${name} ${count}`)
          .join('\n'),
      )
  }
  const read = (bytes: Uint8Array) => keys.type(bytes)
  stdin.setRawMode(true)
  stdin.on('data', read)
  stderr.write(`Attached to ${found.instance.name}. Ctrl-A x leaves, Ctrl-A h helps.\n`)
  return giveBack(() => {
    stdin.off('data', read)
    stdin.setRawMode(false)
  })
}

/** A pipe or a file, read no faster than the guest reads. */
function typeInput(keyboard: Keyboard): Disposable {
  const { stdin } = process
  const read = async (bytes: Uint8Array) => {
    stdin.pause()
    await keyboard.type(bytes)
    stdin.resume()
  }
  stdin.on('data', read)
  return giveBack(() => stdin.off('data', read))
}

function giveBack(dispose: () => void): Disposable {
  return {
    [Symbol.dispose]: () => {
      dispose()
      // Else a terminal or a pipe that stays open keeps this process.
      process.stdin.pause()
      process.stdin.unref?.()
    },
  }
}

async function print(bytes: Uint8Array): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, 'drain')
}

function missed(bytes: number): void {
  process.stderr.write(`\nvmexit: ${bytes} bytes came faster than they were read, and are kept no more\n`)
}
