/* Segmentation and what else stands between an instruction and its operand: limits, types, privileges, LAR and its kin,
   alignment, LOCK, and the availability of x87, MMX and SSE (SDM vol. 3A, chapters 2, 3, 5 and 6). */
#include "runtime.h"

#define CR0_MP 2
#define CR0_EM 4
#define CR0_TS 8
#define CR0_NE 0x20
#define CR0_AM 0x40000
#define OSFXSR 0x200
#define OSXMMEXCPT 0x400
#define EDGE 0x1000
#define WATCHED 0x80
#define TESTED FREE(0)

/* ── what every case starts with ── */
static u8 master[2 * WATCHED];

static void restore_controls(void) {
  write_cr0((read_cr0() & ~(CR0_MP | CR0_EM | CR0_TS | CR0_AM)) | CR0_NE);
  write_cr4(OSFXSR | OSXMMEXCPT);
  asm volatile("fninit");
}

static void prepare_data(void) {
  copy(DATA, master, WATCHED);
  copy(DATA + EDGE - WATCHED / 2, master + WATCHED, WATCHED);
  in_ebx = in_esi = in_edi = DATA;
}

/* Pairs of decimal digits, so that FBLD may read them. */
static void make_master(void) {
  for (u32 i = 0; i < sizeof master; i++) master[i] = (i * 7 % 10) << 4 | i % 10;
}

/* ── limits ── */
enum { DATA_SEGMENT, STACK_SEGMENT, PUSHES };
#define FEW 4
#define WRITES 8
static struct operation {
  const char *name;
  u16 bytes;
  u8 how;
  struct code code;
} operations[64];
static u32 operation_count;

static void operation(const char *name, u32 bytes, u32 how, struct code c) {
  struct operation *o = &operations[operation_count++];
  o->name = name, o->bytes = bytes, o->how = how, o->code = c;
}

static void make_operations(void) {
  operation("movb load", 1, 0, ASM("movb (%ebx), %al"));
  operation("movw load", 2, 0, ASM("movw (%ebx), %ax"));
  operation("movl load", 4, 0, ASM("movl (%ebx), %eax"));
  operation("movq load", 8, 0, ASM("movq (%ebx), %mm0"));
  operation("fldt", 10, 0, ASM("fldt (%ebx)"));
  operation("movups load", 16, 0, ASM("movups (%ebx), %xmm0"));
  operation("movb store", 1, WRITES, ASM("movb %al, (%ebx)"));
  operation("movw store", 2, WRITES, ASM("movw %ax, (%ebx)"));
  operation("movl store", 4, WRITES, ASM("movl %eax, (%ebx)"));
  operation("movq store", 8, WRITES, ASM("pxor %mm0, %mm0; movq %mm0, (%ebx)"));
  operation("fstpt", 10, WRITES, ASM("fld1; fstpt (%ebx)"));
  operation("movups store", 16, WRITES, ASM("xorps %xmm0, %xmm0; movups %xmm0, (%ebx)"));
  operation("addw", 2, WRITES, ASM("addw $0x1111, (%ebx)"));
  operation("addl", 4, WRITES, ASM("addl $0x11111111, (%ebx)"));
  operation("cmpl", 4, 0, ASM("cmpl $0x11111111, (%ebx)"));
  operation("lodsl", 4, 0, ASM("lodsl"));
  operation("stosw", 2, WRITES, ASM("stosw"));
  operation("movl via ebp", 4, STACK_SEGMENT, ASM("movl (%ebp), %eax"));
  operation("pushl", 4, PUSHES | WRITES, ASM("pushl %eax"));
  operation("pushw", 2, PUSHES | WRITES, ASM("pushw %ax"));
  operation("popl", 4, STACK_SEGMENT, ASM("popl %eax"));
  operation("popw", 2, STACK_SEGMENT, ASM("popw %ax"));
  operation("addb", 1, FEW | WRITES, ASM("addb $0x11, (%ebx)"));
  operation("cmpxchg8b", 8, FEW | WRITES, ASM("cmpxchg8b (%ebx)"));
  operation("xchgl", 4, FEW | WRITES, ASM("xchgl %eax, (%ebx)"));
  operation("btsl", 4, FEW | WRITES, ASM("btsl $3, (%ebx)"));
  operation("movsb", 1, FEW | WRITES, ASM("movsb"));
  operation("movsl", 4, FEW | WRITES, ASM("movsl"));
  operation("cmpsw", 2, FEW, ASM("cmpsw"));
  operation("scasl", 4, FEW, ASM("scasl"));
  operation("rep stosb of 4", 4, FEW | WRITES, ASM("movl $4, %ecx; rep stosb"));
  operation("flds", 4, FEW, ASM("flds (%ebx)"));
  operation("fildll", 8, FEW, ASM("fildll (%ebx)"));
  operation("fbld", 10, FEW, ASM("fbld (%ebx)"));
  operation("fbstp", 10, FEW | WRITES, ASM("fldz; fbstp (%ebx)"));
  operation("fsts", 4, FEW | WRITES, ASM("fldz; fsts (%ebx)"));
  operation("fstl", 8, FEW | WRITES, ASM("fldz; fstl (%ebx)"));
  operation("fistps", 2, FEW | WRITES, ASM("fldz; fistps (%ebx)"));
  operation("fldcw", 2, FEW, ASM("fldcw (%ebx)"));
  operation("fnstcw", 2, FEW | WRITES, ASM("fnstcw (%ebx)"));
  operation("fldenv", 28, FEW, ASM("fldenv (%ebx)"));
  operation("movss load", 4, FEW, ASM("movss (%ebx), %xmm0"));
  operation("movlps load", 8, FEW, ASM("movlps (%ebx), %xmm0"));
  operation("movlps store", 8, FEW | WRITES, ASM("xorps %xmm0, %xmm0; movlps %xmm0, (%ebx)"));
  operation("movaps load", 16, FEW, ASM("movaps (%ebx), %xmm0"));
  operation("movaps store", 16, FEW | WRITES, ASM("xorps %xmm0, %xmm0; movaps %xmm0, (%ebx)"));
  operation("paddb", 16, FEW, ASM("paddb (%ebx), %xmm0"));
  operation("lds", 6, FEW, ASM("ldsl (%ebx), %eax"));
  operation("bound", 8, FEW, ASM("boundl %ecx, (%ebx)"));
  operation("pusha", 32, FEW | PUSHES | WRITES, ASM("pushal"));
  operation("popa", 32, FEW | STACK_SEGMENT, ASM("popal"));
  operation("enter 4, 1", 8, FEW | PUSHES | WRITES, ASM("enter $4, $1"));
  operation("leave", 4, FEW | STACK_SEGMENT, ASM("leave"));
  operation("popl mem", 4, FEW | STACK_SEGMENT, ASM("popl %ds:(0xa000)"));
  operation("call", 4, FEW | PUSHES | WRITES, ASM("call 1f; 1:"));
  operation("pushf", 4, FEW | PUSHES | WRITES, ASM("pushfl"));
}

