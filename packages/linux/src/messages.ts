/** What error numbers mean, in the words of strerror(3). */
const words = `EPERM Operation not permitted|ENOENT No such file or directory|ESRCH No such process|EINTR Interrupted system call|EIO Input/output error
ENXIO No such device or address|E2BIG Argument list too long|ENOEXEC Exec format error|EBADF Bad file descriptor|ECHILD No child processes
EAGAIN Resource temporarily unavailable|ENOMEM Cannot allocate memory|EACCES Permission denied|EFAULT Bad address|EBUSY Device or resource busy
EEXIST File exists|EXDEV Invalid cross-device link|ENODEV No such device|ENOTDIR Not a directory|EISDIR Is a directory|EINVAL Invalid argument
EMFILE Too many open files|ENOTTY Inappropriate ioctl for device|ETXTBSY Text file busy|EFBIG File too large|ENOSPC No space left on device
ESPIPE Illegal seek|EROFS Read-only file system|EMLINK Too many links|EPIPE Broken pipe|ERANGE Numerical result out of range
EDEADLK Resource deadlock avoided|ENAMETOOLONG File name too long|ENOSYS Function not implemented|ENOTEMPTY Directory not empty
ELOOP Too many levels of symbolic links|ENODATA No data available|EOVERFLOW Value too large for defined data type
EOPNOTSUPP Operation not supported|ETIMEDOUT Connection timed out|ENOTSOCK Socket operation on non-socket
EDESTADDRREQ Destination address required|EMSGSIZE Message too long|EPROTOTYPE Protocol wrong type for socket
ENOPROTOOPT Protocol not available|EPROTONOSUPPORT Protocol not supported|ESOCKTNOSUPPORT Socket type not supported
EAFNOSUPPORT Address family not supported by protocol|EADDRINUSE Address already in use|EADDRNOTAVAIL Cannot assign requested address
ENETDOWN Network is down|ENETUNREACH Network is unreachable|ECONNABORTED Software caused connection abort
ECONNRESET Connection reset by peer|ENOBUFS No buffer space available|EISCONN Transport endpoint is already connected
ENOTCONN Transport endpoint is not connected|ETOOMANYREFS Too many references: cannot splice|ECONNREFUSED Connection refused
EHOSTUNREACH No route to host|EALREADY Operation already in progress|EINPROGRESS Operation now in progress`

/** By name. */
export const errorMessages: ReadonlyMap<string, string> = new Map(
  words.split(/[|\n]/).map((entry) => [entry.slice(0, entry.indexOf(' ')), entry.slice(entry.indexOf(' ') + 1)]),
)
