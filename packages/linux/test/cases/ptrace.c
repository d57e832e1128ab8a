/* Tracing: ptrace(2), process_vm_readv(2), process_vm_writev(2), and what wait4(2) and waitid(2) tell of traced tasks. */
#include "cases.h"

enum { TRACEME, PEEKTEXT, PEEKDATA, PEEKUSER, POKETEXT, POKEDATA, POKEUSER, CONT, KILL, SINGLESTEP, GETREGS = 12, SETREGS,
       GETFPREGS, SETFPREGS, ATTACH, DETACH, GETFPXREGS, SETFPXREGS, SYSCALL = 24, GET_THREAD_AREA, SYSEMU = 31,
       SETOPTIONS = 0x4200, GETEVENTMSG, GETSIGINFO, SETSIGINFO, GETREGSET, SETREGSET, SEIZE, INTERRUPT, LISTEN,
       PEEKSIGINFO, GETSIGMASK, SETSIGMASK, GET_SYSCALL_INFO = 0x420e };
enum { SYSGOOD = 1, O_FORK = 2, O_VFORK = 4, O_CLONE = 8, O_EXEC = 16, O_VFORKDONE = 32, O_EXIT = 64, O_SECCOMP = 128, O_EXITKILL = 1 << 20 };
enum { WNOHANG = 1, WUNTRACED = 2, WEXITED = 4, WCONTINUED = 8, WNOWAIT = 0x1000000, WALL = 0x40000000 };
enum { EBX, ECX, EDX, ESI, EDI, EBP, EAX, XDS, XES, XFS, XGS, ORIG, EIP, XCS, EFL, UESP, XSS };

static u32 regs[17], info[32], more[128];
static i32 value;
#define PT(request, pid, address, data) SYS(ptrace, request, pid, address, data)
/* A case: the request by its name. */
#define R(request, pid, address, data) T("ptrace " #request " " #address " " #data, PT(request, pid, address, data))
#define GO(request, child) (PT(request, child, 0, 0), next(child))

static i32 next(i32 child) {
  i32 status = -1;
  i32 who = SYS(wait4, child, &status, WALL, 0);
  return who < 0 ? who : status;
}
#define STOPPED(text, child) T("wait4 " text, next(child))
/* A traced child that has stopped by itself. */
#define TRACED(...) \
  ({ \
    i32 traced_ = CHILD(PT(TRACEME, 0, 0, 0); SYS(kill, SYS(getpid), 19); __VA_ARGS__); \
    next(traced_); \
    traced_; \
  })
static void end(i32 child) {
  i32 status;
  SYS(kill, child, 9);
  while (SYS(wait4, child, &status, WALL, 0) == child && (status & 0x7f) == 0x7f)
    ;
}
static void show_info(i32 child) {
  i32 answer = PT(GETSIGINFO, child, 0, info);
  N("info %e: signal %d errno %d code %d", answer, info[0], info[1], info[2]);
}

static void refused(void) {
  i32 child = CHILD(pause_for(100000));
  R(PEEKDATA, 99999, 0, &value);
  R(PEEKDATA, child, 0, &value);
  R(CONT, child, 0, 0);
  R(DETACH, child, 0, 0);
  R(KILL, child, 0, 0);
  R(INTERRUPT, child, 0, 0);
  R(ATTACH, 0, 0, 0);
  R(ATTACH, -1, 0, 0);
  T("ptrace ATTACH to oneself", PT(ATTACH, SYS(getpid), 0, 0));
  R(SEIZE, child, 1, 0);
  R(SEIZE, child, 0, 0x40000000);
  R(0x1234, child, 0, 0);
  R(ATTACH, child, 0, 0);
  STOPPED("of one that is attached to", child);
  R(ATTACH, child, 0, 0);
  R(0x1234, child, 0, 0);
  R(INTERRUPT, child, 0, 0);
  R(LISTEN, child, 0, 0);
  R(CONT, child, 0, 65);
  R(CONT, child, 0, -1);
  R(SETOPTIONS, child, 0, 0x40000000);
  R(SETOPTIONS, child, 0, 0xff);
  R(DETACH, child, 0, 100);
  R(DETACH, child, 0, 0);
  R(DETACH, child, 0, 0);
  end(child);
  child = CHILD(leave(is_error(PT(TRACEME, 0, 0, 0)) ? 1 : is_error(PT(TRACEME, 0, 0, 0)) ? 2 : 3));
  T("ptrace TRACEME twice", wait_for(child));
}

