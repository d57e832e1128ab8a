/* Single-stepping and breakpoints (SDM vol. 3B, 17.2 and 17.3). */
#include "runtime.h"

#define CR4_DE 8

#define STEPS 12

static void restore_de(void) { write_cr4(read_cr4() & ~CR4_DE); }

/* ── TF ── */
static const char *const stepped[] = {
  "nops", "popf sets TF", "popf clears TF", "popf leaves TF", "iret sets TF", "iret clears TF", "mov ss", "mov ss twice", "pop ss", "lss", "mov ds", "sti", "cli", "int 20", "int3", "into", "int1", "ud2", "rep movsb 3 times", "rep movsb 0 times", "repne scasb",
  "jmp", "call and ret", "jmp far", "call far", "call gate", "retf", "pushf", "mov ss, int 20", "mov ss, int3", "mov ss, int1", "mov ss, ud2", "mov cr0", "wbinvd", "mov dr7", "loop", "#GP", "#DE", "mov ss, mov ss by popf with TF", "bound", "enter", "lock inc", "invlpg", "fninit", "lmsw", "mov ss, popf with TF",
};

static void step_code(u32 n) {
  switch (n) {
  case 0: code(ASM("nop; nop; nop")); break;
  case 1: code(ASM("pushfl; orl $0x100, (%esp); popfl; nop; nop")); break;
  case 2: code(ASM("pushfl; andl $~0x100, (%esp); popfl; nop; nop")); break;
  case 3: code(ASM("pushfl; popfl; nop")); break;
  case 4: code(ASM("pushfl; orl $0x100, (%esp); movl %cs, %eax; pushl %eax; call 1f; 1: addl $9, (%esp); iretl; nop; nop; nop; nop")); break;
  case 5: code(ASM("pushfl; andl $~0x100, (%esp); movl %cs, %eax; pushl %eax; call 1f; 1: addl $5, (%esp); iretl; nop; nop")); break;
  case 6: code(ASM("movl %ss, %eax; movl %eax, %ss; nop; nop")); break;
  case 7: code(ASM("movl %ss, %eax; movl %eax, %ss; movl %eax, %ss; nop; nop")); break;
  case 8: code(ASM("movl %ss, %eax; pushl %eax; popl %ss; nop; nop")); break;
  case 9: code(ASM("lss (%ebx), %esp; nop; nop")); break;
  case 10: code(ASM("movl %ds, %eax; movl %eax, %ds; nop")); break;
  case 11: code(ASM("sti; nop; nop")); break;
  case 12: code(ASM("cli; nop")); break;
  case 13: code(ASM("int $0x20")); break;
  case 14: code(ASM("int3")); break;
  case 15: code(ASM("movb $0x7f, %al; incb %al; into")); break;
  case 16: code(ASM(".byte 0xf1; nop")); break;
  case 17: code(ASM("nop; ud2")); break;
  case 18: code(ASM("movl $3, %ecx; rep movsb; nop")); break;
  case 19: code(ASM("rep movsb; nop")); break;
  case 20: code(ASM("movl $3, %ecx; repne scasb; nop")); break;
  case 21: code(ASM("jmp 1f; nop; 1: nop")); break;
  case 22: code(ASM("call 1f; nop; ud2; 1: ret")); break;
  case 23: code(ASM("ljmp *(%esi)")); break;
  case 24: code(ASM("lcall *(%esi)")); break;
  case 25: code(ASM("lcall *(%edi)")); break;
  case 26: code(ASM("movl %cs, %eax; pushl %eax; pushl $0x9000; lret")); break;
  case 27: code(ASM("pushfl; popl %eax; pushfw; nop")); break;
  case 28: code(ASM("movl %ss, %eax; movl %eax, %ss; int $0x20")); break;
  case 29: code(ASM("movl %ss, %eax; movl %eax, %ss; int3")); break;
  case 30: code(ASM("movl %ss, %eax; movl %eax, %ss; .byte 0xf1; nop")); break;
  case 31: code(ASM("movl %ss, %eax; movl %eax, %ss; ud2")); break;
  case 32: code(ASM("movl %cr0, %eax; movl %eax, %cr0; nop")); break;
  case 33: code(ASM("wbinvd; nop")); break;
  case 34: code(ASM("movl %dr7, %eax; movl %eax, %dr7; nop")); break;
  case 35: code(ASM("movl $2, %ecx; 1: loop 1b; nop")); break;
  case 36: code(ASM("nop; movw %bp, %ds")); break;
  case 37: code(ASM("nop; divl %ecx")); break;
  case 38: code(ASM("pushfl; orl $0x100, (%esp); movl %ss, %eax; movl %eax, %ss; popfl; movl %eax, %ss; nop; nop")); break;
  case 39: code(ASM("boundl %ecx, (%edi); nop")); break;
  case 40: code(ASM("enter $8, $2; nop")); break;
  case 41: code(ASM("lock incl (%edi); nop")); break;
  case 42: code(ASM("invlpg (%edi); nop")); break;
  case 43: code(ASM("fninit; nop")); break;
  case 44: code(ASM("smsw %ax; lmsw %ax; nop")); break;
  case 45: code(ASM("pushfl; orl $0x100, (%esp); movl %ss, %eax; movl %eax, %ss; popfl; nop; nop")); break;
  }
}

