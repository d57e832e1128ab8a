/* Processes: fork(2), clone(2), clone3(2), vfork(2), execve(2), wait4(2), waitid(2), setpgid(2), setsid(2), prctl(2), sched(7). */
#include "cases.h"

enum { WNOHANG = 1, WUNTRACED = 2, WEXITED = 4, WCONTINUED = 8, WNOWAIT = 0x1000000 };

static u32 info[32];
static u32 rusage[18];
#define SHOW_INFO(child) \
  N("signal %d code %d child %s owner %u status %d", info[0], info[2], (i32)info[3] == (child) ? "it" : info[3] ? "other" : "none", \
    info[4], info[5])

static void waiting(void) {
  i32 status = 0x55, child;
  C(wait4, -1, &status, 0, 0);
  C(wait4, -1, &status, WNOHANG, 0);
  C(wait4, 1, &status, 0, 0);
  C(wait4, -1, &status, 0x100, 0);
  C(wait4, 0x80000000, &status, 0, 0);
  C(wait4, -1, &status, WNOWAIT, 0);
  C(waitpid, -1, &status, 0);
  C(waitid, 0, 0, info, WEXITED);
  C(waitid, 0, 0, info, 0);
  C(waitid, 0, 0, info, WNOHANG);
  C(waitid, 9, 0, info, WEXITED);
  C(waitid, 1, 0, info, WEXITED);
  C(waitid, 1, -5, info, WEXITED);
  C(waitid, 2, -5, info, WEXITED);
  C(waitid, 3, 99, info, WEXITED);
  C(waitid, 0, 0, info, WEXITED | 0x100);
  child = CHILD(leave(7));
  T("wait4 of a child", SYS(wait4, child, &status, 0, rusage) == child);
  N("status %x", status);
  child = CHILD(leave(0x1ff));
  T("wait4 of any child", SYS(wait4, -1, &status, 0, 0) == child);
  N("status %x", status);
  child = CHILD(SYS(exit, 3));
  T("wait4 of any of the group", SYS(wait4, 0, &status, 0, 0) == child);
  N("status %x", status);
  child = CHILD(SYS(kill, SYS(getpid), 15));
  T("wait4 of one that was killed", SYS(wait4, child, &status, 0, 0) == child);
  N("status %x", status);
  child = CHILD(SYS(kill, SYS(getpid), 6));
  T("wait4 of one that aborted", SYS(wait4, child, &status, 0, 0) == child);
  N("status %x", status);
  child = CHILD(*(volatile u8 *)BAD = 0);
  T("wait4 of one that faulted", SYS(wait4, child, &status, 0, 0) == child);
  N("status %x", status);
  child = CHILD(__asm__ volatile("ud2"));
  T("wait4 of one with an instruction that is none", SYS(wait4, child, &status, 0, 0) == child);
  N("status %x", status);
  child = CHILD(leave(1));
  T("wait4 with a bad address", SYS(wait4, child, BAD, 0, 0));
  T("wait4 has taken the child even so", SYS(wait4, child, &status, WNOHANG, 0));
  child = CHILD(leave(1));
  T("wait4 with a bad address for the usage", SYS(wait4, child, &status, 0, BAD));
  T("wait4 has taken the child even so", SYS(wait4, child, &status, WNOHANG, 0));
  child = CHILD(pause_for(1000));
  T("wait4 WNOHANG of one that runs", SYS(wait4, child, &status, WNOHANG, 0));
  T("wait4 of a group that is not", SYS(wait4, -99999, &status, 0, 0));
  T("waitid WNOHANG of one that runs", SYS(waitid, 1, child, info, WEXITED | WNOHANG));
  SHOW_INFO(child);
  T("kill SIGSTOP", SYS(kill, child, 19));
  T("wait4 WUNTRACED", SYS(wait4, child, &status, WUNTRACED, 0) == child);
  N("status %x", status);
  T("wait4 tells it once", SYS(wait4, child, &status, WUNTRACED | WNOHANG, 0));
  T("kill SIGCONT", SYS(kill, child, 18));
  T("wait4 WCONTINUED", SYS(wait4, child, &status, WCONTINUED, 0) == child);
  N("status %x", status);
  T("wait4 tells it once", SYS(wait4, child, &status, WCONTINUED | WNOHANG, 0));
  SYS(kill, child, 19);
  T("waitid WSTOPPED | WNOWAIT", SYS(waitid, 1, child, info, WUNTRACED | WNOWAIT));
  SHOW_INFO(child);
  T("waitid WSTOPPED", SYS(waitid, 1, child, info, WUNTRACED));
  SHOW_INFO(child);
  SYS(kill, child, 18);
  T("waitid WCONTINUED", SYS(waitid, 1, child, info, WCONTINUED));
  SHOW_INFO(child);
  SYS(kill, child, 9);
  T("waitid WEXITED | WNOWAIT of one that was killed", SYS(waitid, 1, child, info, WEXITED | WNOWAIT));
  SHOW_INFO(child);
  T("waitid WSTOPPED | WNOHANG of one that has ended", SYS(waitid, 1, child, info, WUNTRACED | WNOHANG));
  T("waitid with a bad address", SYS(waitid, 1, child, BAD, WEXITED | WNOWAIT));
  T("waitid", SYS(waitid, 0, 0, info, WEXITED, rusage));
  SHOW_INFO(child);
  T("waitid without an address", (child = CHILD(leave(2)), SYS(waitid, 1, child, 0, WEXITED)));
  child = CHILD(leave(9));
  T("waitid of a group", SYS(waitid, 2, SYS(getpgid, child), info, WEXITED));
  SHOW_INFO(child);
  child = CHILD(leave(9));
  T("waitid of the caller's group", SYS(waitid, 2, 0, info, WEXITED));
  SHOW_INFO(child);
  /* A child that is waited for before another one that ended earlier. */
  i32 first = CHILD(leave(1)), second = CHILD(leave(2));
  pause_for(20);
  T("wait4 of the second", SYS(wait4, second, &status, 0, 0) == second);
  T("wait4 of the first", SYS(wait4, first, &status, 0, 0) == first);
  /* SIGCHLD is ignored: children leave nothing. */
  handle(17, (void *)1, 0);
  child = CHILD(leave(1));
  C(wait4, -1, &status, 0, 0);
  handle(17, 0, 2);
  child = CHILD(leave(1));
  C(wait4, -1, &status, 0, 0);
  handle(17, 0, 0);
  /* Orphans. */
  i32 p[2];
  SYS(pipe2, p, 0);
  child = CHILD(CHILD(while (SYS(getppid) == SYS(getpgid, 0)) pause_for(1); pause_for(20); u32 here = SYS(getppid) != 0;
                      SYS(write, p[1], &here, 4)));
  wait_for(child);
  u32 has_parent = 0;
  C(read, p[0], &has_parent, 4);
  C(wait4, -1, &status, WNOHANG, 0);
  SYS(close_range, 3, -1, 0);
}

