/* What the parts of the kernel know of each other, from the bottom up. Functions that fail return -errno (abi.h). */
#ifndef KERNEL_H
#define KERNEL_H

#include "abi.h"
#include "machine/machine.h"
#include "types.h"

/* ---- print.c ---- */

/* %s %c %d %u %x (eight digits), and %% */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- frames.c: physical memory by pages ---- */

/* Returns where frames begin to be free. */
void frames_start(const struct boot_info *boot);
/* A physical address with one sharer, or 0. */
u32 frame_alloc(void);
u32 frame_alloc_zeroed(void);
void frame_share(u32 frame);
/* Frees it with the last sharer. */
void frame_release(u32 frame);
u32 frame_sharers(u32 frame);
/* Frees memory that was in use since boot, whole pages of it. */
void frames_give(u32 start, u32 end);
u32 frames_free(void);

/* ---- heap.c: small things ---- */

/* At most 2,048 bytes, zeroed; NULL if there is no memory. */
void *allocate(size_t bytes);
void release(void *pointer);

/* ---- user.c: memory of the current program ---- */

/* 0 or -EFAULT. */
s32 copy_in(void *to, u32 from, u32 bytes);
s32 copy_out(u32 to, const void *from, u32 bytes);
/* How many bytes could not be copied. */
u32 copy_in_some(void *to, u32 from, u32 bytes);
u32 copy_out_some(u32 to, const void *from, u32 bytes);
/* The length without the zero; -EFAULT; -ENAMETOOLONG if there is no zero among `room` bytes. */
s32 copy_in_string(char *to, u32 from, u32 room);

/* ---- inode.c, directory.c: the file system ---- */

enum device { DEVICE_NONE, DEVICE_CONSOLE = 0x0501, DEVICE_NULL = 0x0103 };

struct entry {
    struct entry *next;
    struct inode *inode;
    u32 cookie; /* its place in the directory, never used again */
    char name[];
};

#define DIRECT_PAGES 8u

struct inode {
    u32 number, mode;
    u32 links; /* names; 0: gone, but for who has it open */
    u32 users;
    u32 size;
    enum device device;
    union {
        struct {
            u32 direct[DIRECT_PAGES]; /* frames; 0: a hole */
            u32 tables;               /* a frame of frames of frames */
        };
        struct {
            struct entry *first;
            struct inode *parent;
            u32 next_cookie;
        };
    };
};

extern struct inode *root;

struct inode *inode_create(u32 mode, enum device device);
void inode_use(struct inode *inode);
void inode_drop(struct inode *inode);
/* Bytes copied, fewer at the end or at a bad address (then at least one, or -EFAULT). */
s32 inode_read(struct inode *inode, u32 offset, u32 user, u32 bytes);
s32 inode_write(struct inode *inode, u32 offset, u32 user, u32 bytes);
/* The same for kernel memory; a read fills up with zeros. */
void inode_read_kernel(struct inode *inode, u32 offset, void *to, u32 bytes);
s32 inode_write_kernel(struct inode *inode, u32 offset, const void *from, u32 bytes);
void inode_truncate(struct inode *inode);
void inode_stat(struct inode *inode, struct stat64 *stat);
static inline bool is_directory(const struct inode *inode)
{
    return (inode->mode & S_IFMT) == S_IFDIR;
}

void files_start(void);
/* The inode, in use; NULL with *error set. */
struct inode *path_find(const char *path, s32 *error);
/* The directory for the last name, in use, and that name; NULL with *error set. */
struct inode *path_parent(const char *path, const char **name, s32 *error);
struct inode *directory_find(struct inode *directory, const char *name);
s32 directory_add(struct inode *directory, const char *name, struct inode *inode);
s32 directory_remove(struct inode *directory, const char *name, bool directories);
/* Makes a directory or device or file, in use; NULL with *error set. */
struct inode *path_create(const char *path, u32 mode, enum device device, s32 *error);
s32 directory_list(struct inode *directory, u32 *position, u32 user, u32 bytes);
s32 directory_path(struct inode *directory, char *buffer, u32 room);

/* ---- archive.c ---- */
void archive_unpack(const u8 *archive, u32 bytes);

/* ---- pipe.c ---- */
struct pipe;
struct pipe *pipe_create(void);
s32 pipe_read(struct pipe *pipe, u32 user, u32 bytes);
s32 pipe_write(struct pipe *pipe, u32 user, u32 bytes);
void pipe_close(struct pipe *pipe, bool writer);

/* ---- terminal.c ---- */
s32 terminal_read(u32 user, u32 bytes);
s32 terminal_write(u32 user, u32 bytes);

/* ---- file.c: what descriptors name ---- */
#define MOST_FILES 64u

struct file {
    u32 users;
    u32 flags;
    u32 position;
    struct inode *inode;
    struct pipe *pipe; /* one end: of reading or of writing, as the flags say */
};

