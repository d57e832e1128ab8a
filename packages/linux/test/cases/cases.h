/*
 * Cases of system calls: what a program without a C library needs so that a case is one line (the manual's section 2; numbers of
 * arch/x86/entry/syscalls/syscall_32.tbl in numbers.h).
 *
 *   C(close, -1);            prints   close(-1) = EBADF
 *   P(getpid);               prints   getpid() = some          of a value that is the machine's choice
 *   A(mmap2, 0, …);          prints   mmap2(0, …) = page       of an address
 *   N("size %d", size);      prints     size 5                 what belongs to the case above: indented, not counted
 *
 * What the machine decides (process numbers, inodes, addresses, times) is printed as a relation.
 */
#pragma once
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;
#include "errors.h"
#include "numbers.h"

enum { PAGE = 4096, AT_FDCWD = -100 };
/* An address at which nothing is mapped. */
#define BAD ((void *)16)
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The stack holds argc, argv[], 0, envp[], 0 (System V ABI, i386 supplement, "Process Initialization"). */
__asm__(".globl _start\n_start:\n xorl %ebp, %ebp\n movl (%esp), %eax\n leal 4(%esp), %edx\n andl $-16, %esp\n"
        " subl $8, %esp\n pushl %edx\n pushl %eax\n call begin\n movl %eax, %ebx\n movl $252, %eax\n int $0x80\n"
        ".globl call6\ncall6:\n pushl %ebp\n pushl %ebx\n pushl %esi\n pushl %edi\n movl 20(%esp), %eax\n"
        " movl 24(%esp), %ebx\n movl 28(%esp), %ecx\n movl 32(%esp), %edx\n movl 36(%esp), %esi\n"
        " movl 40(%esp), %edi\n movl 44(%esp), %ebp\n int $0x80\n popl %edi\n popl %esi\n popl %ebx\n popl %ebp\n ret\n"
        ".globl restore_rt\nrestore_rt:\n movl $173, %eax\n int $0x80\n"
        ".globl restore\nrestore:\n popl %eax\n movl $119, %eax\n int $0x80\n"
        /* i32 thread(u32 flags, void *stack, void (*body)(void), u32 *parent_tid, void *tls, u32 *child_tid) */
        ".globl thread\nthread:\n pushl %ebp\n pushl %ebx\n pushl %esi\n pushl %edi\n movl 20(%esp), %ebx\n"
        " movl 24(%esp), %ecx\n movl 28(%esp), %ebp\n movl 32(%esp), %edx\n movl 36(%esp), %esi\n movl 40(%esp), %edi\n"
        " movl $120, %eax\n int $0x80\n testl %eax, %eax\n jnz 1f\n call *%ebp\n xorl %ebx, %ebx\n movl $1, %eax\n"
        " int $0x80\n1: popl %edi\n popl %esi\n popl %ebx\n popl %ebp\n ret\n"
        ".section .note.GNU-stack, \"\", @progbits\n.text\n");
i32 call6(u32 number, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f);
i32 thread(u32 flags, void *stack, void (*body)(void), void *parent_tid, void *tls, void *child_tid);
void restore_rt(void);
void restore(void);

#define SYS_(n, a, b, c, d, e, f, ...) call6(n, (u32)(a), (u32)(b), (u32)(c), (u32)(d), (u32)(e), (u32)(f))
/* In line: the child of a vfork must not return from the function that made it. */
static inline __attribute__((always_inline)) i32 inline_call(u32 number, u32 a, u32 b) {
  i32 result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b) : "memory");
  return result;
}
/* A call that is no case. */
#define SYS(name, ...) SYS_(NR_##name __VA_OPT__(, ) __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define C(name, ...) told(#name "(" #__VA_ARGS__ ")", SYS(name __VA_OPT__(, ) __VA_ARGS__), 0)
#define P(name, ...) told(#name "(" #__VA_ARGS__ ")", SYS(name __VA_OPT__(, ) __VA_ARGS__), 1)
#define A(name, ...) told(#name "(" #__VA_ARGS__ ")", SYS(name __VA_OPT__(, ) __VA_ARGS__), 2)
/* A case that is not one call: a text that begins with a call's name, and what came of it. */
#define T(text, value) told(text, value, 0)
#define N(...) note("  " __VA_ARGS__)

static inline int is_error(i32 result) { return (u32)result > -4096u; }
static inline void *at_of(i32 result) { return is_error(result) ? 0 : (void *)result; }

static u32 length_of(const char *text) {
  u32 length = 0;
  while (text[length]) length++;
  return length;
}
static int same(const void *a, const void *b, u32 bytes) {
  for (u32 n = 0; n < bytes; n++)
    if (((u8 *)a)[n] != ((u8 *)b)[n]) return 0;
  return 1;
}
void *memset(void *to, int value, u32 bytes) {
  for (volatile u8 *at = to; bytes--;) *at++ = value;
  return to;
}
void *memcpy(void *to, const void *from, u32 bytes) {
  volatile u8 *at = to;
  for (const u8 *of = from; bytes--;) *at++ = *of++;
  return to;
}

static char *put_number(char *to, u64 value, u32 base, int negative) {
  char digits[24];
  u32 count = 0;
  if (negative && (i64)value < 0) *to++ = '-', value = -value;
  do {
    /* Without the library's division of 64 bits. */
    u64 rest = 0, quotient = 0;
    for (int bit = 63; bit >= 0; bit--) {
      rest = rest << 1 | (value >> bit & 1);
      quotient <<= 1;
      if (rest >= base) rest -= base, quotient |= 1;
    }
    digits[count++] = "0123456789abcdef"[rest];
    value = quotient;
  } while (value);
  while (count) *to++ = digits[--count];
  return to;
}

