/* From one process to another: stack, address space, thread-local storage, FPU. */
#include "internal.h"

/* What switch_stack pops. */
struct switched {
    u32 edi, esi, ebx, ebp, eip;
};

struct frame *context_prepare(struct context *context, void *stack)
{
    u8 *top = (u8 *)stack + PAGE;
    struct frame *frame = (struct frame *)(top - sizeof(struct frame));
    struct switched *switched = (struct switched *)((u8 *)frame - sizeof(struct switched));
    memset(switched, 0, sizeof *switched);
    switched->eip = (u32)return_to_frame;
    context->stack_top = (u32)top;
    context->esp = (u32)switched;
    return frame;
}

/* One store to the TSS; one CR3 load if the space differs; GDT stores if TLS differs; CR0.TS if it must change. */
static void load(struct context *to)
{
    segments_set_stack(to->stack_top);
    space_load(to->space);
    for (u32 i = 0; i < TLS_COUNT; i++)
        segments_set_tls(i, to->tls[i]);
    fpu_switch(to);
}

void context_switch(struct context *from, struct context *to)
{
    load(to);
    switch_stack(&from->esp, to->esp);
}

void context_enter(struct context *to)
{
    u32 forgotten;
    load(to);
    switch_stack(&forgotten, to->esp);
    __builtin_unreachable();
}

void context_set_space(struct context *context, u32 space)
{
    context->space = space;
    space_load(space);
}

void context_set_tls(struct context *context, u32 index, u32 base, u32 limit, bool pages, bool wide)
{
    u32 *descriptor = context->tls[index];
    descriptor[0] = descriptor[1] = 0;
    if (base || limit) {
        descriptor[0] = base << 16 | (limit & 0xffff);
        descriptor[1] = (base & 0xff000000) | (limit & 0xf0000) | (base >> 16 & 0xff);
        descriptor[1] |= (u32)pages << 23 | (u32)wide << 22 | 0xf300; /* present, ring 3, writable data, accessed */
    }
    segments_set_tls(index, descriptor);
}
