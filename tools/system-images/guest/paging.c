/* Paging in the 32-bit format: rights, accessed and dirty bits, faults and their codes, large and global pages
   (SDM vol. 3A, chapter 4). */
#include "paging.h"

static void set_test_tables(void) {
  u32 *directory = at32(DIRECTORY), *table = at32(TEST_TABLE);
  directory[1] = TEST_TABLE | P | W | U;
  directory[2] = directory[3] = directory[1023] = 0;
  for (u32 n = 0; n < PAGES_; n++) table[n] = FRAME(n) | P | W | U;
  write_cr3(DIRECTORY);
}

static void enable_paging(void) {
  fill(DIRECTORY, 0, 0x1000);
  fill(TEST_TABLE, 0, 0x1000);
  for (u32 n = 0; n < 1024; n++) at32(IDENTITY)[n] = n << 12 | P | W | U | A | D;
  *at32(DIRECTORY) = IDENTITY | P | W | U | A;
  set_test_tables();
  write_cr0(read_cr0() | PG);
}

static void pde(u32 n, u32 value) {
  at32(DIRECTORY)[n] = value;
  write_cr3(DIRECTORY);
}
static void pte(u32 n, u32 value) {
  at32(TEST_TABLE)[n] = value;
  write_cr3(DIRECTORY);
}

static void restore_controls(void) {
  write_cr0((read_cr0() & ~WP) | PG);
  write_cr4(read_cr4() & ~(CR4_PSE | CR4_PGE));
}

/* ── rights ── */
static const char *const rights[] = {"S ro", "S rw", "U ro", "U rw"};
static const u8 right_bits[] = {P, P | W, P | U, P | U | W};
static const char *const kinds[] = {"read", "write", "modify", "execute"};

static void access(u32 kind) {
  in_ebx = PAGE(0);
  switch (kind) {
  case 0: code(ASM("movl (%ebx), %ecx; xorl %ecx, %ecx")); break;
  case 1: code(ASM("movl %ecx, (%ebx)")); break;
  case 2: code(ASM("addl $0, (%ebx)")); break;
  case 3: code(ASM("jmp *%ebx")); break;
  }
}

static void matrix(void) {
  fill(FRAME(0), 0x0b0f0b0f, 64);
  for (u32 large = 0; large < 2; large++)
    for (u32 dir = 0; dir < 4; dir++)
      for (u32 page = 0; page < 4; page++)
        for (u32 cpl = 0; cpl < 4; cpl++)
          for (u32 wp = 0; wp < 2; wp++)
            for (u32 kind = 0; kind < 4; kind++) {
              if (large && page) continue;
              if ((cpl == 1 || cpl == 2) && (page != 3 || wp == 0)) continue;
              if (large) begin("4 MB page %s, ring %d, WP %d: %s", rights[dir], cpl, wp, kinds[kind]);
              else begin("directory %s, page %s, ring %d, WP %d: %s", rights[dir], rights[page], cpl, wp, kinds[kind]);
              ring(cpl);
              if (large) {
                write_cr4(read_cr4() | CR4_PSE);
                pde(1, 0 | PS | right_bits[dir]);
                in_ebx = PAGE(0);
                access(kind);
                in_ebx = 0x400000 + LANDING;
              } else {
                pde(1, TEST_TABLE | right_bits[dir]);
                pte(0, FRAME(0) | right_bits[page]);
                access(kind);
              }
              if (wp) write_cr0(read_cr0() | WP);
              go();
            }
}

static void absent(void) {
  static const char *const what[] = {"directory entry", "page"};
  for (u32 n = 0; n < 2; n++)
    for (u32 cpl = 0; cpl < 4; cpl += 3)
      for (u32 kind = 0; kind < 4; kind++)
        for (u32 rest = 0; rest < 2; rest++) {
          begin("%s absent%s, ring %d: %s", what[n], rest ? ", all else set" : "", cpl, kinds[kind]);
          ring(cpl);
          if (n) pte(0, rest ? 0xfffffffe : FRAME(0) | W | U);
          else pde(1, rest ? 0xfffffffe : TEST_TABLE | W | U);
          access(kind);
          go();
        }
}

