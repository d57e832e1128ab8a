/** Building and showing trees of any file system, for tests that want to say what a directory holds. */
import { byteStringOf, bytesOf, FIRST_COOKIE, type Inode, isDirectory, isRegular, isSymlink, Mode } from '@vmexit/vfs'

/** What a name is to be: text is a file, `null` a whiteout, an object a directory, `->x` a link to `x`. */
export interface Tree {
  readonly [name: string]: string | null | Tree
}

/** Fills a directory. */
export function plant(dir: Inode, tree: Tree): Inode {
  for (const [name, what] of Object.entries(tree)) {
    if (what === null) inodeOf(dir.fs.create(dir, name, Mode.IFCHR, 0, 0, 0))
    else if (typeof what === 'object') plant(inodeOf(dir.fs.mkdir(dir, name, 0o755, 0, 0)), what)
    else if (what.startsWith('->')) inodeOf(dir.fs.symlink(dir, name, what.slice(2), 0, 0))
    else {
      const file = inodeOf(dir.fs.create(dir, name, Mode.IFREG | 0o644, 0, 0, 0))
      if (what !== '') write(file, what)
    }
  }
  return dir
}

/** What a directory holds, names in order. */
export function harvest(dir: Inode): Tree {
  const tree: Record<string, string | null | Tree> = {}
  for (const name of namesIn(dir).sort()) {
    const inode = at(dir, name)
    if (isDirectory(inode.mode)) tree[name] = harvest(inode)
    else if (isSymlink(inode.mode)) tree[name] = `->${dir.fs.readlink(inode)}`
    else if (isRegular(inode.mode)) tree[name] = read(inode)
    else tree[name] = null
  }
  return tree
}

/** The inode at a path. */
export function at(dir: Inode, path: string): Inode {
  let inode = dir
  for (const name of path.split('/')) inode = inodeOf(inode.fs.lookup(inode, name), path)
  return inode
}

/** The names in a directory, as they are listed. */
export function namesIn(dir: Inode): string[] {
  const names: string[] = []
  const answer = dir.fs.readdir(dir, FIRST_COOKIE, { entry: (name) => names.push(name) > 0 })
  if (answer < 0) throw new Error(`readdir: ${answer}`)
  return names
}

/** All of a file. */
export function read(file: Inode): string {
  const bytes = new Uint8Array(file.size)
  const count = file.fs.read(file, bytes, 0, bytes.length, 0)
  if (count < 0) throw new Error(`read: ${count}`)
  return byteStringOf(bytes.subarray(0, count))
}

/** Writes text, at the start unless stated. */
export function write(file: Inode, text: string, position = 0): void {
  const count = file.fs.write(file, bytesOf(text), 0, text.length, position)
  if (count !== text.length) throw new Error(`write: ${count}`)
}

/** An answer that is to be an inode. */
export function inodeOf(answer: Inode | number, what = 'an inode'): Inode {
  if (typeof answer === 'number') throw new Error(`${what}: ${answer}`)
  return answer
}

/** The name of a user, or overlay's, attribute as text; `undefined` without. */
export function attribute(inode: Inode, name: string): string | undefined {
  const value = inode.fs.getxattr(inode, name)
  return typeof value === 'number' ? undefined : byteStringOf(value)
}
