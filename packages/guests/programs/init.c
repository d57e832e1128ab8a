/* The first process of a guest. It runs the programs that its arguments name, NAME or NAME:N, from /bin, or all of
   them; says for each `@@exit NAME STATUS`, and at last `@@done`; and powers off. */
#include "lib/system.h"
#include "lib/text.h"

enum { RB_POWER_OFF = 0x4321fedc, NAME_BYTES = 64 };

static const char *const all[] = {"syscall", "in",   "cpuid", "callret", "pgfault", "divzero", "ptemod",  "switch",
                                  "fork",    "exec", "mmap",  "random",  "integer", "float",   "copy",    "files"};
enum { ALL = sizeof all / sizeof *all };

static void say(const char *text) { write(1, text, text_length(text)); }

/* Where the kernel gave no files, standard input and outputs are the console. */
static void open_console(void) {
  i32 file = dup(0);
  if (!is_error(file)) {
    close(file);
    return;
  }
  open("/dev/console", O_RDWR, 0);
  dup(0);
  dup(0);
}

static _Noreturn void become(const char *name, char *count) {
  char path[NAME_BYTES + 8];
  *put_text(put_text(path, "/bin/"), name) = 0;
  char *const arguments[] = {path, count, 0}, *const environment[] = {0};
  execve(path, arguments, environment);
  exit(127);
}

/* Runs NAME or NAME:N; its exit code, or 127 if there is no such program. */
static u32 run(const char *name, char *count) {
  i32 status, child = fork();
  if (child == 0) become(name, count);
  return !is_error(child) && waitpid(child, &status, 0) == child ? exit_code(status) : 126;
}

static void run_and_say(const char *word) {
  char name[NAME_BYTES], text[NAME_BYTES + 32], *count = 0;
  u32 length = 0;
  while (word[length] && word[length] != ':' && length < NAME_BYTES - 1) name[length] = word[length], length++;
  name[length] = 0;
  if (word[length] == ':') count = (char *)word + length + 1;
  u32 status = run(name, count);
  char *to = put_text(put_text(put_text(text, "@@exit "), name), " ");
  *put_text(put_decimal(to, status), "\n") = 0;
  say(text);
}

int main(int argc, char **argv) {
  if (getpid() != 1) {
    say("init: it is for a guest, which it powers off at the end: it must be process 1\n");
    return 2;
  }
  open_console();
  for (int i = 1; i < argc; i++) run_and_say(argv[i]);
  for (u32 i = 0; argc <= 1 && i < ALL; i++) run_and_say(all[i]);
  say("@@done\n");
  reboot(RB_POWER_OFF);
  say("init: the guest cannot power itself off\n");
  return 1;
}
