/** What a layer keeps with an inode that is in use: opens, watches, locks, writers. Made when it is first needed. */
import type { Inode } from './file-system.ts'
import type { Watch } from './inotify/watch.ts'
import type { FileLocks } from './locks/file-locks.ts'

/** The layer's part of an inode. */
export class InodeState {
  /** Open files of it. */
  opens = 0
  /** Opens for writing; below 0 how many deny it because a program runs from the file. */
  writers = 0
  /** Watches of inotify, oldest first. */
  watches: readonly Watch[] = []
  /** Record locks and flock. */
  locks: FileLocks | undefined = undefined
  /** It has been asked, and has no `security.capability` that a write would have to remove. */
  withoutCapability = false
  /** Made without a name, and not to get one: because of O_EXCL, or because it has had one. */
  unlinkable = false
}

/** The state of an inode, made if there is none. */
export function stateOf(inode: Inode): InodeState {
  return (inode.state ??= new InodeState()) as InodeState
}

/** The state of an inode, if there is any. */
export function knownState(inode: Inode): InodeState | undefined {
  return inode.state as InodeState | undefined
}

/** Drops the state of an inode that is no longer in use. */
export function settle(inode: Inode): void {
  const state = knownState(inode)
  if (state?.opens === 0 && state.writers === 0 && state.watches.length === 0) inode.state = undefined
}
