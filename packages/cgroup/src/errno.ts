/** The error numbers that writes and the tree answer, negated, as Linux has them on x86 (errno(3)). */

/** Error numbers by name. */
// biome-ignore format: a table
export const Errno = {
  ENOENT: 2, ESRCH: 3, E2BIG: 7, EAGAIN: 11, ENOMEM: 12, EACCES: 13, EBUSY: 16, EEXIST: 17, ENODEV: 19, EINVAL: 22,
  ENOSPC: 28, ERANGE: 34, EOVERFLOW: 75, EOPNOTSUPP: 95,
} as const
