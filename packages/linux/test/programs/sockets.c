// What sockets answer, call by call: its output is the same on Linux and here.
// Usage: sockets DIRECTORY, where it may make files.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *what, long answer) {
  if (answer < 0) printf("%s: %s\n", what, strerrorname_np(errno));
  else printf("%s: %ld\n", what, answer);
}
static int pipes;
static void on_pipe(int signal) { pipes++; }
static int alarms;
static void on_alarm(int signal) { alarms++; }

static struct sockaddr_in in(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}
static int port_of(int fd) {
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  getsockname(fd, (void *)&address, &length);
  return ntohs(address.sin_port);
}
static int listener(int backlog) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = in(0);
  bind(fd, (void *)&address, sizeof address);
  listen(fd, backlog);
  return fd;
}
static int client(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = in(port);
  if (connect(fd, (void *)&address, sizeof address) < 0) say("connect", -1);
  return fd;
}
static void pair(int *ends) {
  int fd = listener(5);
  ends[0] = client(port_of(fd));
  ends[1] = accept(fd, 0, 0);
  close(fd);
}
static void events(const char *what, int fd) {
  struct pollfd entry = {fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0};
  poll(&entry, 1, 0);
  printf("%s:%s%s%s%s%s%s\n", what, entry.revents & POLLIN ? " IN" : "", entry.revents & POLLOUT ? " OUT" : "",
         entry.revents & POLLERR ? " ERR" : "", entry.revents & POLLHUP ? " HUP" : "",
         entry.revents & POLLRDHUP ? " RDHUP" : "", entry.revents & POLLPRI ? " PRI" : "");
}
static void until(int fd, int wanted) {
  struct pollfd entry = {fd, wanted, 0};
  poll(&entry, 1, 2000);
}
static int option(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  if (getsockopt(fd, level, name, &value, &length) < 0) return -errno;
  return value;
}

static void making(void) {
  puts("# making");
  int wrong[][3] = {{AF_INET, SOCK_STREAM, IPPROTO_UDP}, {AF_INET, SOCK_DGRAM, IPPROTO_TCP}, {AF_INET, 4, 0},
                    {AF_INET, 11, 0},  {AF_INET, 12, 0}, {AF_INET, SOCK_SEQPACKET, 0}, {AF_INET, SOCK_RAW, 0},
                    {AF_INET, SOCK_STREAM, 300}, {AF_INET, SOCK_STREAM, -1}, {AF_UNIX, SOCK_STREAM, 1},
                    {AF_UNIX, SOCK_STREAM, 2}, {AF_UNIX, 4, 0}, {AF_UNIX, SOCK_RAW, 0}, {-1, 1, 0}, {46, 1, 0}, {45, 1, 0},
                    {AF_INET, SOCK_STREAM | 0x100, 0}, {AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0},
                    {AF_NETLINK, SOCK_RAW, 0}, {AF_NETLINK, SOCK_STREAM, 0}, {AF_NETLINK, SOCK_RAW, 40}};
  for (unsigned n = 0; n < sizeof wrong / sizeof *wrong; n++) {
    int fd = socket(wrong[n][0], wrong[n][1], wrong[n][2]);
    printf("%d %d %d ", wrong[n][0], wrong[n][1], wrong[n][2]);
    say("socket", fd < 0 ? fd : 0);
    if (fd >= 0) close(fd);
  }
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  printf("flags %o %d\n", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
  close(fd);
  int two[2];
  say("socketpair inet", socketpair(AF_INET, SOCK_STREAM, 0, two));
  say("socketpair bad", socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)8));
  say("bind of a file", bind(1, 0, 0));
  say("bind of nothing", bind(77, 0, 0));
  struct stat status;
  socketpair(AF_UNIX, SOCK_DGRAM, 0, two);
  fstat(two[0], &status);
  printf("mode %o seek %ld %s\n", status.st_mode, (long)lseek(two[0], 0, SEEK_SET), strerrorname_np(errno));
  char name[40], path[40];
  sprintf(path, "/proc/self/fd/%d", two[0]);
  int length = readlink(path, name, sizeof name);
  printf("%.8s\n", length > 0 ? name : "none");
  close(two[0]);
  close(two[1]);
}

