/* The timer: processes that never enter the kernel share the CPU; sleeping; clocks. */
#include "test.h"

static void spinning(void)
{
    begin("timer: two processes that spin let a third one work");
    s32 spinners[2];
    for (u32 i = 0; i < 2; i++) {
        spinners[i] = fork();
        if (spinners[i] == 0)
            for (;;)
                ;
    }
    u32 sum = 0;
    for (u32 i = 0; i < 5; i++) {
        struct timespec time = {0, 10000000};
        check_equal(nanosleep(&time, NULL), 0);
        sum += i;
    }
    check_equal(sum, 10);
    for (u32 i = 0; i < 2; i++) {
        s32 status;
        check_equal(waitpid(spinners[i], &status, WNOHANG), 0);
        check_equal(kill(spinners[i], SIGKILL), 0);
        check_equal(waitpid(spinners[i], &status, 0), spinners[i]);
        check_equal(status, SIGKILL);
    }
    end();
}

/* EAX to EDI, flags, all of it, while another process has the CPU again and again. */
static void registers(void)
{
    begin("timer: registers and flags survive being interrupted");
    s32 other = fork();
    if (other == 0)
        for (;;)
            asm volatile("xor %%eax, %%eax\n\txor %%ebx, %%ebx\n\txor %%ecx, %%ecx\n\txor %%edx, %%edx\n\t"
                         "xor %%esi, %%esi\n\txor %%edi, %%edi\n\tstc" ::
                             : "eax", "ebx", "ecx", "edx", "esi", "edi", "cc");
    u32 a = 0x11111111, b = 0x22222222, d = 0x44444444, S = 0x55555555, D = 0x66666666, rounds = 3000000;
    u8 carry;
    asm volatile("std\n\tclc\n"
                 "1: dec %2\n\tjnz 1b\n\t"
                 "setc %6\n\t"
                 "cld"
                 : "+a"(a), "+b"(b), "+c"(rounds), "+d"(d), "+S"(S), "+D"(D), "=m"(carry)::"cc", "memory");
    check(a == 0x11111111 && b == 0x22222222 && d == 0x44444444 && S == 0x55555555 && D == 0x66666666);
    check_equal(carry, 0);
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    end();
}

static void clocks(void)
{
    begin("timer: sleeping takes its time, and clocks agree");
    struct timespec before, after, time = {0, 250000000};
    check_equal(clock_gettime(1, &before), 0);
    check_equal(nanosleep(&time, NULL), 0);
    check_equal(clock_gettime(0, &after), 0);
    s32 passed = (after.seconds - before.seconds) * 1000 + (after.nanoseconds - before.nanoseconds) / 1000000;
    check_that(passed >= 250 && passed <= 280, "250 ms", passed);
    time.nanoseconds = 1000000000;
    check_equal(nanosleep(&time, NULL), -EINVAL);
    time.nanoseconds = 0;
    check_equal(nanosleep(&time, NULL), 0);
    check_equal(clock_gettime(99, &after), -EINVAL);
    end();
}

int main(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    spinning();
    registers();
    clocks();
    return 0;
}
