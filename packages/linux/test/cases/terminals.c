/* Terminals: pty(7), ioctl_tty(2), termios(3): lines, signals of the keyboard, job control, hanging up. */
#include "cases.h"

enum { NONBLOCK = 04000, NOCTTY = 0400 };
enum {
  TCGETS = 0x5401, TCSETS = 0x5402, TCSETSF = 0x5404, TCSBRK = 0x5409, TCXONC = 0x540a, TCFLSH = 0x540b, SCTTY = 0x540e,
  GPGRP = 0x540f, SPGRP = 0x5410, OUTQ = 0x5411, GWINSZ = 0x5413, SWINSZ = 0x5414, INQ = 0x541b, NOTTY = 0x5422,
  GSID = 0x5429, GPTN = 0x80045430, SPTLCK = 0x40045431, GPTPEER = 0x5441, PKT = 0x5420,
};
struct settings { u32 input, output, control, local; u8 line, characters[19]; };

static char buffer[PAGE];
static struct settings t;
static volatile u32 handled;
static void handler(i32 signal) { handled = signal; }

static i32 master, slave;
/* What is typed goes its way in its own time. */
static void type_in(const char *text, u32 length) {
  SYS(write, master, text, length);
  pause_for(10);
}
static void begin_pair(void) {
  u32 zero = 0, number = 0;
  char path[] = "/dev/pts/____";
  master = SYS(open, "/dev/ptmx", 2 | NOCTTY | NONBLOCK);
  SYS(ioctl, master, SPTLCK, &zero);
  SYS(ioctl, master, GPTN, &number);
  *put_number(path + 9, number, 10, 0) = 0;
  slave = SYS(open, path, 2 | NOCTTY | NONBLOCK);
}
/* Settings without and with a few bits. */
static void change(u32 local_off, u32 local_on) {
  SYS(ioctl, slave, TCGETS, &t);
  t.local = (t.local & ~local_off) | local_on;
  SYS(ioctl, slave, TCSETS, &t);
}
/* What is written to one end, as the other reads it. */
static void typed(const char *text, u32 length) {
  type_in(text, length);
  i32 got = SYS(read, slave, buffer, sizeof buffer);
  note("read of the terminal of \"%q\" = %e", text, length, got);
  if (got > 0) N("%q", buffer, got);
  got = SYS(read, master, buffer, sizeof buffer);
  if (got > 0) N("echoes %q", buffer, got);
}
#define TYPED(text) typed(text, sizeof text - 1)

static void pairs(void) {
  u32 value = 7, s[24];
  master = C(open, "/dev/ptmx", 2 | NOCTTY | NONBLOCK);
  C(ioctl, master, GPTN, &value);
  C(ioctl, master, GPTN, BAD);
  C(ioctl, master, TCGETS, &t);
  N("%x %x %x %x line %u", t.input, t.output, t.control, t.local, t.line);
  N("%q", t.characters, 17);
  C(ioctl, master, TCGETS, BAD);
  C(ioctl, master, GWINSZ, buffer);
  N("%u %u", *(u16 *)buffer, *(u16 *)(buffer + 2));
  C(ioctl, master, INQ, &value);
  N("%u", value);
  C(ioctl, master, OUTQ, &value);
  N("%u", value);
  C(read, master, buffer, 10);
  C(lseek, master, 0, 0);
  C(pread64, master, buffer, 1, 0, 0);
  C(ftruncate, master, 0);
  C(fstat64, master, s);
  N("type %o device %x", s[4] & 0170000, s[8]);
  SYS(close, master);
  begin_pair();
  C(fstat64, slave, s);
  N("type %o", s[4] & 0170000);
  C(ioctl, slave, GPTN, &value);
  C(ioctl, slave, SPTLCK, &value);
  C(ioctl, slave, TCGETS, &t);
  N("%x %x %x %x", t.input, t.output, t.control, t.local);
  C(ioctl, slave, TCSETS, BAD);
  C(ioctl, slave, 0x5499, buffer);
  u16 size[4] = {25, 81, 1, 2};
  C(ioctl, slave, SWINSZ, size);
  C(ioctl, master, GWINSZ, buffer);
  N("%u %u %u %u", *(u16 *)buffer, *(u16 *)(buffer + 2), *(u16 *)(buffer + 4), *(u16 *)(buffer + 6));
  C(ioctl, slave, SWINSZ, BAD);
  C(ioctl, slave, TCSBRK, 1);
  C(ioctl, slave, TCFLSH, 0);
  C(ioctl, slave, TCFLSH, 2);
  C(ioctl, slave, TCFLSH, 3);
  C(ioctl, slave, TCXONC, 9);
  C(read, slave, buffer, 10);
  C(read, slave, buffer, 0);
  C(write, slave, "", 0);
  C(write, slave, BAD, 1);
  struct { i32 fd; u16 wanted, found; } poll[2] = {{master, 0xffff, 0}, {slave, 0xffff, 0}};
  C(poll, poll, 2, 0);
  N("%x %x", poll[0].found, poll[1].found);
  C(write, slave, "out\n", 4);
  C(poll, poll, 2, 0);
  N("%x %x", poll[0].found, poll[1].found);
  C(ioctl, master, INQ, &value);
  N("%u", value);
  C(read, master, buffer, 2);
  C(read, master, buffer, 10);
  N("%q", buffer, 3);
}

