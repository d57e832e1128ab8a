/* Where every trap arrives, and what it is (SDM vol. 3A, 6.15). */
#include "internal.h"

#define FLAG_TF 0x0100u
#define FLAG_IF 0x0200u
#define FLAG_DF 0x0400u
#define FLAGS_IOPL 0x3000u
#define FLAG_RF 0x10000u
#define FLAG_ALWAYS 0x0002u
/* What programs may change: status flags, TF, DF, NT, RF, AC, ID. */
#define FLAGS_FREE 0x254dd5u

static u32 faulting_address(void)
{
    u32 cr2;
    asm volatile("mov %%cr2, %0" : "=r"(cr2));
    return cr2;
}

/* The kernel itself faulted. There are three places where that is foreseen. */
static void kernel_fault(struct frame *frame)
{
    const u8 *eip = (const u8 *)frame->eip;
    if (frame->vector == VECTOR_PAGE_FAULT && (eip == user_copy_words || eip == user_copy_bytes)) {
        if (on_user_copy_fault(faulting_address(), frame->error & FAULT_WRITE))
            return;
        frame->eip = (u32)(eip == user_copy_words ? user_copy_slow : user_copy_done);
        return;
    }
    if (eip == restore_gs || eip == restore_fs || eip == restore_es || eip == restore_ds) {
        /* The selector lies where ESP was: a trap within the kernel pushes no ESP, so `esp` is that place. */
        frame->esp = 0;
        return;
    }
    if (eip == restore_all)
        on_bad_return();
    panic(frame, "the kernel faulted");
}

void trap(struct frame *frame)
{
    if (frame->vector == VECTOR_SYSTEM_CALL)
        on_system_call(frame);
    else if (frame->vector >= VECTOR_IRQ)
        on_irq(frame->vector - VECTOR_IRQ);
    else if (!from_user(frame))
        kernel_fault(frame);
    else if (frame->vector == VECTOR_NO_FPU)
        on_no_fpu();
    else
        on_fault(frame, frame->vector == VECTOR_PAGE_FAULT ? faulting_address() : 0);
    if (from_user(frame))
        on_return_to_user(frame);
}

void frame_start(struct frame *frame, u32 eip, u32 esp)
{
    memset(frame, 0, sizeof *frame);
    frame->ds = frame->es = frame->ss = USER_DATA;
    frame->cs = USER_CODE;
    frame->eflags = FLAG_IF | FLAG_ALWAYS;
    frame->eip = eip;
    frame->esp = esp;
}

void frame_take(struct frame *frame, const struct frame *chosen)
{
    u32 kept = frame->eflags & FLAGS_IOPL;
    *frame = *chosen;
    frame->cs = USER_CODE;
    frame->ss = USER_DATA;
    frame->ds = (chosen->ds & 0xffff) | 3;
    frame->es = (chosen->es & 0xffff) | 3;
    frame->fs = (chosen->fs & 0xffff) | 3;
    frame->gs = (chosen->gs & 0xffff) | 3;
    frame->eflags = (chosen->eflags & FLAGS_FREE) | FLAG_IF | FLAG_ALWAYS | kept;
}

void frame_set_iopl(struct frame *frame, u32 level)
{
    frame->eflags = (frame->eflags & ~FLAGS_IOPL) | level << 12;
}

void frame_enter(struct frame *frame, u32 eip, u32 esp)
{
    frame->cs = USER_CODE;
    frame->ds = frame->es = frame->ss = USER_DATA;
    frame->eflags &= ~(FLAG_DF | FLAG_RF | FLAG_TF);
    frame->eip = eip;
    frame->esp = esp;
}
