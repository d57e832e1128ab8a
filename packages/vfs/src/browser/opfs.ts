/** Saved trees as files of the origin private file system (whatwg/fs), one each. */
import { type TreeStore, treeStore } from './store.ts'

const ending = '.tree'

/**
 * Trees as files in a directory, such as `await navigator.storage.getDirectory()`. A file is replaced when all has been
 * written, so a page that is closed meanwhile leaves the old one.
 */
export function opfsStore(directory: FileSystemDirectoryHandle): TreeStore {
  const fileName = (name: string) => encodeURIComponent(name) + ending
  return treeStore({
    put: async (name, blob) => {
      const file = await directory.getFileHandle(fileName(name), { create: true })
      const writable = await file.createWritable()
      try {
        await writable.write(blob)
      } catch (error) {
        await writable.abort()
        throw error
      }
      await writable.close()
    },
    get: async (name) => {
      try {
        const file = await directory.getFileHandle(fileName(name))
        const blob = await file.getFile()
        // A page that was closed while it saved for the first time has left an empty file.
        return blob.size === 0 ? undefined : blob
      } catch (error) {
        if (isNotFound(error)) return undefined
        throw error
      }
    },
    names: async () => {
      const names: string[] = []
      for await (const name of directory.keys()) {
        if (name.endsWith(ending)) names.push(decodeURIComponent(name.slice(0, -ending.length)))
      }
      return names
    },
    remove: async (name) => {
      try {
        await directory.removeEntry(fileName(name))
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    },
  })
}

function isNotFound(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'NotFoundError'
}