/* ── accessed and dirty bits, by kind of access ── */
static const char *const operations[] = {
  "mov from", "mov to", "add to", "add $0", "cmp", "test", "xchg", "cmpxchg equal", "cmpxchg unequal", "lock inc", "bt", "bts of a set bit", "btr", "xadd", "setcc", "cmovcc not taken", "shl $0",
  "shl $1", "rol cl=0", "push mem", "pop mem", "call mem", "jmp mem", "movs from", "movs to", "rep movs of 0", "cmps", "scas", "lods", "stos", "ins", "outs", "sgdt", "sldt", "str", "smsw", "lgdt", "lidt",
  "bound", "arpl unchanged", "arpl changed", "invlpg", "lea", "fld", "fstp", "fnstcw", "fnsave", "fist", "cmpxchg8b equal", "cmpxchg8b unequal", "xlat", "leave", "enter", "les", "verr mem", "lar mem", "mul", "div by 0",
  "not", "neg", "inc", "rcl cl=0", "shld cl=0", "prefetch", "clflush", "movntps", "maskmovq of nothing", "ldmxcsr", "pusha", "popa", "pushf", "lock cmpxchg unequal",
};

/* Some leave flags that mean nothing. */
#define OP(text) ASM(text "; cmpl %ebx, %ebx")

static void operation(u32 n) {
  switch (n) {
  case 0: code(OP("movl (%ebx), %ecx")); break;
  case 1: code(OP("movl %ecx, (%ebx)")); break;
  case 2: code(OP("addl %ebx, (%ebx)")); break;
  case 3: code(OP("addl $0, (%ebx)")); break;
  case 4: code(OP("cmpl %ecx, (%ebx)")); break;
  case 5: code(OP("testl %ecx, (%ebx)")); break;
  case 6: code(OP("xchgl %ecx, (%ebx)")); break;
  case 7: code(OP("cmpxchgl %ecx, (%ebx)")); break;
  case 8: code(OP("cmpxchgl %ecx, (%ebx)")); break;
  case 9: code(OP("lock incl (%ebx)")); break;
  case 10: code(OP("btl $3, (%ebx)")); break;
  case 11: code(OP("btsl $0, (%ebx)")); break;
  case 12: code(OP("btrl %ecx, (%ebx)")); break;
  case 13: code(OP("xaddl %ecx, (%ebx)")); break;
  case 14: code(OP("setz (%ebx)")); break;
  case 15: code(OP("cmovzl (%ebx), %ecx")); break;
  case 16: code(OP(".byte 0xc1, 0x23, 0")); break;
  case 17: code(OP("shll $1, (%ebx)")); break;
  case 18: code(OP("roll %cl, (%ebx)")); break;
  case 19: code(OP("pushl (%ebx)")); break;
  case 20: code(OP("pushl $5; popl (%ebx)")); break;
  case 21: code(OP("call *0x20(%ebx)")); break;
  case 22: code(OP("jmp *0x20(%ebx)")); break;
  case 23: code(OP("movl %ebx, %esi; movsl")); break;
  case 24: code(OP("movl %ebx, %edi; movsl")); break;
  case 25: code(OP("movl %ebx, %esi; movl %ebx, %edi; rep movsl")); break;
  case 26: code(OP("movl %ebx, %edi; movl $0xa000, %esi; cmpsb")); break;
  case 27: code(OP("movl %ebx, %edi; scasb")); break;
  case 28: code(OP("movl %ebx, %esi; lodsl")); break;
  case 29: code(OP("movl %ebx, %edi; stosl")); break;
  case 30: code(OP("movl %ebx, %edi; movl $0x80, %edx; insb")); break;
  case 31: code(OP("movl %ebx, %esi; movl $0x80, %edx; outsb")); break;
  case 32: code(OP("sgdtl (%ebx)")); break;
  case 33: code(OP("sldt (%ebx)")); break;
  case 34: code(OP("str (%ebx)")); break;
  case 35: code(OP("smsw (%ebx)")); break;
  case 36: code(OP("lgdtl 0x30(%ebx)")); break;
  case 37: code(OP("lidtl 0x38(%ebx)")); break;
  case 38: code(OP("boundl %ecx, 0x28(%ebx)")); break;
  case 39: code(OP("arpl %cx, (%ebx)")); break;
  case 40: code(OP("movw $3, %cx; arpl %cx, 0x28(%ebx)")); break;
  case 41: code(OP("invlpg (%ebx)")); break;
  case 42: code(OP("leal (%ebx), %ecx")); break;
  case 43: code(OP("fninit; flds (%ebx)")); break;
  case 44: code(OP("fninit; fldz; fstps (%ebx)")); break;
  case 45: code(OP("fninit; fnstcw (%ebx)")); break;
  case 46: code(OP("fninit; fnsave (%ebx)")); break;
  case 47: code(OP("fninit; fldz; fistl (%ebx)")); break;
  case 48: code(OP("cmpxchg8b (%ebx)")); break;
  case 49: code(OP("cmpxchg8b (%ebx)")); break;
  case 50: code(OP("xlat")); break;
  case 51: code(OP("movl %ebx, %ebp; leave; movl $0x4800, %esp; xorl %ebp, %ebp")); break;
  case 52: code(OP("leal 0x40(%ebx), %esp; enter $0, $0; movl $0x4800, %esp; xorl %ebp, %ebp")); break;
  case 53: code(OP("les 0x40(%ebx), %ecx")); break;
  case 54: code(OP("verr 0x28(%ebx)")); break;
  case 55: code(OP("larl 0x28(%ebx), %ecx")); break;
  case 56: code(OP("mull (%ebx)")); break;
  case 57: code(OP("divl 0x28(%ebx)")); break;
  case 58: code(OP("notl (%ebx)")); break;
  case 59: code(OP("negl (%ebx)")); break;
  case 60: code(OP("incl (%ebx)")); break;
  case 61: code(OP("rcll %cl, (%ebx)")); break;
  case 62: code(OP("shldl %cl, %edx, (%ebx)")); break;
  case 63: code(OP("prefetchnta (%ebx)")); break;
  case 64: code(OP("clflush (%ebx)")); break;
  case 65: code(OP("movntps %xmm0, (%ebx)")); break;
  case 66: code(OP("movl %ebx, %edi; pxor %mm0, %mm0; maskmovq %mm0, %mm0; emms")); break;
  case 67: code(OP("ldmxcsr 0x2c(%ebx)")); break;
  case 68: code(OP("leal 0x80(%ebx), %esp; pushal; movl $0x4800, %esp")); break;
  case 69: code(OP("movl %ebx, %esp; popal; movl $0x4800, %esp; leal -0x4800(%esp), %ebx")); break;
  case 70: code(OP("leal 0x80(%ebx), %esp; pushfl; movl $0x4800, %esp")); break;
  case 71: code(OP("lock cmpxchgl %ecx, (%ebx)")); break;
  }
}

