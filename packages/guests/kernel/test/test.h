/* What test programs are written with: system calls, and words for what holds and what does not. No C library. */
#ifndef TEST_H
#define TEST_H

#include "../abi.h"

#define SYSTEM_CALL(number, a, b, c, d, e)                                                                             \
    ({                                                                                                                 \
        s32 result;                                                                                                    \
        asm volatile("int $0x80"                                                                                       \
                     : "=a"(result)                                                                                    \
                     : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)                                             \
                     : "memory");                                                                                      \
        result;                                                                                                        \
    })
#define CALL0(n) SYSTEM_CALL(n, 0, 0, 0, 0, 0)
#define CALL1(n, a) SYSTEM_CALL(n, a, 0, 0, 0, 0)
#define CALL2(n, a, b) SYSTEM_CALL(n, a, b, 0, 0, 0)
#define CALL3(n, a, b, c) SYSTEM_CALL(n, a, b, c, 0, 0)
#define CALL4(n, a, b, c, d) SYSTEM_CALL(n, a, b, c, d, 0)
#define CALL5(n, a, b, c, d, e) SYSTEM_CALL(n, a, b, c, d, e)

#define exit(status) (CALL1(1, status), __builtin_unreachable())
#define fork() CALL0(2)
#define read(fd, p, n) CALL3(3, fd, p, n)
#define write(fd, p, n) CALL3(4, fd, p, n)
#define open(path, flags, mode) CALL3(5, path, flags, mode)
#define close(fd) CALL1(6, fd)
#define waitpid(pid, status, options) CALL3(7, pid, status, options)
#define unlink(path) CALL1(10, path)
#define execve(path, argv, envp) CALL3(11, path, argv, envp)
#define chdir(path) CALL1(12, path)
#define lseek(fd, offset, whence) CALL3(19, fd, offset, whence)
#define getpid() CALL0(20)
#define kill(pid, signal) CALL2(37, pid, signal)
#define mkdir(path, mode) CALL2(39, path, mode)
#define rmdir(path) CALL1(40, path)
#define dup(fd) CALL1(41, fd)
#define pipe(fds) CALL1(42, fds)
#define brk(to) CALL1(45, to)
#define dup2(fd, to) CALL2(63, fd, to)
#define getppid() CALL0(64)
#define munmap(p, n) CALL2(91, p, n)
#define mprotect(p, n, protection) CALL3(125, p, n, protection)
#define yield() CALL0(158)
#define nanosleep(t, rest) CALL2(162, t, rest)
#define sigaction(signal, action, old) CALL4(174, signal, action, old, 8)
#define sigprocmask(how, set, old) CALL4(175, how, set, old, 8)
#define getcwd(p, n) CALL2(183, p, n)
#define stat64(path, p) CALL2(195, path, p)
#define fstat64(fd, p) CALL2(197, fd, p)
#define getdents64(fd, p, n) CALL3(220, fd, p, n)
#define clock_gettime(clock, t) CALL2(265, clock, t)

/* runtime.c */
void *mmap(void *at, u32 bytes, u32 protection, u32 flags, s32 fd, u32 page);
static inline bool failed(const void *p)
{
    return (u32)p > 0xfffff000u;
}
/* Pages of zeros, readable and writable. */
void *pages(u32 count);
void print(const char *text);
void print_number(s32 value);
/* One line for a test: `ok NAME`, or `FAILED NAME` and what was not so. */
void begin(const char *name);
void end(void);
void check_that(bool holds, const char *what, s32 value);
#define check(condition) check_that(condition, #condition, 0)
#define check_equal(value, expected)                                                                                   \
    ({                                                                                                                 \
        s32 actual_ = (s32)(value);                                                                                    \
        check_that(actual_ == (s32)(expected), #value " is " #expected, actual_);                                      \
    })
/* How a child that runs the body ended, as waitpid says. */
#define child_status(...)                                                                                              \
    ({                                                                                                                 \
        s32 status_ = -1, pid_ = fork();                                                                               \
        if (pid_ == 0) {                                                                                               \
            __VA_ARGS__;                                                                                               \
            exit(0);                                                                                                   \
        }                                                                                                              \
        waitpid(pid_, &status_, 0);                                                                                    \
        status_;                                                                                                       \
    })
#define EXITED(status) ((status) << 8)

typedef void handler_t(int signal, struct siginfo *info, struct ucontext *context);
void handle(u32 signal, handler_t *handler, u32 flags);
int main(int argc, char **argv, char **envp);
#endif
