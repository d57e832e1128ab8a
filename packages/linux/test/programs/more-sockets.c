// What sockets answer in less common cases; see sockets.c, whose helpers these are in short.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *what, long answer) {
  if (answer < 0) printf("%s: %s\n", what, strerrorname_np(errno));
  else printf("%s: %ld\n", what, answer);
}
static struct sockaddr_in in(unsigned host, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(host);
  return address;
}
static int inet(int type, unsigned host, int port) {
  int fd = socket(AF_INET, type, 0), on = 1;
  struct sockaddr_in address = in(host, port);
  if (bind(fd, (void *)&address, sizeof address) < 0) say("bind", -1);
  return fd;
}
static int port_of(int fd) {
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  getsockname(fd, (void *)&address, &length);
  return ntohs(address.sin_port);
}
static unsigned host_of(int fd) {
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  getsockname(fd, (void *)&address, &length);
  return ntohl(address.sin_addr.s_addr);
}
static int link_to(int fd, unsigned host, int port) {
  struct sockaddr_in address = in(host, port);
  return connect(fd, (void *)&address, sizeof address);
}
static int until(int fd, int wanted) {
  struct pollfd entry = {fd, wanted, 0};
  poll(&entry, 1, 1000);
  return entry.revents;
}
static void events(const char *what, int fd) {
  struct pollfd entry = {fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0};
  poll(&entry, 1, 0);
  printf("%s:%s%s%s%s%s%s\n", what, entry.revents & POLLIN ? " IN" : "", entry.revents & POLLOUT ? " OUT" : "",
         entry.revents & POLLERR ? " ERR" : "", entry.revents & POLLHUP ? " HUP" : "",
         entry.revents & POLLRDHUP ? " RDHUP" : "", entry.revents & POLLPRI ? " PRI" : "");
}
static int set(int fd, int level, int name, int value) { return setsockopt(fd, level, name, &value, sizeof value); }

#define LOOP 0x7f000001
static void binding(void) {
  puts("# binding");
  int one = inet(SOCK_STREAM, 0, 0), port = port_of(one);
  int other = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = in(LOOP, port);
  say("wildcard and address", bind(other, (void *)&address, sizeof address));
  set(one, SOL_SOCKET, SO_REUSEADDR, 1);
  set(other, SOL_SOCKET, SO_REUSEADDR, 1);
  say("both reuse", bind(other, (void *)&address, sizeof address));
  say("listen", listen(one, 1));
  say("the other too", listen(other, 1));
  close(other);
  other = socket(AF_INET, SOCK_STREAM, 0);
  set(other, SOL_SOCKET, SO_REUSEADDR, 1);
  say("reuse of one that listens", bind(other, (void *)&address, sizeof address));
  close(other);
  close(one);
  one = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET, SOCK_STREAM, 0);
  set(one, SOL_SOCKET, SO_REUSEPORT, 1);
  set(other, SOL_SOCKET, SO_REUSEPORT, 1);
  address = in(LOOP, 0);
  bind(one, (void *)&address, sizeof address);
  address = in(LOOP, port_of(one));
  say("reuse of a port", bind(other, (void *)&address, sizeof address));
  say("listen", listen(one, 1));
  say("listen", listen(other, 1));
  close(one);
  close(other);
  one = inet(SOCK_DGRAM, LOOP, 0);
  address = in(LOOP, port_of(one));
  other = socket(AF_INET, SOCK_DGRAM, 0);
  say("datagrams", bind(other, (void *)&address, sizeof address));
  address = in(0x7f000002, port_of(one));
  say("another address", bind(other, (void *)&address, sizeof address));
  say("again", bind(other, (void *)&address, sizeof address));
  close(one);
  close(other);
  one = socket(AF_INET, SOCK_STREAM, 0);
  say("listen without a name", listen(one, 1));
  printf("%d %x\n", port_of(one) >= 32768, host_of(one));
  other = socket(AF_INET, SOCK_STREAM, 0);
  say("connect to any", link_to(other, 0, port_of(one)));
  printf("%x\n", host_of(other));
  close(one);
  close(other);
  one = socket(AF_INET, SOCK_DGRAM, 0);
  say("datagrams to any", link_to(one, 0, 9));
  printf("%x\n", host_of(one));
  say("again elsewhere", link_to(one, LOOP, 10));
  close(one);
  one = socket(AF_INET, SOCK_STREAM, 0);
  say("a group", link_to(one, 0xe0000001, 80));
  say("broadcast", link_to(one, 0xffffffff, 80));
  say("listen for datagrams", listen(inet(SOCK_DGRAM, LOOP, 0), 1));
  close(one);
}

