/* Memory that comes and goes: 16 pages are mapped, each is written to, and they are unmapped. */
#include "lib/program.h"

enum { PAGES = 16 };

static u32 work(u32 count) {
  u32 sum = 0;
  for (u32 i = 0; i < count; i++) {
    i32 at = map_memory(PAGES * PAGE, PROT_READ | PROT_WRITE);
    check(at, "mmap2");
    for (u32 page = 0; page < PAGES; page++) {
      volatile u32 *words = (u32 *)(at + page * PAGE);
      words[0] = i + page;
      if (words[1]) fail("new memory is not zero");
      sum += words[0];
    }
    check(munmap((void *)at, PAGES * PAGE), "munmap");
  }
  return sum;
}

int main(int argc, char **argv) { return measure(&(struct program){"mmap", 100, 10, 0, work, 0}, argc, argv); }
