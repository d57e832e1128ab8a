/* Floating point by the x87 unit: a product of two matrices of 8 by 8, and a root of what is on its diagonal. */
#include "lib/program.h"

enum { SIZE = 8 };
static double left[SIZE][SIZE], right[SIZE][SIZE], product[SIZE][SIZE];

static void prepare(char **arguments) {
  (void)arguments;
  asm volatile("fninit"); /* 64 bits of precision, to nearest, whatever the kernel began with */
  for (u32 row = 0; row < SIZE; row++)
    for (u32 column = 0; column < SIZE; column++) {
      left[row][column] = 1.0 / (1 + row + column);
      right[row][column] = (double)(row + 1) / (column + 3);
    }
}

static void multiply(void) {
  for (u32 row = 0; row < SIZE; row++)
    for (u32 column = 0; column < SIZE; column++) {
      double sum = 0;
      for (u32 i = 0; i < SIZE; i++) sum += left[row][i] * right[i][column];
      product[row][column] = sum;
    }
}

/* The bits of the results, as whole numbers. */
static u32 work(u32 count) {
  u32 sum = 0;
  for (u32 i = 0; i < count; i++) {
    left[0][0] = i % 8 + 1;
    multiply();
    double trace = 0;
    for (u32 at = 0; at < SIZE; at++) trace += product[at][at];
    union {
      double value;
      u32 words[2];
    } root = {__builtin_sqrt(trace)};
    sum = (sum << 1 | sum >> 31) + (root.words[0] ^ root.words[1]);
  }
  return sum;
}

int main(int argc, char **argv) { return measure(&(struct program){"float", 1000, 10, prepare, work, 0}, argc, argv); }
