/** Bytes between the standard streams of this process and a program, with back-pressure both ways. */
import type { TerminalSize } from '@vmexit/container'
import { makeTerminalRaw } from '../raw-terminal.ts'

/** A program, from outside. */
export interface Program {
  readonly stdin: WritableStream<Uint8Array>
  readonly stdout: ReadableStream<Uint8Array>
  readonly stderr: ReadableStream<Uint8Array>
  resize(size: TerminalSize): void
}

/** The size of the terminal that this process's output is; undefined where it is none. */
export function terminalSize(): TerminalSize | undefined {
  const { stdout } = process
  return stdout.isTTY && stdout.rows > 0 ? { rows: stdout.rows, columns: stdout.columns } : undefined
}

/** Connects them. Resolves when the program has said all; then nothing is read any more. */
export async function pump(program: Program, hasTerminal: boolean): Promise<void> {
  const stop = feed(program, hasTerminal)
  try {
    await Promise.all([show(program.stdout, process.stdout), show(program.stderr, process.stderr)])
  } finally {
    stop()
  }
}

function feed({ stdin: to, resize }: Program, hasTerminal: boolean): () => void {
  const { stdin, stdout } = process
  const writer = to.getWriter()
  const isRaw = hasTerminal && stdin.isTTY
  const giveBack = isRaw ? makeTerminalRaw() : undefined
  const onData = (bytes: Uint8Array): void => {
    stdin.pause()
    writer.write(bytes).then(
      () => stdin.resume(),
      () => {},
    )
  }
  const onEnd = (): void => void writer.close().catch(() => {})
  const onResize = (): void => {
    const size = terminalSize()
    if (size !== undefined) resize(size)
  }
  stdin.on('data', onData).on('end', onEnd).on('error', onEnd)
  if (hasTerminal) {
    stdout.on('resize', onResize)
    onResize()
  }
  return () => {
    stdin.off('data', onData).off('end', onEnd)
    stdout.off('resize', onResize)
    giveBack?.()
    stdin.pause()
    stdin.unref?.()
  }
}

async function show(from: ReadableStream<Uint8Array>, to: NodeJS.WriteStream): Promise<void> {
  let isClosed = false
  const closed = (): void => {
    isClosed = true
  }
  to.on('error', closed)
  for (const reader = from.getReader(); ; ) {
    const { done, value } = await reader.read()
    if (done) break
    // A program whose reader has gone goes on without.
    if (!isClosed && !to.write(value))
      await new Promise<void>((resolve) => {
        const go = (): void => {
          to.off('drain', go).off('error', go)
          resolve()
        }
        to.on('drain', go).on('error', go)
      })
  }
  to.off('error', closed)
}
