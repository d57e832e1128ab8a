/* A system call that does nothing: getppid. */
#include "lib/program.h"

static i32 parent;

static void prepare(char **arguments) {
  (void)arguments;
  parent = getppid();
}

static u32 work(u32 count) {
  u32 right = 0;
  for (u32 i = 0; i < count; i++) right += getppid() == parent;
  if (right != count) fail("getppid gave another number");
  return right;
}

int main(int argc, char **argv) {
  return measure(&(struct program){"syscall", 10000, 100, prepare, work, 0}, argc, argv);
}
