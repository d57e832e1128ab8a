/**
 * Frames on a control socket: a length of 4 bytes (big-endian, of what follows), a byte of kind, the payload. Requests
 * and replies are JSON; what goes to and comes from a console are bytes.
 */
import { VmexitError } from '@vmexit/core'

/** What a frame carries. */
export const kinds = {
  /** JSON: a request or a reply. */
  message: 0,
  /** Bytes that are typed; none at their end. */
  input: 1,
  /** Bytes that were printed. */
  output: 2,
  /** Bytes that were printed on standard error, where that is apart. */
  errors: 3,
} as const

export type Kind = keyof typeof kinds

export interface Frame {
  readonly kind: Kind
  readonly payload: Uint8Array
}

/** Bytes of a payload at the most. */
export const LARGEST_PAYLOAD = 1 << 16

const header = 5
const names = Object.keys(kinds) as readonly Kind[]

/** The bytes of a frame, whose payload is at most {@link LARGEST_PAYLOAD}. */
export function encode(kind: Kind, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(header + payload.length)
  new DataView(bytes.buffer).setUint32(0, payload.length + 1)
  bytes[4] = kinds[kind]
  bytes.set(payload, header)
  return bytes
}

/** The bytes of a message. */
export function encodeMessage(message: unknown): Uint8Array {
  return encode('message', new TextEncoder().encode(JSON.stringify(message)))
}

/** What a message says. Throws a {@link VmexitError} `control-frame` where it is no JSON object. */
export function decodeMessage(payload: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const message: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
    if (typeof message === 'object' && message !== null) return message as Record<string, unknown>
  } catch {
    // Told below.
  }
  throw broken('a message is no JSON object')
}

/** Frames out of bytes, which come in whatever pieces. It keeps less than one frame. */
export class FrameReader {
  #held: Uint8Array = new Uint8Array(0)

  /** The frames that are whole now. Throws a {@link VmexitError} `control-frame` for what no peer of ours sends. */
  read(bytes: Uint8Array): readonly Frame[] {
    const frames: Frame[] = []
    let at = 0
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    const view = new DataView(all.buffer, all.byteOffset, all.length)
    while (all.length - at >= header) {
      const length = view.getUint32(at) - 1
      const kind = names[all[at + 4]!]
      if (kind === undefined) throw broken(`a frame has kind ${all[at + 4]}`)
      if (length < 0 || length > LARGEST_PAYLOAD) throw broken(`a frame has ${length} bytes`)
      if (all.length - at < header + length) break
      const payload = all.slice(at + header, at + header + length)
      at += header + length
      frames.push({ kind, payload })
    }
    this.#held = all.slice(at)
    return frames
  }
}

function broken(problem: string): VmexitError<'control-frame'> {
  return new VmexitError('control-frame', {
    problem: `${problem} on a control socket`,
    remedy: 'use the vmexit that started this instance',
  })
}
