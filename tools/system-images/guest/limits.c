/* Segment limits and types against every kind of access (SDM vol. 3A, 5.3 to 5.5). */
#include "runtime.h"

#define TEST FREE(0)

/* ── data segments ── */
static const struct {
  const char *name;
  u32 base, limit;
  u8 type, flags;
} segments[] = {
  {"read-only", DATA, 0x3ff, DATA_RO, BIG},
  {"writable", DATA, 0x3ff, DATA_RW, BIG},
  {"writable of 16 bits", DATA, 0x3ff, DATA_RW, 0},
  {"writable in pages", DATA, 0, DATA_RW, BIG | PAGES},
  {"expand-down read-only", DATA, 0x3ff, DOWN_RO, BIG},
  {"expand-down", DATA, 0x3ff, DOWN_RW, BIG},
  {"expand-down of 16 bits", DATA, 0x3ff, DOWN_RW, 0},
  {"expand-down in pages", DATA, 0, DOWN_RW, BIG | PAGES},
  {"execute-only", DATA, 0x3ff, CODE_XO, BIG},
  {"readable code", DATA, 0x3ff, CODE_XR, BIG},
  {"conforming readable code", DATA, 0x3ff, CONF_XR, BIG},
  {"expand-down, limit fffff in pages", 0, 0xfffff, DOWN_RW, BIG | PAGES},
  {"expand-down, limit 0", DATA, 0, DOWN_RW, BIG},
};

static const u8 sizes[] = {1, 2, 4, 8, 10, 16};

static void load(u32 size) {
  switch (size) {
  case 1: code(ASM("movb %fs:(%ebx), %cl; xorl %ecx, %ecx")); break;
  case 2: code(ASM("movw %fs:(%ebx), %cx; xorl %ecx, %ecx")); break;
  case 4: code(ASM("movl %fs:(%ebx), %ecx; xorl %ecx, %ecx")); break;
  case 8: code(ASM("movq %fs:(%ebx), %mm0; emms; cmpl %eax, %eax")); break;
  case 10: code(ASM("fninit; fldt %fs:(%ebx); fninit; cmpl %eax, %eax")); break;
  case 16: code(ASM("movups %fs:(%ebx), %xmm0; cmpl %eax, %eax")); break;
  }
}

static void store(u32 size) {
  switch (size) {
  case 1: code(ASM("movb %cl, %fs:(%ebx)")); break;
  case 2: code(ASM("movw %cx, %fs:(%ebx)")); break;
  case 4: code(ASM("movl %ecx, %fs:(%ebx)")); break;
  case 8: code(ASM("pxor %mm0, %mm0; movq %mm0, %fs:(%ebx); emms")); break;
  case 10: code(ASM("fninit; fldz; fstpt %fs:(%ebx); fninit")); break;
  case 16: code(ASM("pxor %xmm0, %xmm0; movups %xmm0, %fs:(%ebx)")); break;
  }
}

static void modify(u32 size) {
  if (size == 1) code(ASM("incb %fs:(%ebx); cmpl %eax, %eax"));
  else if (size == 2) code(ASM("incw %fs:(%ebx); cmpl %eax, %eax"));
  else code(ASM("incl %fs:(%ebx); cmpl %eax, %eax"));
}

/* The offset of an access of `size` bytes by its place. */
static const char *const places[] = {"the last that fits", "one byte over", "the first byte beyond", "at 0", "at fffffffe", "at fffe", "at ffff", "far beyond"};

static u32 offset_of(u32 s, u32 place, u32 size) {
  u32 limit = segments[s].flags & PAGES ? segments[s].limit << 12 | 0xfff : segments[s].limit;
  u32 down = (segments[s].type & 0xc) == 4;
  switch (place) {
  case 0: return down ? limit + 1 : limit + 1 - size;
  case 1: return down ? limit : limit + 2 - size;
  case 2: return down ? limit + 1 - size : limit + 1;
  case 3: return 0;
  case 4: return 0xfffffffe;
  case 5: return 0xfffe;
  case 6: return 0xffff;
  default: return 0x200000;
  }
}

