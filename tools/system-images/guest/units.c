/* When the x87 unit, MMX and SSE are there and what they raise; alignment checks; SYSENTER; LOCK; undefined opcodes;
   moves to control registers (SDM vol. 3A, chapters 2, 6, 12 and 13). */
#include "runtime.h"

#define MP 2
#define EM 4
#define TS 8
#define NE 0x20
#define AM 0x40000
#define OSFXSR 0x200
#define OSXMMEXCPT 0x400
#define TSD 4
#define PCE 0x100

/* These bits of CR0 and CR4, of those that the cases are about. */
static void controls(u32 cr0_bits, u32 cr4_bits) {
  write_cr4((read_cr4() & ~(OSFXSR | OSXMMEXCPT | TSD | PCE)) | cr4_bits);
  write_cr0((read_cr0() & ~(MP | EM | TS | AM)) | cr0_bits);
}

static void restore_controls(void) {
  write_cr0((read_cr0() & ~(MP | EM | TS | AM)) | NE);
  asm volatile("fninit");
  write_cr4(read_cr4() & ~(OSFXSR | OSXMMEXCPT | TSD | PCE));
}

/* ── there or not ── */
static const char *const units[] = {"fnop", "fwait", "fninit", "fnstsw ax", "fld mem", "fnsave", "movd", "emms", "movq to mem", "movups", "addps", "ldmxcsr", "stmxcsr", "fxsave", "fxrstor", "prefetcht0", "sfence", "movnti", "cvtpi2ps", "maskmovq", "paddd xmm", "pause", "clflush", "movntq", "pshufw", "cvttps2pi", "movq2dq", "lfence"};

static void unit(u32 n) {
  switch (n) {
  case 0: code(ASM("fnop")); break;
  case 1: code(ASM("fwait")); break;
  case 2: code(ASM("fninit")); break;
  case 3: code(ASM("fnstsw %ax; movl $0, %eax")); break;
  case 4: code(ASM("flds (%ebx)")); break;
  case 5: code(ASM("fnsave (%ebx)")); break;
  case 6: code(ASM("movd %ecx, %mm0")); break;
  case 7: code(ASM("emms")); break;
  case 8: code(ASM("movq %mm0, (%ebx)")); break;
  case 9: code(ASM("movups (%ebx), %xmm0")); break;
  case 10: code(ASM("addps %xmm0, %xmm0")); break;
  case 11: code(ASM("ldmxcsr 4(%ebx)")); break;
  case 12: code(ASM("stmxcsr (%ebx)")); break;
  case 13: code(ASM("fxsave (%ebx)")); break;
  case 14: code(ASM("fxrstor 0x200(%ebx)")); break;
  case 15: code(ASM("prefetcht0 (%ebx)")); break;
  case 16: code(ASM("sfence")); break;
  case 17: code(ASM("movnti %eax, (%ebx)")); break;
  case 18: code(ASM("cvtpi2ps %mm0, %xmm0")); break;
  case 19: code(ASM("maskmovq %mm0, %mm0")); break;
  case 20: code(ASM("paddd %xmm0, %xmm0")); break;
  case 21: code(ASM("pause")); break;
  case 22: code(ASM("clflush (%ebx)")); break;
  case 23: code(ASM("movntq %mm0, (%ebx)")); break;
  case 24: code(ASM("pshufw $0, %mm0, %mm0")); break;
  case 25: code(ASM("cvttps2pi %xmm0, %mm0")); break;
  case 26: code(ASM("movq2dq %mm0, %xmm0")); break;
  case 27: code(ASM("lfence")); break;
  }
}

static void availability(void) {
  for (u32 sse = 0; sse < 2; sse++)
    for (u32 bits = 0; bits < 16; bits += 2)
      for (u32 n = 0; n < COUNT(units); n++) {
        begin("%s, MP %d EM %d TS %d OSFXSR %d", units[n], bits >> 1 & 1, bits >> 2 & 1, bits >> 3, sse);
        ring(3);
        fill(DATA, 0, 0x400);
        *at32(DATA + 4) = *at32(DATA + 0x218) = 0x1f80;
        *at16(DATA + 0x200) = 0x37f;
        in_ebx = in_edi = DATA;
        unit(n);
        controls(bits, sse ? OSFXSR : 0);
        go();
      }
}

