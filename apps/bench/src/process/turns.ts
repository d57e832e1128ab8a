/** Two programs of the benchmark that work by turns, part by part, so that a host whose speed changes changes both sides of a ratio. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { benchCommand, childFailure } from '../child.ts'

const WAITS = '@@waits'
const [INPUT, OUTPUT] = [0, 1]

/** In such a program: what it was to do next waits, its event loop too, until it is its turn. */
export function awaitTurn(): void {
  writeSync(OUTPUT, `${WAITS}\n`)
  readSync(INPUT, new Uint8Array(1))
}

/**
 * Starts the benchmark's program once for each of `all`, lets them work by turns in that order, and answers what they print.
 * @throws VmexitError `bench-system` if one fails.
 */
export async function byTurns(all: readonly { what: string; args: readonly string[] }[]): Promise<string[]> {
  const takers: TurnTaker[] = []
  try {
    for (const { what, args } of all) {
      const taker = new TurnTaker(what, args)
      takers.push(taker)
      await taker.stops()
    }
    while (takers.some(({ ended }) => !ended)) {
      for (const taker of takers) if (!taker.ended) await taker.go()
    }
    return takers.map(({ text }) => text)
  } finally {
    for (const taker of takers) taker.kill()
  }
}

class TurnTaker {
  readonly #what: string
  readonly #child: ChildProcessWithoutNullStreams
  readonly #closed: Promise<unknown[]>
  #stopped = Promise.withResolvers<void>()
  #out = ''
  #err = ''
  ended = false

  constructor(what: string, args: readonly string[]) {
    this.#what = what
    this.#child = spawn(...benchCommand(args))
    this.#closed = once(this.#child, 'close')
    this.#child.stderr.on('data', (chunk) => (this.#err += chunk))
    this.#child.stdin.on('error', () => undefined)
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      if (line === WAITS) this.#stopped.resolve()
      else this.#out += `${line}\n`
    })
  }

  /** What it has printed, without what it said to wait. */
  get text(): string {
    return this.#out
  }

  go(): Promise<void> {
    this.#stopped = Promise.withResolvers()
    this.#child.stdin.write('\n')
    return this.stops()
  }

  /** Until it waits, or has ended. */
  async stops(): Promise<void> {
    const code = await Promise.race([this.#stopped.promise, this.#closed.then(([code]) => code as number | null)])
    if (code === undefined) return
    this.ended = true
    if (code !== 0) throw childFailure(this.#what, code, this.#err)
  }

  kill(): void {
    this.#child.kill()
  }
}