static void data(void) {
  for (u32 s = 0; s < COUNT(segments); s++)
    for (u32 place = 0; place < COUNT(places); place++)
      for (u32 n = 0; n < COUNT(sizes); n++)
        for (u32 way = 0; way < 3; way++) {
          u32 size = sizes[n];
          if (way == 2 && size > 4) continue;
          /* Types come before places: one place will do. */
          if (place > 1 && (size > 4 || way == 2) && s != 3 && s != 5) continue;
          static const char *const ways[] = {"read", "write", "modify"};
          begin("%s, %s %d bytes %s", segments[s].name, ways[way], size, places[place]);
          ring(3);
          segment(TEST, segments[s].base, segments[s].limit, segments[s].type | DPL(3) | ACCESSED, segments[s].flags);
          in_fs = TEST | 3;
          in_ebx = offset_of(s, place, size);
          if (way == 0) load(size);
          else if (way == 1) store(size);
          else modify(size);
          go();
        }
}

/* A segment of 4 GB has an end, too. */
static void whole(void) {
  for (u32 n = 0; n < COUNT(sizes); n++)
    for (u32 way = 0; way < 2; way++)
      for (u32 place = 0; place < 2; place++) {
        begin("4 GB from %s, %s %d bytes at ffffffff", place ? "16 MB" : "0", way ? "write" : "read", sizes[n]);
        ring(3);
        segment(TEST, place ? 0x1000000 : 0, 0xfffff, DATA_RW | DPL(3) | ACCESSED, FLAT_);
        in_fs = TEST | 3;
        in_ebx = 0xffffffff;
        if (way) store(sizes[n]);
        else load(sizes[n]);
        go();
      }
}

/* ── segment registers and what they hold ── */
static void overrides(void) {
  static const char *const held[] = {"flat data", "null", "small", "execute-only", "read-only"};
  static const char *const registers[] = {"ds", "es", "fs", "gs", "ss", "cs"};
  for (u32 h = 0; h < COUNT(held); h++)
    for (u32 r = 0; r < 6; r++)
      for (u32 way = 0; way < 2; way++) {
        if (h && r > 3) continue;
        begin("%s %s: %s", registers[r], held[h], way ? "write" : "read");
        ring(3);
        segment(TEST, 0, 0xfff, (h == 2 ? DATA_RW : h == 3 ? CODE_XO : DATA_RO) | DPL(3) | ACCESSED, h == 2 ? BIG : FLAT_);
        u32 selector = h == 0 ? FLAT_DATA(3) | 3 : h == 1 ? 0 : TEST | 3;
        if (r == 0) in_ds = selector;
        if (r == 1) in_es = selector;
        if (r == 2) in_fs = selector;
        if (r == 3) in_gs = selector;
        in_ebx = DATA;
        /* An execute-only segment cannot be loaded. */
        if (h == 3 && r < 4) continue;
        switch (r * 2 + way) {
        case 0: code(ASM("movl (%ebx), %ecx; xorl %ecx, %ecx")); break;
        case 1: code(ASM("movl %ecx, (%ebx)")); break;
        case 2: code(ASM("movl %es:(%ebx), %ecx; xorl %ecx, %ecx")); break;
        case 3: code(ASM("movl %ecx, %es:(%ebx)")); break;
        case 4: code(ASM("movl %fs:(%ebx), %ecx; xorl %ecx, %ecx")); break;
        case 5: code(ASM("movl %ecx, %fs:(%ebx)")); break;
        case 6: code(ASM("movl %gs:(%ebx), %ecx; xorl %ecx, %ecx")); break;
        case 7: code(ASM("movl %ecx, %gs:(%ebx)")); break;
        case 8: code(ASM("movl %ss:(%ebx), %ecx; xorl %ecx, %ecx")); break;
        case 9: code(ASM("movl %ecx, %ss:(%ebx)")); break;
        case 10: code(ASM("movl %cs:(%ebx), %ecx; xorl %ecx, %ecx")); break;
        case 11: code(ASM("movl %ecx, %cs:(%ebx)")); break;
        }
        go();
      }
  for (u32 way = 0; way < 2; way++) {
    begin("cs execute-only: %s", way ? "fetch" : "read");
    ring(3);
    segment(TEST, 0, 0xfffff, CODE_XO | DPL(3) | ACCESSED, FLAT_);
    in_cs = TEST | 3;
    in_ebx = DATA;
    code(way ? ASM("nop") : ASM("movl %cs:(%ebx), %ecx"));
    go();
  }
  static const char *const defaults[] = {"ebp", "esp", "ebp in 16 bits", "ebp with ds", "ebx with ss"};
  for (u32 n = 0; n < COUNT(defaults); n++) {
    begin("beyond the stack's limit by %s", defaults[n]);
    ring(3);
    segment(TEST, 0, 0x4fff, DATA_RW | DPL(3) | ACCESSED, BIG);
    in_ss = TEST | 3;
    in_ebp = in_ebx = DATA;
    switch (n) {
    case 0: code(ASM("movl (%ebp), %ecx")); break;
    case 1: code(ASM("movl 0x8000(%esp), %ecx")); break;
    case 2: code(ASM("addr16 movl (%bp), %ecx")); break;
    case 3: code(ASM("movl %ds:(%ebp), %ecx; xorl %ecx, %ecx")); break;
    case 4: code(ASM("movl %ss:(%ebx), %ecx")); break;
    }
    go();
  }
}

