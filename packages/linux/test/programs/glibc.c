/* What a program does that is linked to a C library dynamically: threads, signals, processes, mappings. It prints the same
   on every kernel. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int counted, turn;
static __thread int own = 5;

static void *count(void *by) {
  for (int i = 0; i < 1000; i++) {
    pthread_mutex_lock(&mutex);
    counted++;
    pthread_mutex_unlock(&mutex);
  }
  own += (long)by;
  return (void *)(long)own;
}

static void *ping(void *which) {
  for (int i = 0; i < 50; i++) {
    pthread_mutex_lock(&mutex);
    while (turn != (long)which) pthread_cond_wait(&condition, &mutex);
    turn = !turn;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
  }
  return 0;
}

static void threads(void) {
  pthread_t all[4];
  void *result;
  long sum = 0;
  for (long i = 0; i < 4; i++) pthread_create(&all[i], 0, count, (void *)i);
  for (int i = 0; i < 4; i++) pthread_join(all[i], &result), sum += (long)result;
  printf("threads: %d counted, %ld by their own, %d here\n", counted, sum, own);
  for (long i = 0; i < 2; i++) pthread_create(&all[i], 0, ping, (void *)i);
  for (int i = 0; i < 2; i++) pthread_join(all[i], 0);
  printf("turns: %d\n", turn);
  struct timespec soon;
  clock_gettime(CLOCK_REALTIME, &soon);
  soon.tv_nsec = (soon.tv_nsec + 10000000) % 1000000000, soon.tv_sec += soon.tv_nsec < 10000000;
  pthread_mutex_lock(&mutex);
  printf("timed wait: %s\n", strerror(pthread_cond_timedwait(&condition, &mutex, &soon)));
  pthread_mutex_unlock(&mutex);
}

static sigjmp_buf back;
static volatile int alarms, order;
static volatile double kept;

static void fault(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  siglongjmp(back, info->si_addr == (void *)0x10 ? 1 : 2);
}
static void rung(int signal) {
  (void)signal;
  volatile double x = 3;
  alarms++, kept = x * 2;
}
static void first(int signal) { order = order * 10 + signal; }

static void signals(void) {
  struct sigaction action = {0};
  action.sa_sigaction = fault;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, 0);
  int came = sigsetjmp(back, 1);
  if (came == 0) *(volatile int *)0x10 = 1;
  printf("fault: %d\n", came);

  action.sa_handler = rung;
  action.sa_flags = 0;
  sigaction(SIGALRM, &action, 0);
  double half = 1.5;
  ualarm(20000, 0);
  struct timespec long_enough = {5, 0};
  int slept = nanosleep(&long_enough, 0);
  int why = errno;
  half *= 2;
  printf("sleep: %d %s, %d alarm, %g\n", slept, strerror(why), alarms, half);

  sigset_t set, old;
  sigemptyset(&set), sigaddset(&set, SIGUSR1), sigaddset(&set, SIGUSR2);
  action.sa_handler = first;
  sigaction(SIGUSR1, &action, 0), sigaction(SIGUSR2, &action, 0);
  sigprocmask(SIG_BLOCK, &set, &old);
  raise(SIGUSR2), raise(SIGUSR1), raise(SIGUSR1);
  printf("blocked: %d\n", order);
  sigprocmask(SIG_SETMASK, &old, 0);
  printf("delivered: %d\n", order);

  stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
  sigaltstack(&stack, 0);
  action.sa_sigaction = fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGBUS, &action, 0);
  int file = open("vmexit-short", O_RDWR | O_CREAT | O_TRUNC, 0600);
  char *beyond = mmap(0, 8192, PROT_READ, MAP_PRIVATE, file, 0);
  came = sigsetjmp(back, 1);
  if (came == 0) printf("%d\n", beyond[5000]);
  printf("beyond the end: %d\n", came);
  close(file), unlink("vmexit-short");
}

static void processes(void) {
  char line[100];
  int ends[2], status;
  FILE *shell = popen("echo from a shell; exit 3", "r");
  fflush(stdout);
  if (fgets(line, sizeof line, shell)) printf("popen: %s", line);
  printf("pclose: %d\n", WEXITSTATUS(pclose(shell)));
  fflush(stdout);
  pipe(ends);
  pid_t child = fork();
  if (child == 0) {
    close(ends[1]);
    raise(SIGSTOP);
    _exit(read(ends[0], line, 1) == 0 ? 7 : 1);
  }
  waitpid(child, &status, WUNTRACED);
  printf("stopped: %d %d\n", WIFSTOPPED(status), WSTOPSIG(status) == SIGSTOP);
  kill(child, SIGCONT);
  waitpid(child, &status, WCONTINUED);
  if (WIFCONTINUED(status)) printf("continued\n");
  close(ends[0]);
  close(ends[1]);
  waitpid(child, &status, 0);
  printf("exited: %d\n", WEXITSTATUS(status));
  fflush(stdout);
  if ((child = fork()) == 0) abort();
  waitpid(child, &status, 0);
  printf("aborted: %d\n", WTERMSIG(status) == SIGABRT);
  pipe(ends);
  signal(SIGPIPE, SIG_IGN);
  close(ends[0]);
  ssize_t put = write(ends[1], "x", 1);
  printf("no reader: %d %s\n", (int)put, strerror(errno));
}

static void mappings(void) {
  int status;
  char text[11] = {0};
  char *shared = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  fflush(stdout);
  if (fork() == 0) strcpy(shared, "written by a child"), _exit(0);
  wait(&status);
  printf("shared: %s\n", shared);
  int file = open("vmexit-mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
  write(file, "0123456789", 10);
  char *mapped = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  char *private = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  mapped[2] = 'X', private[5] = 'P';
  pread(file, text, 10, 0);
  printf("through the file: %s\n", text);
  pwrite(file, "Y", 1, 3);
  printf("through the mapping: %.10s, the private one: %.10s\n", mapped, private);
  ftruncate(file, 4), ftruncate(file, 10);
  printf("cut: %d %d\n", mapped[3], mapped[5]);
  close(file), unlink("vmexit-mapped");
  char *big = malloc(10 << 20);
  memset(big, 1, 10 << 20);
  big = realloc(big, 30 << 20);
  printf("realloc: %d\n", big[9 << 20]);
  free(big);
}

static void waiting(void) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = 7};
  int all = epoll_create1(0), counter = eventfd(0, EFD_NONBLOCK), timer = timerfd_create(CLOCK_MONOTONIC, 0);
  uint64_t number = 1;
  epoll_ctl(all, EPOLL_CTL_ADD, counter, &event);
  printf("epoll: %d", epoll_wait(all, &event, 1, 5));
  write(counter, &number, 8);
  printf(" %d", epoll_wait(all, &event, 1, -1));
  printf(" %d, %u\n", epoll_wait(all, &event, 1, 0), event.data.u32);
  struct itimerspec soon = {{0, 0}, {0, 5000000}};
  timerfd_settime(timer, 0, &soon, 0);
  struct pollfd both[2] = {{timer, POLLIN, 0}, {-1, POLLIN, 0}};
  printf("poll: %d", poll(both, 2, 10000));
  read(timer, &number, 8);
  printf(" %d, %d\n", both[0].revents, (int)number);
}

int main(int argc, char **argv) {
  (void)argv;
  printf("arguments: %d\n", argc);
  threads();
  signals();
  processes();
  mappings();
  waiting();
  fflush(stdout);
  raise(SIGTERM);
  return 9;
}
