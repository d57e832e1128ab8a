/* Attributes of files: stat(2), statx(2), chmod(2), chown(2), utimensat(2), access(2), statfs(2), and who may. */
#include "cases.h"

static u32 s[24];
static u8 wide[256];
static u32 words[64];

#define SHOW() N("mode %o links %u owner %u:%u size %u", s[4], s[5], s[6], s[7], s[11])

static void looking(void) {
  put_file("a", "12345");
  SYS(symlink, "a", "to-a");
  SYS(mkdir, "d", 0750);
  C(stat64, "a", s);
  SHOW();
  N("device of itself %u, block %u, blocks %u", s[8], s[13], s[14]);
  N("inode %s", s[3] == s[22] ? "twice the same" : "different");
  C(lstat64, "to-a", s);
  SHOW();
  C(stat64, "to-a", s);
  SHOW();
  C(stat64, "d", s);
  N("mode %o links %u", s[4], s[5]);
  C(stat64, "none", s);
  C(stat64, "", s);
  C(stat64, BAD, s);
  C(stat64, "a", BAD);
  C(stat64, "a/", s);
  C(lstat64, "to-a/", s);
  C(fstat64, 99, s);
  i32 f = SYS(open, "a", 2), d = SYS(open, "d", 0), p[2];
  SYS(pipe2, p, 0);
  C(fstat64, f, s);
  SHOW();
  C(fstat64, f, BAD);
  C(fstat64, p[0], s);
  N("mode %o links %u size %u", s[4], s[5], s[11]);
  C(fstat64, 1, s);
  C(fstatat64, AT_FDCWD, "to-a", s, 0x100);
  SHOW();
  C(fstatat64, f, "", s, 0x1000);
  SHOW();
  C(fstatat64, f, "", s, 0);
  C(fstatat64, f, "x", s, 0);
  C(fstatat64, -1, "a", s, 0);
  C(fstatat64, AT_FDCWD, "", s, 0x1000);
  N("mode %o", s[4]);
  C(fstatat64, AT_FDCWD, "a", s, 0x800);
  C(fstatat64, AT_FDCWD, "a", s, 1);
  C(fstatat64, d, "../a", s, 0);
  C(fstatat64, AT_FDCWD, BAD, s, 0x1000);
  C(fstatat64, f, 0, s, 0x1000);
  C(fstatat64, f, 0, s, 0);
  C(unlink, "a");
  C(fstat64, f, s);
  SHOW();
  /* statx. */
  put_file("a", "12345");
  u32 *x = (void *)wide;
  C(statx, AT_FDCWD, "a", 0, 0x7ff, wide);
  N("mask %x block %u attributes %x links %u owner %u:%u mode %o size %u blocks %u", x[0] & 0xfff, x[1], x[2] & ~0x200000, x[4],
    x[5], x[6], *(u16 *)(wide + 28), x[10], x[12]);
  C(statx, AT_FDCWD, "a", 0, 0xfff, wide);
  N("mask %x", x[0] & 0xfff);
  C(statx, AT_FDCWD, "a", 0, 0, wide);
  N("mask %x", x[0] & 0xf3f);
  C(statx, AT_FDCWD, "a", 0, 0x80000000, wide);
  C(statx, AT_FDCWD, "a", 0x6000, 0x7ff, wide);
  C(statx, AT_FDCWD, "a", 0x2000, 0x7ff, wide);
  C(statx, AT_FDCWD, "a", 0x4000, 0x7ff, wide);
  C(statx, AT_FDCWD, "a", 1, 0x7ff, wide);
  C(statx, AT_FDCWD, "none", 0, 0x7ff, wide);
  C(statx, AT_FDCWD, "", 0, 0x7ff, wide);
  C(statx, AT_FDCWD, BAD, 0, 0x7ff, wide);
  C(statx, AT_FDCWD, "a", 0, 0x7ff, BAD);
  C(statx, -1, "a", 0, 0x7ff, wide);
  C(statx, 99, "", 0x1000, 0x7ff, wide);
  C(statx, f, "", 0x1000, 0x7ff, wide);
  N("mask %x links %u", x[0] & 0x7ff, x[4]);
  C(statx, f, 0, 0x1000, 0x7ff, wide);
  C(statx, AT_FDCWD, "to-a", 0x100, 0x7ff, wide);
  N("mode %o size %u", *(u16 *)(wide + 28), x[10]);
  C(statx, p[0], "", 0x1000, 0x7ff, wide);
  N("mode %o mask %x", *(u16 *)(wide + 28), x[0] & 0xfff);
  C(statx, AT_FDCWD, "/dev/null", 0, 0x7ff, wide);
  N("device %u:%u", x[32], x[33]);
  C(close_range, 3, -1, 0);
}

