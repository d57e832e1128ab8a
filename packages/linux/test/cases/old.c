/* Calls that newer ones have replaced: ids of sixteen bits, masks of one word, files of 32 bits, times of whole seconds. */
#include "cases.h"

static u8 buffer[PAGE];
static volatile u32 handled;
static void handler(i32 signal) { handled = signal; }

static void ids(void) {
  u16 r, e, s, groups[3] = {1, 2, 0xfffe}, none[1] = {0xffff}, got[3];
  ALONE(SYS(setresuid32, 70000, 70000, 0); C(getresuid, &r, &e, &s); N("%u %u %u", r, e, s));
  ALONE(C(setresuid, 1, 2, 3); C(getresuid, &r, &e, &s); N("%u %u %u", r, e, s); C(setresuid, -1, 65535, 3); C(setresuid, 0, 0, 0);
        C(getresuid, &r, &e, &s); N("%u %u %u", r, e, s));
  ALONE(C(setresgid, 1, 2, 3); C(getresgid, &r, &e, &s); N("%u %u %u", r, e, s); C(getresgid, BAD, &e, &s));
  ALONE(C(setreuid, 5, 6); C(setreuid, 0, 0); C(getresuid, &r, &e, &s); N("%u %u %u", r, e, s));
  ALONE(C(setregid, 5, 6); C(getresgid, &r, &e, &s); N("%u %u %u", r, e, s));
  ALONE(C(setgroups, 3, groups); C(getgroups, 3, got); N("%u %u %u", got[0], got[1], got[2]); C(getgroups, 2, got);
        C(getgroups, 0, got); C(getgroups, 3, BAD); C(setgroups, 1, none); C(setgroups, 2, BAD); C(setgroups, 70000, groups); C(getgroups, -1, got));
  ALONE(SYS(setuid32, 1); C(setgroups, 0, groups));
  ALONE(C(setfsuid, 9); C(setfsuid, 65535); C(setfsuid, 0); C(setfsgid, 9); C(setfsgid, -1));
}

static void files(void) {
  put_file("a", "12345");
  SYS(symlink, "a", "s");
  u16 *half = (void *)buffer;
  u32 *word = (void *)buffer;
  C(chown, "a", 70000, 7);
  C(stat, "a", buffer);
  N("mode %o links %u owner %u:%u device %u size %u block %u blocks %u", half[4], half[5], half[6], half[7], word[4], word[5], word[6], word[7]);
  C(chown, "a", 65535, 8);
  C(stat, "a", buffer);
  N("owner %u:%u", half[6], half[7]);
  SYS(chown32, "a", 70000, 70000);
  C(stat, "a", buffer);
  N("owner %u:%u", half[6], half[7]);
  C(chown, "none", 1, 1);
  C(lchown, "s", 3, 4);
  C(lstat, "s", buffer);
  N("mode %o owner %u:%u size %u", half[4], half[6], half[7], word[5]);
  C(stat, "none", buffer);
  C(stat, "a", BAD);
  C(stat, BAD, buffer);
  i32 f = SYS(open, "a", 2), d = SYS(open, ".", 0);
  C(fchown, f, 1, 2);
  C(fchown, 99, 1, 2);
  C(fstat, f, buffer);
  N("owner %u:%u", half[6], half[7]);
  C(fstat, 99, buffer);
  C(stat, "/dev/null", buffer);
  N("device %x", word[4]);
  SYS(ftruncate64, SYS(open, "big", 0100102, 0600), 0, 1);
  C(stat, "big", buffer);
  C(statfs, ".", buffer);
  N("type %x block %u name %u", word[0], word[1], word[9]);
  C(statfs, "none", buffer);
  C(statfs, ".", BAD);
  C(fstatfs, d, buffer);
  N("type %x", word[0]);
  C(fstatfs, 99, buffer);
  u32 when[4] = {1000, 5, 2000, 6}, seconds[2] = {11, 22}, s[24];
  C(utimes, "a", when);
  SYS(stat64, "a", s);
  N("%u.%u %u.%u", s[16], s[17], s[18], s[19]);
  C(utime, "a", seconds);
  SYS(stat64, "a", s);
  N("%u.%u %u.%u", s[16], s[17], s[18], s[19]);
  C(utimes, "a", 0);
  C(utimes, "none", when);
  C(utimes, "a", BAD);
  C(utime, "a", BAD);
  C(utime, "a", 0);
  when[1] = 1000000;
  C(utimes, "a", when);
  when[1] = -1;
  C(utimes, "a", when);
  when[1] = 0;
  C(futimesat, AT_FDCWD, "a", when);
  C(futimesat, d, "a", when);
  C(futimesat, -1, "a", when);
  C(futimesat, f, "a", when);
  SYS(mkdir, "list", 0755);
  SYS(mkdir, "list/directory", 0755);
  i32 list = SYS(open, "list", 0);
  C(getdents, list, buffer, 11);
  C(getdents, list, buffer, 200);
  u32 at = *(u16 *)(buffer + 8) + *(u16 *)(buffer + *(u16 *)(buffer + 8) + 8);
  N("%s bytes %u type %u", buffer + at + 10, *(u16 *)(buffer + at + 8), buffer[at + *(u16 *)(buffer + at + 8) - 1]);
  C(getdents, list, buffer, 200);
  C(getdents, f, buffer, 200);
  C(getdents, 99, buffer, 200);
  SYS(lseek, list, 0, 0);
  C(getdents, list, BAD, 200);
  SYS(close_range, 3, -1, 0);
}

