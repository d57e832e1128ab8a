/* The runtime of every image: text, tables, and the cases. */
#include "runtime.h"

/* ── text ── */
static void put(char c) { out8(0xe9, c); }

static void put_hex(u32 value, u32 digits) {
  while (digits < 8 && value >> (digits * 4)) digits++;
  while (digits--) put("0123456789abcdef"[(value >> (digits * 4)) & 15]);
}

static void put_decimal(u32 value) {
  if (value >= 10) put_decimal(value / 10);
  put('0' + value % 10);
}

static void put_list(const char *format, __builtin_va_list list) {
  for (; *format; format++) {
    if (*format != '%') {
      put(*format);
      continue;
    }
    switch (*++format) {
    case 'x': put_hex(__builtin_va_arg(list, u32), 1); break;
    case 'b': put_hex(__builtin_va_arg(list, u32), 2); break;
    case 'd': put_decimal(__builtin_va_arg(list, u32)); break;
    case 'c': put(__builtin_va_arg(list, u32)); break;
    case 's':
      for (const char *s = __builtin_va_arg(list, const char *); *s; s++) put(*s);
      break;
    }
  }
}

void print(const char *format, ...) {
  __builtin_va_list list;
  __builtin_va_start(list, format);
  put_list(format, list);
  __builtin_va_end(list);
}

/* ── memory ── */
void copy(u32 to, const void *from, u32 bytes) {
  u32 words = bytes / 4, rest = bytes % 4;
  asm volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
}
void fill(u32 to, u32 value, u32 bytes) {
  u32 count = bytes / 4;
  asm volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(value) : "memory");
}
void *memcpy(void *to, const void *from, u32 bytes) {
  copy((u32)to, from, bytes);
  return to;
}
void *memset(void *to, int value, u32 bytes) {
  for (u32 i = 0; i < bytes; i++) ((u8 *)to)[i] = value;
  return to;
}

static u32 equal(u32 a, u32 b, u32 bytes) {
  u32 count = bytes / 4;
  u8 same;
  asm volatile("repe cmpsl; sete %0" : "=q"(same), "+S"(a), "+D"(b), "+c"(count) : : "memory");
  return same;
}
static void fill_ud2(u32 from, u32 to) {
  for (; from < to; from += 2) *at16(from) = 0x0b0f;
}

/* ── descriptors ── */
void set_segment(u32 table, u32 selector, u32 base, u32 limit, u32 type, u32 flags) {
  u32 *entry = at32(table + (selector & 0xfff8));
  entry[0] = base << 16 | (limit & 0xffff);
  entry[1] = (base & 0xff000000) | flags << 20 | (limit & 0xf0000) | type << 8 | (base >> 16 & 0xff);
}
void set_gate(u32 table, u32 selector, u32 target, u32 offset, u32 type, u32 count) {
  u32 *entry = at32(table + (selector & 0xfff8));
  entry[0] = target << 16 | (offset & 0xffff);
  entry[1] = (offset & 0xffff0000) | type << 8 | count;
}

static void build_gdt(void) {
  fill(GDT, 0, GDT_BYTES);
  fill(LDT, 0, LDT_BYTES);
  segment(DRIVER_CODE, 0, 0xfffff, CODE_XR | ACCESSED, FLAT_);
  segment(DRIVER_DATA, 0, 0xfffff, DATA_RW | ACCESSED, FLAT_);
  segment(SEL_TSS, TSS_MAIN, TSS_MAIN_BYTES - 1, TSS32, 0);
  segment(SEL_LDT, LDT, LDT_BYTES - 1, LDT_, 0);
  segment(SEL_TSS_A, TSS_A, 0x67, TSS32, 0);
  segment(SEL_TSS_B, TSS_B, 0x67, TSS32, 0);
  segment(SEL_TSS_C, TSS_C, 0x2b, TSS16, 0);
  segment(SEL_TSS_D, TSS_D, 0x2b, TSS16, 0);
  for (u32 n = 0; n < 4; n++) {
    segment(FLAT_CODE(n), 0, 0xfffff, CODE_XR | ACCESSED | DPL(n), FLAT_);
    segment(FLAT_DATA(n), 0, 0xfffff, DATA_RW | ACCESSED | DPL(n), FLAT_);
    segment(STACK16(n), 0, 0xffff, DATA_RW | ACCESSED | DPL(n), 0);
  }
}

static void build_idt(void) {
  for (u32 v = 0; v < 256; v++) idt(v, DRIVER_CODE, STUB(v), INT32);
  /* INT3, INTO, BOUND and vectors 0x20 to 0x2f may be called from everywhere. */
  for (u32 v = 3; v < 6; v++) idt(v, DRIVER_CODE, STUB(v), INT32 | DPL(3));
  for (u32 v = 0x20; v < 0x30; v++) idt(v, DRIVER_CODE, STUB(v), INT32 | DPL(3));
}