static u8 stack[3][2 * PAGE] __attribute__((aligned(16)));
static volatile u32 shared, tid_word;
static u32 child_tid, parent_tid;

static void sets_shared(void) {
  shared = 1;
  if (SYS(gettid) == SYS(getpid)) shared = 2;
}
static void closes(void) { SYS(close, 9), SYS(chdir, "/"), SYS(umask, 0), shared = 3; }
static void closes_own(void) { shared = SYS(close_range, 9, 9, 2) == 0 && SYS(fcntl64, 9, 1) == -9; }
static void ends_all(void) { pause_for(10), leave(33); }

static void cloning(void) {
  C(clone, 0x800, 0, 0, 0, 0);
  C(clone, 0x10000, 0, 0, 0, 0);
  C(clone, 0x10000 | 0x800, 0, 0, 0, 0);
  C(clone, 0x200 | 0x20000, 0, 0, 0, 0);
  C(clone, 0x8000 | 0x80000, 0, 0, BAD, 0);
}

static void forks(void) {
  i32 child = SYS(fork);
  if (child == 0) leave(6);
  T("fork", wait_for(child));
  T("exit with more than a byte", ALONE(SYS(exit, 0x1234)));
  T("exit_group with more than a byte", ALONE(SYS(exit_group, 0x1234)));
  T("fork: the child has what the parent had", ALONE({ u32 before = SYS(getppid); leave(before && SYS(getpgrp) != SYS(getpid)); }));
}

