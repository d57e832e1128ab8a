/** A request to an instance that takes longer than an answer: bytes go both ways, and a last message ends it. */
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { VmexitError } from '@vmexit/core'
import { accepted } from './client.ts'
import type { Stream } from './console-log.ts'
import { decodeMessage, encode, encodeMessage, FrameReader, LARGEST_PAYLOAD } from './frames.ts'
import type { Message } from './hosted.ts'
import { type Found, socketPath } from './state-directory.ts'

/** One's own side of it. */
export interface Conversation {
  /** Sends bytes. The promise is kept when there is room for more. */
  type(bytes: Uint8Array): Promise<void>
  /** There are no more of them. */
  end(): void
  tell(message: Message): void
  /** Hangs up. */
  leave(): void
}

/**
 * Returns the last message: one that says `done` or `exit`; undefined if it was left. Throws what it is refused with, and a
 * {@link VmexitError} `control-lost` where the instance ends in the middle.
 */
export async function converse(
  { folder, instance: { name } }: Found,
  request: Message,
  {
    take = () => {},
    begun = () => {},
  }: {
    readonly take?: (bytes: Uint8Array, stream: Stream) => Promise<void> | void
    /** It has begun, as a first message says that is not the last. */
    readonly begun?: (conversation: Conversation) => void
  },
): Promise<Message | undefined> {
  const socket = createConnection(socketPath(folder))
  const frames = new FrameReader()
  let isLeft = false
  const conversation: Conversation = {
    type: (bytes) => type(socket, bytes),
    end: () => void (socket.writable && socket.write(encode('input', new Uint8Array(0)))),
    tell: (message) => void (socket.writable && socket.write(encodeMessage(message))),
    leave: () => {
      isLeft = true
      socket.destroy()
    },
  }
  socket.write(encodeMessage(request))
  try {
    for await (const bytes of socket)
      for (const { kind, payload } of frames.read(bytes as Uint8Array)) {
        if (kind === 'output' || kind === 'errors') await take(payload, kind)
        else {
          const message = accepted(decodeMessage(payload))
          if ('done' in message || 'exit' in message) return message
          begun(conversation)
        }
      }
  } catch (error) {
    if (!isLeft && !(error as NodeJS.ErrnoException).syscall) throw error
  } finally {
    socket.destroy()
  }
  if (isLeft) return undefined
  throw new VmexitError('control-lost', {
    problem: `${name} ended in the middle`,
    remedy: `see how: vmexit ps -a --filter name=${name}`,
  })
}

async function type(socket: Socket, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length && socket.writable; at += LARGEST_PAYLOAD) {
    if (socket.write(encode('input', bytes.subarray(at, at + LARGEST_PAYLOAD)))) continue
    const over = new AbortController()
    await Promise.race([once(socket, 'drain', over), once(socket, 'close', over)]).catch(() => {})
    over.abort()
  }
}
