/* What the files of this folder know of each other. */
#ifndef INTERNAL_H
#define INTERNAL_H

#include "machine.h"

#define UART 0x3f8
/* vmexit's exit port, QEMU's isa-debug-exit: the run ends with code (value << 1) | 1. */
#define EXIT_PORT 0xf4
#define EXIT_PANIC 0x7f

static inline void out8(u16 port, u8 value)
{
    asm volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}
static inline void out16(u16 port, u16 value)
{
    asm volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}
static inline u8 in8(u16 port)
{
    u8 value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline bool from_user(const struct frame *frame)
{
    return (frame->cs & 3) == 3;
}

/* entry.S */
extern const u8 stubs[], system_call_stub[];
extern const u8 restore_gs[], restore_fs[], restore_es[], restore_ds[], restore_all[];
extern const u8 user_copy_words[], user_copy_bytes[], user_copy_slow[], user_copy_done[];
void return_to_frame(void);
void switch_stack(u32 *save, u32 load);

/* space.c, segments.c, fpu.c, devices.c */
void space_start(void);
void segments_start(void);
void segments_set_stack(u32 top);
void segments_set_tls(u32 index, const u32 descriptor[2]);
void fpu_start(u32 features);
void fpu_switch(struct context *to);
void on_no_fpu(void);
void devices_start(void);
void on_irq(u32 irq);
#endif