static void threads(void) {
  i32 status;
  tid_word = 99;
  u32 tid = thread(0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x100000 | 0x200000, stack[0] + sizeof stack[0], sets_shared,
                   &parent_tid, 0, (void *)&tid_word);
  T("clone of a thread", tid != 0 && !is_error(tid));
  T("clone CLONE_PARENT_SETTID", parent_tid == tid);
  pause_for(20);
  T("clone: it shares memory, in a process of the same number", shared);
  T("clone CLONE_CHILD_CLEARTID", tid_word);
  C(wait4, -1, &status, WNOHANG, 0);
  C(wait4, -1, &status, WNOHANG | 0x40000000, 0);
  i32 here = SYS(open, ".", 0);
  SYS(dup2, 1, 9);
  thread(0x100 | 0x200 | 0x400 | 0x800 | 0x10000, stack[0] + sizeof stack[0], closes_own, 0, 0, 0);
  pause_for(50);
  T("close_range CLOSE_RANGE_UNSHARE", shared);
  T("close_range CLOSE_RANGE_UNSHARE closes nothing of others", SYS(fcntl64, 9, 1));
  thread(0x100 | 0x200 | 0x400 | 0x800 | 0x10000, stack[0] + sizeof stack[0], closes, 0, 0, 0);
  pause_for(20);
  T("clone CLONE_FILES shares descriptors", SYS(fcntl64, 9, 1));
  char where[8];
  C(getcwd, where, 8);
  C(umask, 022);
  SYS(fchdir, here);
  SYS(close, here);
  /* A child in the same memory that is no thread. */
  shared = 0;
  i32 child = thread(0x100 | 17, stack[1] + sizeof stack[1], sets_shared, 0, 0, 0);
  T("clone CLONE_VM alone", SYS(wait4, child, &status, 0, 0) == child);
  N("%u, status %x", shared, status);
  child = thread(0x100, stack[1] + sizeof stack[1], sets_shared, 0, 0, 0);
  T("wait4 of a child that sends no signal", SYS(wait4, child, &status, 0, 0));
  T("wait4 __WCLONE", SYS(wait4, child, &status, 0x80000000, 0) == child);
  child = thread(23 | 0x1000000, stack[1] + sizeof stack[1], sets_shared, 0, 0, &child_tid);
  T("wait4 __WALL", SYS(wait4, child, &status, 0x40000000, 0) == child);
  T("clone CLONE_CHILD_SETTID is the child's memory", child_tid);
  status = ALONE(thread(0x100 | 0x200 | 0x400 | 0x800 | 0x10000, stack[2] + sizeof stack[2], ends_all, 0, 0, 0);
                 SYS(pause));
  T("exit_group by a thread", status);
  status = ALONE(thread(0x100 | 0x200 | 0x400 | 0x800 | 0x10000, stack[2] + sizeof stack[2], ends_all, 0, 0, 0);
                 SYS(exit, 5));
  T("exit of the first thread, exit_group by the other", status);
}

