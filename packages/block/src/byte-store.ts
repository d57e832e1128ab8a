/** Where the bytes of an image are: an array here, a file in `@vmexit/block/node`. */
import { VmexitError } from '@vmexit/core'

/** Bytes of fixed number. What fails throws a {@link VmexitError} `block-io`. */
export interface ByteStore {
  /** In messages: the file's path. */
  readonly name: string
  /** How many bytes there are. */
  readonly bytes: number
  /** Fills `into` from byte `at` on; all of it is within `bytes`. */
  read(at: number, into: Uint8Array): void
  /** Writes `from` at byte `at`; all of it is within `bytes`. Absent where nothing can be written. */
  write?(at: number, from: Uint8Array): void
  /** Makes what was written durable. */
  flush?(): void
}

/** An array as a store: it is read and written in place. */
export function byteArray(bytes: Uint8Array, name = 'the image in memory'): ByteStore {
  return {
    name,
    bytes: bytes.length,
    read: (at, into) => into.set(bytes.subarray(at, at + into.length)),
    write: (at, from) => bytes.set(from, at),
  }
}

/** `count` bytes of zeros. Throws a {@link VmexitError} `block-size` for what is no number of bytes. */
export function zeroStore(count: number, name = 'the empty disk'): ByteStore {
  if (!(Number.isSafeInteger(count) && count >= 0)) {
    throw new VmexitError('block-size', {
      problem: `${name} cannot have ${count} bytes`,
      remedy: 'give a whole number of bytes',
    })
  }
  return { name, bytes: count, read: (_, into) => void into.fill(0) }
}
