/** Places where a browser keeps saved trees. */
import type { FileSystem } from '../file-system.ts'
import { loadTree } from './tree-reader.ts'
import { saveTree } from './tree-writer.ts'

/** Saved trees by name. */
export interface TreeStore {
  /** Saves a file system as it is now. It replaces what the name had, as a whole or not at all. Errors of `saveTree`. */
  save(name: string, fs: FileSystem): Promise<void>
  /** Makes in an empty file system what has been saved. Whether there was any. Errors of `loadTree`. */
  load(name: string, fs: FileSystem): Promise<boolean>
  /** The names of all, sorted. */
  names(): Promise<string[]>
  /** Forgets one; nothing happens where there is none. */
  remove(name: string): Promise<void>
}

/** What a kind of place does with blobs. */
export interface BlobStore {
  put(name: string, blob: Blob): Promise<void>
  get(name: string): Promise<Blob | undefined>
  names(): Promise<string[]>
  remove(name: string): Promise<void>
}

/** Trees in a place that keeps blobs. */
export function treeStore(blobs: BlobStore): TreeStore {
  return {
    save: async (name, fs) => blobs.put(name, saveTree(fs)),
    load: async (name, fs) => {
      const blob = await blobs.get(name)
      if (blob === undefined) return false
      await loadTree(blob, fs)
      return true
    },
    names: async () => (await blobs.names()).sort(),
    remove: (name) => blobs.remove(name),
  }
}