/* What the snippets point at. */
static void step_context(u32 cpl) {
  ring(cpl);
  in_ebp = 0x7f8;
  in_ebx = DATA;
  *at32(DATA) = in_esp - 0x10;
  *at32(DATA + 4) = in_ss;
  in_esi = DATA + 8;
  *at32(DATA + 8) = LANDING;
  *at32(DATA + 12) = in_cs;
  in_edi = DATA + 0x10;
  *at32(DATA + 0x10) = 0;
  *at32(DATA + 0x14) = FREE(0) | 3;
  gate(FREE(0), DRIVER_CODE, LANDING, CALL32 | DPL(3), 0);
}

static void single_steps(void) {
  for (u32 cpl = 0; cpl < 4; cpl += 3)
    for (u32 n = 0; n < COUNT(stepped); n++) {
      u32 sets = n == 1 || n == 4 || n == 38 || n == 45;
      u32 privileged = n == 33 || n == 11 || n == 12 || n == 32 || n == 34 || n == 42 || n == 44;
      if (cpl && privileged) continue;
      begin("TF in ring %d: %s", cpl, stepped[n]);
      step_context(cpl);
      step_code(n);
      in_eflags = 2 | (sets ? 0 : TF);
      trace(STEPS, 0);
    }
  begin("TF in virtual-8086 mode");
  virtual8086(3);
  in_eflags |= TF;
  code(ASM16("nop; movw %ss, %ax; movw %ax, %ss; nop; int $0x20"));
  trace(STEPS, 0);
  for (u32 gate_type = 0; gate_type < 2; gate_type++) {
    begin("TF is clear in the handler of a%s gate", gate_type ? " trap" : "n interrupt");
    ring(3);
    in_eflags |= TF;
    idt(0x21, DRIVER_CODE, LANDING, (gate_type ? TRAP32 : INT32) | DPL(3));
    code(ASM("int $0x21"));
    go();
  }
}

/* ── breakpoints on instructions ── */
#define LOCAL(n) (1 << ((n) * 2))
#define GLOBAL(n) (2 << ((n) * 2))
#define CONDITION(n, rw, len) ((((len) << 2) | (rw)) << (16 + (n) * 4))

/* What a handler does to go on: the breakpoints stay, and RF lets one pass. */
static u32 armed;
static void go_on(void) {
  in_dr7 = armed;
  in_eflags |= RF;
}

