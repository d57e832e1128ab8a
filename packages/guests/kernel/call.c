/*
 * System calls: Linux's numbers for i386, in EAX; arguments in EBX, ECX, EDX, ESI, EDI, EBP; the result in EAX. Each
 * call is one line here, or a few, and a line in the table.
 */
#include "kernel.h"

/* Paths are looked up before anything else can run. */
static char path[PAGE];

static s32 read_path(u32 user)
{
    s32 length = copy_in_string(path, user, sizeof path);
    return length < 0 ? length : 0;
}

static s32 call_exit(struct frame *f)
{
    process_exit((s32)(f->ebx & 0xff) << 8);
}

static s32 call_fork(struct frame *f)
{
    (void)f;
    return process_fork();
}

static s32 call_read(struct frame *f)
{
    return file_read(f->ebx, f->ecx, f->edx);
}

static s32 call_write(struct frame *f)
{
    return file_write(f->ebx, f->ecx, f->edx);
}

static s32 call_open(struct frame *f)
{
    s32 error = read_path(f->ebx);
    return error ? error : file_open(path, f->ecx, f->edx);
}

static s32 call_close(struct frame *f)
{
    return file_close(f->ebx);
}

static s32 call_waitpid(struct frame *f)
{
    return process_wait((s32)f->ebx, f->ecx, f->edx, 0);
}

static s32 call_wait4(struct frame *f)
{
    return process_wait((s32)f->ebx, f->ecx, f->edx, f->esi);
}

static s32 remove_name(u32 user, bool directories)
{
    s32 error = read_path(user);
    if (error)
        return error;
    const char *name;
    struct inode *directory = path_parent(path, &name, &error);
    if (!directory)
        return error;
    error = directory_remove(directory, name, directories);
    inode_drop(directory);
    return error;
}

static s32 call_unlink(struct frame *f)
{
    return remove_name(f->ebx, false);
}

static s32 call_rmdir(struct frame *f)
{
    return remove_name(f->ebx, true);
}

static s32 call_mkdir(struct frame *f)
{
    s32 error = read_path(f->ebx);
    if (error)
        return error;
    struct inode *made = path_create(path, S_IFDIR | (f->ecx & 07777), DEVICE_NONE, &error);
    if (!made)
        return error;
    inode_drop(made);
    return 0;
}

static s32 call_execve(struct frame *f)
{
    return execute(f->ebx, f->ecx, f->edx);
}

static s32 call_chdir(struct frame *f)
{
    s32 error = read_path(f->ebx);
    if (error)
        return error;
    struct inode *directory = path_find(path, &error);
    if (!directory)
        return error;
    if (!is_directory(directory)) {
        inode_drop(directory);
        return -ENOTDIR;
    }
    inode_drop(current->directory);
    current->directory = directory;
    return 0;
}

static s32 call_getcwd(struct frame *f)
{
    s32 bytes = directory_path(current->directory, path, sizeof path);
    if (bytes < 0)
        return bytes;
    if ((u32)bytes > f->ecx)
        return -ERANGE;
    return copy_out(f->ebx, path, (u32)bytes) ? -EFAULT : bytes;
}

static s32 call_lseek(struct frame *f)
{
    return file_seek(f->ebx, (s32)f->ecx, f->edx);
}

static s32 call_llseek(struct frame *f)
{
    s32 position = file_seek(f->ebx, (s64)((u64)f->ecx << 32 | f->edx), f->edi);
    if (position < 0)
        return position;
    u64 result = (u32)position;
    return copy_out(f->esi, &result, sizeof result);
}

static s32 call_getpid(struct frame *f)
{
    (void)f;
    return (s32)current->pid;
}

static s32 call_getppid(struct frame *f)
{
    (void)f;
    return current->parent ? (s32)current->parent->pid : 0;
}

static s32 call_kill(struct frame *f)
{
    return signal_kill((s32)f->ebx, f->ecx);
}

static s32 call_dup(struct frame *f)
{
    return file_duplicate(f->ebx, 0);
}

static s32 call_dup2(struct frame *f)
{
    return file_duplicate_to(f->ebx, f->ecx);
}

static s32 call_pipe(struct frame *f)
{
    return file_pipe(f->ebx);
}