static void build_tss(void) {
  fill(TSS_MAIN, 0, TSS_MAIN_BYTES);
  for (u32 n = 0; n < 3; n++) {
    *at32(TSS_MAIN + 4 + n * 8) = STACK_TOP(n);
    *at32(TSS_MAIN + 8 + n * 8) = (n ? FLAT_DATA(n) : DRIVER_DATA) | n;
  }
  /* No I/O permission map. */
  *at16(TSS_MAIN + 0x66) = TSS_MAIN_BYTES;
}

/* What cases change, as it is before each of them: kept, because building costs more than copying. */
static struct {
  u32 base, bytes;
} const tables[] = {{GDT, GDT_BYTES}, {LDT, LDT_BYTES}, {TSS_MAIN, 0x68}, {IDT, IDT_BYTES}};
static u8 pristine[GDT_BYTES + LDT_BYTES + 0x68 + IDT_BYTES];
/* The IDT, which is the last, as often as it was changed. */
static u32 idt_changed = 1;

static void keep_tables(u32 back) {
  u32 kept = (u32)pristine;
  for (u32 i = 0; i < COUNT(tables) - !idt_changed; kept += tables[i++].bytes) {
    if (back) copy(tables[i].base, (void *)kept, tables[i].bytes);
    else copy(kept, (void *)tables[i].base, tables[i].bytes);
  }
}

static void build_tables(void) {
  build_gdt();
  build_idt();
  build_tss();
  keep_tables(0);
  fill_ud2(LANDING, LANDING + LANDING_BYTES);
}

static void restore_tables(void) {
  keep_tables(1);
  idt_changed = 0;
  fill(STACKS, 0xeeeeeeee, 4 * STACK_BYTES);
}

void idt(u32 vector, u32 target, u32 offset, u32 type) {
  set_gate(IDT, vector * 8, target, offset, type, 0);
  idt_changed = 1;
}

void task32(u32 tss, u32 n) {
  u32 *t = at32(tss);
  fill(tss, 0, 0x68);
  t[1] = STACK_TOP(0) - 0x200;
  t[2] = DRIVER_DATA;
  t[8] = TASK_STUB(n);
  t[9] = 2;
  for (u32 r = 0; r < 8; r++) t[10 + r] = 0x11110000 * n + 0x1000 + r;
  t[14] = STACK_TOP(0) - 0x100;
  for (u32 s = 18; s < 24; s++) t[s] = DRIVER_DATA;
  t[19] = DRIVER_CODE;
  t[25] = 0x680000;
}

void task16(u32 tss, u32 n) {
  u16 *t = at16(tss);
  fill(tss, 0, 0x2c);
  t[1] = STACK_TOP(0) - 0x200;
  t[2] = DRIVER_DATA;
  t[7] = TASK_STUB(n) - 0x10000;
  t[8] = 2;
  for (u32 r = 0; r < 8; r++) t[9 + r] = 0x1000 * n + r;
  t[13] = STACK_TOP(0) - 0x100;
  for (u32 s = 17; s < 21; s++) t[s] = DRIVER_DATA;
  t[18] = DRIVER_CODE;
  t[19] = STACK16(0);
}

/* ── cases ── */
#define WATCHES 16
#define WATCHED_BYTES 0x2000
static struct {
  const char *name;
  u32 base, bytes;
  u8 *before;
} watches[WATCHES];
static u32 watch_count;
static u8 watched[WATCHED_BYTES];
static u32 watched_bytes;
static u32 cases;

void (*prepare)(void);
void (*restore)(void);
u32 in_dr[4], in_dr6, in_dr7;
extern u32 launch[2];
static const u32 CR2_BEFORE = 0xc2c2c2c2;

void watch(const char *name, u32 base, u32 bytes) {
  if (watch_count == WATCHES || watched_bytes + bytes > WATCHED_BYTES) {
    print("runtime: too much is watched\n");
    return;
  }
  watches[watch_count].name = name;
  watches[watch_count].base = base;
  watches[watch_count].bytes = bytes;
  watches[watch_count].before = watched + watched_bytes;
  watched_bytes += bytes;
  watch_count++;
}

/* The driver's own task and LDT, and nothing of the last case. */
static void driver_state(void) {
  at8(GDT)[SEL_TSS + 5] = TSS32;
  asm volatile("pushl $2; popfl; clts; ltr %w0; lldt %w1" : : "r"(SEL_TSS), "r"(SEL_LDT) : "memory");
}

void begin(const char *format, ...) {
  restore_tables();
  driver_state();
  in_eflags = 2;
  in_eip = CODE;
  in_eax = in_ecx = in_edx = in_ebx = in_ebp = in_esi = in_edi = 0;
  in_dr[0] = in_dr[1] = in_dr[2] = in_dr[3] = in_dr6 = in_dr7 = 0;
  ring(0);
  if (prepare) prepare();
  __builtin_va_list list;
  __builtin_va_start(list, format);
  put_list(format, list);
  __builtin_va_end(list);
}