static void changing(void) {
  put_file("c", "1");
  SYS(symlink, "c", "to-c");
  C(chmod, "c", 0600);
  C(chmod, "c", 07777);
  C(stat64, "c", s);
  N("mode %o", s[4]);
  C(chmod, "to-c", 0177777);
  C(stat64, "c", s);
  N("mode %o", s[4]);
  C(chmod, "none", 0600);
  C(chmod, "", 0600);
  C(chmod, BAD, 0600);
  i32 f = SYS(open, "c", 2), p[2];
  SYS(pipe2, p, 0);
  C(fchmod, f, 0640);
  C(fchmod, p[0], 0640);
  C(fchmod, 99, 0640);
  C(fchmodat, -1, "c", 0640);
  C(fchmodat, AT_FDCWD, "c", 0644);
  C(chown32, "c", 1000, 1001);
  C(stat64, "c", s);
  SHOW();
  C(chown32, "c", -1, -1);
  C(chown32, "c", -1, 7);
  C(chown32, "none", 0, 0);
  C(chown32, BAD, 0, 0);
  C(lchown32, "to-c", 3, 4);
  C(lstat64, "to-c", s);
  N("owner %u:%u", s[6], s[7]);
  C(stat64, "c", s);
  N("owner %u:%u", s[6], s[7]);
  C(fchown32, f, 8, 9);
  C(fchown32, p[0], 8, 9);
  C(fstat64, p[1], s);
  N("owner %u:%u", s[6], s[7]);
  C(fchown32, 99, 8, 9);
  C(fchownat, AT_FDCWD, "to-c", 1, 2, 0x100);
  C(fchownat, AT_FDCWD, "to-c", 1, 2, 1);
  C(fchownat, f, "", 5, 6, 0x1000);
  C(fchownat, f, "", 5, 6, 0);
  C(fchownat, -1, "c", 5, 6, 0);
  /* Set-id bits go with a new owner, and with what is written. */
  SYS(chmod, "c", 06777);
  C(chown32, "c", 10, 10);
  SYS(stat64, "c", s);
  N("mode %o", s[4]);
  SYS(chmod, "c", 02767);
  C(chown32, "c", 11, 11);
  SYS(stat64, "c", s);
  N("mode %o", s[4]);
  SYS(chmod, "c", 06777);
  C(write, f, "x", 1);
  SYS(stat64, "c", s);
  N("mode %o", s[4]);
  SYS(chown32, "c", 1000, 1000);
  SYS(chmod, "c", 06777);
  ALONE(SYS(setgid32, 1000); SYS(setuid32, 1000); i32 g = SYS(open, "c", 2); C(write, g, "x", 1); SYS(fstat64, g, s);
        N("mode %o", s[4]); C(chmod, "c", 06777); C(truncate, "c", 0); SYS(fstat64, g, s); N("mode %o", s[4]);
        C(chown32, "c", 1000, 1000); C(chown32, "c", 1001, -1); C(chown32, "c", -1, 1001); C(chown32, "c", -1, 1000));
  SYS(mkdir, "g", 02777);
  SYS(chmod, "g", 02777);
  SYS(chown32, "g", 0, 555);
  ALONE(SYS(setgid32, 1000); SYS(setuid32, 1000); put_file("g/f", ""); SYS(stat64, "g/f", s); N("group %u", s[7]);
        SYS(mkdir, "g/d", 0755); SYS(stat64, "g/d", s); N("group %u mode %o", s[7], s[4]); C(chmod, "g/f", 02755);
        SYS(stat64, "g/f", s); N("mode %o", s[4]));
  C(close_range, 3, -1, 0);
}

