/* What every image is made of: cases. A case is a context to enter, a snippet to run there, and the line that says what
   came of it. */
#ifndef RUNTIME_H
#define RUNTIME_H
#include "layout.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

/* ── the context a case starts in, and what was found at the event that ended it ── */
extern u32 in_eax, in_ecx, in_edx, in_ebx, in_esp, in_ebp, in_esi, in_edi, in_eip, in_eflags;
extern u32 in_es, in_cs, in_ss, in_ds, in_fs, in_gs;
extern u32 out_eax, out_ecx, out_edx, out_ebx, out_esp, out_ebp, out_esi, out_edi, out_eflags;
extern u32 out_es, out_cs, out_ss, out_ds, out_fs, out_gs;
extern u32 out_vector, out_tr, out_ldtr, out_cr0, out_cr2, out_cr3, out_dr6, out_dr7;
extern u8 stubs[], task_stubs[], stub16[];
#define STUB(vector) ((u32)stubs + (vector) * 16)
#define TASK_STUB(n) ((u32)task_stubs + (n) * 16)

/* ── snippets: machine code written in place; what follows them in memory is UD2 ── */
struct code {
  const u8 *start, *end;
};
#define SNIPPET_(mode, text, n)                                                                                        \
  ({                                                                                                                   \
    struct code c_;                                                                                                    \
    asm(".pushsection .snippets,\"a\",@progbits\n.Lfrom" #n ": ." mode "\n" text                                       \
        "\n.code32\n.Lto" #n ": .popsection");                                                                         \
    asm volatile("movl $.Lfrom" #n ", %0\nmovl $.Lto" #n ", %1" : "=r"(c_.start), "=r"(c_.end));                        \
    c_;                                                                                                                \
  })
#define SNIPPET__(mode, text, n) SNIPPET_(mode, text, n)
/* Each has labels of its own: the compiler merges equal statements. */
#define SNIPPET(mode, text) SNIPPET__(mode, text, __COUNTER__)
#define ASM(text) SNIPPET("code32", text)
#define ASM16(text) SNIPPET("code16", text)
#define STRING_(x) #x
#define STRING(x) STRING_(x)

/* ── text ── */
void print(const char *format, ...); /* %x %d %s %c %b (byte as two digits) */

/* ── memory ── */
static inline u8 *at8(u32 address) { return (u8 *)address; }
static inline u16 *at16(u32 address) { return (u16 *)address; }
static inline u32 *at32(u32 address) { return (u32 *)address; }
void copy(u32 to, const void *from, u32 bytes);
void fill(u32 to, u32 value, u32 bytes);

/* ── descriptors ── */
/* Types of segments, without DPL; with P. */
enum {
  DATA_RO = 0x90, DATA_RW = 0x92, DOWN_RO = 0x94, DOWN_RW = 0x96,
  CODE_XO = 0x98, CODE_XR = 0x9a, CONF_XO = 0x9c, CONF_XR = 0x9e,
  TSS16 = 0x81, LDT_ = 0x82, TSS16_BUSY = 0x83, CALL16 = 0x84, TASK_GATE = 0x85, INT16 = 0x86, TRAP16 = 0x87,
  TSS32 = 0x89, TSS32_BUSY = 0x8b, CALL32 = 0x8c, INT32 = 0x8e, TRAP32 = 0x8f,
};
#define DPL(n) ((n) << 5)
#define PRESENT 0x80
#define ACCESSED 1
/* Flags of a segment. */
#define BIG 0x4
#define PAGES 0x8
#define FLAT_ (BIG | PAGES)
void set_segment(u32 table, u32 selector, u32 base, u32 limit, u32 type, u32 flags);
void set_gate(u32 table, u32 selector, u32 target, u32 offset, u32 type, u32 count);
static inline void segment(u32 selector, u32 base, u32 limit, u32 type, u32 flags) {
  set_segment(selector & 4 ? LDT : GDT, selector, base, limit, type, flags);
}
static inline void gate(u32 selector, u32 target, u32 offset, u32 type, u32 count) {
  set_gate(selector & 4 ? LDT : GDT, selector, target, offset, type, count);
}
void idt(u32 vector, u32 target, u32 offset, u32 type);
/* Replace the type byte of a descriptor. */
static inline void set_type(u32 selector, u32 type) {
  at8(selector & 4 ? LDT : GDT)[(selector & 0xfff8) + 5] = type;
}

/* ── cases ── */
/* Every table as it is at the start of a case, and `in` as ring 0 runs; then the name of the case. */
void begin(const char *name, ...);
/* The context: ring `n` with its flat segments and its stack. */
void ring(u32 n);
/* Virtual-8086 mode at the same snippet, stack and data. */
void virtual8086(u32 iopl);
/* What to run, at CODE. */
void code(struct code);
/* Enter, and print the line. */
void go(void);
/* The same in two: what is printed in between belongs to the line. */
void enter_case(void);
void report(void);
/* As go(); and go on from where the event came, as often as it was #DB, at most `most` times: all on one line. Before
   each, `change` may change the context. */
void trace(u32 most, void (*change)(void));
/* Registers for the event's frame, when it is a 32-bit one. `error` words of error code lie on top. */
void decode_frame(u32 error);
/* A range of memory whose changes, double word by double word, are printed by name and offset. Ranges hold for the image. */
void watch(const char *name, u32 base, u32 bytes);
/* Called by begin(), to set up what all cases of an image have in common. */
extern void (*prepare)(void);
/* Called after each case, before its line is printed. */
extern void (*restore)(void);
/* Debug registers that a case wants: loaded by enter_case(). */
extern u32 in_dr[4], in_dr6, in_dr7;
/* Of a TSS of 32 bits: a task that runs the stub `n` of tasks in ring 0. */
void task32(u32 tss, u32 n);
void task16(u32 tss, u32 n);

/* ── the image ── */
void run(void);
void enter(void);
void tests(void);

/* ── privileged instructions ── */
static inline u32 read_cr0(void) { u32 v; asm volatile("movl %%cr0, %0" : "=r"(v)); return v; }
static inline u32 read_cr4(void) { u32 v; asm volatile("movl %%cr4, %0" : "=r"(v)); return v; }
static inline void write_cr0(u32 v) { asm volatile("movl %0, %%cr0" : : "r"(v) : "memory"); }
static inline void write_cr2(u32 v) { asm volatile("movl %0, %%cr2" : : "r"(v)); }
static inline void write_cr3(u32 v) { asm volatile("movl %0, %%cr3" : : "r"(v) : "memory"); }
static inline void write_cr4(u32 v) { asm volatile("movl %0, %%cr4" : : "r"(v) : "memory"); }
static inline void write_msr(u32 msr, u32 low, u32 high) { asm volatile("wrmsr" : : "c"(msr), "a"(low), "d"(high)); }
static inline void out8(u16 port, u8 value) { asm volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }

enum {
  CF = 1, TF = 0x100, IF = 0x200, DF = 0x400, NT = 0x4000, RF = 0x10000, VM = 0x20000, AC = 0x40000, VIF = 0x80000, VIP = 0x100000,
};
#define IOPL(n) ((n) << 12)
#define COUNT(array) (sizeof(array) / sizeof *(array))
#endif
