/* The little that all test programs share. */
#include "test.h"

static const char *test;
static bool good;

/* EBP is the sixth argument, and may be what variables are found by: it comes from a place of its own. */
void *mmap(void *at, u32 bytes, u32 protection, u32 flags, s32 fd, u32 page)
{
    static volatile u32 sixth __attribute__((used));
    void *result;
    sixth = page;
    asm volatile("push %%ebp\n\t"
                 "mov %c7, %%ebp\n\t"
                 "int $0x80\n\t"
                 "pop %%ebp"
                 : "=a"(result)
                 : "0"(192), "b"(at), "c"(bytes), "d"(protection), "S"(flags), "D"(fd), "i"(&sixth)
                 : "memory");
    return result;
}

void *pages(u32 count)
{
    return mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

void print(const char *text)
{
    write(1, text, strlen(text));
}

void print_number(s32 value)
{
    char text[12];
    u32 at = sizeof text - 1, rest = value < 0 ? 0u - (u32)value : (u32)value;
    text[at] = 0;
    do
        text[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        text[--at] = '-';
    print(text + at);
}

void begin(const char *name)
{
    test = name;
    good = true;
}

void check_that(bool holds, const char *what, s32 value)
{
    if (holds || !good)
        return;
    good = false;
    print("FAILED ");
    print(test);
    print(": ");
    print(what);
    print(" (");
    print_number(value);
    print(")\n");
}

void end(void)
{
    if (!good)
        return;
    print("ok ");
    print(test);
    print("\n");
}

extern const u8 restore_info[], restore_plain[];

void handle(u32 signal, handler_t *handler, u32 flags)
{
    struct sigaction action = {(u32)handler, flags | SA_RESTORER, 0, 0};
    action.restorer = (u32)(flags & SA_SIGINFO ? restore_info : restore_plain);
    sigaction(signal, &action, NULL);
}