struct file *file_of(u32 descriptor);
s32 file_open(const char *path, u32 flags, u32 mode);
s32 file_close(u32 descriptor);
s32 file_read(u32 descriptor, u32 user, u32 bytes);
s32 file_write(u32 descriptor, u32 user, u32 bytes);
s32 file_seek(u32 descriptor, s64 offset, u32 whence);
s32 file_duplicate(u32 descriptor, u32 lowest);
s32 file_duplicate_to(u32 descriptor, u32 wanted);
s32 file_pipe(u32 user);
s32 file_stat(u32 descriptor, u32 user);
s32 file_list(u32 descriptor, u32 user, u32 bytes);

/* ---- memory.c, fault.c: address spaces ---- */

/* Pages of one kind. Those of a file show `file_bytes` bytes of it from `offset` on, and zeros behind. */
struct area {
    struct area *next;
    u32 start, end;
    u32 protection;
    bool grows; /* downwards, as the stack does */
    struct inode *file;
    u32 offset, file_bytes;
};

struct memory {
    u32 space;
    struct area *areas; /* by address, without overlap */
    u32 area_count;
    u32 break_start, break_end;
    u32 pages; /* present */
};

/* Programs end here, with the page below the kernel left free. */
#define USER_END (KERNEL_BASE - PAGE)
#define STACK_BYTES 0x800000u
#define MAP_TOP (USER_END - STACK_BYTES - 0x100000u)
#define MAP_BOTTOM 0x1000u
/* So that walking their list takes no long time. */
#define MOST_AREAS 1024u

s32 memory_create(struct memory *memory);
/* Frees everything. It must not be the loaded one. */
void memory_destroy(struct memory *memory);
s32 memory_copy(struct memory *from, struct memory *to);
s32 memory_add(struct memory *memory, u32 start, u32 end, u32 protection, struct inode *file, u32 offset, u32 shown);
s32 memory_add_stack(struct memory *memory);
s32 memory_remove(struct memory *memory, u32 start, u32 end);
s32 memory_protect(struct memory *memory, u32 start, u32 end, u32 protection);
u32 memory_break(struct memory *memory, u32 wanted);
s32 memory_map(struct memory *memory, u32 address, u32 bytes, u32 protection, u32 flags, u32 descriptor, u32 page);

enum fault { FAULT_DONE, FAULT_NO_AREA, FAULT_FORBIDDEN, FAULT_NO_MEMORY };
enum fault memory_fault(struct memory *memory, u32 address, bool write);

/* ---- process.c, schedule.c ---- */

enum state { READY, SLEEPING, ZOMBIE };

struct signal_source {
    s32 code;
    u32 value; /* an address, or a process */
    u32 status;
};

/* One page of kernel memory; the kernel's stack of the process is another. */
struct process {
    struct context context;
    struct process *next; /* of all */
    struct process *next_ready;
    struct process *parent;
    struct memory memory;
    u32 pid;
    enum state state;
    s32 exit_status; /* as wait4 gives it */
    const void *channel;
    u32 wake_at; /* a tick; 0: none */
    void *stack;
    struct inode *directory;
    struct file *files[MOST_FILES];
    u64 close_on_exec;
    /* Signals: bit n - 1 is signal n. */
    u64 pending, blocked;
    struct sigaction actions[SIGNALS];
    struct signal_source sources[SIGNALS];
    u32 trap, error, address; /* of the last fault */
};

extern struct process *current;
/* The first of all, by `next`. */
extern struct process *processes;

/* The registers of the program, while its process is in the kernel. */
static inline struct frame *frame_of(struct process *process)
{
    return (struct frame *)((u8 *)process->stack + PAGE) - 1;
}

void process_start_init(const char *command_line) __attribute__((noreturn));
s32 process_fork(void);
void process_exit(s32 status) __attribute__((noreturn));
s32 process_wait(s32 pid, u32 status, u32 options, u32 usage);
struct process *process_find(u32 pid);
struct process *init_process(void);

void make_ready(struct process *process);
/* Lets others run if there are any. */
void yield(void);
void schedule(void);
/* 0 when woken; -ERESTART if a signal is there, before or after sleeping. */
s32 sleep_on(const void *channel);
void wake_up(const void *channel);
s32 sleep_until(u32 tick);
u32 ticks_now(void);

/* ---- execute.c ---- */
s32 execute(u32 path, u32 arguments, u32 environment);
/* The words lie one behind the other, each ended by a zero. */
s32 execute_first(const char *path, const char *words, u32 bytes, u32 count);

/* ---- signal.c, deliver.c ---- */
#define SIGNAL(n) (1ull << ((n) - 1))

/* From another process or the kernel; what is ignored is dropped. */
void signal_send(struct process *to, u32 signal, struct signal_source source);
/* From a fault of the current program: cannot be ignored or blocked. */
void signal_force(u32 signal, struct signal_source source);
bool signal_waiting(const struct process *process);
s32 signal_kill(s32 pid, u32 signal);
s32 signal_action(u32 signal, u32 action, u32 old, u32 set_bytes);
s32 signal_mask(u32 how, u32 set, u32 old, u32 set_bytes);
void signals_reset(struct process *process);
/* Goes into handlers, or ends the process. */
void signals_deliver(struct frame *frame);
/* EAX as it was. */
s32 signal_return(struct frame *frame, bool with_info);
/* The current program cannot go on for want of memory: somebody ends. */
void out_of_memory(void);
#endif