/* ── exceptions of the x87 unit ── */
static void x87_errors(void) {
  static const char *const nexts[] = {"fnop", "fwait", "fld1", "fninit", "fnclex", "fnstsw ax", "fnsave", "movd", "emms", "fxsave", "movups", "fstp mem", "nop", "fnstcw", "fnstenv", "frstor", "fdecstp"};
  for (u32 bits = 0; bits < 3; bits++)
    for (u32 n = 0; n < COUNT(nexts); n++) {
      static const char *const with[] = {"", ", TS", ", EM"};
      begin("a division by zero waits, then %s%s", nexts[n], with[bits]);
      fill(DATA, 0, 0x400);
      in_ebx = DATA;
      *at16(DATA + 0x20) = 0x37b;
      in_ebp = bits == 1 ? TS : bits == 2 ? EM : 0;
      /* TS or EM are set behind the division. */
      switch (n) {
#define PENDING "fninit; fldcw 0x20(%ebx); fld1; fldz; fdivrp; orl %ebp, %edi; movl %edi, %cr0; "
      case 0: code(ASM(PENDING "fnop")); break;
      case 1: code(ASM(PENDING "fwait")); break;
      case 2: code(ASM(PENDING "fld1")); break;
      case 3: code(ASM(PENDING "fninit")); break;
      case 4: code(ASM(PENDING "fnclex; fnop")); break;
      case 5: code(ASM(PENDING "fnstsw %ax")); break;
      case 6: code(ASM(PENDING "fnsave (%ebx); movl 4(%ebx), %eax")); break;
      case 7: code(ASM(PENDING "movd %eax, %mm0")); break;
      case 8: code(ASM(PENDING "emms")); break;
      case 9: code(ASM(PENDING "fxsave (%ebx); movzwl 2(%ebx), %eax")); break;
      case 10: code(ASM(PENDING "movups (%ebx), %xmm0")); break;
      case 11: code(ASM(PENDING "fstps (%ebx)")); break;
      case 12: code(ASM(PENDING "nop")); break;
      case 13: code(ASM(PENDING "fnstcw (%ebx); movzwl (%ebx), %eax")); break;
      case 14: code(ASM(PENDING "fnstenv (%ebx); movzwl 4(%ebx), %eax")); break;
      case 15: code(ASM(PENDING "frstor 0x100(%ebx)")); break;
      case 16: code(ASM(PENDING "fdecstp")); break;
      }
      controls(0, OSFXSR);
      in_edi = read_cr0();
      go();
    }
  static const char *const errors[] = {"invalid", "denormal", "zero divide", "overflow", "underflow", "precision", "stack overflow", "stack underflow"};
  for (u32 n = 0; n < COUNT(errors); n++) {
    begin("unmasked x87 %s", errors[n]);
    in_ebx = DATA;
    *at16(DATA) = 0x37f & ~(n < 6 ? 1 << n : 1);
    *at32(DATA + 4) = 0x7f7fffff;
    *at32(DATA + 8) = 1;
    switch (n) {
    case 0: code(ASM("fninit; fldcw (%ebx); fldz; fldz; fdivrp; fnstsw %ax; fwait")); break;
    case 1: code(ASM("fninit; fldcw (%ebx); flds 8(%ebx); fadd %st, %st; fnstsw %ax; fwait")); break;
    case 2: code(ASM("fninit; fldcw (%ebx); fld1; fldz; fdivrp; fnstsw %ax; fwait")); break;
    case 3: code(ASM("fninit; fldcw (%ebx); flds 4(%ebx); fmul %st, %st; fstps 12(%ebx); fnstsw %ax; fwait")); break;
    case 4: code(ASM("fninit; fldcw (%ebx); flds 8(%ebx); fmul %st, %st; fstps 12(%ebx); fnstsw %ax; fwait")); break;
    case 5: code(ASM("fninit; fldcw (%ebx); fldpi; fstps 12(%ebx); fnstsw %ax; fwait")); break;
    case 6: code(ASM("fninit; fldcw (%ebx); fld1; fld1; fld1; fld1; fld1; fld1; fld1; fld1; fld1; fnstsw %ax; fwait")); break;
    case 7: code(ASM("fninit; fldcw (%ebx); fstps 12(%ebx); fnstsw %ax; fwait")); break;
    }
    controls(0, 0);
    go();
  }
}

