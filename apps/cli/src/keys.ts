/** Keys of a terminal that are a guest's, and those that are not: Ctrl-A is the prefix of commands. */

const prefix = 0x01

/** What there is. */
export const help = 'Ctrl-A x leaves, p presses the power button, s shows the counts, a sends Ctrl-A'

/** What the keys can do. */
export interface KeyActions {
  send(bytes: Uint8Array): void
  say(text: string): void
  leave(): void
  power(): void
  stats(): void
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
        this.#actions.stats()
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
