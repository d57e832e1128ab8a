/* Memory: mmap2(2), munmap(2), mprotect(2), mremap(2), madvise(2), msync(2), mincore(2), mlock(2), brk(2), memfd_create(2). */
#include "cases.h"

enum { NONE = 0, READ = 1, WRITE = 2, EXEC = 4, SHARED = 1, PRIVATE = 2, FIXED = 0x10, ANONYMOUS = 0x20, NOREPLACE = 0x100000 };

static volatile u32 faults, code;
static u32 resume[6];
static volatile u32 at_fault;

static void on_fault(i32 signal, u32 *info, u32 *context) {
  (void)signal;
  faults = info[0];
  code = info[2];
  at_fault = info[3];
  context[5 + 14] = resume[0];
}
/* Reads or writes a byte: 0, or the signal that came of it and its code: 11.1 is 1101. */
static u32 touch(volatile u8 *at, int write) {
  u8 value = 1;
  faults = 0;
  __asm__ volatile("movl $1f, %0\n testl %3, %3\n jnz 2f\n movb (%2), %1\n jmp 1f\n2: movb %1, (%2)\n1:"
                   : "=m"(resume[0]), "+q"(value)
                   : "r"(at), "r"(write)
                   : "memory");
  return faults * 100 + (faults ? code : 0);
}
#define TOUCH(at, write) T("mmap2: touch(" #at ", " #write ")", touch(at, write))

