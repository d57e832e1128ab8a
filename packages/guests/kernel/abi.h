/* Linux's numbers and structures for i386, as programs know them. */
#ifndef ABI_H
#define ABI_H

#include "types.h"

enum {
    EPERM = 1,
    ENOENT = 2,
    ESRCH = 3,
    EINTR = 4,
    EIO = 5,
    E2BIG = 7,
    ENOEXEC = 8,
    EBADF = 9,
    ECHILD = 10,
    EAGAIN = 11,
    ENOMEM = 12,
    EACCES = 13,
    EFAULT = 14,
    EBUSY = 16,
    EEXIST = 17,
    ENODEV = 19,
    ENOTDIR = 20,
    EISDIR = 21,
    EINVAL = 22,
    EMFILE = 24,
    EFBIG = 27,
    ESPIPE = 29,
    EPIPE = 32,
    ERANGE = 34,
    ENAMETOOLONG = 36,
    ENOSYS = 38,
    ENOTEMPTY = 39,
    /* Within the kernel: the call begins again unless a handler without SA_RESTART ran. */
    ERESTART = 512,
};

/* Files */
#define O_ACCESS 3u
#define O_RDONLY 0u
#define O_WRONLY 1u
#define O_RDWR 2u
#define O_CREAT 0100u
#define O_EXCL 0200u
#define O_TRUNC 01000u
#define O_APPEND 02000u
#define O_DIRECTORY 0200000u
#define O_CLOEXEC 02000000u

#define S_IFMT 0170000u
#define S_IFIFO 0010000u
#define S_IFCHR 0020000u
#define S_IFDIR 0040000u
#define S_IFREG 0100000u

#define DT(mode) ((mode) >> 12)
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2

struct stat64 {
    u64 dev;
    u32 pad0, short_ino;
    u32 mode, nlink, uid, gid;
    u64 rdev;
    u32 pad1;
    s64 size;
    u32 block_size;
    u64 blocks;
    u32 atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns;
    u64 ino;
} __attribute__((packed));
_Static_assert(sizeof(struct stat64) == 96, "struct stat64");

struct dirent64 {
    u64 ino;
    s64 next;
    u16 bytes;
    u8 type;
    char name[];
} __attribute__((packed));
#define DIRENT_NAME 19u

/* Memory */
#define PROT_READ 1u
#define PROT_WRITE 2u
#define PROT_EXEC 4u
#define MAP_SHARED 0x01u
#define MAP_PRIVATE 0x02u
#define MAP_FIXED 0x10u
#define MAP_ANONYMOUS 0x20u

/* Processes */
#define WNOHANG 1u
#define REBOOT_MAGIC 0xfee1deadu
#define REBOOT_MAGIC_2 0x28121969u
#define REBOOT_RESTART 0x01234567u
#define REBOOT_HALT 0xcdef0123u
#define REBOOT_POWER_OFF 0x4321fedcu

struct timespec {
    s32 seconds, nanoseconds;
};
#define NANOSECONDS 1000000000

struct user_desc {
    u32 entry, base, limit;
    u32 flags;
};
/* Its flags. */
#define DESC_32BIT 0x01u
#define DESC_CONTENTS 0x06u
#define DESC_READ_ONLY 0x08u
#define DESC_PAGES 0x10u
#define DESC_NOT_PRESENT 0x20u

struct utsname {
    char system[65], node[65], release[65], version[65], machine[65], domain[65];
};

/* Signals */
enum {
    SIGINT = 2,
    SIGILL = 4,
    SIGTRAP = 5,
    SIGBUS = 7,
    SIGFPE = 8,
    SIGKILL = 9,
    SIGSEGV = 11,
    SIGPIPE = 13,
    SIGCHLD = 17,
    SIGCONT = 18,
    SIGSTOP = 19,
    SIGTSTP = 20,
    SIGTTIN = 21,
    SIGTTOU = 22,
    SIGURG = 23,
    SIGWINCH = 28,
    SIGNALS = 64,
};
#define SIG_DFL 0u
#define SIG_IGN 1u
#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2
#define SA_SIGINFO 0x00000004u
#define SA_RESTORER 0x04000000u
#define SA_RESTART 0x10000000u
#define SA_NODEFER 0x40000000u
#define SA_RESETHAND 0x80000000u

#define SI_USER 0
#define SI_KERNEL 0x80
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define FPE_INTDIV 1
#define FPE_FLTINV 7
#define ILL_ILLOPN 2
#define BUS_ADRALN 1
#define TRAP_BRKPT 1
#define TRAP_TRACE 2
#define CLD_EXITED 1
#define CLD_KILLED 2

struct sigaction {
    u32 handler, flags, restorer;
    u64 mask;
} __attribute__((packed));
_Static_assert(sizeof(struct sigaction) == 20, "struct sigaction");

struct siginfo {
    s32 signo, error, code;
    union {
        u32 address;
        struct {
            s32 pid;
            u32 uid;
            s32 status;
        };
        u32 whole[29];
    };
};
_Static_assert(sizeof(struct siginfo) == 128, "struct siginfo");

struct sigcontext {
    u32 gs, fs, es, ds;
    u32 edi, esi, ebp, esp, ebx, edx, ecx, eax;
    u32 trap, error, eip, cs, eflags, esp_at_signal, ss;
    u32 fpstate, old_mask, cr2;
};
_Static_assert(sizeof(struct sigcontext) == 88, "struct sigcontext");

struct ucontext {
    u32 flags, link;
    u32 stack[3];
    struct sigcontext machine;
    u64 mask;
};
_Static_assert(sizeof(struct ucontext) == 116, "struct ucontext");

/* Programs (System V ABI, i386 supplement) */
struct elf_header {
    u8 ident[16];
    u16 type, machine;
    u32 version, entry, program_headers, section_headers, flags;
    u16 header_bytes, program_header_bytes, program_header_count;
    u16 section_header_bytes, section_header_count, names;
};
struct elf_program_header {
    u32 type, offset, address, physical, file_bytes, memory_bytes, flags, align;
};
#define ELF_EXECUTABLE 2
#define ELF_I386 3
#define ELF_LOAD 1
#define ELF_X 1u
#define ELF_W 2u
#define ELF_R 4u

enum {
    AT_NULL = 0,
    AT_PHDR = 3,
    AT_PHENT = 4,
    AT_PHNUM = 5,
    AT_PAGESZ = 6,
    AT_BASE = 7,
    AT_FLAGS = 8,
    AT_ENTRY = 9,
    AT_UID = 11,
    AT_EUID = 12,
    AT_GID = 13,
    AT_EGID = 14,
    AT_PLATFORM = 15,
    AT_CLKTCK = 17,
    AT_SECURE = 23,
    AT_RANDOM = 25,
    AT_EXECFN = 31,
};
#endif
