/* Reads all over 32 MiB, in an order that no translation buffer can bear. */
#include "lib/program.h"

enum { BYTES = 32 << 20, LINE = 64, SPLIT = 1 << 20, LINES = BYTES / LINE };
static u8 *table;

/* The number in each line is the line's own. */
static u32 *line(u32 number) { return (u32 *)(table + number * LINE); }

/* One page of each mebibyte is read-only, and zero: so the kernel cannot map larger pages, which would miss less. */
static void prepare(char **arguments) {
  (void)arguments;
  i32 at = map_memory(BYTES, PROT_READ | PROT_WRITE);
  check(at, "mmap2");
  table = (u8 *)at;
  for (u32 split = 0; split < BYTES; split += SPLIT) check(mprotect(table + split, PAGE, PROT_READ), "mprotect");
  for (u32 i = 0; i < LINES; i++) {
    if (i * LINE % SPLIT >= PAGE) *line(i) = i;
    else if (*line(i)) fail("new memory is not zero");
  }
}

static u32 work(u32 count) {
  u32 sum = 0, random = 0x2545f491;
  for (u32 i = 0; i < count; i++) {
    random ^= random << 13;
    random ^= random >> 17;
    random ^= random << 5;
    sum += *line(random % LINES);
  }
  return sum;
}

int main(int argc, char **argv) {
  return measure(&(struct program){"random", 100000, 1000, prepare, work, 0}, argc, argv);
}
