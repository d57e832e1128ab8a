#include "program.h"

enum { LINE = 32 };

static const char *name = "?";
static char begin[LINE], middle[LINE], end[LINE];
/* Where the checksum stands in the last line. */
static char *checksum_at;

/* Starts a padded line with a word and the program's name; returns where more can be put. */
static char *start_line(char *line, const char *word) {
  for (u32 i = 0; i < LINE - 1; i++) line[i] = ' ';
  line[LINE - 1] = '\n';
  return put_text(put_text(put_text(line, word), " "), name) + 1;
}

static void print_line(const char *line) {
  if (write(1, line, LINE) != LINE) fail("cannot write to standard output");
}

/* Prints the middle or the last line. The checksum goes into the last one in either case: it costs the same. */
static void print_mark(const char *line, u32 checksum) {
  put_hex(checksum_at, checksum);
  print_line(line);
}

int measure(const struct program *program, int argc, char **argv) {
  name = program->name;
  u32 count = argc > 1 ? parse_count(argv[1]) : program->count;
  if (argc > 2 || count == 0 || count > 0xffffffff / 3)
    fail("give one number, how often the work is done: from 1 to 1431655765");

  put_decimal(start_line(begin, "@@begin"), count);
  start_line(middle, "@@middle");
  checksum_at = start_line(end, "@@end");
  if (program->prepare) program->prepare(argv);
  program->work(program->warm);

  print_line(begin);
  u32 checksum = program->work(count);
  print_mark(middle, checksum);
  checksum += program->work(2 * count);
  print_mark(end, checksum);

  if (program->finish) program->finish();
  return 0;
}

void fail(const char *why) {
  char text[160];
  char *to = put_text(put_text(put_text(put_text(text, name), ": "), why), "\n");
  write(2, text, to - text);
  exit(1);
}

void check(i32 result, const char *call) {
  if (!is_error(result)) return;
  char why[80];
  *put_decimal(put_text(put_text(why, call), " gave error "), -result) = 0;
  fail(why);
}
