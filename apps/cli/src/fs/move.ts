/** Renaming as mv(1) does it: where the file system refuses for a directory of a lower layer, by a copy. */
import {
  At,
  type ByteString,
  Errno,
  type File,
  isDirectory,
  isRegular,
  isSymlink,
  Open,
  type Path,
  Rename,
} from '@vmexit/vfs'
import { must, refuse } from './errors.ts'
import { type Looker, look, namesOf } from './listing.ts'
import { shown } from './shown.ts'

/** Renames; the new name must be free. @throws VmexitError `fs-refused`. */
export function move(looker: Looker, from: ByteString, to: ByteString): void {
  const { vfs, task } = looker
  const answer = vfs.rename(task, null, from, null, to, Rename.RENAME_NOREPLACE)
  if (answer === -Errno.EXDEV) {
    copy(looker, from, to)
    remove(looker, from)
  } else if (answer < 0) throw refuse(`rename to ${shown(to)}`, from, answer)
}

/** Removes a file, or a directory and all in it. @throws VmexitError `fs-refused`. */
export function remove(looker: Looker, path: ByteString): void {
  const { vfs, task } = looker
  const isFull = isDirectory(look(looker, path).mode)
  if (isFull) for (const name of namesOf(looker, path)) remove(looker, `${path}/${name}`)
  must(isFull ? vfs.rmdir(task, null, path) : vfs.unlink(task, null, path), 'remove', path)
}

/** With owners, modes, attributes and times. */
function copy(looker: Looker, from: ByteString, to: ByteString): void {
  const { vfs, task } = looker
  const stat = look(looker, from)
  if (isDirectory(stat.mode)) {
    must(vfs.mkdir(task, null, to, 0o700), 'make', to)
    for (const name of namesOf(looker, from)) copy(looker, `${from}/${name}`, `${to}/${name}`)
  } else if (isSymlink(stat.mode)) {
    must(vfs.symlink(task, must(vfs.readlink(task, null, from), 'read', from) as ByteString, null, to), 'make', to)
  } else if (isRegular(stat.mode)) copyData(looker, from, to)
  else must(vfs.mknod(task, null, to, stat.mode, stat.rdev), 'make', to)
  const place = must(vfs.lookup(task, null, to, At.AT_SYMLINK_NOFOLLOW), 'find', to) as Path
  const flags = At.AT_EMPTY_PATH | At.AT_SYMLINK_NOFOLLOW
  must(vfs.chown(task, place, '', stat.uid, stat.gid, flags), 'give its owner to', to)
  if (!isSymlink(stat.mode)) must(vfs.chmod(task, place, '', stat.mode & 0o7777, flags), 'give its mode to', to)
  const source = must(vfs.lookup(task, null, from, At.AT_SYMLINK_NOFOLLOW), 'find', from) as Path
  const names = vfs.listxattr(task, source)
  for (const name of typeof names === 'number' ? [] : names) {
    const value = must(vfs.getxattr(task, source, name), 'read', from) as Uint8Array
    must(vfs.setxattr(task, place, name, value), 'give its attributes to', to)
  }
  const accessed = { seconds: stat.atimeSeconds, nanoseconds: stat.atimeNanoseconds }
  const modified = { seconds: stat.mtimeSeconds, nanoseconds: stat.mtimeNanoseconds }
  must(vfs.utimens(task, place, '', [accessed, modified], flags), 'give its times to', to)
}

function copyData({ vfs, task }: Looker, from: ByteString, to: ByteString): void {
  const source = must(vfs.open(task, null, from, Open.O_RDONLY | Open.O_NOFOLLOW), 'read', from) as File
  const target = must(vfs.open(task, null, to, Open.O_WRONLY | Open.O_CREAT | Open.O_EXCL, 0o600), 'make', to) as File
  const bytes = new Uint8Array(1 << 16)
  for (;;) {
    const length = must(vfs.read(source, bytes), 'read', from) as number
    if (length === 0) break
    for (let done = 0; done < length; )
      done += must(vfs.write(task, target, bytes, done, length - done), 'write', to) as number
  }
  vfs.close(source)
  vfs.close(target)
}
