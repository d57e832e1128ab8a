/** Docker's keys that leave a container and let it run: a sequence that is held back until it is certain that it is none. */
import { InvalidArgumentError, Option } from 'commander'

/** What is typed, and whether the sequence was. */
export interface Typed {
  readonly bytes: Uint8Array
  readonly leaves: boolean
}

export class DetachKeys {
  readonly #sequence: readonly number[]
  #matched = 0

  /** None leaves by nothing. */
  constructor(sequence: readonly number[]) {
    this.#sequence = sequence
  }

  /** Takes what was typed, in whatever pieces it comes. */
  type(bytes: Uint8Array): Typed {
    const passed: number[] = []
    for (const byte of bytes) {
      if (byte !== this.#sequence[this.#matched]) {
        passed.push(...this.#sequence.slice(0, this.#matched))
        this.#matched = 0
      }
      if (byte !== this.#sequence[this.#matched]) passed.push(byte)
      else if (++this.#matched === this.#sequence.length) return { bytes: Uint8Array.from(passed), leaves: true }
    }
    return { bytes: Uint8Array.from(passed), leaves: false }
  }
}

/** Ctrl-P Ctrl-Q. */
export const usualKeys = 'ctrl-p,ctrl-q'

/** The flag that says which. */
export function detachKeysOption(): Option {
  return new Option('--detach-keys <keys>', 'what leaves a container that has a terminal')
    .argParser(keySequence)
    .default(keySequence(usualKeys), usualKeys)
}

/** The bytes of `ctrl-p,ctrl-q` or `ctrl-a,x`; none of an empty text. */
export function keySequence(text: string): readonly number[] {
  if (text === '') return []
  return text.split(',').map((key) => {
    const [, control] = /^ctrl-([a-z@[\\\]^_])$/i.exec(key) ?? []
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f
    if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0)
    throw new InvalidArgumentError('It must be keys with commas between them, as ctrl-p,ctrl-q.')
  })
}
