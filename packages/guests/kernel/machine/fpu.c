/*
 * x87 and SSE state, lazily (SDM vol. 3A, 2.5 and 13.4): it stays in the CPU when its process leaves, CR0.TS is set,
 * and the first one to use it gets #NM. Processes that do not use it cost nothing, and one that alone does only CR0.TS.
 */
#include "internal.h"
#include "paging.h"

/* Linux's struct _fpstate: what FNSAVE stores, a status word with a magic behind it, what FXSAVE stores. */
#define FNSAVE_BYTES 108
#define STATUS_AT 108
#define MAGIC_AT 110
#define FXSAVE_AT 112
/* Within what FXSAVE stores (SDM vol. 2A, FXSAVE). */
#define MXCSR_AT 24
#define ST_AT 32
#define MXCSR_INITIAL 0x1f80u
#define MXCSR_MASK 0xffbfu /* the other bits make FXRSTOR fault */

static bool has_fxsr, has_sse;
/* CR0.TS as it was last set. */
static bool trapping;
static u32 cr0_without_ts;
/* Whose state is in the CPU. */
static struct context *owner;
static struct context *running;

static void set_trapping(bool on)
{
    if (on == trapping)
        return;
    trapping = on;
    if (on)
        asm volatile("mov %0, %%cr0" ::"r"(cr0_without_ts | CR0_TS));
    else
        asm volatile("clts");
}

static void save(u8 *into)
{
    if (has_fxsr)
        asm volatile("fxsave %0" : "=m"(*(u8(*)[512])into));
    else
        asm volatile("fnsave %0\n\tfrstor %0" : "+m"(*(u8(*)[FNSAVE_BYTES])into));
}

static void restore(const u8 *from)
{
    if (has_fxsr)
        asm volatile("fxrstor %0" ::"m"(*(const u8(*)[512])from));
    else /* FRSTOR waits for exceptions of the state that is replaced */
        asm volatile("fnclex\n\tfrstor %0" ::"m"(*(const u8(*)[FNSAVE_BYTES])from));
}

void fpu_start(u32 features)
{
    has_fxsr = features & CPUID_FXSR;
    has_sse = has_fxsr && (features & CPUID_SSE);
    if (has_fxsr) {
        u32 cr4;
        asm volatile("mov %%cr4, %0" : "=r"(cr4));
        asm volatile("mov %0, %%cr4" ::"r"(cr4 | CR4_OSFXSR | (has_sse ? CR4_OSXMMEXCPT : 0)));
    }
    u32 cr0;
    asm volatile("mov %%cr0, %0" : "=r"(cr0));
    cr0_without_ts = (cr0 | CR0_MP | CR0_NE) & ~(CR0_EM | CR0_TS);
    asm volatile("mov %0, %%cr0" ::"r"(cr0_without_ts | CR0_TS));
    trapping = true;
}

/* Gives the CPU's FPU to the running context, and makes the CPU hold its state. */
static void take(struct context *context)
{
    set_trapping(false);
    if (owner == context)
        return;
    if (owner)
        save(owner->fpu);
    owner = context;
    if (context->fpu_used) {
        restore(context->fpu);
        return;
    }
    context->fpu_used = true;
    asm volatile("fninit");
    if (has_sse) {
        /* Nobody may see another's registers: zeros are loaded into SSE's. */
        save(context->fpu);
        memset(context->fpu + ST_AT, 0, sizeof context->fpu - ST_AT);
        *(u32 *)(context->fpu + MXCSR_AT) = MXCSR_INITIAL;
        restore(context->fpu);
    }
}

void fpu_switch(struct context *to)
{
    running = to;
    set_trapping(to != owner);
}

void on_no_fpu(void)
{
    take(running);
}

void fpu_forget(struct context *context)
{
    context->fpu_used = false;
    if (owner != context)
        return;
    owner = NULL;
    set_trapping(true);
}

void fpu_fork(const struct context *parent, struct context *child)
{
    child->fpu_used = parent->fpu_used;
    if (owner == parent)
        save(child->fpu);
    else
        memcpy(child->fpu, parent->fpu, sizeof child->fpu);
}

void fpu_to_signal(struct context *context, u8 *into)
{
    take(context);
    save(context->fpu);
    asm volatile("fnsave %0" : "=m"(*(u8(*)[FNSAVE_BYTES])into));
    restore(context->fpu);
    *(u16 *)(into + STATUS_AT) = *(const u16 *)(into + 4);
    *(u16 *)(into + MAGIC_AT) = has_fxsr ? 0 : 0xffff;
    memset(into + FXSAVE_AT, 0, FPU_FRAME - FXSAVE_AT);
    if (has_fxsr)
        memcpy(into + FXSAVE_AT, context->fpu, sizeof context->fpu);
}

void fpu_from_signal(struct context *context, const u8 *from)
{
    if (has_fxsr) {
        memcpy(context->fpu, from + FXSAVE_AT, sizeof context->fpu);
        *(u32 *)(context->fpu + MXCSR_AT) &= MXCSR_MASK;
    } else {
        memcpy(context->fpu, from, FNSAVE_BYTES);
    }
    context->fpu_used = true;
    if (owner == context)
        restore(context->fpu);
}
