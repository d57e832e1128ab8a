/* Locks: fcntl(2) of records, of processes and of open files, flock(2). */
#include "cases.h"

enum { RD = 0, WR = 1, UN = 2, GETLK = 12, SETLK = 13, SETLKW = 14, OFD_GETLK = 36, OFD_SETLK = 37, OFD_SETLKW = 38 };
struct lock { u16 type, whence; i64 start, length; i32 pid; } __attribute__((packed, aligned(4)));
static struct lock l;
static void handler(i32 signal) { (void)signal; }

static i32 lock(i32 file, u32 command, u32 type, i64 start, i64 length) {
  l = (struct lock){type, 0, start, length, 0};
  return SYS(fcntl64, file, command, &l);
}
#define LOCK(text, ...) T("fcntl64 " text, lock(__VA_ARGS__))
#define SHOW() N("type %u whence %u start %D length %D process %s", l.type, l.whence, l.start, l.length, l.pid == -1 ? "-1" : l.pid ? "some" : "none")

static void records(void) {
  put_file("f", "0123456789");
  i32 f = SYS(open, "f", 2), r = SYS(open, "f", 0), w = SYS(open, "f", 1), p[2];
  SYS(pipe2, p, 0);
  LOCK("write lock", f, SETLK, WR, 0, 5);
  LOCK("read lock of the same", f, SETLK, RD, 2, 1);
  LOCK("query of its own", f, GETLK, WR, 0, 10);
  SHOW();
  LOCK("write lock of a read-only file", r, SETLK, WR, 0, 5);
  LOCK("read lock of a write-only file", w, SETLK, RD, 0, 5);
  LOCK("lock of a pipe", p[0], SETLK, RD, 0, 5);
  LOCK("lock of nothing", 99, SETLK, RD, 0, 5);
  LOCK("of a type that is none", f, SETLK, 3, 0, 5);
  LOCK("query of a type that is none", f, GETLK, 3, 0, 5);
  LOCK("query of an unlock", f, GETLK, UN, 0, 5);
  LOCK("of a negative start", f, SETLK, RD, -1, 5);
  LOCK("of a negative length", f, SETLK, RD, 20, -5);
  LOCK("of a negative length beyond the start", f, SETLK, RD, 2, -5);
  l = (struct lock){RD, 9, 0, 0, 0};
  C(fcntl64, f, SETLK, &l);
  l = (struct lock){RD, 2, -1, 1, 0};
  C(fcntl64, f, SETLK, &l);
  C(fcntl64, f, SETLK, BAD);
  C(fcntl64, f, GETLK, BAD);
  ALONE(LOCK("query of the parent's", f, GETLK, WR, 0, 100); SHOW(); LOCK("query behind it", f, GETLK, WR, 100, 100); SHOW();
        LOCK("read lock over it", f, SETLK, RD, 0, 100); LOCK("read lock of a part that is read-locked", f, SETLK, RD, 2, 1);
        LOCK("write lock of a part that is read-locked", f, SETLK, WR, 2, 1); LOCK("write lock beside it", f, SETLK, WR, 30, 0);
        LOCK("unlock of the parent's", f, SETLK, UN, 0, 0); LOCK("query of what was split", f, GETLK, WR, 3, 1); SHOW();
        LOCK("a read lock conflicts with no read lock", f, GETLK, RD, 2, 1); SHOW());
  LOCK("unlock of all", f, SETLK, UN, 0, 0);
  ALONE(LOCK("query of what was unlocked", f, GETLK, WR, 0, 0); SHOW());
  LOCK("lock to the end", f, SETLK, WR, 8, 0);
  ALONE(LOCK("query of it", f, GETLK, WR, 1000000, 1); SHOW());
  i32 copy = SYS(open, "f", 2);
  SYS(close, copy);
  ALONE(LOCK("query when another descriptor was closed", f, GETLK, WR, 8, 1); SHOW());
  /* Waiting. */
  LOCK("lock", f, SETLK, WR, 0, 10);
  i32 child = CHILD(lock(f, SETLKW, WR, 0, 10); leave(3));
  pause_for(20);
  T("wait4 of who waits for the lock", SYS(wait4, child, 0, 1, 0));
  lock(f, SETLK, UN, 0, 0);
  T("wait4 of who has it", wait_for(child));
  lock(f, SETLK, WR, 0, 10);
  child = CHILD(handle(10, handler, 0); leave(lock(f, SETLKW, WR, 0, 10) == -4 ? 5 : 6));
  pause_for(20);
  SYS(kill, child, 10);
  T("fcntl64 F_SETLKW interrupted", wait_for(child));
  /* A circle. */
  lock(f, SETLK, UN, 0, 0);
  lock(f, SETLK, WR, 0, 1);
  child = CHILD(lock(f, SETLK, WR, 1, 1); pause_for(30); leave(lock(f, SETLKW, WR, 0, 1) == -35 ? 7 : 8));
  pause_for(10);
  T("fcntl64 F_SETLKW, the other in a circle", lock(f, SETLKW, WR, 1, 1));
  T("fcntl64 F_SETLKW that closes a circle", wait_for(child));
  lock(f, SETLK, UN, 0, 0);
  /* i386 has a structure of 32 bits besides. */
  struct { u16 type, whence; i32 start, length, pid; } small = {WR, 0, 3, 4, 0};
  C(fcntl64, f, 6, &small);
  ALONE(small.type = WR; small.start = 0; small.length = 0; C(fcntl64, f, 5, &small);
        N("type %u start %d length %d", small.type, small.start, small.length));
  small.type = UN;
  C(fcntl64, f, 6, &small);
  ALONE(C(fcntl, f, GETLK, &l));
  LOCK("lock far away", f, SETLK, WR, 0x100000000ll, 5);
  ALONE(small.type = WR; small.start = 0; small.length = 0; C(fcntl64, f, 5, &small));
  LOCK("unlock", f, SETLK, UN, 0, 0);
  /* Locks of open files. */
  LOCK("OFD write lock", f, OFD_SETLK, WR, 0, 5);
  i32 g = SYS(open, "f", 2);
  LOCK("OFD query by another", g, OFD_GETLK, WR, 0, 5);
  SHOW();
  LOCK("OFD lock by another", g, OFD_SETLK, WR, 0, 5);
  LOCK("lock by the same process", g, SETLK, WR, 0, 5);
  LOCK("query by the same process", g, GETLK, WR, 0, 5);
  SHOW();
  l = (struct lock){WR, 0, 0, 5, 7};
  C(fcntl64, g, OFD_SETLK, &l);
  ALONE(LOCK("OFD lock by a child, of the same open file", f, OFD_SETLK, WR, 0, 5));
  LOCK("OFD unlock", f, OFD_SETLK, UN, 0, 0);
  LOCK("OFD lock", g, OFD_SETLK, WR, 0, 5);
  SYS(close, g);
  LOCK("OFD lock of what a closed one had", f, OFD_SETLK, WR, 0, 5);
  SYS(close_range, 3, -1, 0);
}

