/** The console of a program that runs in the background, on this process's streams: what `docker attach` and `docker run` do with it. */
import { once } from 'node:events'
import { DetachKeys } from '../detach-keys.ts'
import { makeTerminalRaw, tell } from '../raw-terminal.ts'
import { ask, type Keyboard, watch } from './client.ts'
import type { About } from './hosted.ts'
import type { Exit } from './instance.ts'
import type { Found } from './state-directory.ts'

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const
/** So many signals are understood to be meant. */
const ENOUGH = 3

/** How a console is used. */
export interface ConsoleUse {
  readonly program: NonNullable<About['program']>
  /** From where: all that is kept, or a position of it; or what comes now. */
  readonly from: 'start' | 'end' | number
  /** What comes on standard input is typed. */
  readonly types: boolean
  /** Signals are the program's. */
  readonly forwards: boolean
  readonly detachKeys: readonly number[]
  /** Takes what is printed, in the place of standard output and error. */
  readonly print?: (bytes: Uint8Array, stream: 'output' | 'errors') => void
  /** It is watched: no output is missed any more. */
  readonly watching?: () => void
  /** It has ended, and is removed by whoever watches. */
  readonly over?: () => void
}

/** Watches to the end, or until it is left. See {@link watch}. */
export async function useConsole(found: Found, use: ConsoleUse): Promise<Exit | 'left' | undefined> {
  const ends: (() => void)[] = []
  try {
    return await watch(found, {
      ...{ from: use.from, claim: use.over !== undefined },
      print: use.print ?? printTo,
      missed: (bytes) => tell(`\nvmexit: ${bytes} bytes came faster than they were read, and are kept no more\n`),
      watching: (keyboard) => {
        connect(found, use, keyboard, ends)
        use.watching?.()
      },
      over: () => use.over?.(),
    })
  } finally {
    for (const end of ends) end()
  }
}

function connect(found: Found, use: ConsoleUse, keyboard: Keyboard, ends: (() => void)[]): void {
  if (use.forwards) ends.push(forwardSignals((signal) => ask(found, { do: 'kill', signal })))
  const isTerminal = use.program.tty && process.stdout.isTTY === true
  if (isTerminal) ends.push(followSize((size) => ask(found, { do: 'resize', ...size })))
  if (use.types && use.program.input !== 'none')
    ends.push(typeInput(keyboard, use.program.tty ? use.detachKeys : [], use.program.input === 'once'))
}

/** This process's signals are somebody else's, and the third one is SIGKILL; answers what ends that. */
export function forwardSignals(send: (signal: NodeJS.Signals) => Promise<unknown>): () => void {
  let signals = 0
  const ends = FORWARDED.map((name) => {
    const forward = (): void => void send(++signals >= ENOUGH ? 'SIGKILL' : name).catch(() => {})
    process.on(name, forward)
    return () => process.off(name, forward)
  })
  return () => {
    for (const end of ends) end()
  }
}

/** Tells the size of this terminal now and when it changes; answers what ends that. */
export function followSize(tell: (size: { rows: number; columns: number }) => Promise<unknown>): () => void {
  const { stdout } = process
  const resize = (): void => void tell(terminalSize()).catch(() => {})
  resize()
  stdout.on('resize', resize)
  return () => stdout.off('resize', resize)
}

export function terminalSize(): { rows: number; columns: number } {
  return { rows: process.stdout.rows || 24, columns: process.stdout.columns || 80 }
}

/** Standard input goes to a keyboard, no faster than it is read; in a terminal every key. Answers what gives it back. */
export function typeInput(keyboard: Keyboard, detachKeys: readonly number[], ends: boolean): () => void {
  const { stdin } = process
  const isRaw = detachKeys.length > 0 && stdin.isTTY === true
  const keys = new DetachKeys(isRaw ? detachKeys : [])
  const onData = async (given: Uint8Array): Promise<void> => {
    const { bytes, leaves } = keys.type(given)
    stdin.pause()
    if (bytes.length > 0) await keyboard.type(bytes)
    if (leaves) {
      // Below the prompt that is left.
      process.stderr.write('\r\n')
      keyboard.leave()
    } else stdin.resume()
  }
  const onEnd = (): void => {
    if (ends) keyboard.end()
  }
  const giveBack = isRaw ? makeTerminalRaw() : undefined
  stdin.on('data', onData).on('end', onEnd)
  return () => {
    stdin.off('data', onData).off('end', onEnd)
    giveBack?.()
    // Else a terminal or a pipe that stays open keeps this process.
    stdin.pause()
    stdin.unref?.()
  }
}

/** What a program has printed, on the streams of this process. */
export async function printTo(bytes: Uint8Array, stream: 'output' | 'errors' = 'output'): Promise<void> {
  const to = stream === 'errors' ? process.stderr : process.stdout
  if (!to.write(bytes)) await once(to, 'drain')
}
