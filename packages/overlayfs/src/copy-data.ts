/** Copying the data of a file into another, holes staying holes. */
import { Errno, type Inode, Seek } from '@vmexit/vfs'

const buffer = new Uint8Array(64 * 1024)

/** How far a copy has come. */
export interface Progress {
  /** Bytes that have been dealt with. */
  done: number
}

/**
 * Copies from `progress.done` to before `end`, both files being of the same size afterwards as far as the data go; the
 * target has nothing but holes there. 0, or an error after which `progress` says from where to go on.
 */
export function copyData(from: Inode, to: Inode, end: number, progress: Progress): number {
  while (progress.done < end) {
    const start = from.fs.seek(from, progress.done, Seek.SEEK_DATA)
    if (start === -Errno.ENXIO || start >= end) {
      progress.done = end
      break
    }
    // A store without the notion of holes has none.
    const known = start !== -Errno.EINVAL && start !== -Errno.EOPNOTSUPP
    if (known && start < 0) return start
    if (known) progress.done = start
    const hole = known ? from.fs.seek(from, start, Seek.SEEK_HOLE) : end
    if (hole < 0) return hole
    const answer = copyRun(from, to, Math.min(hole, end), progress)
    if (answer < 0) return answer
  }
  return 0
}

function copyRun(from: Inode, to: Inode, end: number, progress: Progress): number {
  while (progress.done < end) {
    const count = from.fs.read(from, buffer, 0, Math.min(buffer.length, end - progress.done), progress.done)
    if (count < 0) return count
    if (count === 0) {
      progress.done = end
      return 0
    }
    for (let written = 0; written < count; ) {
      const answer = to.fs.write(to, buffer, written, count - written, progress.done)
      if (answer < 0) return answer
      written += answer
      progress.done += answer
    }
  }
  return 0
}