static const struct {
  const char *name;
  u32 base, limit;
  u8 type, flags, bottom, few;
  /* The first offset beyond the top, and the first one within. */
  u32 top, low;
} limits[] = {
  {"4 KB", DATA, EDGE - 1, DATA_RW, BIG, 0, 1, EDGE, 0},
  {"1 page", DATA, 0, DATA_RW, FLAT_, 0, 0, EDGE, 0},
  {"4 GB", DATA + EDGE, 0xfffff, DATA_RW, FLAT_, 0, 1, 0, 0},
  {"read-only", DATA, EDGE - 1, DATA_RO, 0, 0, 0, EDGE, 0},
  {"code", DATA, EDGE - 1, CODE_XR, 0, 0, 0, EDGE, 0},
  {"down 16", DATA - 0xf000, 0xefff, DOWN_RW, 0, 1, 1, 0x10000, 0xf000},
  {"down 32", DATA + EDGE, 0xffffe, DOWN_RW, FLAT_, 1, 0, 0, 0xfffff000},
  {"down 32 by bytes", DATA, EDGE - 1, DOWN_RW, BIG, 1, 0, 0, EDGE},
  {"down to nothing", DATA - 0xf000, 0xffff, DOWN_RW, 0, 0, 0, 0x10000, 0},
  {"down read-only", DATA - 0xf000, 0xefff, DOWN_RO, 0, 1, 0, 0x10000, 0xf000},
};

static void access(const char *place, u32 s, const struct operation *o, u32 offset) {
  begin("%s in %s %s", o->name, limits[s].name, place);
  ring(3);
  segment(TESTED, limits[s].base, limits[s].limit, limits[s].type | ACCESSED | DPL(3), limits[s].flags);
  in_ebx = in_esi = in_edi = in_ebp = offset;
  u32 how = o->how & 3;
  if (how) {
    in_ss = TESTED | 3;
    in_esp = how == PUSHES ? offset + o->bytes : offset;
  } else in_ds = in_es = TESTED | 3;
  code(o->code);
  go();
}

static void limit_cases(void) {
  for (u32 s = 0; s < COUNT(limits); s++)
    for (u32 n = 0; n < operation_count; n++) {
      const struct operation *o = &operations[n];
      u32 writable = limits[s].type == DATA_RW || limits[s].type == DOWN_RW;
      if ((o->how & FEW) && !limits[s].few) continue;
      if ((o->how & 3) && !writable) continue;
      access("up to the top", s, o, limits[s].top - o->bytes);
      /* Whether an access may run over the end of 4 GB is the processor's choice (SDM vol. 3A, 5.3). */
      if (limits[s].base != DATA + EDGE || limits[s].bottom) access("beyond the top by one", s, o, limits[s].top - o->bytes + 1);
      access("at the top", s, o, limits[s].top);
      if (!limits[s].bottom) continue;
      access("from the bottom", s, o, limits[s].low);
      access("below the bottom by one", s, o, limits[s].low - 1);
      access("below the bottom", s, o, limits[s].low - o->bytes);
    }
}

/* ── code ── */
/* 64 KB that nothing else is in. */
#define WIDE_CODE 0x40000
static struct code code_snippet(u32 n) {
  switch (n) {
  case 0: return ASM("nop; movl $0x12345678, %eax; addl $1, %eax; movl %cs:(0), %edx; ud2");
  case 1: return ASM("jmp 1f; nop; 1: jnc 2f; nop; 2: call 3f; nop; 3: movl $4f - .Lcode1, %ecx; jmp *%ecx; nop; 4: ud2; .set .Lcode1, 1b - 3");
  case 2: return ASM("pushl $0x12; ret; .space 16, 0x90; ud2");
  case 3: return ASM("movl $2, %ecx; 1: loop 1b; jecxz 2f; nop; 2: jnc 3f; .space 0x84, 0x90; 3: .byte 0x0f, 0x83; .long 2; nop; nop; ud2");
  case 4: return ASM("movw $0x1234, %ax; .byte 0x66, 0xe9; .word 2; nop; nop; .byte 0x66, 0xe8; .word 1; nop; ud2");
  case 5: return ASM("pushl $0x14; .byte 0xc2; .word 4; .space 16, 0x90; .byte 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0; ud2");
  default: return ASM("pushl $0x10010; .byte 0x66, 0xc3; .space 20, 0x90; ud2");
  }
}

