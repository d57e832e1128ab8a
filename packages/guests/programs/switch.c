/* Two processes that wake each other: a byte goes through a pipe to a child, which returns it, one larger, through
   another. Two switches a time. */
#include "lib/program.h"

static i32 child, there[2], back[2];

static _Noreturn void answer(void) {
  u8 byte;
  close(there[1]);
  while (read(there[0], &byte, 1) == 1) {
    byte++;
    if (write(back[1], &byte, 1) != 1) exit(1);
  }
  exit(7);
}

static void prepare(char **arguments) {
  (void)arguments;
  check(pipe(there), "pipe");
  check(pipe(back), "pipe");
  check(child = fork(), "fork");
  if (child == 0) answer();
}

static u32 work(u32 count) {
  u32 sum = 0;
  for (u32 i = 0; i < count; i++) {
    u8 byte = i;
    if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) fail("a pipe broke");
    if (byte != (u8)(i + 1)) fail("another byte came back");
    sum += byte;
  }
  return sum;
}

static void finish(void) {
  i32 status;
  close(there[1]);
  if (waitpid(child, &status, 0) != child || exit_code(status) != 7) fail("the child did not end as it should");
}

int main(int argc, char **argv) {
  return measure(&(struct program){"switch", 1000, 20, prepare, work, finish}, argc, argv);
}
