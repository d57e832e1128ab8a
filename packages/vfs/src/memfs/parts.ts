/**
 * The parts that a memfs volume is made of, as its declarations have them: a `Superblock` holds a tree of `Link`s (names
 * in directories), each of which has a `Node` (an inode). They are memfs's own objects, reached through the volume, so
 * that there is no second copy of memfs to be mixed up with.
 */
import type { Volume } from 'memfs'

export type Superblock = Volume['_core']
export type Link = Superblock['root']
export type Node = ReturnType<Link['getNode']>

/** What `Superblock.changes` tells memfs's watchers (its `FsEventType`). */
export const FsEventType = { CREATE: 0, DELETE: 1, MODIFY: 2, ATTRIB: 3, MOVE: 4 } as const
