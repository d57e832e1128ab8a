/*
 * Runs at physical addresses, before paging: finds out what RAM there is, builds the kernel's map of it and turns
 * paging on (SDM vol. 3A, 4.3, 4.4 and 9.8). Nothing else of the kernel can be called from here.
 *
 * RAM is mapped at KERNEL_BASE by large pages (4 MB, with PAE 2 MB) if CPUID reports PSE, else by 4 KB pages; and for
 * the moment at 0, too, where this code runs.
 */
#pragma GCC target("arch=i386") /* to refuse older CPUs, this must run on them */
#include "internal.h"
#include "paging.h"

#define LOADER_MAGIC 0x2badb002u
#define MULTIBOOT_COMMAND_LINE 4u
#define MULTIBOOT_MODULES 8u

struct multiboot_module {
    u32 start, end, command_line, reserved;
};

struct multiboot {
    u32 flags;
    u32 lower_kb, upper_kb; /* the latter: RAM from 1 MB on without a hole */
    u32 boot_device;
    u32 command_line;
    u32 module_count;
    struct multiboot_module *modules;
};

extern char kernel_end[]; /* image.ld: a physical address */

static struct boot_info info;

static u32 take_page(void)
{
    u32 *page = (u32 *)info.first_free;
    info.first_free += PAGE;
    for (u32 i = 0; i < PAGE / 4; i++)
        ((volatile u32 *)page)[i] = 0;
    return (u32)page;
}

static u32 cpuid_features(void)
{
    u32 eax = 1, ebx, ecx, edx;
    asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    return edx;
}

/* A directory entry for LARGE_PAGE bytes of RAM from `physical` on. */
static u32 directory_entry(u32 physical, bool large)
{
    if (large)
        return physical | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_LARGE | ENTRY_GLOBAL;
    u32 table = take_page();
    for (u32 i = 0; i < ENTRIES; i++)
        ((pte_t *)table)[i] = (physical + i * PAGE) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_GLOBAL;
    return table | ENTRY_PRESENT | ENTRY_WRITE;
}

/* Returns CR3. */
static u32 build_map(bool large)
{
    u32 root = take_page();
#ifdef PAE
    pte_t *directory = (pte_t *)take_page();
    ((pte_t *)root)[KERNEL_BASE >> 30] = (u32)directory | ENTRY_PRESENT;
    ((pte_t *)root)[0] = (u32)directory | ENTRY_PRESENT;
#else
    pte_t *directory = (pte_t *)root + (KERNEL_BASE >> 22);
#endif
    for (u32 at = 0, i = 0; at < info.memory_end; at += LARGE_PAGE, i++) {
        directory[i] = directory_entry(at, large);
#ifndef PAE
        ((pte_t *)root)[i] = directory[i];
#endif
    }
    return root;
}

/* On the console as the firmware left it; then the end, as of a panic. */
static void __attribute__((noreturn)) refuse(const char *why)
{
    while (*why)
        out8(UART, (u8)*why++);
    for (;;)
        out8(EXIT_PORT, EXIT_PANIC);
}

struct boot_info *boot(u32 magic, const struct multiboot *from)
{
    if (magic != LOADER_MAGIC)
        refuse("the loader does not know Multiboot");
    u32 features = cpuid_features();
    if (!(features & CPUID_CMOV))
        refuse("the CPU has no CMOV: take a Pentium Pro or a later one");
#ifdef PAE
    if (!(features & CPUID_PAE))
        refuse("the CPU has no PAE: take the kernel with 32-bit paging");
#endif
    info.memory_end = 0x100000 + MIN(from->upper_kb, (MOST_MEMORY - 0x100000) / 1024) * 1024;
    info.memory_end &= ~PAGE_MASK;
    info.first_free = PAGE_UP((u32)kernel_end);
    if ((from->flags & MULTIBOOT_MODULES) && from->module_count > 0) {
        info.module_start = from->modules[0].start;
        info.module_end = from->modules[0].end;
        for (u32 i = 0; i < from->module_count; i++)
            info.first_free = MAX(info.first_free, PAGE_UP(from->modules[i].end));
    }
    if (from->flags & MULTIBOOT_COMMAND_LINE) {
        const char *line = (const char *)from->command_line;
        for (u32 i = 0; i < sizeof info.command_line - 1 && line[i]; i++)
            info.command_line[i] = line[i];
    }
    bool large = features & CPUID_PSE;
    u32 root = build_map(large);
    u32 cr4 = 0, cr0;
#ifdef PAE
    cr4 |= CR4_PAE;
#endif
    if (large)
        cr4 |= CR4_PSE;
    asm volatile("mov %0, %%cr4" ::"r"(cr4));
    asm volatile("mov %0, %%cr3" ::"r"(root) : "memory");
    asm volatile("mov %%cr0, %0" : "=r"(cr0));
    asm volatile("mov %0, %%cr0" ::"r"(cr0 | CR0_PG | CR0_WP) : "memory");
    return &info;
}