static void by_structure(void) {
  struct { u64 flags, pidfd, child, parent, signal, stack, bytes, tls, set, count, group; u64 more[3]; } a;
  memset(&a, 0, sizeof a);
  C(clone3, &a, 63);
  C(clone3, &a, 0);
  C(clone3, BAD, 64);
  C(clone3, &a, 4097);
  a.signal = 17;
#define CLONE3(text, bytes) \
  ({ \
    i32 got = inline_call(NR_clone3, (u32)&a, bytes); \
    if (got == 0) leave(4); \
    if (!is_error(got)) wait_for(got); \
    T("clone3 " text, is_error(got) ? got : 1); \
  })
  CLONE3("as fork", 64);
  CLONE3("of 80 bytes", 80);
  CLONE3("of 88 bytes", 88);
  CLONE3("of 112 bytes", 112);
  a.more[0] = 1;
  CLONE3("of 112 bytes that are not zeros", 112);
  a.more[0] = 0;
  a.signal = 65;
  CLONE3("with a signal that is none", 64);
  a.signal = 0x11;
  a.flags = 17;
  CLONE3("with a signal in the flags", 64);
  a.flags = 0x400000;
  CLONE3("CLONE_DETACHED", 64);
  a.flags = 0x800;
  CLONE3("CLONE_SIGHAND without CLONE_VM", 64);
  a.flags = 0x10000;
  CLONE3("CLONE_THREAD without CLONE_SIGHAND", 64);
  a.flags = 0x10900;
  CLONE3("CLONE_THREAD with a signal", 64);
  a.flags = 0, a.stack = (u32)stack[0];
  CLONE3("with a stack of no size", 64);
  a.stack = 0, a.bytes = 100;
  CLONE3("with a size of no stack", 64);
  a.bytes = 0, a.flags = 1ull << 40;
  CLONE3("with a flag that is none", 64);
  a.flags = 1ull << 32;
  CLONE3("CLONE_CLEAR_SIGHAND", 64);
  a.flags = 1ull << 32 | 0x900;
  CLONE3("CLONE_CLEAR_SIGHAND | CLONE_SIGHAND", 64);
  a.flags = 0x4000 | 0x100;
  CLONE3("as vfork", 64);
  a.flags = 0, a.set = 1, a.count = 0;
  CLONE3("with an address and no process numbers", 80);
  a.set = 0, a.count = 100;
  CLONE3("with too many process numbers", 80);
}

