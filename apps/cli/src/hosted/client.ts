/** The other end of a control socket: one question, or a console. */
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { VmexitError } from '@vmexit/core'
import { ConsoleLog, type Stream } from './console-log.ts'
import { decodeMessage, encode, encodeMessage, FrameReader, LARGEST_PAYLOAD } from './frames.ts'
import type { Message } from './hosted.ts'
import { type Exit, readRecord } from './instance.ts'
import { isStopped } from './process-state.ts'
import { type Found, socketPath } from './state-directory.ts'

/** Milliseconds in which a host process answers, if it can. */
const patience = 5000

/** Why there is no answer: no process listens, or one does and says nothing. */
export type NoAnswer = 'gone' | 'silent'
/** What an instance can be asked: by a word, or with more to it. */
export type Question = 'describe' | 'stats' | 'stop' | (Message & { readonly do: string })

/** Asks an instance, and waits some seconds. Throws a {@link VmexitError}: what it refuses with, or `control-request`. */
export async function ask(
  { folder }: Pick<Found, 'folder'>,
  question: Question,
  milliseconds: number = patience,
): Promise<Message | NoAnswer> {
  const socket = createConnection(socketPath(folder))
  const frames = new FrameReader()
  try {
    return await new Promise((resolve, reject) => {
      const late = setTimeout(() => resolve('silent'), milliseconds)
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
      socket.write(encodeMessage(typeof question === 'string' ? { do: question } : question))
    })
  } finally {
    socket.destroy()
  }
}

/** Returns when there is no process of an instance any more: how it has ended; undefined if it could not say. */
export async function ended({ folder }: Pick<Found, 'folder'>): Promise<Exit | undefined> {
  const socket = createConnection(socketPath(folder))
  const frames = new FrameReader()
  let exit: Exit | undefined
  socket.write(encodeMessage({ do: 'wait' }))
  try {
    for await (const bytes of socket)
      for (const { payload } of frames.read(bytes as Uint8Array))
        exit = (decodeMessage(payload)['exit'] as Exit | undefined) ?? exit
  } catch (error) {
    // Nobody is there, or is no more.
    if (!(error as NodeJS.ErrnoException).syscall) throw error
  }
  return exit ?? readRecord(folder, 'exit')
}

/** A console as somebody watches it. */
export interface Watching {
  /** From where: all that is kept, or a position of it; or what comes now. */
  readonly from: 'start' | 'end' | number
  /** Whoever watches sees to what is left at the end. */
  readonly claim?: boolean
  /** It is to be known when something was printed. */
  readonly timed?: boolean
  /** Takes what was printed, and when if that was asked for. If it returns a promise, nothing more is read until it is kept. */
  print(bytes: Uint8Array, stream: Stream, time: number): Promise<void> | void
  /** So many bytes came faster than they were read, and are kept no more. */
  missed(bytes: number): void
  /** Once it watches. */
  watching?(keyboard: Keyboard): void
  /** It has ended; what is left to print is at hand, whatever becomes of the folder. */
  over?(): void
}

/** What is typed at a console. */
export interface Keyboard {
  /** Types. The promise is kept when there is room for more. */
  type(bytes: Uint8Array): Promise<void>
  /** Nothing more is typed. */
  end(): void
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
  let time = 0
  let told: Exit | undefined
  let left = false
  const leave = () => {
    left = true
    socket.destroy()
  }
  const { from, timed = false, claim = false } = watching
  socket.write(encodeMessage({ do: 'watch', from, timed, claim }))
  try {
    for await (const chunk of socket) {
      for (const { kind, payload } of frames.read(chunk as Uint8Array)) {
        if (kind === 'output' || kind === 'errors') {
          position = (position ?? 0) + payload.length
          await watching.print(payload, kind, time)
          continue
        }
        const message = accepted(decodeMessage(payload))
        if (typeof message['skipped'] === 'number') {
          position = (position ?? 0) + message['skipped']
          watching.missed(message['skipped'])
        } else if (typeof message['time'] === 'number') {
          time = message['time']
        } else if (message['exit'] !== undefined) {
          told = message['exit'] as Exit
        } else {
          position = message['position'] as number
          watching.watching?.({ type: (bytes) => type(socket, bytes), end: () => endInput(socket), leave })
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
  const exit = told ?? readRecord(folder, 'exit')
  using log = ConsoleLog.open(folder)
  watching.over?.()
  if (position !== undefined || watching.from !== 'end')
    await printLog(log, position ?? (typeof from === 'number' ? from : 0), watching)
  return exit
}

/** Prints what a log has from a position on. */
export async function printLog(
  log: ConsoleLog,
  from: number,
  { print, missed }: Pick<Watching, 'print' | 'missed'>,
): Promise<void> {
  for (let position = from; position < log.end; ) {
    const { at, bytes, stream, time } = log.read(position, LARGEST_PAYLOAD)
    // The beginning of a log that was kept short is no news.
    if (at > position && position > 0) missed(at - position)
    await print(bytes, stream, time)
    position = at + bytes.length
  }
}

async function type(socket: Socket, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length && socket.writable; at += LARGEST_PAYLOAD) {
    const room = socket.write(encode('input', bytes.subarray(at, at + LARGEST_PAYLOAD)))
    if (!room) await drained(socket)
  }
}

function endInput(socket: Socket): void {
  if (socket.writable) socket.write(encode('input', new Uint8Array(0)))
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

/** Throws what a refusal says. */
export function accepted(message: Message): Message {
  const { error, code, problem, remedy } = message
  if (typeof error !== 'string') return message
  if (typeof code === 'string') throw new VmexitError(code, { problem: `${problem}`, remedy: `${remedy}` })
  throw new VmexitError('control-request', { problem: 'the instance refused', remedy: error })
}
