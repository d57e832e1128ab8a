/* Pipes: order, blocking both ways, the end, SIGPIPE, whole writes. */
#include "test.h"

static void bytes_in_order(void)
{
    begin("pipe: 200,000 bytes arrive in order");
    s32 ends[2];
    check_equal(pipe(ends), 0);
    if (fork() == 0) {
        close(ends[0]);
        static u8 part[1777];
        u8 next = 0;
        for (u32 sent = 0; sent < 200000;) {
            u32 bytes = MIN(sizeof part, 200000 - sent);
            for (u32 i = 0; i < bytes; i++)
                part[i] = next++;
            if (write(ends[1], part, bytes) != (s32)bytes)
                exit(1);
            sent += bytes;
        }
        exit(0);
    }
    close(ends[1]);
    static u8 got[3001];
    u8 expected = 0;
    u32 total = 0;
    s32 bytes;
    while ((bytes = read(ends[0], got, sizeof got)) > 0) {
        for (s32 i = 0; i < bytes; i++)
            check_equal(got[i], expected++);
        total += (u32)bytes;
    }
    check_equal(bytes, 0);
    check_equal(total, 200000);
    s32 status;
    waitpid(-1, &status, 0);
    check_equal(status, 0);
    close(ends[0]);
    end();
}

static void no_reader(void)
{
    begin("pipe: writing to one that nobody reads is SIGPIPE, or EPIPE if that is ignored");
    s32 ends[2];
    pipe(ends);
    close(ends[0]);
    check_equal(child_status(write(ends[1], "x", 1)), SIGPIPE);
    struct sigaction ignore = {SIG_IGN, 0, 0, 0};
    sigaction(SIGPIPE, &ignore, NULL);
    check_equal(write(ends[1], "x", 1), -EPIPE);
    check_equal(read(ends[1], ends, 1), -EBADF);
    close(ends[1]);
    end();
}

static void whole_writes(void)
{
    begin("pipe: writes of up to a page are not mixed");
    s32 ends[2];
    pipe(ends);
    for (u32 writer = 0; writer < 3; writer++)
        if (fork() == 0) {
            u8 part[600];
            for (u32 i = 0; i < sizeof part; i++)
                part[i] = (u8)('a' + writer);
            for (u32 i = 0; i < 40; i++)
                write(ends[1], part, sizeof part);
            exit(0);
        }
    close(ends[1]);
    u8 part[600];
    u32 total = 0, mixed = 0;
    for (;;) {
        s32 got = 0, more;
        while (got < 600 && (more = read(ends[0], part + got, 600 - (u32)got)) > 0)
            got += more;
        if (got < 600)
            break;
        for (u32 i = 1; i < 600; i++)
            mixed += part[i] != part[0];
        total++;
    }
    check_equal(total, 120);
    check_equal(mixed, 0);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    close(ends[0]);
    end();
}

static void many(void)
{
    begin("pipe: descriptors end with EMFILE, and come back");
    s32 ends[2], made = 0, error;
    while ((error = pipe(ends)) == 0)
        made++;
    check_equal(error, -EMFILE);
    check_equal(made, 30);
    for (s32 fd = 3; fd < 64; fd++)
        close(fd);
    check_equal(pipe(ends), 0);
    check_equal(ends[0], 3);
    check_equal(ends[1], 4);
    close(3);
    close(4);
    end();
}

int main(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    bytes_in_order();
    no_reader();
    whole_writes();
    many();
    return 0;
}
