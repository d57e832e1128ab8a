/* What separates programs: namespaces, capabilities, filters of calls, System V IPC, descriptors of processes. */
#include "cases.h"

enum {
  NEWTIME = 0x80, NEWNS = 0x20000, NEWCGROUP = 0x2000000, NEWUTS = 0x4000000, NEWIPC = 0x8000000, NEWUSER = 0x10000000,
  NEWPID = 0x20000000, NEWNET = 0x40000000,
};
static u32 words[64];

/* Bits of the sets of this process. */
static void sets(const char *what) {
  u32 header[2] = {0x20080522, 0}, d[6];
  SYS(capget, header, d);
  N("%s: effective %s, permitted %s, inheritable %x", what, d[0] | d[3] ? "some" : "none", d[1] | d[4] ? "some" : "none", d[2]);
}

static void capabilities(void) {
  static u32 header[2] = {0x20080522, 0}, data[6];
  static u32 none[6], chroot_only[6] = {1 << 18, 1 << 18, 0};
  C(capset, header, BAD);
  C(capset, BAD, none);
  ALONE(header[0] = 1; C(capset, header, none); N("%x", header[0]));
  ALONE(header[1] = 1; C(capset, header, none));
  ALONE(C(capset, header, chroot_only); C(capget, header, data); N("%x %x %x", data[0], data[1], data[2]); C(chroot, "/");
        C(sethostname, "x", 1); C(setuid32, 1); C(capset, header, none); C(chroot, "/"); C(capset, header, chroot_only));
  ALONE(data[0] = 1; C(capset, header, data));
  ALONE(C(prctl, 24, 99); C(prctl, 23, 99); C(prctl, 23, 21); C(prctl, 24, 21); C(prctl, 23, 21); SYS(setuid32, 1); C(prctl, 24, 3));
  ALONE(C(prctl, 47, 2, 18, 0, 0); C(prctl, 47, 1, 18, 0, 0); C(prctl, 47, 9, 18, 0, 0); C(prctl, 47, 4, 1, 0, 0); C(prctl, 47, 4, 0, 0, 0));
  ALONE(C(prctl, 27); C(prctl, 28, 0x1000); C(prctl, 28, 0x30); C(prctl, 28, 0x10); C(prctl, 8, 0); C(prctl, 27));
  ALONE(C(setuid32, 1000); sets("a user"));
  ALONE(C(prctl, 8, 1); C(setuid32, 1000); sets("with KEEP_CAPS"));
  ALONE(C(setresuid32, -1, 1000, 0); sets("for a while"); C(setresuid32, -1, 0, -1); sets("again"));
  ALONE(C(setfsuid, 7); C(setfsuid, -1); C(setfsgid, 7); C(setfsgid, -1));
}

static void namespaces(void) {
  static char text[64];
  C(unshare, 0x1000);
  C(unshare, 0);
  C(setns, 99, 0);
  C(setns, 0, 0);
  ALONE(SYS(setuid32, 1000); C(unshare, NEWUTS); C(unshare, NEWNS); C(unshare, NEWIPC); C(unshare, NEWPID); C(unshare, NEWNET);
        C(unshare, NEWCGROUP); C(unshare, NEWTIME); C(clone, NEWUTS | 17, 0, 0, 0, 0); C(sethostname, "x", 1); C(chroot, "/"));
  ALONE(C(unshare, NEWUTS); C(sethostname, "inner", 5); C(uname, words); C(sethostname, "x", 65); C(sethostname, BAD, 1));
  C(clone, NEWNS | 0x200 | 17, 0, 0, 0, 0);
  C(clone, NEWUSER | 0x200 | 17, 0, 0, 0, 0);
  C(clone, NEWIPC | 0x40000 | 17, 0, 0, 0, 0);
  C(clone, NEWPID | 0x10000 | 0x900, 0, 0, 0, 0);
  ALONE(C(unshare, NEWPID); i32 child = SYS(fork); if (child == 0) { C(getpid); C(getppid); C(getsid, 0); C(kill, 1, 0);
        C(kill, 2, 0); C(kill, -1, 0); SYS(exit_group, 3); } wait_for(child); C(fork); C(unshare, NEWPID); C(vfork));
  ALONE(C(unshare, NEWUSER); C(getuid32); C(geteuid32); C(getgid32); C(setuid32, 0); C(setgid32, 0); C(setgroups32, 0, 0); sets("inside");
        C(unshare, NEWUTS); C(sethostname, "x", 1); C(unshare, NEWUSER); C(chown32, ".", 0, 0); C(mknod, "device", 020600, 0x103));
  ALONE(SYS(setresgid32, 1000, 1000, 1000); SYS(setresuid32, 1000, 1000, 1000); C(prctl, 4, 1); C(unshare, NEWUSER); i32 f = SYS(open, "/proc/self/uid_map", 1); C(write, f, "0 0 1", 5); C(write, f, "x", 1);
        C(write, f, "0 1000 1 1", 10); C(write, f, "0 1000 0", 8); C(write, f, "0 1000 2", 8); C(write, f, "5 1000 1", 8); C(write, f, "5 1000 1", 8); C(getuid32);
        SYS(close, f); f = SYS(open, "/proc/self/gid_map", 1); C(write, f, "0 1000 1", 8); i32 g = SYS(open, "/proc/self/setgroups", 2);
        C(read, g, text, 16); C(write, g, "never", 5); C(write, g, "deny", 4); C(write, f, "0 1000 1", 8); C(getgid32); C(write, g, "allow", 5); C(setgroups32, 0, 0));
  ALONE(i32 f = SYS(open, "/proc/self/ns/uts", 0); C(setns, f, NEWIPC); C(setns, f, NEWUTS); C(setns, f, 0); C(ioctl, f, 0xb703); C(ioctl, f, 0xb704, words);
        C(ioctl, f, 0xb702); SYS(close, f); f = SYS(open, "/proc/self/ns/user", 0); C(setns, f, 0); C(ioctl, f, 0xb703); C(ioctl, f, 0xb704, words); C(ioctl, f, 0xb702); C(ioctl, f, 0xb701));
  ALONE(C(unshare, NEWNS); C(pivot_root, "/none", "/"); C(pivot_root, "/", "/none"); SYS(setuid32, 1000); C(pivot_root, ".", "."));
}