static void code_limits(void) {
  for (u32 n = 0; n < 7; n++) {
    struct code c = code_snippet(n);
    for (u32 limit = 0; limit <= (u32)(c.end - c.start); limit++) {
      if (n == 3 && limit > 0xf && limit < 0x88) continue;
      begin("code %d with limit %x", n, limit);
      ring(3);
      segment(TESTED, CODE, limit, CODE_XR | DPL(3), BIG);
      in_cs = TESTED | 3;
      in_eip = 0;
      code(c);
      go();
    }
  }
  static const u32 targets[] = {0xfff, 0x1000, 0x1001, 0xffff, 0x10010, 0xffffffff};
  for (u32 way = 0; way < 6; way++)
    for (u32 t = 0; t < COUNT(targets); t++) {
      static const char *const ways[] = {"jmp", "call", "ret", "jmp word", "jmp far", "retf"};
      begin("%s to %x in one page", ways[way], targets[t]);
      ring(3);
      segment(TESTED, WIDE_CODE, 0, CODE_XR | DPL(3), FLAT_);
      in_cs = TESTED | 3;
      in_eip = 0;
      in_ecx = targets[t];
      /* Where a processor that knows no limits ends. */
      fill(WIDE_CODE - 0x10, 0xcccccccc, 0x10110);
      *at8(WIDE_CODE + 0xfff) = 0x90;
      *at32(DATA) = targets[t], *at32(DATA + 4) = TESTED | 3;
      switch (way) {
      case 0: code(ASM("jmp *%ecx")); break;
      case 1: code(ASM("call *%ecx")); break;
      case 2: code(ASM("pushl %ecx; ret")); break;
      case 3: code(ASM("jmpw *%cx")); break;
      case 4: code(ASM("ljmp *(%ebx)")); break;
      case 5: code(ASM("pushl 4(%ebx); pushl %ecx; lret")); break;
      }
      copy(WIDE_CODE, (void *)CODE, 0x20);
      go();
    }
  for (u32 start = 0xfffc; start <= 0xffff; start++)
    for (u32 n = 0; n < 5; n++) {
      static const char *const what[] = {"nops", "jmp short", "mov ax, imm", "call", "jz not taken"};
      begin("16-bit code: %s at %x", what[n], start);
      ring(3);
      segment(TESTED, WIDE_CODE, 0xffff, CODE_XR | DPL(3), 0);
      in_cs = TESTED | 3;
      in_eip = start;
      fill(WIDE_CODE, 0xcccccccc, 0x100);
      fill(WIDE_CODE + 0xff00, 0xcccccccc, 0x200);
      struct code c = n == 0 ? ASM16("nop; nop; nop; nop; nop") : n == 1 ? ASM16(".byte 0xeb, 0xf0") : n == 2 ? ASM16("movw $0x1234, %ax") : n == 3 ? ASM16(".byte 0xe8; .word 0xffe0") : ASM16(".byte 0x74, 0xf0");
      copy(WIDE_CODE + start, c.start, c.end - c.start);
      go();
    }
  for (u32 length = 13; length < 18; length++) {
    begin("an instruction of %d bytes", length);
    ring(3);
    code(ASM("nop"));
    fill(CODE, 0x2e2e2e2e, 20);
    *at8(CODE + length - 1) = 0x90;
    for (u32 i = 0; i < 8; i++) at8(CODE + length)[i] = i & 1 ? 0x0b : 0x0f;
    go();
    begin("addl $imm32 of %d bytes", length);
    ring(3);
    code(ASM("nop"));
    fill(CODE, 0x3e3e3e3e, 20);
    copy(CODE + length - 6, "\x81\xc0\x78\x56\x34\x12\x0f\x0b", 8);
    go();
  }
}

/* ── types, null selectors, overrides, wrap ── */
static const struct {
  const char *name;
  u8 type;
} types[] = {
  {"ro", DATA_RO}, {"rw", DATA_RW}, {"down ro", DOWN_RO}, {"down rw", DOWN_RW},
  {"xo", CODE_XO}, {"xr", CODE_XR}, {"conforming xo", CONF_XO}, {"conforming xr", CONF_XR},
};

static u32 reach(u32 type) { return (type & 0x1c) == 0x14 ? 0 : 0xfffff; }

