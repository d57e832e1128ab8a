#include "text.h"

u32 text_length(const char *text) {
  u32 length = 0;
  while (text[length]) length++;
  return length;
}

int text_equal(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

char *put_text(char *to, const char *text) {
  while (*text) *to++ = *text++;
  return to;
}

char *put_decimal(char *to, u32 value) {
  char digits[10];
  u32 count = 0;
  do digits[count++] = '0' + value % 10;
  while (value /= 10);
  while (count) *to++ = digits[--count];
  return to;
}

char *put_hex(char *to, u32 value) {
  for (int shift = 28; shift >= 0; shift -= 4) *to++ = "0123456789abcdef"[(value >> shift) & 15];
  return to;
}

u32 parse_count(const char *text) {
  u32 value = 0;
  if (!*text) return 0;
  for (; *text; text++) {
    u32 digit = (u8)*text - '0';
    if (digit > 9 || value > (0xffffffff - digit) / 10) return 0;
    value = value * 10 + digit;
  }
  return value;
}