static void words(void) {
  static volatile u32 place = 0x11223344;
  static const volatile u32 constant = 77;
  i32 child = TRACED(leave(place == 5 && constant == 6 ? 1 : 2));
  u8 *gap = edge();
  T("ptrace PEEKDATA", PT(PEEKDATA, child, &place, &value));
  N("value %x", value);
  T("ptrace PEEKTEXT", PT(PEEKTEXT, child, &place, &value));
  T("ptrace PEEKDATA into nothing", PT(PEEKDATA, child, &place, BAD));
  R(PEEKDATA, child, 0, &value);
  T("ptrace PEEKDATA beyond", PT(PEEKDATA, child, gap + PAGE - 2, &value));
  R(PEEKDATA, child, 0xc0000000, &value);
  R(POKEDATA, child, 0, 1);
  T("ptrace POKEDATA", PT(POKEDATA, child, &place, 5));
  T("ptrace POKETEXT of what may not be written", PT(POKETEXT, child, &constant, 6));
  N("the tracer's: %x %d", place, constant);
  R(PEEKUSER, child, 1, &value);
  R(PEEKUSER, child, -4, &value);
  R(PEEKUSER, child, 400, &value);
  R(PEEKUSER, child, 280, &value);
  R(PEEKUSER, child, ORIG * 4, &value);
  N("call %d", value);
  R(PEEKUSER, child, EAX * 4, &value);
  N("EAX %d", value);
  R(PEEKUSER, child, XCS * 4, &value);
  N("ring %d", value & 3);
  R(POKEUSER, child, 1, 0);
  R(POKEUSER, child, 400, 0);
  R(POKEUSER, child, EBX * 4, 3);
  R(POKEUSER, child, XCS * 4, 0);
  R(POKEUSER, child, XSS * 4, 0);
  R(POKEUSER, child, XDS * 4, 8);
  R(PEEKUSER, child, EBX * 4, &value);
  N("EBX %d", value);
  T("wait4 of its end", GO(CONT, child));
}

static void registers(void) {
  u32 vector[2] = {(u32)regs, sizeof regs};
  i32 child = TRACED(__asm__ volatile("movl $0x1111, %%ebx; movl $0x2222, %%esi; movl $0x3333, %%edi; int3; ud2" ::: "ebx", "esi", "edi"));
  T("wait4 of INT3", GO(CONT, child));
  show_info(child);
  R(GETREGS, child, 0, regs);
  N("%x %x %x call %d code %x", regs[EBX], regs[ESI], regs[EDI], regs[ORIG], *(u16 *)regs[EIP]);
  R(GETREGS, child, 0, BAD);
  R(SETREGS, child, 0, BAD);
  regs[EBX] = 0x4444;
  regs[EFL] |= 0x3000;
  R(SETREGS, child, 0, regs);
  R(GETREGSET, child, 1, vector);
  N("bytes %d EBX %x IOPL %x", vector[1], regs[EBX], regs[EFL] & 0x3000);
  vector[1] = 12;
  regs[EBX] = 0x5555;
  R(SETREGSET, child, 1, vector);
  N("bytes %d", vector[1]);
  vector[1] = 6;
  R(GETREGSET, child, 1, vector);
  vector[1] = 8;
  R(GETREGSET, child, 1, vector);
  N("bytes %d EBX %x", vector[1], regs[EBX]);
  R(GETREGSET, child, 99, vector);
  R(GETREGSET, child, 1, BAD);
  vector[0] = 0, vector[1] = 68;
  R(GETREGSET, child, 1, vector);
  R(GETSIGMASK, child, 8, more);
  N("mask %x %x", more[0], more[1]);
  R(GETSIGMASK, child, 4, more);
  more[0] = 0xffffffff, more[1] = 0;
  R(SETSIGMASK, child, 8, more);
  R(GETSIGMASK, child, 8, more);
  N("mask %x %x", more[0], more[1]);
  T("wait4 of UD2", GO(CONT, child));
  show_info(child);
  R(GETREGS, child, 0, regs);
  N("EBX %x", regs[EBX]);
  PT(CONT, child, 0, 4);
  STOPPED("of its end by that", child);
}

