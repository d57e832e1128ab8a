/* Signals: rt_sigaction(2), rt_sigprocmask(2), kill(2), rt_sigqueueinfo(2), rt_sigtimedwait(2), sigsuspend(2), sigaltstack(2), signal(7). */
#include "cases.h"

enum { HUP = 1, FPE = 8, KILL = 9, USR1 = 10, SEGV = 11, USR2 = 12, PIPE = 13, TERM = 15, CHLD = 17, CONT = 18, STOP = 19, TSTP = 20, URG = 23, RT = 34 };

static volatile u32 handled, order[16];
static u32 last[32], context_mask[2];
static volatile u32 on_stack;
static void handler(i32 signal) { order[handled++ & 15] = signal; }
static void informed(i32 signal, u32 *info, u32 *context) {
  order[handled++ & 15] = signal;
  memcpy(last, info, 128);
  memcpy(context_mask, context + 5 + 22, 8);
  on_stack = (u32)__builtin_frame_address(0);
}
static u32 *set_of(u32 signal) {
  static u32 set[2];
  set[0] = signal && signal <= 32 ? 1u << (signal - 1) : 0;
  set[1] = signal > 32 ? 1u << (signal - 33) : 0;
  return set;
}
static void block(u32 signal) { SYS(rt_sigprocmask, 0, set_of(signal), 0, 8); }
static void unblock(u32 signal) { SYS(rt_sigprocmask, 1, set_of(signal), 0, 8); }
static u32 pending(void) {
  u32 set[2];
  SYS(rt_sigpending, set, 8);
  return set[0] | set[1];
}
#define HANDLED() N("handled %u", handled), handled = 0
#define INFO() N("signal %d errno %d code %d sender %s owner %u value %x", last[0], last[1], last[2], last[3] == (u32)SYS(getpid) ? "itself" : "another", last[4], last[5])

static void actions(void) {
  struct action action = {handler, SA_RESTORER | SA_RESTART, restore, {0xff, 1}}, old;
  C(rt_sigaction, USR1, &action, &old, 8);
  N("%u %x %x %x", (u32)old.handler, old.flags, old.mask[0], old.mask[1]);
  C(rt_sigaction, USR1, 0, &old, 8);
  N("%u %x %x %x", old.handler == handler, old.flags, old.mask[0], old.mask[1]);
  C(rt_sigaction, 0, &action, 0, 8);
  C(rt_sigaction, 65, &action, 0, 8);
  C(rt_sigaction, 64, &action, 0, 8);
  C(rt_sigaction, -1, &action, 0, 8);
  C(rt_sigaction, KILL, &action, 0, 8);
  C(rt_sigaction, STOP, &action, 0, 8);
  C(rt_sigaction, KILL, 0, &old, 8);
  C(rt_sigaction, USR1, BAD, 0, 8);
  C(rt_sigaction, USR1, 0, BAD, 8);
  C(rt_sigaction, USR1, 0, 0, 8);
  C(rt_sigaction, USR1, 0, &old, 4);
  C(rt_sigaction, USR1, 0, &old, 16);
  C(rt_sigaction, 65, 0, BAD, 8);
  action.handler = 0, action.flags = -1, action.mask[0] = action.mask[1] = -1;
  C(rt_sigaction, USR2, &action, BAD, 8);
  C(rt_sigaction, USR2, 0, &old, 8);
  N("%u %x %x %x", (u32)old.handler, old.flags, old.mask[0], old.mask[1]);
  C(rt_sigaction, USR2, &action, 0, 8);
  C(rt_sigaction, USR2, 0, &old, 8);
  N("%u %x %x %x", (u32)old.handler, old.flags, old.mask[0], old.mask[1]);
  action.flags = 0x400 | 0x800 | 0x2;
  C(rt_sigaction, USR2, &action, 0, 8);
  C(rt_sigaction, USR2, 0, &old, 8);
  N("%x", old.flags);
  C(signal, USR2, handler);
  C(signal, USR2, 0) == (i32)handler ? N("handler") : N("something else");
  C(signal, KILL, handler);
  C(signal, 65, handler);
}

