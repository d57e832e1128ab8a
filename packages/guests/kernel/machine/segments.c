/*
 * Descriptor tables (SDM vol. 3A, 3.4.5, 5.8 and 7.2): flat segments, a TSS for its stack pointer alone, gates that
 * turn interrupts off. Also where the machine starts.
 */
#include "internal.h"
#include "paging.h"

struct descriptor {
    u32 low, high;
};
struct table_register {
    u16 limit;
    u32 base;
} __attribute__((packed));

/* A 32-bit TSS; what task switches would use stays 0. */
struct tss {
    u32 link, esp0, ss0, unused[22];
    u16 trap, io_map;
};

#define FLAT 0x00cf0000u
#define PRESENT 0x8000u
#define RING3 0x6000u
#define CODE 0x1b00u /* readable, accessed */
#define DATA 0x1300u /* writable, accessed */
#define TSS_FREE 0x0900u
#define INTERRUPT_GATE 0x0e00u

static struct descriptor gdt[GDT_ENTRIES];
static struct descriptor idt[256];
static struct tss tss;

static void set_gate(u32 vector, const void *handler, u32 ring)
{
    u32 address = (u32)handler;
    idt[vector].low = KERNEL_CODE << 16 | (address & 0xffff);
    idt[vector].high = (address & 0xffff0000) | PRESENT | INTERRUPT_GATE | ring;
}

void segments_start(void)
{
    gdt[KERNEL_CODE / 8] = (struct descriptor){0xffff, FLAT | PRESENT | CODE};
    gdt[KERNEL_DATA / 8] = (struct descriptor){0xffff, FLAT | PRESENT | DATA};
    gdt[USER_CODE / 8] = (struct descriptor){0xffff, FLAT | PRESENT | RING3 | CODE};
    gdt[USER_DATA / 8] = (struct descriptor){0xffff, FLAT | PRESENT | RING3 | DATA};
    u32 base = (u32)&tss;
    gdt[TSS_SELECTOR / 8].low = base << 16 | (sizeof tss - 1);
    gdt[TSS_SELECTOR / 8].high = (base & 0xff000000) | (base >> 16 & 0xff) | PRESENT | TSS_FREE;
    tss.ss0 = KERNEL_DATA;
    tss.io_map = sizeof tss; /* beyond the limit: no ports */
    struct table_register gdtr = {sizeof gdt - 1, (u32)gdt};
    asm volatile("lgdt %0\n\t"
                 "ljmp %1, $1f\n"
                 "1: mov %2, %%ds\n\t"
                 "mov %2, %%es\n\t"
                 "mov %2, %%ss\n\t"
                 "mov %3, %%fs\n\t"
                 "mov %3, %%gs\n\t" ::"m"(gdtr),
                 "i"(KERNEL_CODE), "r"(KERNEL_DATA), "r"(0)
                 : "memory");
    asm volatile("ltr %w0" ::"r"(TSS_SELECTOR));
    asm volatile("lldt %w0" ::"r"(0));
    for (u32 i = 0; i < VECTORS; i++) {
        bool allowed = i == VECTOR_BREAKPOINT || i == VECTOR_OVERFLOW; /* INT3 and INTO in programs */
        set_gate(i, stubs + i * STUB_BYTES, allowed ? RING3 : 0);
    }
    set_gate(VECTOR_SYSTEM_CALL, system_call_stub, RING3);
    struct table_register idtr = {sizeof idt - 1, (u32)idt};
    asm volatile("lidt %0" ::"m"(idtr));
}

void segments_set_stack(u32 top)
{
    tss.esp0 = top;
}

void segments_set_tls(u32 index, const u32 descriptor[2])
{
    struct descriptor *entry = &gdt[TLS_FIRST + index];
    if (entry->low == descriptor[0] && entry->high == descriptor[1])
        return;
    *entry = (struct descriptor){descriptor[0], descriptor[1]};
    /* FS and GS may still name the old one, and a trap within the kernel would load it. The program's are saved. */
    asm volatile("mov %0, %%fs\n\tmov %0, %%gs" ::"r"(0));
}

static u32 cpuid_features(void)
{
    u32 eax = 1, ebx, ecx, edx;
    asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    return edx;
}

/* From boot.S, on a stack of its own. */
void machine_start(const struct boot_info *boot)
{
    segments_start();
    space_start();
    u32 features = cpuid_features();
    if (features & CPUID_PGE) {
        u32 cr4;
        asm volatile("mov %%cr4, %0" : "=r"(cr4));
        asm volatile("mov %0, %%cr4" ::"r"(cr4 | CR4_PGE));
    }
    fpu_start(features);
    devices_start();
    kernel_main(boot);
}