static s32 call_brk(struct frame *f)
{
    return (s32)memory_break(&current->memory, f->ebx);
}

static s32 call_reboot(struct frame *f)
{
    if (f->ebx != REBOOT_MAGIC || f->ecx != REBOOT_MAGIC_2)
        return -EINVAL;
    if (f->edx == REBOOT_POWER_OFF || f->edx == REBOOT_HALT)
        power_off();
    if (f->edx == REBOOT_RESTART)
        power_reset();
    return -EINVAL;
}

/* A range of pages from system calls that take one; false: it is not one. */
static bool page_range(u32 address, u32 bytes, u32 *end)
{
    *end = address + PAGE_UP(bytes);
    return !(address & PAGE_MASK) && bytes <= USER_END && address <= USER_END && PAGE_UP(bytes) <= USER_END - address;
}

static s32 call_munmap(struct frame *f)
{
    u32 end;
    if (!page_range(f->ebx, f->ecx, &end) || f->ecx == 0)
        return -EINVAL;
    return memory_remove(&current->memory, f->ebx, end);
}

static s32 call_mprotect(struct frame *f)
{
    u32 end;
    if ((f->ebx & PAGE_MASK) || (f->edx & ~(PROT_READ | PROT_WRITE | PROT_EXEC)))
        return -EINVAL;
    if (!page_range(f->ebx, f->ecx, &end))
        return -ENOMEM;
    return memory_protect(&current->memory, f->ebx, end, f->edx);
}

static s32 call_mmap2(struct frame *f)
{
    return memory_map(&current->memory, f->ebx, f->ecx, f->edx, f->esi, f->edi, f->ebp);
}

static s32 call_iopl(struct frame *f)
{
    if (f->ebx > 3)
        return -EINVAL;
    frame_set_iopl(f, f->ebx);
    return 0;
}

static s32 call_sigreturn(struct frame *f)
{
    return signal_return(f, false);
}

static s32 call_rt_sigreturn(struct frame *f)
{
    return signal_return(f, true);
}

static s32 call_rt_sigaction(struct frame *f)
{
    return signal_action(f->ebx, f->ecx, f->edx, f->esi);
}

static s32 call_rt_sigprocmask(struct frame *f)
{
    return signal_mask(f->ebx, f->ecx, f->edx, f->esi);
}

static s32 call_uname(struct frame *f)
{
    static const struct utsname name = {
        .system = "vmexit", .node = "teaching", .release = "1.0", .version = "teaching kernel", .machine = "i686"};
    return copy_out(f->ebx, &name, sizeof name);
}

static s32 call_sched_yield(struct frame *f)
{
    (void)f;
    yield();
    return 0;
}

#define TICK_NANOSECONDS (NANOSECONDS / (s32)TICKS_PER_SECOND)
/* What ticks can be compared over. */
#define MOST_SECONDS 10000000

/* At least so long: the tick that is under way does not count. */
static s32 call_nanosleep(struct frame *f)
{
    struct timespec wanted;
    if (copy_in(&wanted, f->ebx, sizeof wanted))
        return -EFAULT;
    if (wanted.seconds < 0 || wanted.nanoseconds < 0 || wanted.nanoseconds >= NANOSECONDS)
        return -EINVAL;
    u32 ticks = (u32)MIN(wanted.seconds, MOST_SECONDS) * TICKS_PER_SECOND;
    ticks += (u32)(wanted.nanoseconds + TICK_NANOSECONDS - 1) / (u32)TICK_NANOSECONDS;
    u32 end = ticks_now() + (ticks ? ticks + 1 : 0);
    if (!sleep_until(end))
        return 0;
    u32 left = end - ticks_now();
    struct timespec rest = {(s32)(left / TICKS_PER_SECOND), (s32)(left % TICKS_PER_SECOND) * TICK_NANOSECONDS};
    return f->ecx && copy_out(f->ecx, &rest, sizeof rest) ? -EFAULT : -EINTR;
}

/* All clocks show the time since the start: the kernel asks no chip for the date. */
static s32 call_clock_gettime(struct frame *f)
{
    if (f->ebx > 7)
        return -EINVAL;
    u32 ticks = ticks_now();
    struct timespec now = {(s32)(ticks / TICKS_PER_SECOND), (s32)(ticks % TICKS_PER_SECOND) * TICK_NANOSECONDS};
    return copy_out(f->ecx, &now, sizeof now);
}

