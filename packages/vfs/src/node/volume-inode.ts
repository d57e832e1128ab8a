/// <reference types="node" />
/** An inode of a volume: one of the host, known by the directory that it was last found in and its name there. */
import type { BigIntStats } from 'node:fs'
import type { FileSystem } from '../file-system.ts'
import type { ByteString } from '../names.ts'
import { HostInode } from './host-inode.ts'

/** `path` is its name alone. */
export class VolumeInode extends HostInode {
  /** The directory that it was last found in; `null` of the root. */
  parent: VolumeInode | null
  /** Its last name has gone, and it is still open: its descriptor is all that leads to it. */
  isNameless = false

  constructor(fs: FileSystem, ino: number, parent: VolumeInode | null, name: ByteString, stats: BigIntStats) {
    super(fs, ino, name, stats)
    this.parent = parent
  }
}
