/* Memory to memory: 64 KiB by REP MOVSD, there and back by turns. */
#include "lib/program.h"

enum { WORDS = 64 << 10 >> 2 };
static u32 buffers[2][WORDS];

static void fill(void) {
  for (u32 i = 0; i < WORDS; i++) buffers[0][i] = buffers[1][i] = i * 0x9e3779b9;
}

static void prepare(char **arguments) {
  (void)arguments;
  fill();
}

static void copy(void *to, const void *from) {
  u32 words = WORDS;
  asm volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

static u32 work(u32 count) {
  for (u32 i = 0; i < count; i++) {
    buffers[i & 1][i % WORDS] += i + 1; /* something to bring over */
    copy(buffers[~i & 1], buffers[i & 1]);
  }
  u32 sum = 0;
  for (u32 i = 0; i < WORDS; i++) sum = (sum << 1 | sum >> 31) + buffers[0][i];
  for (u32 i = 0; i < WORDS; i++)
    if (buffers[0][i] != buffers[1][i]) fail("a word was not copied");
  fill();
  return sum;
}

int main(int argc, char **argv) { return measure(&(struct program){"copy", 100, 4, prepare, work, 0}, argc, argv); }
