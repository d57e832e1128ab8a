/* CPUID, leaf 0. Nothing else here leaves a guest under VT-x, which it always does. */
#include "lib/program.h"

static u32 cpuid(void) {
  u32 highest, ebx, ecx, edx;
  asm volatile("cpuid" : "=a"(highest), "=b"(ebx), "=c"(ecx), "=d"(edx) : "a"(0), "c"(0));
  return highest ^ ebx ^ ecx ^ edx;
}

static u32 work(u32 count) {
  u32 first = cpuid(), right = 0;
  for (u32 i = 0; i < count; i++) right += cpuid() == first;
  if (right != count) fail("CPUID gave something else");
  return right;
}

int main(int argc, char **argv) { return measure(&(struct program){"cpuid", 10000, 100, 0, work, 0}, argc, argv); }
