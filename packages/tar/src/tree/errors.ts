/** What goes wrong between an archive and a tree of files. */
import { VmexitError } from '@vmexit/core'
import { type ByteString, errnoName, toText } from '@vmexit/vfs'

/** What an archive asks of a tree and the tree refuses, or the other way about. `errno` is its answer, below 0. */
export class TreeError extends VmexitError<'tar-tree'> {
  readonly errno: number

  constructor(what: string, name: ByteString, errno: number) {
    super('tar-tree', {
      problem: `cannot ${what} '${toText(name)}': ${errnoName(errno)}`,
      remedy: REMEDIES[errnoName(errno)] ?? 'see what of the tree is in its way',
    })
    this.errno = errno
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'give the file system more space',
  EDQUOT: 'raise the quota',
  ENAMETOOLONG: 'names have at most 255 bytes, and those of all directories on the way 4095',
  ENOENT: 'the archive names something that neither it nor the tree holds',
  EROFS: 'unpack into a file system that can be written to',
  NOT_YET: 'wait until the file system has fetched what it shows',
}

/** The answer, if it is a value. @throws TreeError. */
export function must<Value>(answer: Value, what: string, name: ByteString): Exclude<Value, number> | number {
  if (typeof answer === 'number' && answer < 0) throw new TreeError(what, name, answer)
  return answer as Exclude<Value, number> | number
}