static void closing(void) {
  puts("# closing");
  char buffer[100];
  int fd = inet(SOCK_STREAM, LOOP, 0), ends[2];
  listen(fd, 5);
  for (int how = 0; how < 3; how++) {
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    link_to(ends[0], LOOP, port_of(fd));
    ends[1] = accept(fd, 0, 0);
    printf("shutdown %d ", how);
    say("", shutdown(ends[0], how));
    until(ends[1], POLLRDHUP);
    events("this", ends[0]);
    events("that", ends[1]);
    say("send", send(ends[0], "x", 1, MSG_NOSIGNAL));
    say("recv", recv(ends[0], buffer, 1, MSG_DONTWAIT));
    say("recv that", recv(ends[1], buffer, 1, MSG_DONTWAIT));
    say("send that", send(ends[1], "y", 1, MSG_NOSIGNAL));
    until(ends[0], POLLIN);
    say("recv this", recv(ends[0], buffer, 1, MSG_DONTWAIT));
    say("shutdown that", shutdown(ends[1], SHUT_RDWR));
    until(ends[0], POLLHUP);
    events("this", ends[0]);
    say("shutdown this", shutdown(ends[0], SHUT_RDWR));
    usleep(10000);
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    say("peer", getpeername(ends[0], (void *)&peer, &length));
    close(ends[0]);
    close(ends[1]);
  }
  // A descriptor twice: the connection ends with the last one.
  ends[0] = socket(AF_INET, SOCK_STREAM, 0);
  link_to(ends[0], LOOP, port_of(fd));
  ends[1] = accept(fd, 0, 0);
  int copy = dup(ends[0]);
  close(ends[0]);
  send(copy, "by the copy", 11, 0);
  until(ends[1], POLLIN);
  say("recv", recv(ends[1], buffer, 100, 0));
  close(copy);
  until(ends[1], POLLIN);
  say("recv", recv(ends[1], buffer, 100, 0));
  close(ends[1]);
  // Who connects and goes before it is accepted.
  ends[0] = socket(AF_INET, SOCK_STREAM, 0);
  link_to(ends[0], LOOP, port_of(fd));
  send(ends[0], "gone", 4, 0);
  close(ends[0]);
  until(fd, POLLIN);
  ends[1] = accept(fd, 0, 0);
  until(ends[1], POLLRDHUP);
  say("recv of who is gone", recv(ends[1], buffer, 100, 0));
  say("recv", recv(ends[1], buffer, 100, 0));
  close(ends[1]);
  // A listener that closes resets who waits there.
  ends[0] = socket(AF_INET, SOCK_STREAM, 0);
  link_to(ends[0], LOOP, port_of(fd));
  close(fd);
  until(ends[0], POLLERR);
  events("its listener is closed", ends[0]);
  say("recv", recv(ends[0], buffer, 1, MSG_DONTWAIT));
  close(ends[0]);
  fd = inet(SOCK_STREAM, LOOP, 0);
  listen(fd, 1);
  say("shutdown of a listener", shutdown(fd, SHUT_RD));
  events("shut listener", fd);
  say("accept", accept(fd, 0, 0));
  close(fd);
  // Accepted sockets do not inherit O_NONBLOCK, but options.
  fd = inet(SOCK_STREAM, LOOP, 0);
  listen(fd, 5);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  set(fd, SOL_TCP, TCP_NODELAY, 1);
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  ends[0] = socket(AF_INET, SOCK_STREAM, 0);
  link_to(ends[0], LOOP, port_of(fd));
  until(fd, POLLIN);
  ends[1] = accept(fd, 0, 0);
  int value = 0;
  socklen_t length = sizeof value;
  getsockopt(ends[1], SOL_TCP, TCP_NODELAY, &value, &length);
  printf("%d %d ", !!(fcntl(ends[1], F_GETFL) & O_NONBLOCK), value);
  getsockopt(ends[1], SOL_SOCKET, SO_KEEPALIVE, &value, &length);
  printf("%d\n", value);
  // Without a free descriptor nobody is accepted, and nobody lost.
  int second = socket(AF_INET, SOCK_STREAM, 0);
  link_to(second, LOOP, port_of(fd));
  until(fd, POLLIN);
  struct rlimit limit, before;
  getrlimit(RLIMIT_NOFILE, &before);
  limit = before;
  int next = dup(0);
  close(next);
  limit.rlim_cur = next;
  setrlimit(RLIMIT_NOFILE, &limit);
  say("accept", accept(fd, 0, 0));
  say("socket", socket(AF_UNIX, SOCK_STREAM, 0));
  say("pair", socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  setrlimit(RLIMIT_NOFILE, &before);
  say("accept", accept(fd, 0, 0) >= 0);
}

static void messages(void) {
  puts("# messages");
  char buffer[100], control[64];
  int one = inet(SOCK_DGRAM, LOOP, 0), other = inet(SOCK_DGRAM, LOOP, 0), third = inet(SOCK_DGRAM, LOOP, 0);
  link_to(one, LOOP, port_of(other));
  struct sockaddr_in to = in(LOOP, port_of(one));
  sendto(third, "stranger", 8, 0, (void *)&to, sizeof to);
  usleep(10000);
  say("of a stranger", recv(one, buffer, 100, MSG_DONTWAIT));
  sendto(other, "friend", 6, 0, (void *)&to, sizeof to);
  until(one, POLLIN);
  say("of a friend", recv(one, buffer, 100, MSG_DONTWAIT));
  to = in(LOOP, port_of(third));
  say("elsewhere though connected", sendto(one, "x", 1, 0, (void *)&to, sizeof to));
  until(third, POLLIN);
  say("recv", recv(third, buffer, 100, 0));
  say("shutdown", shutdown(one, SHUT_WR));
  say("send", send(one, "x", 1, MSG_NOSIGNAL));
  say("shutdown", shutdown(one, SHUT_RD));
  events("shut", one);
  say("recv", recv(one, buffer, 1, 0));
  set(third, SOL_IP, IP_RECVTTL, 1);
  to = in(LOOP, port_of(third));
  int ttl = 7;
  struct iovec part = {"t", 1};
  struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                           .msg_controllen = CMSG_SPACE(4)};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  *header = (struct cmsghdr){CMSG_LEN(4), SOL_IP, IP_TTL};
  memcpy(CMSG_DATA(header), &ttl, 4);
  say("with a lifetime", sendmsg(other, &message, 0));
  part = (struct iovec){buffer, 100};
  message = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  say("recvmsg", recvmsg(third, &message, 0));
  header = CMSG_FIRSTHDR(&message);
  printf("ttl %d\n", header ? *(int *)CMSG_DATA(header) : -1);
  say("urgent", send(other, "x", 1, MSG_OOB));
  say("error queue", recv(other, buffer, 1, MSG_ERRQUEUE));
  close(one);
  close(other);
  close(third);
  // A local packet with no bytes is one.
  int ends[2];
  socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
  say("empty", send(ends[0], "", 0, 0));
  events("has one", ends[1]);
  say("recv", recv(ends[1], buffer, 10, MSG_DONTWAIT));
  say("recv", recv(ends[1], buffer, 10, MSG_DONTWAIT));
  message = (struct msghdr){0};
  say("no vectors", sendmsg(ends[0], &message, 0));
  say("recv", recv(ends[1], buffer, 10, MSG_DONTWAIT));
  char *large = calloc(1, 300000);
  say("too long", send(ends[0], large, 300000, 0));
  set(ends[0], SOL_SOCKET, SO_SNDBUF, 100000);
  say("long", send(ends[0], large, 150000, 0));
  say("recv", recv(ends[1], large, 300000, 0));
  close(ends[0]);
  close(ends[1]);
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  fflush(stdout);
  if (fork() == 0) {
    for (int n = 0; n < 3; n++) {
      usleep(10000);
      write(ends[0], "abcd", 4);
    }
    _exit(0);
  }
  say("wait for all", recv(ends[1], buffer, 12, MSG_WAITALL));
  wait(0);
  write(ends[0], "ab", 2);
  close(ends[0]);
  say("wait for what does not come", recv(ends[1], buffer, 12, MSG_WAITALL));
  close(ends[1]);
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  long sent = 0, count;
  while ((count = write(ends[0], large, 65536)) > 0) sent += count;
  say("full", count);
  printf("%d\n", sent > 100000 && sent < 300000);
  events("full", ends[0]);
  while (sent > 0) sent -= read(ends[1], large, 300000);
  events("empty", ends[0]);
  free(large);
}