static void masks(void) {
  u32 set[2] = {-1, -1}, old[2];
  C(rt_sigprocmask, 0, 0, old, 8);
  N("%x %x", old[0], old[1]);
  C(rt_sigprocmask, 2, set, old, 8);
  C(rt_sigprocmask, 9, 0, old, 8);
  N("%x %x", old[0], old[1]);
  C(rt_sigprocmask, 9, set, old, 8);
  C(rt_sigprocmask, 3, set, old, 8);
  C(rt_sigprocmask, 1, set, old, 8);
  C(rt_sigprocmask, 0, set, old, 4);
  C(rt_sigprocmask, 0, BAD, old, 8);
  C(rt_sigprocmask, 0, 0, BAD, 8);
  set[0] = 0x200;
  set[1] = 0;
  C(rt_sigprocmask, 0, set, BAD, 8);
  C(rt_sigprocmask, 0, 0, old, 8);
  N("%x", old[0]);
  set[0] = 0;
  SYS(rt_sigprocmask, 2, set, 0, 8);
  C(rt_sigpending, set, 8);
  N("%x %x", set[0], set[1]);
  C(rt_sigpending, set, 9);
  C(rt_sigpending, set, 4);
  C(rt_sigpending, BAD, 8);
}

static void sending(void) {
  i32 self = SYS(getpid), tid = SYS(gettid);
  handle(USR1, informed, SA_SIGINFO);
  C(kill, self, 0);
  C(kill, self, 65);
  C(kill, self, -1);
  C(kill, 99999, 0);
  C(kill, 99999, 65);
  C(kill, -99999, 0);
  C(kill, 0x80000000, 0);
  C(kill, self, USR1);
  HANDLED();
  INFO();
  N("mask %x", context_mask[0]);
  C(tgkill, self, tid, USR1);
  HANDLED();
  INFO();
  C(tgkill, self, tid, 0);
  C(tgkill, self, 99999, 0);
  C(tgkill, 99999, tid, 0);
  C(tgkill, -1, tid, 0);
  C(tgkill, self, 0, 0);
  C(tgkill, self, tid, 65);
  C(tkill, tid, USR1);
  HANDLED();
  C(tkill, 0, USR1);
  C(tkill, 99999, USR1);
  C(tkill, -1, USR1);
  u32 info[32] = {USR1, 0, -1, self, 42, 0x1234};
  C(rt_sigqueueinfo, self, USR1, info);
  HANDLED();
  INFO();
  C(rt_sigqueueinfo, self, USR1, BAD);
  C(rt_sigqueueinfo, 99999, USR1, info);
  C(rt_sigqueueinfo, self, 65, info);
  C(rt_sigqueueinfo, self, 0, info);
  C(rt_sigqueueinfo, 1, 0, info);
  info[2] = 0;
  C(rt_sigqueueinfo, self, USR1, info);
  HANDLED();
  C(rt_sigqueueinfo, 1, 0, info);
  info[2] = -6;
  C(rt_sigqueueinfo, 1, 0, info);
  info[2] = -1, info[0] = 0;
  C(rt_tgsigqueueinfo, self, tid, USR1, info);
  HANDLED();
  INFO();
  C(rt_tgsigqueueinfo, self, 0, USR1, info);
  C(rt_tgsigqueueinfo, -1, tid, USR1, info);
  C(rt_tgsigqueueinfo, 99999, tid, USR1, info);
  /* Who may. */
  i32 child = CHILD(pause_for(1000));
  ALONE(SYS(setuid32, 1000); T("kill of another's process", SYS(kill, child, 0));
        T("kill of another's process with a signal that is none", SYS(kill, child, 99));
        T("tgkill of another's process", SYS(tgkill, child, child, 0));
        T("kill SIGCONT in the same session", SYS(kill, child, CONT)); C(kill, 1, 0));
  T("kill of a child", SYS(kill, child, TERM));
  pause_for(10);
  T("kill of a zombie", SYS(kill, child, TERM));
  T("tgkill of a zombie", SYS(tgkill, child, child, 0));
  wait_for(child);
  T("kill of what was waited for", SYS(kill, child, TERM));
}

