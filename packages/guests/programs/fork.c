/* A child that exits at once, and is waited for. */
#include "lib/program.h"

static u32 work(u32 count) {
  u32 sum = 0;
  for (u32 i = 0; i < count; i++) {
    i32 status, child = fork();
    check(child, "fork");
    if (child == 0) exit(i & 63);
    if (waitpid(child, &status, 0) != child) fail("waitpid gave another process");
    if (exit_code(status) != (i & 63)) fail("a child ended with another exit code");
    sum += exit_code(status);
  }
  return sum;
}

int main(int argc, char **argv) { return measure(&(struct program){"fork", 100, 10, 0, work, 0}, argc, argv); }