static void locals(void) {
  puts("# local names and pairs");
  char buffer[100];
  struct sockaddr_un address = {AF_UNIX, "server"}, from;
  int server = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  bind(server, (void *)&address, sizeof address);
  listen(server, 2);
  int client = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  say("connect", connect(client, (void *)&address, sizeof address));
  events("client", client);
  events("server", server);
  write(client, "early", 5);
  int accepted = accept(server, 0, 0);
  say("read", read(accepted, buffer, 100));
  socklen_t length = sizeof from;
  write(accepted, "back", 4);
  say("recvfrom", recvfrom(client, buffer, 100, 0, (void *)&from, &length));
  printf("%d\n", length);
  struct ucred peer;
  length = sizeof peer;
  getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &length);
  printf("%d\n", peer.pid == getpid());
  shutdown(server, SHUT_RD);
  say("accept", accept(server, 0, 0));
  close(server);
  events("its server has gone", client);
  say("write", write(client, "still", 5));
  say("read", read(accepted, buffer, 100));
  close(accepted);
  events("closed", client);
  close(client);
  // Who waits to be accepted when the server closes.
  server = socket(AF_UNIX, SOCK_STREAM, 0);
  unlink("server");
  bind(server, (void *)&address, sizeof address);
  listen(server, 2);
  client = socket(AF_UNIX, SOCK_STREAM, 0);
  connect(client, (void *)&address, sizeof address);
  write(client, "x", 1);
  close(server);
  events("reset", client);
  say("read", read(client, buffer, 1));
  say("read", read(client, buffer, 1));
  close(client);
  // Names in another directory, by links, and who may not.
  server = socket(AF_UNIX, SOCK_DGRAM, 0);
  mkdir("below", 0700);
  struct sockaddr_un there = {AF_UNIX, "below/name"}, link = {AF_UNIX, "link"};
  say("bind", bind(server, (void *)&there, sizeof there));
  symlink("below/name", "link");
  client = socket(AF_UNIX, SOCK_DGRAM, 0);
  say("by a link", connect(client, (void *)&link, sizeof link));
  say("bind at a link", bind(client, (void *)&link, sizeof link));
  rename("below/name", "moved");
  struct sockaddr_un moved = {AF_UNIX, "moved"};
  say("moved", connect(client, (void *)&moved, sizeof moved));
  say("where it was", connect(client, (void *)&there, sizeof there));
  chmod("moved", 0400);
  fflush(stdout);
  if (fork() == 0) {
    fflush(stdout);
    if (setuid(12345) == 0 || getuid() != 0) say("may not", connect(client, (void *)&moved, sizeof moved));
    fflush(stdout);
    _exit(0);
  }
  wait(0);
  struct sockaddr_un longest = {AF_UNIX};
  memset(longest.sun_path, 'n', sizeof longest.sun_path);
  int named = socket(AF_UNIX, SOCK_DGRAM, 0);
  say("longest", bind(named, (void *)&longest, sizeof longest));
  length = sizeof from;
  char room[200];
  getsockname(named, (void *)room, (length = sizeof room, &length));
  printf("%d\n", length);
  // Names that are nearly the same are different ones.
  struct sockaddr_un zero = {AF_UNIX, "\0a"};
  int a = socket(AF_UNIX, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_DGRAM, 0);
  say("two bytes", bind(a, (void *)&zero, 4));
  say("three bytes", bind(b, (void *)&zero, 5));
  say("to the first", sendto(client, "1", 1, 0, (void *)&zero, 4));
  say("there", recv(a, buffer, 10, MSG_DONTWAIT));
  say("not there", recv(b, buffer, 10, MSG_DONTWAIT));
  int on = 1;
  setsockopt(client, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  length = sizeof from;
  getsockname(client, (void *)&from, &length);
  printf("before %d\n", length);
  sendto(client, "1", 1, 0, (void *)&zero, 4);
  length = sizeof from;
  getsockname(client, (void *)&from, &length);
  printf("named by sending %d\n", length);
}

