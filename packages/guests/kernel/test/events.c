/* What events.ts counts the kernel's work for: each thing once between two markers, after it was done once before. */
#include "test.h"

static u8 area[64 * PAGE] __attribute__((aligned(4096)));
static volatile u8 *const page = area;

/* getppid marks; the number in ESI says what comes. */
#define MARK(number) SYSTEM_CALL(64, 0, 0, 0, number, 0)

static void switching(u32 mark)
{
    s32 there[2], back[2];
    pipe(there), pipe(back);
    s32 pid = fork();
    char byte = 0;
    if (pid == 0)
        for (;;) {
            read(there[0], &byte, 1);
            write(back[1], &byte, 1);
        }
    for (u32 i = 0; i < 2; i++) {
        MARK(i ? mark : 99);
        write(there[1], &byte, 1);
        read(back[0], &byte, 1);
        MARK(0);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(there[0]), close(there[1]), close(back[0]), close(back[1]);
}

int main(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv;
    if (argc > 1)
        return 0;
    volatile s32 pid;
    MARK(98);
    MARK(0);
    MARK(1);
    pid = getpid();
    MARK(0);
    switching(2);
    page[0] = 1;
    MARK(3);
    page[PAGE] = 1;
    MARK(0);
    /* A child shares all of this, and ends: the parent is the last sharer then. */
    for (u32 i = 0; i < 64; i++)
        page[i * PAGE] = 1;
    for (u32 i = 0; i < 2; i++) {
        MARK(i ? 4 : 99);
        pid = fork();
        if (pid == 0)
            exit(0);
        MARK(0);
        if (i == 1) {
            MARK(5);
            page[0] = 2;
            MARK(0);
        }
        waitpid(pid, NULL, 0);
        for (u32 p = 2; p < 64; p++)
            page[p * PAGE] = 3;
    }
    MARK(6);
    page[PAGE] = 2;
    MARK(0);
    MARK(7);
    mprotect((void *)page, PAGE, PROT_READ);
    MARK(0);
    MARK(8);
    mprotect((void *)page, 16 * PAGE, PROT_READ);
    MARK(0);
    MARK(9);
    munmap((void *)page, 16 * PAGE);
    MARK(0);
    char *again[] = {argv[0], "again", NULL};
    pid = fork();
    if (pid == 0) {
        MARK(10);
        execve("/tests/events", again, envp);
    }
    waitpid(pid, NULL, 0);
    MARK(0);
    return 0;
}
