/* Names: mkdir(2), rmdir(2), unlink(2), link(2), symlink(2), rename(2), readlink(2), mknod(2), getdents64(2), chdir(2), getcwd(2). */
#include "cases.h"

static char buffer[PAGE * 2];
struct entry { u64 ino, next; u16 bytes; u8 type; char name[]; };

static u32 links(const char *path) {
  u32 stat[24];
  return SYS(lstat64, path, stat) ? 0 : stat[5];
}

static void directories(void) {
  C(mkdir, "d", 0755);
  C(mkdir, "d", 0755);
  C(mkdir, "d/", 0755);
  C(mkdir, "d/e/", 0755);
  C(mkdir, "d/f/g", 0755);
  C(mkdir, "", 0755);
  C(mkdir, BAD, 0755);
  C(mkdir, ".", 0755);
  C(mkdir, "..", 0755);
  C(mkdir, "/", 0755);
  C(mkdirat, -1, "x", 0755);
  i32 d = SYS(open, "d", 0);
  C(mkdirat, d, "h", 0755);
  put_file("a", "a");
  C(mkdir, "a/b", 0755);
  C(mkdir, "a", 0755);
  C(mkdirat, SYS(open, "a", 0), "x", 0755);
  N("links %u", links("d"));
  C(rmdir, "d");
  C(rmdir, "a");
  C(rmdir, "none");
  C(rmdir, "d/e/.");
  C(rmdir, "d/e/..");
  C(rmdir, "/");
  C(rmdir, "d/e/");
  C(rmdir, "");
  C(rmdir, BAD);
  C(unlink, "d");
  C(unlink, "d/");
  C(unlink, "a/");
  C(unlink, "none");
  C(unlink, ".");
  C(unlink, "..");
  C(unlink, "");
  C(unlink, BAD);
  C(unlinkat, AT_FDCWD, "d/h", 0x200);
  C(unlinkat, AT_FDCWD, "a", 0x200);
  C(unlinkat, AT_FDCWD, "a", 0x100);
  C(unlinkat, -1, "a", 0);
  C(unlinkat, d, "../a", 0);
  C(mkdir, "gone", 0755);
  i32 gone = SYS(open, "gone", 0);
  C(rmdir, "gone");
  C(mkdirat, gone, "x", 0755);
  C(openat, gone, "x", 0101, 0644);
  C(openat, gone, ".", 0);
  C(openat, gone, "..", 0);
  C(getdents64, gone, buffer, 1000);
  C(close_range, 3, -1, 0);
  static char name[300];
  memset(name, 'x', 256);
  C(mkdir, name, 0755);
  C(rmdir, name);
  C(unlink, name);
}