static void execution(void) {
  static const struct {
    const char *name;
    u32 at, dr7;
    u32 flags;
  } cases[] = {
    {"the first instruction", CODE, LOCAL(0), 0}, {"the first, RF set", CODE, LOCAL(0), RF}, {"the second", CODE + 1, LOCAL(0), 0}, {"the second, RF set", CODE + 1, LOCAL(0), RF}, {"globally enabled", CODE + 1, GLOBAL(0), 0},
    {"not enabled", CODE + 1, 0, 0}, {"the middle of an instruction", CODE + 3, LOCAL(0), 0}, {"with TF", CODE + 1, LOCAL(0), TF}, {"first with TF", CODE, LOCAL(0), TF}, {"with a length of 4", CODE + 2, LOCAL(0) | CONDITION(0, 0, 3), 0},
    {"an address of data", CODE + 1, LOCAL(0) | CONDITION(0, 3, 0), 0}, {"the UD2", CODE + 7, LOCAL(0), 0},
  };
  for (u32 cpl = 0; cpl < 4; cpl += 3)
    for (u32 c = 0; c < COUNT(cases); c++) {
      begin("breakpoint on %s, ring %d", cases[c].name, cpl);
      ring(cpl);
      in_dr[0] = cases[c].at;
      in_dr7 = cases[c].dr7;
      in_eflags |= cases[c].flags;
      code(ASM("nop; nop; movl $1, %eax"));
      armed = in_dr7;
      trace(4, go_on);
    }
  for (u32 n = 1; n < 4; n++) {
    begin("breakpoint %d", n);
    in_dr[n] = CODE + 1;
    in_dr7 = LOCAL(n);
    code(ASM("nop; nop"));
    go();
  }
  begin("two breakpoints on one instruction, one of them not enabled");
  in_dr[0] = in_dr[1] = in_dr[2] = CODE + 1;
  in_dr7 = LOCAL(0) | GLOBAL(2);
  code(ASM("nop; nop"));
  go();
  begin("DR6 keeps what it had");
  in_dr[0] = CODE + 1;
  in_dr7 = LOCAL(0);
  in_dr6 = 0xa008;
  code(ASM("nop; nop"));
  go();
  static const char *const after[] = {"mov ss", "pop ss", "sti", "a jump", "rep movsb", "int 20", "iret", "popf", "lss"};
  for (u32 n = 0; n < COUNT(after); n++) {
    begin("breakpoint behind %s", after[n]);
    step_context(0);
    in_dr7 = LOCAL(0) | LOCAL(1);
    in_ecx = 2;
    switch (n) {
    case 0: code(ASM("movw %ss, %ax; movw %ax, %ss; nop; nop")); in_dr[0] = CODE + 5; break;
    case 1: code(ASM("pushl %ss; popl %ss; nop; nop")); in_dr[0] = CODE + 2; break;
    case 2: code(ASM("sti; nop; nop")); in_dr[0] = CODE + 1; break;
    case 3: code(ASM("jmp 1f; nop; 1: nop")); in_dr[0] = CODE + 3; break;
    case 4: code(ASM("nop; rep movsb; nop")); in_dr[0] = CODE + 1; in_dr[1] = CODE + 3; break;
    case 5: code(ASM("int $0x20")); in_dr[0] = STUB(0x20); break;
    case 6: code(ASM("pushfl; pushl %cs; pushl $0x8008; iretl; nop; nop")); in_dr[0] = CODE + 8; break;
    case 7: code(ASM("pushfl; orl $0x10000, (%esp); popfl; nop; nop")); in_dr[0] = CODE + 9; break;
    case 8: code(ASM("lss (%ebx), %esp; nop; nop")); in_dr[0] = CODE + 3; break;
    }
    armed = in_dr7;
    trace(n == 5 ? 1 : 4, go_on);
  }
}

/* ── breakpoints on data ── */
static const char *const accesses[] = {
  "read 1", "read 2", "read 4", "write 1", "write 2", "write 4", "modify 4", "read 8", "write 8", "read 16", "push", "pop", "call", "movs from", "movs to", "rep stosb over", "cmpxchg failing", "lea", "les", "fld 10", "fxsave", "xlat", "bt", "test", "enter", "pusha", "mov ss from memory",
  "jmp through memory", "lgdt", "ltr mem", "bound", "write and #UD", "sgdt", "push memory", "pop memory", "arpl unchanged", "rep cmpsb",
};

