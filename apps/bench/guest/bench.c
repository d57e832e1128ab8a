/*
 * Five integer kernels, run one after the other and again without end. The serial port carries, for each,
 *     +name
 *     -name checksum
 * The host takes the time at the end of the first line and at the beginning of the second.
 */
typedef unsigned char u8;
typedef unsigned int u32;

/* Where the kernels work: 8 MB, which nothing else uses. */
#define DATA ((u8 *)0x400000)
#define KERNEL static __attribute__((noinline))

static void put(u8 c) { __asm__ volatile("outb %0, %w1" : : "a"(c), "d"(0x3f8)); }
static void print(const char *text) { while (*text) put(*text++); }
static void print_hex(u32 value)
{
    for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
}

/* Numbers that look random, the same each time. */
static u32 next(u32 *seed) { return *seed = *seed * 1664525u + 1013904223u; }

/* How many primes lie below 400,000. */
KERNEL u32 sieve(void)
{
    enum { LIMIT = 400000 };
    u8 *composite = DATA;
    u32 count = 0;
    for (u32 i = 0; i < LIMIT; i++) composite[i] = 0;
    for (u32 i = 2; i < LIMIT; i++) {
        if (composite[i]) continue;
        count++;
        for (u32 j = 2 * i; j < LIMIT; j += i) composite[j] = 1;
    }
    return count;
}

/* CRC-32 of 256 KB, four times, by a table of 256 words. */
KERNEL u32 crc32(void)
{
    enum { BYTES = 256 * 1024, ROUNDS = 4 };
    u32 *table = (u32 *)DATA;
    u8 *data = DATA + 0x1000;
    u32 crc = 0xffffffff;
    for (u32 i = 0; i < 256; i++) {
        u32 word = i;
        for (int bit = 0; bit < 8; bit++) word = word & 1 ? word >> 1 ^ 0xedb88320u : word >> 1;
        table[i] = word;
    }
    for (u32 i = 0; i < BYTES; i++) data[i] = i * 7 ^ i >> 8;
    for (u32 round = 0; round < ROUNDS; round++)
        for (u32 i = 0; i < BYTES; i++) crc = table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
    return ~crc;
}

static u32 sum_of(const u32 *values, u32 count)
{
    u32 sum = 0;
    for (u32 i = 0; i < count; i++) sum = sum * 31 + values[i];
    return sum;
}

/* Sorts 20,000 words. */
KERNEL u32 shellsort(void)
{
    enum { COUNT = 20000 };
    u32 *values = (u32 *)DATA, seed = 1;
    for (u32 i = 0; i < COUNT; i++) values[i] = next(&seed);
    for (u32 gap = COUNT / 2; gap > 0; gap /= 2)
        for (u32 i = gap; i < COUNT; i++) {
            u32 value = values[i], j = i;
            for (; j >= gap && values[j - gap] > value; j -= gap) values[j] = values[j - gap];
            values[j] = value;
        }
    return sum_of(values, COUNT);
}

KERNEL void sort(int *values, int low, int high)
{
    while (low < high) {
        int pivot = values[(low + high) / 2], i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot) i++;
            while (values[j] > pivot) j--;
            if (i <= j) {
                int swapped = values[i];
                values[i++] = values[j];
                values[j--] = swapped;
            }
        }
        sort(values, low, j);
        low = i;
    }
}

/* Sorts 45,000 words. */
KERNEL u32 quicksort(void)
{
    enum { COUNT = 45000 };
    u32 *values = (u32 *)DATA, seed = 2;
    for (u32 i = 0; i < COUNT; i++) values[i] = next(&seed);
    sort((int *)values, 0, COUNT - 1);
    return sum_of(values, COUNT);
}

/* Optimised as it stands: at -O2 the compiler makes one large function of many calls, and calls are what is measured. */
KERNEL __attribute__((optimize("O1"))) u32 fibonacci(u32 n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
KERNEL u32 fib(void) { return fibonacci(27); }

static void measure(const char *name, u32 (*kernel)(void))
{
    u32 sum;
    put('+');
    print(name);
    put('\n');
    sum = kernel();
    put('-');
    print(name);
    put(' ');
    print_hex(sum);
    put('\n');
}

__attribute__((noreturn, section(".text.first"))) void bench_main(void)
{
    for (;;) {
        measure("sieve", sieve);
        measure("crc32", crc32);
        measure("shellsort", shellsort);
        measure("quicksort", quicksort);
        measure("fib", fib);
    }
}
