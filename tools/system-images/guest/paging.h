/* Page tables for images: RAM below 4 MB is mapped one to one, open to all rings, with accessed and dirty bits set
   already; a few pages from 4 MB on are for tests. */
#ifndef PAGING_H
#define PAGING_H
#include "runtime.h"

#define DIRECTORY 0x30000
#define IDENTITY 0x31000
#define TEST_TABLE 0x32000
/* Linear addresses of the test pages: their directory entry is 1. */
#define PAGE(n) (0x400000 + (n) * 0x1000)
/* And their frames. */
#define FRAME(n) (0x40000 + (n) * 0x1000)
#define PAGES_ 8

enum {
  P = 1, W = 2, U = 4, PWT = 8, PCD = 0x10, A = 0x20, D = 0x40, PS = 0x80, G = 0x100,
};
#define PG 0x80000000
#define WP 0x10000
#define CR4_PSE 0x10
#define CR4_PAE 0x20
#define CR4_PGE 0x80

static inline void invalidate(u32 linear) { asm volatile("invlpg (%0)" : : "r"(linear) : "memory"); }
/* Bytes of a snippet where the code of a page begins. */
static inline void place(u32 at, struct code c) {
  copy(at, c.start, c.end - c.start);
  for (u32 i = at + (c.end - c.start), n = 0; n < 8; n++, i += 2) *at16(i) = 0x0b0f;
}
#endif