static void data_access(u32 n) {
  switch (n) {
  case 0: code(ASM("movb (%ebx), %al; nop")); break;
  case 1: code(ASM("movw (%ebx), %ax; nop")); break;
  case 2: code(ASM("movl (%ebx), %eax; nop")); break;
  case 3: code(ASM("movb %al, (%ebx); nop")); break;
  case 4: code(ASM("movw %ax, (%ebx); nop")); break;
  case 5: code(ASM("movl %eax, (%ebx); nop")); break;
  case 6: code(ASM("incl (%ebx); cmpl %ebx, %ebx; nop")); break;
  case 7: code(ASM("movq (%ebx), %mm0; nop")); break;
  case 8: code(ASM("movq %mm0, (%ebx); nop")); break;
  case 9: code(ASM("movups (%ebx), %xmm0; nop")); break;
  case 10: code(ASM("leal 4(%ebx), %esp; pushl %eax; movl $0x4100, %esp")); break;
  case 11: code(ASM("movl %ebx, %esp; popl %eax; movl $0x4100, %esp")); break;
  case 12: code(ASM("leal 4(%ebx), %esp; call 1f; nop; 1: movl $0x4100, %esp")); break;
  case 13: code(ASM("movl %ebx, %esi; movsl; nop")); break;
  case 14: code(ASM("movl %ebx, %edi; movsl; nop")); break;
  case 15: code(ASM("leal -2(%ebx), %edi; movl $8, %ecx; rep stosb; nop")); break;
  case 16: code(ASM("movl $0x77, %eax; cmpxchgl %ecx, (%ebx); nop")); break;
  case 17: code(ASM("leal (%ebx), %ecx; nop")); break;
  case 18: code(ASM("les (%ebx), %ecx; nop")); break;
  case 19: code(ASM("fninit; fldt (%ebx); nop")); break;
  case 20: code(ASM("andl $~15, %ebx; fxsave (%ebx); nop")); break;
  case 21: code(ASM("xlat; nop")); break;
  case 22: code(ASM("btl $1, (%ebx); cmpl %ebx, %ebx; nop")); break;
  case 23: code(ASM("testl %eax, (%ebx); nop")); break;
  case 24: code(ASM("leal 8(%ebx), %esp; enter $8, $0; movl $0x4100, %esp")); break;
  case 25: code(ASM("leal 0x20(%ebx), %esp; pushal; movl $0x4100, %esp")); break;
  case 26: code(ASM("movw (%ebx), %ss; nop; nop")); break;
  case 27: code(ASM("jmp *(%ebx)")); break;
  case 28: code(ASM("lgdtl (%ebx); nop")); break;
  case 29: code(ASM("verr (%ebx); nop")); break;
  case 30: code(ASM("boundl %ecx, (%ebx); nop")); break;
  case 31: code(ASM("movl %eax, (%ebx); ud2")); break;
  case 32: code(ASM("sgdtl (%ebx); nop")); break;
  case 33: code(ASM("pushl (%ebx); nop")); break;
  case 34: code(ASM("pushl $0; popl (%ebx); nop")); break;
  case 35: code(ASM("arpl %cx, (%ebx); nop")); break;
  case 36: code(ASM("movl %ebx, %esi; movl $0xa200, %edi; movl $4, %ecx; repe cmpsb; nop")); break;
  }
}

static void data_content(u32 n) {
  fill(DATA, 0, 0x300);
  write_cr4(read_cr4() | 0x600);
  in_ebx = DATA + 0x100;
  in_esi = DATA + 0x200, in_edi = DATA + 0x280;
  if (n == 26) *at16(DATA + 0x100) = FLAT_DATA(0);
  if (n == 27) *at32(DATA + 0x100) = LANDING;
  if (n == 28) *at32(DATA + 0x100) = GDT << 16 | (GDT_BYTES - 1);
}

