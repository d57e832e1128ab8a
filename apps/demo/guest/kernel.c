/*
 * The demo's kernel: it turns paging on, runs one process in ring 3, loads that process and its memory page by page as
 * page faults ask for them, and answers system calls through INT 80h. Console: the debug port E9h.
 */
#include "abi.h"

typedef struct {
    u32 edi, esi, ebp, esp_before, ebx, edx, ecx, eax;
    u32 vector, error_code;
    u32 eip, cs, eflags;
} Frame;

enum { PRESENT = 1, WRITABLE = 2, USER = 4 };
enum { PAGE_FAULT = 14, SYSTEM_CALL = 0x80 };

extern u32 gdt[];
extern const u8 trap_entries[], system_call_entry[];
extern const u8 user_image[], user_image_end[];
extern void enter_user(u32 eip, u32 esp) __attribute__((noreturn));

static u32 directory[1024] __attribute__((aligned(4096)));
static u32 idt[129 * 2];
static u32 tss[26];
static u8 system_stack[4096] __attribute__((aligned(16)));
static u32 next_frame = 0x100000;
static u32 pages_given, pages_loaded, calls, refused;

static void put(char c) { __asm__ volatile("outb %0, $0xe9" : : "a"(c)); }
static void print(const char *text) { while (*text) put(*text++); }
static void print_number(u32 value)
{
    char digits[10];
    u32 n = 0;
    do digits[n++] = '0' + value % 10; while (value /= 10);
    while (n) put(digits[--n]);
}
static void print_hex(u32 value)
{
    for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
}

static void copy(void *to, const void *from, u32 bytes)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}
static void clear(u32 page)
{
    u32 count = 1024;
    __asm__ volatile("rep stosl" : "+D"(page), "+c"(count) : "a"(0) : "memory");
}
static u32 new_frame(void)
{
    u32 frame = next_frame;
    next_frame += 4096;
    clear(frame);
    return frame;
}

static void map(u32 linear, u32 entry)
{
    u32 *slot = &directory[linear >> 22];
    if (!*slot) *slot = new_frame() | PRESENT | WRITABLE | USER;
    ((u32 *)(*slot & ~0xfff))[linear >> 12 & 1023] = entry;
}

/* A page that the process has a right to, and now touches for the first time. */
static int give_page(u32 linear)
{
    u32 page = linear & ~0xfff, frame;
    u32 offset = page - USER_IMAGE, size = (u32)(user_image_end - user_image);
    int in_image = offset < size;
    if (!in_image && page - USER_BSS >= USER_BSS_BYTES && page - USER_HEAP >= USER_HEAP_BYTES
        && page - USER_STACK >= USER_STACK_BYTES) return 0;
    frame = new_frame();
    if (in_image) {
        copy((void *)frame, user_image + offset, size - offset < 4096 ? size - offset : 4096);
        pages_loaded++;
    }
    map(page, frame | PRESENT | WRITABLE | USER);
    pages_given++;
    return 1;
}

/* What the process did wrong. It goes on at the address that it left in EBX. */
static void refuse(Frame *frame, u32 address)
{
    static const char *const names[] = { [0] = "#DE divide error", [6] = "#UD invalid opcode",
        [13] = "#GP general protection", [14] = "#PF page fault" };
    print("  kernel: ");
    print(frame->vector < 15 && names[frame->vector] ? names[frame->vector] : "exception");
    if (frame->vector == PAGE_FAULT) {
        print(" at ");
        print_hex(address);
    }
    print(", error code ");
    print_number(frame->error_code);
    print("\n");
    frame->eip = frame->ebx;
    refused++;
}

static __attribute__((noreturn)) void end(u32 code)
{
    print("\nkernel: process ended with code ");
    print_number(code);
    print("; system calls ");
    print_number(calls);
    print(", pages given ");
    print_number(pages_given);
    print(" (");
    print_number(pages_loaded);
    print(" of them loaded), refusals ");
    print_number(refused);
    print("\n");
    for (;;) __asm__ volatile("cli; hlt");
}

static void system_call(Frame *frame)
{
    calls++;
    switch (frame->eax) {
    case CALL_WRITE:
        for (u32 i = 0; i < frame->ecx; i++) put(((const char *)frame->ebx)[i]);
        frame->eax = frame->ecx;
        break;
    case CALL_EXIT:
        end(frame->ebx);
    default:
        frame->eax = -1;
    }
}

void trap(Frame *frame)
{
    u32 address;
    __asm__ volatile("mov %%cr2, %0" : "=r"(address));
    if (frame->vector == SYSTEM_CALL) system_call(frame);
    else if (frame->vector != PAGE_FAULT || frame->error_code & PRESENT || !give_page(address)) refuse(frame, address);
}

static void set_gate(u32 vector, const void *entry, u32 ring)
{
    idt[vector * 2] = 0x08 << 16 | ((u32)entry & 0xffff);
    idt[vector * 2 + 1] = ((u32)entry & 0xffff0000) | 0x8e00 | ring << 13;
}

static void set_up_traps(void)
{
    struct __attribute__((packed)) { u16 limit; const void *base; } idt_register = { sizeof idt - 1, idt };
    for (u32 vector = 0; vector < 32; vector++) set_gate(vector, trap_entries + vector * 16, 0);
    set_gate(SYSTEM_CALL, system_call_entry, 3);
    __asm__ volatile("lidt %0" : : "m"(idt_register));
    tss[1] = (u32)(system_stack + sizeof system_stack);
    tss[2] = 0x10;
    tss[25] = sizeof tss << 16;
    gdt[10] = (u32)tss << 16 | (sizeof tss - 1);
    gdt[11] = ((u32)tss & 0xff000000) | 0x8900 | ((u32)tss >> 16 & 0xff);
    __asm__ volatile("ltr %w0" : : "r"(0x28));
}

/* The first 4 MB one to one, for ring 0 alone. */
static void set_up_paging(void)
{
    for (u32 page = 0; page < 0x400000; page += 4096) map(page, page | PRESENT | WRITABLE);
    __asm__ volatile("mov %0, %%cr3" : : "r"(directory));
    __asm__ volatile("mov %0, %%cr0" : : "r"(0x80010011) : "memory");
}

void kernel_main(void)
{
    set_up_traps();
    set_up_paging();
    print("kernel: paging is on; starting a process in ring 3, none of its pages is there yet\n\n");
    enter_user(USER_IMAGE, USER_STACK + USER_STACK_BYTES);
}