/* What the operations read. */
static void operands(void) {
  u32 *frame = at32(FRAME(0));
  fill(FRAME(0), 0, 0x100);
  frame[0] = frame[1] = 0x11111111;
  frame[8] = LANDING;
  frame[0x2c / 4] = 0x1f80;
  frame[0x30 / 4] = GDT << 16 | (GDT_BYTES - 1);
  frame[0x38 / 4] = IDT << 16 | (IDT_BYTES - 1);
}

static u32 is_privileged(u32 n) { return n == 36 || n == 37 || n == 41; }

static void marks(void) {
  for (u32 state = 0; state < 4; state++)
    for (u32 n = 0; n < COUNT(operations); n++) {
      static const char *const states[] = {"", " on a read-only page", " on a supervisor's page", " on an absent page"};
      static const u8 bits[] = {P | W | U, P | U, P | W, 0};
      if (state == 2 && is_privileged(n)) continue;
      begin("%s%s", operations[n], states[state]);
      ring(is_privileged(n) ? 0 : 3);
      in_eflags = 2 | IOPL(3);
      operands();
      write_cr4(read_cr4() | 0x600);
      if (state == 1) write_cr0(read_cr0() | WP);
      pte(0, FRAME(0) | bits[state]);
      in_ebx = PAGE(0);
      in_edi = DATA + 0x100;
      in_esi = DATA + 0x200;
      if (n == 7 || n == 48) in_eax = in_edx = 0x11111111;
      operation(n);
      go();
    }
}

/* ── accesses across the end of a page ── */
static const char *const crossings[] = {
  "read word", "read double word", "write word", "write double word", "modify word", "modify double word", "push", "pop", "fld 8", "fstp 8", "fld 10", "fstp 10", "movq", "movq to", "movups", "movups to", "cmpxchg8b",
  "call through memory", "far pointer", "bts", "xchg", "movs to", "movs from", "pusha", "popa", "bound", "enter", "fnstenv", "sgdt",
};

