/* Integers and nothing else: a block of 64 bytes is filled, sorted and summed up by CRC-32, bit by bit. */
#include "lib/program.h"

enum { BYTES = 64 };
static u8 block[BYTES];

static void fill(u32 seed) {
  for (u32 i = 0; i < BYTES; i++) {
    seed = seed * 1103515245 + 12345;
    block[i] = seed >> 16;
  }
}

/* By insertion. */
static void sort(void) {
  for (u32 i = 1; i < BYTES; i++) {
    u8 moved = block[i];
    u32 to = i;
    for (; to > 0 && block[to - 1] > moved; to--) block[to] = block[to - 1];
    block[to] = moved;
  }
}

static u32 crc32(u32 crc) {
  for (u32 i = 0; i < BYTES; i++) {
    crc ^= block[i];
    for (u32 bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return crc;
}

static u32 work(u32 count) {
  u32 crc = 0;
  for (u32 i = 0; i < count; i++) {
    fill(i % 8);
    sort();
    crc = crc32(crc);
  }
  return crc;
}

int main(int argc, char **argv) { return measure(&(struct program){"integer", 1000, 10, 0, work, 0}, argc, argv); }