static void executing(char *program) {
  char *arguments[] = {program, "child", 0}, *environment[] = {"A=B", "C=D", 0};
  put_file("text", "no program");
  SYS(chmod, "text", 0755);
  put_file("script", "#!none-such\n");
  SYS(chmod, "script", 0755);
  put_file("empty-script", "#!\n");
  SYS(chmod, "empty-script", 0755);
  put_file("empty", "");
  SYS(chmod, "empty", 0755);
  put_file("short", "\177ELF\1\1\1");
  SYS(chmod, "short", 0755);
  put_file("closed", "#!/bin/sh\n");
  C(execve, "none", arguments, environment);
  C(execve, "", arguments, environment);
  C(execve, BAD, arguments, environment);
  C(execve, ".", arguments, environment);
  C(execve, "text", arguments, environment);
  C(execve, "script", arguments, environment);
  C(execve, "empty-script", arguments, environment);
  C(execve, "empty", arguments, environment);
  C(execve, "short", arguments, environment);
  C(execve, "closed", arguments, environment);
  C(execve, "text/x", arguments, environment);
  C(execve, program, BAD, environment);
  C(execve, program, arguments, BAD);
  char *bad[] = {BAD, 0};
  C(execve, program, bad, environment);
  C(execve, program, arguments, bad);
  C(execveat, -1, "text", arguments, environment, 0);
  C(execveat, AT_FDCWD, "text", arguments, environment, 1);
  C(execveat, SYS(open, "text", 0), "", arguments, environment, 0x1000);
  C(execveat, AT_FDCWD, "", arguments, environment, 0);
  C(execveat, SYS(open, "text", 0), "x", arguments, environment, 0);
  SYS(symlink, "text", "link");
  C(execveat, AT_FDCWD, "link", arguments, environment, 0x100);
  i32 writer = SYS(open, "text", 1);
  C(execve, "text", arguments, environment);
  SYS(close, writer);
  SYS(close_range, 3, -1, 0);
  T("execve", ALONE(SYS(execve, program, arguments, environment)));
  arguments[1] = "vfork";
  i32 child = inline_call(NR_vfork, 0, 0);
  if (child == 0) {
    SYS(execve, program, arguments, environment);
    leave(1);
  }
  T("vfork and execve", wait_for(child));
  volatile u32 value = 1;
  child = inline_call(NR_vfork, 0, 0);
  if (child == 0) {
    value = 2;
    leave(1);
  }
  T("vfork shares memory", value);
  wait_for(child);
  T("execveat AT_EMPTY_PATH", ALONE(i32 f = SYS(open, program, 010000000); SYS(execveat, f, "", arguments, environment, 0x1000)));
  /* What outlives it. */
  T("execve: descriptors, mask, handlers, alarms", ALONE({
      arguments[1] = "kept";
      u32 mask[2] = {1 << 9, 0};
      SYS(dup2, 1, 10);
      SYS(dup3, 1, 11, 02000000);
      SYS(rt_sigprocmask, 0, mask, 0, 8);
      handle(10, (void *)1, 0);
      handle(12, leave, 0);
      SYS(kill, SYS(getpid), 10);
      SYS(alarm, 100);
      SYS(prctl, 15, "renamed");
      SYS(umask, 027);
      SYS(execve, program, arguments, environment);
    }));
}
static void child_of_exec(int argc, char **argv) {
  note("execve: the child has %d arguments, %s, %s", argc, argv[1], argv[argc + 1]);
  if (!same(argv[1], "kept", 4)) return;
  struct action action;
  u32 mask[2];
  char name[16];
  C(fcntl64, 10, 1);
  C(fcntl64, 11, 1);
  C(rt_sigaction, 10, 0, &action, 8);
  N("%u", (u32)action.handler);
  C(rt_sigaction, 12, 0, &action, 8);
  N("%u", (u32)action.handler);
  C(rt_sigpending, mask, 8);
  N("%x", mask[0]);
  C(alarm, 0);
  C(prctl, 16, name);
  N("%s", name);
  C(umask, 022);
}

static void groups(void) {
  i32 self = SYS(getpid);
  T("getpgid is getpgrp", SYS(getpgid, 0) == SYS(getpgrp));
  T("gettid is getpid", SYS(gettid) == self);
  P(getppid);
  P(getpid);
  P(gettid);
  P(getpgrp);
  C(getgid);
  C(getegid);
  C(setpgid, 0, 0);
  T("setpgid made a group", SYS(getpgrp) == self);
  C(setpgid, 0, 0);
  C(setpgid, 0, -1);
  C(setpgid, -1, 0);
  C(setpgid, 0, 1);
  C(setpgid, 99999, 0);
  C(setpgid, 1, 0);
  C(setsid);
  C(getpgid, 99999);
  C(getsid, 99999);
  C(getpgid, -1);
  i32 child = CHILD(pause_for(1000));
  T("setpgid of a child", SYS(setpgid, child, child));
  T("getpgid of it", SYS(getpgid, child) == child);
  T("setpgid to a group that is not", SYS(setpgid, child, 99999));
  T("setpgid back", SYS(setpgid, child, self));
  T("setpgid of a child to the group of another session", SYS(setpgid, child, 1));
  T("kill of a group", SYS(setpgid, child, child) || SYS(kill, -child, 9));
  T("wait4 of a group", SYS(wait4, -child, 0, 0, 0) == child);
  ALONE(T("setsid", SYS(setsid) == SYS(getpid)); T("getsid", SYS(getsid, 0) == SYS(getpid)); C(setsid); C(setpgid, 0, 0));
}

