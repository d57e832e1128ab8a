/*
 * Runs cases.txt against a kernel's cgroup v2 and prints each command with its result: PID 1 of a virtual machine.
 * The Makefile beside it builds and starts it; kernel.node.test.ts says what the commands are.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 3

static int pids[PROCESSES + 1], commands[PROCESSES + 1], answers[PROCESSES + 1], second_thread;

static void *idle(void *report)
{
  int tid = syscall(SYS_gettid);
  write(*(int *)report, &tid, sizeof tid);
  for (;;) pause();
}

/* A process that forks when told to, and answers the error number. The third has a second thread. */
static void start(int n)
{
  int to[2], from[2];
  pipe(to), pipe(from);
  pids[n] = fork();
  if (pids[n] == 0) {
    pthread_t thread;
    char c;
    signal(SIGCHLD, SIG_IGN);
    if (n == PROCESSES) pthread_create(&thread, 0, idle, &from[1]);
    while (read(to[0], &c, 1) == 1) {
      int child = fork(), result = child < 0 ? -errno : 0;
      if (child == 0) for (;;) pause();
      write(from[1], &result, sizeof result);
    }
    _exit(0);
  }
  commands[n] = to[1], answers[n] = from[0];
  if (n == PROCESSES) read(from[0], &second_thread, sizeof second_thread);
}

static void number(const char *path, char *text, int count)
{
  for (int n = 1; n <= PROCESSES; n++) {
    char name[8];
    sprintf(name, "p%d", n);
    if (!strcmp(path, name)) snprintf(text, count, "%d", pids[n]);
  }
  if (!strcmp(path, "t3")) snprintf(text, count, "%d", second_thread);
}

static void print_text(const char *text, int length, int shape, int members)
{
  putchar('"');
  for (int i = 0; i < length; i++) {
    int c = text[i], digit = c >= '0' && c <= '9';
    int first = digit && (i == 0 || !((text[i - 1] >= 'a' && text[i - 1] <= 'z') || text[i - 1] == '_'));
    if (members && digit) {
      int value = strtol(text + i, 0, 10);
      for (int n = 1; n <= PROCESSES; n++) if (value == pids[n]) printf("p%d", n);
      if (value == second_thread) printf("t3");
      else { int known = 0; for (int n = 1; n <= PROCESSES; n++) known |= value == pids[n]; if (!known) printf("?"); }
      while (i + 1 < length && text[i + 1] >= '0' && text[i + 1] <= '9') i++;
    } else if (shape && first) {
      printf("N");
      while (i + 1 < length && ((text[i + 1] >= '0' && text[i + 1] <= '9') || text[i + 1] == '.')) i++;
    } else if (c == '\n') printf("\\n");
    else if (c == '\t') printf("\\t");
    else putchar(c);
  }
  puts("\"");
}

static void do_read(const char *path, int shape)
{
  static char text[65536];
  int file = open(path, O_RDONLY), length = 0, got;
  if (file < 0) { printf("%d\n", -errno); return; }
  while ((got = read(file, text + length, sizeof text - 1 - length)) > 0) length += got;
  if (got < 0) printf("%d\n", -errno);
  else text[length] = 0, print_text(text, length, shape, strstr(path, "procs") || strstr(path, "threads"));
  close(file);
}

static void do_write(const char *path, const char *text, int length)
{
  int file = open(path, O_WRONLY);
  if (file < 0) { printf("%d\n", -errno); return; }
  int result = write(file, text, length);
  printf("%d\n", result < 0 ? -errno : 0);
  close(file);
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static void list(const char *path)
{
  struct dirent **entries;
  int count = scandir(path, &entries, 0, by_name);
  putchar('"');
  for (int i = 0; i < count; i++) {
    struct stat stat;
    char file[512];
    snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
    if (!lstat(file, &stat) && S_ISREG(stat.st_mode)) printf("%o %s\\n", stat.st_mode & 07777, entries[i]->d_name);
  }
  puts("\"");
}

static void run(char *line)
{
  char *verb = strtok(line, " "), *path = strtok(0, " "), *rest = strtok(0, "");
  char text[8192];
  int length = 0;
  for (char *c = rest ? rest : ""; *c && length < 8000; c++) {
    if (c[0] == '\\' && c[1] == 'n') text[length++] = '\n', c++;
    else if (c[0] == '\\' && c[1] == 't') text[length++] = '\t', c++;
    else text[length++] = *c;
  }
  text[length] = 0;
  if (rest) number(rest, text, sizeof text), length = strlen(text);
  if (!strcmp(verb, "mkdir")) printf("%d\n", mkdir(path, 0755) ? -errno : 0);
  else if (!strcmp(verb, "rmdir")) printf("%d\n", rmdir(path) ? -errno : 0);
  else if (!strcmp(verb, "write")) do_write(path, text, length);
  else if (!strcmp(verb, "fill")) { int n = atoi(text); memset(text, 'x', n); do_write(path, text, n); }
  else if (!strcmp(verb, "read")) do_read(path, 0);
  else if (!strcmp(verb, "shape")) do_read(path, 1);
  else if (!strcmp(verb, "ls")) list(path);
  else if (!strcmp(verb, "fork")) {
    int n = path[1] - '0', result;
    write(commands[n], "f", 1), read(answers[n], &result, sizeof result), printf("%d\n", result);
  } else if (!strcmp(verb, "exit")) {
    int n = path[1] - '0';
    kill(pids[n], SIGKILL), waitpid(pids[n], 0, 0), puts("0");
  } else puts("unknown");
}

int main(void)
{
  static char line[8192], copy[8192];
  struct utsname name;
  mkdir("/proc", 0755), mkdir("/sys", 0755), mkdir("/dev", 0755), mkdir("/cg", 0755);
  mount("proc", "/proc", "proc", 0, 0), mount("sys", "/sys", "sysfs", 0, 0), mount("dev", "/dev", "devtmpfs", 0, 0);
  int module = open("/brd.ko", O_RDONLY), loaded = syscall(SYS_finit_module, module, "", 0);
  FILE *cases = fopen("/cases.txt", "r");
  if (mount("cgroup2", "/cg", "cgroup2", 0, 0)) perror("mount");
  chdir("/cg");
  for (int n = 1; n <= PROCESSES; n++) start(n);
  uname(&name);
  printf("BEGIN\n# Linux %s %s, %ld CPUs\n", name.release, name.machine, sysconf(_SC_NPROCESSORS_ONLN));
  if (loaded) printf("# no RAM disk: %s\n", strerror(errno));
  while (fgets(line, sizeof line, cases)) {
    line[strcspn(line, "\n")] = 0;
    if (line[0] == 0 || line[0] == '#') continue;
    strcpy(copy, line);
    printf("%s\t", line), run(copy), fflush(stdout);
  }
  puts("END"), fflush(stdout), sync();
  reboot(RB_POWER_OFF);
}