static void owners(void) {
  ALONE(SYS(chmod, ".", 0777); SYS(setresgid32, 1000, 1000, 1000); SYS(setresuid32, 1000, 1000, 1000); C(prctl, 4, 1); C(unshare, NEWUSER);
        i32 f = SYS(open, "/proc/self/uid_map", 1); C(write, f, "0 1000 1", 8); i32 g = SYS(open, "mine", 0102, 0644); C(fchown32, g, 0, -1); C(fchown32, g, 5, -1);
        C(fchown32, g, -1, 0); C(chown32, "mine", 0, -1); C(chown32, "mine", 1000, -1); C(fstat64, g, words); N("%u %u", words[6], words[7]));
}

static void filters(void) {
  struct { u16 length; u16 pad; u32 at; } program;
  /* ld [0]; jeq getpid → errno 77; allow */
  static u32 code[8] = {0x20, 0, 0x01000015, 20, 0x6, 0x5004d, 0x6, 0x7fff0000};
  program.length = 4, program.pad = 0, program.at = (u32)code;
  C(seccomp, 9, 0, 0);
  C(seccomp, 0, 1, 0);
  C(seccomp, 1, 0x1000, &program);
  C(seccomp, 1, 0, BAD);
  C(prctl, 21);
  ALONE(SYS(setuid32, 1000); C(seccomp, 1, 0, &program); C(prctl, 22, 2, &program); C(prctl, 38, 1, 0, 0, 0); C(prctl, 39, 0, 0, 0, 0); C(seccomp, 1, 0, &program);
        C(getpid); C(prctl, 21); C(prctl, 22, 1); C(seccomp, 1, 1, &program));
  ALONE(program.length = 0; C(seccomp, 1, 0, &program); program.length = 4; code[6] = 0x16; C(seccomp, 1, 0, &program); code[6] = 0x26;
        C(seccomp, 1, 0, &program); code[6] = 0x6; code[1] = 2; C(seccomp, 1, 0, &program); code[1] = 64; C(seccomp, 1, 0, &program); code[1] = 0; code[2] = 0x04000015;
        C(seccomp, 1, 0, &program));
  ALONE(code[5] = 0x51000; SYS(seccomp, 1, 0, &program); C(getpid));
  ALONE(code[5] = 0x30005; SYS(seccomp, 1, 0, &program); C(getuid32); C(getpid));
  ALONE(code[5] = 0x80000000; SYS(seccomp, 1, 0, &program); C(getuid32); C(getpid));
  ALONE(code[5] = 0x7ff00000; SYS(seccomp, 1, 0, &program); C(getpid));
}