/* ── instructions with operands of their own kind ── */
static const char *const operations[] = {
  "movs from", "movs to", "rep movsb over", "cmps", "scas", "lods", "stos", "ins", "outs", "xlat", "bound", "les", "jmp far", "lgdt", "sgdt", "fnsave", "frstor", "fnstenv", "fxsave", "fxrstor", "cmpxchg8b", "bts far away", "bt negative",
  "verr", "sldt", "arpl", "pop", "push", "call", "invlpg", "fld 4", "fist 2", "movntq", "maskmovq", "cmpxchg", "lds to ds", "smsw", "enter 3", "prefetch", "lea", "clflush",
};

static void operation(u32 n) {
  switch (n) {
  case 0: code(ASM("movl %ebx, %esi; movl $0xa400, %edi; fs movsl")); break;
  case 1: code(ASM("movl %ebx, %edi; movl $0xa400, %esi; movsl")); break;
  case 2: code(ASM("movl %ebx, %esi; movl $8, %ecx; movl $0, %edi; rep movsb %fs:(%esi), (%edi)")); break;
  case 3: code(ASM("movl %ebx, %esi; movl $0xa400, %edi; cmpsl %es:(%edi), %fs:(%esi)")); break;
  case 4: code(ASM("movl %ebx, %edi; scasl")); break;
  case 5: code(ASM("movl %ebx, %esi; lodsl %fs:(%esi)")); break;
  case 6: code(ASM("movl %ebx, %edi; stosl")); break;
  case 7: code(ASM("movl %ebx, %edi; insl")); break;
  case 8: code(ASM("movl %ebx, %esi; outsl %fs:(%esi), %dx")); break;
  case 9: code(ASM("addl $3, %ebx; xlatb %fs:(%ebx)")); break;
  case 10: code(ASM("boundl %ecx, %fs:-4(%ebx)")); break;
  case 11: code(ASM("les %fs:-2(%ebx), %ecx")); break;
  case 12: code(ASM("ljmp *%fs:-2(%ebx)")); break;
  case 13: code(ASM("lgdtl %fs:-2(%ebx)")); break;
  case 14: code(ASM("sgdtl %fs:-2(%ebx)")); break;
  case 15: code(ASM("fninit; fnsave %fs:-0x68(%ebx)")); break;
  case 16: code(ASM("fninit; frstor %fs:-0x68(%ebx)")); break;
  case 17: code(ASM("fninit; fnstenv %fs:-0x18(%ebx)")); break;
  case 18: code(ASM("fninit; fxsave %fs:-0x1f1(%ebx)")); break;
  case 19: code(ASM("fninit; fxrstor %fs:-0x1f1(%ebx)")); break;
  case 20: code(ASM("cmpxchg8b %fs:-4(%ebx)")); break;
  case 21: code(ASM("movl $0x2000, %ecx; btsl %ecx, %fs:(%ebx)")); break;
  case 22: code(ASM("movl $-32, %ecx; btl %ecx, %fs:4(%ebx)")); break;
  case 23: code(ASM("verr %fs:2(%ebx)")); break;
  case 24: code(ASM("sldt %fs:2(%ebx)")); break;
  case 25: code(ASM("arpl %cx, %fs:2(%ebx)")); break;
  case 26: code(ASM("pushl $0; popl %fs:(%ebx)")); break;
  case 27: code(ASM("pushl %fs:(%ebx)")); break;
  case 28: code(ASM("call *%fs:(%ebx)")); break;
  case 29: code(ASM("invlpg %fs:(%ebx)")); break;
  case 30: code(ASM("fninit; flds %fs:(%ebx)")); break;
  case 31: code(ASM("fninit; fldz; fistps %fs:2(%ebx)")); break;
  case 32: code(ASM("pxor %mm0, %mm0; movntq %mm0, %fs:-4(%ebx)")); break;
  case 33: code(ASM("leal -4(%ebx), %edi; pcmpeqd %mm0, %mm0; maskmovq %mm0, %mm0")); break;
  case 34: code(ASM("cmpxchgl %ecx, %fs:(%ebx)")); break;
  case 35: code(ASM("lds %fs:-2(%ebx), %ecx")); break;
  case 36: code(ASM("smsw %fs:2(%ebx)")); break;
  case 37: code(ASM("enter $16, $3")); break;
  case 38: code(ASM("prefetchnta %fs:(%ebx)")); break;
  case 39: code(ASM(".byte 0x64; leal (%ebx), %ecx")); break;
  case 40: code(ASM("clflush %fs:3(%ebx)")); break;
  }
}