static s32 call_stat64(struct frame *f)
{
    s32 error = read_path(f->ebx);
    if (error)
        return error;
    struct inode *inode = path_find(path, &error);
    if (!inode)
        return error;
    struct stat64 stat;
    inode_stat(inode, &stat);
    inode_drop(inode);
    return copy_out(f->ecx, &stat, sizeof stat);
}

static s32 call_fstat64(struct frame *f)
{
    return file_stat(f->ebx, f->ecx);
}

static s32 call_getdents64(struct frame *f)
{
    return file_list(f->ebx, f->ecx, f->edx);
}

/* The segment for GS that C libraries keep their thread in. */
static s32 call_set_thread_area(struct frame *f)
{
    struct user_desc wanted;
    if (copy_in(&wanted, f->ebx, sizeof wanted))
        return -EFAULT;
    u32 index = 0;
    if (wanted.entry == ~0u) {
        while (index < TLS_COUNT && current->context.tls[index][1])
            index++;
        if (index == TLS_COUNT)
            return -ESRCH;
        wanted.entry = TLS_FIRST + index;
        if (copy_out(f->ebx, &wanted.entry, sizeof wanted.entry))
            return -EFAULT;
    }
    index = wanted.entry - TLS_FIRST;
    bool empty = (wanted.flags & DESC_NOT_PRESENT) && (wanted.flags & DESC_READ_ONLY);
    bool usable = wanted.flags & DESC_32BIT && !(wanted.flags & (DESC_CONTENTS | DESC_READ_ONLY | DESC_NOT_PRESENT));
    if (index >= TLS_COUNT || wanted.limit > 0xfffff || !(empty || usable))
        return -EINVAL;
    if (empty)
        context_set_tls(&current->context, index, 0, 0, false, false);
    else
        context_set_tls(&current->context, index, wanted.base, wanted.limit, wanted.flags & DESC_PAGES, true);
    return 0;
}

static s32 (*const calls[])(struct frame *) = {
    [1] = call_exit,
    [2] = call_fork,
    [3] = call_read,
    [4] = call_write,
    [5] = call_open,
    [6] = call_close,
    [7] = call_waitpid,
    [10] = call_unlink,
    [11] = call_execve,
    [12] = call_chdir,
    [19] = call_lseek,
    [20] = call_getpid,
    [37] = call_kill,
    [39] = call_mkdir,
    [40] = call_rmdir,
    [41] = call_dup,
    [42] = call_pipe,
    [45] = call_brk,
    [63] = call_dup2,
    [64] = call_getppid,
    [88] = call_reboot,
    [91] = call_munmap,
    [110] = call_iopl,
    [114] = call_wait4,
    [119] = call_sigreturn,
    [122] = call_uname,
    [125] = call_mprotect,
    [140] = call_llseek,
    [158] = call_sched_yield,
    [162] = call_nanosleep,
    [173] = call_rt_sigreturn,
    [174] = call_rt_sigaction,
    [175] = call_rt_sigprocmask,
    [183] = call_getcwd,
    [192] = call_mmap2,
    [195] = call_stat64,
    [197] = call_fstat64,
    [220] = call_getdents64,
    [243] = call_set_thread_area,
    [252] = call_exit,
    [265] = call_clock_gettime,
};

/* Numbers that were asked for in vain are told once. */
static s32 no_call(u32 number)
{
    static u8 told[512 / 8];
    if (number < sizeof told * 8) {
        if (!(told[number / 8] & 1 << number % 8))
            print("no system call %u (process %u)\n", number, current->pid);
        told[number / 8] |= (u8)(1 << number % 8);
    }
    return -ENOSYS;
}

/* A call costs the INT, the IRET, and six segment registers loaded; no CR3, no entry, no INVLPG, no port. */
void on_system_call(struct frame *frame)
{
    u32 number = frame->eax;
    if (number < COUNT(calls) && calls[number])
        frame->eax = (u32)calls[number](frame);
    else
        frame->eax = (u32)no_call(number);
}