static void crossing(u32 n) {
  switch (n) {
  case 0: code(ASM("movw 0xfff(%ebx), %cx")); break;
  case 1: code(ASM("movl 0xffe(%ebx), %ecx")); break;
  case 2: code(ASM("movw %cx, 0xfff(%ebx)")); break;
  case 3: code(ASM("movl %ecx, 0xffe(%ebx)")); break;
  case 4: code(ASM("addw $0x1111, 0xfff(%ebx)")); break;
  case 5: code(ASM("addl $0x11111111, 0xffd(%ebx)")); break;
  case 6: code(ASM("leal 0x1002(%ebx), %esp; pushl %esi; movl $0x4800, %esp")); break;
  case 7: code(ASM("leal 0xffe(%ebx), %esp; popl %ecx; movl $0x4800, %esp")); break;
  case 8: code(ASM("fninit; fldl 0xffc(%ebx)")); break;
  case 9: code(ASM("fninit; fldz; fstpl 0xffc(%ebx)")); break;
  case 10: code(ASM("fninit; fldt 0xff8(%ebx)")); break;
  case 11: code(ASM("fninit; fldz; fstpt 0xff8(%ebx)")); break;
  case 12: code(ASM("movq 0xffc(%ebx), %mm0")); break;
  case 13: code(ASM("pxor %mm0, %mm0; movq %mm0, 0xffc(%ebx)")); break;
  case 14: code(ASM("movups 0xff8(%ebx), %xmm0")); break;
  case 15: code(ASM("pxor %xmm0, %xmm0; movups %xmm0, 0xff8(%ebx)")); break;
  case 16: code(ASM("cmpxchg8b 0xffc(%ebx)")); break;
  case 17: code(ASM("call *0xffe(%ebx)")); break;
  case 18: code(ASM("les 0xffc(%ebx), %ecx")); break;
  case 19: code(ASM("btsl $3, 0xffe(%ebx); cmpl %ebx, %ebx")); break;
  case 20: code(ASM("xchgl %ecx, 0xffe(%ebx)")); break;
  case 21: code(ASM("leal 0xffe(%ebx), %edi; movsl")); break;
  case 22: code(ASM("leal 0xffe(%ebx), %esi; movsl")); break;
  case 23: code(ASM("leal 0x1010(%ebx), %esp; pushal; movl $0x4800, %esp")); break;
  case 24: code(ASM("leal 0xff0(%ebx), %esp; popal; leal -0x1010(%esp), %ebx; movl $0x4800, %esp")); break;
  case 25: code(ASM("boundl %ecx, 0xffc(%ebx)")); break;
  case 26: code(ASM("leal 0x1002(%ebx), %esp; enter $4, $0; movl $0x4800, %esp")); break;
  case 27: code(ASM("fninit; fnstenv 0xff0(%ebx)")); break;
  case 28: code(ASM("sgdtl 0xffd(%ebx)")); break;
  }
}

static const struct {
  const char *name;
  u8 first, second;
} pages[] = {
  {"both there", P | W | U, P | W | U}, {"second absent", P | W | U, 0}, {"first absent", 0, P | W | U}, {"both absent", 0, 0}, {"second read-only", P | W | U, P | U}, {"first read-only", P | U, P | W | U},
  {"second the supervisor's", P | W | U, P | W},
};

static void page_crossings(void) {
  for (u32 p = 0; p < COUNT(pages); p++)
    for (u32 n = 0; n < COUNT(crossings); n++) {
      begin("%s across pages, %s", crossings[n], pages[p].name);
      ring(3);
      write_cr4(read_cr4() | 0x600);
      fill(FRAME(0) + 0xff0, 0x05050505, 16);
      fill(FRAME(1), 0x05050505, 32);
      pte(0, FRAME(0) | pages[p].first);
      pte(1, FRAME(1) | pages[p].second);
      in_ebx = PAGE(0);
      in_edi = DATA + 0x100;
      in_esi = DATA + 0x200;
      in_ecx = 0xccddeeff;
      if (n == 17) *at32(FRAME(0) + 0xffe) = LANDING;
      if (n == 18) *at32(FRAME(1)) = FLAT_DATA(3);
      if (n == 25) in_ecx = 0x05050505;
      crossing(n);
      enter_case();
      /* What was written, and where. */
      print(" [%x %x %x %x|%x %x %x %x]", *at32(FRAME(0) + 0xff0), *at32(FRAME(0) + 0xff4), *at32(FRAME(0) + 0xff8), *at32(FRAME(0) + 0xffc),
            *at32(FRAME(1)), *at32(FRAME(1) + 4), *at32(FRAME(1) + 8), *at32(FRAME(1) + 12));
      report();
    }
}