static void operands(void) {
  for (u32 over = 0; over < 2; over++)
    for (u32 n = 0; n < COUNT(operations); n++) {
      if (!over && (n == 12 || n == 13 || n == 28)) continue;
      begin("%s, its operand %s", operations[n], over ? "one byte over the limit" : "up to the limit");
      ring(n == 13 || n == 29 ? 0 : 3);
      in_eflags = 2 | IOPL(3);
      fill(DATA, 0, 0x420);
      /* Whoever does not know of limits loads the table that is there. */
      if (n == 13) *at16(DATA + 0x3fa) = GDT_BYTES - 1, *at32(DATA + 0x3fc) = GDT;
      write_cr4(read_cr4() | 0x600);
      /* Operands end at offset 0x3ff of a segment that DS, ES and FS share where the operation has no override. */
      segment(TEST, DATA, 0x3fe + !over, DATA_RW | DPL(3) | ACCESSED, BIG);
      in_fs = TEST | 3;
      in_edx = 0x80;
      in_ebx = 0x3fc;
      if (n == 2) in_ebx = 0x3f8;
      if (n == 33) in_ds = TEST | 3;
      if (n == 18 || n == 19) in_ebx = 0x3f1;
      if (n == 21) in_ebx = 0x3fc - 0x400;
      if (n == 22) in_ebx = 0x3fc;
      if (n == 1 || n == 4 || n == 6 || n == 7) in_es = TEST | 3;
      if (n == 37) in_esp = STACK_TOP(3), in_ebp = STACK_TOP(3) - 0x10, segment(TEST, 0, in_ebp - 5 + !over, DATA_RW | DPL(3), BIG);
      operation(n);
      go();
    }
}

/* ── stacks, where their 64 KB are free ── */
#define FAR_STACKS 0x50000
static const char *const pushes[] = {"push word", "push double word", "pusha", "pushaw", "call", "enter 8", "pushf", "push ds", "pop word", "pop double word", "popa", "ret", "leave", "popf", "pop ds", "int 21", "push memory", "pop memory"};

