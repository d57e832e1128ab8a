/*
 * Into handlers and back: the frames that i386 Linux leaves on a program's stack, with its registers in them. A handler
 * may change them; they are what rt_sigreturn goes on with.
 */
#include "kernel.h"

/* For handlers without SA_SIGINFO: they are given the number alone. */
struct signal_frame {
    u32 return_address, signal;
    struct sigcontext machine;
    u8 unused[FPU_FRAME];
    u32 mask_above; /* the upper half; the lower one is in `machine` */
    u8 code[8];
};
struct info_frame {
    u32 return_address, signal, info_pointer, context_pointer;
    struct siginfo info;
    struct ucontext context;
    u8 code[8];
};
#define INT_BYTES 2u

/* pop %eax; mov $119, %eax; int $0x80, and mov $173, %eax; int $0x80: where programs bring no restorer. */
static const u8 return_code[8] = {0x58, 0xb8, 119, 0, 0, 0, 0xcd, 0x80};
static const u8 info_return_code[8] = {0xb8, 173, 0, 0, 0, 0xcd, 0x80, 0};

static void save_machine(struct sigcontext *to, const struct frame *from, u32 fpstate)
{
    *to = (struct sigcontext){
        .gs = from->gs & 0xffff,
        .fs = from->fs & 0xffff,
        .es = from->es & 0xffff,
        .ds = from->ds & 0xffff,
        .edi = from->edi,
        .esi = from->esi,
        .ebp = from->ebp,
        .esp = from->esp,
        .ebx = from->ebx,
        .edx = from->edx,
        .ecx = from->ecx,
        .eax = from->eax,
        .trap = current->trap,
        .error = current->error,
        .eip = from->eip,
        .cs = from->cs & 0xffff,
        .eflags = from->eflags,
        .esp_at_signal = from->esp,
        .ss = from->ss & 0xffff,
        .fpstate = fpstate,
        .old_mask = (u32)current->blocked,
        .cr2 = current->address,
    };
}

/* Room for x87 and SSE registers, and those registers; *esp moves below them. */
static s32 save_fpu(u32 *esp, u32 *fpstate)
{
    static u8 buffer[FPU_FRAME];
    *fpstate = 0;
    if (!current->context.fpu_used)
        return 0;
    fpu_to_signal(&current->context, buffer);
    *esp = *fpstate = (*esp - FPU_FRAME) & ~63u;
    return copy_out(*fpstate, buffer, sizeof buffer);
}

static void fill_info(struct siginfo *info, u32 signal, const struct signal_source *source)
{
    memset(info, 0, sizeof *info);
    info->signo = (s32)signal;
    info->code = source->code;
    info->address = source->value;
    if (signal == SIGCHLD)
        info->status = (s32)source->status;
}

/* A frame so placed that ESP is a multiple of 16 before the call that the handler believes in. */
static u32 frame_place(u32 esp, u32 bytes)
{
    return ((esp - bytes + 4) & ~15u) - 4;
}

static s32 push_plain(struct frame *frame, u32 signal, const struct sigaction *action)
{
    u32 esp = frame->esp, fpstate;
    s32 error = save_fpu(&esp, &fpstate);
    static struct signal_frame pushed;
    u32 place = frame_place(esp, sizeof pushed);
    pushed.return_address = place + offsetof(struct signal_frame, code);
    if (action->flags & SA_RESTORER)
        pushed.return_address = action->restorer;
    pushed.signal = signal;
    save_machine(&pushed.machine, frame, fpstate);
    pushed.mask_above = (u32)(current->blocked >> 32);
    memcpy(pushed.code, return_code, sizeof pushed.code);
    if (error || copy_out(place, &pushed, sizeof pushed))
        return -EFAULT;
    frame_enter(frame, action->handler, place);
    frame->eax = signal;
    frame->edx = frame->ecx = 0;
    return 0;
}