static void access_types(void) {
  for (u32 t = 0; t < COUNT(types); t++)
    for (u32 n = 0; n < 7; n++) {
      static const char *const what[] = {"read", "write", "rmw", "load by cs", "store by cs", "far jmp", "lcall"};
      begin("%s of %s", what[n], types[t].name);
      ring(3);
      segment(TESTED, 0, reach(types[t].type), types[t].type | DPL(3), FLAT_);
      in_edx = TESTED | 3;
      *at32(DATA) = LANDING, *at32(DATA + 4) = TESTED | 3;
      switch (n) {
      case 0: code(ASM("movw %dx, %es; movl %es:(%ebx), %eax")); break;
      case 1: code(ASM("movw %dx, %es; movl %eax, %es:(%ebx)")); break;
      case 2: code(ASM("movw %dx, %es; addl $0, %es:(%ebx)")); break;
      case 3:
        if (!(types[t].type & 8)) continue;
        in_cs = TESTED | 3;
        code(ASM("movl %cs:(%ebx), %eax"));
        break;
      case 4:
        if (!(types[t].type & 8)) continue;
        in_cs = TESTED | 3;
        code(ASM("movl %eax, %cs:(%ebx)"));
        break;
      case 5: code(ASM("ljmp *(%ebx)")); break;
      case 6: code(ASM("lcall *(%ebx)")); break;
      }
      go();
    }
  for (u32 n = 0; n < 14; n++)
    for (u32 rpl = 0; rpl < 4; rpl++) {
      static const char *const what[] = {
        "read ds", "write ds", "read es", "write fs", "read gs", "lods", "stos", "movs from null", "push ds:", "pop ds:", "lea", "prefetch", "invlpg", "xlat",
      };
      begin("null selector %d: %s", rpl, what[n]);
      ring(n == 12 ? 0 : 3);
      in_ds = in_es = in_fs = in_gs = rpl;
      if (n == 7) in_es = FLAT_DATA(3) | 3;
      switch (n) {
      case 0: code(ASM("movl (%ebx), %eax")); break;
      case 1: code(ASM("movl %eax, (%ebx)")); break;
      case 2: code(ASM("movb %es:(%ebx), %al")); break;
      case 3: code(ASM("movb %al, %fs:(%ebx)")); break;
      case 4: code(ASM("movw %gs:(%ebx), %ax")); break;
      case 5: code(ASM("lodsb")); break;
      case 6: code(ASM("stosb")); break;
      case 7: code(ASM("movsb")); break;
      case 8: code(ASM("pushl (%ebx)")); break;
      case 9: code(ASM("popl (%ebx)")); break;
      case 10: code(ASM("leal 4(%ebx), %eax")); break;
      case 11: code(ASM("prefetchnta (%ebx)")); break;
      case 12: code(ASM("invlpg (%ebx)")); break;
      case 13: code(ASM("xlatb")); break;
      }
      go();
    }
  for (u32 n = 0; n < 25; n++) {
    begin("override %d", n);
    ring(3);
    static const u8 bases[] = {0x04, 0x08, 0x0c, 0x10, 0x14};
    for (u32 s = 0; s < 5; s++) segment(FREE(s), DATA + bases[s], 0xfff, DATA_RW | ACCESSED | DPL(3), BIG);
    in_ds = FREE(0) | 3, in_es = FREE(1) | 3, in_fs = FREE(2) | 3, in_gs = FREE(3) | 3, in_ss = FREE(4) | 3;
    in_ebx = in_esi = in_edi = in_ebp = in_esp = 0x10;
    switch (n) {
    case 0: code(ASM("movl (%ebx), %eax")); break;
    case 1: code(ASM("movl (%ebp), %eax")); break;
    case 2: code(ASM("movl (%esp), %eax")); break;
    case 3: code(ASM("movl %ds:(%ebp), %eax")); break;
    case 4: code(ASM("movl %ss:(%ebx), %eax")); break;
    case 5: code(ASM("movl %es:(%ebx), %eax")); break;
    case 6: code(ASM("movl %fs:(%ebx), %eax")); break;
    case 7: code(ASM("movl %gs:(%esp), %eax")); break;
    case 8: code(ASM("movl (%ebx,%ebp), %eax")); break;
    case 9: code(ASM("movl (%ebp,%ebx), %eax")); break;
    case 10: code(ASM("movl 4(,%ebp,2), %eax")); break;
    case 11: code(ASM("movl 0x10, %eax")); break;
    case 12: code(ASM(".byte 0x67, 0x8b, 0x02")); break;
    case 13: code(ASM(".byte 0x67, 0x8b, 0x00")); break;
    case 14: code(ASM(".byte 0x67, 0x8b, 0x46, 0x00")); break;
    case 15: code(ASM(".byte 0x67, 0x8b, 0x07")); break;
    case 16: code(ASM("lodsl")); break;
    case 17: code(ASM("lodsl %fs:(%esi)")); break;
    case 18: code(ASM("stosl; movl %es:(0x10), %ecx")); break;
    case 19: code(ASM(".byte 0x64; stosl")); break;
    case 20: code(ASM("movsl %gs:(%esi), %es:(%edi)")); break;
    case 21: code(ASM(".byte 0x2e, 0x64; movl (%ebx), %eax")); break;
    case 22: code(ASM(".byte 0x64, 0x26; movl (%ebx), %eax")); break;
    case 23: code(ASM(".byte 0x64; cmpsl")); break;
    case 24: code(ASM("movb $4, %al; .byte 0x65; xlatb")); break;
    }
    go();
  }
  for (u32 n = 0; n < 12; n++) {
    begin("16-bit address wrap %d", n);
    ring(3);
    segment(TESTED, DATA, 0xfffff, DATA_RW | DPL(3), BIG);
    in_ds = in_es = TESTED | 3;
    in_ebx = 0x5555fff0, in_esi = 0x66660020, in_ebp = 0x7777fff8, in_edi = 0x8888ffff;
    in_ecx = 0x10000;
    switch (n) {
    case 0: code(ASM(".byte 0x67, 0x8b, 0x00")); break;
    case 1: code(ASM(".byte 0x67, 0x8b, 0x47, 0x18")); break;
    case 2: code(ASM(".byte 0x67, 0x3e, 0x8b, 0x46, 0x10")); break;
    case 3: code(ASM(".byte 0x67, 0x3e, 0x8b, 0x86, 0x18, 0x00")); break;
    case 4: code(ASM(".byte 0x67, 0x8d, 0x41, 0x7f; movl $0, %edx")); break;
    case 5: code(ASM(".byte 0x67; stosb")); break;
    case 6: code(ASM("movl $0xffff, %esi; .byte 0x67; lodsb")); break;
    case 7: code(ASM("movl $0xfffe, %esi; .byte 0x67; lodsl")); break;
    case 8: code(ASM(".byte 0x67; rep stosb")); break;
    case 9: code(ASM(".byte 0x67; jecxz 1f; movl $7, %eax; 1:")); break;
    case 10: code(ASM(".byte 0x67; loop 1f; movl $7, %eax; 1:")); break;
    case 11: code(ASM("xorl %esi, %esi; std; .byte 0x67; lodsb; cld")); break;
    }
    go();
  }
}

/* ── loading segment registers ── */
static struct code load_by(u32 reg) {
  switch (reg) {
  case 0: return ASM("movw %ax, %ds");
  case 1: return ASM("movw %ax, %ss");
  case 2: return ASM("pushl %eax; popl %es");
  case 3: return ASM("pushl %eax; popl %fs");
  case 4: return ASM("movw %ax, %gs");
  default: return ASM("pushl %eax; popl %ss");
  }
}
static const char *const registers[] = {"mov ds", "mov ss", "pop es", "pop fs", "mov gs", "pop ss"};

static void load(u32 cpl, u32 selector, struct code c) {
  ring(cpl);
  in_eax = selector;
  code(c);
  go();
}