static void streams(void) {
  puts("# streams");
  char buffer[100];
  int fd = socket(AF_INET, SOCK_STREAM, 0), ends[2];
  events("new", fd);
  say("send before connect", send(fd, "x", 1, MSG_NOSIGNAL));
  say("recv before connect", recv(fd, buffer, 1, 0));
  say("shutdown before connect", shutdown(fd, SHUT_RDWR));
  say("accept before listen", accept(fd, 0, 0));
  struct sockaddr_in address = in(1);
  socklen_t length = sizeof address;
  say("getpeername", getpeername(fd, (void *)&address, &length));
  say("connect refused", connect(fd, (void *)&address, sizeof address));
  say("short address", connect(fd, (void *)&address, 5));
  address.sin_family = 99;
  say("other family", connect(fd, (void *)&address, sizeof address));
  say("bind of another family", bind(fd, (void *)&address, sizeof address));
  address = in(0);
  address.sin_addr.s_addr = htonl(0x01020304);
  say("bind elsewhere", bind(fd, (void *)&address, sizeof address));
  close(fd);

  fd = listener(3);
  events("listening", fd);
  say("listener", option(fd, SOL_SOCKET, SO_ACCEPTCONN));
  say("recv of a listener", recv(fd, buffer, 1, 0));
  say("send of a listener", send(fd, "x", 1, MSG_NOSIGNAL));
  fcntl(fd, F_SETFL, O_NONBLOCK);
  say("accept of nobody", accept(fd, 0, 0));
  int other = socket(AF_INET, SOCK_STREAM, 0);
  address = in(port_of(fd));
  say("bind where another listens", bind(other, (void *)&address, sizeof address));
  close(other);
  ends[0] = client(port_of(fd));
  until(fd, POLLIN);
  events("someone came", fd);
  length = sizeof address;
  ends[1] = accept4(fd, (void *)&address, &length, SOCK_CLOEXEC);
  printf("accepted %d %d %d flags %o %d\n", length, address.sin_family, ntohs(address.sin_port) == port_of(ends[0]),
         fcntl(ends[1], F_GETFL), fcntl(ends[1], F_GETFD));
  say("accept4 flags", accept4(fd, 0, 0, 1));
  say("connect again", connect(ends[0], (void *)&address, sizeof address));
  close(fd);

  events("connected", ends[0]);
  say("send", send(ends[0], "hello", 5, 0));
  until(ends[1], POLLIN);
  events("with bytes", ends[1]);
  int waiting = 0;
  ioctl(ends[1], FIONREAD, &waiting);
  say("FIONREAD", waiting);
  say("peek", recv(ends[1], buffer, 3, MSG_PEEK));
  say("read", read(ends[1], buffer, 2));
  printf("%.2s\n", buffer);
  say("throw away", recv(ends[1], (void *)8, 2, MSG_TRUNC));
  say("recv", recv(ends[1], buffer, 100, 0));
  printf("%.1s\n", buffer);
  say("recv nothing", recv(ends[1], buffer, 100, MSG_DONTWAIT));
  say("recv of no bytes", recv(ends[1], buffer, 0, MSG_DONTWAIT));
  say("send of no bytes", send(ends[1], buffer, 0, 0));
  struct iovec parts[] = {{"ab", 2}, {"", 0}, {"cde", 3}};
  say("writev", writev(ends[0], parts, 3));
  until(ends[1], POLLIN);
  struct iovec into[] = {{buffer, 1}, {buffer + 10, 1}, {buffer + 20, 50}};
  say("readv", readv(ends[1], into, 3));
  printf("%c%c%.3s\n", buffer[0], buffer[10], buffer + 20);

  fflush(stdout);
  if (fork() == 0) {
    for (int n = 0; n < 4; n++) {
      usleep(20000);
      send(ends[0], "1234", 4, 0);
    }
    _exit(0);
  }
  say("wait for all", recv(ends[1], buffer, 14, MSG_WAITALL));
  wait(0);
  say("and the rest", recv(ends[1], buffer, 14, 0));

  say("shutdown", shutdown(ends[0], SHUT_WR));
  until(ends[1], POLLRDHUP);
  events("the other has ended", ends[1]);
  events("has ended", ends[0]);
  say("recv at the end", recv(ends[1], buffer, 10, 0));
  say("send after shutdown", send(ends[0], "x", 1, MSG_NOSIGNAL));
  printf("signals %d\n", pipes);
  say("send after shutdown", send(ends[0], "x", 1, 0));
  printf("signals %d\n", pipes);
  say("send the other way", send(ends[1], "back", 4, 0));
  until(ends[0], POLLIN);
  say("recv", recv(ends[0], buffer, 10, 0));
  say("how", shutdown(ends[0], 3));
  close(ends[1]);
  until(ends[0], POLLHUP);
  events("both have ended", ends[0]);
  close(ends[0]);

  pair(ends);
  send(ends[0], "unread", 6, 0);
  until(ends[1], POLLIN);
  close(ends[1]);
  until(ends[0], POLLERR | POLLHUP | POLLIN);
  events("reset", ends[0]);
  say("recv", recv(ends[0], buffer, 10, 0));
  say("recv again", recv(ends[0], buffer, 10, 0));
  say("send", send(ends[0], "x", 1, MSG_NOSIGNAL));
  close(ends[0]);

  pair(ends);
  struct linger linger = {1, 0};
  say("linger", setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
  close(ends[1]);
  until(ends[0], POLLERR | POLLHUP | POLLIN);
  say("error", option(ends[0], SOL_SOCKET, SO_ERROR));
  say("error again", option(ends[0], SOL_SOCKET, SO_ERROR));
  close(ends[0]);

  fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  other = listener(1);
  address = in(port_of(other));
  int answer = connect(fd, (void *)&address, sizeof address);
  say("connect without waiting", answer);
  until(fd, POLLOUT);
  events("is connected", fd);
  say("error", option(fd, SOL_SOCKET, SO_ERROR));
  say("connect again", connect(fd, (void *)&address, sizeof address));
  say("and again", connect(fd, (void *)&address, sizeof address));
  close(fd);
  close(other);
  fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  answer = connect(fd, (void *)&address, sizeof address);
  printf("%d\n", answer == -1 && (errno == EINPROGRESS || errno == ECONNREFUSED));
  until(fd, POLLERR);
  events("is refused", fd);
  if (errno == EINPROGRESS) say("error", option(fd, SOL_SOCKET, SO_ERROR));
  close(fd);
}

static void times(void) {
  puts("# times");
  char buffer[10];
  int ends[2];
  pair(ends);
  struct timeval time = {0, 20000};
  say("timeout", setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
  say("recv", recv(ends[0], buffer, 1, 0));
  struct timeval wrong = {0, 1000000};
  say("wrong", setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &wrong, sizeof wrong));
  say("short", setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, 4));
  memset(&time, 9, sizeof time);
  socklen_t length = sizeof time;
  getsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, &length);
  printf("%d %d %d\n", length, (int)time.tv_sec, (int)time.tv_usec / 10000);
  send(ends[1], "ab", 2, 0);
  say("all within the time", recv(ends[0], buffer, 5, MSG_WAITALL));

  int fd = listener(1);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  say("accept", accept(fd, 0, 0));
  close(fd);

  setsockopt(ends[1], SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  char *many = calloc(1, 1 << 20);
  long sent = 0, count;
  while ((count = send(ends[1], many, 1 << 20, 0)) > 0) sent += count;
  say("full", count);
  events("full", ends[1]);
  while ((count = recv(ends[0], many, 1 << 20, 0)) > 0) sent -= count;
  printf("left %ld\n", sent);
  free(many);

  struct sigaction action = {.sa_handler = on_alarm};
  struct itimerval timer = {{0, 0}, {0, 20000}};
  for (int restarts = 0; restarts < 2; restarts++) {
    time.tv_usec = restarts ? 200000 : 0;
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    action.sa_flags = restarts ? SA_RESTART : 0;
    sigaction(SIGALRM, &action, 0);
    setitimer(ITIMER_REAL, &timer, 0);
    say("interrupted", recv(ends[0], buffer, 1, 0));
  }
  printf("alarms %d\n", alarms);
  time.tv_usec = 0;
  setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  setitimer(ITIMER_REAL, &timer, 0);
  fflush(stdout);
  if (fork() == 0) {
    usleep(60000);
    send(ends[1], "z", 1, 0);
    _exit(0);
  }
  say("made again", recv(ends[0], buffer, 1, 0));
  wait(0);
  close(ends[0]);
  close(ends[1]);
}