static void queueing(void) {
  handled = 0;
  handle(USR1, informed, SA_SIGINFO);
  handle(RT, informed, SA_SIGINFO);
  handle(RT + 1, informed, SA_SIGINFO);
  i32 self = SYS(getpid);
  u32 info[32] = {RT, 0, -1, self, 0, 1};
  block(USR1), block(RT), block(RT + 1);
  C(kill, self, USR1);
  C(kill, self, USR1);
  N("pending %x", pending());
  unblock(USR1);
  T("kill twice while blocked", handled);
  handled = 0;
  for (u32 n = 1; n <= 3; n++) info[5] = n, SYS(rt_sigqueueinfo, self, RT, info);
  info[5] = 9;
  SYS(rt_sigqueueinfo, self, RT + 1, info);
  u32 time[2] = {0, 0}, both[2] = {0, 3 << (RT - 33)};
  for (u32 n = 0; n < 5; n++) {
    C(rt_sigtimedwait, both, last, time, 8);
    N("%d", last[5]);
  }
  SYS(rt_sigqueueinfo, self, RT, info), SYS(rt_sigqueueinfo, self, RT, info);
  unblock(RT);
  T("rt_sigqueueinfo twice while blocked", handled);
  handled = 0;
  unblock(RT + 1);
  C(rt_sigtimedwait, both, last, time, 4);
  C(rt_sigtimedwait, BAD, last, time, 8);
  C(rt_sigtimedwait, both, last, BAD, 8);
  time[1] = 1000000000;
  C(rt_sigtimedwait, both, last, time, 8);
  time[1] = -1;
  C(rt_sigtimedwait, both, last, time, 8);
  time[0] = -1, time[1] = 0;
  C(rt_sigtimedwait, both, last, time, 8);
  time[0] = 0, time[1] = 10000000;
  C(rt_sigtimedwait, both, last, time, 8);
  u64 wide[2] = {0, 0};
  C(rt_sigtimedwait_time64, both, last, wide, 8);
  wide[1] = 1000000000;
  C(rt_sigtimedwait_time64, both, last, wide, 8);
  C(rt_sigtimedwait_time64, both, last, BAD, 8);
  block(USR1);
  SYS(kill, self, USR1);
  C(rt_sigtimedwait, set_of(USR1), 0, 0, 8);
  SYS(kill, self, USR1);
  C(rt_sigtimedwait, set_of(USR1), BAD, 0, 8);
  N("pending %x", pending());
  unblock(USR1);
  handled = 0;
  u32 limit[2] = {0, 0};
  ALONE(SYS(setuid32, 4321); SYS(setrlimit, 11, limit); block(RT); C(rt_sigqueueinfo, SYS(getpid), RT, info);
        C(kill, SYS(getpid), RT); N("pending %x", pending()));
  /* Standard signals come by number. */
  u32 all[2] = {-1, -1}, none[2] = {0, 0};
  handle(TERM, handler, 0), handle(HUP, handler, 0), handle(USR2, handler, 0);
  SYS(rt_sigprocmask, 2, all, 0, 8);
  SYS(kill, self, TERM), SYS(kill, self, USR2), SYS(kill, self, HUP), SYS(tkill, SYS(gettid), USR1);
  SYS(rt_sigprocmask, 2, none, 0, 8);
  T("rt_sigprocmask: four handlers", handled);
  N("begun last to first: %u %u %u %u", order[0], order[1], order[2], order[3]);
  handled = 0;
  handle(USR1, (void *)1, 0);
  block(USR1);
  SYS(kill, self, USR1);
  N("pending %x", pending());
  handle(USR1, handler, 0);
  unblock(USR1);
  T("kill of what is ignored and blocked stays", handled);
  handled = 0;
  block(USR1);
  SYS(kill, self, USR1);
  handle(USR1, (void *)1, 0);
  N("pending %x", pending());
  unblock(USR1);
}