void ring(u32 n) {
  in_cs = FLAT_CODE(n) | n;
  in_ss = in_ds = in_es = in_fs = in_gs = FLAT_DATA(n) | n;
  in_esp = n ? STACK_TOP(n) : STACK_TOP(0) - 0x80;
}

void virtual8086(u32 iopl) {
  in_eflags = VM | IOPL(iopl) | 2;
  in_cs = CODE >> 4;
  in_eip = 0;
  in_ss = STACKS >> 4;
  in_esp = STACK_TOP(3) - STACKS;
  in_ds = in_es = DATA >> 4;
  in_fs = in_gs = 0;
}

void code(struct code c) {
  copy(CODE, c.start, c.end - c.start);
  fill_ud2(CODE + (c.end - c.start), CODE + (c.end - c.start) + 0x20);
}

/* The linear address of an offset in a segment of the GDT or the LDT; 0 where there is none. */
static u32 linear(u32 selector, u32 offset) {
  u32 *entry = at32((selector & 4 ? LDT : GDT) + (selector & 0xfff8));
  u32 base = entry[0] >> 16 | (entry[1] & 0xff) << 16 | (entry[1] & 0xff000000);
  return base + (entry[1] >> 22 & 1 ? offset : offset & 0xffff);
}

static void prepare_launch(void) {
  static u32 outer[10];
  u32 *frame = outer;
  launch[0] = (u32)outer;
  launch[1] = DRIVER_DATA;
  if (!(in_eflags & VM) && (in_cs & 3) == 0) {
    launch[0] = in_esp - 16;
    launch[1] = in_ss;
    frame = at32(linear(in_ss, in_esp) - 16);
  } else if (in_eflags & VM) {
    frame[0] = DRIVER_DATA;
    frame[6] = in_es;
    frame[7] = in_ds;
    frame[8] = in_fs;
    frame[9] = in_gs;
  }
  if (!(in_eflags & VM)) frame[0] = in_ds;
  frame[1] = in_eip;
  frame[2] = in_cs;
  frame[3] = in_eflags;
  if (frame == outer) {
    frame[4] = in_esp;
    frame[5] = in_ss;
  }
}

void enter_case(void) {
  u32 es = in_es, fs = in_fs, gs = in_gs;
  prepare_launch();
  for (u32 i = 0; i < watch_count; i++) copy((u32)watches[i].before, (void *)watches[i].base, watches[i].bytes);
  write_cr2(CR2_BEFORE);
  asm volatile("movl %0, %%dr0; movl %1, %%dr1; movl %2, %%dr2; movl %3, %%dr3"
               : : "r"(in_dr[0]), "r"(in_dr[1]), "r"(in_dr[2]), "r"(in_dr[3]));
  asm volatile("movl %0, %%dr6; movl %1, %%dr7" : : "r"(in_dr6), "r"(in_dr7));
  if (in_eflags & VM) in_es = in_fs = in_gs = 0;
  enter();
  in_es = es;
  in_fs = fs;
  in_gs = gs;
  if (restore) restore();
}

static void report_vector(void) {
  static const char names[] = "DE\0DB\0NM\0BP\0OF\0BR\0UD\0NM\0DF\0cs\0TS\0NP\0SS\0GP\0PF\0rs\0MF\0AC\0MC\0XM";
  if (out_vector == 2) print("NMI");
  else if (out_vector < 20) print("#%s", names + out_vector * 3);
  else if (out_vector >= 0x100 && out_vector < 0x110) print("task %d", out_vector - 0x100);
  else if (out_vector == 0x1ff) print("handler16");
  else print("int %x", out_vector);
}

static void report_register(const char *name, u32 before, u32 after) {
  if (before != after) print(" %s %x", name, after);
}

static void report_registers(void) {
  report_register("eax", in_eax, out_eax);
  report_register("ecx", in_ecx, out_ecx);
  report_register("edx", in_edx, out_edx);
  report_register("ebx", in_ebx, out_ebx);
  report_register("ebp", in_ebp, out_ebp);
  report_register("esi", in_esi, out_esi);
  report_register("edi", in_edi, out_edi);
  report_register("es", in_es, out_es & 0xffff);
  report_register("ds", in_ds, out_ds & 0xffff);
  report_register("fs", in_fs, out_fs & 0xffff);
  report_register("gs", in_gs, out_gs & 0xffff);
  report_register("cr2", CR2_BEFORE, out_cr2);
  report_register("dr6", 0xffff0ff0, out_dr6);
  report_register("dr7", in_dr7 | 0x400, out_dr7);
  report_register("tr", SEL_TSS, out_tr & 0xffff);
  report_register("ldtr", SEL_LDT, out_ldtr & 0xffff);
}