static void linking(void) {
  put_file("a", "a");
  C(link, "a", "b");
  N("links %u", links("a"));
  C(link, "a", "b");
  C(link, "none", "c");
  C(link, "d", "c");
  C(link, "a", "none/c");
  C(link, "a", "");
  C(link, "", "c");
  C(link, BAD, "c");
  C(link, "a", BAD);
  C(link, "a/", "c");
  C(link, "a", "c/");
  C(symlink, "a", "s");
  C(link, "s", "hard-s");
  N("links %u", links("s"));
  C(linkat, AT_FDCWD, "s", AT_FDCWD, "hard-a", 0x400);
  N("links %u", links("a"));
  C(linkat, AT_FDCWD, "a", AT_FDCWD, "x", 1);
  C(linkat, -1, "a", AT_FDCWD, "x", 0);
  C(linkat, AT_FDCWD, "a", -1, "x", 0);
  i32 f = SYS(open, "a", 0);
  C(linkat, f, "", AT_FDCWD, "by-descriptor", 0x1000);
  C(linkat, f, "", AT_FDCWD, "by-descriptor-2", 0);
  N("links %u", links("a"));
  i32 t = SYS(open, ".", 020200002, 0600);
  C(linkat, t, "", AT_FDCWD, "from-nowhere", 0x1000);
  N("links %u", links("from-nowhere"));
  t = SYS(open, ".", 020200202, 0600);
  C(linkat, t, "", AT_FDCWD, "from-nowhere-2", 0x1000);
  put_file("deleted", "x");
  i32 deleted = SYS(open, "deleted", 0);
  SYS(unlink, "deleted");
  C(linkat, deleted, "", AT_FDCWD, "again", 0x1000);
  C(symlink, "anything at all", "s2");
  C(symlink, "a", "s2");
  C(symlink, "", "s3");
  C(symlink, "a", "");
  C(symlink, "a", "none/s");
  C(symlink, BAD, "s3");
  C(symlink, "a", BAD);
  C(symlink, "a", "s3/");
  static char target[5000];
  memset(target, 't', 4999);
  target[4095] = 0;
  C(symlink, target, "long");
  C(readlink, "long", buffer, PAGE);
  target[4095] = 't', target[4096] = 0;
  C(symlink, target, "longer");
  C(symlinkat, "a", -1, "s4");
  C(readlink, "s2", buffer, 100);
  N("%q", buffer, 15);
  C(readlink, "s2", buffer, 8);
  C(readlink, "s2", buffer, 0);
  C(readlink, "s2", buffer, -1);
  C(readlink, "s2", BAD, 8);
  C(readlink, "a", buffer, 8);
  C(readlink, "d", buffer, 8);
  C(readlink, "none", buffer, 8);
  C(readlink, "", buffer, 8);
  C(readlink, "s2/", buffer, 8);
  C(readlink, "s/x", buffer, 8);
  C(readlinkat, -1, "s", buffer, 8);
  C(readlinkat, f, "", buffer, 8);
  i32 link = SYS(open, "s", 010400000);
  C(readlinkat, link, "", buffer, 8);
  C(readlinkat, AT_FDCWD, "", buffer, 8);
  C(close_range, 3, -1, 0);
  /* Links that lead to links. */
  char from[] = "chain-0", to[] = "chain-1";
  SYS(symlink, "a", "chain-0");
  for (char n = '1'; n < '1' + 40; n++) {
    from[6] = n - 1, to[6] = n;
    SYS(symlink, from, to);
  }
  to[6] = '0' + 39;
  T("open through 40 links", SYS(open, to, 0) < 0 ? SYS(open, to, 0) : 0);
  to[6] = '0' + 40;
  T("open through 41 links", SYS(open, to, 0));
  C(close_range, 3, -1, 0);
}

static void renaming(void) {
  put_file("a", "a");
  put_file("b", "b");
  SYS(mkdir, "d", 0755);
  SYS(mkdir, "d/sub", 0755);
  SYS(mkdir, "empty", 0755);
  SYS(mkdir, "full", 0755);
  put_file("full/x", "x");
  C(rename, "a", "a");
  C(rename, "none", "c");
  C(rename, "a", "none/c");
  C(rename, "a", "d");
  C(rename, "d", "a");
  C(rename, "d", "full");
  C(rename, "d", "d/sub/x");
  C(rename, "d/sub", "d");
  C(rename, "d", ".");
  C(rename, ".", "x");
  C(rename, "..", "x");
  C(rename, "a", "");
  C(rename, "", "a");
  C(rename, BAD, "a");
  C(rename, "a", BAD);
  C(rename, "a/", "c");
  C(rename, "a", "c/");
  C(rename, "empty", "empty-2/");
  C(rename, "a", "b/c");
  C(rename, "full", "empty-2");
  C(access, "empty-2/x", 0);
  C(rename, "empty-2", "full");
  C(rename, "a", "full/x");
  C(access, "a", 0);
  SYS(link, "b", "b2");
  C(rename, "b", "b2");
  C(access, "b", 0);
  C(renameat, -1, "b", AT_FDCWD, "c");
  C(renameat, AT_FDCWD, "b", -1, "c");
  put_file("c", "c");
  C(renameat2, AT_FDCWD, "b", AT_FDCWD, "c", 1);
  C(renameat2, AT_FDCWD, "b", AT_FDCWD, "new", 1);
  C(renameat2, AT_FDCWD, "new", AT_FDCWD, "c", 2);
  C(renameat2, AT_FDCWD, "new", AT_FDCWD, "none", 2);
  C(renameat2, AT_FDCWD, "new", AT_FDCWD, "d", 2);
  C(open, "new/sub", 0);
  C(renameat2, AT_FDCWD, "new", AT_FDCWD, "d", 3);
  C(renameat2, AT_FDCWD, "new", AT_FDCWD, "d", 8);
  C(renameat2, AT_FDCWD, "new", AT_FDCWD, "new/sub/x", 2);
  C(renameat2, AT_FDCWD, "c", AT_FDCWD, "c-moved", 4);
  u32 stat[24];
  C(lstat64, "c", stat);
  N("mode %o, device %u", stat[4], stat[8]);
  C(close_range, 3, -1, 0);
}