static void controls(void) {
  char name[20] = "";
  i32 value = 77;
  C(prctl, 15, "a name that is much too long");
  C(prctl, 16, name);
  N("%s", name);
  u32 tid_address = 9;
  SYS(set_tid_address, name);
  C(prctl, 40, &tid_address, 0, 0, 0);
  N("%s", tid_address == (u32)name ? "what set_tid_address was given" : "another");
  C(prctl, 40, BAD, 0, 0, 0);
  SYS(set_tid_address, 0);
  C(prctl, 15, "short");
  C(prctl, 16, name);
  N("%s", name);
  C(prctl, 15, BAD);
  C(prctl, 16, BAD);
  C(prctl, 1, 10);
  C(prctl, 2, &value);
  N("%d", value);
  C(prctl, 1, 65);
  C(prctl, 1, 0);
  C(prctl, 2, BAD);
  C(prctl, 3);
  C(prctl, 4, 0);
  C(prctl, 3);
  C(prctl, 4, 1);
  C(prctl, 4, 2);
  C(prctl, 4, 9);
  C(prctl, 7);
  C(prctl, 8, 1);
  C(prctl, 7);
  C(prctl, 8, 2);
  C(prctl, 8, 0);
  C(prctl, 13);
  C(prctl, 14, 0);
  C(prctl, 14, 1);
  C(prctl, 21);
  C(prctl, 23, 0);
  C(prctl, 23, 100);
  C(prctl, 25, &value);
  N("%d", value);
  C(prctl, 26, 1);
  C(prctl, 26, 3);
  C(prctl, 27);
  C(prctl, 29, 1000);
  C(prctl, 30);
  C(prctl, 29, 0);
  C(prctl, 30);
  C(prctl, 36, 1);
  C(prctl, 37, &value);
  N("%d", value);
  C(prctl, 36, 0);
  C(prctl, 38, 0, 0, 0, 0);
  C(prctl, 38, 1, 1, 0, 0);
  C(prctl, 39, 0, 0, 0, 0);
  ALONE(C(prctl, 38, 1, 0, 0, 0); C(prctl, 39, 0, 0, 0, 0); C(prctl, 38, 0, 0, 0, 0));
  C(prctl, 41, 0, 0, 0, 0);
  C(prctl, 42, 0, 0, 0, 0);
  C(prctl, 9999);
  C(prctl, -1);
  C(getpriority, 0, 0);
  C(setpriority, 0, 0, 5);
  C(getpriority, 0, 0);
  C(setpriority, 0, 0, 100);
  C(getpriority, 0, 0);
  C(setpriority, 0, 0, -100);
  C(getpriority, 0, 0);
  C(setpriority, 0, 0, 0);
  C(setpriority, 0, 99999, 0);
  C(setpriority, 3, 0, 0);
  C(getpriority, 3, 0);
  C(getpriority, 0, 99999);
  C(getpriority, -1, 0);
  C(nice, 3);
  C(getpriority, 0, 0);
  C(nice, -3);
  ALONE(SYS(setuid32, 1000); C(nice, 1); C(nice, -1); C(setpriority, 0, 0, 0); C(setpriority, 0, 1, 5);
        C(setpriority, 0, 0, 1));
}