static void times(void) {
  put_file("t", "1");
  SYS(symlink, "t", "to-t");
  u32 when[4] = {1000, 1, 2000, 2};
  u64 wide_when[4] = {5000000000ull, 5, 6000000000ull, 6};
  i32 f = SYS(open, "t", 0);
  C(utimensat, AT_FDCWD, "t", when, 0);
  SYS(stat64, "t", s);
  N("%u.%u %u.%u", s[16], s[17], s[18], s[19]);
  when[1] = 0x3ffffffe;
  C(utimensat, AT_FDCWD, "t", when, 0);
  SYS(stat64, "t", s);
  N("%u.%u %u.%u", s[16], s[17], s[18], s[19]);
  when[1] = 0x3fffffff;
  C(utimensat, AT_FDCWD, "t", when, 0);
  SYS(stat64, "t", s);
  N("access %s, %u.%u", s[16] > 1600000000 ? "now" : "then", s[18], s[19]);
  when[1] = 1000000000;
  C(utimensat, AT_FDCWD, "t", when, 0);
  when[1] = -1;
  C(utimensat, AT_FDCWD, "t", when, 0);
  when[1] = 0x3ffffffe, when[3] = 0x3ffffffe;
  C(utimensat, AT_FDCWD, "none", when, 0);
  C(utimensat, AT_FDCWD, "t", when, 0);
  when[1] = 1, when[3] = 1;
  C(utimensat, AT_FDCWD, "none", when, 0);
  C(utimensat, AT_FDCWD, "", when, 0);
  C(utimensat, AT_FDCWD, BAD, when, 0);
  C(utimensat, AT_FDCWD, "t", BAD, 0);
  C(utimensat, AT_FDCWD, 0, when, 0);
  C(utimensat, f, 0, when, 0);
  C(utimensat, f, "", when, 0);
  C(utimensat, f, "", when, 0x1000);
  C(utimensat, f, 0, when, 0x100);
  C(utimensat, 99, 0, when, 0);
  C(utimensat, AT_FDCWD, "t", when, 1);
  C(utimensat, AT_FDCWD, "t", 0, 0);
  SYS(stat64, "t", s);
  N("%s", s[16] > 1600000000 && s[18] > 1600000000 ? "now" : "then");
  C(utimensat, AT_FDCWD, "to-t", when, 0x100);
  SYS(lstat64, "to-t", s);
  N("%u %u", s[16], s[18]);
  C(utimensat_time64, AT_FDCWD, "t", wide_when, 0);
  u32 *x = (void *)wide;
  SYS(statx, AT_FDCWD, "t", 0, 0x7ff, wide);
  N("%U.%u %U.%u", *(u64 *)(x + 16), x[18], *(u64 *)(x + 28), x[30]);
  when[0] = -5;
  C(utimensat, AT_FDCWD, "t", when, 0);
  SYS(statx, AT_FDCWD, "t", 0, 0x7ff, wide);
  N("%D", *(i64 *)(x + 16));
  ALONE(SYS(setuid32, 1000); C(utimensat, AT_FDCWD, "t", when, 0); C(utimensat, AT_FDCWD, "t", 0, 0); SYS(chdir, "/");
        C(utimensat, f, 0, 0, 0));
  SYS(chmod, "t", 0666);
  ALONE(SYS(setuid32, 1000); C(utimensat, AT_FDCWD, "t", when, 0); C(utimensat, AT_FDCWD, "t", 0, 0));
  C(close_range, 3, -1, 0);
}