static void floating(void) {
  u32 vector[2];
  static float one = 1.5f;
  i32 child = TRACED(__asm__ volatile("fninit; flds %0; fldz; int3; fstps %0" : "+m"(one)); leave(one == 1.5f ? 1 : one == 3.0f ? 2 : 3));
  GO(CONT, child);
  R(GETFPREGS, child, 0, more);
  N("control %x status %x tags %x", more[0] & 0xffff, more[1] & 0xffff, more[2] & 0xffff);
  N("%x %x %x", more[7], more[8], more[9] & 0xffff);
  more[7] = 0, more[8] = 0xc0000000, more[9] = (more[9] & 0xffff0000) | 0x4000;
  more[2] &= ~0x3000u;
  R(SETFPREGS, child, 0, more);
  R(GETFPXREGS, child, 0, more);
  N("control %x tags %x: %x %x", more[0] & 0xffff, more[1] & 0xff, more[9], more[10] & 0xffff);
  R(GETFPXREGS, child, 0, BAD);
  vector[0] = (u32)more, vector[1] = sizeof more;
  R(GETREGSET, child, 0x46e62b7f, vector);
  N("bytes %d", vector[1]);
  vector[1] = sizeof more;
  R(GETREGSET, child, 2, vector);
  N("bytes %d", vector[1]);
  T("wait4 of its end", GO(CONT, child));
}

static void calls(void) {
  i32 child = TRACED(SYS(getpid); SYS(close, -1); SYS(write, 1, "never\n", 6); leave(SYS(getppid) == 1234 ? 5 : 6));
  T("wait4 before a call", GO(SYSCALL, child));
  show_info(child);
  R(SETOPTIONS, child, 0, SYSGOOD);
  PT(GETREGS, child, 0, regs);
  N("call %d EAX %d", regs[ORIG], regs[EAX]);
  T("wait4 behind it", GO(SYSCALL, child));
  show_info(child);
  PT(GETREGS, child, 0, regs);
  N("call %d EAX %s", regs[ORIG], regs[EAX] == (u32)child ? "its number" : "another");
  R(GETEVENTMSG, child, 0, &value);
  N("message %d", value);
  T("wait4 before the next", GO(SYSCALL, child));
  show_info(child);
  T("ptrace GET_SYSCALL_INFO", PT(GET_SYSCALL_INFO, child, sizeof more, more));
  N("op %d arch %x call %d first %x", more[0] & 0xff, more[1], more[6], more[8]);
  N("message %s", PT(GETEVENTMSG, child, 0, &value) == 0 && value == 1 ? "entry" : "other");
  GO(SYSCALL, child);
  T("ptrace GET_SYSCALL_INFO", PT(GET_SYSCALL_INFO, child, sizeof more, more));
  N("op %d result %d error %d", more[0] & 0xff, more[6], more[8] & 0xff);
  T("ptrace GET_SYSCALL_INFO of few bytes", PT(GET_SYSCALL_INFO, child, 4, more));
  GO(SYSCALL, child);
  PT(GETREGS, child, 0, regs);
  N("call %d", regs[ORIG]);
  R(POKEUSER, child, ORIG * 4, -1);
  T("wait4 behind a call that is not made", GO(SYSCALL, child));
  PT(GETREGS, child, 0, regs);
  N("call %d EAX %d", regs[ORIG], regs[EAX]);
  GO(SYSCALL, child);
  GO(SYSCALL, child);
  R(POKEUSER, child, EAX * 4, 1234);
  GO(SYSCALL, child);
  PT(GETREGS, child, 0, regs);
  N("call %d with %d", regs[ORIG], regs[EBX]);
  T("ptrace POKEUSER of its argument", PT(POKEUSER, child, EBX * 4, 9));
  STOPPED("with nothing to tell", 99999);
  T("wait4 of its end", GO(SYSCALL, child));
  child = TRACED(leave(SYS(getppid) == 77 ? 1 : 2));
  T("wait4 before a call that is skipped", GO(SYSEMU, child));
  PT(POKEUSER, child, EAX * 4, 77);
  T("wait4 before the next", GO(SYSEMU, child));
  PT(GETREGS, child, 0, regs);
  N("call %d with %d", regs[ORIG], regs[EBX]);
  end(child);
}