static void lines(void) {
  TYPED("line\n");
  TYPED("no end");
  TYPED(" yet\n");
  TYPED("one\ntwo\n");
  i32 got = SYS(read, slave, buffer, 10);
  T("read of the second line", got);
  TYPED("abc\177d\n");
  TYPED("words to\027erase\n");
  TYPED("all\025nothing\n");
  TYPED("\177\177x\n");
  TYPED("literally \026\003\n");
  TYPED("\004");
  TYPED("before\004");
  TYPED("\n");
  TYPED("\r");
  TYPED("a\001b\n");
  TYPED("tab\there\n");
  TYPED("\033[A\n");
  TYPED("reprint\022\n");
  TYPED("abcdefghij\n");
  type_in("in pieces\n", 10);
  C(read, slave, buffer, 4);
  C(read, slave, buffer, 4);
  C(read, slave, buffer, 40);
  SYS(read, master, buffer, sizeof buffer);
  change(8, 0);
  TYPED("no echo\n");
  change(0, 8);
  change(2, 0);
  TYPED("raw");
  TYPED("\177\n");
  t.characters[6] = 3;
  SYS(ioctl, slave, TCSETS, &t);
  TYPED("ab");
  TYPED("c");
  t.characters[6] = 1;
  SYS(ioctl, slave, TCSETS, &t);
  change(0, 2);
  t.input &= ~0x100;
  SYS(ioctl, slave, TCSETS, &t);
  TYPED("x\r\n");
  t.input |= 0x100 | 0x80;
  SYS(ioctl, slave, TCSETS, &t);
  TYPED("x\r\n");
  t.input &= ~0x80;
  t.output &= ~1;
  SYS(ioctl, slave, TCSETS, &t);
  SYS(write, slave, "a\nb", 3);
  got = SYS(read, master, buffer, 100);
  T("read of output that is not changed", got);
  N("%q", buffer, got);
  t.output |= 1;
  SYS(ioctl, slave, TCSETS, &t);
  SYS(write, slave, "a\tb\r\n", 5);
  got = SYS(read, master, buffer, 100);
  T("read of output", got);
  N("%q", buffer, got);
  type_in("flushed", 7);
  SYS(ioctl, slave, TCSETSF, &t);
  SYS(read, master, buffer, 100);
  TYPED("after\n");
  type_in("\023", 1);
  C(write, slave, "stopped", 7);
  C(read, master, buffer, 100);
  type_in("\021", 1);
  C(write, slave, "going", 5);
  C(read, master, buffer, 100);
}