static void mapping(void) {
  put_file("f", "contents of a file");
  SYS(truncate, "f", 2 * PAGE + 100);
  i32 f = SYS(open, "f", 2), r = SYS(open, "f", 0), w = SYS(open, "f", 1), d = SYS(open, ".", 0), p[2];
  SYS(pipe2, p, 0);
  A(mmap2, 0, PAGE, READ | WRITE, PRIVATE | ANONYMOUS, -1, 0);
  A(mmap2, 0, 1, READ | WRITE, PRIVATE | ANONYMOUS, -1, 0);
  C(mmap2, 0, 0, READ | WRITE, PRIVATE | ANONYMOUS, -1, 0);
  C(mmap2, 0, PAGE, READ | WRITE, ANONYMOUS, -1, 0);
  C(mmap2, 0, PAGE, READ | WRITE, PRIVATE, -1, 0);
  C(mmap2, 0, PAGE, READ | WRITE, PRIVATE, 99, 0);
  C(mmap2, 0, PAGE, READ, PRIVATE, p[0], 0);
  C(mmap2, 0, PAGE, READ, PRIVATE, d, 0);
  C(mmap2, 0, PAGE, READ, PRIVATE, w, 0);
  C(mmap2, 0, PAGE, READ, SHARED, w, 0);
  C(mmap2, 0, PAGE, READ | WRITE, SHARED, r, 0);
  A(mmap2, 0, PAGE, READ | WRITE, PRIVATE, r, 0);
  A(mmap2, 0, PAGE, READ, SHARED, r, 0);
  C(mmap2, 0, PAGE, READ, SHARED, SYS(open, "f", 010000000), 0);
  C(mmap2, 0, 0, READ, PRIVATE, 99, 0);
  C(mmap2, 0, 0xfffff001, READ, PRIVATE | ANONYMOUS, -1, 0);
  C(mmap2, 0, 0xfffff000, READ, PRIVATE | ANONYMOUS, -1, 0);
  C(mmap2, 100, PAGE, READ, PRIVATE | ANONYMOUS | FIXED, -1, 0);
  A(mmap2, 100, PAGE, READ, PRIVATE | ANONYMOUS, -1, 0);
  A(mmap2, 0, PAGE, READ, PRIVATE | ANONYMOUS, -1, 5);
  A(mmap2, 0, PAGE, READ, PRIVATE | ANONYMOUS | 0x4000, -1, 0);
  A(mmap2, 0, PAGE, READ, 3, f, 0);
  A(mmap2, 0, PAGE, READ, 3 | 0x80000, f, 0);
  C(mmap2, 0, PAGE, READ, 4, f, 0);
  C(mmap2, 0, PAGE, READ, 0, f, 0);
  A(mmap2, 0, PAGE, READ, PRIVATE, f, 0xffffffff);
  u8 *at = new_pages(8);
  N("%s", at ? "mapped" : "not mapped");
  T("mmap2 MAP_FIXED gives the address", SYS(mmap2, at + PAGE, PAGE, READ, PRIVATE | ANONYMOUS | FIXED, -1, 0) == (i32)(at + PAGE));
  T("mmap2 MAP_FIXED_NOREPLACE where something is", SYS(mmap2, at, PAGE, READ, PRIVATE | ANONYMOUS | NOREPLACE, -1, 0));
  T("munmap", SYS(munmap, at + 2 * PAGE, PAGE));
  T("mmap2 MAP_FIXED_NOREPLACE where nothing is",
    SYS(mmap2, at + 2 * PAGE, PAGE, READ, PRIVATE | ANONYMOUS | NOREPLACE, -1, 0) == (i32)(at + 2 * PAGE));
  SYS(munmap, at + 2 * PAGE, PAGE);
  T("mmap2 at a free address that is wished for",
    SYS(mmap2, at + 2 * PAGE, PAGE, READ, PRIVATE | ANONYMOUS, -1, 0) == (i32)(at + 2 * PAGE));
  T("mmap2 at one that is not free", SYS(mmap2, at + 2 * PAGE, PAGE, READ, PRIVATE | ANONYMOUS, -1, 0) == (i32)(at + 2 * PAGE));
  u8 *one = new_pages(1), *two = new_pages(1), *three = new_pages(3);
  T("mmap2: later mappings lie below", two < one && three < two);
  T("mmap2: and next to each other", two + PAGE == one && three + 3 * PAGE == two);
  SYS(munmap, two, PAGE);
  T("mmap2: a gap is filled again", new_pages(1) == two);
  C(munmap, at + 1, PAGE);
  C(munmap, at, 0);
  C(munmap, at + 7 * PAGE, 1);
  C(munmap, at + 7 * PAGE, PAGE);
  C(munmap, at, 0xfffff000);
  C(munmap, BAD, PAGE);
  TOUCH(at + 7 * PAGE, 0);
  TOUCH(at, 0);
  TOUCH(at, 1);
  TOUCH(at + PAGE, 1);
  N("at %s", at_fault == (u32)(at + PAGE) ? "the byte" : "another byte");
  C(mprotect, at, PAGE, NONE);
  TOUCH(at, 0);
  C(mprotect, at, PAGE, WRITE);
  TOUCH(at, 0);
  C(mprotect, at, PAGE, READ);
  TOUCH(at, 0);
  TOUCH(at, 1);
  C(read, f, at, 10);
  C(mprotect, at, PAGE, EXEC);
  TOUCH(at, 0);
  C(mprotect, at + 1, PAGE, READ);
  C(mprotect, at, 0, READ);
  C(mprotect, at, PAGE, 0x40);
  C(mprotect, at, PAGE, 8);
  C(mprotect, at, 9 * PAGE, READ);
  C(mprotect, at + 7 * PAGE, PAGE, READ);
  C(mprotect, at, PAGE, 0x1000000 | READ);
  C(mprotect, at, PAGE, 0x3000000 | READ);
  C(mprotect, at, 0xfffff000, READ);
  /* Files. */
  u8 *m = at_of(SYS(mmap2, 0, 4 * PAGE, READ | WRITE, SHARED, f, 0));
  T("mmap2 of a file shows it", same(m, "contents", 8));
  T("mmap2 of a file has zeros behind its end", m[2 * PAGE + 100] == 0);
  m[0] = 'C';
  u8 byte = 0;
  C(pread64, f, &byte, 1, 0, 0);
  N("%q", &byte, 1);
  C(pwrite64, f, "X", 1, 1, 0);
  N("%q", m, 8);
  TOUCH(m + 2 * PAGE + 200, 1);
  TOUCH(m + 3 * PAGE, 0);
  C(write, p[1], m + 3 * PAGE, 1);
  C(ftruncate, f, PAGE);
  TOUCH(m + PAGE, 0);
  C(ftruncate, f, 2 * PAGE);
  TOUCH(m + PAGE, 0);
  C(msync, m, PAGE, 4);
  C(msync, m, PAGE, 1);
  C(msync, m, PAGE, 5);
  C(msync, m, PAGE, 8);
  C(msync, m + 1, PAGE, 4);
  C(msync, m, 100 * PAGE, 4);
  C(msync, m, 0, 4);
  C(msync, m, PAGE, 0);
  u8 *own = at_of(SYS(mmap2, 0, PAGE, READ | WRITE, PRIVATE, f, 0));
  own[0] = 'P';
  C(pread64, f, &byte, 1, 0, 0);
  N("%q", &byte, 1);
  u8 *second = at_of(SYS(mmap2, 0, PAGE, READ, SHARED, f, 1));
  m[PAGE] = 7;
  T("mmap2 of the second page", second[0]);
  u8 *ro = at_of(SYS(mmap2, 0, PAGE, READ, SHARED, r, 0));
  C(mprotect, ro, PAGE, READ | WRITE);
  u8 *po = at_of(SYS(mmap2, 0, PAGE, READ, PRIVATE, r, 0));
  C(mprotect, po, PAGE, READ | WRITE);
  C(close, f);
  T("mmap2 outlives the descriptor", m[0]);
  ALONE(m[0] = 'c'; own[0] = 'c');
  N("%q %q", m, 1, own, 1);
  u8 *shared = at_of(SYS(mmap2, 0, PAGE, READ | WRITE, SHARED | ANONYMOUS, -1, 0));
  ALONE(shared[0] = 9);
  T("mmap2 shared with a child", shared[0]);
  A(mmap2, 0, PAGE, READ, PRIVATE, SYS(open, "/dev/zero", 2), 0);
  C(mmap2, 0, PAGE, READ, PRIVATE, SYS(open, "/dev/null", 2), 0);
  A(mmap2, 0, PAGE, READ | WRITE, PRIVATE | ANONYMOUS | 0x8000, -1, 0);
  A(mmap2, 0, PAGE, READ | WRITE, PRIVATE | ANONYMOUS | 0x20000, -1, 0);
  A(mmap2, 0, PAGE, READ | WRITE, PRIVATE | ANONYMOUS | 0x100, -1, 0);
  A(mmap2, 0, PAGE, READ | WRITE, SHARED | ANONYMOUS | 0x100, -1, 0);
  ALONE(SYS(setuid32, 1000); C(mmap2, 0, PAGE, READ | WRITE, PRIVATE | ANONYMOUS | FIXED, -1, 0));
  u32 old[6] = {0, PAGE, READ, PRIVATE | ANONYMOUS, -1, 0};
  A(mmap, old);
  old[5] = 1;
  C(mmap, old);
  C(mmap, BAD);
  SYS(close_range, 3, -1, 0);
}