static void scheduling(void) {
  u32 parameter[2] = {0, 0}, set[32] = {0}, time[2] = {9, 9};
  C(sched_yield);
  C(sched_getscheduler, 0);
  C(sched_getscheduler, 99999);
  C(sched_getscheduler, -1);
  C(sched_getparam, 0, parameter);
  N("%u", parameter[0]);
  C(sched_getparam, 0, 0);
  C(sched_getparam, 99999, parameter);
  C(sched_getparam, -1, parameter);
  C(sched_setscheduler, 0, 3, parameter);
  C(sched_getscheduler, 0);
  C(sched_setscheduler, 0, 5, parameter);
  C(sched_getscheduler, 0);
  C(sched_setscheduler, 0, 0, parameter);
  C(sched_setscheduler, 0, 77, parameter);
  C(sched_setscheduler, 0, -1, parameter);
  C(sched_setscheduler, 0, 0, BAD);
  C(sched_setscheduler, 0, 0, 0);
  C(sched_setscheduler, 99999, 0, parameter);
  parameter[0] = 1;
  C(sched_setscheduler, 0, 0, parameter);
  C(sched_setparam, 0, parameter);
  parameter[0] = 0;
  C(sched_setscheduler, 0, 1, parameter);
  C(sched_setparam, 0, parameter);
  C(sched_setparam, 99999, parameter);
  ALONE(SYS(setuid32, 1000); parameter[0] = 1; C(sched_setscheduler, 0, 1, parameter));
  ALONE(u32 a[16] = {48, 0, 0, 0, 5, 0}; C(sched_setattr, 0, a, 0); C(getpriority, 0, 0);
        C(sched_setattr, 0, 0, 0); C(sched_setattr, -1, a, 0); C(sched_setattr, 0, a, 1); C(sched_setattr, 99999, a, 0);
        C(sched_setattr, 0, BAD, 0); a[0] = 47; C(sched_setattr, 0, a, 0); N("%u", a[0]);
        a[0] = 5000; C(sched_setattr, 0, a, 0); a[0] = 60; C(sched_setattr, 0, a, 0);
        a[14] = 1; C(sched_setattr, 0, a, 0); N("%u", a[0]); a[0] = 48;
        a[1] = 77; C(sched_setattr, 0, a, 0); a[1] = -1; C(sched_setattr, 0, a, 0); a[1] = 1; C(sched_setattr, 0, a, 0);
        a[1] = 0; a[5] = 1; C(sched_setattr, 0, a, 0); a[5] = 0; a[2] = 0x80; C(sched_setattr, 0, a, 0);
        a[2] = 0x20; C(sched_setattr, 0, a, 0); a[2] = 1; a[1] = 3; a[4] = -100; C(sched_setattr, 0, a, 0);
        C(sched_getscheduler, 0); C(getpriority, 0, 0); memset(a, 9, sizeof a); C(sched_getattr, 0, a, 48, 0);
        N("%u %u %u %d %u", a[0], a[1], a[2], a[4], a[5]); a[12] = 7; C(sched_getattr, 0, a, 64, 0); N("%u", a[0]);
        C(sched_getattr, 0, a, 47, 0); C(sched_getattr, 0, a, 4097, 0); C(sched_getattr, 0, a, 48, 1);
        C(sched_getattr, 0, 0, 48, 0); C(sched_getattr, -1, a, 48, 0); C(sched_getattr, 99999, a, 48, 0);
        C(sched_getattr, 0, BAD, 48, 0); ALONE(C(sched_getscheduler, 0); C(getpriority, 0, 0));
        a[0] = 48; a[2] = 8 | 0x10; a[4] = 3; C(sched_setattr, 0, a, 0); C(getpriority, 0, 0); C(sched_getscheduler, 0);
        SYS(setuid32, 1000); a[1] = 0; a[2] = 0; C(sched_setattr, 0, a, 0); a[2] = 1; C(sched_setattr, 0, a, 0);
        a[4] = 2; C(sched_setattr, 0, a, 0); a[1] = 1; a[5] = 1; C(sched_setattr, 0, a, 0));
  ALONE(SYS(setuid32, 1000); C(sched_setscheduler, 0, 3 | 0x40000000, parameter); C(sched_getscheduler, 0);
        C(sched_setscheduler, 0, 3, parameter); C(sched_setparam, 0, parameter));
  ALONE(u32 a[12] = {48, 5, 0, 0, 7, 0}; C(sched_setattr, 0, a, 0); C(getpriority, 0, 0);
        a[1] = 3; C(sched_setattr, 0, a, 0); C(getpriority, 0, 0); a[1] = 0; a[4] = 0; C(sched_setattr, 0, a, 0);
        static u32 none[2]; SYS(setrlimit, 13, none); SYS(setuid32, 1000); C(sched_setscheduler, 0, 5, parameter);
        a[1] = 5; a[4] = -5; C(sched_setattr, 0, a, 0); C(getpriority, 0, 0); C(sched_setscheduler, 0, 0, parameter);
        C(sched_setscheduler, 0, 3, parameter));
  ALONE(static u32 none[2]; SYS(setrlimit, 13, none); u32 a[12] = {48, 1, 0, 0, -20, 1}; C(sched_setattr, 0, a, 0);
        C(getpriority, 0, 0); SYS(setuid32, 1000); C(sched_setscheduler, 0, 0, parameter); C(getpriority, 0, 0);
        a[1] = 0; a[5] = 0; C(sched_setattr, 0, a, 0));
  ALONE(SYS(setpriority, 0, 0, 3); u32 a[12] = {48, 1, 1, 0, 0, 1}; C(sched_setattr, 0, a, 0); C(getpriority, 0, 0);
        ALONE(C(sched_getscheduler, 0); C(getpriority, 0, 0)));
  ALONE(u32 a[12] = {48, 0, 1, 0, -3, 0}; C(sched_setattr, 0, a, 0); C(getpriority, 0, 0); ALONE(C(getpriority, 0, 0)));
  C(sched_get_priority_max, 0);
  C(sched_get_priority_max, 1);
  C(sched_get_priority_max, 2);
  C(sched_get_priority_max, 3);
  C(sched_get_priority_max, 99);
  C(sched_get_priority_max, -1);
  C(sched_get_priority_min, 0);
  C(sched_get_priority_min, 1);
  C(sched_get_priority_min, 99);
  C(sched_rr_get_interval, 99999, time);
  C(sched_rr_get_interval, -1, time);
  C(sched_rr_get_interval, 0, BAD);
  C(sched_rr_get_interval_time64, 99999, time);
  C(sched_rr_get_interval_time64, 0, BAD);
  C(sched_getaffinity, 0, 3, set);
  C(sched_getaffinity, 0, 2, set);
  C(sched_getaffinity, 0, 0, set);
  C(sched_getaffinity, 99999, 128, set);
  C(sched_getaffinity, 0, 128, BAD);
  P(sched_getaffinity, 0, 128, set);
  N("CPU 0 %s", set[0] & 1 ? "yes" : "no");
  set[0] = 1;
  C(sched_setaffinity, 0, 128, set);
  C(sched_setaffinity, 0, 4, set);
  C(sched_setaffinity, 99999, 4, set);
  C(sched_setaffinity, 0, 4, BAD);
  set[0] = 0;
  C(sched_setaffinity, 0, 4, set);
  C(sched_setaffinity, 0, 0, set);
  C(ioprio_set, 1, 0, 2 << 13 | 3);
  C(ioprio_get, 1, 0);
  ALONE(C(ioprio_get, 1, 0));
  C(ioprio_set, 1, 0, 2 << 13 | 8);
  C(ioprio_set, 1, 0, 9 << 13);
  C(ioprio_set, 1, 0, 3 << 13);
  C(ioprio_get, 1, 0);
  C(ioprio_set, 9, 0, 3 << 13);
  C(ioprio_set, 1, 99999, 3 << 13);
  ALONE(SYS(setuid32, 1000); C(ioprio_set, 1, 0, 1 << 13); C(ioprio_set, 1, 0, 2 << 13 | 5));
  u32 cpu = 99, node = 99;
  C(getcpu, &cpu, &node, 0);
  N("%u %u", cpu < 99, node);
  C(getcpu, 0, 0, 0);
  C(getcpu, BAD, 0, 0);
  P(membarrier, 0, 0) > 0 ? N("commands") : N("none");
  C(membarrier, 0, 1);
  C(membarrier, 1, 0);
  C(membarrier, 8, 0);
  C(membarrier, 16, 0);
  C(membarrier, 8, 0);
  C(membarrier, 3, 0);
  C(membarrier, 1 << 20, 0);
}

void cases(int argc, char **argv) {
  if (argc > 1) {
    child_of_exec(argc, argv);
    return;
  }
  waiting();
  cloning();
  forks();
  threads();
  by_structure();
  executing(argv[0]);
  groups();
  controls();
  scheduling();
}