static volatile i32 handled;
static void note_signal(i32 signal) { handled = signal; }

static void at_signals(void) {
  i32 child = TRACED(handle(10, note_signal, 0); handle(12, note_signal, 0); SYS(kill, SYS(getpid), 10); leave(handled));
  T("wait4 of a signal", GO(CONT, child));
  show_info(child);
  N("sender %s", info[3] == (u32)child ? "itself" : "another");
  PT(CONT, child, 0, 0);
  STOPPED("of the end without it", child);
  child = TRACED(handle(10, note_signal, 0); handle(12, note_signal, 0); SYS(kill, SYS(getpid), 10); leave(handled));
  GO(CONT, child);
  PT(CONT, child, 0, 12);
  STOPPED("of the end with another", child);
  child = TRACED(handle(10, note_signal, 0); SYS(kill, SYS(getpid), 10); leave(handled));
  GO(CONT, child);
  R(GETSIGINFO, child, 0, info);
  info[2] = -1, info[5] = 99;
  R(SETSIGINFO, child, 0, info);
  R(GETSIGINFO, child, 0, info);
  N("code %d value %d", info[2], info[5]);
  R(SETSIGINFO, child, 0, BAD);
  PT(CONT, child, 0, 10);
  STOPPED("of the end with it", child);
  child = TRACED(handle(14, note_signal, 0); pause_for(100000); leave(handled + 1));
  PT(SETOPTIONS, child, 0, SYSGOOD);
  GO(SYSCALL, child); GO(SYSCALL, child);
  T("wait4 before nanosleep", GO(SYSCALL, child));
  PT(SYSCALL, child, 0, 0);
  pause_for(5);
  SYS(kill, child, 14);
  STOPPED("behind what a signal interrupts", child);
  PT(GETREGS, child, 0, regs);
  N("call %d EAX %d", regs[ORIG], regs[EAX]);
  T("wait4 of the signal", GO(SYSCALL, child));
  PT(GETREGS, child, 0, regs);
  N("call %d EAX %d", regs[ORIG], regs[EAX]);
  R(PEEKSIGINFO, child, more, info);
  PT(SYSCALL, child, 0, 14);
  STOPPED("before sigreturn", child);
  PT(GETREGS, child, 0, regs);
  N("call %d", regs[ORIG]);
  GO(SYSCALL, child);
  PT(GETREGS, child, 0, regs);
  N("EAX %d", regs[EAX]);
  PT(CONT, child, 0, 0);
  STOPPED("of the end", child);
  /* A call that is made again. */
  child = TRACED(pause_for(20); leave(3));
  PT(SETOPTIONS, child, 0, SYSGOOD);
  GO(SYSCALL, child);
  PT(SYSCALL, child, 0, 0);
  pause_for(2);
  SYS(kill, child, 17);
  T("wait4 of a signal that is ignored", next(child));
  T("wait4 of it", GO(SYSCALL, child));
  PT(SYSCALL, child, 0, 17);
  T("wait4 of the call again", next(child));
  GO(CONT, child);
  child = TRACED(*(volatile u8 *)BAD = 1);
  T("wait4 of a fault", GO(CONT, child));
  show_info(child);
  N("address %x", info[3]);
  PT(CONT, child, 0, 11);
  STOPPED("of the end by it", child);
}

