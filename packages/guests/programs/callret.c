/* Calls and returns: of each two, one call is direct and one through a table of four functions. */
#include "lib/program.h"

#define FUNCTION __attribute__((noinline, noclone)) static u32
FUNCTION add(u32 value) { return value + 0x9e3779b9; }
FUNCTION turn(u32 value) { return value << 7 | value >> 25; }
FUNCTION mix(u32 value) { return value ^ value >> 15; }
FUNCTION multiply(u32 value) { return value * 0x85ebca6b; }

static u32 (*const volatile functions[4])(u32) = {turn, mix, multiply, add};

static u32 work(u32 count) {
  u32 value = 1;
  for (u32 i = 0; i < count; i++) value = functions[i & 3](add(value));
  return value;
}

int main(int argc, char **argv) { return measure(&(struct program){"callret", 100000, 100, 0, work, 0}, argc, argv); }
