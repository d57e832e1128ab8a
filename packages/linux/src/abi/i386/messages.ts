/** Messages as i386 has them: `struct msghdr`, `struct cmsghdr`, `struct mmsghdr` (recvmsg(2), cmsg(3)). */
import type { UserMemory } from '../../memory/user-memory.ts'
import type { ControlMessage } from '../../net/socket-file.ts'

/** Bytes of `struct mmsghdr`; the count is behind the header. */
export const MMSG_BYTES = 32
export const MMSG_COUNT = 28
/** `cmsg_len`, `cmsg_level`, `cmsg_type`. */
const CONTROL_HEADER = 12

/** A header, and where it lies. */
export interface MessageHeader {
  readonly at: number
  readonly name: number
  readonly nameBytes: number
  readonly vectors: number
  readonly vectorCount: number
  readonly control: number
  readonly controlBytes: number
}

/** `struct msghdr`. @throws BAD_ADDRESS. */
export function readHeader(memory: UserMemory, at: number): MessageHeader {
  return {
    at,
    name: memory.get32(at),
    nameBytes: memory.get32(at + 4) | 0,
    vectors: memory.get32(at + 8),
    vectorCount: memory.get32(at + 12),
    control: memory.get32(at + 16),
    controlBytes: memory.get32(at + 20),
  }
}
/** Stores what recvmsg answers in a header besides bytes. @throws BAD_ADDRESS. */
export function writeHeader(
  memory: UserMemory,
  at: number,
  name: number | undefined,
  control: number,
  flags: number,
): void {
  if (name !== undefined) memory.set32(at + 4, name)
  memory.set32(at + 20, control)
  memory.set32(at + 24, flags)
}

const aligned = (size: number): number => (size + 3) & ~3

/** The control messages in a buffer; undefined where one of them is too short or too long. */
export function readControls(bytes: Uint8Array): ControlMessage[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const controls: ControlMessage[] = []
  for (let at = 0; at + CONTROL_HEADER <= bytes.length; ) {
    const size = view.getUint32(at, true)
    if (size < CONTROL_HEADER || size > bytes.length - at) return undefined
    controls.push({
      level: view.getInt32(at + 4, true),
      type: view.getInt32(at + 8, true),
      data: bytes.subarray(at + CONTROL_HEADER, at + size),
    })
    at += aligned(size)
  }
  return controls
}

/** Control messages behind each other, as far as there is room; the last one may be cut. Says whether all fitted. */
export class ControlWriter {
  readonly bytes: Uint8Array
  size = 0
  isCut = false

  constructor(room: number) {
    this.bytes = new Uint8Array(room)
  }
  /** Bytes of data that another message can have. */
  get room(): number {
    return Math.max(0, this.bytes.length - this.size - CONTROL_HEADER)
  }
  put({ level, type, data }: ControlMessage): void {
    if (this.bytes.length - this.size < CONTROL_HEADER) {
      this.isCut = true
      return
    }
    const count = Math.min(data.length, this.room)
    if (count < data.length) this.isCut = true
    const view = new DataView(this.bytes.buffer)
    view.setUint32(this.size, CONTROL_HEADER + count, true)
    view.setInt32(this.size + 4, level, true)
    view.setInt32(this.size + 8, type, true)
    this.bytes.set(data.subarray(0, count), this.size + CONTROL_HEADER)
    this.size = Math.min(this.bytes.length, this.size + aligned(CONTROL_HEADER + count))
  }
}
