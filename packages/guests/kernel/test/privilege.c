/* What a program may try against the kernel: selectors, segments, single steps, ports. */
#include "test.h"

static volatile s32 steps;

static void step(int signal, struct siginfo *info, struct ucontext *context)
{
    (void)signal, (void)info;
    steps++;
    if (steps == 20)
        context->machine.eflags &= ~0x100u;
}

static void single_steps(void)
{
    begin("privilege: single steps are SIGTRAP, through system calls too");
    handle(SIGTRAP, step, SA_SIGINFO);
    asm volatile("pushf\n\torl $0x100, (%%esp)\n\tpopf\n\t"
                 "mov $20, %%eax\n\tint $0x80\n\tmov $20, %%eax\n\tint $0x80\n\t"
                 ".rept 30\n\tnop\n\t.endr" ::
                     : "eax", "cc", "memory");
    check_equal(steps, 20);
    check_equal(getpid() > 0, 1);
    end();
}

struct user_desc tls(u32 entry, u32 base, u32 limit, u32 flags)
{
    return (struct user_desc){entry, base, limit, flags};
}

static u32 read_gs(void)
{
    u32 value;
    asm volatile("movl %%gs:0, %0" : "=r"(value));
    return value;
}

static void thread_storage(void)
{
    begin("privilege: GS keeps its segment across switches, and fork; another process has its own");
    static u32 mine = 111, others = 222;
    struct user_desc segment = tls(~0u, (u32)&mine, 0xfffff, DESC_32BIT | DESC_PAGES);
    check_equal(CALL1(243, &segment), 0);
    check_equal(segment.entry, 6);
    asm volatile("mov %0, %%gs" ::"r"(segment.entry * 8 + 3));
    check_equal(read_gs(), 111);
    s32 pid = fork();
    if (pid == 0) {
        if (read_gs() != 111)
            exit(1);
        segment = tls(6, (u32)&others, 0xfffff, DESC_32BIT | DESC_PAGES);
        if (CALL1(243, &segment))
            exit(2);
        asm volatile("mov %0, %%gs" ::"r"(0x33));
        for (u32 i = 0; i < 10; i++) {
            yield();
            if (read_gs() != 222)
                exit(3);
        }
        exit(0);
    }
    for (u32 i = 0; i < 10; i++) {
        yield();
        check_equal(read_gs(), 111);
    }
    s32 status;
    waitpid(pid, &status, 0);
    check_equal(status, 0);
    segment.limit = 0x100000;
    check_equal(CALL1(243, &segment), -EINVAL);
    segment = tls(9, 0, 0xfffff, DESC_32BIT | DESC_PAGES);
    check_equal(CALL1(243, &segment), -EINVAL);
    segment = tls(6, 0, 0xfffff, DESC_32BIT | DESC_PAGES | DESC_CONTENTS);
    check_equal(CALL1(243, &segment), -EINVAL);
    end();
}

static void pulled_away(void)
{
    begin("privilege: segments that vanish while they are loaded do no harm");
    struct user_desc segment = tls(7, 0, 0xfffff, DESC_32BIT | DESC_PAGES);
    struct user_desc none = tls(7, 0, 0, DESC_READ_ONLY | DESC_NOT_PRESENT);
    s32 status = child_status({
        CALL1(243, &segment);
        asm volatile("mov %0, %%fs\n\tmov %0, %%gs\n\tmov %0, %%es" ::"r"(0x3b));
        CALL1(243, &none);
        u32 fs;
        asm volatile("mov %%fs, %0\n\tpush %%ds\n\tpop %%es" : "=r"(fs));
        exit(fs & 0xffff);
    });
    check_equal(status, 0);
    status = child_status({
        CALL1(243, &segment);
        asm volatile("mov %0, %%ss\n\tmov $243, %%eax\n\tint $0x80" ::"r"(0x3b), "b"(&none) : "eax", "memory");
    });
    check_equal(status, SIGSEGV);
    end();
}

static void ports(void)
{
    begin("privilege: iopl gives ports, and a child inherits them");
    check_equal(CALL1(110, 4), -EINVAL);
    s32 status = child_status({
        CALL1(110, 3);
        asm volatile("cli\n\tsti\n\tinb $0x64, %%al" ::: "eax");
        if (fork() == 0) {
            asm volatile("inb $0x64, %%al" ::: "eax");
            exit(0);
        }
        s32 inner;
        waitpid(-1, &inner, 0);
        exit(inner ? 1 : 0);
    });
    check_equal(status, 0);
    check_equal(child_status(asm volatile("inb $0x64, %%al" ::: "eax")), SIGSEGV);
    end();
}

static void instructions(void)
{
    begin("privilege: 200 runs of random bytes as instructions do no harm");
    u8 *code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    u32 seed = 3;
    for (u32 round = 0; round < 200; round++) {
        for (u32 i = 0; i < 64; i++) {
            seed = seed * 1103515245 + 12345;
            code[i] = (u8)(seed >> 16);
        }
        s32 pid = fork();
        if (pid == 0) {
            for (u32 i = 0; i < 8; i++)
                close(i);
            ((void (*)(void))code)();
            exit(0);
        }
        s32 status;
        for (u32 i = 0; i < 3 && waitpid(pid, &status, WNOHANG) == 0; i++)
            yield();
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    check_equal(getpid() > 0, 1);
    end();
}

int main(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    single_steps();
    thread_storage();
    pulled_away();
    ports();
    instructions();
    return 0;
}
