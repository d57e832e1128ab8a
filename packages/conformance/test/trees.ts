/** Trees of any file system as plain data, for comparing them. */
import {
  type ByteString,
  byteStringOf,
  FIRST_COOKIE,
  type FileSystem,
  type Inode,
  isDirectory,
  isRegular,
  isSymlink,
} from '@vmexit/vfs'

/** Type, permissions, and what is in it: data as bytes of a string, or the target of a link. */
export interface SeenFile {
  readonly mode: number
  readonly content: ByteString | number | undefined
}

/** All that lies below a directory, by path; `skipped` are names in the directory itself. */
export function filesOf(
  fs: FileSystem,
  top: Inode,
  skipped: ReadonlySet<string> = new Set(),
): Record<string, SeenFile> {
  const found: Record<string, SeenFile> = {}
  const waiting: [Inode, string][] = [[top, '']]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [dir, path] = next
    const names: ByteString[] = []
    fs.readdir(dir, FIRST_COOKIE, { entry: (name) => names.push(name) > 0 })
    for (const name of names) {
      if (path === '' && skipped.has(name)) continue
      const inode = fs.lookup(dir, name)
      if (typeof inode === 'number') throw new Error(`${path}/${name} is listed and answers ${inode}`)
      found[`${path}/${name}`] = { mode: inode.mode, content: contentOf(fs, inode) }
      if (isDirectory(inode.mode)) waiting.push([inode, `${path}/${name}`])
    }
  }
  return found
}

function contentOf(fs: FileSystem, inode: Inode): ByteString | number | undefined {
  if (isSymlink(inode.mode)) return fs.readlink(inode)
  if (!isRegular(inode.mode)) return undefined
  const data = new Uint8Array(inode.size)
  const count = fs.read(inode, data, 0, data.length, 0)
  return count < 0 ? count : byteStringOf(data.subarray(0, count))
}