/* The double words from `from` to `top`; a row of those never written is one dash. */
static void report_stack(u32 from, u32 top) {
  u32 dashed = 0;
  if (from & 2) {
    print(" %x", *at16(from));
    from += 2;
  }
  for (; from < top; from += 4) {
    u32 blank = *at32(from) == 0xeeeeeeee;
    if (!blank) print(" %x", *at32(from));
    else if (!dashed) print(" -");
    dashed = blank;
  }
}

/* The stack of the handler from its top on, without what was never written at its end; whole stacks of the other rings. */
static void report_stacks(void) {
  u32 esp = linear(out_ss, out_esp);
  u32 on = 4;
  if (esp >= STACKS && esp <= STACK_TOP(3)) {
    on = (esp - 1 - STACKS) / STACK_BYTES;
    u32 top = STACK_TOP(on);
    while (top > esp && *at32(top - 4) == 0xeeeeeeee) top -= 4;
    print(" s%d", on);
    report_stack(esp, top);
  }
  for (u32 n = 1; n < 4; n++) {
    if (n == on) continue;
    u32 from = STACK_TOP(n - 1), top = STACK_TOP(n);
    while (from < top && *at32(from) == 0xeeeeeeee) from += 4;
    if (from == top) continue;
    print(" s%d", n);
    report_stack(from, top);
  }
}

static void report_watches(void) {
  for (u32 i = 0; i < watch_count; i++) {
    if (equal((u32)watches[i].before, watches[i].base, watches[i].bytes)) continue;
    for (u32 offset = 0; offset < watches[i].bytes; offset += 4) {
      u32 before = *(u32 *)(watches[i].before + offset), after = *at32(watches[i].base + offset);
      if (before != after) print(" %s+%x:%x", watches[i].name, offset, after);
    }
  }
}

/* Everything about the event, behind the name. */
static void report_event(void) {
  print(": ");
  report_vector();
  print(" %x %x:%x f %x", out_cs & 0xffff, out_ss & 0xffff, out_esp, out_eflags);
  report_stacks();
  print(" |");
  report_registers();
  report_watches();
}

void report(void) {
  report_event();
  put('\n');
  cases++;
}

void go(void) {
  enter_case();
  report();
  driver_state();
}

void trace(u32 most, void (*change)(void)) {
  enter_case();
  report_event();
  driver_state();
  while (--most && out_vector == 1) {
    decode_frame(0);
    /* What is seen once need not be told again. */
    in_dr6 = 0;
    if (change) change();
    enter_case();
    report_event();
    driver_state();
  }
  put('\n');
  cases++;
}

void decode_frame(u32 error) {
  u32 *frame = at32(linear(out_ss, out_esp) + error * 4);
  u32 outer = (frame[2] & VM) || (frame[1] & 3);
  in_eip = frame[0];
  in_cs = frame[1] & 0xffff;
  in_eflags = frame[2];
  in_esp = outer ? frame[3] : (u32)(frame + 3);
  if (outer) in_ss = frame[4] & 0xffff;
  in_eax = out_eax, in_ecx = out_ecx, in_edx = out_edx, in_ebx = out_ebx;
  in_ebp = out_ebp, in_esi = out_esi, in_edi = out_edi;
  if (in_eflags & VM) {
    in_es = frame[5], in_ds = frame[6], in_fs = frame[7], in_gs = frame[8];
  } else {
    in_es = out_es & 0xffff, in_ds = out_ds & 0xffff, in_fs = out_fs & 0xffff, in_gs = out_gs & 0xffff;
  }
  in_dr7 = out_dr7;
}

static struct {
  u16 limit;
  u32 base;
} __attribute__((packed)) gdtr = {GDT_BYTES - 1, GDT}, idtr = {IDT_BYTES - 1, IDT};

/* QEMU and ours end at the first port, Bochs at the word at the second. */
static void end(void) {
  out8(0xf4, 0);
  for (const char *s = "Shutdown"; *s; s++) out8(0x8900, *s);
}

void run(void) {
  build_tables();
  asm volatile("lgdt %0; lidt %1; ljmp $" STRING(DRIVER_CODE) ", $1f; 1:" : : "m"(gdtr), "m"(idtr));
  asm volatile("movw %w0, %%ss; movw %w0, %%ds; movw %w0, %%es; movw %w1, %%fs; movw %w1, %%gs" : : "r"(DRIVER_DATA), "r"(0));
  write_cr0((read_cr0() & ~0x60000000) | 0x20);
  watch("gdt", GDT, GDT_BYTES);
  watch("ldt", LDT, LDT_BYTES);
  tests();
  print("%d cases\n", cases);
  end();
  for (;;) asm volatile("hlt");
}
