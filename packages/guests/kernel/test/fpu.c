/* x87 and SSE registers belong to a process: across switches, fork, signals. */
#include "test.h"

/* Puts a number of its own into ST0 and XMM0, lets others run, and looks. */
static u32 keep(u32 number, u32 rounds)
{
    u32 wrong = 0;
    for (u32 i = 0; i < rounds; i++) {
        u32 in[4] = {number, number + i, number ^ i, i}, out[4], x87;
        u32 whole = number * 1000 + i;
        asm volatile("fninit\n\tfildl %0\n\tmovups %1, %%xmm0" ::"m"(whole), "m"(in));
        yield();
        asm volatile("fistpl %0\n\tmovups %%xmm0, %1" : "=m"(x87), "=m"(out));
        wrong += x87 != whole || memcmp(in, out, sizeof in) != 0;
    }
    return wrong;
}

static void switches(void)
{
    begin("fpu: four processes that yield keep their registers");
    for (u32 i = 0; i < 4; i++)
        if (fork() == 0)
            exit(keep(i + 1, 200) ? 1 : 0);
    for (u32 i = 0; i < 4; i++) {
        s32 status = -1;
        waitpid(-1, &status, 0);
        check_equal(status, 0);
    }
    end();
}

static void preempted(void)
{
    begin("fpu: two processes that compute until a tick takes the CPU get the right sums");
    for (u32 i = 0; i < 2; i++)
        if (fork() == 0) {
            /* 1 + 2 + … + n, without a system call. */
            s32 n = 400000 + (s32)i, one = 1, sum;
            double result;
            asm volatile("fninit\n\tfldz\n\tfldz\n"
                         "1: fiaddl %2\n\tfadd %%st, %%st(1)\n\tdecl %1\n\tjnz 1b\n\t"
                         "fstp %%st(0)\n\tfstpl %0"
                         : "=m"(result), "+r"(n)
                         : "m"(one));
            n = 400000 + (s32)i;
            double expected = (double)n * (n + 1) / 2;
            sum = result == expected;
            exit(sum ? 0 : 1);
        }
    for (u32 i = 0; i < 2; i++) {
        s32 status = -1;
        waitpid(-1, &status, 0);
        check_equal(status, 0);
    }
    end();
}

static void inherited(void)
{
    begin("fpu: a child has its parent's registers, a new program fresh ones");
    s32 in = 1234, out = 0;
    asm volatile("fninit\n\tfildl %0" ::"m"(in));
    s32 pid = fork();
    asm volatile("fistpl %0" : "=m"(out));
    if (pid == 0)
        exit(out == 1234 ? 0 : 1);
    s32 status;
    waitpid(pid, &status, 0);
    check_equal(status, 0);
    check_equal(out, 1234);
    asm volatile("fldpi\n\tfldpi");
    u32 ones[4] = {~0u, ~0u, ~0u, ~0u};
    asm volatile("movups %0, %%xmm3" ::"m"(ones));
    status = child_status({
        char *argv[] = {"fpu", "fresh", NULL};
        execve("/tests/fpu", argv, NULL);
    });
    check_equal(status, 0);
    end();
}

static s32 fresh(void)
{
    u32 xmm[4];
    u16 status, control;
    asm volatile("movups %%xmm3, %0\n\tfnstsw %1\n\tfnstcw %2" : "=m"(xmm), "=m"(status), "=m"(control));
    return xmm[0] || xmm[3] || status || control != 0x37f;
}

static void clobber(int signal, struct siginfo *info, struct ucontext *context)
{
    (void)signal, (void)info;
    u32 zeros[4] = {0};
    asm volatile("fninit\n\tfldz\n\tfldz\n\tmovups %0, %%xmm0" ::"m"(zeros));
    /* The frame has them twice: as FNSAVE stores them, and as FXSAVE does. */
    const u16 *saved = (const u16 *)context->machine.fpstate;
    if (!saved || saved[0] != 0x37f || saved[55] != 0)
        exit(3);
}

static void signals(void)
{
    begin("fpu: a handler that uses the registers does not change them for what it interrupts");
    handle(10, clobber, SA_SIGINFO);
    s32 whole = 4321, out;
    u32 in[4] = {1, 2, 3, 4}, xmm[4];
    asm volatile("fninit\n\tfildl %0\n\tmovups %1, %%xmm0" ::"m"(whole), "m"(in));
    kill(getpid(), 10);
    asm volatile("fistpl %0\n\tmovups %%xmm0, %1" : "=m"(out), "=m"(xmm));
    check_equal(out, 4321);
    check_equal(memcmp(in, xmm, sizeof in), 0);
    end();
}

static void x87_errors(void)
{
    begin("fpu: an unmasked x87 exception is SIGFPE");
    u16 control = 0x340;
    s32 status = child_status(asm volatile("fninit\n\tfldcw %0\n\tfldz\n\tfldz\n\tfdivp\n\tfwait" ::"m"(control)));
    check_equal(status, SIGFPE);
    end();
}

static void sse_errors(void)
{
    begin("fpu: an unmasked SSE exception is SIGFPE");
    u32 mxcsr = 0x1f00;
    s32 status = child_status(asm volatile("ldmxcsr %0\n\txorps %%xmm0, %%xmm0\n\tdivss %%xmm0, %%xmm0" ::"m"(mxcsr)));
    check_equal(status, SIGFPE);
    end();
}

int main(int argc, char **argv, char **envp)
{
    (void)argv, (void)envp;
    if (argc > 1)
        return fresh();
    switches();
    preempted();
    inherited();
    signals();
    x87_errors();
    sse_errors();
    return 0;
}