/* ── exceptions of SSE ── */
static void sse_errors(void) {
  static const char *const errors[] = {"invalid", "denormal", "zero divide", "overflow", "underflow", "precision"};
  for (u32 xm = 0; xm < 2; xm++)
    for (u32 masked = 0; masked < 2; masked++)
      for (u32 n = 0; n < COUNT(errors); n++) {
        begin("%smasked SSE %s, OSXMMEXCPT %d", masked ? "" : "un", errors[n], xm);
        in_ebx = DATA;
        *at32(DATA) = 0x1f80 & ~(masked ? 0 : 0x80 << n);
        *at32(DATA + 4) = 0x7f7fffff;
        *at32(DATA + 8) = 1;
        *at32(DATA + 12) = 0x3f800000;
        *at32(DATA + 16) = 0x00800000;
        switch (n) {
        case 0: code(ASM("ldmxcsr (%ebx); xorps %xmm0, %xmm0; divss %xmm0, %xmm0; stmxcsr (%ebx); movl (%ebx), %eax")); break;
        case 1: code(ASM("ldmxcsr (%ebx); movss 8(%ebx), %xmm0; addss %xmm0, %xmm0; stmxcsr (%ebx); movl (%ebx), %eax")); break;
        case 2: code(ASM("ldmxcsr (%ebx); xorps %xmm0, %xmm0; movss 12(%ebx), %xmm1; divss %xmm0, %xmm1; stmxcsr (%ebx); movl (%ebx), %eax")); break;
        case 3: code(ASM("ldmxcsr (%ebx); movss 4(%ebx), %xmm0; mulss %xmm0, %xmm0; stmxcsr (%ebx); movl (%ebx), %eax")); break;
        case 4: code(ASM("ldmxcsr (%ebx); movss 16(%ebx), %xmm0; mulss %xmm0, %xmm0; stmxcsr (%ebx); movl (%ebx), %eax")); break;
        case 5: code(ASM("ldmxcsr (%ebx); movss 12(%ebx), %xmm0; addss 4(%ebx), %xmm0; stmxcsr (%ebx); movl (%ebx), %eax")); break;
        }
        controls(0, OSFXSR | (xm ? OSXMMEXCPT : 0));
        go();
      }
  static const char *const names[] = {"ldmxcsr bit 16", "ldmxcsr bit 6", "fxrstor bit 16 of MXCSR", "movaps unaligned", "movaps to unaligned", "addps unaligned", "fxsave unaligned", "movntps unaligned", "movups unaligned", "fxrstor unaligned by 8", "movdqa unaligned"};
  for (u32 n = 0; n < COUNT(names); n++) {
    begin("%s", names[n]);
    fill(DATA, 0, 0x400);
    in_ebx = DATA;
    *at32(DATA) = n == 0 ? 0x11f80 : 0x1fc0;
    *at32(DATA + 0x218) = 0x11f80;
    switch (n) {
    case 0:
    case 1: code(ASM("ldmxcsr (%ebx); stmxcsr 4(%ebx); movl 4(%ebx), %eax")); break;
    case 2: code(ASM("fxrstor 0x200(%ebx)")); break;
    case 3: code(ASM("movaps 4(%ebx), %xmm0")); break;
    case 4: code(ASM("movaps %xmm0, 8(%ebx)")); break;
    case 5: code(ASM("addps 4(%ebx), %xmm0")); break;
    case 6: code(ASM("fxsave 4(%ebx)")); break;
    case 7: code(ASM("movntps %xmm0, 4(%ebx)")); break;
    case 8: code(ASM("movups 1(%ebx), %xmm0")); break;
    case 9: code(ASM("fxrstor 0x208(%ebx)")); break;
    case 10: code(ASM("movdqa 4(%ebx), %xmm0")); break;
    }
    controls(0, OSFXSR);
    go();
  }
}

/* ── alignment ── */
static const char *const accesses[] = {
  "word", "double word", "word written", "double word written", "modify", "fld 4", "fld 8", "fld 10", "fst 10", "fild 2", "movq", "movq to", "movss", "movsd", "movhps", "movups", "movups to", "cmpxchg8b", "les", "bound", "push", "pop", "call", "movs", "stosw", "fnstenv", "fnsave", "fldcw", "sgdt",
  "xchg", "jmp far", "movaps", "addps", "lddqu-like movdqu", "enter", "pusha", "popa", "byte", "sldt", "verr", "ldmxcsr", "fxsave", "bt", "cvtps2pd", "ret",
};