static void code_crossings(void) {
  for (u32 p = 0; p < COUNT(pages); p++)
    for (u32 bytes = 1; bytes < 6; bytes++) {
      begin("an instruction with %d bytes before the end of a page, %s", bytes, pages[p].name);
      ring(3);
      pte(0, FRAME(0) | pages[p].first);
      pte(1, FRAME(1) | pages[p].second);
      fill(FRAME(0) + 0xff0, 0x90909090, 16);
      fill(FRAME(1), 0x0b0f0b0f, 32);
      /* FRAME(1) follows FRAME(0). */
      copy(FRAME(0) + 0x1000 - bytes, "\xb9\x44\x33\x22\x11\x0f\x0b", 7);
      in_eip = PAGE(1) - bytes;
      go();
    }
  static const struct {
    const char *name;
    u32 filling;
    u16 last, offset;
  } ends[] = {
    {"a branch to the last byte of a page", 0x90909090, 0x9090, 0xfff}, {"UD2 at the end of a page", 0x90909090, 0x0b0f, 0xffe}, {"15 prefixes at the end of a page", 0x66666666, 0x6666, 0xff1},
    {"14 prefixes at the end of a page", 0x66666666, 0x6666, 0xff2}, {"half an undefined opcode at the end of a page", 0x90909090, 0x0f90, 0xfff}, {"a prefix at the end of a page", 0x90909090, 0x6690, 0xfff},
  };
  for (u32 e = 0; e < COUNT(ends); e++) {
    begin("%s, the next absent", ends[e].name);
    ring(3);
    pte(1, 0);
    fill(FRAME(0) + 0xff0, ends[e].filling, 16);
    *at16(FRAME(0) + 0xffe) = ends[e].last;
    in_eip = PAGE(0) + ends[e].offset;
    go();
  }
}

/* ── repeated string instructions that meet a fault ── */
static void strings(void) {
  static const char *const names[] = {"rep movsl", "rep movsb down", "rep stosl", "repe cmpsb", "repne scasb", "rep lodsl", "rep outsb", "rep insb"};
  for (u32 readonly = 0; readonly < 2; readonly++)
    for (u32 n = 0; n < COUNT(names); n++) {
      begin("%s into %s page", names[n], readonly ? "a read-only" : "an absent");
      ring(3);
      in_eflags = 2 | IOPL(3) | (n == 1 ? DF : 0);
      fill(FRAME(0) + 0xfe0, 0, 32);
      fill(FRAME(1), 0, 0x100);
      fill(DATA, 0, 0x100);
      pte(n != 1, FRAME(n != 1) | (readonly ? P | U : 0));
      in_ecx = 0x20, in_edx = 0x80, in_eax = 0x55;
      in_esi = DATA, in_edi = PAGE(1) - 8;
      if (n == 1) in_edi = PAGE(1) + 3, in_esi = DATA + 0x20;
      if (n == 3) in_esi = PAGE(1) - 4, in_edi = DATA;
      if (n == 5 || n == 6) in_esi = PAGE(1) - 8;
      switch (n) {
      case 0: code(ASM("rep movsl")); break;
      case 1: code(ASM("rep movsb")); break;
      case 2: code(ASM("rep stosl")); break;
      case 3: code(ASM("repe cmpsb")); break;
      case 4: code(ASM("repne scasb")); break;
      case 5: code(ASM("rep lodsl")); break;
      case 6: code(ASM("rep outsb")); break;
      case 7: code(ASM("rep insb; movl $0xa000, %edi")); break;
      }
      go();
    }
}

/* ── large pages, and bits that must be 0 ── */
static void large(void) {
  static const struct {
    const char *name;
    u32 entry;
  } entries[] = {
    {"at 0", P | W | U}, {"with PAT", P | W | U | 0x1000}, {"with bit 21", P | W | U | 0x200000}, {"with bit 17", P | W | U | 0x20000}, {"with every cache bit", P | W | U | PWT | PCD | G},
    {"accessed", P | W | U | A}, {"accessed and dirty", P | W | U | A | D}, {"read-only", P | U}, {"the supervisor's", P | W}, {"absent with bit 21", W | U | 0x200000},
    {"read-only with bit 21", P | U | 0x200000},
  };
  for (u32 pse = 0; pse < 2; pse++)
    for (u32 e = 0; e < COUNT(entries); e++)
      for (u32 kind = 0; kind < 4; kind++) {
        /* Without PSE the entry leads to a table; it is to be in RAM. */
        if (!pse && e != 0 && e < 4) continue;
        begin("%s %s: %s", pse ? "4 MB page" : "PS without PSE,", entries[e].name, kinds[kind]);
        ring(3);
        if (pse) write_cr4(read_cr4() | CR4_PSE);
        pde(1, entries[e].entry | PS | (pse ? 0 : TEST_TABLE));
        access(kind);
        in_ebx = PAGE(0) + (pse ? LANDING : 0);
        if (!pse) fill(FRAME(0), 0x0b0f0b0f, 16);
        go();
      }
}