static void steps(void) {
  i32 child = TRACED(__asm__ volatile("int3; nop; nop; movl $20, %%eax; int $0x80; nop; pushfl; popl %%ecx; nop" ::: "eax", "ecx"); leave(1));
  GO(CONT, child);
  PT(GETREGS, child, 0, regs);
  u32 start = regs[EIP];
  for (int n = 0; n < 8; n++) {
    i32 status = GO(SINGLESTEP, child);
    PT(GETREGS, child, 0, regs);
    PT(GETSIGINFO, child, 0, info);
    T("wait4 of a step", status);
    N("at %d flags %x code %d", regs[EIP] - start, regs[EFL] & 0x100, info[2]);
  }
  N("EAX is %s", regs[EAX] == (u32)child ? "its number" : "something else");
  T("wait4 of its end", GO(CONT, child));
  child = TRACED(handle(10, note_signal, 0); SYS(kill, SYS(getpid), 10); leave(handled));
  GO(CONT, child);
  PT(SINGLESTEP, child, 0, 10);
  STOPPED("of a step into a handler", child);
  PT(GETREGS, child, 0, regs);
  PT(GETSIGINFO, child, 0, info);
  N("at its begin: %d code %d", regs[EIP] == (u32)note_signal, info[2]);
  T("wait4 of its end", GO(CONT, child));
}

static void with_group(void) {
  i32 status;
  i32 child = TRACED(SYS(kill, SYS(getpid), 19); leave(4));
  T("wait4 of SIGSTOP", GO(CONT, child));
  PT(CONT, child, 0, 19);
  STOPPED("of the stop of its group", child);
  show_info(child);
  T("wait4 of its end", GO(CONT, child));
  child = CHILD(pause_for(3); SYS(kill, SYS(getpid), 19); leave(4));
  R(SEIZE, child, 0, SYSGOOD);
  T("wait4 WNOHANG of one that is seized", SYS(wait4, child, &status, WNOHANG | WALL, 0));
  R(INTERRUPT, child, 0, 0);
  STOPPED("of one that is interrupted", child);
  show_info(child);
  T("wait4 of SIGSTOP", GO(CONT, child));
  show_info(child);
  PT(CONT, child, 0, 19);
  STOPPED("of the stop of its group", child);
  show_info(child);
  R(LISTEN, child, 0, 0);
  R(GETREGS, child, 0, regs);
  R(CONT, child, 0, 0);
  T("wait4 WNOHANG of one that is listened to", SYS(wait4, child, &status, WNOHANG | WALL, 0));
  R(INTERRUPT, child, 0, 0);
  STOPPED("once more", child);
  R(LISTEN, child, 0, 0);
  SYS(kill, child, 18);
  STOPPED("of its going on", child);
  show_info(child);
  T("wait4 of SIGCONT", GO(CONT, child));
  PT(CONT, child, 0, 18);
  STOPPED("of its end", child);
  /* Detached while its group is stopped: it stays so. */
  child = CHILD(SYS(kill, SYS(getpid), 19); leave(7));
  T("wait4 WUNTRACED", SYS(wait4, child, &status, WUNTRACED, 0) == child);
  R(SEIZE, child, 0, 0);
  STOPPED("of one that was stopped before", child);
  R(DETACH, child, 0, 0);
  T("wait4 WNOHANG of one that stays stopped", SYS(wait4, child, &status, WNOHANG, 0));
  SYS(kill, child, 18);
  STOPPED("of its end", child);
}

static void child_of_thread(void) {}

