/* Signals: handlers that change registers, masks, faults, calls that are broken off. */
#include "test.h"

static volatile s32 count, last_signal, last_code, last_address, last_pid;

static void note(int signal, struct siginfo *info, struct ucontext *context)
{
    (void)context;
    count++;
    last_signal = signal;
    last_code = info->code;
    last_address = (s32)info->address;
    last_pid = info->pid;
}

static void note_plain(int signal, struct siginfo *info, struct ucontext *context)
{
    (void)info, (void)context;
    count++;
    last_signal = signal;
}

/* Goes on where EBX says, with EAX 77. */
static void go_to_ebx(int signal, struct siginfo *info, struct ucontext *context)
{
    note(signal, info, context);
    context->machine.eip = context->machine.ebx;
    context->machine.eax = 77;
}

/* Executes one instruction; returns EAX, which is 77 if a handler skipped it. */
#define PROBE(instruction, a, c)                                                                                       \
    ({                                                                                                                 \
        s32 result_ = (s32)(a);                                                                                        \
        asm volatile("mov $1f, %%ebx\n\t" instruction "\n1:"                                                           \
                     : "+a"(result_)                                                                                   \
                     : "c"(c), "d"(0)                                                                                  \
                     : "ebx", "memory", "cc");                                                                         \
        result_;                                                                                                       \
    })

static void memory_faults(void)
{
    begin("signals: a SIGSEGV handler moves EIP and EAX, and sees the address");
    handle(SIGSEGV, go_to_ebx, SA_SIGINFO);
    count = 0;
    check_equal(PROBE("mov (%%ecx), %%eax", 1, 0x123), 77);
    check_equal(last_address, 0x123);
    check_equal(last_code, SEGV_MAPERR);
    check_equal(last_signal, SIGSEGV);
    check_equal(PROBE("mov %%eax, (%%ecx)", 1, 0xc0100000), 77);
    check_equal(last_address, 0xc0100000);
    u8 *p = pages(1);
    check_equal(PROBE("mov (%%ecx), %%eax", 1, p), 0);
    mprotect(p, PAGE, PROT_READ);
    check_equal(PROBE("mov %%al, (%%ecx)", 1, p), 77);
    check_equal(last_address, p);
    check_equal(last_code, SEGV_ACCERR);
    mprotect(p, PAGE, 0);
    check_equal(PROBE("mov (%%ecx), %%eax", 1, p), 77);
    for (u32 i = 0; i < 200; i++)
        check_equal(PROBE("mov (%%ecx), %%eax", i, 4), 77);
    check_equal(count, 204);
    end();
}

/* Gives the page that is asked for, so that the instruction succeeds. */
static void give_page(int signal, struct siginfo *info, struct ucontext *context)
{
    (void)signal, (void)context;
    count++;
    mprotect((void *)(info->address & ~PAGE_MASK), PAGE, PROT_READ | PROT_WRITE);
}

static void repair(void)
{
    begin("signals: a handler repairs the mapping, and the instruction is executed again");
    handle(SIGSEGV, give_page, SA_SIGINFO);
    u8 *p = pages(16);
    mprotect(p, 16 * PAGE, 0);
    count = 0;
    for (u32 i = 0; i < 16 * PAGE; i += 512)
        p[i] = (u8)(i / 512);
    for (u32 i = 0; i < 16 * PAGE; i += 512)
        check_equal(p[i], (u8)(i / 512));
    check_equal(count, 16);
    end();
}