/* %d %u %x %o %s, %D and %U of 64 bits, %e an error or a number, %q bytes: an address and a length. */
static char *format(char *to, const char *text, __builtin_va_list list) {
  for (; *text; text++) {
    if (*text != '%') {
      *to++ = *text;
      continue;
    }
    switch (*++text) {
    case 'd': to = put_number(to, __builtin_va_arg(list, i32), 10, 1); break;
    case 'u': to = put_number(to, __builtin_va_arg(list, u32), 10, 0); break;
    case 'x': to = put_number(to, __builtin_va_arg(list, u32), 16, 0); break;
    case 'o': to = put_number(to, __builtin_va_arg(list, u32), 8, 0); break;
    case 'D': to = put_number(to, __builtin_va_arg(list, i64), 10, 1); break;
    case 'U': to = put_number(to, __builtin_va_arg(list, u64), 10, 0); break;
    case 's': {
      const char *from = __builtin_va_arg(list, char *);
      while (*from) *to++ = *from++;
      break;
    }
    case 'e': {
      i32 value = __builtin_va_arg(list, i32);
      if (!is_error(value)) to = put_number(to, value, 10, 1);
      else if (-value < (i32)COUNT(errors) && errors[-value])
        for (const char *from = errors[-value]; *from;) *to++ = *from++;
      else to = put_number(to, value, 10, 1);
      break;
    }
    case 'q': {
      const u8 *from = __builtin_va_arg(list, u8 *);
      for (u32 left = __builtin_va_arg(list, u32); left--; from++) {
        if (*from >= 32 && *from < 127) *to++ = *from;
        else *to++ = '\\', *to++ = "0123456789abcdef"[*from >> 4], *to++ = "0123456789abcdef"[*from & 15];
      }
      break;
    }
    }
  }
  return to;
}
static void note(const char *text, ...) {
  char line[1024];
  __builtin_va_list list;
  __builtin_va_start(list, text);
  char *end = format(line, text, list);
  __builtin_va_end(list);
  *end++ = '\n';
  call6(4, 1, (u32)line, end - line, 0, 0, 0);
}
/* Prints what a call answered; `kind` 0: the number, 1: whether there is one, 2: whether it is an address. */
static i32 told(const char *text, i32 result, int kind) {
  if (is_error(result) || kind == 0) note("%s = %e", text, result);
  else if (kind == 1) note("%s = %s", text, result ? "some" : "0");
  else note("%s = %s", text, result & (PAGE - 1) ? "address" : "page");
  return result;
}

_Noreturn static void leave(i32 status) {
  for (;;) SYS(exit_group, status);
}
static void pause_for(u32 milliseconds) {
  u32 time[2] = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  SYS(nanosleep, time, 0);
}
static u64 now(void) {
  u32 time[2];
  SYS(clock_gettime, 1, time);
  return (u64)time[0] * 1000000000u + time[1];
}
/* A child that does something and ends with 0; its number. */
#define CHILD(...) \
  ({ \
    i32 child_ = SYS(fork); \
    if (child_ == 0) { \
      __VA_ARGS__; \
      leave(0); \
    } \
    child_; \
  })
static i32 wait_for(i32 child) {
  i32 status = -1;
  SYS(wait4, child, &status, 0, 0);
  return status;
}
/* The same, waited for. */
#define ALONE(...) wait_for(CHILD(__VA_ARGS__))
/* A file with contents. */
static void put_file(const char *path, const char *text) {
  i32 file = SYS(open, path, 01101, 0644);
  SYS(write, file, text, length_of(text));
  SYS(close, file);
}

/* Pages: one that may be written with an unmapped one behind it. */
static u8 *edge(void) {
  u8 *at = at_of(SYS(mmap2, 0, 2 * PAGE, 3, 0x22, -1, 0));
  SYS(munmap, at + PAGE, PAGE);
  return at;
}
static u8 *new_pages(u32 count) { return at_of(SYS(mmap2, 0, count * PAGE, 3, 0x22, -1, 0)); }

struct action {
  void *handler;
  u32 flags;
  void *restorer;
  u32 mask[2];
};
enum { SA_SIGINFO = 4, SA_RESTART = 0x10000000, SA_NODEFER = 0x40000000, SA_RESTORER = 0x04000000 };
static void handle(i32 signal, void *handler, u32 flags) {
  struct action action = {handler, flags | SA_RESTORER, flags & SA_SIGINFO ? restore_rt : restore, {0, 0}};
  SYS(rt_sigaction, signal, &action, 0, 8);
}

void cases(int argc, char **argv);
/* Waits until a child ends, and ends as it does. */
_Noreturn static void follow(i32 child) {
  i32 status = 0;
  while (SYS(wait4, -1, &status, 0, 0) != child)
    ;
  leave(status & 0x7f ? 128 + (status & 0x7f) : status >> 8);
}
/* All begin alike, in the working directory, which is to be empty: neither as the first process nor as the leader of a session or
   group, in a session of their own. With arguments a program is its own child. */
int begin(int argc, char **argv) {
  u32 none[2] = {0, 0}, files[2] = {1024, 4096}, core[2] = {0, 0};
  if (argc == 1) {
    i32 child = SYS(fork);
    if (child) follow(child);
    SYS(setsid);
    child = SYS(fork);
    if (child) follow(child);
    SYS(rt_sigprocmask, 2, none, 0, 8);
    SYS(setrlimit, 7, files);
    SYS(setrlimit, 4, core);
    SYS(umask, 022);
    SYS(chmod, ".", 0755);
    SYS(close_range, 3, -1, 0);
    SYS(setgroups32, 0, 0);
    SYS(setpriority, 0, 0, 0);
  }
  cases(argc, argv);
  return 0;
}