static void shared_memory(void) {
  static u32 ds[24];
  C(shmget, 77, 4096, 0);
  C(shmget, 0, 0, 0600);
  C(shmget, 77, 5000, 01600);
  C(shmget, 77, 5000, 03600);
  C(shmget, 77, 9000, 0);
  C(shmget, 77, 0, 0);
  C(shmat, 99, 0, 0);
  C(shmat, 0, 0x30000001, 0);
  u32 *a = at_of(SYS(shmat, 0, 0x30000000, 0));
  u32 *b = at_of(SYS(shmat, 0, 0x30010000, 010000));
  a[0] = 42;
  N("%u at another place", b[0]);
  T("a write to what is to be read", SYS(read, 99, b, 4));
  C(shmat, 0, 0x30000000, 0);
  A(shmat, 0, 0x30020123, 020000);
  C(shmdt, 0x30020000);
  C(shmctl, 0, 2, ds);
  N("%u bytes, attached %u times, mode %o", ds[9], ds[18], ds[5] & 0xffff);
  C(shmdt, 0x30000004);
  C(shmctl, 0, 0, 0);
  C(shmctl, 0, 2, ds);
  A(shmat, 0, 0x30040000, 0);
  C(shmdt, 0x30040000);
  N("%u is kept", a[0]);
  C(shmdt, a);
  C(shmdt, a);
  C(shmdt, b);
  C(shmctl, 0, 2, ds);
  C(shmctl, 99, 0, 0);
  C(shmctl, 0, 3, ds);
  N("at least %u bytes, %u segments, %u in a process", ds[1], ds[2], ds[3]);
  C(shmctl, -1, 3, ds);
  C(shmctl, 0, 3, BAD);
  C(shmget, 78, 4096, 01600);
  i32 there = SYS(shmget, 78, 0, 0), index = there & 0x7fff;
  u32 info[24];
  T("shmctl SHM_INFO answers the highest index", SYS(shmctl, 0, 14, info) == index);
  N("%u segments of %u pages, %u there", info[0], info[1], info[2]);
  T("shmctl SHM_STAT answers the number", SYS(shmctl, index, 13, info) == there);
  N("%u bytes", info[9]);
  T("shmctl SHM_STAT_ANY answers the number", SYS(shmctl, index, 15, info) == there);
  C(shmctl, index + 1, 13, info);
  C(shmctl, index + 1, 15, info);
  C(shmctl, -1, 13, info);
  ALONE(SYS(setuid32, 1000); C(shmctl, index, 13, info);
        T("shmctl SHM_STAT_ANY for who may not read it", SYS(shmctl, index, 15, info) == there));
  ALONE(SYS(setuid32, 1000); C(shmget, 78, 4096, 0); C(shmget, 78, 4096, 0400); i32 id = SYS(shmget, 78, 0, 0); C(shmat, id, 0, 0); C(shmctl, id, 2, ds);
        C(shmctl, id, 0, 0));
}

static void semaphores(void) {
  static u16 ops[12], values[4] = {1, 2, 3, 0};
  static i32 brief[4] = {0, 0, 1000000, 0};
  C(semget, 77, 0, 01600);
  C(semget, 77, 3, 01600);
  C(semget, 77, 4, 0);
  C(semget, 0, 40000, 0600);
  C(semctl, 0, 0, 17, values);
  C(semctl, 0, 1, 12, 0);
  C(semctl, 0, 3, 12, 0);
  /* (On the stack, whose addresses are negative numbers.) */
  u32 info[24], stat[24];
  u16 got[4] = {9, 9, 9, 9};
  C(semctl, 0, 0, 13, got);
  N("%u %u %u %u", got[0], got[1], got[2], got[3]);
  C(semctl, 0, 0, 17, got);
  C(semctl, 0, 0, 2, stat);
  N("%u semaphores", stat[13]);
  C(semctl, 0, 0, 18, stat);
  C(semctl, 0, 0, 20, stat);
  C(semctl, 1, 0, 18, stat);
  C(semctl, 1, 0, 20, stat);
  C(semctl, -1, 0, 18, stat);
  C(semctl, 0, 0, 3, info);
  for (u32 n = 0; n < 10; n++) N("%u", info[n]);
  C(semctl, 0, 0, 19, info);
  for (u32 n = 0; n < 10; n++) N("%u", info[n]);
  C(semctl, -1, 0, 3, info);
  C(semctl, 0, 0, 3, BAD);
  C(ipc, 3, 0, 0, 0x102, &(u32 *){stat}, 0);
  C(semctl, 0, 0, 16, 40000);
  C(semctl, 0, 0, 16, 5);
  C(semctl, 0, 0, 99, 0);
  ops[0] = 0, ops[1] = -2, ops[2] = 0, ops[3] = 1, ops[4] = -3, ops[5] = 04000;
  C(semtimedop_time64, 0, ops, 2, 0);
  C(semctl, 0, 0, 12, 0);
  C(semtimedop_time64, 0, ops, 1, 0);
  C(semctl, 0, 0, 12, 0);
  C(semtimedop_time64, 0, ops, 0, 0);
  C(semtimedop_time64, 0, ops, 501, 0);
  C(semtimedop_time64, 0, BAD, 1, 0);
  C(semtimedop_time64, 99, ops, 1, 0);
  ops[1] = -20;
  C(semtimedop_time64, 0, ops, 1, brief);
  ops[0] = 9;
  C(semtimedop_time64, 0, ops, 1, 0);
  ops[0] = 0, ops[1] = 32767;
  C(semtimedop_time64, 0, ops, 1, 0);
  ALONE(ops[1] = 5; ops[2] = 010000; C(semtimedop_time64, 0, ops, 1, 0); C(semctl, 0, 0, 12, 0));
  C(semctl, 0, 0, 12, 0);
  ALONE(ops[1] = -20; ops[2] = 0; i32 child = SYS(fork); if (child == 0) { pause_for(30); SYS(semctl, 0, 0, 0, 0); SYS(exit_group, 0); }
        C(semtimedop_time64, 0, ops, 1, 0); wait_for(child));
  C(semctl, 0, 0, 0, 0);
  C(ipc, 2, 78, 1, 01600, 0, 0);
  C(ipc, 99, 0, 0, 0, 0, 0);
}

