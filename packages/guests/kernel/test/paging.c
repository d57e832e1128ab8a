/* Demand paging, brk, mmap, munmap, mprotect, the stack. */
#include "test.h"

static u8 uninitialized[100 * PAGE];

static void demand(void)
{
    begin("paging: memory that was never written is zeros");
    for (u32 i = 0; i < sizeof uninitialized; i += 64)
        check_equal(uninitialized[i], 0);
    u8 *far = pages(5000);
    check(!failed(far));
    check_equal(far[4999 * PAGE], 0);
    far[2500 * PAGE + 5] = 9;
    check_equal(far[2500 * PAGE + 5], 9);
    check_equal(munmap(far, 5000 * PAGE), 0);
    end();
}

static u32 __attribute__((noinline)) deep(u32 levels)
{
    volatile u8 room[8000];
    room[0] = (u8)levels;
    u32 below = levels ? deep(levels - 1) : 0;
    return below + room[0];
}

static void stack(void)
{
    begin("paging: the stack grows to 8 MB, and not further");
    check_equal(deep(200), 200 * 201 / 2);
    check_equal(child_status(deep(2000)), SIGSEGV);
    end();
}

static void heap(void)
{
    begin("paging: brk moves the end of the heap, and what it gives back is gone");
    u32 start = (u32)brk(0);
    check_equal(brk(start + 3 * PAGE + 100), start + 3 * PAGE + 100);
    u8 *heap = (u8 *)start;
    heap[3 * PAGE + 50] = 5;
    check_equal(heap[3 * PAGE + 50], 5);
    check_equal(brk(start + 10), start + 10);
    check_equal(child_status(heap[PAGE] = 1), SIGSEGV);
    check_equal(brk(start + 3 * PAGE + 100), start + 3 * PAGE + 100);
    check_equal(heap[3 * PAGE + 50], 0);
    check_equal(brk(start - 1), start + 3 * PAGE + 100);
    check_equal(brk(0xd0000000), start + 3 * PAGE + 100);
    end();
}

static void holes(void)
{
    begin("paging: munmap makes a hole in the middle, mmap fills it");
    u8 *p = pages(9);
    for (u32 i = 0; i < 9; i++)
        p[i * PAGE] = (u8)(i + 1);
    check_equal(munmap(p + 3 * PAGE, 3 * PAGE), 0);
    check_equal(p[2 * PAGE] + p[6 * PAGE], 3 + 7);
    check_equal(child_status(p[3 * PAGE] = 1), SIGSEGV);
    check_equal(child_status(p[5 * PAGE + 4095] = 1), SIGSEGV);
    u32 flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    check(mmap(p + 4 * PAGE, PAGE, PROT_READ | PROT_WRITE, flags, -1, 0) == p + 4 * PAGE);
    check_equal(p[4 * PAGE], 0);
    check_equal(child_status(p[3 * PAGE] = 1), SIGSEGV);
    check_equal(munmap(p, 9 * PAGE), 0);
    check_equal((s32)mmap((void *)0xbffff000, 2 * PAGE, PROT_READ, flags, -1, 0), -EINVAL);
    check_equal((s32)mmap((void *)0xc0000000, PAGE, PROT_READ, flags, -1, 0), -EINVAL);
    check_equal((s32)mmap((void *)1, PAGE, PROT_READ, flags, -1, 0), -EINVAL);
    check_equal((s32)mmap(NULL, 0, PROT_READ, flags, -1, 0), -EINVAL);
    check_equal((s32)mmap(NULL, 0xfffff000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), -ENOMEM);
    check_equal(munmap(p + 1, PAGE), -EINVAL);
    end();
}

static void protection(void)
{
    begin("paging: mprotect takes and gives, page by page");
    u8 *p = pages(4);
    p[0] = p[PAGE] = p[2 * PAGE] = 1;
    check_equal(mprotect(p + PAGE, PAGE, PROT_READ), 0);
    check_equal(p[PAGE], 1);
    check_equal(child_status(p[PAGE] = 2), SIGSEGV);
    check_equal(child_status(p[2 * PAGE] = 2), 0);
    check_equal(mprotect(p, 4 * PAGE, 0), 0);
    check_equal(child_status(exit(p[2 * PAGE])), SIGSEGV);
    check_equal(child_status(exit(p[3 * PAGE])), SIGSEGV);
    s32 ends[2];
    pipe(ends);
    check_equal(write(ends[1], p, 1), -EFAULT);
    close(ends[0]), close(ends[1]);
    check_equal(mprotect(p, 4 * PAGE, PROT_READ | PROT_WRITE), 0);
    check_equal(p[0] + p[PAGE] + p[2 * PAGE] + p[3 * PAGE], 3);
    p[PAGE] = 4;
    check_equal(p[PAGE], 4);
    check_equal(munmap(p + 2 * PAGE, PAGE), 0);
    check_equal(mprotect(p, 4 * PAGE, PROT_READ), -ENOMEM);
    end();
}

static void protection_and_fork(void)
{
    begin("paging: protection that changes while a page is shared does not share a write");
    volatile u8 *p = pages(1);
    p[0] = 1;
    s32 ends[2];
    pipe(ends);
    s32 pid = fork();
    if (pid == 0) {
        char go;
        read(ends[0], &go, 1);
        exit(p[0]);
    }
    mprotect((void *)p, PAGE, PROT_READ);
    mprotect((void *)p, PAGE, PROT_READ | PROT_WRITE);
    p[0] = 2;
    write(ends[1], "x", 1);
    s32 status;
    waitpid(pid, &status, 0);
    check_equal(status, EXITED(1));
    check_equal(p[0], 2);
    close(ends[0]), close(ends[1]);
    end();
}

static void text(void)
{
    begin("paging: a program cannot write to its text, and a private view of a file does not change the file");
    check_equal(child_status(*(volatile u8 *)main = 0x90), SIGSEGV);
    s32 fd = open("/view", O_RDWR | O_CREAT, 0644);
    static u8 page[PAGE];
    for (u32 i = 0; i < PAGE; i++)
        page[i] = (u8)i;
    write(fd, page, PAGE);
    write(fd, "end", 3);
    u8 *view = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    check(!failed(view));
    check_equal(view[255] + view[PAGE] + view[PAGE + 3], 255 + 'e');
    view[255] = 0;
    u8 byte;
    lseek(fd, 255, SEEK_SET);
    read(fd, &byte, 1);
    check_equal(byte, 255);
    u8 *second = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 1);
    check_equal(second[2], 'd');
    close(fd);
    unlink("/view");
    check_equal(view[PAGE - 1], 255);
    end();
}

int main(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    demand();
    stack();
    heap();
    holes();
    protection();
    protection_and_fork();
    text();
    return 0;
}
