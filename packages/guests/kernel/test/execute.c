/* execve: arguments, environment, auxiliary vector, what stays and what goes. Runs itself as its own child. */
#include "test.h"

static s32 data = 11;
static s32 zeros[3000];

static s32 as_child(int argc, char **argv, char **envp)
{
    begin("execve: the child's view");
    check_equal(argc, 4);
    check(strcmp(argv[2], "with space") == 0 && strcmp(argv[3], "") == 0 && argv[4] == NULL);
    check(strcmp(envp[0], "X=y") == 0 && strcmp(envp[1], "EMPTY=") == 0 && envp[2] == NULL);
    check_equal((u32)(argv - 1) & 15, 0);
    u32 found = 0, page = 0, entry = 0, headers = 0;
    const char *path = NULL;
    const u32 *auxiliary = (const u32 *)(envp + 3);
    for (; auxiliary[0]; auxiliary += 2) {
        found++;
        if (auxiliary[0] == AT_PAGESZ)
            page = auxiliary[1];
        if (auxiliary[0] == AT_ENTRY)
            entry = auxiliary[1];
        if (auxiliary[0] == AT_PHDR)
            headers = auxiliary[1];
        if (auxiliary[0] == AT_EXECFN)
            path = (const char *)auxiliary[1];
    }
    extern const u8 _start[];
    check(found > 8);
    check_equal(page, PAGE);
    check(entry == (u32)_start);
    check(path && strcmp(path, "/tests/execute") == 0);
    check(headers && (((const u32 *)headers)[0] == ELF_LOAD || ((const u32 *)headers)[0] > ELF_LOAD));
    check_equal(data, 11);
    for (u32 i = 0; i < COUNT(zeros); i++)
        check_equal(zeros[i], 0);
    struct sigaction action;
    sigaction(10, NULL, &action);
    check_equal(action.handler, SIG_DFL);
    sigaction(12, NULL, &action);
    check_equal(action.handler, SIG_IGN);
    char byte;
    check_equal(read(20, &byte, 1), -EBADF);
    check_equal(read(21, &byte, 1), 1);
    check_equal(byte, 0x7f);
    end();
    return 42;
}

static void never(int signal, struct siginfo *info, struct ucontext *context)
{
    (void)signal, (void)info, (void)context;
}

static void run_itself(void)
{
    begin("execve: the exit status of the new program");
    data = 12;
    zeros[1] = 1;
    s32 status = child_status({
        handle(10, never, 0);
        struct sigaction ignore = {SIG_IGN, 0, 0, 0};
        sigaction(12, &ignore, NULL);
        s32 fd = open("/tests/execute", O_RDONLY, 0);
        s32 closed = open("/tests/execute", O_RDONLY | O_CLOEXEC, 0);
        dup2(fd, 21);
        close(20);
        while (closed != 20 && closed >= 0 && closed < 20)
            closed = open("/tests/execute", O_RDONLY | O_CLOEXEC, 0);
        char *argv[] = {"execute", "child", "with space", "", NULL};
        char *envp[] = {"X=y", "EMPTY=", NULL};
        execve("/tests/execute", argv, envp);
        exit(1);
    });
    check_equal(status, EXITED(42));
    end();
}

static void refused(void)
{
    begin("execve: what cannot run is refused, and the program goes on");
    char *argv[] = {"x", NULL};
    check_equal(execve("/nothing", argv, NULL), -ENOENT);
    check_equal(execve("/tests", argv, NULL), -EACCES);
    check_equal(execve("/dev/null", argv, NULL), -EACCES);
    s32 fd = open("/text", O_RDWR | O_CREAT, 0755);
    write(fd, "not a program, but some words of text that are long enough for a header", 64);
    close(fd);
    check_equal(execve("/text", argv, NULL), -ENOEXEC);
    unlink("/text");
    check_equal(execve("/tests/execute", (char **)4, NULL), -EFAULT);
    char *bad[] = {"x", (char *)0xc0100000, NULL};
    check_equal(execve("/tests/execute", bad, NULL), -EFAULT);
    char *large = pages(20);
    for (u32 i = 0; i < 20 * PAGE - 1; i++)
        large[i] = 'x';
    char *too_large[] = {large, NULL};
    check_equal(execve("/tests/execute", too_large, NULL), -E2BIG);
    end();
}

/* Damaged headers: each a byte of the first 150 changed. What runs may do as it likes; the kernel goes on. */
static void damaged(void)
{
    begin("execve: 300 damaged programs do no harm");
    static u8 image[16384];
    s32 fd = open("/tests/execute", O_RDONLY, 0);
    s32 bytes = read(fd, image, sizeof image);
    close(fd);
    check(bytes > 4096);
    u32 seed = 1;
    for (u32 round = 0; round < 300; round++) {
        seed = seed * 1103515245 + 12345;
        u32 at = seed >> 8 & 0x7f;
        u8 before = image[at];
        image[at] = (u8)(seed >> 20);
        fd = open("/damaged", O_RDWR | O_CREAT | O_TRUNC, 0755);
        write(fd, image, (u32)bytes);
        close(fd);
        image[at] = before;
        s32 pid = fork();
        if (pid == 0) {
            for (u32 i = 0; i < 8; i++)
                close(i);
            char *argv[] = {"damaged", "quiet", NULL};
            execve("/damaged", argv, NULL);
            exit(0);
        }
        s32 status;
        for (u32 i = 0; i < 50 && waitpid(pid, &status, WNOHANG) == 0; i++)
            yield();
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    unlink("/damaged");
    end();
}

int main(int argc, char **argv, char **envp)
{
    if (argc == 2)
        return 0;
    if (argc > 1)
        return as_child(argc, argv, envp);
    run_itself();
    refused();
    damaged();
    return 0;
}
