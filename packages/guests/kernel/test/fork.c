/* fork, copy-on-write, the end of a process and the wait for it. */
#include "test.h"

static s32 shared = 1;
static u8 large[64 * PAGE];

static void copy_on_write(void)
{
    begin("fork: parent and child each have their own copy of what is written");
    for (u32 i = 0; i < sizeof large; i += PAGE)
        large[i] = (u8)(i / PAGE);
    s32 ends[2];
    pipe(ends);
    s32 pid = fork();
    if (pid == 0) {
        shared = 2;
        u32 wrong = 0;
        for (u32 i = 0; i < sizeof large; i += PAGE) {
            wrong += large[i] != (u8)(i / PAGE);
            large[i] = 0xee;
        }
        write(ends[1], &wrong, sizeof wrong);
        exit(shared);
    }
    u32 wrong = 1;
    read(ends[0], &wrong, sizeof wrong);
    check_equal(wrong, 0);
    check_equal(shared, 1);
    for (u32 i = 0; i < sizeof large; i += PAGE)
        check_equal(large[i], (u8)(i / PAGE));
    s32 status;
    check_equal(waitpid(pid, &status, 0), pid);
    check_equal(status, EXITED(2));
    large[0] = 7;
    check_equal(large[0], 7);
    end();
    close(ends[0]);
    close(ends[1]);
}

static void generations(void)
{
    begin("fork: six generations change one page, and none sees another's change");
    static s32 depth;
    s32 parent_depth = 0;
    while (depth < 6) {
        s32 pid = fork();
        if (pid == 0) {
            depth++;
            parent_depth = depth;
            continue;
        }
        s32 status = 0;
        waitpid(pid, &status, 0);
        if (status || depth != parent_depth) {
            if (depth)
                exit(1);
            check(!"a generation saw another one's change");
        }
        break;
    }
    if (depth)
        exit(depth != parent_depth);
    end();
}

static void waiting(void)
{
    begin("wait: status, pid, WNOHANG, no children");
    s32 status = 5;
    check_equal(waitpid(-1, &status, 0), -ECHILD);
    s32 first = fork();
    if (first == 0)
        exit(300);
    s32 second = fork();
    if (second == 0) {
        for (;;)
            yield();
    }
    check_equal(waitpid(first, &status, 0), first);
    check_equal(status, EXITED(300 & 255));
    check_equal(waitpid(first, &status, 0), -ECHILD);
    check_equal(waitpid(-1, &status, WNOHANG), 0);
    check_equal(kill(second, SIGKILL), 0);
    check_equal(waitpid(-1, &status, 0), second);
    check_equal(status, SIGKILL);
    check_equal(kill(second, 0), -ESRCH);
    end();
}

static void orphans(void)
{
    begin("exit: children of a process that ended are those of PID 1");
    s32 ends[2];
    pipe(ends);
    child_status({
        if (fork() == 0) {
            while (getppid() != 1)
                yield();
            write(ends[1], "x", 1);
        }
    });
    char byte = 0;
    check_equal(read(ends[0], &byte, 1), 1);
    check_equal(byte, 'x');
    close(ends[0]);
    close(ends[1]);
    end();
}

int main(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    copy_on_write();
    generations();
    waiting();
    orphans();
    return 0;
}
