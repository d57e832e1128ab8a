/* System calls with bad, straddling and unaligned pointers; wild arguments. */
#include "test.h"

static const u32 bad[] = {0,          1,          0xfff,      0x40000000, 0xbffff000,
                          0xbfffffff, 0xc0000000, 0xc0100000, 0xfffffff0, 0xffffffff};

/* Calls and which of their five arguments are pointers that must be good. */
static const struct {
    u32 number;
    u32 arguments[5];
    u32 pointer;
} calls[] = {
    {3, {20, 0, 100}, 1},         {4, {21, 0, 100}, 1},      {5, {0, O_RDONLY}, 0},     {10, {0}, 0},
    {11, {0, 0, 0}, 0},           {12, {0}, 0},              {39, {0, 0755}, 0},        {40, {0}, 0},
    {42, {0}, 0},                 {122, {0}, 0},             {140, {20, 0, 0, 0, 0}, 3}, {162, {0, 0}, 0},
    {183, {0, 100}, 0},           {195, {0, 0}, 0},          {197, {20, 0}, 1},         {220, {22, 0, 1000}, 1},
    {243, {0}, 0},                {265, {1, 0}, 1},
};

static s32 call_with(u32 which, u32 pointer)
{
    u32 a[5];
    for (u32 i = 0; i < 5; i++)
        a[i] = calls[which].arguments[i];
    a[calls[which].pointer] = pointer;
    return SYSTEM_CALL(calls[which].number, a[0], a[1], a[2], a[3], a[4]);
}

static void bad_pointers(void)
{
    begin("pointers: every system call answers a bad pointer with EFAULT");
    s32 fd = open("/bad", O_RDWR | O_CREAT, 0644);
    for (u32 i = 0; i < 300; i++)
        write(fd, "0123456789", 10);
    dup2(fd, 20), dup2(fd, 21);
    dup2(open("/", O_RDONLY, 0), 22);
    for (u32 which = 0; which < COUNT(calls); which++)
        for (u32 i = 0; i < COUNT(bad); i++) {
            lseek(20, 0, SEEK_SET);
            lseek(22, 0, SEEK_SET);
            s32 result = call_with(which, bad[i]);
            if (result != -EFAULT)
                check_that(false, "call * 100 + pointer gives EFAULT", (s32)(calls[which].number * 100 + i));
        }
    for (u32 i = 1; i < COUNT(bad); i++) {
        check_equal(sigaction(10, bad[i], NULL), -EFAULT);
        check_equal(sigaction(10, NULL, bad[i]), -EFAULT);
        check_equal(sigprocmask(SIG_BLOCK, bad[i], NULL), -EFAULT);
        check_equal(sigprocmask(SIG_BLOCK, NULL, bad[i]), -EFAULT);
        check_equal(stat64("/bad", bad[i]), -EFAULT);
        check_equal(execve("/tests/fork", bad[i], NULL), -EFAULT);
        check_equal(execve("/tests/fork", NULL, bad[i]), -EFAULT);
        s32 pid = fork();
        if (pid == 0)
            exit(0);
        check_equal(waitpid(pid, bad[i], 0), -EFAULT);
        check_equal(waitpid(pid, NULL, 0), pid);
        check_equal(write(1, bad[i], 1), -EFAULT);
    }
    close(20), close(21), close(22), close(fd);
    unlink("/bad");
    end();
}