static void nesting(i32 signal) {
  u32 mask[2];
  order[handled++ & 15] = signal;
  SYS(rt_sigprocmask, 0, 0, mask, 8);
  last[handled] = mask[0];
  if (handled == 1) SYS(kill, SYS(getpid), signal);
  last[0] = handled;
}
static void during(void) {
  struct action action = {nesting, SA_RESTORER, restore, {1 << (USR2 - 1), 0}}, old;
  handled = 0;
  SYS(rt_sigaction, USR1, &action, 0, 8);
  SYS(kill, SYS(getpid), USR1);
  T("rt_sigaction: the signal is blocked while it is handled", handled);
  N("mask %x", last[1]);
  handled = 0;
  action.flags |= SA_NODEFER;
  SYS(rt_sigaction, USR1, &action, 0, 8);
  SYS(kill, SYS(getpid), USR1);
  T("rt_sigaction SA_NODEFER", handled);
  N("mask %x", last[1]);
  handled = 0;
  action.flags = SA_RESTORER | 0x80000000, action.handler = handler;
  SYS(rt_sigaction, USR1, &action, 0, 8);
  block(USR1);
  SYS(kill, SYS(getpid), USR1);
  unblock(USR1);
  SYS(rt_sigaction, USR1, 0, &old, 8);
  T("rt_sigaction SA_RESETHAND", old.handler != 0);
  T("rt_sigaction with a handler at a bad address", ALONE(handle(USR1, BAD, 0); SYS(kill, SYS(getpid), USR1)));
  T("rt_sigaction without a restorer", ALONE(struct action plain = {handler, 0, 0, {0, 0}}; SYS(rt_sigaction, USR1, &plain, 0, 8);
                                             SYS(kill, SYS(getpid), USR1); leave(handled & 1 ? 8 : 9)));
  T("rt_sigaction without a restorer, SA_SIGINFO",
    ALONE(struct action plain = {informed, SA_SIGINFO, 0, {0, 0}}; SYS(rt_sigaction, USR1, &plain, 0, 8);
          SYS(kill, SYS(getpid), USR1); leave(last[0])));
}