static void unaligned(u32 n) {
  switch (n) {
  case 0: code(ASM("movw (%ebx), %ax")); break;
  case 1: code(ASM("movl (%ebx), %eax")); break;
  case 2: code(ASM("movw %ax, (%ebx)")); break;
  case 3: code(ASM("movl %eax, (%ebx)")); break;
  case 4: code(ASM("addl $0, (%ebx)")); break;
  case 5: code(ASM("flds (%ebx)")); break;
  case 6: code(ASM("fldl (%ebx)")); break;
  case 7: code(ASM("fldt (%ebx)")); break;
  case 8: code(ASM("fldz; fstpt (%ebx)")); break;
  case 9: code(ASM("filds (%ebx)")); break;
  case 10: code(ASM("movq (%ebx), %mm0")); break;
  case 11: code(ASM("movq %mm0, (%ebx)")); break;
  case 12: code(ASM("movss (%ebx), %xmm0")); break;
  case 13: code(ASM("movsd (%ebx), %xmm0")); break;
  case 14: code(ASM("movhps (%ebx), %xmm0")); break;
  case 15: code(ASM("movups (%ebx), %xmm0")); break;
  case 16: code(ASM("movups %xmm0, (%ebx)")); break;
  case 17: code(ASM("cmpxchg8b (%ebx)")); break;
  case 18: code(ASM("les (%ebx), %ecx")); break;
  case 19: code(ASM("boundl %ecx, (%ebx)")); break;
  case 20: code(ASM("leal 0x8(%ebx), %esp; pushl %eax")); break;
  case 21: code(ASM("movl %ebx, %esp; popl %eax")); break;
  case 22: code(ASM("leal 0x8(%ebx), %esp; call 1f; 1: nop")); break;
  case 23: code(ASM("movl %ebx, %esi; movl $0xa100, %edi; movsl")); break;
  case 24: code(ASM("movl %ebx, %edi; stosw")); break;
  case 25: code(ASM("fnstenv (%ebx)")); break;
  case 26: code(ASM("fnsave (%ebx)")); break;
  case 27: code(ASM("fldcw 0x40(%ebx)")); break;
  case 28: code(ASM("sgdtl (%ebx)")); break;
  case 29: code(ASM("xchgl %eax, (%ebx)")); break;
  case 30: code(ASM("ljmp *0x50(%ebx)")); break;
  case 31: code(ASM("movaps (%ebx), %xmm0")); break;
  case 32: code(ASM("addps (%ebx), %xmm0")); break;
  case 33: code(ASM("movdqu (%ebx), %xmm0")); break;
  case 34: code(ASM("leal 0x20(%ebx), %esp; enter $8, $1")); break;
  case 35: code(ASM("leal 0x40(%ebx), %esp; pushal")); break;
  case 36: code(ASM("movl %ebx, %esp; popal; movl $0xa000, %ebx")); break;
  case 37: code(ASM("movb (%ebx), %al")); break;
  case 38: code(ASM("sldt (%ebx)")); break;
  case 39: code(ASM("verr (%ebx)")); break;
  case 40: code(ASM("ldmxcsr 0x60(%ebx)")); break;
  case 41: code(ASM("fxsave (%ebx)")); break;
  case 42: code(ASM("btl $1, (%ebx); cmpl %ebx, %ebx")); break;
  case 43: code(ASM("cvtps2pd (%ebx), %xmm0")); break;
  case 44: code(ASM("leal 0x70(%ebx), %esp; ret")); break;
  }
}