static void straddling(void)
{
    begin("pointers: a buffer whose second page is missing is used as far as it goes");
    u8 *p = pages(2);
    munmap(p + PAGE, PAGE);
    s32 fd = open("/s", O_RDWR | O_CREAT, 0644);
    static u8 many[8192];
    for (u32 i = 0; i < sizeof many; i++)
        many[i] = (u8)(i % 251);
    write(fd, many, sizeof many);
    for (u32 inside = 1; inside < 70; inside += 3) {
        lseek(fd, 0, SEEK_SET);
        check_equal(read(fd, p + PAGE - inside, 4000), inside);
        check_equal(memcmp(p + PAGE - inside, many, inside), 0);
        check_equal(lseek(fd, 0, SEEK_CUR), inside);
        check_equal(lseek(fd, 0, SEEK_END), 8192);
        check_equal(write(fd, p + PAGE - inside, 4000), inside);
        check_equal(lseek(fd, -(s32)inside, SEEK_END), 8192);
        u8 back[70];
        check_equal(read(fd, back, sizeof back), inside);
        check_equal(memcmp(back, many, inside), 0);
        close(fd);
        fd = open("/s", O_RDWR | O_TRUNC, 0);
        write(fd, many, sizeof many);
    }
    s32 ends[2];
    pipe(ends);
    check_equal(write(ends[1], p + PAGE - 5, 100), 5);
    check_equal(write(ends[1], "abcdefg", 7), 7);
    check_equal(read(ends[0], p + PAGE - 3, 100), 3);
    check_equal(read(ends[0], many, 100), 9);
    /* A path whose last byte is the page's. */
    memcpy(p + PAGE - 3, "/s", 3);
    struct stat64 stat;
    check_equal(stat64(p + PAGE - 3, &stat), 0);
    memcpy(p + PAGE - 2, "/s", 2);
    check_equal(stat64(p + PAGE - 2, &stat), -EFAULT);
    check_equal(stat64("/s", p + PAGE - 95), -EFAULT);
    check_equal(stat64("/s", p + PAGE - 96), 0);
    close(ends[0]), close(ends[1]), close(fd);
    unlink("/s");
    end();
}

static void unaligned(void)
{
    begin("pointers: all alignments and lengths, into pages that are not there yet and that are shared");
    s32 fd = open("/n", O_RDWR | O_CREAT, 0644);
    static u8 many[300];
    for (u32 i = 0; i < sizeof many; i++)
        many[i] = (u8)(i + 1);
    write(fd, many, sizeof many);
    u8 *p = pages(3);
    for (u32 start = PAGE - 20; start < PAGE + 20; start += 3)
        for (u32 length = 0; length < 40; length += 7) {
            lseek(fd, (s32)length, SEEK_SET);
            memset(p + PAGE - 64, 0, 200);
            s32 status = child_status({
                s32 got = read(fd, p + start, length);
                if (got != (s32)length || memcmp(p + start, many + length, length))
                    exit(1);
                if (p[start + length] || p[start - 1])
                    exit(2);
            });
            check_equal(status, 0);
            check_equal(p[start], 0);
            lseek(fd, (s32)length, SEEK_SET);
            munmap(p, 3 * PAGE);
            mmap(p, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
            check_equal(read(fd, p + start, length), length);
            check_equal(memcmp(p + start, many + length, length), 0);
        }
    close(fd);
    unlink("/n");
    end();
}

static void wild(void)
{
    begin("pointers: 5,000 system calls with wild arguments, in children, do no harm");
    static const u32 likely[] = {0,     1,          2,          3,          4,          0x1000,
                                 0xfff, 0x7fffffff, 0x80000000, 0xbffff000, 0xc0000000, 0xffffffff};
    /* All but what ends the machine or others, and what waits or forks; and one that there is not. */
    static const u16 harmless[] = {3,   4,   5,   6,   7,   10,  11,  12,  19,  20,  39,  40,
                                   41,  42,  45,  63,  64,  91,  114, 119, 122, 125, 140, 158,
                                   173, 174, 175, 183, 192, 195, 197, 220, 243, 265, 999, 511};
    u32 seed = 5;
    for (u32 round = 0; round < 250; round++) {
        s32 pid = fork();
        seed = seed * 1103515245 + 12345;
        if (pid == 0) {
            close(0), close(1), close(2);
            open("/dev/null", O_RDWR, 0);
            u8 *p = pages(2);
            for (u32 i = 0; i < 20; i++) {
                u32 a[6];
                for (u32 n = 0; n < 6; n++) {
                    seed = seed * 1103515245 + 12345;
                    u32 kind = seed >> 28;
                    if (kind < 8)
                        a[n] = likely[(seed >> 8) % COUNT(likely)];
                    else
                        a[n] = kind < 12 ? (u32)p + (seed >> 8 & 8191) : seed ^ seed >> 15;
                }
                SYSTEM_CALL(harmless[a[0] % COUNT(harmless)], a[1], a[2], a[3], a[4], a[5]);
            }
            exit(0);
        }
        s32 status;
        for (u32 i = 0; i < 40 && waitpid(pid, &status, WNOHANG) == 0; i++)
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
    bad_pointers();
    straddling();
    unaligned();
    wild();
    return 0;
}