static void data(void) {
  for (u32 rw = 1; rw < 4; rw += 2)
    for (u32 n = 0; n < COUNT(accesses); n++) {
      begin("%s breakpoint: %s", rw == 1 ? "write" : "access", accesses[n]);
      data_content(n);
      in_dr[0] = DATA + 0x100;
      in_dr7 = LOCAL(0) | CONDITION(0, rw, 3);
      data_access(n);
      trace(STEPS, 0);
    }
  /* Where an access and a breakpoint meet. */
  static const u8 lengths[] = {0, 1, 3, 2};
  for (u32 l = 0; l < 4; l++)
    for (u32 at = 0; at < 8; at++)
      for (u32 size = 3; size < 6; size++) {
        begin("breakpoint of length %d at 4, %s at %d", lengths[l], accesses[size], at);
        data_content(0);
        in_dr[0] = DATA + 0x104;
        in_dr7 = LOCAL(0) | CONDITION(0, 1, lengths[l]);
        in_ebx = DATA + 0x100 + at;
        data_access(size);
        go();
      }
  for (u32 l = 0; l < 3; l++)
    for (u32 at = 0; at < 8; at++) {
      begin("breakpoint of length %d at %d, which is aligned, byte 3 written", lengths[l], at);
      data_content(0);
      in_dr[0] = DATA + 0x100 + at;
      in_dr7 = LOCAL(0) | CONDITION(0, 1, lengths[l]);
      in_ebx = DATA + 0x103;
      data_access(3);
      go();
    }
  static const char *const several[] = {"two of four", "enabled and not", "an instruction and data", "data and TF", "mov ss from memory, then int 20", "mov ss from memory, then int1", "mov ss from memory, then a write", "mov ss from memory with TF", "mov ss from memory, then ud2", "ring 3", "with RF set", "data and a fault behind it"};
  for (u32 n = 0; n < COUNT(several); n++) {
    begin("breakpoints: %s", several[n]);
    data_content(26);
    in_dr[0] = in_dr[1] = DATA + 0x100;
    in_dr[2] = DATA + 0x102;
    in_dr[3] = DATA + 0x104;
    in_dr7 = LOCAL(0) | CONDITION(0, 3, 1);
    if (n == 9) ring(3);
    switch (n) {
    case 0:
      in_dr7 = LOCAL(0) | LOCAL(1) | LOCAL(2) | LOCAL(3) | CONDITION(0, 3, 1) | CONDITION(1, 1, 1) | CONDITION(2, 3, 0) | CONDITION(3, 3, 3);
      code(ASM("movl (%ebx), %eax; nop"));
      break;
    case 1:
      in_dr7 = LOCAL(0) | CONDITION(0, 3, 1) | CONDITION(1, 3, 1) | CONDITION(2, 3, 1);
      code(ASM("movl (%ebx), %eax; nop"));
      break;
    case 2:
      in_dr[1] = CODE + 2;
      in_dr7 |= LOCAL(1);
      code(ASM("movl (%ebx), %eax; nop"));
      break;
    case 3:
      in_eflags |= TF;
      code(ASM("movl (%ebx), %eax; nop"));
      break;
    case 4: code(ASM("movw (%ebx), %ss; int $0x20")); break;
    case 5: code(ASM("movw (%ebx), %ss; .byte 0xf1; nop")); break;
    case 6: code(ASM("movw (%ebx), %ss; movl %eax, 0xa180; nop")); break;
    case 7:
      in_eflags |= TF;
      code(ASM("movw (%ebx), %ss; nop; nop"));
      break;
    case 8: code(ASM("movw (%ebx), %ss; ud2")); break;
    case 9: code(ASM("movl (%ebx), %eax; nop")); break;
    case 10:
      in_eflags |= RF;
      code(ASM("movl (%ebx), %eax; nop"));
      break;
    case 11: code(ASM("movl (%ebx), %eax; ud2")); break;
    }
    trace(STEPS, 0);
  }
}