static void datagrams(void) {
  puts("# datagrams");
  char buffer[100];
  int one = socket(AF_INET, SOCK_DGRAM, 0), other = socket(AF_INET, SOCK_DGRAM, 0);
  events("new", one);
  struct sockaddr_in address = in(0), from;
  socklen_t length = sizeof from;
  say("send nowhere", send(one, "x", 1, 0));
  bind(other, (void *)&address, sizeof address);
  address = in(port_of(other));
  say("sendto", sendto(one, "message", 7, 0, (void *)&address, sizeof address));
  say("sendto short", sendto(one, "message", 7, 0, (void *)&address, 3));
  until(other, POLLIN);
  say("cut", recvfrom(other, buffer, 3, MSG_TRUNC | MSG_PEEK, (void *)&from, &length));
  printf("%d %d\n", length, ntohs(from.sin_port) == port_of(one));
  length = 4;
  say("cut", recvfrom(other, buffer, 3, 0, (void *)&from, &length));
  printf("%d %.3s\n", length, buffer);
  say("rest is gone", recv(other, buffer, 10, MSG_DONTWAIT));
  say("empty", sendto(one, "", 0, 0, (void *)&address, sizeof address));
  until(other, POLLIN);
  int waiting = 9;
  ioctl(other, FIONREAD, &waiting);
  say("FIONREAD", waiting);
  say("recv", recv(other, buffer, 10, 0));
  char *large = calloc(1, 70000);
  say("too long", sendto(one, large, 65508, 0, (void *)&address, sizeof address));
  say("longest", sendto(one, large, 65507, 0, (void *)&address, sizeof address));
  until(other, POLLIN);
  say("longest", recv(other, large, 70000, 0));
  free(large);
  say("connect", connect(one, (void *)&address, sizeof address));
  say("send", send(one, "abc", 3, 0));
  say("shutdown", shutdown(other, SHUT_RD));
  until(other, POLLIN);
  say("recv", recv(other, buffer, 10, 0));
  close(other);
  say("send to nobody", send(one, "abc", 3, 0));
  until(one, POLLERR);
  events("refused", one);
  say("recv", recv(one, buffer, 1, 0));
  say("port 0", (address.sin_port = 0, sendto(one, "x", 1, 0, (void *)&address, sizeof address)));
  address = in(9);
  address.sin_addr.s_addr = htonl(INADDR_BROADCAST);
  say("broadcast", sendto(one, "x", 1, 0, (void *)&address, sizeof address));
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  say("disconnect", connect(one, &none, sizeof none));
  say("send", send(one, "x", 1, 0));
  close(one);

  // Several messages at once.
  one = socket(AF_INET, SOCK_DGRAM, 0), other = socket(AF_INET, SOCK_DGRAM, 0);
  address = in(0);
  bind(other, (void *)&address, sizeof address);
  address = in(port_of(other));
  connect(one, (void *)&address, sizeof address);
  struct iovec parts[3] = {{"1", 1}, {"22", 2}, {"333", 3}};
  struct mmsghdr messages[4] = {0};
  for (int n = 0; n < 3; n++) messages[n].msg_hdr.msg_iov = &parts[n], messages[n].msg_hdr.msg_iovlen = 1;
  say("sendmmsg", sendmmsg(one, messages, 3, 0));
  usleep(10000);
  char texts[4][8] = {0};
  struct iovec into[4];
  struct sockaddr_in names[4];
  for (int n = 0; n < 4; n++) {
    into[n] = (struct iovec){texts[n], 2};
    messages[n] = (struct mmsghdr){.msg_hdr = {.msg_iov = &into[n], .msg_iovlen = 1, .msg_name = &names[n], .msg_namelen = 16}};
  }
  say("recvmmsg", recvmmsg(other, messages, 4, MSG_WAITFORONE, 0));
  for (int n = 0; n < 3; n++)
    printf("%u %s %x %d\n", messages[n].msg_len, texts[n], messages[n].msg_hdr.msg_flags, messages[n].msg_hdr.msg_namelen);
  say("recvmmsg of nothing", recvmmsg(other, messages, 4, MSG_DONTWAIT, 0));
  int on = 1;
  say("pktinfo", setsockopt(other, SOL_IP, IP_PKTINFO, &on, sizeof on));
  say("ttl", setsockopt(other, SOL_IP, IP_RECVTTL, &on, sizeof on));
  send(one, "info", 4, 0);
  char control[100];
  struct msghdr message = {.msg_iov = into, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  say("recvmsg", recvmsg(other, &message, 0));
  printf("%x %d\n", message.msg_flags, (int)message.msg_controllen);
  for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at))
    printf("control %d %d %d %d\n", at->cmsg_level, at->cmsg_type, (int)at->cmsg_len, *(int *)CMSG_DATA(at) * (at->cmsg_type != 8));
  send(one, "info", 4, 0);
  message.msg_control = control, message.msg_controllen = 30;
  say("recvmsg", recvmsg(other, &message, 0));
  printf("%x %d\n", message.msg_flags, (int)message.msg_controllen);
  close(one);
  close(other);
}