static void exceptions(void)
{
    begin("signals: divide errors, illegal and privileged instructions, INT3, INTO");
    handle(SIGFPE, go_to_ebx, SA_SIGINFO);
    handle(SIGILL, go_to_ebx, SA_SIGINFO);
    handle(SIGSEGV, go_to_ebx, SA_SIGINFO);
    handle(SIGTRAP, go_to_ebx, SA_SIGINFO);
    count = 0;
    check_equal(PROBE("divl %%ecx", 1, 0), 77);
    check_equal(last_signal, SIGFPE);
    check_equal(last_code, FPE_INTDIV);
    check_equal(PROBE("ud2", 1, 0), 77);
    check_equal(last_signal, SIGILL);
    check_equal(PROBE("int3", 1, 0), 77);
    check_equal(last_signal, SIGTRAP);
    check_equal(PROBE("mov $0x7fffffff, %%eax\n\tadd $1, %%eax\n\tinto", 1, 0), 77);
    check_equal(last_signal, SIGSEGV);
#define PRIVILEGED(text)                                                                                               \
    last_signal = 0;                                                                                                   \
    check_equal(PROBE(text, 1, 0), 77);                                                                                \
    check_equal(last_signal, SIGSEGV)
    PRIVILEGED("cli");
    PRIVILEGED("sti");
    PRIVILEGED("hlt");
    PRIVILEGED("inb $0x64, %%al");
    PRIVILEGED("outb %%al, $0xf4");
    PRIVILEGED("mov %%cr0, %%eax");
    PRIVILEGED("mov %%eax, %%cr3");
    PRIVILEGED("mov %%eax, %%dr7");
    PRIVILEGED("invlpg (%%ecx)");
    PRIVILEGED("clts");
    PRIVILEGED("wbinvd");
    PRIVILEGED("lidt (%%ecx)");
    PRIVILEGED("lgdt (%%ecx)");
    PRIVILEGED("ltr %%ax");
    PRIVILEGED("lmsw %%ax");
    PRIVILEGED("rdmsr");
    PRIVILEGED("int $0x20");
    PRIVILEGED("int $0x0e");
    PRIVILEGED("mov $0x68, %%eax\n\tmov %%eax, %%ds");
    PRIVILEGED("mov $0x63, %%eax\n\tmov %%eax, %%ss");
    PRIVILEGED("ljmp $0x60, $0xc0100000");
    PRIVILEGED("sysenter");
    end();
}

static void nesting(int signal, struct siginfo *info, struct ucontext *context)
{
    (void)info, (void)context;
    if (++count < 5)
        kill(getpid(), signal);
}

static void masks(void)
{
    begin("signals: blocked ones wait; SA_NODEFER nests; without SA_SIGINFO sigreturn");
    handle(10, note_plain, 0);
    u64 ten = 1ull << 9, old = 0;
    count = 0;
    check_equal(sigprocmask(SIG_BLOCK, &ten, &old), 0);
    check_equal(old, 0);
    kill(getpid(), 10);
    kill(getpid(), 10);
    check_equal(count, 0);
    check_equal(sigprocmask(SIG_UNBLOCK, &ten, &old), 0);
    check_equal((s32)old, 1 << 9);
    check_equal(count, 1);
    check_equal(last_signal, 10);
    count = 0;
    handle(10, nesting, SA_SIGINFO | SA_NODEFER);
    kill(getpid(), 10);
    check_equal(count, 5);
    handle(10, note, SA_SIGINFO | SA_RESETHAND);
    kill(getpid(), 10);
    check_equal(last_pid, getpid());
    check_equal(last_code, SI_USER);
    struct sigaction now;
    sigaction(10, NULL, &now);
    check_equal(now.handler, SIG_DFL);
    check_equal(child_status(kill(getpid(), 10)), 10);
    check_equal(child_status(kill(getpid(), 64)), 64);
    check_equal(child_status(kill(getpid(), SIGCHLD)), 0);
    check_equal(kill(getpid(), 65), -EINVAL);
    check_equal(kill(30000, 9), -ESRCH);
    check_equal(kill(1, SIGKILL), 0);
    struct sigaction kill_handler = {(u32)main, 0, 0, 0};
    check_equal(sigaction(SIGKILL, &kill_handler, NULL), -EINVAL);
    check_equal(sigaction(0, &kill_handler, NULL), -EINVAL);
    check_equal(sigaction(65, &kill_handler, NULL), -EINVAL);
    u64 all = ~0ull;
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigprocmask(SIG_SETMASK, &old, &all);
    check_equal((s32)all, ~(1 << 8 | 1 << 18));
    all = 0;
    sigprocmask(SIG_SETMASK, &all, NULL);
    end();
}