static void loads(void) {
  struct code by[6];
  for (u32 reg = 0; reg < 6; reg++) by[reg] = load_by(reg);
  for (u32 reg = 0; reg < 2; reg++)
    for (u32 type = 0; type < 32; type++)
      for (u32 present = 0; present < 2; present++)
        for (u32 cpl = 0; cpl < 4; cpl += 3) {
          begin("%s of type %x, ring %d, %s", registers[reg], type, cpl, present ? "present" : "not present");
          segment(TESTED, 0, reach(type), type | DPL(cpl) | present * PRESENT, FLAT_);
          load(cpl, TESTED | cpl, by[reg]);
        }
  for (u32 reg = 0; reg < 2; reg++)
    for (u32 t = 1; t < COUNT(types); t++) {
      u32 type = types[t].type;
      if (type != DATA_RW && (reg == 1 || (type != CODE_XR && type != CONF_XR))) continue;
      for (u32 cpl = 0; cpl < 4; cpl++)
        for (u32 dpl = 0; dpl < 4; dpl++)
          for (u32 rpl = 0; rpl < 4; rpl++) {
            begin("%s %s, CPL %d DPL %d RPL %d", registers[reg], types[t].name, cpl, dpl, rpl);
            segment(TESTED, 0, 0xfffff, type | DPL(dpl), FLAT_);
            load(cpl, TESTED | rpl, by[reg]);
          }
    }
  static const u16 selectors[] = {0, 1, 2, 3, 4, 0x0c, 0x3f, 0x44, 0x1fb, 0x200, 0x203, 0xfffb, 0xfffc};
  for (u32 reg = 0; reg < 6; reg++)
    for (u32 n = 0; n < COUNT(selectors); n++)
      for (u32 cpl = 0; cpl < 4; cpl += 3) {
        begin("%s with selector %x in ring %d", registers[reg], selectors[n], cpl);
        segment(0x0c, 0, 0xfffff, DATA_RW | DPL(cpl), FLAT_);
        load(cpl, selectors[n], by[reg]);
      }
  for (u32 n = 0; n < 3; n++) {
    begin("%s from the LDT that is not there", registers[n]);
    asm volatile("lldt %w0" : : "r"(0));
    load(3, 0x0f, by[n]);
  }
  begin("mov cs");
  load(3, FLAT_CODE(3) | 3, ASM(".byte 0x8e, 0xc8"));
  begin("mov segment register 6");
  load(3, 0, ASM(".byte 0x8e, 0xf0"));
  begin("mov from segment register 7");
  load(3, 0, ASM(".byte 0x8c, 0xf8"));
  begin("mov from ds to eax, to ax, to memory");
  load(3, 0xffffffff, ASM("movl %ds, %eax; movl $-1, %ecx; movw %ds, %cx; .byte 0x8c, 0x1b"));
  begin("push ds of four and two bytes");
  load(3, 0, ASM("pushl $-1; pushl $-1; addl $8, %esp; pushl %ds; pushw %ds"));
}

/* LDS, LES, LSS, LFS, LGS. */
static void pointers(void) {
  static const struct {
    const char *name;
    u16 selector;
  } targets[] = {{"good", TESTED | 3}, {"null", 0}, {"beyond", 0x5ab4}, {"not present", FREE(1) | 3}, {"of code", FLAT_CODE(3) | 3}, {"of ring 0", FLAT_DATA(0)}};
  for (u32 n = 0; n < 11; n++)
    for (u32 t = 0; t < COUNT(targets); t++) {
      static const char *const what[] = {"lds", "les", "lss", "lfs", "lgs", "lds 16", "les 16", "lss 16", "lfs 16", "lgs 16", "lfs of a register"};
      begin("%s: %s", what[n], targets[t].name);
      ring(3);
      segment(TESTED, 0, 0xfffff, DATA_RW | DPL(3), FLAT_);
      segment(FREE(1), 0, 0xfffff, (DATA_RW & ~PRESENT) | DPL(3), FLAT_);
      *at32(DATA) = 0x12345678;
      *at16(DATA + (n < 5 ? 4 : 2)) = targets[t].selector;
      in_eax = 0xaaaaaaaa;
      switch (n) {
      case 0: code(ASM("ldsl (%ebx), %eax")); break;
      case 1: code(ASM("lesl (%ebx), %eax")); break;
      case 2: code(ASM("lssl (%ebx), %eax")); break;
      case 3: code(ASM("lfsl (%ebx), %eax")); break;
      case 4: code(ASM("lgsl (%ebx), %eax")); break;
      case 5: code(ASM("ldsw (%ebx), %ax")); break;
      case 6: code(ASM("lesw (%ebx), %ax")); break;
      case 7: code(ASM("lssw (%ebx), %ax")); break;
      case 8: code(ASM("lfsw (%ebx), %ax")); break;
      case 9: code(ASM("lgsw (%ebx), %ax")); break;
      case 10: code(ASM(".byte 0x0f, 0xb4, 0xc0")); break;
      }
      go();
    }
}

/* ── LAR, LSL, VERR, VERW, ARPL ── */
#define RESULTS (DATA + 0x200)
/* For each RPL: what LAR and LSL gave, ZF of LAR, LSL, VERR, VERW. The selector is in BX. */
#define INSPECT                                                                                                        \
  "movl $0xa200, %edi; 1: movl $-1, %eax; larl %ebx, %eax; setz %dl; stosl; movl $-1, %eax; lsll %ebx, %eax; setz %dh;" \
  "stosl; verr %bx; setz %cl; verw %bx; setz %ch; movw %dx, %ax; stosw; movw %cx, %ax; stosw;"                          \
  "incl %ebx; testb $3, %bl; jnz 1b; xorl %eax, %eax; xorl %ecx, %ecx; xorl %edx, %edx; xorl %edi, %edi; xorl %ebx, %ebx"

