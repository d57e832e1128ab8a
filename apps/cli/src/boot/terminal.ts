/**
 * The guest's serial port on this process's terminal, or on its plain streams. In a terminal every key goes to the guest,
 * Ctrl-C too; Ctrl-A is the prefix of commands.
 */
import type { Pc } from '@vmexit/vmexit'

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
  /** Gives the terminal back. */
  restore(): void
}

const prefix = 0x01
const help = 'Ctrl-A x leaves, p presses the power button, s shows the counts, a sends Ctrl-A'

/** Attaches standard input and the signals of this process to a PC. */
export function attach(pc: Pc, { leave, interactive, stats }: TerminalOptions): Terminal {
  const { stdin } = process
  const raw = interactive && stdin.isTTY && process.stdout.isTTY
  let signal: NodeJS.Signals | undefined
  let left = false
  const keys = new Keys({
    send: (bytes) => pc.console.write(bytes),
    say: (text) => process.stderr.write(`\r\n${text.replaceAll('\n', '\r\n')}\r\n`),
    leave: () => {
      left = true
      leave()
    },
    power: () => pc.pressPowerButton(),
    stats,
  })
  const typed = raw ? (bytes: Uint8Array) => keys.type(bytes) : (bytes: Uint8Array) => pc.console.write(bytes)
  const ended = (by: NodeJS.Signals) => {
    // The second time the run does not end by itself: end the process as the signal would.
    if (signal !== undefined) process.exit(by === 'SIGINT' ? 130 : 143)
    signal = by
    leave()
  }
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
  if (raw) {
    stdin.setRawMode(true)
    process.stderr.write(`${help}.\n`)
  }
  stdin.on('data', typed)
  for (const name of signals) process.on(name, ended)
  let restored = false
  const restore = () => {
    if (restored) return
    restored = true
    stdin.off('data', typed)
    for (const name of signals) process.off(name, ended)
    if (raw) stdin.setRawMode(false)
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
    restore,
    [Symbol.dispose]: restore,
  }
}

/** What the keys can do. */
export interface KeyActions {
  send(bytes: Uint8Array): void
  say(text: string): void
  leave(): void
  power(): void
  stats(): string
}

/** Keys as they are typed, commands taken out. */
export class Keys {
  readonly #actions: KeyActions
  #prefixed = false

  constructor(actions: KeyActions) {
    this.#actions = actions
  }

  /** Takes what was typed, in whatever pieces it comes. */
  type(bytes: Uint8Array): void {
    const sent: number[] = []
    for (const byte of bytes) {
      if (this.#prefixed) {
        this.#prefixed = false
        this.#command(byte, sent)
      } else if (byte === prefix) this.#prefixed = true
      else sent.push(byte)
    }
    if (sent.length > 0) this.#actions.send(Uint8Array.from(sent))
  }

  #command(byte: number, sent: number[]): void {
    switch (String.fromCharCode(byte)) {
      case 'x':
        this.#actions.leave()
        break
      case 'p':
        this.#actions.power()
        break
      case 's':
        this.#actions.say(this.#actions.stats())
        break
      case 'a':
      case '\x01':
        sent.push(prefix)
        break
      default:
        this.#actions.say(help)
    }
  }
}