static void alignment(void) {
  for (u32 n = 0; n < COUNT(accesses); n++)
    for (u32 offset = 0; offset < 16; offset += offset < 4 ? 1 : 4) {
      begin("unaligned by %d: %s", offset, accesses[n]);
      ring(3);
      in_eflags |= AC;
      in_ebx = DATA + offset;
      in_ebp = DATA + 0x180;
      fill(DATA, 0, 0x400);
      *at16(DATA + offset + 0x40) = 0x37f;
      *at32(DATA + offset + 0x50) = LANDING;
      *at16(DATA + offset + 0x54) = FLAT_CODE(3) | 3;
      *at32(DATA + offset + 0x60) = 0x1f80;
      *at32(DATA + offset + 0x70) = LANDING;
      unaligned(n);
      controls(AM, OSFXSR);
      go();
    }
  for (u32 cpl = 0; cpl < 4; cpl++)
    for (u32 bits = 0; bits < 4; bits++) {
      begin("alignment check: ring %d, AM %d, AC %d", cpl, bits & 1, bits >> 1);
      ring(cpl);
      in_eflags |= bits & 2 ? AC : 0;
      in_ebx = DATA + 1;
      code(ASM("movl (%ebx), %eax"));
      controls(bits & 1 ? AM : 0, 0);
      go();
    }
  static const char *const others[] = {"virtual-8086 mode", "beyond the limit", "an unaligned inner stack", "popf sets AC", "a null segment", "an unaligned base", "int to ring 0 with AC"};
  for (u32 n = 0; n < COUNT(others); n++) {
    begin("alignment check: %s", others[n]);
    ring(3);
    in_eflags |= AC;
    in_ebx = DATA + 1;
    switch (n) {
    case 0:
      virtual8086(3);
      in_eflags |= AC;
      code(ASM16("movw 1, %ax"));
      break;
    case 1:
      segment(FREE(0), 0, DATA, DATA_RW | DPL(3), BIG);
      in_ds = FREE(0) | 3;
      code(ASM("movl (%ebx), %eax"));
      break;
    case 2:
      *at32(TSS_MAIN + 4) = STACK_TOP(0) - 3;
      code(ASM("int $0x21"));
      break;
    case 3:
      in_eflags &= ~AC;
      code(ASM("pushfl; orl $0x40000, (%esp); popfl; movl (%ebx), %eax"));
      break;
    case 4:
      in_ds = 0;
      code(ASM("movl (%ebx), %eax"));
      break;
    case 5:
      segment(FREE(0), DATA + 1, 0xfff, DATA_RW | DPL(3), BIG);
      in_ds = FREE(0) | 3;
      code(ASM("movl 3, %eax; movl 4, %ecx"));
      break;
    case 6: code(ASM("int $0x21")); break;
    }
    controls(AM, 0);
    go();
  }
}