/* ── the processor's own accesses ── */
static struct {
  u16 limit;
  u32 base;
} __attribute__((packed)) moved, home_gdt = {GDT_BYTES - 1, GDT}, home_idt = {IDT_BYTES - 1, IDT};

static void come_home(void) {
  write_cr3(DIRECTORY);
  asm volatile("lgdt %0; lidt %1" : : "m"(home_gdt), "m"(home_idt));
  restore_controls();
}

/* A table whose first `head` bytes end the first test page: what lies behind is on the second, mapped by `bits` once
   everything is loaded. */
static u32 straddle(u32 table, u32 head, u32 bytes) {
  copy(FRAME(1) - head, at8(table), head + bytes);
  pte(0, FRAME(0) | P | W | A | D);
  pte(1, FRAME(1) | P | W);
  moved.base = PAGE(1) - head;
  moved.limit = head + bytes - 1;
  return moved.base;
}

static void straddle_tss(u32 head) {
  *at16(TSS_MAIN + 0x66) = 0x68;
  fill(TSS_MAIN + 0x68, 0, 0x20);
  segment(SEL_TSS, straddle(TSS_MAIN, head, 0x88 - head), 0x87, TSS32, 0);
  asm volatile("ltr %w0" : : "r"(SEL_TSS));
}

static const char *const system_names[] = {
  "mov ds, GDT", "mov ds, accessed, GDT", "jmp far, GDT", "lar, GDT", "ltr, GDT", "mov ds, LDT", "int 21, IDT", "int 21 to ring 2, TSS", "in, map of the TSS", "jmp to a TSS", "call to a TSS", "call gate to ring 2, TSS",
  "int 21, inner stack", "int 21, half of the inner stack", "#GP, inner stack", "#PF, inner stack", "#PF, its gate not present", "#DE, inner stack", "push in ring 0", "call gate, inner stack", "iret, GDT",
};

static void system_case(u32 n, u32 bits) {
  u32 page = 1;
  task32(TSS_A, 14);
  task32(TSS_B, 8);
  *at32(TSS_A + 0x1c) = *at32(TSS_B + 0x1c) = DIRECTORY;
  ring(n == 4 || n == 18 ? 0 : 3);
  in_eax = FREE(0) | 3;
  in_ebx = PAGE(2);
  in_ecx = PAGE(1) + 8;
  segment(FREE(0), 0, 0xfffff, DATA_RW | DPL(3) | (n == 1), FLAT_);
  switch (n) {
  case 0:
  case 1: code(ASM("movw %ax, %ds")); break;
  case 2:
    segment(FREE(0), 0, 0xfffff, CODE_XR | DPL(3), FLAT_);
    code(ASM("ljmp $0x8b, $0x9000"));
    break;
  case 3: code(ASM("larl %eax, %ecx")); break;
  case 4:
    segment(FREE(0), TSS_C, 0x67, TSS32, 0);
    code(ASM("ltr %ax"));
    break;
  case 5:
    in_eax = 0x0f;
    segment(0x0c, 0, 0xfffff, DATA_RW | DPL(3), FLAT_);
    code(ASM("movw %ax, %ds"));
    break;
  case 6: code(ASM("int $0x21")); break;
  case 7:
    idt(0x21, FLAT_CODE(2), LANDING, INT32 | DPL(3));
    code(ASM("int $0x21"));
    break;
  case 8: code(ASM("inb $0x80, %al; movb $0, %al")); break;
  case 9:
  case 10:
    task32(DATA, 3);
    *at32(DATA + 0x1c) = DIRECTORY;
    segment(FREE(0), straddle(DATA, 0x20, 0x48), 0x67, TSS32 | DPL(3), 0);
    if (n == 9) code(ASM("ljmp $0x8b, $0"));
    else code(ASM("lcall $0x8b, $0"));
    break;
  case 11:
  case 19:
    gate(FREE(0), FLAT_CODE(n == 11 ? 2 : 0), LANDING, CALL32 | DPL(3), 0);
    code(ASM("lcall $0x8b, $0"));
    break;
  case 12:
  case 13: code(ASM("int $0x21")); break;
  case 14: code(ASM("cli")); break;
  case 15:
  case 16: code(ASM("movl (%ebx), %eax")); break;
  case 17: code(ASM("divl (0xa000)")); break;
  case 18: code(ASM("movl %ecx, %esp; pushl %eax; pushl %eax; pushl %eax")); break;
  case 20:
    in_esp -= 12;
    *at32(in_esp) = LANDING, *at32(in_esp + 4) = FREE(0) | 3, *at32(in_esp + 8) = 2;
    segment(FREE(0), 0, 0xfffff, CODE_XR | DPL(3), FLAT_);
    code(ASM("iret"));
    break;
  }
  if (n < 5 || n == 20) {
    straddle(GDT, FREE(0), 8);
    asm volatile("lgdt %0" : : "m"(moved));
  } else if (n == 5) {
    segment(SEL_LDT, straddle(LDT, 8, 8), 15, LDT_, 0);
    asm volatile("lldt %w0" : : "r"(SEL_LDT));
  } else if (n == 6) {
    straddle(IDT, 0x108, 8);
    asm volatile("lidt %0" : : "m"(moved));
  } else if (n == 7 || n == 11) straddle_tss(0x14);
  else if (n == 8) straddle_tss(0x68);
  else if (n != 9 && n != 10) {
    /* The stack of the handler; only a task has another. */
    page = 0;
    *at32(TSS_MAIN + 4) = n == 13 ? PAGE(1) + 8 : PAGE(1);
    if (n < 15 || n > 17) idt(14, SEL_TSS_A, 0, TASK_GATE);
    idt(8, SEL_TSS_B, 0, TASK_GATE);
    pte(2, 0);
    if (n == 16) idt(14, DRIVER_CODE, STUB(14), INT32 & ~PRESENT);
  }
  at32(TEST_TABLE)[page] = FRAME(page) | bits;
  write_cr3(DIRECTORY);
}