static void whole(void) {
  i32 f = SYS(open, "f", 2), g = SYS(open, "f", 0), p[2], path = SYS(open, "f", 010000000);
  SYS(pipe2, p, 0);
  C(flock, f, 2);
  C(flock, f, 2 | 4);
  C(flock, g, 2 | 4);
  C(flock, g, 1 | 4);
  C(flock, f, 1);
  C(flock, g, 1 | 4);
  C(flock, f, 2 | 4);
  C(flock, g, 8);
  C(flock, f, 2 | 4);
  C(flock, f, 8);
  C(flock, f, 8);
  C(flock, f, 0);
  C(flock, f, 3);
  C(flock, f, 16);
  C(flock, f, 4);
  C(flock, 99, 1);
  C(flock, 99, 0);
  C(flock, path, 1);
  C(flock, p[0], 1 | 4);
  SYS(flock, f, 2);
  i32 copy = SYS(dup, f);
  C(flock, copy, 2 | 4);
  SYS(close, f);
  C(flock, g, 2 | 4);
  SYS(close, copy);
  C(flock, g, 2 | 4);
  f = SYS(open, "f", 2);
  i32 child = CHILD(leave(SYS(flock, f, 2) == 0 ? 3 : 4));
  pause_for(20);
  T("wait4 of who waits for the lock", SYS(wait4, child, 0, 1, 0));
  SYS(flock, g, 8);
  T("wait4 of who has it", wait_for(child));
  SYS(flock, f, 8);
  SYS(flock, g, 2);
  child = CHILD(handle(10, handler, 0); leave(SYS(flock, f, 2) == -4 ? 5 : 6));
  pause_for(20);
  SYS(kill, child, 10);
  T("flock interrupted", wait_for(child));
  T("flock and fcntl64 know nothing of each other", lock(f, SETLK, WR, 0, 0));
  SYS(close_range, 3, -1, 0);
}

void cases(int argc, char **argv) {
  (void)argc, (void)argv;
  records();
  whole();
}
