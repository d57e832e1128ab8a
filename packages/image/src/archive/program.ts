/** A tree of files that is one program: `FROM scratch` and `COPY`. */
import { END_OF_ARCHIVE, encodeEntry, paddingAfter } from '@vmexit/tar'
import { toByteString } from '@vmexit/vfs'
import type { Bytes } from '../codecs.ts'

/** A program that needs no other file: a static one. */
export interface Program {
  /** Its name at the root, without a slash. */
  readonly name: string
  /** How many bytes `data` has. */
  readonly size: number
  readonly data: Bytes
}

/** The archive of a tree that holds a program which all may run, for `Images.import`. */
export async function* programArchive({ name, size, data }: Program): AsyncGenerator<Uint8Array> {
  yield encodeEntry({ type: 'file', name: toByteString(name), mode: 0o755, size })
  yield* data
  yield paddingAfter(size)
  yield END_OF_ARCHIVE
}