static void inspections(void) {
  struct code inspect = ASM(INSPECT);
  watch("rights", RESULTS, 0x30);
  for (u32 type = 0; type < 32; type++)
    for (u32 dpl = 0; dpl < 4; dpl++)
      for (u32 cpl = 0; cpl < 4; cpl++) {
        /* Middle levels tell nothing new except of the types that are checked most. */
        u32 thorough = type == 0x12 || type == 0x1a || type == 0x1e || type == 9;
        if (!thorough && (dpl % 3 || cpl % 3)) continue;
        begin("inspect type %x, DPL %d, CPL %d", type, dpl, cpl);
        fill(RESULTS, 0, 0x40);
        ring(cpl);
        segment(TESTED, 0x12345678, 0xabcde, type | PRESENT | DPL(dpl), type & 1 ? 0x4 : 0xb);
        in_ebx = TESTED;
        code(inspect);
        go();
      }
  static const u16 selectors[] = {0, 4, 8, 0x44, 0x200, 0xfff8, 0x10};
  for (u32 n = 0; n < COUNT(selectors); n++) {
    begin("inspect selector %x", selectors[n]);
    fill(RESULTS, 0, 0x40);
    in_ebx = selectors[n];
    code(inspect);
    go();
  }
  for (u32 type = 0x10; type < 0x20; type += 2) {
    begin("inspect a segment of type %x, not present", type);
    fill(RESULTS, 0, 0x40);
    segment(TESTED, 0, 0xfff, type, 0);
    in_ebx = TESTED;
    code(inspect);
    go();
  }
  for (u32 n = 0; n < 8; n++) {
    begin("rights in 16 bits and from memory %d", n);
    segment(TESTED, 0, 0xabcde, DATA_RW | DPL(3), 0xd);
    in_ebx = DATA;
    *at32(DATA) = 0xffff0000 | TESTED;
    in_eax = 0x77777777;
    in_ecx = 0xffff0000 | TESTED;
    switch (n) {
    case 0: code(ASM("larw %cx, %ax")); break;
    case 1: code(ASM("lslw %cx, %ax")); break;
    case 2: code(ASM("larl %ecx, %eax")); break;
    case 3: code(ASM("lsll %ecx, %eax")); break;
    case 4: code(ASM("larl (%ebx), %eax")); break;
    case 5: code(ASM("lslw (%ebx), %ax")); break;
    case 6: code(ASM("verr (%ebx); setz %al")); break;
    case 7: code(ASM("movl $-1, %ebx; larw (%ebx), %ax")); break;
    }
    go();
  }
  for (u32 to = 0; to < 4; to++)
    for (u32 from = 0; from < 4; from++)
      for (u32 memory = 0; memory < 2; memory++) {
        begin("arpl %d to %d in %s", from, to, memory ? "memory" : "a register");
        ring(3);
        in_eax = *at32(DATA) = 0x55aa1230 | to;
        in_ecx = 0x44440 | from;
        code(memory ? ASM("arpl %cx, (%ebx); setz %dl") : ASM("arpl %cx, %ax; setz %dl"));
        go();
      }
  for (u32 from = 0; from < 2; from++) {
    begin("arpl %d to read-only memory", from);
    ring(3);
    segment(TESTED, 0, 0xfffff, DATA_RO | DPL(3), FLAT_);
    in_ds = TESTED | 3;
    *at32(DATA) = 0;
    in_ecx = from;
    code(ASM("arpl %cx, (%ebx)"));
    go();
  }
}

static void bounds(void) {
  static const u32 values[] = {0xfffffff8, 0xfffffff7, 0, 5, 6, 0x8000, 0x7fffffff, 0x80000000, 0x10005, 0x10006};
  for (u32 n = 0; n < COUNT(values); n++)
    for (u32 narrow = 0; narrow < 2; narrow++) {
      begin("bound%s of %x", narrow ? " 16" : "", values[n]);
      ring(3);
      in_eax = values[n];
      if (narrow) *at32(DATA) = 0x0005fff8;
      else *at32(DATA) = 0xfffffff8, *at32(DATA + 4) = 5;
      code(narrow ? ASM("boundw %ax, (%ebx)") : ASM("boundl %eax, (%ebx)"));
      go();
    }
  begin("bound of registers");
  ring(3);
  code(ASM(".byte 0x62, 0xc0"));
  go();
}

/* ── LOCK ── */
static void locked(u32 n) {
  switch (n) {
  case 0: code(ASM("lock; addl %eax, (%ebx)")); break;
  case 1: code(ASM(".byte 0xf0, 0x01, 0xc0")); break;
  case 2: code(ASM(".byte 0xf0; movl %eax, (%ebx)")); break;
  case 3: code(ASM(".byte 0xf0; cmpl %eax, (%ebx)")); break;
  case 4: code(ASM(".byte 0xf0; nop")); break;
  case 5: code(ASM(".byte 0xf0; btl $0, (%ebx)")); break;
  case 6: code(ASM("lock; btsl $0, (%ebx)")); break;
  case 7: code(ASM("lock; btrl %eax, (%ebx)")); break;
  case 8: code(ASM("lock; xchgl %eax, (%ebx)")); break;
  case 9: code(ASM("lock; incl (%ebx)")); break;
  case 10: code(ASM("lock; notb (%ebx)")); break;
  case 11: code(ASM("lock; cmpxchgl %eax, (%ebx)")); break;
  case 12: code(ASM("lock; cmpxchg8b (%ebx)")); break;
  case 13: code(ASM("lock; xaddw %ax, (%ebx)")); break;
  case 14: code(ASM(".byte 0xf0; testl %eax, (%ebx)")); break;
  case 15: code(ASM(".byte 0xf0; pushl (%ebx)")); break;
  case 16: code(ASM(".byte 0xf0; fadds (%ebx)")); break;
  case 17: code(ASM(".byte 0xf0; int3")); break;
  case 18: code(ASM(".byte 0xf0; addl (%ebx), %eax")); break;
  case 19: code(ASM(".byte 0xf0; xchgl %eax, %ecx")); break;
  case 20: code(ASM(".byte 0xf0; incl %eax")); break;
  case 21: code(ASM(".byte 0xf0; stosb")); break;
  case 22: code(ASM(".byte 0xf0; shll (%ebx)")); break;
  case 23: code(ASM(".byte 0xf0; cli")); break;
  case 24: code(ASM(".byte 0xf0; cmpl $0, (%ebx)")); break;
  case 25: code(ASM("lock; sbbl $0, (%ebx)")); break;
  case 26: code(ASM("lock; btcw $3, (%ebx)")); break;
  case 27: code(ASM(".byte 0xf0; mull (%ebx)")); break;
  case 28: code(ASM("lock; negl (%ebx)")); break;
  case 29: code(ASM(".byte 0xf0; jmp . + 2")); break;
  case 30: code(ASM(".byte 0xf0; movaps %xmm0, (%ebx)")); break;
  case 31: code(ASM(".byte 0xf0, 0xf3, 0x90")); break;
  }
}

