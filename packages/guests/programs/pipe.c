/* Bytes through the kernel: a page is written into a pipe, and read from it again. */
#include "lib/program.h"

enum { WORDS = PAGE / 4 };
static u32 given[WORDS], got[WORDS];
static i32 ends[2];

static void prepare(char **arguments) {
  (void)arguments;
  check(pipe(ends), "pipe");
  for (u32 i = 0; i < WORDS; i++) given[i] = i * 0x9e3779b9;
}

static u32 work(u32 count) {
  u32 sum = 0;
  for (u32 i = 0; i < count; i++) {
    given[i % WORDS] = i;
    if (write(ends[1], given, PAGE) != PAGE || read(ends[0], got, PAGE) != PAGE) fail("a pipe broke");
    if (got[i % WORDS] != i) fail("something else was read");
    sum += got[i % WORDS];
  }
  return sum;
}

int main(int argc, char **argv) { return measure(&(struct program){"pipe", 100, 10, prepare, work, 0}, argc, argv); }