/* A child that sends signals to its parent after a while. */
static i32 sender(u32 signal, u32 times) {
  i32 parent = SYS(getpid);
  handled = 0;
  return CHILD(for (u32 n = 0; n < times; n++) pause_for(20), SYS(kill, parent, signal));
}
static void interrupting(void) {
  i32 p[2], child, status;
  char byte;
  u32 time[2] = {1, 0}, left[2] = {7, 7}, none[2] = {0, 0};
  SYS(pipe2, p, 0);
  struct { i32 fd; u16 wanted, found; } poll = {p[0], 1, 0};
#define INTERRUPTED(flags, text, call) \
  handle(USR1, handler, flags); \
  child = sender(USR1, 1); \
  T(text, call); \
  HANDLED(); \
  wait_for(child)
#define AGAIN(text, call) \
  handle(USR1, handler, SA_RESTART); \
  handled = 0; \
  child = CHILD(i32 parent = SYS(getppid); pause_for(20); SYS(kill, parent, USR1); pause_for(20); SYS(write, p[1], "x", 1)); \
  T(text, call); \
  HANDLED(); \
  wait_for(child)
  INTERRUPTED(0, "read interrupted", SYS(read, p[0], &byte, 1));
  AGAIN("read again with SA_RESTART", SYS(read, p[0], &byte, 1));
  INTERRUPTED(0, "pause interrupted", SYS(pause));
  INTERRUPTED(SA_RESTART, "pause is not made again", SYS(pause));
  INTERRUPTED(0, "nanosleep interrupted", SYS(nanosleep, time, left));
  N("left %s", left[0] == 0 && left[1] > 500000000 ? "most of it" : "something else");
  INTERRUPTED(SA_RESTART, "nanosleep is not made again", SYS(nanosleep, time, left));
  left[0] = 7;
  INTERRUPTED(0, "clock_nanosleep to a time interrupted",
              (SYS(clock_gettime, 1, left), left[0]++, SYS(clock_nanosleep, 1, 1, left, time)));
  N("left as it was: %u", time[0]);
  INTERRUPTED(0, "nanosleep interrupted, a bad address", SYS(nanosleep, time, BAD));
  INTERRUPTED(0, "poll interrupted", SYS(poll, &poll, 1, 1000));
  INTERRUPTED(SA_RESTART, "poll is not made again", SYS(poll, &poll, 1, 1000));
  INTERRUPTED(SA_RESTART, "ppoll is not made again", SYS(ppoll, &poll, 1, time, none, 8));
  INTERRUPTED(SA_RESTART, "select is not made again", SYS(_newselect, 0, 0, 0, 0, 0));
  i32 e = SYS(epoll_create1, 0);
  INTERRUPTED(SA_RESTART, "epoll_wait is not made again", SYS(epoll_wait, e, left, 1, 1000));
  INTERRUPTED(SA_RESTART, "rt_sigtimedwait is not made again", SYS(rt_sigtimedwait, set_of(TERM), 0, time, 8));
  INTERRUPTED(0, "rt_sigsuspend", SYS(rt_sigsuspend, none, 8));
  C(rt_sigsuspend, none, 4);
  C(rt_sigsuspend, BAD, 8);
  u32 word = 5;
  INTERRUPTED(0, "futex FUTEX_WAIT interrupted", SYS(futex, &word, 0, 5, 0, 0, 0));
  INTERRUPTED(0, "futex FUTEX_WAIT with a time interrupted", SYS(futex, &word, 0, 5, time, 0, 0));
  handle(USR1, handler, 0);
  handled = 0;
  child = CHILD(i32 parent = SYS(getppid); pause_for(20); SYS(kill, parent, USR1); pause_for(30));
  T("wait4 interrupted", SYS(wait4, child, &status, 0, 0));
  HANDLED();
  T("wait4 then", SYS(wait4, child, &status, 0, 0) == child);
  handle(USR1, handler, SA_RESTART);
  child = CHILD(i32 parent = SYS(getppid); pause_for(20); SYS(kill, parent, USR1); pause_for(20));
  T("wait4 again with SA_RESTART", SYS(wait4, child, &status, 0, 0) == child);
  HANDLED();
  /* Signals that nobody handles interrupt nothing. */
  child = CHILD(i32 parent = SYS(getppid); pause_for(20); SYS(kill, parent, URG); SYS(kill, parent, CONT); pause_for(20);
                SYS(write, p[1], "x", 1));
  T("read while ignored signals come", SYS(read, p[0], &byte, 1));
  wait_for(child);
  child = sender(URG, 1);
  time[0] = 0, time[1] = 60000000;
  T("nanosleep while an ignored signal comes", SYS(nanosleep, time, left));
  wait_for(child);
  child = sender(URG, 1);
  T("poll while an ignored signal comes", SYS(poll, &poll, 1, 60));
  wait_for(child);
  /* What was written before the signal came is answered. */
  handle(USR1, handler, 0);
  child = sender(USR1, 1);
  static char much[100000];
  T("write interrupted when it had begun", SYS(write, p[1], much, sizeof much));
  HANDLED();
  wait_for(child);
  /* Stopped and made to go on. */
  child = CHILD(u32 t[2] = {0, 40000000}; leave(SYS(nanosleep, t, 0) == 0 ? 3 : 4));
  pause_for(10);
  SYS(kill, child, STOP);
  pause_for(10);
  SYS(kill, child, CONT);
  T("nanosleep across SIGSTOP", wait_for(child));
  handle(TERM, 0, 0);
  child = CHILD(SYS(pause));
  pause_for(10);
  SYS(kill, child, STOP);
  SYS(wait4, child, &status, 2, 0);
  SYS(kill, child, TERM);
  T("kill SIGTERM of what is stopped: it waits", SYS(wait4, child, &status, 1, 0));
  SYS(kill, child, CONT);
  T("kill SIGCONT: it ends", wait_for(child));
  child = CHILD(SYS(pause));
  pause_for(10);
  SYS(kill, child, STOP);
  SYS(wait4, child, &status, 2, 0);
  SYS(kill, child, KILL);
  T("kill SIGKILL of what is stopped", wait_for(child));
  /* SIGCHLD. */
  handle(CHLD, informed, SA_SIGINFO);
  handled = 0;
  child = CHILD(leave(5));
  pause_for(30);
  HANDLED();
  N("code %d child %s status %d", last[2], last[3] == (u32)child ? "it" : "another", last[5]);
  wait_for(child);
  child = CHILD(SYS(pause));
  pause_for(10);
  SYS(kill, child, STOP);
  pause_for(10);
  HANDLED();
  N("code %d status %d", last[2], last[5]);
  SYS(kill, child, CONT);
  pause_for(10);
  HANDLED();
  N("code %d status %d", last[2], last[5]);
  handle(CHLD, informed, SA_SIGINFO | 1);
  SYS(kill, child, STOP);
  pause_for(10);
  T("kill SIGSTOP with SA_NOCLDSTOP: no SIGCHLD", handled);
  SYS(kill, child, KILL);
  pause_for(10);
  HANDLED();
  N("code %d status %d", last[2], last[5]);
  wait_for(child);
  handle(CHLD, 0, 0);
  SYS(close_range, 3, -1, 0);
}

