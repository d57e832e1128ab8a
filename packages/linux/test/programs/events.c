/* Files that are none: signalfd, inotify, memfd_create; copies between files; pipes by their names. It prints the same on every
   kernel. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char bytes[4096];

static void signals(void) {
  sigset_t set;
  struct signalfd_siginfo info[2];
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, 0);
  int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  ssize_t none = read(fd, info, sizeof info);
  printf("signalfd: %zd %s\n", none, strerror(errno));
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  printf("poll: %d\n", poll(&wait, 1, 0));
  raise(SIGUSR1);
  printf("poll: %d %d\n", poll(&wait, 1, 0), wait.revents);
  ssize_t got = read(fd, info, sizeof info);
  printf("read: %zd, signal %u, code %d, by itself %d\n", got, info->ssi_signo, info->ssi_code, info->ssi_pid == getpid());
  int ep = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = 9};
  epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
  pid_t child = fork();
  if (child == 0) _exit(5);
  event.data.u32 = 0;
  printf("epoll: %d %u\n", epoll_wait(ep, &event, 1, 5000), event.data.u32);
  got = read(fd, info, sizeof info);
  printf("child: %zd, signal %u, status %d, it %d\n", got, info->ssi_signo, info->ssi_status, info->ssi_pid == (unsigned)child);
  waitpid(child, 0, 0);
  sigemptyset(&set);
  printf("others: %d\n", signalfd(fd, &set, 0) == fd);
  raise(SIGUSR1);
  printf("not for it: %d\n", poll(&wait, 1, 0));
  none = read(fd, info, 4);
  printf("short: %zd %s\n", none, strerror(errno));
  none = signalfd(1, &set, 0);
  printf("not one: %zd %s\n", none, strerror(errno));
  close(fd);
  close(ep);
}

static void show(int fd) {
  ssize_t got = read(fd, bytes, sizeof bytes);
  if (got < 0) printf("  %s\n", strerror(errno));
  for (char *at = bytes; at < bytes + got;) {
    struct inotify_event *event = (void *)at;
    printf("  %d %x %s %s, %u\n", event->wd, event->mask, event->cookie ? "cookie" : "-", event->len ? event->name : "-", event->len);
    at += sizeof *event + event->len;
  }
}

static void watches(void) {
  int fd = inotify_init1(IN_NONBLOCK);
  mkdir("watched", 0755);
  int wd = inotify_add_watch(fd, "watched", IN_CREATE | IN_MODIFY | IN_MOVE | IN_DELETE | IN_CLOSE_WRITE | IN_ATTRIB);
  printf("inotify: %d\n", wd);
  show(fd);
  int file = open("watched/a name of more than sixteen bytes", O_CREAT | O_WRONLY, 0644);
  write(file, "x", 1);
  write(file, "y", 1);
  fchmod(file, 0600);
  close(file);
  rename("watched/a name of more than sixteen bytes", "watched/b");
  show(fd);
  int own = inotify_add_watch(fd, "watched/b", IN_OPEN | IN_ONESHOT);
  close(open("watched/b", O_RDONLY));
  close(open("watched/b", O_RDONLY));
  unlink("watched/b");
  int pending = 0;
  ioctl(fd, 0x541b, &pending);
  printf("own: %d, %d bytes\n", own, pending);
  ssize_t none = read(fd, bytes, 8);
  printf("short: %zd %s\n", none, strerror(errno));
  show(fd);
  printf("end: %d\n", inotify_rm_watch(fd, wd));
  show(fd);
  none = inotify_rm_watch(fd, wd);
  printf("again: %zd %s\n", none, strerror(errno));
  none = inotify_add_watch(1, ".", IN_OPEN);
  printf("not one: %zd %s\n", none, strerror(errno));
  none = inotify_add_watch(fd, "nonesuch", IN_OPEN);
  printf("nothing: %zd %s\n", none, strerror(errno));
  rmdir("watched");
  close(fd);
}

static void memory(void) {
  struct stat stat;
  int fd = memfd_create("numbers", MFD_CLOEXEC);
  ftruncate(fd, 8192);
  char *map = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  strcpy(map + 4096, "in memory");
  fstat(fd, &stat);
  pread(fd, bytes, 10, 4096);
  printf("memfd: %ld bytes, %u links, %o, %s, %d\n", (long)stat.st_size, (unsigned)stat.st_nlink, stat.st_mode, bytes,
         fcntl(fd, F_GETFD));
  char path[40];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  bytes[readlink(path, bytes, sizeof bytes - 1)] = 0;
  printf("link: %s\n", bytes);
  int other = open(path, O_RDONLY);
  printf("opened by it: %zd\n", pread(other, bytes, 100, 4096));
  printf("beyond: %d\n", memfd_create("x", 0x100000) < 0 && errno == EINVAL);
  close(other);
  close(fd);
}

static void copies(void) {
  int from = open("from", O_CREAT | O_RDWR | O_TRUNC, 0600), to = open("to", O_CREAT | O_RDWR | O_TRUNC, 0600);
  write(from, "0123456789", 10);
  off64_t at = 2, place = 5;
  ssize_t moved = copy_file_range(from, &at, to, &place, 4, 0);
  printf("copy: %zd, %lld %lld\n", moved, (long long)at, (long long)place);
  lseek(from, 7, SEEK_SET);
  moved = copy_file_range(from, 0, to, 0, 100, 0);
  printf("copy: %zd, %ld %ld\n", moved, (long)lseek(from, 0, SEEK_CUR), (long)lseek(to, 0, SEEK_CUR));
  ssize_t got = pread(to, bytes, sizeof bytes, 0);
  for (ssize_t n = 0; n < got; n++) putchar(bytes[n] ? bytes[n] : '.');
  at = 0, place = 5;
  printf("\nover itself: %d\n", copy_file_range(from, &at, from, &place, 6, 0) < 0 && errno == EINVAL);
  printf("not for writing: %d\n", copy_file_range(from, 0, open("to", O_RDONLY), 0, 1, 0) < 0 && errno == EBADF);
  unlink("from");
  unlink("to");
}

static void names(void) {
  int ends[2];
  struct stat stat_, by_name;
  char path[40];
  pipe(ends);
  snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
  printf("pipe: %d", stat(path, &by_name));
  fstat(ends[0], &stat_);
  printf(" %d %d\n", S_ISFIFO(by_name.st_mode), stat_.st_ino == by_name.st_ino);
  lstat(path, &by_name);
  printf("its name: %d\n", S_ISLNK(by_name.st_mode));
}

int main(void) {
  signals();
  watches();
  memory();
  copies();
  names();
  return 0;
}
