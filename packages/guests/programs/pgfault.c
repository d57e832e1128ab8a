/* A page fault that is the guest's own: a byte is read that nobody may read, and a handler of SIGSEGV steps past. */
#include "lib/faults.h"

static i32 page;

static void prepare(char **arguments) {
  (void)arguments;
  check(page = map_memory(PAGE, PROT_NONE), "mmap2");
  step_past(SIGSEGV);
}

static u32 work(u32 count) {
  u32 before = faults;
  for (u32 i = 0; i < count; i++) asm volatile(".byte 0x8a, 0x01 # movb (%%ecx), %%al" : : "c"(page) : "eax", "memory");
  if (faults - before != count) fail("a fault was lost, or came twice");
  return count;
}

int main(int argc, char **argv) {
  return measure(&(struct program){"pgfault", 1000, 20, prepare, work, 0}, argc, argv);
}