static void signals(void) {
  struct { void *handler; u32 mask, flags; void *restorer; } action = {handler, 0xff, SA_RESTORER, restore}, old;
  u32 set = 1 << 9, before;
  C(sigaction, 10, &action, 0);
  C(sigaction, 10, 0, &old);
  N("%u %x %x", old.handler == handler, old.mask, old.flags);
  C(sigaction, 9, &action, 0);
  C(sigaction, 65, &action, 0);
  C(sigaction, 10, BAD, 0);
  C(sigaction, 10, 0, BAD);
  C(kill, SYS(getpid), 10);
  N("handled %u", handled);
  C(sigprocmask, 0, &set, &before);
  N("%x", before);
  C(kill, SYS(getpid), 10);
  C(sigpending, &before);
  N("%x", before);
  C(sigpending, BAD);
  handled = 0;
  C(sigsuspend, 0, 0, 0);
  N("handled %u", handled);
  C(sigprocmask, 1, &set, 0);
  C(sgetmask);
  C(ssetmask, 0x80000a00);
  T("sgetmask of more than half", SYS(sgetmask) == (i32)0x80000a00);
  T("ssetmask answers the mask before", SYS(ssetmask, 0xffffffff) == (i32)0x80000a00);
  u32 both[2] = {0, 5};
  SYS(rt_sigprocmask, 0, both, 0, 8);
  T("ssetmask: SIGKILL and SIGSTOP cannot be blocked", SYS(ssetmask, 0) == (i32)~0x40100);
  SYS(rt_sigprocmask, 0, 0, both, 8);
  N("%x %x", both[0], both[1]);
  C(sigprocmask, 9, &set, 0);
  C(sigprocmask, 9, 0, &before);
  C(sigprocmask, 0, BAD, 0);
  C(sigprocmask, 0, 0, BAD);
}

static void selecting(void) {
  i32 p[2];
  SYS(pipe2, p, 0);
  SYS(write, p[1], "x", 1);
  u32 reads = 1 << p[0], time[2] = {0, 0}, arguments[5] = {32, (u32)&reads, 0, 0, (u32)time};
  C(select, arguments);
  N("%u", reads == 1u << p[0]);
  C(select, BAD);
  arguments[0] = -1;
  C(select, arguments);
  SYS(close_range, 3, -1, 0);
}

void cases(int argc, char **argv) {
  (void)argc, (void)argv;
  ids();
  files();
  signals();
  selecting();
}
