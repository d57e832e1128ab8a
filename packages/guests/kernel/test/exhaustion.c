/* No memory, no processes: errors, the end of who asks for too much, and recovery. */
#include "test.h"

/* Each process forks as often as it can; all end when the pipe does. */
static void bomb(void)
{
    begin("exhaustion: a fork bomb ends in EAGAIN or ENOMEM, and afterwards all is as before");
    for (u32 round = 0; round < 3; round++) {
        s32 ends[2], errors[2];
        pipe(ends), pipe(errors);
        s32 pid = fork();
        if (pid == 0) {
            close(ends[1]);
            s32 child, depth = 0;
            do
                child = fork();
            while (child >= 0 && ++depth);
            u8 byte = (u8)-child;
            write(errors[1], &byte, 1);
            read(ends[0], &byte, 1);
            exit(0);
        }
        u8 error = 0;
        check_equal(read(errors[0], &error, 1), 1);
        check(error == EAGAIN || error == ENOMEM);
        close(ends[0]), close(ends[1]), close(errors[0]), close(errors[1]);
        check_equal(kill(-1, SIGKILL), 0);
        waitpid(pid, NULL, 0);
        struct timespec moment = {0, 100000000};
        nanosleep(&moment, NULL);
        check_equal(child_status(exit(3)), EXITED(3));
    }
    end();
}

/* How many pages a child can touch before it is ended. */
static s32 touched(void)
{
    s32 ends[2];
    pipe(ends);
    s32 status = child_status({
        u8 *p = pages(0x10000);
        for (u32 i = 0; i < 0x10000; i++) {
            p[i * PAGE] = 1;
            if (i % 64 == 0)
                write(ends[1], "x", 1);
        }
    });
    check_equal(status, SIGKILL);
    close(ends[1]);
    static u8 got[4096];
    s32 count = read(ends[0], got, sizeof got);
    close(ends[0]);
    return count;
}

static void all_memory(void)
{
    begin("exhaustion: who touches more memory than there is is ended, and all of it is free again");
    touched();
    s32 first = touched();
    for (u32 i = 0; i < 3; i++)
        check_equal(touched(), first);
    end();
}

static void full_files(void)
{
    begin("exhaustion: files that fill the memory end with ENOMEM, and give it back");
    static u8 part[65536];
    s32 first = 0;
    for (u32 round = 0; round < 3; round++) {
        s32 fd = open("/full", O_RDWR | O_CREAT, 0644);
        s32 written, total = 0;
        while ((written = write(fd, part, sizeof part)) > 0)
            total += written;
        check_equal(written, -ENOMEM);
        check(total > 1000000);
        check(fork() < 0);
        if (round == 1)
            first = total;
        if (round == 2)
            check_equal(total, first);
        s32 ends[2];
        s32 error = pipe(ends);
        check(error == -ENOMEM || error == 0);
        close(fd);
        check_equal(unlink("/full"), 0);
        if (error == 0)
            close(ends[0]), close(ends[1]);
    }
    check_equal(child_status(exit(4)), EXITED(4));
    end();
}

/* How many areas a child can have, each a piece of the kernel's own memory. */
static s32 areas(void)
{
    s32 ends[2];
    pipe(ends);
    check_equal(child_status({
                    s32 made = 0;
                    u8 *base = (u8 *)0x20000000;
                    u32 flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
                    while (made < 100000 && !failed(mmap(base + made * 2 * PAGE, PAGE, PROT_READ, flags, -1, 0)))
                        made += 1;
                    write(ends[1], &made, sizeof made);
                }),
                0);
    s32 made = 0;
    read(ends[0], &made, sizeof made);
    close(ends[0]), close(ends[1]);
    return made;
}

static void kernel_memory(void)
{
    begin("exhaustion: the kernel's own memory for a program is free again when it ends");
    s32 first = areas();
    check(first > 1000 && first < 1024);
    for (u32 i = 0; i < 3; i++)
        check_equal(areas(), first);
    end();
}

static void copies(void)
{
    begin("exhaustion: copy-on-write without memory for the copy ends one process, not the kernel");
    u8 *p = pages(0x10000);
    /* A third of what is there, written by parent and three children. */
    s32 share = touched() * 64 / 3;
    for (s32 i = 0; i < share; i++)
        p[i * PAGE] = 1;
    s32 ended = 0;
    s32 children[4];
    for (u32 c = 0; c < 4; c++) {
        children[c] = fork();
        if (children[c] == 0) {
            for (s32 i = 0; i < share; i++)
                p[i * PAGE] = 2;
            struct timespec moment = {0, 200000000};
            nanosleep(&moment, NULL);
            exit(0);
        }
    }
    for (u32 c = 0; c < 4; c++) {
        s32 status;
        if (children[c] > 0) {
            waitpid(children[c], &status, 0);
            ended += status == SIGKILL;
        }
    }
    check(ended > 0);
    s32 wrong = 0;
    for (s32 i = 0; i < share; i++)
        wrong += p[i * PAGE] != 1;
    check_equal(wrong, 0);
    munmap(p, 0x10000 * PAGE);
    end();
}

int main(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    bomb();
    all_memory();
    full_files();
    kernel_memory();
    copies();
    return 0;
}