static u32 listed(i32 d, u32 bytes, int names) {
  u32 all = 0;
  for (;;) {
    i32 got = SYS(getdents64, d, buffer, bytes);
    if (got < 0) return got;
    if (got == 0) return all;
    for (i32 at = 0; at < got; all++) {
      struct entry *entry = (void *)(buffer + at);
      if (names && entry->name[0] != '.') N("%s type %u bytes %u", entry->name, entry->type, entry->bytes);
      at += entry->bytes;
    }
  }
}
static void listing(void) {
  SYS(mkdir, "list", 0755);
  i32 d = SYS(open, "list", 0), place;
  C(getdents64, d, buffer, 1000);
  N("%q type %u, %q type %u", buffer + 19, 1, buffer[18], buffer + 24 + 19, 2, buffer[24 + 18]);
  C(getdents64, d, buffer, 1000);
  C(getdents64, d, BAD, 1000);
  C(lseek, d, 0, 0);
  C(getdents64, d, BAD, 1000);
  C(getdents64, d, buffer, 0);
  C(getdents64, d, buffer, 23);
  C(getdents64, d, buffer, 24);
  C(getdents64, d, buffer, 24);
  C(getdents64, 99, buffer, 24);
  C(lseek, d, 0, 0);
  SYS(mkdir, "list/directory", 0755);
  T("getdents64 of a name", listed(d, 1000, 1));
  SYS(rmdir, "list/directory");
  SYS(symlink, "x", "list/link");
  SYS(lseek, d, 0, 0);
  T("getdents64 of a link", listed(d, 1000, 1));
  SYS(unlink, "list/link");
  SYS(mknod, "list/fifo", 010644, 0);
  SYS(lseek, d, 0, 0);
  T("getdents64 of a FIFO", listed(d, 1000, 1));
  SYS(unlink, "list/fifo");
  SYS(mknod, "list/null", 020644, 0x103);
  SYS(lseek, d, 0, 0);
  T("getdents64 of a device", listed(d, 1000, 1));
  SYS(unlink, "list/null");
  char name[] = "list/f000";
  for (u32 n = 0; n < 200; n++) {
    name[6] = '0' + n / 100, name[7] = '0' + n / 10 % 10, name[8] = '0' + n % 10;
    put_file(name, "");
  }
  SYS(lseek, d, 0, 0);
  T("getdents64 of 200 names, 64 bytes at once", listed(d, 64, 0));
  SYS(lseek, d, 0, 0);
  T("getdents64 of 200 names, a page at once", listed(d, PAGE, 0));
  /* Where the third entry says that the fourth begins. */
  SYS(lseek, d, 0, 0);
  SYS(getdents64, d, buffer, PAGE);
  struct entry *third = (void *)(buffer + 48), *fourth = (void *)(buffer + 48 + third->bytes);
  char expected[16];
  memcpy(expected, fourth->name, 5);
  place = SYS(lseek, d, third->next, 0);
  T("lseek to an entry", place == (i32)third->next);
  SYS(getdents64, d, buffer, 100);
  T("getdents64 from there", same(((struct entry *)buffer)->name, expected, 5));
  /* Names that are removed while they are read. */
  SYS(lseek, d, 0, 0);
  u32 seen = 0;
  for (i32 got; (got = SYS(getdents64, d, buffer, 256)) > 0;)
    for (i32 at = 0; at < got;) {
      struct entry *entry = (void *)(buffer + at);
      char path[] = "list/____";
      if (entry->name[0] == 'f') {
        memcpy(path + 5, entry->name, 4);
        seen += SYS(unlink, path) == 0;
      }
      at += entry->bytes;
    }
  T("unlink of all that getdents64 shows", seen);
  C(rmdir, "list");
  C(lseek, d, 0, 0);
  C(getdents64, d, buffer, 1000);
  i32 f = SYS(open, "b2", 0), p[2];
  SYS(pipe2, p, 0);
  C(getdents64, f, buffer, 1000);
  C(getdents64, p[0], buffer, 1000);
  C(lseek, d, -1, 0);
  C(close_range, 3, -1, 0);
}

