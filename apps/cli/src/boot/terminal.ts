/**
 * The guest's serial port on this process's terminal, or on its plain streams. In a terminal every key goes to the guest,
 * Ctrl-C too; Ctrl-A is the prefix of commands. Plain streams are read no faster than the guest reads.
 */
import { constants } from 'node:os'
import type { Pc } from '@vmexit/vmexit'
import { help, Keys } from '../keys.ts'
import { makeTerminalRaw } from '../raw-terminal.ts'

/** What a terminal needs besides a PC. */
export interface TerminalOptions {
  /** Ends the run. */
  readonly leave: () => void
  /** Whether a terminal is taken as one. */
  readonly interactive: boolean
  /** What Ctrl-A s prints. */
  readonly stats: () => string
}

/** An attached terminal. Disposing it gives the terminal back. */
export interface Terminal extends Disposable {
  /** The signal that ended the run, if one did. */
  readonly signal: NodeJS.Signals | undefined
  /** Whether it was left by Ctrl-A x. */
  readonly left: boolean
  /** Whether the guest waits for input, and none can come any more. */
  readonly starved: boolean
  /** Gives the terminal back. */
  restore(): void
}

/** Attaches standard input and the signals of this process to a PC. */
export function attach(pc: Pc, { leave, interactive, stats }: TerminalOptions): Terminal {
  const { stdin } = process
  const raw = interactive && stdin.isTTY && process.stdout.isTTY
  let signal: NodeJS.Signals | undefined
  let left = false
  let starved = false
  let restored = false
  const say = (text: string) => void process.stderr.write(`\r\n${text.replaceAll('\n', '\r\n')}\r\n`)
  const keys = new Keys({
    send: (bytes) => pc.console.write(bytes),
    say,
    leave: () => {
      left = true
      // Below the guest's prompt.
      process.stderr.write('\r\n')
      leave()
    },
    power: () => pc.pressPowerButton(),
    stats: () => say(stats()),
  })
  const writer = raw ? undefined : pc.console.writable.getWriter()
  writer?.closed.catch(() => {})
  const read = async (bytes: Uint8Array) => {
    if (writer === undefined) return keys.type(bytes)
    stdin.pause()
    // A machine that ends refuses what it has not taken, which is no error here.
    await writer.write(bytes).catch(() => {})
    if (!restored) stdin.resume()
  }
  const ended = (by: NodeJS.Signals) => {
    // The second time the run does not end by itself: end the process as the signal would.
    if (signal !== undefined) process.exit(exitCodeOfSignal(by))
    signal = by
    leave()
  }
  // Emitted when this process waits for nothing: no timer of the guest, no file, no key.
  const waitsForNothing = () => {
    starved = true
    leave()
  }
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
  let giveBack: (() => void) | undefined
  if (raw) {
    process.stderr.write(`${help}.\n`)
    giveBack = makeTerminalRaw()
  }
  stdin.on('data', read)
  for (const name of signals) process.on(name, ended)
  process.on('beforeExit', waitsForNothing)
  const restore = () => {
    if (restored) return
    restored = true
    stdin.off('data', read)
    for (const name of signals) process.off(name, ended)
    process.off('beforeExit', waitsForNothing)
    giveBack?.()
    // Else a terminal or a pipe that stays open keeps the process.
    stdin.pause()
    stdin.unref?.()
  }
  return {
    get signal() {
      return signal
    },
    get left() {
      return left
    },
    get starved() {
      return starved
    },
    restore,
    [Symbol.dispose]: restore,
  }
}

/** The exit code of a process that a signal ended, as shells give it. */
export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}
