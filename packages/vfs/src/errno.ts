/**
 * Error numbers, as Linux has them on x86 (errno(3), asm-generic/errno.h), and the answer that is none.
 *
 * A call of a file system answers a value or a negative number. There are no exceptions for what a guest can cause.
 */

/** Error numbers by name; calls answer them negated. */
// biome-ignore format: a table
export const Errno = {
  EPERM: 1, ENOENT: 2, ESRCH: 3, EINTR: 4, EIO: 5, ENXIO: 6, E2BIG: 7, ENOEXEC: 8, EBADF: 9, ECHILD: 10,
  EAGAIN: 11, ENOMEM: 12, EACCES: 13, EFAULT: 14, ENOTBLK: 15, EBUSY: 16, EEXIST: 17, EXDEV: 18, ENODEV: 19,
  ENOTDIR: 20, EISDIR: 21, EINVAL: 22, ENFILE: 23, EMFILE: 24, ENOTTY: 25, ETXTBSY: 26, EFBIG: 27, ENOSPC: 28,
  ESPIPE: 29, EROFS: 30, EMLINK: 31, EPIPE: 32, EDOM: 33, ERANGE: 34, EDEADLK: 35, ENAMETOOLONG: 36, ENOLCK: 37,
  ENOSYS: 38, ENOTEMPTY: 39, ELOOP: 40, ENODATA: 61, EOVERFLOW: 75, EILSEQ: 84, EOPNOTSUPP: 95, ESTALE: 116,
  EDQUOT: 122,
} as const

/** The name of an error number. */
export type ErrnoName = keyof typeof Errno

/**
 * *Not yet*: the call has done nothing and is to be made again, with the same arguments, when what it waits for has
 * come. Whoever answers it has made sure that the caller is woken. It lies below every negated error number (Linux
 * ends them at −4095), so that one comparison with 0 tells values from everything else.
 */
export const NOT_YET = -4096

const names: ReadonlyMap<number, ErrnoName> = new Map(
  Object.entries(Errno).map(([name, number]) => [number, name as ErrnoName]),
)

/** The name of an answer below 0: `-2` is `ENOENT`. What has no name is written as a number. */
export function errnoName(answer: number): string {
  return answer === NOT_YET ? 'NOT_YET' : (names.get(-answer) ?? `errno ${-answer}`)
}