static void events(void) {
  i32 child, other, status;
  u32 message;
  child = TRACED(other = CHILD(leave(3)); leave(wait_for(other) >> 8));
  R(SETOPTIONS, child, 0, O_FORK | SYSGOOD);
  T("wait4 of a fork", GO(CONT, child));
  show_info(child);
  PT(GETEVENTMSG, child, 0, &message);
  T("wait4 of what is new", SYS(wait4, -1, &status, WALL, 0) == (i32)message);
  N("status %x", status);
  show_info(message);
  PT(CONT, child, 0, 0);
  T("wait4 of the new one's end", GO(CONT, message));
  STOPPED("of the signal of that", child);
  T("wait4 of its end", GO(CONT, child));

  child = TRACED(other = inline_call(NR_vfork, 0, 0); if (!other) leave(3); leave(wait_for(other) >> 8));
  PT(SETOPTIONS, child, 0, O_VFORK | O_VFORKDONE);
  T("wait4 of a vfork", GO(CONT, child));
  PT(GETEVENTMSG, child, 0, &message);
  STOPPED("of what is new", message);
  PT(CONT, child, 0, 0);
  PT(CONT, message, 0, 0);
  STOPPED("of the new one's end", message);
  status = next(child);
  if (status >> 8 == 17) status = GO(CONT, child);
  T("wait4 of what comes when a vfork is done", status);
  end(child);

  child = TRACED(SYS(fork) ? leave(1) : leave(2));
  PT(SETOPTIONS, child, 0, O_EXIT);
  T("wait4 of an end that comes", GO(CONT, child));
  show_info(child);
  PT(GETEVENTMSG, child, 0, &message);
  N("message %x", message);
  PT(GETREGS, child, 0, regs);
  N("call %d", regs[ORIG]);
  T("wait4 of its end", GO(CONT, child));
  child = TRACED(SYS(kill, SYS(getpid), 15));
  PT(SETOPTIONS, child, 0, O_EXIT);
  T("wait4 of SIGTERM", GO(CONT, child));
  PT(CONT, child, 0, 15);
  STOPPED("of the end that comes", child);
  PT(GETEVENTMSG, child, 0, &message);
  N("message %x", message);
  T("wait4 of its end", GO(CONT, child));

  child = CHILD(PT(TRACEME, 0, 0, 0); SYS(execve, "/nowhere", 0, 0); const char *args[] = {"x", "y", 0}; SYS(execve, "/proc/self/exe", args, 0));
  T("wait4 of a program that is executed", next(child));
  show_info(child);
  end(child);
  child = TRACED(const char *args[] = {"x", "y", 0}; SYS(execve, "/proc/self/exe", args, 0));
  PT(SETOPTIONS, child, 0, O_EXEC | SYSGOOD);
  T("wait4 of a program that is executed", GO(CONT, child));
  show_info(child);
  PT(GETEVENTMSG, child, 0, &message);
  N("message %s", message == (u32)child ? "it" : "other");
  PT(GETREGS, child, 0, regs);
  N("call %d EAX %d", regs[ORIG], regs[EAX]);
  T("wait4 behind the call", GO(SYSCALL, child));
  PT(GETREGS, child, 0, regs);
  N("call %d EAX %d", regs[ORIG], regs[EAX]);
  end(child);

  u8 *stack = new_pages(1);
  child = TRACED(thread(0x50f00, stack + PAGE - 64, child_of_thread, 0, 0, 0); pause_for(20); leave(5));
  PT(SETOPTIONS, child, 0, O_CLONE | O_EXIT);
  T("wait4 of a new thread", GO(CONT, child));
  PT(GETEVENTMSG, child, 0, &message);
  STOPPED("of the thread", message);
  PT(CONT, child, 0, 0);
  T("wait4 of its end that comes", GO(CONT, message));
  T("wait4 of the end of a thread", GO(CONT, message));
  T("wait4 of the end of all that comes", next(child));
  T("wait4 of the end of all", GO(CONT, child));
}

static void others(void) {
  i32 status, grandchild = 0, pipes[2];
  SYS(pipe, pipes);
  /* A tracer that is not the parent: the parent learns of the end when the tracer knows. */
  i32 child = CHILD(pause_for(10); leave(6));
  i32 tracer = CHILD(
      if (PT(SEIZE, child, 0, 0)) leave(1); SYS(write, pipes[1], "x", 1); pause_for(20);
      i32 told = next(child); SYS(write, pipes[1], "y", 1); leave(told == 0x600 ? 2 : 3));
  SYS(read, pipes[0], &value, 1);
  pause_for(15);
  T("wait4 WNOHANG of one whose tracer does not know its end yet", SYS(wait4, child, &status, WNOHANG, 0));
  SYS(read, pipes[0], &value, 1);
  STOPPED("of one whose tracer knows", child);
  T("wait4 of the tracer", wait_for(tracer));
  /* A tracer that ends lets go, or takes them with it. */
  child = CHILD(pause_for(10); leave(6));
  tracer = CHILD(PT(ATTACH, child, 0, 0); next(child));
  wait_for(tracer);
  STOPPED("of one whose tracer has ended", child);
  child = CHILD(pause_for(100000));
  tracer = CHILD(PT(SEIZE, child, 0, O_EXITKILL));
  wait_for(tracer);
  STOPPED("of one that ends with its tracer", child);
  /* Another user. */
  child = CHILD(pause_for(100000));
  T("ptrace ATTACH to another user's", ALONE(SYS(setresuid32, 5, 5, 5); leave(-PT(ATTACH, child, 0, 0))) >> 8);
  T("process_vm_readv of another user's",
    ALONE(SYS(setresuid32, 5, 5, 5); u32 v[2] = {(u32)more, 4}; leave(-SYS(process_vm_readv, child, v, 1, v, 1, 0))) >> 8);
  end(child);
  (void)grandchild;
}