static void peeking(void) {
  puts("# peeking at files");
  for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
    int ends[2], fd = open("plain", O_CREAT | O_RDWR, 0600);
    socketpair(AF_UNIX, type, 0, ends);
    char control[64] = {0}, text[8];
    struct iovec part = {"file", 4};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(4)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){CMSG_LEN(4), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(header), &fd, 4);
    say("send", sendmsg(ends[0], &message, 0));
    send(ends[0], "more", 4, 0);
    for (int n = 0; n < 3; n++) {
      part = (struct iovec){text, 8};
      message = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
      say("look", recvmsg(ends[1], &message, n < 2 ? MSG_PEEK : 0));
      header = CMSG_FIRSTHDR(&message);
      struct stat a, b;
      fstat(fd, &a);
      int answer = header ? fstat(*(int *)CMSG_DATA(header), &b) : -1;
      if (answer == 0) printf("the same file: %d\n", a.st_ino == b.st_ino);
      if (header) close(*(int *)CMSG_DATA(header));
    }
    close(ends[0]);
    close(ends[1]);
    close(fd);
  }
}

static void waiting(void) {
  puts("# waiting");
  int ends[2], epoll = epoll_create1(0);
  struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, {.u32 = 5}}, told;
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);
  int count = epoll_wait(epoll, &told, 1, 0);
  printf("%d %x\n", count, told.events);
  say("again", epoll_wait(epoll, &told, 1, 0));
  write(ends[1], "x", 1);
  count = epoll_wait(epoll, &told, 1, 0);
  printf("%d %x\n", count, told.events);
  close(ends[1]);
  count = epoll_wait(epoll, &told, 1, 0);
  printf("%d %x %d\n", count, told.events, told.data.u32);
  close(ends[0]);
  say("closed", epoll_wait(epoll, &told, 1, 0));
  event.events = EPOLLIN | EPOLLONESHOT;
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);
  write(ends[1], "x", 1);
  say("once", epoll_wait(epoll, &told, 1, 0));
  say("no more", epoll_wait(epoll, &told, 1, 0));
  epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &event);
  say("once more", epoll_wait(epoll, &told, 1, 0));
  // A listener and who comes.
  int fd = inet(SOCK_STREAM, LOOP, 0);
  listen(fd, 2);
  event.events = EPOLLIN | EPOLLET;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  say("nobody", epoll_wait(epoll, &told, 1, 0));
  for (int n = 0; n < 2; n++) link_to(socket(AF_INET, SOCK_STREAM, 0), LOOP, port_of(fd));
  say("somebody", epoll_wait(epoll, &told, 1, 1000));
  fd_set errors;
  FD_ZERO(&errors);
  FD_SET(fd, &errors);
  struct timeval none = {0, 0};
  say("nothing exceptional", select(fd + 1, 0, 0, &errors, &none));
  struct pollfd bad[] = {{-1, POLLIN, 7}, {200, POLLIN, 0}};
  say("poll", poll(bad, 2, 0));
  printf("%x %x\n", bad[0].revents, bad[1].revents);
}

