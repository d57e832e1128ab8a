/** What `fs` does with whole trees: `rm` and `mkdir` with `recursive`, as Node does them on top of the system calls. */

import { inodeOf } from '../dentry.ts'
import { Errno } from '../errno.ts'
import { At, Mode } from '../flags.ts'
import type { Path } from '../mount/mount.ts'
import type { ByteString } from '../names.ts'
import { targetFromMemfs } from './names.ts'
import { orThrow } from './node-errors.ts'
import type { View } from './view.ts'

const { EEXIST, ENOENT, ENOTDIR, EROFS } = Errno

interface Level {
  readonly parent: Path | null
  readonly name: ByteString
  readonly place: Path
  readonly names: ByteString[]
}

/** Removes what a name has in a directory, with all that lies below it; 0 or an error. Links are not followed. */
export function removeTree(view: View, from: Path | null, path: ByteString): number {
  const { vfs, task } = view
  const levels: Level[] = []
  const enter = (parent: Path | null, name: ByteString): number => {
    const place = vfs.lookup(task, parent, name, At.AT_SYMLINK_NOFOLLOW)
    if (typeof place === 'number') return place
    if ((inodeOf(place.dentry).mode & Mode.IFMT) !== Mode.IFDIR) return vfs.unlink(task, parent, name)
    const names = view.list(place, '.')
    if (typeof names === 'number') return names
    levels.push({ parent, name, place, names: names.map((each) => each.name).reverse() })
    return 0
  }
  let answer = enter(from, path)
  while (answer >= 0 && levels.length > 0) {
    const { parent, name, place, names } = levels.at(-1)!
    const next = names.pop()
    if (next !== undefined) answer = enter(place, next)
    else {
      answer = vfs.rmdir(task, parent, name)
      levels.pop()
    }
    // What others have removed meanwhile is gone as well.
    if (answer === -ENOENT && levels.length > 0) answer = 0
  }
  return answer
}

/** Makes a directory and those above it that are missing. The first one made, or `undefined`. Throws Node's errors. */
export function makeDirectories(view: View, path: string, mode: number): string | undefined {
  const missing: string[] = []
  let first: string | undefined
  for (let at: string | undefined = path; at !== undefined; ) {
    const answer = view.vfs.mkdir(view.task, null, targetFromMemfs(at), mode)
    if (answer === -ENOENT && at !== parentOf(at)) {
      missing.push(at)
      at = parentOf(at)
      continue
    }
    if (answer === 0) first ??= at
    else if (answer === -EEXIST || answer === -EROFS) {
      const there = view.look(at, true)
      if (typeof there === 'number') orThrow(there, 'mkdir', path)
      else if (!there.getNode().isDirectory()) orThrow(missing.length > 0 ? -ENOTDIR : -EEXIST, 'mkdir', path)
    } else orThrow(answer, 'mkdir', path)
    at = missing.pop()
  }
  return first
}

/** The path of the directory above. */
export function parentOf(path: string): string {
  const trimmed = path.replace(/\/+$/, '')
  const slash = trimmed.lastIndexOf('/')
  if (slash < 0) return trimmed === '' ? '/' : '.'
  return trimmed.slice(0, slash).replace(/\/+$/, '') || '/'
}