static void locks(void) {
  for (u32 n = 0; n < 32; n++) {
    begin("lock %d", n);
    ring(3);
    locked(n);
    go();
  }
}

/* ── alignment ── */
static struct operation aligned[40];
static u32 aligned_count;
static void aligns(const char *name, u32 bytes, struct code c) {
  struct operation *o = &aligned[aligned_count++];
  o->name = name, o->bytes = bytes, o->code = c;
}

static void alignment(void) {
  aligns("movb", 1, ASM("movb (%ebx), %al"));
  aligns("movw", 2, ASM("movw (%ebx), %ax"));
  aligns("movl", 4, ASM("movl (%ebx), %eax"));
  aligns("movl store", 4, ASM("movl %eax, (%ebx)"));
  aligns("addl", 4, ASM("addl %eax, (%ebx)"));
  aligns("lodsw", 2, ASM("lodsw"));
  aligns("stosl", 4, ASM("stosl"));
  aligns("flds", 4, ASM("flds (%ebx)"));
  aligns("fldl", 8, ASM("fldl (%ebx)"));
  aligns("fldt", 8, ASM("fldt (%ebx)"));
  aligns("fstpt", 8, ASM("fld1; fstpt (%ebx)"));
  aligns("filds", 2, ASM("filds (%ebx)"));
  aligns("fildll", 8, ASM("fildll (%ebx)"));
  aligns("fnstcw", 2, ASM("fnstcw (%ebx)"));
  aligns("fldenv", 4, ASM("fldenv (%ebx)"));
  aligns("movq", 8, ASM("movq (%ebx), %mm0"));
  aligns("movss", 4, ASM("movss (%ebx), %xmm0"));
  aligns("movlps", 8, ASM("movlps (%ebx), %xmm0"));
  aligns("movups", 4, ASM("movups (%ebx), %xmm0"));
  aligns("movaps", 8, ASM("movaps (%ebx), %xmm0"));
  aligns("addps", 8, ASM("addps (%ebx), %xmm0"));
  aligns("cmpxchg8b", 8, ASM("cmpxchg8b (%ebx)"));
  aligns("lds", 4, ASM("ldsl (%ebx), %eax"));
  aligns("lds 16", 4, ASM("ldsw (%ebx), %ax"));
  aligns("bound", 4, ASM("boundl %eax, (%ebx)"));
  aligns("sidt", 4, ASM("sidt (%ebx)"));
  aligns("btl far", 4, ASM("movl $37, %eax; btl %eax, (%ebx)"));
  aligns("btw", 2, ASM("movl $5, %eax; btw %ax, (%ebx)"));
  aligns("pushl", 4, ASM("movl %ebx, %esp; pushl %eax"));
  aligns("popw", 2, ASM("movl %ebx, %esp; popw %ax"));
  aligns("call", 4, ASM("movl %ebx, %esp; call 1f; 1:"));
  aligns("pushal", 4, ASM("movl %ebx, %esp; pushal"));
  aligns("enter", 4, ASM("movl %ebx, %esp; enter $4, $1"));
  aligns("jmp", 4, ASM("movl $0x9000, (%ebx); jmp *(%ebx)"));
  aligns("stmxcsr", 4, ASM("stmxcsr (%ebx)"));
  aligns("lidt", 4, ASM("lidt (%ebx)"));
  for (u32 n = 0; n < aligned_count; n++)
    for (u32 off = 0; off < 9; off++) {
      if (off > aligned[n].bytes || off == 5 || off == 7) continue;
      begin("alignment: %s at +%d", aligned[n].name, off);
      ring(3);
      in_eflags |= AC;
      in_ebx = in_esi = in_edi = in_ebp = DATA + 0x20 + off;
      code(aligned[n].code);
      write_cr0(read_cr0() | CR0_AM);
      go();
    }
  for (u32 cpl = 0; cpl < 4; cpl++)
    for (u32 bits = 0; bits < 4; bits++) {
      begin("alignment in ring %d, AC %d, AM %d", cpl, bits & 1, bits >> 1);
      ring(cpl);
      in_eflags |= bits & 1 ? AC : 0;
      in_ebx++;
      code(ASM("movl (%ebx), %eax"));
      if (bits & 2) write_cr0(read_cr0() | CR0_AM);
      go();
    }
  begin("alignment: AC set by popf counts at once");
  ring(3);
  in_ebx++;
  code(ASM("pushl $0x40002; popfl; movl (%ebx), %eax"));
  write_cr0(read_cr0() | CR0_AM);
  go();
  begin("alignment: a segment load reads its descriptor all the same");
  ring(3);
  in_eflags |= AC;
  in_eax = FREE(3) | 3;
  segment(FREE(3), 0, 0xfffff, DATA_RW | DPL(3), FLAT_);
  code(ASM("movw %ax, %ds; movl 1(%ebx), %eax"));
  write_cr0(read_cr0() | CR0_AM);
  go();
  begin("alignment: a base counts");
  ring(3);
  in_eflags |= AC;
  segment(TESTED, 1, 0xfffff, DATA_RW | DPL(3), FLAT_);
  in_ds = TESTED | 3;
  code(ASM("movl 3(%ebx), %eax; movl (%ebx), %eax"));
  write_cr0(read_cr0() | CR0_AM);
  go();
  begin("alignment: the limit comes first");
  ring(3);
  in_eflags |= AC;
  segment(TESTED, 0, 0xfff, DATA_RW | DPL(3), BIG);
  in_ds = TESTED | 3;
  code(ASM("movl 1(%ebx), %eax"));
  write_cr0(read_cr0() | CR0_AM);
  go();
}

