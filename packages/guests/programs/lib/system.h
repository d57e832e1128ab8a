/* Linux's system calls for i386, by INT 80h: the number in EAX, arguments in EBX, ECX, EDX, ESI, EDI, EBP; the result
   in EAX, from -4095 to -1 if it is an error. Named as in the manual's section 2. */
#pragma once
#include <stdint.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef int32_t i32;

enum { PAGE = 4096 };
enum { O_RDWR = 2, O_CREAT = 0100, O_TRUNC = 01000, SEEK_SET = 0, SEEK_END = 2 };
enum { PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20 };

static inline i32 call3(u32 number, u32 a, u32 b, u32 c) {
  i32 result;
  asm volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
  return result;
}
static inline i32 call0(u32 number) {
  i32 result;
  asm volatile("int $0x80" : "=a"(result) : "a"(number) : "memory");
  return result;
}
i32 call6(u32 number, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f);

static inline _Noreturn void exit(i32 status) {
  for (;;) call3(252, status, 0, 0); /* exit_group */
}
static inline i32 fork(void) { return call0(2); }
static inline i32 read(i32 file, void *into, u32 bytes) { return call3(3, file, (u32)into, bytes); }
static inline i32 write(i32 file, const void *from, u32 bytes) { return call3(4, file, (u32)from, bytes); }
static inline i32 open(const char *path, u32 flags, u32 mode) { return call3(5, (u32)path, flags, mode); }
static inline i32 close(i32 file) { return call3(6, file, 0, 0); }
static inline i32 waitpid(i32 process, i32 *status, u32 options) { return call3(7, process, (u32)status, options); }
static inline i32 unlink(const char *path) { return call3(10, (u32)path, 0, 0); }
static inline i32 execve(const char *path, char *const *arguments, char *const *environment) {
  return call3(11, (u32)path, (u32)arguments, (u32)environment);
}
static inline i32 lseek(i32 file, i32 offset, u32 from) { return call3(19, file, offset, from); }
static inline i32 getpid(void) { return call0(20); }
static inline i32 dup(i32 file) { return call3(41, file, 0, 0); }
static inline i32 pipe(i32 ends[2]) { return call3(42, (u32)ends, 0, 0); }
static inline i32 getppid(void) { return call0(64); }
static inline i32 reboot(u32 command) { return call3(88, 0xfee1dead, 0x28121969, command); }
static inline i32 munmap(void *at, u32 bytes) { return call3(91, (u32)at, bytes, 0); }
static inline i32 iopl(u32 level) { return call3(110, level, 0, 0); }
static inline i32 mprotect(void *at, u32 bytes, u32 protection) { return call3(125, (u32)at, bytes, protection); }

/* mmap2 of memory that belongs to no file: zeros. */
static inline i32 map_memory(u32 bytes, u32 protection) {
  return call6(192, 0, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Whether a system call gave an error: addresses may be above 2 GiB. */
static inline int is_error(i32 result) { return (u32)result > -4096u; }

/* What waitpid says of a child: its exit code, or 128 and the signal that ended it. */
static inline u32 exit_code(i32 status) { return status & 0x7f ? 128 + (status & 0x7f) : (status >> 8) & 0xff; }