static void options(void) {
  puts("# options");
  int fd = socket(AF_INET, SOCK_STREAM, 0), value;
  int plain[][2] = {{SOL_SOCKET, SO_TYPE}, {SOL_SOCKET, SO_DOMAIN}, {SOL_SOCKET, SO_PROTOCOL}, {SOL_SOCKET, SO_REUSEADDR},
                    {SOL_SOCKET, SO_KEEPALIVE}, {SOL_SOCKET, SO_BROADCAST}, {SOL_SOCKET, SO_ACCEPTCONN}, {SOL_SOCKET, SO_ERROR},
                    {SOL_SOCKET, SO_RCVLOWAT}, {SOL_IP, IP_TTL}, {SOL_IP, IP_TOS}, {SOL_TCP, TCP_NODELAY}, {SOL_TCP, TCP_KEEPIDLE},
                    {SOL_TCP, TCP_KEEPINTVL}, {SOL_TCP, TCP_KEEPCNT}, {SOL_TCP, TCP_SYNCNT}, {SOL_TCP, 99}, {SOL_SOCKET, 999}, {77, 1}};
  for (unsigned n = 0; n < sizeof plain / sizeof *plain; n++) {
    errno = 0;
    int got = option(fd, plain[n][0], plain[n][1]);
    printf("%d %d: %d\n", plain[n][0], plain[n][1], got);
  }
  value = 7;
  say("set", setsockopt(fd, SOL_TCP, TCP_NODELAY, &value, sizeof value));
  say("nodelay", option(fd, SOL_TCP, TCP_NODELAY));
  say("ttl", (value = 300, setsockopt(fd, SOL_IP, IP_TTL, &value, sizeof value)));
  say("ttl of a byte", (value = 33, setsockopt(fd, SOL_IP, IP_TTL, &value, 1)));
  unsigned char byte = 0;
  socklen_t length = 1;
  say("ttl", getsockopt(fd, SOL_IP, IP_TTL, &byte, &length));
  printf("%d %d\n", byte, length);
  say("short", setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, 2));
  say("negative", setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, -1));
  say("wild", setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, (void *)8, 4));
  say("type", setsockopt(fd, SOL_SOCKET, SO_TYPE, &value, sizeof value));
  value = 10000;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, sizeof value);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof value);
  printf("buffers %d %d\n", option(fd, SOL_SOCKET, SO_SNDBUF), option(fd, SOL_SOCKET, SO_RCVBUF));
  length = 2;
  value = 0x12345678;
  say("part", getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length));
  printf("%x %d\n", value, length);
  length = -1;
  say("length", getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length));
  say("wild", getsockopt(fd, SOL_SOCKET, SO_TYPE, (void *)8, (length = 4, &length)));
  struct linger linger = {1, 5};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  linger = (struct linger){9, 9};
  length = sizeof linger;
  getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length);
  printf("linger %d %d %d\n", linger.l_onoff, linger.l_linger, length);
  close(fd);
}

