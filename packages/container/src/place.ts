/** Places to mount at, made where an image does not have them. Links on the way are followed within the container, which has no other root. */
import type { Task } from '@vmexit/linux'
import { Errno, errnoName, Mode, Open, Stat, toByteString } from '@vmexit/vfs'
import { containerError } from './errors.ts'

/** Makes a directory or a file at a path, and what leads to it, where there is none. @throws VmexitError `container-image`. */
export function makePlace({ kernel: { vfs }, context }: Task, path: string, kind: 'directory' | 'file'): void {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  const stat = new Stat()
  for (let n = 1; n <= parts.length; n++) {
    const at = toByteString(`/${parts.slice(0, n).join('/')}`)
    const isFile = kind === 'file' && n === parts.length
    let answer = vfs.stat(context, null, at, stat)
    if (answer === -Errno.ENOENT) {
      if (isFile) {
        const made = vfs.open(context, null, at, Open.O_WRONLY | Open.O_CREAT | Open.O_EXCL, 0o644)
        answer = typeof made === 'number' ? made : 0
        if (typeof made !== 'number') vfs.close(made)
      } else answer = vfs.mkdir(context, null, at, 0o755)
      if (answer === 0) answer = vfs.stat(context, null, at, stat)
    }
    if (answer < 0)
      containerError(
        'image',
        `${path} cannot be made (${errnoName(answer)})`,
        'take an image that has it, or mount elsewhere',
      )
    if (((stat.mode & Mode.IFMT) === Mode.IFDIR) === isFile)
      containerError('image', `${path} is ${isFile ? 'a directory' : 'no directory'}`, 'mount elsewhere')
  }
}

/** What of the file system answers: an error becomes one of the container. @throws VmexitError `container-image`. */
export function mustAt<Value extends object | number>(answer: Value, path: string): Exclude<Value, number> {
  if (typeof answer !== 'number') return answer as Exclude<Value, number>
  return containerError('image', `nothing can be mounted at ${path} (${errnoName(answer)})`, 'mount elsewhere')
}
