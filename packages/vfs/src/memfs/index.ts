/**
 * `@vmexit/vfs/memfs`: volumes of memfs as file systems, and file systems as volumes of memfs.
 *
 * @packageDocumentation
 */
import type { Volume } from 'memfs'
import type { FileSystem } from '../file-system.ts'
import type { TimeSource } from '../time.ts'
import { MemfsFileSystem } from './file-system.ts'

/**
 * A volume of memfs as a file system, whose files the volume goes on to have. `time` is the clock that stamps what is
 * changed through the file system; memfs stamps its own changes with the host's. To be made once per volume: what memfs
 * has no place for (extended attributes, nanoseconds) is remembered by this object. After `volume.reset()` make another.
 */
export function memfsFileSystem(volume: Volume, { time }: { readonly time: TimeSource }): FileSystem {
  return new MemfsFileSystem(volume._core, time)
}
