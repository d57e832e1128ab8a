/* A shell for guests that have no other: programs of /bin by name with arguments, pipelines, `> FILE`, and a few commands of its own.
   It needs no more of a kernel than the programs that are measured, and the directory calls. */
#include "lib/system.h"
#include "lib/text.h"

enum { LINE = 1024, WORDS = 64, O_WRONLY = 1, SIGINT = 2, BUFFER = 4096 };
enum { SIG_DFL = 0, SIG_IGN = 1, DT_DIR = 4 };

static const char help[] =
    "Programs of /bin by name, with arguments; A | B, > FILE. Of the shell itself:\n"
    "  help, cd DIR, pwd, ls [DIR], cat [FILE], echo WORD..., mkdir DIR, rm FILE, exit [STATUS]\n"
    "Workloads take how often they work, and print what a console can be measured by: fork 20, syscall 1000,\n"
    "ptemod 50, pgfault 50, random 5000, integer 5, files 3, switch 20 ...\n";

static u32 last_status;

static void say(i32 file, const char *text) { write(file, text, text_length(text)); }

/* NAME: CALL gave error N, on standard error. */
static i32 complain(const char *name, i32 error) {
  char text[BUFFER], *to = text;
  for (u32 i = 0; name[i] && i < LINE; i++) *to++ = name[i];
  *put_text(put_decimal(put_text(to, ": error "), -error), "\n") = 0;
  say(2, text);
  return 1;
}

static void on_interrupt(u32 action) {
  u32 words[5] = {action, 0, 0, 0, 0};
  call6(174, SIGINT, (u32)words, 0, 8, 0, 0); /* rt_sigaction */
}

static i32 copy(i32 file, const char *name) {
  static char buffer[BUFFER];
  i32 got;
  while (got = read(file, buffer, sizeof buffer), !is_error(got) && got > 0) write(1, buffer, got);
  return is_error(got) ? complain(name, got) : 0;
}

static i32 cat(const char *name) {
  if (!name) return copy(0, "cat");
  i32 file = open(name, 0, 0);
  return is_error(file) ? complain(name, file) : copy(file, name);
}

/* struct linux_dirent64: an inode and an offset of 8 bytes each, the entry's length, its type, its name. */
static i32 list(const char *name) {
  static u8 entries[BUFFER];
  i32 folder = open(name, 0, 0), got;
  if (is_error(folder)) return complain(name, folder);
  while (got = call3(220, folder, (u32)entries, sizeof entries), !is_error(got) && got > 0)
    for (i32 at = 0; at < got; at += entries[at + 16] | entries[at + 17] << 8) {
      const char *entry = (char *)entries + at + 19;
      if (entry[0] == '.') continue;
      say(1, entry);
      say(1, entries[at + 18] == DT_DIR ? "/\n" : "\n");
    }
  return is_error(got) ? complain(name, got) : 0;
}

static i32 echo(char **words) {
  for (; *words; words++) {
    say(1, *words);
    if (words[1]) say(1, " ");
  }
  say(1, "\n");
  return 0;
}

static i32 where(void) {
  char path[LINE];
  i32 length = call3(183, (u32)path, sizeof path, 0); /* getcwd */
  if (is_error(length)) return complain("pwd", length);
  say(1, path);
  say(1, "\n");
  return 0;
}

static i32 told(const char *name, i32 result) { return is_error(result) ? complain(name, result) : 0; }

/* A command in a process of its own. Only returns where it is one of the shell. */
static i32 perform(char **words) {
  const char *name = words[0], *argument = words[1];
  if (text_equal(name, "help")) return say(1, help), 0;
  if (text_equal(name, "echo")) return echo(words + 1);
  if (text_equal(name, "pwd")) return where();
  if (text_equal(name, "cat")) return cat(argument);
  if (text_equal(name, "ls")) return list(argument ? argument : ".");
  if (text_equal(name, "mkdir") && argument) return told(argument, call3(39, (u32)argument, 0755, 0));
  if (text_equal(name, "rm") && argument) return told(argument, unlink(argument));
  char path[LINE + 8];
  *put_text(put_text(path, name[0] == '/' ? "" : "/bin/"), name) = 0;
  char *const environment[] = {(char *)"PATH=/bin", 0};
  i32 error = execve(path, words, environment);
  say(2, name);
  say(2, error == -2 ? ": there is no such program; try help\n" : ": it cannot be run\n");
  return 127;
}

/* Words between blanks; `|` ends a command, and what stands behind `>` is where the last one writes. */
static u32 split(char *line, char **words, char **into) {
  u32 count = 0;
  int to_file = 0;
  *into = 0;
  while (*line && count < WORDS - 1) {
    while (*line == ' ' || *line == '\t') *line++ = 0;
    if (!*line) break;
    char *word = line;
    while (*line && *line != ' ' && *line != '\t') line++;
    int ended = !*line;
    *line = 0;
    if (text_equal(word, ">")) to_file = 1;
    else if (to_file) *into = word, to_file = 0;
    else words[count++] = text_equal(word, "|") ? 0 : word;
    if (!ended) line++;
  }
  words[count] = 0;
  return count;
}

static void become(i32 from, i32 to) {
  if (from == to || from < 0) return;
  call3(63, from, to, 0); /* dup2 */
  close(from);
}

/* All commands of a line at once; the status is that of the last. */
static void run(char **words, u32 count, const char *into) {
  i32 input = -1, status = 0, child = 0;
  u32 started = 0;
  for (u32 at = 0; at < count; at++) {
    char **command = words + at;
    while (words[at]) at++;
    int is_last = at >= count;
    i32 ends[2] = {-1, -1};
    if (!is_last && is_error(pipe(ends))) return say(2, "sh: no pipe\n");
    child = fork();
    if (child == 0) {
      on_interrupt(SIG_DFL);
      become(input, 0);
      if (ends[0] >= 0) close(ends[0]);
      become(ends[1], 1);
      if (is_last && into) become(open(into, O_WRONLY | O_CREAT | O_TRUNC, 0644), 1);
      exit(command[0] ? perform(command) : 0);
    }
    if (input >= 0) close(input);
    if (ends[1] >= 0) close(ends[1]);
    input = ends[0];
    if (is_error(child)) {
      complain("fork", child);
      break;
    }
    started++;
  }
  while (started--) {
    i32 one, ended = waitpid(-1, &one, 0);
    if (ended == child) status = exit_code(one);
  }
  last_status = status;
}

/* A line without its end, byte by byte: what is behind it is for the programs. What does not fit is left out. 0 where there are no more. */
static int read_line(char *line) {
  u32 length = 0;
  for (;;) {
    char byte;
    i32 got = read(0, &byte, 1);
    if (got == -4) continue; /* EINTR */
    if (got <= 0 && length == 0) return 0;
    if (got <= 0 || byte == '\n') break;
    if (length < LINE - 1) line[length++] = byte;
  }
  line[length] = 0;
  return 1;
}

int main(void) {
  static char line[LINE];
  char *words[WORDS + 1], *into;
  on_interrupt(SIG_IGN);
  say(1, "A small shell: `help` says what there is.\n");
  for (;;) {
    say(1, "$ ");
    if (!read_line(line)) return last_status;
    u32 count = split(line, words, &into);
    if (count == 0 || !words[0]) continue;
    if (text_equal(words[0], "exit")) return words[1] ? (i32)parse_count(words[1]) : (i32)last_status;
    if (text_equal(words[0], "cd")) last_status = told("cd", call3(12, (u32)(words[1] ? words[1] : "/"), 0, 0));
    else run(words, count, into);
  }
}