static void moving(void) {
  u8 *at = new_pages(8);
  SYS(munmap, at + 4 * PAGE, 4 * PAGE);
  memcpy(at, "first", 5);
  memcpy(at + 3 * PAGE, "last", 4);
  T("mremap to the same size", SYS(mremap, at, 4 * PAGE, 4 * PAGE, 0, 0) == (i32)at);
  T("mremap to less", SYS(mremap, at, 4 * PAGE, 3 * PAGE, 0, 0) == (i32)at);
  TOUCH(at + 3 * PAGE, 0);
  T("mremap to more, where there is room", SYS(mremap, at, 3 * PAGE, 5 * PAGE, 0, 0) == (i32)at);
  TOUCH(at + 4 * PAGE, 1);
  SYS(mmap2, at + 5 * PAGE, PAGE, READ, PRIVATE | ANONYMOUS | FIXED, -1, 0);
  C(mremap, at, 5 * PAGE, 6 * PAGE, 0, 0);
  i32 moved = SYS(mremap, at, 5 * PAGE, 20 * PAGE, 1, 0);
  T("mremap MREMAP_MAYMOVE", !is_error(moved) && moved != (i32)at);
  T("mremap keeps what is there", same((void *)moved, "first", 5));
  TOUCH(at, 0);
  at = (void *)moved;
  C(mremap, at + 1, PAGE, PAGE, 0, 0);
  C(mremap, at, PAGE, 0, 0, 0);
  C(mremap, at, PAGE, PAGE, 16, 0);
  C(mremap, at, PAGE, PAGE, 2, at + 4 * PAGE);
  C(mremap, at, PAGE, PAGE, 3, at);
  C(mremap, at, PAGE, PAGE, 3, at + 1);
  C(mremap, at, 2 * PAGE, 2 * PAGE, 3, at + PAGE);
  C(mremap, BAD, PAGE, PAGE, 0, 0);
  C(mremap, 0x10000, PAGE, 2 * PAGE, 0, 0);
  C(mremap, at, 100 * PAGE, 101 * PAGE, 1, 0);
  C(mremap, at, 0, PAGE, 1, 0);
  C(mremap, at, 0, PAGE, 0, 0);
  C(mremap, at, PAGE, 0xfffff000, 1, 0);
  u8 *to = new_pages(4);
  T("mremap MREMAP_FIXED", SYS(mremap, at, PAGE, PAGE, 3, to + PAGE) == (i32)(to + PAGE));
  T("mremap keeps what is there", same(to + PAGE, "first", 5));
  TOUCH(at, 0);
  T("mremap MREMAP_FIXED to more", SYS(mremap, to + PAGE, PAGE, 2 * PAGE, 3, at) == (i32)at);
  T("mremap MREMAP_DONTUNMAP", SYS(mremap, at, 2 * PAGE, 2 * PAGE, 5, 0) > 0 || 1);
  TOUCH(at, 0);
  T("mremap MREMAP_DONTUNMAP leaves zeros", at[0]);
  C(mremap, at, 2 * PAGE, 3 * PAGE, 5, 0);
  C(mremap, at, PAGE, PAGE, 4, 0);
  u8 *s = at_of(SYS(mmap2, 0, PAGE, READ | WRITE, SHARED | ANONYMOUS, -1, 0));
  s[0] = 5;
  u8 *twin = at_of(SYS(mremap, s, 0, PAGE, 1, 0));
  T("mremap of 0 bytes of a shared mapping doubles it", twin && twin[0] == 5 && twin != s);
}