static void system_accesses(void) {
  static const char *const states[] = {"absent", "the supervisor's", "read-only with WP", "read-only"};
  static const u8 bits[] = {0, P | W, P, P};
  restore = come_home;
  watch("a", TSS_A, 0x68);
  watch("b", TSS_B, 0x68);
  watch("far0", FRAME(0) + 0xfe0, 0x20);
  watch("far1", FRAME(1), 0x68);
  for (u32 s = 0; s < 4; s++)
    for (u32 n = 0; n < COUNT(system_names); n++) {
      begin("%s %s", system_names[n], states[s]);
      fill(FRAME(0) + 0xfe0, 0, 0x20);
      fill(FRAME(1), 0, 0x100);
      system_case(n, bits[s]);
      if (s == 2) write_cr0(read_cr0() | WP);
      go();
    }
}

/* ── changes of tables, and what makes them seen ── */
static void flushes(void) {
  static const char *const names[] = {
    "INVLPG after a change", "MOV CR3 after a change", "MOV CR4 after a change of a global page", "INVLPG of a global page", "MOV CR0.PG off and on", "INVLPG of another byte of the page",
    "a present entry needs none", "more rights need none after a fault", "dirty after INVLPG", "accessed after MOV CR3",
  };
  for (u32 n = 0; n < COUNT(names); n++) {
    begin("%s", names[n]);
    *at32(FRAME(0)) = 0x1111;
    *at32(FRAME(1)) = 0x2222;
    in_ebx = PAGE(0);
    in_esi = TEST_TABLE;
    in_edi = FRAME(1) | P | W | U;
    in_edx = DIRECTORY;
    if (n == 2 || n == 3) {
      write_cr4(read_cr4() | CR4_PGE);
      pte(0, FRAME(0) | P | W | U | G);
      in_edi |= G;
    }
    if (n == 6) pte(0, 0);
    switch (n) {
    case 0:
    case 3: code(ASM("movl (%ebx), %eax; movl %edi, (%esi); invlpg (%ebx); movl (%ebx), %ecx")); break;
    case 1: code(ASM("movl (%ebx), %eax; movl %edi, (%esi); movl %edx, %cr3; movl (%ebx), %ecx")); break;
    case 2: code(ASM("movl (%ebx), %eax; movl %edi, (%esi); movl %cr4, %ebp; andl $~0x80, %ebp; movl %ebp, %cr4; movl (%ebx), %ecx")); break;
    case 4: code(ASM("movl (%ebx), %eax; movl %edi, (%esi); movl %cr0, %ebp; andl $0x7fffffff, %ebp; movl %ebp, %cr0; jmp 1f; 1: orl $0x80000000, %ebp; movl %ebp, %cr0; movl (%ebx), %ecx; xorl %ebp, %ebp")); break;
    case 5: code(ASM("movl (%ebx), %eax; movl %edi, (%esi); invlpg 0xfff(%ebx); movl (%ebx), %ecx")); break;
    case 6: code(ASM("movl %edi, (%esi); movl (%ebx), %ecx")); break;
    case 7: code(ASM("nop")); break;
    case 8: code(ASM("movl %eax, (%ebx); movl (%esi), %ebp; andl $~0x60, (%esi); invlpg (%ebx); movl %eax, (%ebx)")); break;
    case 9: code(ASM("movl %eax, (%ebx); movl (%esi), %ebp; andl $~0x60, (%esi); movl %edx, %cr3; movl (%ebx), %ecx")); break;
    }
    if (n == 7) {
      ring(3);
      pte(0, FRAME(0) | P | U);
      in_ebx = PAGE(0);
      code(ASM("movl $0x33, (%ebx)"));
      go();
      /* Without any flush: what faulted was not kept. */
      at32(TEST_TABLE)[0] = FRAME(0) | P | U | W;
      decode_frame(1);
      in_dr7 = 0;
      print("%s, again", names[n]);
    }
    go();
  }
}

