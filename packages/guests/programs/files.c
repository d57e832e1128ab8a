/* Small files in the current directory: one is created, written, read again and removed. */
#include "lib/program.h"

enum { BYTES = 1024 };
static const char path[] = "vmexit-files";
static u32 written[BYTES / 4], found[BYTES / 4];

static u32 one(u32 number) {
  u32 sum = 0;
  for (u32 i = 0; i < BYTES / 4; i++) written[i] = number + i, found[i] = 0;
  i32 file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  check(file, "open");
  if (write(file, written, BYTES) != BYTES) fail("not all was written");
  if (lseek(file, 0, SEEK_END) != BYTES) fail("the file has another length");
  check(lseek(file, 0, SEEK_SET), "lseek");
  if (read(file, found, BYTES) != BYTES) fail("not all was read");
  check(close(file), "close");
  check(unlink(path), "unlink");
  for (u32 i = 0; i < BYTES / 4; i++) {
    if (found[i] != written[i]) fail("something else was read");
    sum += found[i];
  }
  return sum;
}

static u32 work(u32 count) {
  u32 sum = 0;
  for (u32 i = 0; i < count; i++) sum += one(i);
  if (!is_error(open(path, O_RDWR, 0))) fail("the file is still there");
  return sum;
}

int main(int argc, char **argv) { return measure(&(struct program){"files", 100, 10, 0, work, 0}, argc, argv); }
