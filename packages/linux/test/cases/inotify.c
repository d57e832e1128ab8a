/* Events of files: inotify(7). */
#include "cases.h"

static u8 buffer[PAGE];
static i32 first_watch;
static void events(i32 n, const char *what) {
  i32 got = SYS(read, n, buffer, sizeof buffer);
  note("read of the events of %s = %e", what, got);
  for (i32 at = 0; at < got;) {
    u32 *event = (void *)(buffer + at);
    N("watch %d mask %x %s length %u %s", event[0], event[1], event[2] ? "cookie" : "", event[3], event[3] ? (char *)(event + 4) : "");
    at += 16 + event[3];
  }
}

void cases(int argc, char **argv) {
  (void)argc, (void)argv, (void)first_watch;
  SYS(mkdir, "d", 0755);
  put_file("f", "x");
  C(inotify_init);
  i32 n = C(inotify_init1, 04000);
  C(inotify_init1, 02000000);
  C(inotify_init1, 1);
  C(inotify_add_watch, n, "d", 0xfff);
  C(inotify_add_watch, n, "f", 0xfff);
  C(inotify_add_watch, n, "none", 0xfff);
  C(inotify_add_watch, n, "", 0xfff);
  C(inotify_add_watch, n, BAD, 0xfff);
  C(inotify_add_watch, n, "d", 0);
  C(inotify_add_watch, n, "f", 0x1000000 | 0xfff);
  C(inotify_add_watch, n, "d", 0x10000000 | 0xfff);
  C(inotify_add_watch, n, "d", 0x30000000 | 0xfff);
  C(inotify_add_watch, 0, "d", 0xfff);
  C(inotify_add_watch, 99, "d", 0xfff);
  C(inotify_rm_watch, n, 99);
  C(inotify_rm_watch, 0, 1);
  C(inotify_rm_watch, 99, 1);
  C(read, n, buffer, PAGE);
  i32 f = SYS(open, "d/a", 0102, 0644);
  events(n, "creating");
  SYS(write, f, "xyz", 3);
  SYS(pread64, f, buffer, 1, 0, 0);
  events(n, "writing and reading");
  SYS(ftruncate, f, 1);
  events(n, "truncating");
  SYS(close, f);
  events(n, "closing");
  SYS(close, SYS(open, "d/a", 0));
  events(n, "opening to read");
  SYS(chmod, "d/a", 0600);
  events(n, "chmod");
  SYS(link, "d/a", "d/b");
  events(n, "link");
  SYS(rename, "d/a", "d/c");
  events(n, "rename");
  u32 *event = (void *)buffer, cookie = event[2];
  T("read: both have the same cookie", cookie != 0 && *(u32 *)(buffer + 32 + 8) == cookie);
  SYS(rename, "d/c", "out");
  events(n, "rename out of the directory");
  SYS(unlink, "d/b");
  events(n, "unlink");
  SYS(mkdir, "d/sub", 0755);
  events(n, "mkdir");
  SYS(rmdir, "d/sub");
  events(n, "rmdir");
  SYS(symlink, "x", "d/s");
  SYS(unlink, "d/s");
  events(n, "symlink and unlink");
  put_file("f", "new");
  events(n, "a file of its own");
  SYS(rename, "f", "g");
  events(n, "its rename");
  SYS(unlink, "g");
  events(n, "its unlink");
  C(inotify_add_watch, n, "d", 0x100);
  put_file("d/x", "1");
  events(n, "creations alone");
  C(inotify_add_watch, n, "d", 0x200 | 0x20000000);
  SYS(unlink, "d/x");
  put_file("d/x", "1");
  SYS(unlink, "d/x");
  events(n, "creations and deletions");
  C(inotify_add_watch, n, "d", 0x80000000 | 0x100);
  put_file("d/x", "1");
  put_file("d/y", "1");
  events(n, "one alone");
  i32 w = SYS(inotify_add_watch, n, "d", 0xfff);
  T("inotify_rm_watch", SYS(inotify_rm_watch, n, w));
  T("inotify_rm_watch again", SYS(inotify_rm_watch, n, w));
  events(n, "a watch that is removed");
  SYS(inotify_add_watch, n, "d", 0xfff);
  put_file("d/x", "1");
  i32 ready;
  C(ioctl, n, 0x541b, &ready);
  N("%d", ready);
  C(read, n, buffer, 16);
  C(read, n, buffer, 33);
  C(read, n, BAD, 100);
  C(write, n, buffer, 1);
  C(lseek, n, 0, 0);
  struct { i32 fd; u16 wanted, found; } poll = {n, 5, 0};
  C(poll, &poll, 1, 0);
  N("%x", poll.found);
  events(n, "what is left");
  C(poll, &poll, 1, 0);
  /* Equal events that follow each other are one. */
  f = SYS(open, "d/x", 1);
  SYS(write, f, "1", 1), SYS(write, f, "2", 1), SYS(write, f, "3", 1);
  events(n, "three writes");
  SYS(close, f);
  SYS(unlink, "d/x"), SYS(unlink, "d/y"), SYS(rmdir, "d");
  events(n, "all removed");
  SYS(mkdir, "d", 0755);
  i32 blocking = SYS(inotify_init1, 0);
  SYS(inotify_add_watch, blocking, "d", 0x100);
  i32 child = CHILD(pause_for(10); put_file("d/later", "1"));
  events(blocking, "a child");
  wait_for(child);
}
