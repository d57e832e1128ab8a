/* Who and what: user and group ids, capabilities, limits, uname(2), sysinfo(2), getrandom(2), syslog(2), personality(2). */
#include "cases.h"

static u32 r, e, s, words[32];
static void show(void) {
  SYS(getresuid32, &r, &e, &s);
  u32 a, b, c;
  SYS(getresgid32, &a, &b, &c);
  N("%d %d %d, %d %d %d", r, e, s, a, b, c);
}

static void users(void) {
  C(getuid32);
  C(geteuid32);
  C(getgid32);
  C(getegid32);
  C(getresuid32, &r, &e, &s);
  C(getresuid32, BAD, &e, &s);
  C(getresuid32, &r, &e, BAD);
  C(getresgid32, BAD, &e, &s);
  ALONE(C(setresuid32, 1, 2, 3); show(); C(setresuid32, -1, 1, -1); show(); C(setresuid32, -1, 4, -1); C(setresuid32, 3, 3, 2); show();
        C(setuid32, 3); show(); C(setuid32, 9); C(setuid32, 2); show(); C(setreuid32, -1, 3); show(); C(setreuid32, 9, -1);
        C(setreuid32, 3, 9); C(setreuid32, 3, 3); show(); C(setresgid32, 0, 0, 0); C(setgid32, 5); C(setgroups32, 0, 0));
  ALONE(C(setresgid32, 1, 2, 3); show(); C(setgid32, 7); show(); C(setregid32, 8, 9); show(); C(setregid32, -1, 10); show());
  ALONE(C(setuid32, 1000); show(); C(setuid32, 0); C(setuid32, 1000); C(setresuid32, -1, -1, -1); C(setreuid32, -1, -1));
  ALONE(C(setreuid32, 1000, -1); show(); C(setuid32, 1000); show());
  ALONE(C(setreuid32, 1000, 1001); show(); C(setreuid32, 1001, 1000); show(); C(setreuid32, 1000, 1000); show());
  ALONE(C(setuid32, -1); C(setgid32, -1); C(setreuid32, 5, 5); show());
  ALONE(C(setfsuid32, 1000); C(setfsuid32, -1); C(setfsgid32, 1000); C(setfsgid32, -1); C(setfsuid32, 0); SYS(setuid32, 1000);
        C(setfsuid32, 5); C(setfsuid32, -1); C(setfsgid32, 5); C(setfsgid32, -1));
  u32 groups[3] = {10, 20, 30}, got[3] = {0};
  u32 no_group[1] = {-1};
  ALONE(C(setgroups32, 1, no_group); C(getgroups32, 0, 0); C(setgroups32, 3, groups); C(getgroups32, 0, 0); C(getgroups32, 3, got); N("%u %u %u", got[0], got[1], got[2]);
        C(getgroups32, 2, got); C(getgroups32, -1, got); C(getgroups32, 3, BAD); C(setgroups32, 3, BAD); C(setgroups32, 65537, groups);
        C(setgroups32, -1, groups); C(setgroups32, 0, 0); C(getgroups32, 3, got); SYS(setuid32, 1); C(setgroups32, 0, 0));
  /* Sixteen bits. */
  ALONE(C(setresuid32, 70000, 70000, 70000); C(getuid); C(geteuid); C(getuid32));
  ALONE(C(setgid, 7); C(setuid, 65535); C(setuid, 8); show());
  /* What a program with set-id bits gets. */
  u32 header[2] = {0x20080522, 0}, data[6];
  C(capget, header, data);
  C(capget, header, 0);
  C(capget, header, BAD);
  C(capget, BAD, data);
  header[0] = 1;
  C(capget, header, data);
  N("%x", header[0]);
  header[0] = 1;
  C(capget, header, 0);
  header[0] = 0x20080522, header[1] = 99999;
  C(capget, header, data);
  header[1] = -1;
  C(capget, header, data);
  header[1] = 0;
  ALONE(SYS(setuid32, 1000); C(capget, header, data); N("%x %x %x", data[0], data[1], data[2]));
  ALONE(SYS(setresuid32, 0, 1000, 0); C(capget, header, data); N("effective %x", data[0]); C(chmod, ".", 0755);
        SYS(setresuid32, 0, 0, 0); C(capget, header, data); N("effective %s", data[0] == data[1] ? "what is permitted" : "less"));
}

