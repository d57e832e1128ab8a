/* A page-table entry that changes, and no fault: mprotect makes a page readable and inaccessible by turns. The page was
   touched before, and is not while that is measured. (Permission to write a kernel may give back at the next fault.) */
#include "lib/program.h"

static volatile u32 *page;
static u32 protection = PROT_READ;

static void prepare(char **arguments) {
  (void)arguments;
  i32 at = map_memory(PAGE, PROT_READ | PROT_WRITE);
  check(at, "mmap2");
  page = (u32 *)at;
  *page = 0x686;
}

static u32 work(u32 count) {
  for (u32 i = 0; i < count; i++) {
    protection ^= PROT_READ;
    check(mprotect((void *)page, PAGE, protection), "mprotect");
  }
  return count;
}

static void finish(void) {
  check(mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE), "mprotect");
  if ((*page)++ != 0x686 || *page != 0x687) fail("the page lost what was in it");
}

int main(int argc, char **argv) {
  return measure(&(struct program){"ptemod", 1000, 20, prepare, work, finish}, argc, argv);
}