static void messages(void) {
  static struct { i32 type; char text[100]; } m = {3, "hello"}, got;
  C(msgget, 77, 0);
  C(msgget, 77, 01600);
  C(msgget, 77, 03600);
  C(msgsnd, 0, &m, 5, 0);
  C(msgsnd, 0, &m, 9000, 0);
  m.type = 0;
  C(msgsnd, 0, &m, 5, 0);
  m.type = 7;
  C(msgsnd, 0, &m, 4, 0);
  C(msgsnd, 0, BAD, 4, 0);
  C(msgsnd, 99, &m, 4, 0);
  C(msgrcv, 0, &got, 100, 4, 04000);
  C(msgrcv, 0, &got, 2, 0, 04000);
  C(msgrcv, 0, &got, 2, 0, 014000);
  N("%d", got.type);
  C(msgrcv, 0, &got, 100, -9, 0);
  N("%d", got.type);
  C(msgrcv, 0, &got, 100, 0, 04000);
  C(msgrcv, 0, &got, -1, 0, 04000);
  SYS(msgsnd, 0, &m, 4, 0);
  u32 info[24];
  C(msgctl, 0, 3, info);
  for (u32 n = 0; n < 8; n++) N("%u", info[n] & (n == 7 ? 0xffff : -1u));
  C(msgctl, 0, 12, info);
  for (u32 n = 0; n < 8; n++) N("%u", info[n] & (n == 7 ? 0xffff : -1u));
  C(msgctl, 0, 11, info);
  N("%u bytes in %u messages", info[15], info[16]);
  C(msgctl, 0, 13, info);
  C(msgctl, 1, 11, info);
  C(msgctl, 1, 13, info);
  C(msgctl, -1, 3, info);
  C(msgctl, 0, 3, BAD);
  SYS(msgrcv, 0, &got, 100, 0, 0);
  C(msgctl, 0, 99, 0);
  C(msgctl, 99, 0, 0);
  ALONE(i32 child = SYS(fork); if (child == 0) { pause_for(30); SYS(msgctl, 0, 0, 0); SYS(exit_group, 0); } C(msgrcv, 0, &got, 10, 0, 0); wait_for(child));
  C(msgrcv, 0, &got, 10, 0, 0);
}

static void processes(void) {
  C(pidfd_open, 0, 0);
  C(pidfd_open, -1, 0);
  C(pidfd_open, 99999, 0);
  C(pidfd_open, 1, 1);
  i32 child = SYS(fork);
  if (child == 0) {
    SYS(pause);
    SYS(exit_group, 0);
  }
  i32 f = SYS(pidfd_open, child, 0);
  T("a descriptor of a child", f < 0);
  struct { i32 fd; u16 events, found; } p = {f, 1, 0};
  C(poll, &p, 1, 0);
  C(pidfd_send_signal, f, 0, 0, 0);
  C(pidfd_send_signal, f, 99, 0, 0);
  C(pidfd_send_signal, f, 9, 0, 99);
  C(pidfd_send_signal, 0, 9, 0, 0);
  C(pidfd_send_signal, 99, 9, 0, 0);
  C(setns, f, 0);
  C(setns, f, NEWUTS);
  C(pidfd_send_signal, f, 9, 0, 0);
  C(poll, &p, 1, 1000);
  C(waitid, 3, f, 0, 4);
  C(pidfd_send_signal, f, 9, 0, 0);
  C(waitid, 3, f, 0, 4);
}

void cases(int argc, char **argv) {
  (void)argc, (void)argv;
  capabilities();
  namespaces();
  owners();
  filters();
  /* A namespace of its own, so that no object of others is in the way. */
  SYS(unshare, NEWIPC);
  shared_memory();
  semaphores();
  messages();
  processes();
}