static void jobs(void) {
  i32 value;
  C(ioctl, slave, GPGRP, &value);
  C(ioctl, slave, GSID, &value);
  C(ioctl, slave, SCTTY, 0);
  C(open, "/dev/tty", 2);
  i32 status = ALONE({
    SYS(setsid);
    i32 self = SYS(getpid);
    C(open, "/dev/tty", 2);
    C(ioctl, slave, SCTTY, 0);
    C(ioctl, slave, SCTTY, 0);
    C(ioctl, slave, GSID, &value);
    N("%s", value == self ? "its own" : "another");
    C(ioctl, slave, GPGRP, &value);
    N("%s", value == self ? "its own" : "another");
    C(ioctl, slave, SPGRP, BAD);
    value = 99999;
    C(ioctl, slave, SPGRP, &value);
    value = -1;
    C(ioctl, slave, SPGRP, &value);
    i32 tty = SYS(open, "/dev/tty", 2);
    T("open of /dev/tty", tty >= 0);
    handle(2, handler, 0), handle(3, handler, 0), handle(20, handler, 0), handle(28, handler, 0);
    type_in("\003", 1);
    pause_for(20);
    N("signal %u", handled), handled = 0;
    type_in("\034", 1);
    pause_for(20);
    N("signal %u", handled), handled = 0;
    type_in("\032", 1);
    pause_for(20);
    N("signal %u", handled), handled = 0;
    i32 echoed = SYS(read, master, buffer, 100);
    T("read of what signals echo", echoed);
    N("%q", buffer, echoed);
    u16 size[4] = {30, 90, 0, 0};
    SYS(ioctl, master, SWINSZ, size);
    pause_for(20);
    N("signal %u", handled), handled = 0;
    SYS(ioctl, master, SWINSZ, size);
    pause_for(20);
    N("the same size: signal %u", handled);
    type_in("lost\003kept\n", 10);
    i32 got = SYS(read, slave, buffer, 100);
    T("read after a signal", got);
    if (got > 0) N("%q", buffer, got);
    change(1, 0);
    SYS(read, master, buffer, 100);
    typed("\003\n", 2);
    change(0, 1);
    /* Background. */
    i32 child = CHILD(SYS(setpgid, 0, 0); pause_for(40); SYS(fcntl64, slave, 4, 0); SYS(read, slave, buffer, 1));
    SYS(setpgid, child, child);
    SYS(wait4, child, &value, 2, 0);
    note("read in the background = %x", value);
    SYS(kill, child, 9), wait_for(child);
    child = CHILD(SYS(setpgid, 0, 0); handle(21, (void *)1, 0); leave(SYS(read, slave, buffer, 1) == -5 ? 3 : 4));
    note("read in the background, SIGTTIN being ignored = %x", wait_for(child));
    child = CHILD(SYS(setpgid, 0, 0); leave(SYS(write, slave, "x", 1)));
    note("write in the background = %x", wait_for(child));
    change(0, 0x100);
    child = CHILD(SYS(setpgid, 0, 0); SYS(write, slave, "x", 1));
    SYS(wait4, child, &value, 2, 0);
    note("write in the background with TOSTOP = %x", value);
    SYS(kill, child, 9), wait_for(child);
    change(0x100, 0);
    child = CHILD(SYS(setpgid, 0, 0); i32 own = SYS(getpid); SYS(ioctl, slave, SPGRP, &own));
    SYS(wait4, child, &value, 2, 0);
    note("ioctl TIOCSPGRP in the background = %x", value);
    SYS(kill, child, 9), wait_for(child);
    child = CHILD(pause_for(1000));
    SYS(setpgid, child, child);
    T("ioctl TIOCSPGRP", SYS(ioctl, slave, SPGRP, &child));
    SYS(ioctl, slave, GPGRP, &value);
    N("%s", value == child ? "the child's" : "another");
    type_in("\003", 1);
    T("wait4 of the group that was interrupted", wait_for(child));
    handle(22, (void *)1, 0);
    T("ioctl TIOCSPGRP back, SIGTTOU being ignored", SYS(ioctl, slave, SPGRP, &self));
    SYS(close, tty);
    C(ioctl, slave, NOTTY, 0);
    C(open, "/dev/tty", 2);
  });
  T("wait4 of the leader of the session", status);
}

static void hanging_up(void) {
  struct { i32 fd; u16 wanted, found; } poll = {slave, 5, 0};
  type_in("left\n", 5);
  SYS(close, master);
  C(poll, &poll, 1, 0);
  N("%x", poll.found);
  C(read, slave, buffer, 10);
  C(write, slave, "x", 1);
  C(ioctl, slave, TCGETS, &t);
  C(ioctl, slave, TCSETS, &t);
  SYS(close, slave);
  begin_pair();
  SYS(write, slave, "left", 4);
  SYS(close, slave);
  poll.fd = master;
  C(poll, &poll, 1, 0);
  N("%x", poll.found);
  C(read, master, buffer, 10);
  C(read, master, buffer, 10);
  C(write, master, "x", 1);
  SYS(close, master);
  begin_pair();
  T("wait4 of who is hung up on", ALONE(SYS(setsid); SYS(ioctl, slave, SCTTY, 0); SYS(close, slave); SYS(close, master); pause_for(50)));
  SYS(close_range, 3, -1, 0);
}

void cases(int argc, char **argv) {
  (void)argc, (void)argv;
  pairs();
  lines();
  jobs();
  hanging_up();
}
