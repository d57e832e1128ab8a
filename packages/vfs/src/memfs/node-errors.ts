/** Errors as Node's `fs` throws them: `code`, `errno`, `syscall`, `path`, `dest`, and libuv's words (uv_strerror(3)). */
import { type ErrnoName, errnoName, NOT_YET } from '../errno.ts'

// biome-ignore format: a table
const words: Partial<Readonly<Record<ErrnoName | 'ENOTSUP', string>>> = {
  EPERM: 'operation not permitted', ENOENT: 'no such file or directory', EINTR: 'interrupted system call',
  EIO: 'i/o error', ENXIO: 'no such device or address', E2BIG: 'argument list too long', EBADF: 'bad file descriptor',
  EAGAIN: 'resource temporarily unavailable', ENOMEM: 'not enough memory', EACCES: 'permission denied',
  EBUSY: 'resource busy or locked', EEXIST: 'file already exists', EXDEV: 'cross-device link not permitted',
  ENODEV: 'no such device', ENOTDIR: 'not a directory', EISDIR: 'illegal operation on a directory',
  EINVAL: 'invalid argument', EMFILE: 'too many open files', ETXTBSY: 'text file is busy', EFBIG: 'file too large',
  ENOSPC: 'no space left on device', ESPIPE: 'invalid seek', EROFS: 'read-only file system', EMLINK: 'too many links',
  EPIPE: 'broken pipe', ERANGE: 'result too large', ENAMETOOLONG: 'name too long', ENOSYS: 'function not implemented',
  ENOTEMPTY: 'directory not empty', ELOOP: 'too many symbolic links encountered', ENODATA: 'no data available',
  EOVERFLOW: 'value too large for defined data type', EILSEQ: 'illegal byte sequence',
  ENOTSUP: 'operation not supported on socket', ESTALE: 'stale file handle', EDQUOT: 'disk quota exceeded',
}

/** An error of Node's `fs`. */
export interface NodeError extends Error {
  code: string
  errno: number
  syscall: string
  path?: string
  dest?: string
}

/**
 * The error for an answer below 0. What is not there yet is EAGAIN: Node's calls cannot be made to wait.
 */
export function nodeError(answer: number, syscall: string, path?: string, dest?: string): NodeError {
  const name = answer === NOT_YET ? 'EAGAIN' : errnoName(answer)
  const code = name === 'EOPNOTSUPP' ? 'ENOTSUP' : name
  const text = words[code as ErrnoName] ?? `Unknown system error ${answer}`
  const where = (path === undefined ? '' : ` '${path}'`) + (dest === undefined ? '' : ` -> '${dest}'`)
  const error = new Error(`${code}: ${text}, ${syscall}${where}`) as NodeError
  error.errno = answer === NOT_YET ? -11 : answer
  error.code = code
  error.syscall = syscall
  if (path !== undefined) error.path = path
  if (dest !== undefined) error.dest = dest
  return error
}

/** A value, or the error for an answer below 0 thrown. */
export function orThrow<Value>(answer: Value | number, syscall: string, path?: string, dest?: string): Value {
  if (typeof answer === 'number' && answer < 0) throw nodeError(answer, syscall, path, dest)
  return answer as Value
}

/** What `rm` says of a directory that is not to be removed with all that is in it: Node's `ERR_FS_EISDIR`. */
export function directoryError(path: string): Error {
  const error = new Error(`Path is a directory: rm returned EISDIR (is a directory) ${path}`)
  const info = { code: 'EISDIR', message: 'is a directory', path, syscall: 'rm', errno: 21 }
  return Object.assign(error, { name: 'SystemError', code: 'ERR_FS_EISDIR', info, errno: 21, syscall: 'rm', path })
}