static void working(void) {
  SYS(mkdir, "w", 0755);
  i32 top = SYS(open, ".", 0);
  C(chdir, "w");
  P(getcwd, buffer, 1000);
  i32 length = length_of(buffer);
  N("%q", buffer + length - 2, 2);
  C(getcwd, buffer, 1);
  T("getcwd with a byte too few", SYS(getcwd, buffer, length));
  T("getcwd with as many as it takes", SYS(getcwd, buffer, length + 1) == length + 1);
  C(getcwd, buffer, 0);
  C(getcwd, BAD, 1000);
  C(chdir, "none");
  C(chdir, "");
  C(chdir, BAD);
  C(chdir, "../b2");
  C(rmdir, "../w");
  C(getcwd, buffer, 1000);
  C(open, "x", 0101, 0644);
  C(open, ".", 0);
  C(access, "..", 0);
  C(chdir, ".");
  C(fchdir, top);
  C(fchdir, 99);
  u32 pipes[2];
  SYS(pipe, pipes);
  C(fchdir, pipes[0]);
  SYS(close, pipes[0]), SYS(close, pipes[1]);
  C(fchdir, SYS(open, "b2", 0));
  C(fchdir, SYS(open, ".", 010000000));
  C(access, "b2", 0);
  SYS(mkdir, "root", 0755);
  SYS(mkdir, "root/in", 0755);
  ALONE(C(chroot, "none"); C(chroot, "b2"); C(chroot, BAD); C(chroot, "root"); C(access, "/in", 0); P(getcwd, buffer, 1000);
        N("%q", buffer, 13); C(chdir, "/"); C(getcwd, buffer, 1000); C(access, "../../..", 0); C(access, "../b2", 0);
        C(chdir, "in"); C(getcwd, buffer, 1000); SYS(setuid32, 1000); C(chroot, "/"));
  C(close_range, 3, -1, 0);
}

static void nodes(void) {
  u32 stat[24];
  C(mknod, "node-file", 0100644, 0);
  C(mknod, "node-plain", 0644, 0);
  C(mknod, "node-fifo", 010644, 0);
  C(mknod, "node-fifo", 010644, 0);
  C(mknod, "node-socket", 0140644, 0);
  C(mknod, "node-char", 020600, 0x103);
  C(mknod, "node-block", 060600, 0x12345678);
  C(mknod, "node-directory", 040644, 0);
  C(mknod, "node-link", 0120644, 0);
  C(mknod, "node-odd", 0170644, 0);
  C(mknod, "", 0644, 0);
  C(mknod, "none/x", 0644, 0);
  C(mknod, BAD, 0644, 0);
  C(mknodat, -1, "x", 0644, 0);
  C(lstat64, "node-file", stat);
  N("mode %o", stat[4]);
  C(lstat64, "node-plain", stat);
  N("mode %o", stat[4]);
  C(lstat64, "node-fifo", stat);
  N("mode %o", stat[4]);
  C(lstat64, "node-socket", stat);
  N("mode %o", stat[4]);
  C(lstat64, "node-char", stat);
  N("mode %o device %x", stat[4], stat[8]);
  C(lstat64, "node-block", stat);
  N("mode %o device %x", stat[4], stat[8]);
  C(open, "node-socket", 2);
  C(open, "node-socket", 0);
  C(open, "node-char", 2);
  C(write, 3, "x", 1);
  C(read, 3, buffer, 1);
  C(lseek, 3, 5, 0);
  C(open, "/dev/zero", 2);
  C(read, 4, buffer, 9);
  N("%q", buffer, 3);
  C(write, 4, buffer, 9);
  C(write, 4, BAD, 9);
  C(read, 4, BAD, 9);
  C(pread64, 4, buffer, 9, 5, 0);
  C(open, "/dev/full", 2);
  C(write, 5, buffer, 1);
  C(read, 5, buffer, 1);
  C(ftruncate, 5, 0);
  C(fsync, 5);
  C(ioctl, 5, 0x5401, buffer);
  ALONE(SYS(setuid32, 1000); SYS(chmod, ".", 0777); C(mknod, "user-char", 020600, 0x103); C(mknod, "user-fifo", 010600, 0);
        C(open, "node-char", 0));
  C(chmod, ".", 0777);
  ALONE(SYS(setuid32, 1000); C(mknod, "user-char", 020600, 0x103); C(mknod, "user-fifo", 010600, 0); C(open, "node-char", 0));
  C(close_range, 3, -1, 0);
}

void cases(int argc, char **argv) {
  (void)argc, (void)argv;
  directories();
  linking();
  renaming();
  listing();
  working();
  nodes();
}