/* ── LOCK, undefined opcodes, divisions ── */
static const struct {
  const char *name;
  u8 bytes[8];
} encodings[] = {
  {"lock add m, r", {0xf0, 0x01, 0x03}}, {"lock add r, r", {0xf0, 0x01, 0xc8}}, {"lock add r, m", {0xf0, 0x03, 0x03}}, {"lock mov", {0xf0, 0x89, 0x03}}, {"lock cmp", {0xf0, 0x39, 0x03}}, {"lock test", {0xf0, 0x85, 0x03}}, {"lock bt", {0xf0, 0x0f, 0xa3, 0x03}},
  {"lock bts", {0xf0, 0x0f, 0xab, 0x03}}, {"lock bts imm", {0xf0, 0x0f, 0xba, 0x2b, 0x01}}, {"lock bt imm", {0xf0, 0x0f, 0xba, 0x23, 0x01}}, {"lock xchg", {0xf0, 0x87, 0x03}}, {"lock xchg r", {0xf0, 0x87, 0xc1}}, {"lock inc", {0xf0, 0xff, 0x03}}, {"lock dec r", {0xf0, 0x48}},
  {"lock not", {0xf0, 0xf7, 0x13}}, {"lock neg r", {0xf0, 0xf7, 0xd8}}, {"lock mul", {0xf0, 0xf7, 0x23}}, {"lock shl", {0xf0, 0xd1, 0x23}}, {"lock cmpxchg", {0xf0, 0x0f, 0xb1, 0x0b}}, {"lock cmpxchg8b", {0xf0, 0x0f, 0xc7, 0x0b}}, {"lock xadd", {0xf0, 0x0f, 0xc1, 0x0b}}, {"lock nop", {0xf0, 0x90}},
  {"lock push", {0xf0, 0x50}}, {"lock movsb", {0xf0, 0xa4}}, {"lock adc imm", {0xf0, 0x83, 0x13, 0x00}}, {"lock cmp imm", {0xf0, 0x83, 0x3b, 0x00}}, {"lock mov to cr0", {0xf0, 0x0f, 0x22, 0xc0}}, {"lock fnop", {0xf0, 0xd9, 0xd0}},
  {"0f b9", {0x0f, 0xb9, 0xc0}}, {"0f ff", {0x0f, 0xff, 0xc0}}, {"0f 0a", {0x0f, 0x0a}}, {"0f 04", {0x0f, 0x04}}, {"d6", {0xd6}}, {"fe /2", {0xfe, 0xd0}}, {"fe /7", {0xfe, 0xf8}}, {"ff /7", {0xff, 0xf8}}, {"ff /3 with a register", {0xff, 0xd8}}, {"ff /5 with a register", {0xff, 0xe8}},
  {"8f /1", {0x8f, 0xc8}}, {"c6 /1", {0xc6, 0xc8, 0x00}}, {"c7 /2", {0xc7, 0xd0, 0, 0, 0, 0}}, {"f6 /1", {0xf6, 0xc8, 0x00}}, {"f7 /1", {0xf7, 0xc8, 0, 0, 0, 0}}, {"c0 /6", {0xc0, 0xf0, 0x00}}, {"0f 00 /6", {0x0f, 0x00, 0xf0}}, {"0f 00 /7", {0x0f, 0x00, 0xf8}}, {"0f 01 /5", {0x0f, 0x01, 0xe8}},
  {"0f 01 /0 with a register", {0x0f, 0x01, 0xc5}}, {"0f 01 /2 with a register", {0x0f, 0x01, 0xd7}}, {"0f 01 /7 with a register", {0x0f, 0x01, 0xfd}}, {"0f ba /0", {0x0f, 0xba, 0xc0, 0x00}}, {"0f ba /3", {0x0f, 0xba, 0xd8, 0x00}}, {"0f c7 /0", {0x0f, 0xc7, 0x03}}, {"cmpxchg8b with a register", {0x0f, 0xc7, 0xc8}},
  {"lea with a register", {0x8d, 0xc0}}, {"les with a register", {0xc4, 0xc0}}, {"lds with a register", {0xc5, 0xc0}}, {"lss with a register", {0x0f, 0xb2, 0xc0}}, {"bound with a register", {0x62, 0xc0}}, {"0f 18 /5", {0x0f, 0x18, 0x2b}}, {"0f 1f", {0x0f, 0x1f, 0x03}}, {"0f 0d", {0x0f, 0x0d, 0x03}}, {"0f 0b", {0x0f, 0x0b}},
  {"0f ae /4", {0x0f, 0xae, 0x23}}, {"0f ae /5 with memory", {0x0f, 0xae, 0x2b}}, {"0f ae /0 with a register", {0x0f, 0xae, 0xc0}}, {"0f 71 /0", {0x0f, 0x71, 0xc0, 0x00}}, {"0f 71 /2 with memory", {0x0f, 0x71, 0x13, 0x00}}, {"0f 73 /3 without 66", {0x0f, 0x73, 0xd8, 0x00}}, {"0f c3 with a register", {0x0f, 0xc3, 0xc0}},
  {"0f e7 with a register", {0x0f, 0xe7, 0xc0}}, {"0f f7 with memory", {0x0f, 0xf7, 0x03}}, {"0f d7 with memory", {0x0f, 0xd7, 0x03}}, {"0f 50 with memory", {0x0f, 0x50, 0x03}}, {"0f 12 with 66 and a register", {0x66, 0x0f, 0x12, 0xc0}}, {"d9 d1", {0xd9, 0xd1}}, {"d9 e2", {0xd9, 0xe2}}, {"db e5", {0xdb, 0xe5}}, {"db /6 with memory", {0xdb, 0x33}},
  {"dd /5 with memory", {0xdd, 0x2b}}, {"df /0 with a register", {0xdf, 0xc0}}, {"dc d0", {0xdc, 0xd0}}, {"de d8", {0xde, 0xd8}}, {"da f0", {0xda, 0xf0}}, {"0f 20 cr1", {0x0f, 0x20, 0xc8}}, {"0f 20 cr5", {0x0f, 0x20, 0xe8}}, {"0f 22 cr7", {0x0f, 0x22, 0xf8}}, {"0f 20 with mod 0", {0x0f, 0x20, 0x00}}, {"0f 24", {0x0f, 0x24, 0xc0}},
  {"82 alias", {0x82, 0xc0, 0x00}}, {"d0 /6", {0xd0, 0xf0}}, {"66 0f 0b", {0x66, 0x0f, 0x0b}}, {"f3 90", {0xf3, 0x90}}, {"f2 a4", {0xf2, 0xa4}}, {"aam 0", {0xd4, 0x00}}, {"0f 05", {0x0f, 0x05}}, {"0f 07", {0x0f, 0x07}}, {"0f 31", {0x0f, 0x31, 0x31, 0xc0, 0x31, 0xd2}}, {"0f a2 alias 0f a6", {0x0f, 0xa6}}, {"0f 36", {0x0f, 0x36}}, {"0f 7a", {0x0f, 0x7a, 0xc0}},
};