static void blocked_faults(void)
{
    begin("signals: a fault whose signal is blocked or ignored ends the process");
    u64 segv = 1ull << 10;
    handle(SIGSEGV, note, SA_SIGINFO);
    check_equal(child_status({
                    sigprocmask(SIG_BLOCK, &segv, NULL);
                    *(volatile u8 *)0 = 1;
                }),
                SIGSEGV);
    check_equal(child_status({
                    struct sigaction ignore = {SIG_IGN, 0, 0, 0};
                    sigaction(SIGSEGV, &ignore, NULL);
                    *(volatile u8 *)0 = 1;
                }),
                SIGSEGV);
    check_equal(child_status(asm volatile("mov $16, %%esp\n\tmovl $0, 0\n" ::: "memory")), SIGSEGV);
    check_equal(child_status(asm volatile("mov $0xc0000000, %%esp\n\tpush %%eax\n" ::: "memory")), SIGSEGV);
    end();
}

static void broken_off(void)
{
    begin("signals: a call that waits is broken off with EINTR, or begins again with SA_RESTART");
    s32 ends[2];
    pipe(ends);
    for (u32 again = 0; again < 2; again++) {
        handle(10, note_plain, again ? SA_RESTART : 0);
        count = 0;
        s32 parent = getpid(), pid = fork();
        if (pid == 0) {
            for (u32 i = 0; i < 5; i++)
                yield();
            kill(parent, 10);
            for (u32 i = 0; i < 5; i++)
                yield();
            write(ends[1], "x", 1);
            exit(0);
        }
        char byte;
        check_equal(read(ends[0], &byte, 1), again ? 1 : -EINTR);
        check_equal(count, 1);
        waitpid(pid, NULL, 0);
        if (!again)
            check_equal(read(ends[0], &byte, 1), 1);
    }
    struct timespec long_time = {100, 0}, rest;
    s32 parent = getpid(), pid = fork();
    if (pid == 0) {
        struct timespec short_time = {0, 50000000};
        nanosleep(&short_time, NULL);
        kill(parent, 10);
        exit(0);
    }
    check_equal(nanosleep(&long_time, &rest), -EINTR);
    check(rest.seconds == 99);
    waitpid(pid, NULL, 0);
    close(ends[0]), close(ends[1]);
    end();
}

/* A program may return from a signal it never got, with any registers it likes. */
static void forged(void)
{
    begin("signals: forged frames give no power and stop nothing");
    static struct {
        u32 signal, info, context;
        struct siginfo i;
        struct ucontext c;
    } fake;
    s32 parent = getpid();
    u32 seed = 7;
    u32 survived = 0;
    for (u32 round = 0; round < 150; round++) {
        u32 *words = (u32 *)&fake.c.machine;
        for (u32 i = 0; i < sizeof fake.c.machine / 4; i++) {
            seed = seed * 1103515245 + 12345;
            words[i] = seed >> 3 ^ seed << 20;
        }
        if (round % 3) {
            /* What is executable and mapped, with wild flags and selectors. */
            fake.c.machine.eip = (u32)main;
            fake.c.machine.esp = (u32)&fake + sizeof fake;
            if (round % 3 == 1)
                fake.c.machine.fpstate = 0;
        }
        s32 pid = fork();
        if (pid == 0) {
            handle(SIGSEGV, NULL, 0);
            close(1);
            asm volatile("mov %0, %%esp\n\tmov $173, %%eax\n\tint $0x80" ::"r"(&fake.signal) : "memory");
            exit(0);
        }
        s32 status;
        for (u32 i = 0; i < 3 && waitpid(pid, &status, WNOHANG) == 0; i++)
            yield();
        kill(pid, SIGKILL);
        if (waitpid(pid, &status, 0) <= 0)
            survived++;
    }
    check_equal(getpid(), parent);
    end();
}

int main(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    memory_faults();
    repair();
    exceptions();
    masks();
    blocked_faults();
    broken_off();
    forged();
    return 0;
}
