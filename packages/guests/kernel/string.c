/* What gcc expects of every program, and the few string functions the kernel uses. */
#include "types.h"

void *memcpy(void *to, const void *from, size_t bytes)
{
    void *result = to;
    size_t words = bytes / 4;
    asm volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words)::"memory");
    size_t rest = bytes & 3;
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest)::"memory");
    return result;
}

void *memset(void *to, int value, size_t bytes)
{
    void *result = to;
    size_t words = bytes / 4;
    asm volatile("rep stosl" : "+D"(to), "+c"(words) : "a"((u8)value * 0x01010101u) : "memory");
    size_t rest = bytes & 3;
    asm volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(value) : "memory");
    return result;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const u8 *left = a, *right = b;
    for (size_t i = 0; i < bytes; i++)
        if (left[i] != right[i])
            return left[i] - right[i];
    return 0;
}

size_t strlen(const char *s)
{
    size_t length = 0;
    while (s[length])
        length++;
    return length;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (u8)*a - (u8)*b;
}