/* ── breakpoints on ports ── */
static void ports(void) {
  restore = restore_de;
  static const struct {
    const char *name;
    u16 port;
    u8 length;
  } cases[] = {{"the port", 0x80, 0}, {"the port before", 0x7f, 0}, {"a word over it", 0x80, 1}, {"four ports", 0x80, 3}, {"another port", 0x90, 0}};
  for (u32 de = 0; de < 2; de++)
    for (u32 c = 0; c < COUNT(cases); c++)
      for (u32 n = 0; n < 5; n++) {
        static const char *const names[] = {"in al", "in eax", "out al", "outsb", "rep insb"};
        begin("port breakpoint on %s, DE %d: %s", cases[c].name, de, names[n]);
        in_dr[0] = cases[c].port;
        in_dr7 = LOCAL(0) | CONDITION(0, 2, cases[c].length);
        in_edx = 0x80;
        in_ecx = 3;
        in_esi = in_edi = DATA;
        if (de) write_cr4(read_cr4() | CR4_DE);
        switch (n) {
        case 0: code(ASM("inb %dx, %al; movl $0, %eax")); break;
        case 1: code(ASM("inl %dx, %eax; movl $0, %eax")); break;
        case 2: code(ASM("outb %al, %dx; nop")); break;
        case 3: code(ASM("outsb; nop")); break;
        case 4: code(ASM("rep insb; nop")); break;
        }
        /* AL is the bus's business. */
        enter_case();
        out_eax = 0;
        report();
      }
  restore = 0;
}

/* ── the registers themselves ── */
static void registers(void) {
  restore = restore_de;
  for (u32 de = 0; de < 2; de++)
    for (u32 n = 0; n < 8; n++)
      for (u32 way = 0; way < 4; way++) {
        static const char *const ways[] = {"read", "written", "read in ring 3", "written with GD"};
        /* Where there is no register, GD stays set, and the driver would meet it. */
        if (de && way == 3 && (n == 4 || n == 5)) continue;
        begin("DR%d %s, DE %d", n, ways[way], de);
        ring(way == 2 ? 3 : 0);
        in_dr[0] = 0x11111111, in_dr[1] = 0x22222222, in_dr[2] = 0x33333333, in_dr[3] = 0x44444444;
        if (way == 3) in_dr7 = 0x2000;
        if (de) write_cr4(read_cr4() | CR4_DE);
        in_eax = n < 4 ? 0x12345678 : 0xffffd700;
        /* To and from CL. */
        static const u8 reads[] = {0x0f, 0x21, 0xc1}, writes[] = {0x0f, 0x23, 0xc0, 0x0f, 0x21, 0xc1};
        code(ASM(""));
        if (way == 0 || way == 2) copy(CODE, reads, 3), at8(CODE)[2] |= n << 3;
        else copy(CODE, writes, 6), at8(CODE)[2] |= n << 3, at8(CODE)[5] |= n << 3;
        u16 *end = at16(CODE + (way == 0 || way == 2 ? 3 : 6));
        end[0] = end[1] = 0x0b0f;
        go();
      }
  restore = 0;
  static const u32 values[] = {0, 0xffffffff, 0xe00f, 0x10000, 0x1000};
  for (u32 v = 0; v < COUNT(values); v++) {
    begin("DR6 written %x", values[v]);
    in_eax = values[v];
    code(ASM("movl %eax, %dr6; movl %dr6, %ecx"));
    go();
  }
  static const u32 sevens[] = {0, 0x400, 0x3ff, 0xdc00, 0xffff0000, 0x2000};
  for (u32 v = 0; v < COUNT(sevens); v++) {
    begin("DR7 written %x", sevens[v]);
    in_eax = sevens[v];
    code(ASM("movl %eax, %dr7; nop; movl %dr7, %ecx; xorl %eax, %eax; movl %eax, %dr7"));
    go();
  }
}

void tests(void) {
  single_steps();
  execution();
  data();
  ports();
  registers();
}