static void push(u32 n) {
  switch (n) {
  case 0: code(ASM("pushw %ax")); break;
  case 1: code(ASM("pushl %eax")); break;
  case 2: code(ASM("pushal")); break;
  case 3: code(ASM("pushaw")); break;
  case 4: code(ASM("call 1f; nop; 1: nop")); break;
  case 5: code(ASM("enter $8, $0")); break;
  case 6: code(ASM("pushfl")); break;
  case 7: code(ASM("pushl %ds")); break;
  case 8: code(ASM("popw %ax")); break;
  case 9: code(ASM("popl %eax")); break;
  case 10: code(ASM("popal")); break;
  case 11: code(ASM("ret")); break;
  case 12: code(ASM("movl %esp, %ebp; leave")); break;
  case 13: code(ASM("popfl")); break;
  case 14: code(ASM("popl %ds")); break;
  case 15: code(ASM("int $0x21")); break;
  case 16: code(ASM("pushl (0xa000)")); break;
  case 17: code(ASM("popl (0xa000)")); break;
  }
}

static void stacks(void) {
  static const struct {
    const char *name;
    u32 base, limit, type, flags;
  } kinds[] = {
    {"expand-up", FAR_STACKS, 0x7ff, DATA_RW, BIG}, {"of 16 bits", FAR_STACKS, 0x7ff, DATA_RW, 0}, {"of 16 bits and 64 KB", FAR_STACKS, 0xffff, DATA_RW, 0}, {"expand-down", FAR_STACKS, 0x63f, DOWN_RW, BIG}, {"expand-down of 16 bits", FAR_STACKS, 0x63f, DOWN_RW, 0},
  };
  static const u32 pointers[] = {0, 1, 2, 3, 4, 0x641, 0x642, 0x643, 0x644, 0x7fd, 0x7fe, 0x7ff, 0x800, 0x801, 0xfffd, 0xffff, 0x10000, 0x10002};
  fill(DATA, 0, 16);
  /* Where RET goes. */
  *at16(0) = 0x0b0f;
  watch("s+0", FAR_STACKS, 0x10);
  watch("s+620", FAR_STACKS + 0x620, 0x30);
  watch("s+7d0", FAR_STACKS + 0x7d0, 0x40);
  watch("s+ffd0", FAR_STACKS + 0xffd0, 0x40);
  for (u32 k = 0; k < COUNT(kinds); k++)
    for (u32 p = 0; p < COUNT(pointers); p++)
      for (u32 n = 0; n < COUNT(pushes); n++) {
        u32 near = (k > 2) == (pointers[p] > 4 && pointers[p] < 0x650);
        /* Each kind of stack at the ends that it has, with all operations; elsewhere with two. */
        if ((!near || n > 14) && n != 1 && n != 9) continue;
        if (k < 3 && pointers[p] > 4 && pointers[p] < 0x7f0) continue;
        begin("stack %s, %s at %x", kinds[k].name, pushes[n], pointers[p]);
        ring(3);
        segment(TEST, kinds[k].base, kinds[k].limit, kinds[k].type | DPL(3) | ACCESSED, kinds[k].flags);
        /* Null selectors to pop, and ones to see what of them is written over. */
        u32 filling = n == 11 ? 0 : 0xffff0000;
        fill(FAR_STACKS, filling, 0x10);
        fill(FAR_STACKS + 0x620, filling, 0x30);
        fill(FAR_STACKS + 0x7d0, filling, 0x40);
        fill(FAR_STACKS + 0xffd0, filling, 0x40);
        in_ss = TEST | 3;
        in_esp = pointers[p];
        push(n);
        go();
      }
}