static void opcodes(void) {
  for (u32 n = 0; n < COUNT(encodings); n++)
    for (u32 cpl = 0; cpl < 4; cpl += 3) {
      begin("%s, ring %d", encodings[n].name, cpl);
      ring(cpl);
      fill(DATA, 0, 0x40);
      in_ebx = in_esi = DATA, in_edi = DATA + 0x20;
      in_ecx = 1;
      /* LOCK MOV to CR0, where LOCK is not refused. */
      if (encodings[n].bytes[0] == 0xf0 && encodings[n].bytes[2] == 0x22) in_eax = read_cr0();
      code(ASM(".space 8, 0x90; cmpl %ebx, %ebx"));
      u32 length = 8;
      while (length > 1 && encodings[n].bytes[length - 1] == 0) length--;
      copy(CODE, encodings[n].bytes, 8);
      /* Immediates that are 0 belong to the instruction; NOPs would do as well. */
      for (u32 i = length; i < 8; i++) at8(CODE)[i] = i < 6 && encodings[n].bytes[i] == 0 && n > 27 && length < 4 ? 0 : 0x90;
      controls(0, OSFXSR);
      go();
    }
  static const char *const divisions[] = {"div by 0", "div overflows", "idiv of the least by -1", "div 8 overflows", "idiv 16 overflows", "aam by 0", "idiv of 8 bits, -128 fits"};
  for (u32 n = 0; n < COUNT(divisions); n++) {
    begin("%s", divisions[n]);
    ring(3);
    in_eax = 0x80000000, in_edx = 0xffffffff, in_ecx = 0xffffffff;
    switch (n) {
    case 0: code(ASM("xorl %ecx, %ecx; divl %ecx")); break;
    case 1: code(ASM("movl $1, %ecx; divl %ecx")); break;
    case 2: code(ASM("idivl %ecx")); break;
    case 3: code(ASM("movw $0x1000, %ax; movb $2, %cl; divb %cl")); break;
    case 4: code(ASM("movw $0x8000, %ax; cwtd; movw $-1, %cx; idivw %cx")); break;
    case 5: code(ASM("aam $0")); break;
    case 6: code(ASM("movw $-128, %ax; movb $1, %cl; idivb %cl; cmpl %ebx, %ebx")); break;
    }
    go();
  }
}

/* ── SYSENTER and SYSEXIT ── */
static void fast_calls(void) {
  static const u16 selectors[] = {0, 3, DRIVER_CODE, DRIVER_CODE | 3, 0xfff8};
  for (u32 s = 0; s < COUNT(selectors); s++)
    for (u32 cpl = 0; cpl < 4; cpl++) {
      begin("sysenter from ring %d, SYSENTER_CS %x", cpl, selectors[s]);
      ring(cpl);
      in_eflags |= CF | IF | DF | NT | IOPL(3);
      write_msr(0x174, selectors[s], 0);
      write_msr(0x175, STACK_TOP(0) - 0x20, 0);
      write_msr(0x176, LANDING, 0);
      code(ASM("sysenter"));
      go();
      begin("sysexit from ring %d, SYSENTER_CS %x", cpl, selectors[s]);
      ring(cpl);
      in_eflags |= CF | IF | DF | NT | IOPL(3);
      in_edx = LANDING;
      in_ecx = STACK_TOP(3) - 0x20;
      code(ASM("sysexit"));
      go();
    }
  begin("sysenter from virtual-8086 mode");
  virtual8086(0);
  write_msr(0x174, DRIVER_CODE, 0);
  code(ASM16("sysenter"));
  go();
  begin("sysexit, then a push");
  in_edx = CODE + 2;
  in_ecx = STACK_TOP(3);
  code(ASM("sysexit; pushl %eax; movl %ss, %eax; movl %cs, %ebx"));
  go();
}