static void netlink(void) {
  puts("# netlink and requests of devices");
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  struct sockaddr_nl address = {AF_NETLINK}, from;
  socklen_t length = sizeof address;
  getsockname(fd, (void *)&address, &length);
  printf("%d %u\n", length, address.nl_pid);
  struct {
    struct nlmsghdr header;
    struct ifinfomsg info;
  } request = {{sizeof request, RTM_GETLINK, NLM_F_REQUEST, 77, 0}, {.ifi_index = 1}};
  say("send", send(fd, &request, sizeof request, 0));
  getsockname(fd, (void *)&address, &length);
  printf("%d\n", address.nl_pid == getpid());
  char buffer[8192];
  length = sizeof from;
  int got = recvfrom(fd, buffer, sizeof buffer, 0, (void *)&from, &length);
  struct nlmsghdr *header = (void *)buffer;
  struct ifinfomsg *info = NLMSG_DATA(header);
  printf("%d type %d sequence %u port %d index %d flags %x from %u %d\n", got == (int)header->nlmsg_len, header->nlmsg_type, header->nlmsg_seq,
         header->nlmsg_pid == getpid(), info->ifi_index, info->ifi_flags, from.nl_pid, length);
  request.info.ifi_index = 9999;
  send(fd, &request, sizeof request, 0);
  got = recv(fd, buffer, sizeof buffer, 0);
  printf("type %d error %d\n", header->nlmsg_type, *(int *)NLMSG_DATA(header));
  request.header.nlmsg_flags |= NLM_F_DUMP;
  send(fd, &request, sizeof request, 0);
  got = recv(fd, buffer, sizeof buffer, MSG_PEEK | MSG_TRUNC);
  printf("%d ", got > 0);
  got = recv(fd, buffer, sizeof buffer, 0);
  printf("type %d flags %x\n", header->nlmsg_type, header->nlmsg_flags);
  int other = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  address.nl_pid = getpid();
  say("bind to a port that is taken", bind(other, (void *)&address, sizeof address));
  say("listen", listen(other, 1));
  address.nl_family = AF_INET;
  say("bind", bind(other, (void *)&address, sizeof address));
  say("short", bind(other, (void *)&address, 4));
  int inet = socket(AF_INET, SOCK_DGRAM, 0);
  struct ifreq of = {"lo"};
  say("flags", ioctl(inet, SIOCGIFFLAGS, &of));
  printf("%x\n", of.ifr_flags);
  say("address", ioctl(inet, SIOCGIFADDR, &of));
  printf("%s\n", inet_ntoa(((struct sockaddr_in *)&of.ifr_addr)->sin_addr));
  say("mask", ioctl(inet, SIOCGIFNETMASK, &of));
  printf("%s\n", inet_ntoa(((struct sockaddr_in *)&of.ifr_addr)->sin_addr));
  say("mtu", ioctl(inet, SIOCGIFMTU, &of));
  printf("%d\n", of.ifr_mtu);
  say("hardware", ioctl(inet, SIOCGIFHWADDR, &of));
  printf("%d\n", of.ifr_hwaddr.sa_family);
  say("index", ioctl(inet, SIOCGIFINDEX, &of));
  printf("%d\n", of.ifr_ifindex);
  say("name", ioctl(inet, SIOCGIFNAME, &of));
  puts(of.ifr_name);
  strcpy(of.ifr_name, "none");
  say("none", ioctl(inet, SIOCGIFFLAGS, &of));
  struct ifconf all = {0};
  say("how many", ioctl(inet, SIOCGIFCONF, &all));
  printf("%d\n", all.ifc_len >= 32 && all.ifc_len % 32 == 0);
  say("no such request", ioctl(inet, 0x89ff, &of));
  say("request of a terminal", ioctl(inet, 0x5401, &of));
}

int main(int count, char **args) {
  setvbuf(stdout, 0, getenv("LINES") ? _IOLBF : _IOFBF, 1 << 16);
  if (chdir(args[1]) < 0) return 1;
  signal(SIGPIPE, SIG_IGN);
  void (*parts[])(void) = {binding, closing, messages, locals, peeking, waiting, netlink};
  for (unsigned n = 0; n < sizeof parts / sizeof *parts; n++) {
    parts[n]();
    fflush(stdout);
  }
  return 0;
}