/* ── code that runs into its limit ── */
static void running(void) {
  for (u32 limit = 0; limit < 10; limit++)
    for (u32 n = 0; n < 4; n++) {
      static const char *const names[] = {"nops", "mov imm", "jmp", "prefixes"};
      begin("code with a limit of %x: %s", limit, names[n]);
      ring(3);
      segment(TEST, CODE, limit, CODE_XR | DPL(3) | ACCESSED, BIG);
      in_cs = TEST | 3;
      in_eip = 0;
      switch (n) {
      case 0: code(ASM("nop; nop; nop; nop; nop; nop; nop; nop; nop; nop")); break;
      case 1: code(ASM("movl $0x12345678, %eax; movb $1, %bl")); break;
      case 2: code(ASM("jmp 1f; nop; nop; nop; 1: nop")); break;
      case 3: code(ASM(".byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90")); break;
      }
      go();
    }
  for (u32 big = 0; big < 2; big++) {
    begin("code of %d bits at the end of 64 KB", big ? 32 : 16);
    ring(3);
    segment(TEST, 0x30000, 0xfffff, CODE_XR | DPL(3) | ACCESSED, big ? FLAT_ : PAGES);
    in_cs = TEST | 3;
    in_eip = 0xfffe;
    fill(0x3fff0, 0x90909090, 16);
    fill(0x40000, 0x0b0f0b0f, 16);
    fill(0x30000, 0x0b0f0b0f, 16);
    go();
    begin("a jump over the end of 64 KB in code of %d bits", big ? 32 : 16);
    ring(3);
    segment(TEST, 0x30000, 0xfffff, CODE_XR | DPL(3) | ACCESSED, big ? FLAT_ : PAGES);
    in_cs = TEST | 3;
    in_eip = 0xfff0;
    copy(0x3fff0, "\xeb\x20\x90\x90", 4);
    fill(0x40010, 0x0b0f0b0f, 16);
    fill(0x30010, 0x0b0f0b0f, 16);
    go();
  }
  begin("15 bytes of prefixes");
  ring(3);
  code(ASM(".byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90"));
  go();
  begin("16 bytes of prefixes");
  ring(3);
  code(ASM(".byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90"));
  go();
}

/* ── addresses of 16 bits ── */
static void narrow(void) {
  static const char *const names[] = {"bx+si wraps", "bp+di wraps", "disp wraps", "a word at ffff", "a word at ffff in a small segment", "stosw at ffff", "movsb with SI ffff", "loop with CX", "jcxz", "xlat wraps"};
  for (u32 n = 0; n < COUNT(names); n++) {
    begin("16-bit addresses: %s", names[n]);
    ring(3);
    *at32(DATA) = 0x44332211;
    in_ebx = 0x777f000, in_esi = 0x6661b000, in_ebp = 0x555f000, in_edi = 0x444fffff, in_ecx = 0x3330000, in_eax = 0;
    switch (n) {
    case 0: code(ASM("addr16 movb (%bx,%si), %al")); break;
    case 1:
      in_edi = 0x444b000;
      code(ASM("addr16 movb (%bp,%di), %al"));
      break;
    case 2: code(ASM(".byte 0x67, 0x8a, 0x87, 0x00, 0xb0")); break;
    case 3: code(ASM("addr16 movw %ax, (%di)")); break;
    case 4:
      segment(TEST, 0, 0xffff, DATA_RW | DPL(3), 0);
      in_ds = TEST | 3;
      code(ASM("addr16 movw %ax, (%di)"));
      break;
    case 5: code(ASM("addr16 stosw")); break;
    case 6:
      in_esi = 0x666ffff;
      in_edi = 0x444a100;
      code(ASM("addr16 movsb"));
      break;
    case 7: code(ASM("addr16 loop 1f; 1: nop")); break;
    case 8: code(ASM("jcxz 1f; movb $1, %al; 1: nop")); break;
    case 9:
      in_ebx = 0x777fff0;
      code(ASM("movb $0x10, %al; addr16 xlatb; xorl %eax, %eax"));
      break;
    }
    go();
  }
}

void tests(void) {
  data();
  whole();
  overrides();
  operands();
  stacks();
  running();
  narrow();
}