/* ── control registers ── */
static void control_registers(void) {
  static const struct {
    const char *name;
    u32 set, clear;
  } zeros[] = {
    {"nothing", 0, 0}, {"NW without CD", 0x20000000, 0x40000000}, {"reserved bits", 0x1ffaffc0, 0}, {"TS", 8, 0}, {"EM and MP", 6, 0}, {"ET cleared", 0, 0x10}, {"NE cleared", 0, 0x20}, {"WP and AM", 0x50000, 0}, {"CD and NW", 0x60000000, 0}, {"CD", 0x40000000, 0},
  };
  for (u32 z = 0; z < COUNT(zeros); z++) {
    begin("MOV CR0: %s", zeros[z].name);
    in_ebx = read_cr0();
    in_eax = (in_ebx | zeros[z].set) & ~zeros[z].clear;
    code(ASM("movl %eax, %cr0; movl %cr0, %ecx; movl %ebx, %cr0"));
    go();
  }
  for (u32 bit = 0; bit < 11; bit++) {
    begin("MOV CR4: bit %d", bit);
    in_ebx = read_cr4();
    in_eax = in_ebx ^ 1u << bit;
    code(ASM("movl %eax, %cr4; movl %cr4, %ecx; movl %ebx, %cr4"));
    go();
    write_cr4(in_ebx);
  }
  for (u32 cpl = 0; cpl < 4; cpl++)
    for (u32 n = 0; n < 9; n++) {
      static const char *const names[] = {"MOV from CR0", "MOV to CR0", "MOV from CR2", "MOV to CR2", "MOV from CR3", "MOV to CR3", "MOV from CR4", "MOV to CR4", "SMSW and LMSW"};
      begin("%s in ring %d", names[n], cpl);
      ring(cpl);
      in_ebx = n < 4 ? read_cr0() : n < 8 ? read_cr4() : 0x19;
      switch (n) {
      case 0: code(ASM("movl %cr0, %eax")); break;
      case 1: code(ASM("movl %ebx, %cr0")); break;
      case 2: code(ASM("movl %cr2, %eax")); break;
      case 3: code(ASM("movl %ecx, %cr2; movl %cr2, %eax")); break;
      case 4: code(ASM("movl %cr3, %eax")); break;
      case 5: code(ASM("movl %ecx, %cr3")); break;
      case 6: code(ASM("movl %cr4, %eax")); break;
      case 7: code(ASM("movl %ebx, %cr4")); break;
      case 8: code(ASM("smsw %ax; lmsw %bx; smsw %cx; movl %cr0, %edx")); break;
      }
      go();
    }
  static const char *const machine[] = {"LMSW clears PE", "LMSW clears TS", "LMSW of memory", "MOV to CR3 with low bits", "RDTSC with TSD", "RDTSC with TSD in ring 3", "RDPMC in ring 3", "RDMSR of nothing", "WRMSR of nothing", "RDMSR in ring 3", "WRMSR in ring 3", "CLTS in ring 1"};
  for (u32 n = 0; n < COUNT(machine); n++) {
    begin("%s", machine[n]);
    ring(n == 5 || n == 6 || n == 9 || n == 10 ? 3 : n == 11);
    in_ecx = n == 6 ? 0 : 0x12345;
    switch (n) {
    case 0: code(ASM("xorl %eax, %eax; lmsw %ax; smsw %cx; cmpl %eax, %eax")); break;
    case 1: code(ASM("movw $9, %ax; lmsw %ax; movw $1, %ax; lmsw %ax; smsw %cx")); break;
    case 2:
      in_ebx = DATA;
      *at16(DATA) = 0xfff9;
      code(ASM("lmsw (%ebx); movl %cr0, %ecx; clts"));
      break;
    case 3: code(ASM("movl $0x30fff, %eax; movl %eax, %cr3; movl %cr3, %ecx; xorl %eax, %eax; movl %eax, %cr3; cmpl %eax, %eax")); break;
    case 4:
    case 5: code(ASM("rdtsc; movl $0, %eax; movl $0, %edx")); break;
    case 6: code(ASM("rdpmc; movl $0, %eax; movl $0, %edx")); break;
    case 7:
    case 9: code(ASM("rdmsr")); break;
    case 8:
    case 10: code(ASM("wrmsr")); break;
    case 11: code(ASM("clts")); break;
    }
    controls(0, n == 4 || n == 5 ? TSD : 0);
    go();
  }
}

void tests(void) {
  restore = restore_controls;
  availability();
  x87_errors();
  sse_errors();
  alignment();
  opcodes();
  fast_calls();
  control_registers();
}