static void transfers(void) {
  static u8 there[3 * PAGE];
  u32 own[4], theirs[4];
  for (u32 n = 0; n < sizeof there; n++) there[n] = n * 7;
  i32 child = CHILD(pause_for(100000));
  memset(there, 0, sizeof there);
  own[0] = (u32)there, own[1] = 10, own[2] = (u32)there + 100, own[3] = 5000;
  theirs[0] = (u32)there + 4090, theirs[1] = 4100, theirs[2] = (u32)there, theirs[3] = 20;
  T("process_vm_readv", SYS(process_vm_readv, child, own, 2, theirs, 2, 0));
  N("%d %d %d %d", there[0], there[9], there[100], there[4189]);
  T("process_vm_readv of nothing", SYS(process_vm_readv, child, own, 0, theirs, 2, 0));
  T("process_vm_readv with a flag", SYS(process_vm_readv, child, own, 1, theirs, 1, 1));
  T("process_vm_readv of nobody", SYS(process_vm_readv, 99999, own, 1, theirs, 1, 0));
  T("process_vm_readv of too many", SYS(process_vm_readv, child, own, 1025, theirs, 1, 0));
  T("process_vm_readv with a bad vector", SYS(process_vm_readv, child, BAD, 1, theirs, 1, 0));
  theirs[0] = 16, theirs[1] = 5;
  T("process_vm_readv of what is not there", SYS(process_vm_readv, child, own, 1, theirs, 1, 0));
  own[0] = 16, theirs[0] = (u32)there;
  T("process_vm_readv into what is not there", SYS(process_vm_readv, child, own, 1, theirs, 1, 0));
  own[0] = (u32)there, own[1] = 3, theirs[0] = (u32)there + 8000, theirs[1] = 3;
  there[0] = 1, there[1] = 2, there[2] = 3;
  T("process_vm_writev", SYS(process_vm_writev, child, own, 1, theirs, 1, 0));
  own[0] = (u32)more;
  T("process_vm_readv of that", SYS(process_vm_readv, child, own, 1, theirs, 1, 0));
  N("%d %d %d", ((u8 *)more)[0], ((u8 *)more)[1], ((u8 *)more)[2]);
  theirs[0] = (u32)cases, own[0] = (u32)there;
  T("process_vm_writev to what may not be written", SYS(process_vm_writev, child, own, 1, theirs, 1, 0));
  end(child);
}

static void by_waitid(void) {
  i32 child = TRACED(leave(1));
  PT(CONT, child, 0, 0);
  end(child);
  child = CHILD(PT(TRACEME, 0, 0, 0); SYS(kill, SYS(getpid), 19); leave(1));
  T("waitid WNOWAIT", SYS(waitid, 1, child, info, WEXITED | 2 | WNOWAIT));
  N("signal %d code %d status %d", info[0], info[2], info[5]);
  T("waitid", SYS(waitid, 1, child, info, WEXITED | 2));
  N("signal %d code %d status %d", info[0], info[2], info[5]);
  T("waitid WNOHANG", SYS(waitid, 1, child, info, WEXITED | 2 | WNOHANG));
  N("signal %d", info[0]);
  PT(SETOPTIONS, child, 0, O_EXIT);
  PT(CONT, child, 0, 0);
  T("waitid of an event", SYS(waitid, 1, child, info, WEXITED | 2));
  N("signal %d code %d status %x", info[0], info[2], info[5]);
  T("wait4 of its end", GO(CONT, child));
  child = TRACED(pause_for(100000));
  R(KILL, child, 0, 0);
  STOPPED("of one that was killed", child);
}

void cases(int argc, char **argv) {
  (void)argv;
  if (argc > 1) leave(42);
  refused();
  words();
  registers();
  floating();
  calls();
  at_signals();
  steps();
  with_group();
  events();
  others();
  transfers();
  by_waitid();
}
