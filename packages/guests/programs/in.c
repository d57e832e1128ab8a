/* IN from port 80h, which a program may once iopl has said so. */
#include "lib/program.h"

static void prepare(char **arguments) {
  (void)arguments;
  check(iopl(3), "iopl(3)");
}

static u32 work(u32 count) {
  for (u32 i = 0; i < count; i++) {
    u8 value;
    asm volatile("inb $0x80, %0" : "=a"(value));
  }
  return count;
}

int main(int argc, char **argv) { return measure(&(struct program){"in", 10000, 100, prepare, work, 0}, argc, argv); }
