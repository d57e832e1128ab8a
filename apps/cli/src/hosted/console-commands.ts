/** `vmexit logs` and `vmexit attach`: the console of an instance. */
import { Command, InvalidArgumentError } from 'commander'
import { detachKeysOption } from '../detach-keys.ts'
import { Keys } from '../keys.ts'
import { makeTerminalRaw, tell } from '../raw-terminal.ts'
import { ask, type Keyboard, printLog, type Watching, watch } from './client.ts'
import { ConsoleLog } from './console-log.ts'
import { endedSilently, notRunning, silent } from './errors.ts'
import type { Exit } from './instance.ts'
import { printTo, typeInput, useConsole } from './program-console.ts'
import { type Found, StateDirectory } from './state-directory.ts'
import { answers, isAlive, statusOf } from './status.ts'

interface LogsFlags {
  readonly follow?: true
  readonly tail?: number
  readonly timestamps?: true
}

/** `vmexit logs`. */
export function logsCommand(): Command {
  return new Command('logs')
    .summary('print what was printed')
    .description('Prints what the console of an instance has printed: the latest 4 MiB at the least, 8 at the most.')
    .argument('<instance>', 'a name, an ID, or its first digits')
    .option('-f, --follow', 'and what comes, until it ends; Ctrl-C leaves it running')
    .option('-n, --tail <lines>', 'only so many of the lines that there are; or all', lines)
    .option('-t, --timestamps', 'before each line when it began to be printed')
    .addHelpText(
      'after',
      '\nExamples:\n  $ vmexit logs -n 20 web\n  $ vmexit logs -f web\n  $ vmexit logs -t web 2>/dev/null',
    )
    .action(async (word: string, { follow, tail, timestamps }: LogsFlags) => {
      const found = new StateDirectory().find(word)
      const status = follow ? await statusOf(found) : undefined
      const print = timestamps ? stamped() : printTo
      const from = tail === undefined ? 0 : beginningOf(found.folder, tail)
      if (status !== undefined && answers(status))
        return void (await watch(found, { from, timed: true, print, missed }))
      using log = ConsoleLog.open(found.folder)
      await printLog(log, from, { print, missed })
      if (status !== undefined && isAlive(status)) throw silent(found, status)
    })
}

/** Where the last so many lines begin. */
function beginningOf(folder: string, lines: number): number {
  using log = ConsoleLog.open(folder)
  const begins: number[] = [log.start]
  let end = log.start
  for (let position = log.start; position < log.end; ) {
    const { at, bytes } = log.read(position, 1 << 16)
    for (let n = bytes.indexOf(10); n >= 0; n = bytes.indexOf(10, n + 1)) begins.push(at + n + 1)
    position = end = at + bytes.length
  }
  if (begins.at(-1) === end) begins.pop()
  return lines === 0 ? end : (begins[Math.max(0, begins.length - lines)] ?? end)
}

/** Prints lines with their times. */
function stamped(): Watching['print'] {
  const begins = { output: true, errors: true }
  return async (bytes, stream, time) => {
    const parts: Uint8Array[] = []
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf(10, at) + 1 || bytes.length
      if (begins[stream]) parts.push(new TextEncoder().encode(`${new Date(time).toISOString()} `))
      parts.push(bytes.subarray(at, end))
      begins[stream] = bytes[end - 1] === 10
      at = end
    }
    await printTo(Buffer.concat(parts), stream)
  }
}

function lines(text: string): number | undefined {
  if (text === 'all') return undefined
  const value = Number(text)
  if (text !== '' && Number.isInteger(value) && value >= 0) return value
  throw new InvalidArgumentError('It must be a number of lines, or all.')
}

interface AttachFlags {
  readonly stdin: boolean
  readonly sigProxy: boolean
  readonly detachKeys: readonly number[]
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
    .option('--no-sig-proxy', 'signals are not for the program of a container: Ctrl-C leaves')
    .addOption(detachKeysOption())
    .addHelpText(
      'after',
      `
A container is left by Ctrl-P Ctrl-Q if it has a terminal (-t); without, signals go to its program, and the third one kills it.

In a terminal every key goes to a PC, Ctrl-C too, and Ctrl-A is a prefix: x leaves, p presses the power button, s shows the
counts, Ctrl-A or a sends Ctrl-A. Without a terminal, Ctrl-C leaves; the end of standard input does not. The instance runs on.

Exit code: that of the instance if it ends meanwhile; else 0.

Examples:
  $ vmexit attach web
  $ echo 'uname -a; poweroff -f' | vmexit attach pc`,
    )
    .action(async (word: string, flags: AttachFlags) => {
      process.exitCode = await attach(new StateDirectory().find(word), flags)
    })
}

/** Returns the exit code. */
async function attach(found: Found, { stdin, sigProxy, detachKeys }: AttachFlags): Promise<number> {
  const status = await statusOf(found)
  if (!isAlive(status)) throw notRunning(found, status)
  if (!answers(status)) throw silent(found, status)
  const { program } = status
  if (program !== undefined)
    return codeOf(
      found,
      await useConsole(found, { ...{ program, from: 'end', types: stdin, forwards: sigProxy }, detachKeys }),
    )
  let typing: Disposable | undefined
  const watching = (keyboard: Keyboard) => {
    if (stdin) typing = process.stdin.isTTY && process.stdout.isTTY ? typeKeys(found, keyboard) : typePlain(keyboard)
  }
  try {
    return codeOf(found, await watch(found, { from: 'end', print: printTo, missed, watching }))
  } finally {
    typing?.[Symbol.dispose]()
  }
}

/** The exit code of a console that was watched. */
export function codeOf({ instance: { name } }: Found, end: Exit | 'left' | undefined): number {
  if (end === 'left') return 0
  if (end === undefined) throw endedSilently(name)
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
  stderr.write(`Attached to ${found.instance.name}. Ctrl-A x leaves, Ctrl-A h helps.\n`)
  const restore = makeTerminalRaw()
  stdin.on('data', read)
  return giveBack(() => {
    stdin.off('data', read)
    restore()
  })
}

/** A pipe or a file, read no faster than the guest reads. */
function typePlain(keyboard: Keyboard): Disposable {
  const giveBack = typeInput(keyboard, [], false)
  return { [Symbol.dispose]: giveBack }
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

function missed(bytes: number): void {
  tell(`\nvmexit: ${bytes} bytes came faster than they were read, and are kept no more\n`)
}