static void defaults(void) {
  static const u8 some[] = {1, 2, 3, 4, 5, 7, 8, 10, 11, 13, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 34, 64};
  SYS(setpgid, 0, 0);
  for (u32 n = 1; n <= 64; n++) handle(n, 0, 0);
  for (u32 n = 0; n < COUNT(some); n++) {
    i32 status = -1, child = CHILD(SYS(kill, SYS(getpid), some[n]));
    SYS(wait4, child, &status, 2, 0);
    note("kill(self, %u) by default = %x", some[n], status);
    if ((status & 0xff) == 0x7f) SYS(kill, child, KILL), wait_for(child);
  }
}

/* Registers and flags that a handler leaves as they were, whichever way it returns. */
static i32 survives(u32 flags) {
  handle(USR1, flags & SA_SIGINFO ? (void *)informed : (void *)handler, flags);
  u32 a = 0, d = 0, pid = SYS(getpid);
  __asm__ volatile("movl $0x12345678, %%esi\n movl $0x23456789, %%edi\n stc\n int $0x80\n sbbl %%ecx, %%ecx\n"
                   " cmpl $0x12345678, %%esi\n jne 1f\n cmpl $0x23456789, %%edi\n jne 1f\n incl %%edx\n1:"
                   : "=a"(a), "=d"(d), "=c"(pid)
                   : "a"(37), "b"(pid), "c"(USR1), "d"(0)
                   : "esi", "edi", "memory");
  return a == 0 && d == 1 && pid == 0xffffffff;
}
static void changes(i32 signal, u32 *info, u32 *context) {
  (void)signal, (void)info;
  context[5 + 11] = 77;                 /* EAX */
  context[5 + 22] = 1 << (USR2 - 1);    /* the mask */
}
static void returning(void) {
  T("sigreturn: registers and flags", survives(0));
  T("rt_sigreturn: registers and flags", survives(SA_SIGINFO));
  handle(USR1, changes, SA_SIGINFO);
  T("rt_sigreturn: what the handler has changed", SYS(kill, SYS(getpid), USR1));
  u32 mask[2];
  C(rt_sigprocmask, 0, 0, mask, 8);
  N("%x", mask[0]);
  unblock(USR2);
  T("rt_sigreturn with a frame that is nowhere", ALONE(__asm__ volatile("movl $64, %esp\n movl $173, %eax\n int $0x80")));
  T("sigreturn with a frame that is nowhere", ALONE(__asm__ volatile("movl $64, %esp\n movl $119, %eax\n int $0x80")));
  T("rt_sigaction with no stack to handle it on",
    ALONE(handle(USR1, informed, SA_SIGINFO);
          __asm__ volatile("movl $64, %%esp\n int $0x80" : : "a"(37), "b"(SYS(getpid)), "c"(USR1))));
}