static void access_by(u32 uid, u32 gid) {
  static const char *const paths[] = {"p600", "p060", "p006", "p555", "d700/x", "d711/x", "d744/x", "d1777/theirs"};
  ALONE(SYS(setgid32, gid); SYS(setuid32, uid); for (u32 n = 0; n < COUNT(paths); n++) {
    note("access(\"%s\") as %u:%u, 4 2 1 = %e %e %e", paths[n], uid, gid, SYS(access, paths[n], 4), SYS(access, paths[n], 2),
         SYS(access, paths[n], 1));
    note("open(\"%s\") as %u:%u, 0 1 = %e %e", paths[n], uid, gid, SYS(open, paths[n], 0) < 0 ? SYS(open, paths[n], 0) : 0,
         SYS(open, paths[n], 1) < 0 ? SYS(open, paths[n], 1) : 0);
    note("stat64(\"%s\") as %u:%u = %e", paths[n], uid, gid, SYS(stat64, paths[n], s));
  });
}
static void rights(void) {
  SYS(chmod, ".", 0755);
  put_file("p600", "");
  put_file("p060", "");
  put_file("p006", "");
  put_file("p555", "");
  SYS(mkdir, "d700", 0700), SYS(mkdir, "d711", 0711), SYS(mkdir, "d744", 0744), SYS(mkdir, "d1777", 0);
  put_file("d700/x", "");
  put_file("d711/x", "");
  put_file("d744/x", "");
  put_file("d1777/theirs", "");
  SYS(chmod, "p600", 0600), SYS(chmod, "p060", 0060), SYS(chmod, "p006", 0006), SYS(chmod, "p555", 0555);
  SYS(chmod, "d1777", 01777);
  SYS(chown32, "p600", 1000, 100), SYS(chown32, "p060", 1000, 100), SYS(chown32, "p006", 1000, 100);
  access_by(0, 0);
  access_by(1000, 100);
  access_by(1001, 100);
  access_by(1001, 101);
  ALONE(SYS(setuid32, 1000); C(unlink, "d1777/theirs"); C(rename, "d1777/theirs", "d1777/x"); put_file("d1777/mine", "");
        C(unlink, "d1777/mine"); C(mkdir, "x", 0755); C(unlink, "p600"); C(rmdir, "d700"); C(symlink, "a", "x");
        C(link, "p600", "d1777/l"); C(chmod, "p555", 0777); C(chmod, "p600", 0700); C(mkdir, "d744/x", 0755);
        C(open, "d744", 0); C(open, "d744/none", 0); C(chdir, "d744"); C(chdir, "d711"); C(truncate, "../p555", 0));
  C(access, "none", 0);
  C(access, "p600", 8);
  C(access, "p600", -1);
  C(access, "p600/x", 0);
  C(access, "", 0);
  C(access, BAD, 0);
  C(faccessat, -1, "p600", 0);
  C(faccessat2, AT_FDCWD, "p600", 4, 0x200);
  C(faccessat2, AT_FDCWD, "p600", 4, 0x100);
  C(faccessat2, AT_FDCWD, "p600", 4, 0x1000);
  C(faccessat2, AT_FDCWD, "p600", 4, 1);
  i32 f = SYS(open, "p600", 0);
  C(faccessat2, f, "", 4, 0x1000);
  C(faccessat2, f, "", 4, 0);
  ALONE(SYS(setresuid32, 1000, 0, 0); C(access, "p060", 4); C(faccessat2, AT_FDCWD, "p060", 4, 0x200));
  ALONE(SYS(setresuid32, 0, 1000, 0); C(access, "p060", 4); C(faccessat2, AT_FDCWD, "p060", 4, 0x200));
  C(close_range, 3, -1, 0);
}

static void systems(void) {
  C(statfs64, ".", 84, words);
  N("type %x block %u name %u", words[0], words[1], words[14]);
  C(statfs64, ".", 80, words);
  C(statfs64, ".", 84, BAD);
  C(statfs64, "none", 84, words);
  C(statfs64, BAD, 84, words);
  i32 d = SYS(open, ".", 0), p[2];
  SYS(pipe2, p, 0);
  C(fstatfs64, d, 84, words);
  N("type %x", words[0]);
  C(fstatfs64, 99, 84, words);
  C(fstatfs64, d, 0, words);
  C(fstatfs64, p[0], 84, words);
  N("type %x", words[0]);
  C(statfs64, "/proc", 84, words);
  N("type %x", words[0]);
  C(close_range, 3, -1, 0);
}

void cases(int argc, char **argv) {
  (void)argc, (void)argv;
  looking();
  changing();
  times();
  rights();
  systems();
}
