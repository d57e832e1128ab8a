/** The other end of a control socket: one question, or a console. */
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { VmexitError } from '@vmexit/core'
import { ConsoleLog } from './console-log.ts'
import { decodeMessage, encode, encodeMessage, FrameReader, LARGEST_PAYLOAD } from './frames.ts'
import { type Exit, readRecord } from './instance.ts'
import { isStopped } from './process-state.ts'
import { type Found, socketPath } from './state-directory.ts'

/** Milliseconds in which a host process answers, if it can. */
const patience = 5000

/** Why there is no answer: no process listens, or one does and says nothing. */
export type NoAnswer = 'gone' | 'silent'
/** What an instance can be asked. */
export type Question = 'describe' | 'stats' | 'stop'

/** Asks an instance. Throws a {@link VmexitError} `control-request` for what it refuses. */
export async function ask(
  { folder }: Found,
  question: Question,
): Promise<Readonly<Record<string, unknown>> | NoAnswer> {
  const socket = createConnection(socketPath(folder))
  const frames = new FrameReader()
  try {
    return await new Promise((resolve, reject) => {
      const late = setTimeout(() => resolve('silent'), patience)
      socket.on('error', (error) => resolve(reasonOf(error)))
      socket.on('connect', () => {
        // Somebody listens, so this is still its ID; there is no need to wait for what cannot come.
        const host = readRecord(folder, 'host')
        if (host !== undefined && isStopped(host.pid)) resolve('silent')
      })
      socket.on('close', () => {
        clearTimeout(late)
        resolve('gone')
      })
      socket.on('data', (bytes) => {
        try {
          for (const { payload } of frames.read(bytes)) resolve(accepted(decodeMessage(payload)))
        } catch (error) {
          reject(error)
        }
      })
      socket.write(encodeMessage({ do: question }))
    })
  } finally {
    socket.destroy()
  }
}

/** Returns when there is no process of an instance any more. */
export async function ended({ folder }: Found): Promise<void> {
  const socket = createConnection(socketPath(folder))
  // Nobody is there, or is no more: 'close' comes behind it.
  socket.on('error', () => {})
  socket.resume()
  await new Promise((resolve) => socket.once('close', resolve))
}

/** A console as somebody watches it. */
export interface Watching {
  /** From where: all that is kept, or what comes now. */
  readonly from: 'start' | 'end'
  /** Takes what was printed. If it returns a promise, nothing more is read until it is kept. */
  print(bytes: Uint8Array): Promise<void> | void
  /** So many bytes came faster than they were read, and are kept no more. */
  missed(bytes: number): void
  /** Once it watches. */
  watching?(keyboard: Keyboard): void
}

/** What is typed at a console. */
export interface Keyboard {
  /** Types. The promise is kept when there is room for more. */
  type(bytes: Uint8Array): Promise<void>
  /** Hangs up. */
  leave(): void
}

/**
 * Watches an instance to its end, also one that has ended. Returns how it ended; `left` if the keyboard was used to
 * leave; undefined if it was killed and could not say. Throws a {@link VmexitError} `control-request` for what it
 * refuses.
 */
export async function watch({ folder }: Found, watching: Watching): Promise<Exit | 'left' | undefined> {
  const socket = createConnection(socketPath(folder))
  const frames = new FrameReader()
  let position: number | undefined
  let left = false
  const leave = () => {
    left = true
    socket.destroy()
  }
  socket.write(encodeMessage({ do: 'watch', from: watching.from }))
  try {
    for await (const chunk of socket) {
      for (const { kind, payload } of frames.read(chunk as Uint8Array)) {
        if (kind === 'output') {
          position = (position ?? 0) + payload.length
          await watching.print(payload)
          continue
        }
        const message = accepted(decodeMessage(payload))
        if (typeof message['skipped'] === 'number') {
          position = (position ?? 0) + message['skipped']
          watching.missed(message['skipped'])
        } else {
          position = message['position'] as number
          watching.watching?.({ type: (bytes) => type(socket, bytes), leave })
        }
      }
    }
  } catch (error) {
    // It has hung up, or nobody was there: how it ended says the folder. Other errors are ours.
    if (!(error as NodeJS.ErrnoException).syscall && !left) throw error
  } finally {
    socket.destroy()
  }
  if (left) return 'left'
  const exit = readRecord(folder, 'exit')
  if (position !== undefined || watching.from === 'start') await printLog(folder, position ?? 0, watching)
  return exit
}

/** Prints what the log of an instance has from a position on. */
export async function printLog(
  folder: string,
  from: number,
  { print, missed }: Pick<Watching, 'print' | 'missed'>,
): Promise<void> {
  using log = ConsoleLog.open(folder)
  for (let position = from; position < log.end; ) {
    const { at, bytes } = log.read(position, LARGEST_PAYLOAD)
    // The beginning of a log that was kept short is no news.
    if (at > position && position > 0) missed(at - position)
    await print(bytes)
    position = at + bytes.length
  }
}

async function type(socket: Socket, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length && socket.writable; at += LARGEST_PAYLOAD) {
    const room = socket.write(encode('input', bytes.subarray(at, at + LARGEST_PAYLOAD)))
    if (!room) await drained(socket)
  }
}

/** Until there is room for more, or never will be. */
async function drained(socket: Socket): Promise<void> {
  const over = new AbortController()
  await Promise.race([once(socket, 'drain', over), once(socket, 'close', over)]).catch(() => {})
  over.abort()
}

function reasonOf({ code }: NodeJS.ErrnoException): NoAnswer {
  // Others, such as a queue of callers that is full, are of a process that is there.
  return code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ECONNRESET' || code === 'EPIPE' ? 'gone' : 'silent'
}

function accepted(message: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (typeof message['error'] !== 'string') return message
  throw new VmexitError('control-request', { problem: 'the instance refused', remedy: message['error'] })
}