static s32 push_info(struct frame *frame, u32 signal, const struct sigaction *action)
{
    u32 esp = frame->esp, fpstate;
    s32 error = save_fpu(&esp, &fpstate);
    static struct info_frame pushed;
    u32 place = frame_place(esp, sizeof pushed);
    pushed.return_address = place + offsetof(struct info_frame, code);
    if (action->flags & SA_RESTORER)
        pushed.return_address = action->restorer;
    pushed.signal = signal;
    pushed.info_pointer = place + offsetof(struct info_frame, info);
    pushed.context_pointer = place + offsetof(struct info_frame, context);
    fill_info(&pushed.info, signal, &current->sources[signal - 1]);
    save_machine(&pushed.context.machine, frame, fpstate);
    pushed.context.stack[1] = 2; /* SS_DISABLE: there is no other stack */
    pushed.context.mask = current->blocked;
    memcpy(pushed.code, info_return_code, sizeof pushed.code);
    if (error || copy_out(place, &pushed, sizeof pushed))
        return -EFAULT;
    frame_enter(frame, action->handler, place);
    frame->eax = signal;
    frame->edx = pushed.info_pointer;
    frame->ecx = pushed.context_pointer;
    return 0;
}

/* A system call that a signal broke off begins again, or fails with EINTR. */
static void settle_call(struct frame *frame, bool again)
{
    if (frame->vector != VECTOR_SYSTEM_CALL || (s32)frame->eax != -ERESTART)
        return;
    if (again) {
        frame->eax = frame->error;
        frame->eip -= INT_BYTES;
    } else {
        frame->eax = (u32)-EINTR;
    }
}

static void enter_handler(struct frame *frame, u32 signal)
{
    struct sigaction *kept = &current->actions[signal - 1];
    struct sigaction action = *kept;
    settle_call(frame, action.flags & SA_RESTART);
    s32 error = (action.flags & SA_SIGINFO ? push_info : push_plain)(frame, signal, &action);
    if (error)
        process_exit(SIGSEGV);
    frame->vector = 0;
    current->blocked |= action.mask;
    if (!(action.flags & SA_NODEFER))
        current->blocked |= SIGNAL(signal);
    if (action.flags & SA_RESETHAND)
        kept->handler = SIG_DFL;
}

void signals_deliver(struct frame *frame)
{
    while (signal_waiting(current)) {
        u32 signal = 1;
        while (!(current->pending & ~current->blocked & SIGNAL(signal)))
            signal++;
        current->pending &= ~SIGNAL(signal);
        if (current->actions[signal - 1].handler == SIG_DFL)
            process_exit((s32)signal);
        enter_handler(frame, signal);
    }
    settle_call(frame, true);
}

static s32 take_machine(struct frame *frame, const struct sigcontext *from)
{
    static u8 buffer[FPU_FRAME];
    if (from->fpstate) {
        if (copy_in(buffer, from->fpstate, sizeof buffer))
            return -EFAULT;
        fpu_from_signal(&current->context, buffer);
    } else {
        fpu_forget(&current->context);
    }
    struct frame chosen = {
        .gs = from->gs,
        .fs = from->fs,
        .es = from->es,
        .ds = from->ds,
        .edi = from->edi,
        .esi = from->esi,
        .ebp = from->ebp,
        .ebx = from->ebx,
        .edx = from->edx,
        .ecx = from->ecx,
        .eax = from->eax,
        .eip = from->eip,
        .eflags = from->eflags,
        .esp = from->esp,
    };
    frame_take(frame, &chosen);
    return 0;
}

s32 signal_return(struct frame *frame, bool with_info)
{
    struct sigcontext machine;
    u64 mask;
    s32 error;
    if (with_info) {
        /* The handler's RET took the return address. */
        u32 context = frame->esp - 4 + offsetof(struct info_frame, context);
        error = copy_in(&machine, context + offsetof(struct ucontext, machine), sizeof machine);
        error |= copy_in(&mask, context + offsetof(struct ucontext, mask), sizeof mask);
    } else {
        /* And the restorer's POP the number. */
        u32 place = frame->esp - 8;
        u32 above;
        error = copy_in(&machine, place + offsetof(struct signal_frame, machine), sizeof machine);
        error |= copy_in(&above, place + offsetof(struct signal_frame, mask_above), sizeof above);
        mask = (u64)above << 32 | machine.old_mask;
    }
    if (error || take_machine(frame, &machine))
        process_exit(SIGSEGV);
    current->blocked = mask & ~(SIGNAL(SIGKILL) | SIGNAL(SIGSTOP));
    return (s32)frame->eax;
}