static void advising(void) {
  u8 *at = new_pages(4), vector[8];
  at[0] = 1, at[PAGE] = 2;
  C(madvise, at, PAGE, 4);
  T("madvise MADV_DONTNEED: zeros", at[0]);
  T("madvise: its neighbour is as it was", at[PAGE]);
  C(madvise, at + 1, PAGE, 4);
  C(madvise, at, 0, 4);
  C(madvise, at, 0, 99);
  C(madvise, at, PAGE, 99);
  C(madvise, at, PAGE, -1);
  C(madvise, at, PAGE, 5);
  C(madvise, at, PAGE, 7);
  C(madvise, at, PAGE, 0);
  C(madvise, at, PAGE, 1);
  C(madvise, at, PAGE, 2);
  C(madvise, at, PAGE, 3);
  C(madvise, at, PAGE, 8);
  C(madvise, at, PAGE, 10);
  C(madvise, at, PAGE, 11);
  C(madvise, at, PAGE, 16);
  C(madvise, at, PAGE, 17);
  C(madvise, at, PAGE, 20);
  C(madvise, at, PAGE, 21);
  C(madvise, at, PAGE, 23);
  C(madvise, at, PAGE, 9);
  u8 *shared = at_of(SYS(mmap2, 0, PAGE, READ | WRITE, SHARED | ANONYMOUS, -1, 0));
  shared[0] = 3;
  C(madvise, shared, PAGE, 4);
  T("madvise MADV_DONTNEED of a shared page", shared[0]);
  C(madvise, shared, PAGE, 8);
  C(madvise, shared, PAGE, 9);
  T("madvise MADV_REMOVE of a shared page", shared[0]);
  SYS(munmap, at + 2 * PAGE, PAGE);
  C(madvise, at, 4 * PAGE, 4);
  C(madvise, at, 4 * PAGE, 0);
  T("madvise goes on behind a gap", at[PAGE]);
  C(mincore, at, PAGE, vector);
  at[0] = 1;
  C(mincore, at, PAGE, vector);
  N("%u", vector[0] & 1);
  C(mincore, at, 4 * PAGE, vector);
  C(mincore, at + 1, PAGE, vector);
  C(mincore, at, 0, vector);
  C(mincore, at, PAGE, BAD);
  C(mlock, at, PAGE);
  C(mlock, at, 4 * PAGE);
  C(mlock, at + 1, 1);
  C(mlock, at, 0);
  C(munlock, at, PAGE);
  C(munlock, at, 4 * PAGE);
  C(mlock2, at, PAGE, 1);
  C(mlock2, at, PAGE, 2);
  C(mlockall, 0);
  C(mlockall, 8);
  C(mlockall, 4);
  C(munlockall);
}