static void stacks(void) {
  static u8 area[16384] __attribute__((aligned(16)));
  struct { void *at; u32 flags, bytes; } stack = {area, 0, sizeof area}, old;
  C(sigaltstack, 0, &old);
  N("%x %u %u", (u32)old.at, old.flags, old.bytes);
  C(sigaltstack, &stack, &old);
  C(sigaltstack, 0, &old);
  N("%u %u %u", old.at == area, old.flags, old.bytes);
  stack.flags = 4;
  C(sigaltstack, &stack, 0);
  stack.flags = 1;
  C(sigaltstack, &stack, 0);
  C(sigaltstack, 0, &old);
  N("%u", old.flags);
  stack.flags = 2;
  C(sigaltstack, &stack, 0);
  C(sigaltstack, 0, &old);
  N("%u %u %u", old.at == 0, old.flags, old.bytes);
  stack.flags = 0, stack.bytes = 100;
  C(sigaltstack, &stack, 0);
  C(sigaltstack, BAD, 0);
  C(sigaltstack, 0, BAD);
  stack.bytes = sizeof area;
  C(sigaltstack, &stack, 0);
  handle(USR1, informed, SA_SIGINFO | 0x08000000);
  SYS(kill, SYS(getpid), USR1);
  T("sigaltstack: the handler runs on it", on_stack > (u32)area && on_stack < (u32)area + sizeof area);
  handle(USR1, informed, SA_SIGINFO);
  SYS(kill, SYS(getpid), USR1);
  T("sigaltstack: another one does not", on_stack > (u32)area && on_stack < (u32)area + sizeof area);
  stack.flags = 0x80000000;
  C(sigaltstack, &stack, 0);
  C(sigaltstack, 0, &old);
  N("%x", old.flags);
  ALONE(C(sigaltstack, 0, &old); N("%x", old.flags));
  stack.flags = 2;
  SYS(sigaltstack, &stack, 0);
}

static volatile u32 resume;
static u32 fault_words[4];
static void on_fault(i32 signal, u32 *info, u32 *context) {
  fault_words[0] = signal, fault_words[1] = info[2], fault_words[2] = info[3], fault_words[3] = context[5 + 12];
  context[5 + 14] = resume;
}
static void faults(void) {
  static const u8 signals[] = {4, 5, 7, 8, 11};
  for (u32 n = 0; n < COUNT(signals); n++) handle(signals[n], on_fault, SA_SIGINFO);
#define FAULT(text, code) \
  __asm__ volatile("movl $1f, %0\n" code "\n1:" : "=m"(resume) : : "eax", "ecx", "edx", "memory"); \
  note("rt_sigaction: " text " = signal %u code %d trap %u", fault_words[0], fault_words[1], fault_words[3])
  FAULT("a read of nothing", "movb 16, %%al");
  N("at %u", fault_words[2]);
  FAULT("a write to code", "movb $0, _start");
  FAULT("a division by zero", "xorl %%ecx, %%ecx\n divl %%ecx");
  FAULT("a division that overflows", "movl $1, %%ecx\n movl $2, %%edx\n divl %%ecx");
  FAULT("ud2", "ud2");
  FAULT("int3", "int3");
  FAULT("hlt", "hlt");
  FAULT("int 0x42", "int $0x42");
  FAULT("cli", "cli");
  FAULT("a bound that is exceeded", "pushl $5\n pushl $1\n movl $9, %%eax\n bound %%eax, (%%esp)");
  FAULT("in", "inb $0x80, %%al");
  T("rt_sigaction: a fault while it is blocked", ALONE(block(SEGV); *(volatile u8 *)BAD = 1));
  T("rt_sigaction: a fault that is ignored", ALONE(handle(SEGV, (void *)1, 0); *(volatile u8 *)BAD = 1));
  T("kill SIGSEGV that is ignored", ALONE(handle(SEGV, (void *)1, 0); SYS(kill, SYS(getpid), SEGV); leave(6)));
}

void cases(int argc, char **argv) {
  (void)argc, (void)argv;
  actions();
  masks();
  sending();
  queueing();
  during();
  interrupting();
  defaults();
  returning();
  stacks();
  faults();
}