static struct sockaddr_un un(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, name);
  return address;
}
static void name_of(const char *what, int fd, int peer) {
  struct sockaddr_un address;
  socklen_t length = sizeof address;
  memset(&address, 'x', sizeof address);
  int answer = (peer ? getpeername : getsockname)(fd, (void *)&address, &length);
  if (answer < 0) {
    say(what, answer);
    return;
  }
  printf("%s: %d", what, length);
  for (int n = 2; n < (int)length; n++) printf(address.sun_path[n - 2] ? "%c" : "@", address.sun_path[n - 2]);
  puts("");
}

static void names(void) {
  puts("# names");
  int one = socket(AF_UNIX, SOCK_STREAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un address = un("file");
  struct stat status;
  name_of("unnamed", one, 0);
  name_of("peer", one, 1);
  say("listen unnamed", listen(one, 1));
  say("connect nowhere", connect(other, (void *)&address, sizeof address));
  umask(022);
  say("bind", bind(one, (void *)&address, sizeof address));
  stat("file", &status);
  printf("mode %o\n", status.st_mode);
  say("bind again", bind(one, (void *)&address, sizeof address));
  say("bind another", bind(other, (void *)&address, sizeof address));
  name_of("named", one, 0);
  say("connect to who does not listen", connect(other, (void *)&address, sizeof address));
  say("open", open("file", O_RDWR));
  say("listen", listen(one, 1));
  say("connect", connect(other, (void *)&address, sizeof address));
  say("connect again", connect(other, (void *)&address, sizeof address));
  int accepted = accept(one, 0, 0);
  name_of("accepted", accepted, 0);
  name_of("its peer", accepted, 1);
  name_of("peer", other, 1);
  close(accepted);
  close(other);
  other = socket(AF_UNIX, SOCK_DGRAM, 0);
  say("connect another type", connect(other, (void *)&address, sizeof address));
  close(other);
  close(one);
  other = socket(AF_UNIX, SOCK_STREAM, 0);
  say("connect to who is gone", connect(other, (void *)&address, sizeof address));
  unlink("file");
  say("connect to what is gone", connect(other, (void *)&address, sizeof address));
  close(other);
  open("plain", O_CREAT | O_RDWR, 0600);
  address = un("plain");
  other = socket(AF_UNIX, SOCK_STREAM, 0);
  say("connect to a file", connect(other, (void *)&address, sizeof address));
  address = un("none/file");
  say("bind in no directory", bind(other, (void *)&address, sizeof address));
  say("bind of another family", (address.sun_family = AF_INET, bind(other, (void *)&address, sizeof address)));
  address = un("");
  say("too long", bind(other, (void *)&address, sizeof address + 1));
  memcpy(address.sun_path, "\0abstract", 9);
  one = socket(AF_UNIX, SOCK_STREAM, 0);
  say("connect to no abstract name", connect(other, (void *)&address, 11));
  say("bind an abstract name", bind(one, (void *)&address, 11));
  say("bind it again", bind(other, (void *)&address, 11));
  name_of("abstract", one, 0);
  listen(one, 5);
  say("connect", connect(other, (void *)&address, 11));
  name_of("peer", other, 1);
  close(one);
  close(other);
  one = socket(AF_UNIX, SOCK_DGRAM, 0);
  say("automatic", bind(one, (void *)&address, sizeof(sa_family_t)));
  struct sockaddr_un own;
  socklen_t length = sizeof own;
  getsockname(one, (void *)&own, &length);
  printf("%d %d\n", length, own.sun_path[0]);
  close(one);
  // A full backlog.
  one = socket(AF_UNIX, SOCK_STREAM, 0);
  bind(one, (void *)&address, 11);
  listen(one, 1);
  for (int n = 0; n < 3; n++) {
    other = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    say("connect", connect(other, (void *)&address, 11));
  }
  close(one);
}

static void locals(void) {
  puts("# local streams and messages");
  char buffer[100];
  int ends[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  events("new", ends[0]);
  say("write", write(ends[0], "abc", 3));
  say("write", write(ends[0], "def", 3));
  int waiting;
  ioctl(ends[1], FIONREAD, &waiting);
  say("FIONREAD", waiting);
  say("peek", recv(ends[1], buffer, 5, MSG_PEEK));
  say("read", read(ends[1], buffer, 5));
  printf("%.5s\n", buffer);
  say("sendto", sendto(ends[0], "x", 1, 0, (void *)buffer, 4));
  close(ends[0]);
  events("one is closed", ends[1]);
  say("read", read(ends[1], buffer, 5));
  say("read", read(ends[1], buffer, 5));
  int before = pipes;
  say("write", write(ends[1], "x", 1));
  printf("signals %d\n", pipes - before);
  close(ends[1]);
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  write(ends[0], "unread", 6);
  close(ends[1]);
  say("reset", read(ends[0], buffer, 1));
  say("then the end", read(ends[0], buffer, 1));
  close(ends[0]);
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  say("shutdown", shutdown(ends[0], SHUT_WR));
  events("this", ends[0]);
  events("the other", ends[1]);
  say("read", read(ends[1], buffer, 1));
  say("write back", write(ends[1], "x", 1));
  say("read back", read(ends[0], buffer, 1));
  close(ends[0]);
  close(ends[1]);

  socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
  write(ends[0], "one", 3);
  write(ends[0], "message", 7);
  say("read", read(ends[1], buffer, 100));
  say("cut", recv(ends[1], buffer, 2, MSG_TRUNC));
  say("gone", recv(ends[1], buffer, 2, MSG_DONTWAIT));
  close(ends[0]);
  before = pipes;
  say("write", write(ends[1], "x", 1));
  printf("signals %d\n", pipes - before);
  say("read", read(ends[1], buffer, 1));
  close(ends[1]);

  socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
  int count = 0;
  while (send(ends[0], "x", 1, MSG_DONTWAIT) == 1) count++;
  printf("waiting %d\n", count);
  say("full", -1);
  events("full", ends[0]);
  recv(ends[1], buffer, 1, 0);
  events("not full", ends[0]);
  close(ends[1]);
  say("closed", send(ends[0], "x", 1, 0));
  say("closed", send(ends[0], "x", 1, 0));
  close(ends[0]);
  int one = socket(AF_UNIX, SOCK_DGRAM, 0), other = socket(AF_UNIX, SOCK_DGRAM, 0);
  struct sockaddr_un address = un("datagrams"), from;
  bind(other, (void *)&address, sizeof address);
  say("sendto", sendto(one, "text", 4, 0, (void *)&address, sizeof address));
  socklen_t length = sizeof from;
  say("recvfrom", recvfrom(other, buffer, 100, 0, (void *)&from, &length));
  printf("from %d\n", length);
  struct sockaddr_un mine = un("mine");
  bind(one, (void *)&mine, sizeof mine);
  sendto(one, "text", 4, 0, (void *)&address, sizeof address);
  length = sizeof from;
  recvfrom(other, buffer, 100, 0, (void *)&from, &length);
  printf("from %d %s\n", length, from.sun_path);
  say("connect", connect(other, (void *)&mine, sizeof mine));
  int third = socket(AF_UNIX, SOCK_DGRAM, 0);
  say("not for others", sendto(third, "x", 1, 0, (void *)&address, sizeof address));
  close(third);
  close(one);
  close(other);
}

static int send_with(int fd, int level, int type, const void *data, int size) {
  char control[200] = {0};
  struct iovec part = {"!", 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(size)};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(size);
  memcpy(CMSG_DATA(header), data, size);
  return sendmsg(fd, &message, 0);
}
static int receive_with(int fd, struct msghdr *message, char *control, int room, int flags) {
  static char text[8];
  static struct iovec part = {text, 8};
  *message = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
  return recvmsg(fd, message, flags);
}

static void rights(void) {
  puts("# files and credentials");
  char control[200], text[10] = {0};
  struct msghdr message;
  int ends[2], through[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  pipe(through);
  say("send", send_with(ends[0], SOL_SOCKET, SCM_RIGHTS, through, sizeof through));
  say("receive", receive_with(ends[1], &message, control, sizeof control, MSG_CMSG_CLOEXEC));
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  int *got = (int *)CMSG_DATA(header);
  printf("%d %d %d %x cloexec %d\n", header->cmsg_level, header->cmsg_type, (int)header->cmsg_len, message.msg_flags, fcntl(got[0], F_GETFD));
  write(got[1], "through", 7);
  say("read", read(through[0], text, 10));
  puts(text);
  close(got[0]);
  close(got[1]);
  send_with(ends[0], SOL_SOCKET, SCM_RIGHTS, through, sizeof through);
  say("with room for one", receive_with(ends[1], &message, control, CMSG_LEN(4), 0));
  printf("%x %d\n", message.msg_flags, (int)message.msg_controllen);
  send_with(ends[0], SOL_SOCKET, SCM_RIGHTS, through, sizeof through);
  say("without room", receive_with(ends[1], &message, 0, 0, 0));
  printf("%x %d\n", message.msg_flags, (int)message.msg_controllen);
  int wrong = 99;
  say("no file", send_with(ends[0], SOL_SOCKET, SCM_RIGHTS, &wrong, 4));
  say("no such control", send_with(ends[0], SOL_SOCKET, 99, &wrong, 4));
  say("another level", send_with(ends[0], 99, 1, &wrong, 4));
  receive_with(ends[1], &message, control, sizeof control, 0);
  // Bytes in front of files and behind them are read in two pieces.
  write(ends[0], "12", 2);
  send_with(ends[0], SOL_SOCKET, SCM_RIGHTS, through, 4);
  write(ends[0], "34", 2);
  say("before", receive_with(ends[1], &message, control, sizeof control, 0));
  printf("%d\n", (int)message.msg_controllen);
  say("with", receive_with(ends[1], &message, control, sizeof control, 0));
  printf("%d\n", (int)message.msg_controllen);

  int on = 1;
  say("credentials", setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
  write(ends[0], "!", 1);
  say("receive", receive_with(ends[1], &message, control, sizeof control, 0));
  header = CMSG_FIRSTHDR(&message);
  struct ucred *who = (struct ucred *)CMSG_DATA(header);
  printf("%d %d %d %d %d %d\n", header->cmsg_level, header->cmsg_type, (int)header->cmsg_len, who->pid == getpid(), who->uid == getuid(), who->gid == getgid());
  struct ucred peer;
  socklen_t length = sizeof peer;
  getsockopt(ends[0], SOL_SOCKET, SO_PEERCRED, &peer, &length);
  printf("peer %d %d %d\n", peer.pid == getpid(), peer.uid == geteuid(), length);
  close(ends[0]);
  close(ends[1]);
  // Sockets in each other's queues, and nobody has them: nothing is seen of it but that it ends.
  for (int n = 0; n < 50; n++) {
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    send_with(ends[0], SOL_SOCKET, SCM_RIGHTS, &ends[0], 4);
    send_with(ends[1], SOL_SOCKET, SCM_RIGHTS, &ends[0], 4);
    close(ends[0]);
    close(ends[1]);
  }
}

static void wild(void) {
  puts("# wild addresses");
  void *bad = (void *)0xc0001000;
  char buffer[16] = "untouched";
  int ends[2];
  pair(ends);
  send(ends[0], "12345678", 8, 0);
  until(ends[1], POLLIN);
  socklen_t length = 16, negative = -1;
  say("send", send(ends[0], bad, 8, 0));
  say("sendto", sendto(ends[0], "x", 1, 0, bad, 16));
  say("recv", recv(ends[1], bad, 8, 0));
  say("length of an address", recvfrom(ends[1], buffer, 1, MSG_PEEK, (void *)buffer, &negative));
  say("accept", accept(ends[0], 0, 0));
  say("bind", bind(ends[0], bad, 16));
  say("bind length", bind(ends[0], bad, 129));
  say("bind length", bind(ends[0], bad, -1));
  say("connect", connect(ends[0], bad, 16));
  say("getsockname", getsockname(ends[0], bad, &length));
  say("getsockname length", getsockname(ends[0], (void *)buffer, bad));
  say("getsockname length", getsockname(ends[0], (void *)buffer, &negative));
  say("getpeername", getpeername(ends[0], bad, &length));
  say("sendmsg", sendmsg(ends[0], bad, 0));
  say("recvmsg", recvmsg(ends[0], bad, 0));
  struct msghdr message = {.msg_iov = bad, .msg_iovlen = 1};
  say("vectors", sendmsg(ends[0], &message, 0));
  message = (struct msghdr){.msg_iov = bad, .msg_iovlen = 1025};
  say("too many", sendmsg(ends[0], &message, 0));
  struct iovec part = {buffer, 4}, long_part = {buffer, 0x80000000u};
  message = (struct msghdr){.msg_iov = &long_part, .msg_iovlen = 1};
  say("too long", sendmsg(ends[0], &message, 0));
  message = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1, .msg_control = bad, .msg_controllen = 16};
  say("control", sendmsg(ends[0], &message, 0));
  int control[4] = {100, 1, 1, 1};
  message.msg_control = control, message.msg_controllen = 16;
  say("control beyond its end", sendmsg(ends[0], &message, 0));
  control[0] = 3;
  say("control that is too short", sendmsg(ends[0], &message, 0));
  say("sendmmsg", sendmmsg(ends[0], bad, 1, 0));
  say("recvmmsg", recvmmsg(ends[0], bad, 1, 0, 0));
  say("socketcall", syscall(SYS_socketcall, 1, bad));
  say("socketcall", syscall(SYS_socketcall, 0, bad));
  say("socketcall", syscall(SYS_socketcall, 21, bad));
  long args[] = {AF_UNIX, SOCK_DGRAM, 0};
  int fd = syscall(SYS_socketcall, 1, args);
  say("socketcall", fd >= 0);
  close(fd);
  say("all is there still", recv(ends[1], buffer, 16, MSG_DONTWAIT));
  close(ends[0]);
  close(ends[1]);
}

static void waiting(void) {
  puts("# waiting for several");
  char buffer[100];
  int ends[2];
  pair(ends);
  int epoll = epoll_create1(0);
  struct epoll_event event = {EPOLLIN | EPOLLET, {.fd = 1}}, told;
  epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], &event);
  say("nothing", epoll_wait(epoll, &told, 1, 0));
  send(ends[0], "ab", 2, 0);
  say("something", epoll_wait(epoll, &told, 1, 1000));
  say("told already", epoll_wait(epoll, &told, 1, 0));
  recv(ends[1], buffer, 1, 0);
  say("a part is read", epoll_wait(epoll, &told, 1, 0));
  recv(ends[1], buffer, 1, 0);
  send(ends[0], "c", 1, 0);
  usleep(10000);
  say("read, and more has come", epoll_wait(epoll, &told, 1, 1000));
  send(ends[0], "d", 1, 0);
  usleep(10000);
  say("still more", epoll_wait(epoll, &told, 1, 1000));
  close(epoll);
  fd_set reads, writes;
  FD_ZERO(&reads);
  FD_ZERO(&writes);
  FD_SET(ends[1], &reads);
  FD_SET(ends[0], &writes);
  FD_SET(ends[0], &reads);
  struct timeval time = {1, 0};
  say("select", select(ends[0] > ends[1] ? ends[0] + 1 : ends[1] + 1, &reads, &writes, 0, &time));
  printf("%d %d %d\n", !!FD_ISSET(ends[1], &reads), !!FD_ISSET(ends[0], &writes), !!FD_ISSET(ends[0], &reads));
  recv(ends[1], buffer, 100, 0);
  fflush(stdout);
  if (fork() == 0) {
    usleep(20000);
    send(ends[0], "late", 4, 0);
    _exit(0);
  }
  struct pollfd entries[] = {{ends[1], POLLIN, 0}};
  say("poll", poll(entries, 1, 5000));
  say("recv", recv(ends[1], buffer, 100, 0));
  wait(0);
  int file = open("text", O_CREAT | O_RDWR | O_TRUNC, 0600);
  write(file, "from a file", 11);
  off_t offset = 5;
  say("sendfile", sendfile(ends[0], file, &offset, 100));
  until(ends[1], POLLIN);
  int got = recv(ends[1], buffer, 100, 0);
  printf("%ld %.*s\n", (long)offset, got, buffer);
  int on = 1;
  ioctl(ends[1], FIONBIO, &on);
  say("FIONBIO", recv(ends[1], buffer, 100, 0));
  close(ends[0]);
  close(ends[1]);
}

int main(int count, char **args) {
  setvbuf(stdout, 0, getenv("LINES") ? _IOLBF : _IOFBF, 1 << 16);
  if (chdir(args[1]) < 0) return 1;
  struct sigaction action = {.sa_handler = on_pipe, .sa_flags = SA_RESTART};
  sigaction(SIGPIPE, &action, 0);
  void (*parts[])(void) = {making, streams, times, datagrams, options, names, locals, rights, wild, waiting};
  for (unsigned n = 0; n < sizeof parts / sizeof *parts; n++) {
    parts[n]();
    fflush(stdout);
  }
  return 0;
}
