/** `struct msghdr` of i386 as strace shows it. */
import type { Task } from '../../system.ts'
import { contents } from '../decoders.ts'
import { shownAddress, shownFlags } from '../socket-decoders.ts'
import type { Decoder } from '../table.ts'
import { readHeader } from './messages.ts'

/** Vectors that are shown. */
const SHOWN = 4

/** A header, of whose vectors so many bytes are of interest. @throws BAD_ADDRESS. */
function shown(task: Task, at: number, bytes: number, flags: boolean): string {
  const { memory } = task.kernel
  const { name, nameBytes, vectors, vectorCount, controlBytes } = readHeader(memory, at)
  const pieces: string[] = []
  let left = bytes
  for (let n = 0; n < Math.min(vectorCount, SHOWN); n++) {
    const length = memory.get32(vectors + n * 8 + 4)
    const base = contents(task, memory.get32(vectors + n * 8), Math.min(length, left))
    pieces.push(`{iov_base=${base}, iov_len=${length}}`)
    left -= Math.min(length, left)
  }
  if (vectorCount > SHOWN) pieces.push('...')
  const fields = [
    `msg_name=${shownAddress(task, name, nameBytes)}`,
    `msg_namelen=${nameBytes}`,
    `msg_iov=[${pieces.join(', ')}]`,
    `msg_iovlen=${vectorCount}`,
    `msg_controllen=${controlBytes}`,
    `msg_flags=${flags ? shownFlags(memory.get32(at + 24)) : '0'}`,
  ]
  return `{${fields.join(', ')}}`
}

/** A message that is sent. */
export const message: Decoder<number> = {
  words: 1,
  decode: (_task, word) => word >>> 0,
  show: (task, word) => shown(task, word >>> 0, Number.POSITIVE_INFINITY, false),
}
/** A message that is received. */
export const messageTaken: Decoder<number> = {
  words: 1,
  isResult: true,
  decode: (_task, word) => word >>> 0,
  show: (task, word, _high, _next, answer) =>
    answer < 0 ? `0x${(word >>> 0).toString(16)}` : shown(task, word >>> 0, answer, true),
}
