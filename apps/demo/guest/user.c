/* The demo's process, in ring 3: it draws, computes, recurses, copies, and does what a process may not do. */
#include "abi.h"

static char line[4096];
static u32 used;

static u32 call(u32 number, const void *b, u32 c)
{
    u32 result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(b), "c"(c) : "memory");
    return result;
}
static void flush(void)
{
    call(CALL_WRITE, line, used);
    used = 0;
}
static void put(char c)
{
    if (used == sizeof line) flush();
    line[used++] = c;
}
static void print(const char *text) { while (*text) put(*text++); }
static void print_number(u32 value)
{
    char digits[10];
    u32 n = 0;
    do digits[n++] = '0' + value % 10; while (value /= 10);
    while (n) put(digits[--n]);
}

/* The Mandelbrot set, in 32-bit fixed point with 12 fractional bits. */
static void draw(void)
{
    enum { ONE = 1 << 12, WIDTH = 72, HEIGHT = 21, LIMIT = 400 };
    for (int row = 0; row < HEIGHT; row++) {
        int ci = (row - HEIGHT / 2) * (2 * ONE + ONE / 4) / (HEIGHT - 1);
        for (int column = 0; column < WIDTH; column++) {
            int cr = column * 3 * ONE / (WIDTH - 1) - 2 * ONE - ONE / 8;
            int zr = 0, zi = 0, n = 0;
            for (; n < LIMIT; n++) {
                int rr = zr * zr >> 12, ii = zi * zi >> 12;
                if (rr + ii > 4 * ONE) break;
                zi = (zr * zi >> 11) + ci;
                zr = rr - ii + cr;
            }
            put(n == LIMIT ? '@' : " .,:;-=+*#%"[n < 12 ? n - 1 : 10]);
        }
        put('\n');
        flush();
    }
}

/* A sieve in memory that nobody has touched yet: each page of it is given by a page fault. */
static u32 count_primes(u32 below)
{
    u8 *composite = (u8 *)USER_HEAP;
    u32 count = 0;
    for (u32 i = 2; i < below; i++) {
        if (composite[i]) continue;
        count++;
        for (u32 j = 2 * i; j < below; j += i) composite[j] = 1;
    }
    return count;
}

/* Needs a page of stack for every few calls. */
static __attribute__((noinline)) u32 depth(u32 n)
{
    volatile u32 room[56];
    room[0] = n;
    return n == 0 ? 0 : depth(room[0] - 1) + 1;
}

static u32 copy_around(u32 bytes, u32 rounds)
{
    u8 *a = (u8 *)(USER_HEAP + 0x80000), *b = a + bytes;
    u32 sum = 0;
    for (u32 i = 0; i < bytes; i++) a[i] = i * 7 + (i >> 8);
    for (u32 round = 0; round < rounds; round++) {
        u8 *from = round & 1 ? b : a, *to = round & 1 ? a : b;
        u32 count = bytes;
        __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
    }
    for (u32 i = 0; i < bytes; i++) sum = sum * 31 + b[i];
    return sum;
}

/* After each the kernel says what it was, and goes on at the label whose address is in EBX. */
static void misbehave(void)
{
    print("\nNow what a process may not do: divide by zero,\n");
    flush();
    __asm__ volatile("mov $1f, %%ebx; xor %%ecx, %%ecx; div %%ecx; 1:" : : : "eax", "ebx", "ecx", "edx");
    print("execute an undefined instruction,\n");
    flush();
    __asm__ volatile("mov $1f, %%ebx; ud2; 1:" : : : "ebx");
    print("halt the machine,\n");
    flush();
    __asm__ volatile("mov $1f, %%ebx; hlt; 1:" : : : "ebx");
    print("write into the kernel.\n");
    flush();
    __asm__ volatile("mov $1f, %%ebx; movl $0, 0x10000; 1:" : : : "ebx", "memory");
}

__attribute__((section(".first"), noreturn)) void user_main(void)
{
    print("Hello from ring 3.\n\n");
    draw();
    print("\nprimes below 200000: ");
    print_number(count_primes(200000));
    print("\ncalls within calls: ");
    print_number(depth(1000));
    print("\n64 KB copied to and fro, checksum: ");
    print_number(copy_around(0x10000, 5));
    print("\n");
    misbehave();
    call(CALL_EXIT, 0, 0);
    for (;;) {}
}