/* ── x87, MMX and SSE ── */
static struct operation units[24];
static u32 unit_count;
static void unit(const char *name, struct code c) {
  struct operation *o = &units[unit_count++];
  o->name = name, o->code = c;
}

static void availability(void) {
  unit("fnop", ASM("fnop"));
  unit("fwait", ASM("fwait"));
  unit("flds", ASM("flds (%ebx)"));
  unit("fninit", ASM("fninit"));
  unit("fnstsw", ASM("fnstsw %ax"));
  unit("fnclex", ASM("fnclex"));
  unit("paddb mm", ASM("paddb %mm1, %mm0"));
  unit("emms", ASM("emms"));
  unit("movaps", ASM("movaps %xmm1, %xmm0"));
  unit("ldmxcsr", ASM("movl $0x1f80, (%ebx); ldmxcsr (%ebx)"));
  unit("cvtpi2ps", ASM("cvtpi2ps %mm0, %xmm0"));
  unit("addpd", ASM("addpd %xmm1, %xmm0"));
  unit("fxsave", ASM("fxsave 0x400(%ebx)"));
  unit("fxsave, not aligned", ASM("fxsave 0x404(%ebx)"));
  unit("prefetch", ASM("prefetcht0 (%ebx)"));
  unit("sfence", ASM("sfence"));
  unit("mfence", ASM("mfence"));
  unit("movnti", ASM("movnti %eax, (%ebx)"));
  unit("pause", ASM("pause"));
  unit("movq2dq", ASM("movq2dq %mm0, %xmm0"));
  unit("undefined x87", ASM(".byte 0xd9, 0xd1"));
  for (u32 n = 0; n < unit_count; n++)
    for (u32 bits = 0; bits < 16; bits++) {
      begin("%s with EM %d, TS %d, MP %d, OSFXSR %d", units[n].name, bits & 1, bits >> 1 & 1, bits >> 2 & 1, !(bits >> 3));
      ring(3);
      code(units[n].code);
      write_cr0(read_cr0() | (bits & 1 ? CR0_EM : 0) | (bits & 2 ? CR0_TS : 0) | (bits & 4 ? CR0_MP : 0));
      if (bits & 8) write_cr4(read_cr4() & ~OSFXSR);
      go();
    }
  for (u32 n = 0; n < unit_count; n++)
    for (u32 ts = 0; ts < 2; ts++) {
      if (n == 4 || n == 12) continue;
      begin("%s with an x87 exception pending, TS %d", units[n].name, ts);
      ring(3);
      code(units[n].code);
      asm volatile("fninit; movl $0x37e, %%eax; pushl %%eax; fldcw (%%esp); fldz; fldz; fdivp; popl %%eax" : : : "eax");
      if (ts) write_cr0(read_cr0() | CR0_TS);
      go();
      asm volatile("clts; fnclex");
    }
  for (u32 n = 0; n < 12; n++) {
    begin("SIMD exception %d", n);
    ring(3);
    /* 1.0, 0.0, the signalling NaN, the largest, a denormal */
    static const u32 floats[] = {0x3f800000, 0, 0x7fa00000, 0x7f7fffff, 1};
    copy(DATA, floats, sizeof floats);
    u32 mxcsr = n == 5 ? 0x1f80 : n == 6 ? 0x1fbf : 0;
    *at32(DATA + 0x20) = mxcsr;
    switch (n) {
    case 0:
    case 1:
    case 5:
    case 6: code(ASM("ldmxcsr 0x20(%ebx); movss (%ebx), %xmm0; divss 4(%ebx), %xmm0; stmxcsr 0x20(%ebx)")); break;
    case 2: code(ASM("ldmxcsr 0x20(%ebx); movss 8(%ebx), %xmm0; addss %xmm0, %xmm0")); break;
    case 3: code(ASM("ldmxcsr 0x20(%ebx); movss 12(%ebx), %xmm0; addss %xmm0, %xmm0")); break;
    case 4: code(ASM("ldmxcsr 0x20(%ebx); movss 16(%ebx), %xmm0; addss %xmm0, %xmm0")); break;
    case 7: code(ASM("ldmxcsr 0x20(%ebx); movss 8(%ebx), %xmm0; ucomiss %xmm0, %xmm0")); break;
    case 8: code(ASM("ldmxcsr 0x20(%ebx); movss 12(%ebx), %xmm0; cvttss2si %xmm0, %eax")); break;
    case 9: code(ASM("movl $0x10000, 0x20(%ebx); ldmxcsr 0x20(%ebx)")); break;
    case 10: code(ASM("movl $0x20, 0x20(%ebx); ldmxcsr 0x20(%ebx); movl $1, %eax")); break;
    case 11: code(ASM("movl $-1, %eax; ldmxcsr 0x20(%ebx); movups 0x400(%ebx), %xmm0; .byte 0xf2; sqrtsd %xmm0, %xmm0")); break;
    }
    if (n == 11) fill(DATA + 0x400, 0xfff00000, 16);
    if (n == 1) write_cr4(read_cr4() & ~OSXMMEXCPT);
    go();
    *at32(DATA + 0x20) = 0x1f80;
    asm volatile("ldmxcsr (%0)" : : "r"(DATA + 0x20) : "memory");
  }
}

void tests(void) {
  make_master();
  restore_controls();
  prepare = prepare_data;
  restore = restore_controls;
  watch("low", DATA, WATCHED);
  watch("high", DATA + EDGE - WATCHED / 2, WATCHED);
  make_operations();
  limit_cases();
  code_limits();
  access_types();
  loads();
  pointers();
  inspections();
  bounds();
  locks();
  alignment();
  availability();
}
