/* A fault that has to do with no memory: a division by zero, which a handler of SIGFPE steps past. */
#include "lib/faults.h"

static void prepare(char **arguments) {
  (void)arguments;
  step_past(SIGFPE);
}

static u32 work(u32 count) {
  u32 before = faults;
  for (u32 i = 0; i < count; i++) asm volatile(".byte 0xf7, 0xf1 # divl %%ecx" : : "a"(1), "d"(0), "c"(0) : "memory");
  if (faults - before != count) fail("a fault was lost, or came twice");
  return count;
}

int main(int argc, char **argv) {
  return measure(&(struct program){"divzero", 1000, 20, prepare, work, 0}, argc, argv);
}
