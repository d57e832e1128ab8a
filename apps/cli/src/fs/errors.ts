/** What a tree refuses, for people. */
import { VmexitError } from '@vmexit/core'
import { type ByteString, errnoName } from '@vmexit/vfs'
import { shown } from './shown.ts'

const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'part of it is no directory',
  EISDIR: 'it is a directory',
  EEXIST: 'it is there already',
  ENOTEMPTY: 'it is not empty',
  EROFS: 'nothing can be changed here',
  ELOOP: 'its links lead in a circle',
}

/** `fs-refused`: what could not be done to which file, and why. */
export function refuse(what: string, path: ByteString, answer: number): VmexitError {
  const name = errnoName(answer)
  return new VmexitError('fs-refused', {
    problem: `cannot ${what} ${shown(path)} (${name})`,
    remedy: MEANINGS[name] ?? 'see errno(3)',
  })
}

/** What a call answers, if it is no error. @throws VmexitError `fs-refused`. */
export function must<Value>(answer: Value, what: string, path: ByteString): Exclude<Value, number> | number {
  if (typeof answer === 'number' && answer < 0) throw refuse(what, path, answer)
  return answer as Exclude<Value, number> | number
}