/* ── segments and pages together, the end of the address space, virtual-8086 mode ── */
static void linear_addresses(void) {
  static const struct {
    const char *name;
    u32 base, offset;
  } wraps[] = {{"a base near 4 GB", 0xfffff000, 0x2000}, {"a double word at fffffffe", 0, 0xfffffffe}, {"a double word at ffffffff", 0, 0xffffffff}};
  for (u32 w = 0; w < COUNT(wraps); w++)
    for (u32 n = 0; n < 3; n++) {
      begin("%s, %s", wraps[w].name, n == 0 ? "read" : n == 1 ? "write" : "the first page absent");
      ring(3);
      pde(1023, TEST_TABLE | P | W | U);
      /* The last page of the address space. */
      at32(TEST_TABLE)[1023] = n == 2 ? 0 : FRAME(3) | P | W | U;
      segment(FREE(0), wraps[w].base, 0xfffff, DATA_RW | DPL(3) | ACCESSED, FLAT_);
      in_ds = FREE(0) | 3;
      in_ebx = wraps[w].offset;
      *at32(FRAME(3) + 0xffc) = 0x12345678;
      u32 first = *at32(0);
      if (n == 1) code(ASM("movl %eax, (%ebx)"));
      else code(ASM("movl (%ebx), %eax"));
      enter_case();
      print(" [%x %x]", *at32(FRAME(3) + 0xffc), *at32(0));
      *at32(0) = first;
      report();
      at32(TEST_TABLE)[1023] = 0;
    }
  for (u32 n = 0; n < 3; n++) {
    begin("virtual-8086 mode, a page %s", n == 0 ? "of the supervisor" : n == 1 ? "absent" : "read-only");
    virtual8086(0);
    u32 *entry = at32(IDENTITY + (DATA >> 12) * 4), before = *entry;
    *entry = DATA | A | D | (n == 0 ? P | W : n == 1 ? U | W : P | U);
    write_cr3(DIRECTORY);
    code(ASM16("movw %ax, 0x10"));
    enter_case();
    *entry = before;
    write_cr3(DIRECTORY);
    report();
  }
  for (u32 n = 0; n < 2; n++) {
    begin("a limit comes before a page: %s", n ? "a stack" : "data");
    ring(3);
    pte(0, 0);
    segment(FREE(0), PAGE(0), 0xf, DATA_RW | DPL(3) | ACCESSED, BIG);
    in_es = FREE(0) | 3;
    if (n) in_ss = FREE(0) | 3, in_esp = 0x12;
    code(n ? ASM("popl %eax") : ASM("movl %es:0xd, %eax"));
    go();
  }
}

void tests(void) {
  enable_paging();
  prepare = set_test_tables;
  restore = restore_controls;
  watch("pde", DIRECTORY + 4, 12);
  watch("pte", TEST_TABLE, PAGES_ * 4);
  matrix();
  absent();
  marks();
  page_crossings();
  code_crossings();
  strings();
  large();
  flushes();
  linear_addresses();
  system_accesses();
}