static void heap(void) {
  i32 end = SYS(brk, 0);
  T("brk(0) is an address", end != 0);
  T("brk grows", SYS(brk, end + 3 * PAGE) == end + 3 * PAGE);
  ((u8 *)end)[3 * PAGE - 1] = 1;
  T("brk shrinks", SYS(brk, end + PAGE) == end + PAGE);
  T("brk to less than there was", SYS(brk, end - PAGE) == end + PAGE || SYS(brk, 0) == end + PAGE);
  T("brk to an odd address", SYS(brk, end + PAGE + 5) == end + PAGE + 5);
  T("brk to 1", SYS(brk, 1) == end + PAGE + 5);
  T("brk to nearly all there is", SYS(brk, 0xfffff000) == end + PAGE + 5);
  SYS(mmap2, (end + 4 * PAGE) & -PAGE, PAGE, READ, PRIVATE | ANONYMOUS | FIXED, -1, 0);
  T("brk over a mapping", SYS(brk, end + 10 * PAGE) == end + PAGE + 5);
  T("brk is memory again that was given back", SYS(brk, end + 2 * PAGE) == end + 2 * PAGE && ((u8 *)end)[2 * PAGE - 1] == 0);
  u32 limit[2] = {1 << 20, -1};
  ALONE(SYS(setrlimit, 9, limit); C(mmap2, 0, 4 << 20, READ, PRIVATE | ANONYMOUS, -1, 0);
        T("brk beyond RLIMIT_AS", SYS(brk, end + (4 << 20)) == end + 2 * PAGE);
        C(mremap, at_of(SYS(mmap2, 0, PAGE, 3, 0x22, -1, 0)), PAGE, 4 << 20, 1, 0));
  ALONE(SYS(setrlimit, 2, limit); T("brk beyond RLIMIT_DATA", SYS(brk, end + (4 << 20)) == end + 2 * PAGE);
        A(mmap2, 0, 4 << 20, READ | WRITE, PRIVATE | ANONYMOUS, -1, 0); A(mmap2, 0, 4 << 20, READ, PRIVATE | ANONYMOUS, -1, 0));
}

static void memory_files(void) {
  char buffer[64];
  u32 stat[24];
  C(memfd_create, "name", 0);
  C(memfd_create, "name", 1);
  C(fcntl64, 4, 1);
  C(memfd_create, "", 0);
  C(memfd_create, BAD, 0);
  C(memfd_create, "name", 0x1000);
  static char name[300];
  memset(name, 'm', 299);
  name[249] = 0;
  C(memfd_create, name, 0);
  name[249] = 'm', name[250] = 0;
  C(memfd_create, name, 0);
  C(write, 3, "contents", 8);
  C(pread64, 3, buffer, 20, 0, 0);
  C(fstat64, 3, stat);
  N("mode %o links %u size %u", stat[4], stat[5], stat[11]);
  C(ftruncate, 3, PAGE);
  u8 *m = at_of(SYS(mmap2, 0, PAGE, READ | WRITE, SHARED, 3, 0));
  N("%q", m, 8);
  C(readlink, "/proc/self/fd/3", buffer, 64);
  N("%q", buffer, 21);
  C(fcntl64, 3, 1034);
  i32 sealed = C(memfd_create, "sealed", 2);
  C(fcntl64, sealed, 1034);
  C(write, sealed, "contents", 8);
  C(fcntl64, sealed, 1033, 0x100);
  C(fcntl64, sealed, 1033, 2);
  C(ftruncate, sealed, 4);
  C(ftruncate, sealed, 20);
  C(fcntl64, sealed, 1033, 4);
  C(ftruncate, sealed, 30);
  C(pwrite64, sealed, "x", 1, 20, 0);
  C(pwrite64, sealed, "x", 1, 0, 0);
  m = at_of(SYS(mmap2, 0, PAGE, READ | WRITE, SHARED, sealed, 0));
  C(fcntl64, sealed, 1033, 8);
  C(munmap, m, PAGE);
  C(fcntl64, sealed, 1033, 8);
  C(write, sealed, "x", 1);
  A(mmap2, 0, PAGE, READ | WRITE, SHARED, sealed, 0);
  A(mmap2, 0, PAGE, READ, PRIVATE, sealed, 0);
  C(fcntl64, sealed, 1033, 1);
  C(fcntl64, sealed, 1033, 2);
  C(fcntl64, sealed, 1034);
  SYS(close_range, 3, -1, 0);
}

void cases(int argc, char **argv) {
  (void)argc, (void)argv;
  handle(11, on_fault, SA_SIGINFO);
  handle(7, on_fault, SA_SIGINFO);
  mapping();
  moving();
  advising();
  heap();
  memory_files();
}
