/*
 * The seam between the kernel and the machine: the only header of this folder that the rest of the kernel includes.
 *
 * Everything that is privileged or sensitive (SDM vol. 3A, 5.9; Popek and Goldberg's sense) happens behind it: control
 * registers, descriptor tables, stores to page tables, TLB, interrupt flag, ports, ways into and out of the kernel. A
 * paravirtual build replaces the folder and keeps this header; the kernel above it does not change.
 *
 * Interrupts are off whenever the kernel runs, except in wait_for_interrupt. So the kernel has no locks.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "../types.h"
#include "layout.h"

/* ---- start ---- */

/* What the loader said. All memory below `memory_end` is mapped; below `first_free`, only the module may be freed. */
struct boot_info {
    u32 memory_end;
    u32 first_free;
    u32 module_start, module_end;
    char command_line[1024];
};

/* Implemented by the kernel; never returns. */
void kernel_main(const struct boot_info *boot);

/* ---- traps ---- */

/* What a trap leaves on the kernel's stack, and how a program is resumed: `vector` and `error` do not matter then. */
struct frame {
    u32 gs, fs, es, ds;
    u32 edi, esi, ebp, unused, ebx, edx, ecx, eax;
    u32 vector;
    u32 error; /* of a system call: EAX as it was */
    u32 eip, cs, eflags, esp, ss;
};

/* Implemented by the kernel, called with interrupts off. */
void on_system_call(struct frame *frame);
/* A fault of a program. `address` is CR2 if it is a page fault. */
void on_fault(struct frame *frame, u32 address);
/* user_copy faulted. True: the page is there now, go on. */
bool on_user_copy_fault(u32 address, bool write);
/* Selectors or stack of the current program cannot be loaded: it must end here. */
void on_bad_return(void) __attribute__((noreturn));
void on_timer(void);
void on_input(u8 byte);
/* The last thing before a program goes on: preemption and signals. */
void on_return_to_user(struct frame *frame);

/* The registers with which a program begins. */
void frame_start(struct frame *frame, u32 eip, u32 esp);
/* Takes over registers that a program chose itself, but for what would give it power: code segment, IF, IOPL … */
void frame_take(struct frame *frame, const struct frame *chosen);
/* Programs may use ports, CLI and STI if level is 3. */
void frame_set_iopl(struct frame *frame, u32 level);
/* Goes into a handler of the program: flat segments, and DF, RF, TF off. */
void frame_enter(struct frame *frame, u32 eip, u32 esp);

/* A bit of a page fault's error code (SDM vol. 3A, 4.7). */
#define FAULT_WRITE 2u

/* ---- address spaces ---- */

/* The two formats differ in width and depth only (SDM vol. 3A, 4.3 and 4.4). */
#ifdef PAE
typedef u64 pte_t;
#else
typedef u32 pte_t;
#endif
/* An entry that is not 0 but lacks PTE_PRESENT keeps its frame while nobody may reach it. */
#define PTE_PRESENT 1u
#define PTE_WRITE 2u
#define PTE_USER 4u

static inline pte_t pte_make(u32 frame, u32 flags)
{
    return frame | flags;
}
static inline u32 pte_frame(pte_t pte)
{
    return (u32)pte & ~PAGE_MASK;
}
static inline u32 pte_flags(pte_t pte)
{
    return (u32)pte & PAGE_MASK;
}

/* The address space without programs. */
extern u32 kernel_space;

/* A space is known by the physical address of its root. 0: no memory. */
u32 space_create(void);
/* Frees the tables, not the pages. It must not be the loaded one. */
void space_destroy(u32 space);
void space_load(u32 space);
/* The place of a page's entry; a missing table is made if `create`. NULL: there is none, or no memory. */
const pte_t *space_slot(u32 space, u32 address, bool create);
/* The entry of the first page with a table, from *address on; *address becomes the page's. NULL: none below `end`. */
const pte_t *space_next(u32 space, u32 *address, u32 end);
/* The only store to a table that is in use. Does not flush. */
void set_pte(const pte_t *slot, pte_t value);
void flush_page(u32 address);
void flush_all(void);

/* Where the kernel sees a physical address. */
static inline void *at(u32 physical)
{
    return (void *)(physical + KERNEL_BASE);
}
static inline u32 physical_of(const void *pointer)
{
    return (u32)pointer - KERNEL_BASE;
}

/* Returns how many bytes it could not copy, since on_user_copy_fault said no. One side is the program's. */
u32 user_copy(void *to, const void *from, u32 bytes);

/* ---- contexts ---- */

/* What the machine keeps of a process while another runs. Aligned to 16, for FXSAVE. */
struct context {
    u8 fpu[512] __attribute__((aligned(16)));
    bool fpu_used; /* since it began; else `fpu` means nothing */
    u32 esp;
    u32 stack_top;
    u32 space;
    u32 tls[TLS_COUNT][2]; /* segment descriptors */
};

/* A context whose stack is the page at `stack`, which begins by resuming the frame that is returned, to be filled. */
struct frame *context_prepare(struct context *context, void *stack);
void context_switch(struct context *from, struct context *to);
/* The first one: leaves the boot stack for good. */
void context_enter(struct context *to) __attribute__((noreturn));
/* The space of the current context is another one now. */
void context_set_space(struct context *context, u32 space);
/* A writable data segment of ring 3, or with limit 0 and base 0 none; takes effect at once. */
void context_set_tls(struct context *context, u32 index, u32 base, u32 limit, bool pages, bool wide);

/* x87 and SSE: `into` and `from` are Linux's struct _fpstate, FPU_FRAME bytes in kernel memory. To and from signals
   only of the running context. A context whose state is forgotten begins with a fresh one. */
#define FPU_FRAME 624u
void fpu_forget(struct context *context);
void fpu_fork(const struct context *parent, struct context *child);
void fpu_to_signal(struct context *context, u8 *into);
void fpu_from_signal(struct context *context, const u8 *from);

/* ---- devices and power ---- */

#define TICKS_PER_SECOND 100u
void console_put(u8 byte);
void wait_for_interrupt(void);
void power_off(void) __attribute__((noreturn));
void power_reset(void) __attribute__((noreturn));
/* For panics: ends the run with another exit than power_off. */
void power_fail(void) __attribute__((noreturn));

/* Implemented by the kernel. */
void panic(const struct frame *frame, const char *why) __attribute__((noreturn));
u32 frame_alloc_zeroed(void);
void frame_release(u32 frame);
#endif