static void limits(void) {
  u32 limit[2] = {512, 1024}, got[2], wide[4], old[4];
  C(ugetrlimit, 7, got);
  N("%u %u", got[0], got[1]);
  C(getrlimit, 7, got);
  N("%u %u", got[0], got[1]);
  C(ugetrlimit, 16, got);
  C(ugetrlimit, -1, got);
  C(ugetrlimit, 7, BAD);
  C(setrlimit, 16, limit);
  C(setrlimit, 7, BAD);
  ALONE(SYS(setuid32, 1000); C(setrlimit, 7, limit); C(ugetrlimit, 7, got); N("%u %u", got[0], got[1]); limit[1] = 2048;
        C(setrlimit, 7, limit); limit[0] = 1024; limit[1] = 1024; C(setrlimit, 7, limit); limit[0] = 2000; C(setrlimit, 7, limit);
        limit[0] = -1; C(setrlimit, 7, limit));
  C(prlimit64, 0, 7, 0, old);
  N("%u %u %u %u", old[0], old[1], old[2], old[3]);
  C(prlimit64, 0, 16, 0, old);
  C(prlimit64, 0, 7, 0, BAD);
  C(prlimit64, 0, 7, BAD, 0);
  C(prlimit64, 99999, 7, 0, old);
  C(prlimit64, -1, 7, 0, old);
  C(prlimit64, 0, 7, 0, 0);
  wide[0] = 100, wide[1] = 0, wide[2] = 50, wide[3] = 0;
  C(prlimit64, 0, 7, wide, 0);
  ALONE(wide[2] = 200; C(prlimit64, 0, 7, wide, old); N("%u %u", old[0], old[2]); C(ugetrlimit, 7, got); N("%u %u", got[0], got[1]));
  ALONE(SYS(setuid32, 1000); C(prlimit64, 1, 7, 0, old); C(prlimit64, SYS(getpid), 7, 0, old));
  i32 child = CHILD(pause_for(1000));
  wide[0] = 77, wide[2] = 100;
  C(prlimit64, child, 7, wide, 0);
  C(prlimit64, child, 7, 0, old);
  N("%u %u", old[0], old[2]);
  SYS(kill, child, 9);
  wait_for(child);
  wide[0] = wide[2] = 0, wide[1] = wide[3] = 2;
  ALONE(C(prlimit64, 0, 1, wide, 0); C(ugetrlimit, 1, got); N("%x %x", got[0], got[1]); C(getrlimit, 1, got); N("%x %x", got[0], got[1]));
  /* A stack of one page more than it has is refused. */
  limit[0] = limit[1] = 65536;
  T("setrlimit RLIMIT_STACK: a stack that grows too far", ALONE(SYS(setrlimit, 3, limit); volatile u8 *at = __builtin_frame_address(0);
    for (u32 n = 0; n < 100; n++) at[-(i32)n * PAGE] = 1));
  T("setrlimit RLIMIT_NPROC", ALONE(SYS(setuid32, 54321); limit[0] = limit[1] = 1; SYS(setrlimit, 6, limit);
                                    i32 got = SYS(fork); if (got == 0) leave(0); leave(got == -11 ? 3 : 4)));
  T("setrlimit RLIMIT_CPU", ALONE(limit[0] = 0; limit[1] = 5; SYS(setrlimit, 0, limit); for (;;) __asm__ volatile("")));
}

static void system_wide(void) {
  char names[6][65];
  SYS(personality, 8); /* PER_LINUX32: the machine's name is that of 32 bits. */
  C(uname, names);
  SYS(personality, 0);
  N("%s %s", names[0], names[4]);
  C(uname, BAD);
  ALONE(SYS(setuid32, 1000); C(sethostname, "x", 1); C(setdomainname, "x", 1));
  C(sethostname, BAD, 1);
  C(sethostname, "x", -1);
  C(sethostname, "x", 65);
  C(sysinfo, words);
  N("processes %s, unit %s", *(u16 *)(words + 10) > 0 ? "some" : "none", words[13] ? "some" : "none");
  C(sysinfo, BAD);
  C(getrandom, words, 16, 0);
  C(getrandom, words, 0, 0);
  C(getrandom, words, 16, 1);
  C(getrandom, words, 16, 4);
  C(getrandom, words, 16, 8);
  C(getrandom, words, 16, 6);
  C(getrandom, BAD, 16, 0);
  C(getrandom, BAD, 0, 0);
  u8 *at = edge();
  C(getrandom, at + PAGE - 4, 16, 0);
  u32 first[4], again[4];
  SYS(getrandom, first, 16, 0), SYS(getrandom, again, 16, 0);
  T("getrandom is not twice the same", same(first, again, 16));
  C(syslog, 99, 0, 0);
  C(syslog, -1, 0, 0);
  C(syslog, 0, 0, 0);
  C(syslog, 1, 0, 0);
  C(syslog, 3, 0, 10);
  C(syslog, 3, words, -1);
  C(syslog, 3, words, 0);
  C(syslog, 8, 0, 0);
  C(syslog, 8, 0, 9);
  ALONE(SYS(setuid32, 1000); C(syslog, 5, 0, 0); C(syslog, 2, words, 10); C(syslog, 99, 0, 0));
  C(personality, -1);
  ALONE(C(personality, 0x40000); C(personality, -1); C(personality, 8); C(personality, 0));
  ALONE(SYS(setuid32, 1000); C(iopl, 3); C(iopl, 0));
  C(iopl, 4);
  C(iopl, -1);
  C(ioprio_get, 1, 99999);
  C(ioprio_get, 9, 0);
  C(rseq, 0, 0, 0, 0);
  C(restart_syscall);
}

void cases(int argc, char **argv) {
  (void)argc, (void)argv;
  users();
  limits();
  system_wide();
}
