/* Virtual-8086 mode and its extensions (SDM vol. 3B, chapter 20). */
#include "runtime.h"

#define VME 1
#define PVI 2

static void restore_cr4(void) { write_cr4(read_cr4() & ~(VME | PVI)); }

/* The program's own interrupt table leads to UD2 at 0:LANDING. */
static void real_table(void) {
  for (u32 v = 0; v < 256; v++) *at32(v * 4) = LANDING;
}

/* The interrupt redirection map and, behind it, the I/O permission map. */
#define REDIRECTION 0x80
#define IO_MAP 0xa0
static void maps(u32 redirection, u32 io) {
  fill(TSS_MAIN + REDIRECTION, redirection, 0x20);
  fill(TSS_MAIN + IO_MAP, io, 0x40);
  *at16(TSS_MAIN + 0x66) = IO_MAP;
}

static const char *const names[] = {
  "cli", "sti", "pushf", "pushfl", "popf", "popfl", "int 60", "int3", "into", "int1", "iret", "iretl", "hlt", "in al, imm", "out imm, al", "in eax, dx", "outs", "ins",
  "lgdt", "lidt", "sgdt", "sldt", "str", "lldt", "ltr", "lar", "verr", "arpl", "smsw", "lmsw", "clts", "mov from cr0", "mov to cr0", "mov from dr0", "invlpg", "wbinvd", "rdmsr", "sysenter",
  "mov ss", "pop ss", "lds", "jmp far", "call far", "retf", "ud2", "bound", "lock", "call far 32", "int 20", "enter", "pusha", "cpuid",
};

static void instruction(u32 n) {
  switch (n) {
  case 0: code(ASM16("cli; nop")); break;
  case 1: code(ASM16("sti; nop")); break;
  case 2: code(ASM16("pushfw")); break;
  case 3: code(ASM16("pushfl")); break;
  case 4: code(ASM16("popfw; nop")); break;
  case 5: code(ASM16("popfl; nop")); break;
  case 6: code(ASM16("int $0x60")); break;
  case 7: code(ASM16("int3")); break;
  case 8: code(ASM16("movb $0x7f, %al; incb %al; into")); break;
  case 9: code(ASM16(".byte 0xf1")); break;
  case 10: code(ASM16("iretw")); break;
  case 11: code(ASM16("iretl")); break;
  case 12: code(ASM16("hlt")); break;
  case 13: code(ASM16("inb $0x80, %al; movb $0, %al")); break;
  case 14: code(ASM16("outb %al, $0x80")); break;
  case 15: code(ASM16("movw $0x80, %dx; inl %dx, %eax; movl $0, %eax")); break;
  case 16: code(ASM16("movw $0x80, %dx; outsb")); break;
  case 17: code(ASM16("movw $0x80, %dx; insb")); break;
  case 18: code(ASM16("lgdtw (0)")); break;
  case 19: code(ASM16("lidtw (0)")); break;
  case 20: code(ASM16("sgdtw (0)")); break;
  case 21: code(ASM16("sldt %ax")); break;
  case 22: code(ASM16("str %ax")); break;
  case 23: code(ASM16("lldt %ax")); break;
  case 24: code(ASM16("ltr %ax")); break;
  case 25: code(ASM16("lar %ax, %bx")); break;
  case 26: code(ASM16("verr %ax")); break;
  case 27: code(ASM16(".byte 0x63, 0xc0")); break;
  case 28: code(ASM16("smsw %ax; movw $0, %ax")); break;
  case 29: code(ASM16("lmsw %ax")); break;
  case 30: code(ASM16("clts")); break;
  case 31: code(ASM16("movl %cr0, %eax")); break;
  case 32: code(ASM16("movl %eax, %cr0")); break;
  case 33: code(ASM16("movl %dr0, %eax")); break;
  case 34: code(ASM16("invlpg (0)")); break;
  case 35: code(ASM16("wbinvd")); break;
  case 36: code(ASM16("movl $0x174, %ecx; rdmsr")); break;
  case 37: code(ASM16("sysenter")); break;
  case 38: code(ASM16("movw $0x1234, %ax; movw %ax, %ss")); break;
  case 39: code(ASM16("popw %ss")); break;
  case 40: code(ASM16("ldsw (0), %bx")); break;
  case 41: code(ASM16("ljmpw $0x900, $0")); break;
  case 42: code(ASM16("lcallw $0x900, $0")); break;
  case 43: code(ASM16("lretw")); break;
  case 44: code(ASM16("ud2")); break;
  case 45: code(ASM16("boundw %ax, (0)")); break;
  case 46: code(ASM16(".byte 0xf0, 0x89, 0x06, 0, 0")); break;
  case 47: code(ASM16("lcalll $0x900, $0")); break;
  case 48: code(ASM16("int $0x20")); break;
  case 49: code(ASM16("enterw $4, $0")); break;
  case 50: code(ASM16("pushaw")); break;
  case 51: code(ASM16("xorl %eax, %eax; cpuid; xorl %eax, %eax; movl %eax, %ebx; movl %eax, %ecx; movl %eax, %edx")); break;
  }
}

/* A frame for IRET, RETF and POPF, in words or double words, at the top of the stack. */
static void stack_frame(u32 n) {
  u32 flags = 0x0ed7 & ~TF;
  in_esp -= 16;
  if (n == 11) {
    *at32(STACKS + in_esp) = 0;
    *at32(STACKS + in_esp + 4) = 0x900;
    *at32(STACKS + in_esp + 8) = flags | 0x40000 | NT;
    return;
  }
  if (n == 5) {
    *at32(STACKS + in_esp) = flags | 0x240000;
    return;
  }
  *at16(STACKS + in_esp) = n == 4 ? flags | NT : n == 39 ? 0x420 : 0;
  *at16(STACKS + in_esp + 2) = 0x900;
  *at16(STACKS + in_esp + 4) = flags | NT;
}

static void instructions(void) {
  restore = restore_cr4;
  real_table();
  *at32(DATA) = 0x12345678;
  for (u32 vme = 0; vme < 2; vme++)
    for (u32 iopl = 0; iopl < 4; iopl += 3)
      for (u32 n = 0; n < COUNT(names); n++) {
        begin("%s, IOPL %d%s", names[n], iopl, vme ? ", VME" : "");
        virtual8086(iopl);
        maps(0, 0);
        instruction(n);
        stack_frame(n);
        if (vme) write_cr4(read_cr4() | VME);
        go();
      }
}

/* Which ports the map allows: the bits, and the end of the map. */
static void ports(void) {
  static const struct {
    const char *name;
    u16 port;
    u8 bytes;
  } accesses[] = {
    {"byte 80", 0x80, 1}, {"byte 81", 0x81, 1}, {"byte 87", 0x87, 1}, {"word 80", 0x80, 2}, {"word 86", 0x86, 2}, {"word 87", 0x87, 2}, {"double word 84", 0x84, 4}, {"double word 85", 0x85, 4},
    {"byte 1f8", 0x1f8, 1}, {"byte 1ff", 0x1ff, 1}, {"byte 200", 0x200, 1}, {"byte ffff", 0xffff, 1}, {"double word fffe", 0xfffe, 4},
  };
  static const u8 bits[] = {0x00, 0x01, 0x02, 0x80, 0xff};
  for (u32 mode = 0; mode < 3; mode++)
    for (u32 b = 0; b < COUNT(bits); b++)
      for (u32 a = 0; a < COUNT(accesses); a++) {
        static const char *const modes[] = {"V86", "V86 IOPL 3", "ring 3"};
        if (mode == 1 && b % 4) continue;
        begin("%s: in %s, map bits %b", modes[mode], accesses[a].name, bits[b]);
        if (mode < 2) virtual8086(mode * 3);
        else ring(3);
        maps(0, 0);
        at8(TSS_MAIN)[IO_MAP + 0x10] = bits[b];
        segment(SEL_TSS, TSS_MAIN, IO_MAP + 0x40 - 1, TSS32, 0);
        asm volatile("ltr %w0" : : "r"(SEL_TSS));
        in_edx = accesses[a].port;
        in_eax = 0x55;
        u32 bytes = accesses[a].bytes;
        /* The result is the bus's business. */
        if (mode == 2) code(bytes == 1 ? ASM("inb %dx, %al; movl $0, %eax") : bytes == 2 ? ASM("inw %dx, %ax; movl $0, %eax") : ASM("inl %dx, %eax; movl $0, %eax"));
        else code(bytes == 1 ? ASM16("inb %dx, %al; movl $0, %eax") : bytes == 2 ? ASM16("inw %dx, %ax; movl $0, %eax") : ASM16("inl %dx, %eax; movl $0, %eax"));
        go();
      }
  static const u16 bases[] = {0x60, 0x68, 0x6f, 0x70, 0x71, 0xdfff, 0xffff, 0};
  for (u32 b = 0; b < COUNT(bases); b++)
    for (u32 limit = 0x65; limit < 0x82; limit += limit < 0x68 ? 1 : 5) {
      begin("ring 3: in 80, map at %x, limit %x", bases[b], limit);
      ring(3);
      fill(TSS_MAIN + 0x68, 0, 0x98);
      *at16(TSS_MAIN + 0x66) = bases[b];
      segment(SEL_TSS, TSS_MAIN, limit, TSS32, 0);
      asm volatile("ltr %w0" : : "r"(SEL_TSS));
      in_edx = 0x80;
      code(ASM("inb %dx, %al; movl $0, %eax"));
      go();
    }
  begin("ring 3: in with a 16-bit TSS");
  ring(3);
  maps(0, 0);
  segment(SEL_TSS, TSS_MAIN, 0x2ff, TSS16, 0);
  *at16(TSS_MAIN + 2) = STACK_TOP(0);
  *at16(TSS_MAIN + 4) = DRIVER_DATA;
  asm volatile("ltr %w0" : : "r"(SEL_TSS));
  code(ASM("inb $0x80, %al; movl $0, %eax"));
  go();
  for (u32 cpl = 0; cpl < 4; cpl++)
    for (u32 iopl = 0; iopl < 4; iopl++) {
      begin("ring %d, IOPL %d: in without a map", cpl, iopl);
      ring(cpl);
      in_eflags = 2 | IOPL(iopl);
      code(ASM("inb $0x80, %al; movl $0, %eax"));
      go();
    }
}

/* Into virtual-8086 mode by IRET: flags, registers, limits. */
static void entries(void) {
  static const u32 images[] = {VM | 2, VM | 0x3ed7, VM | 0x247ed7, VM | VIF | VIP, VM | RF | NT, VM | 0xffffffff};
  for (u32 cpl = 0; cpl < 4; cpl++)
    for (u32 i = 0; i < COUNT(images); i++) {
      u32 image = images[i] & ~TF;
      begin("iret from ring %d with image %x", cpl, image);
      ring(cpl);
      in_esp -= 36;
      u32 *frame = at32(in_esp);
      frame[0] = cpl ? LANDING : 0;
      frame[1] = cpl ? FLAT_CODE(cpl) | cpl : LANDING >> 4;
      frame[2] = image;
      frame[3] = 0x77770000 | (STACK_TOP(3) - STACKS);
      frame[4] = 0x11110000 | STACKS >> 4;
      for (u32 n = 5; n < 9; n++) frame[n] = 0x22220000 | n * 0x111;
      code(ASM("iretl"));
      go();
      if (!cpl) {
        begin("iretw from ring 0 with image %x", image);
        ring(0);
        in_esp -= 6;
        *at16(in_esp) = LANDING;
        *at16(in_esp + 2) = FLAT_CODE(0);
        *at16(in_esp + 4) = image;
        code(ASM("iretw"));
        go();
      }
    }
  begin("iret with EIP beyond 64 KB");
  in_esp -= 36;
  u32 *frame = at32(in_esp);
  frame[0] = 0x10000, frame[1] = LANDING >> 4, frame[2] = VM | 2, frame[3] = STACK_TOP(3) - STACKS, frame[4] = STACKS >> 4;
  frame[5] = frame[6] = frame[7] = frame[8] = 0;
  code(ASM("iretl"));
  go();
  for (u32 bytes = 10; bytes <= 36; bytes += 2) {
    begin("iret with %d bytes of the frame within the limit", bytes);
    in_esp -= 36;
    frame = at32(in_esp);
    frame[0] = 0, frame[1] = LANDING >> 4, frame[2] = VM | 2, frame[3] = STACK_TOP(3) - STACKS, frame[4] = STACKS >> 4;
    frame[5] = frame[6] = frame[7] = frame[8] = 0x100;
    /* The handler runs on another stack. */
    segment(FREE(0), 0, in_esp + bytes - 1, DATA_RW | DPL(0), BIG);
    in_eax = FREE(0);
    task32(TSS_A, 1);
    idt(12, SEL_TSS_A, 0, TASK_GATE);
    code(ASM("movw %ax, %ss; iretl"));
    go();
  }
}

/* Out of virtual-8086 mode by gates of each kind. */
static void gates(void) {
  static const struct {
    const char *name;
    u8 type;
  } types[] = {{"int32", INT32}, {"trap32", TRAP32}, {"int16", INT16}, {"trap16", TRAP16}};
  for (u32 t = 0; t < COUNT(types); t++)
    for (u32 conforming = 0; conforming < 2; conforming++)
      for (u32 dpl = 0; dpl < 4; dpl++)
        for (u32 fault = 0; fault < 2; fault++) {
          begin("%s gate to %s %d by %s", types[t].name, conforming ? "conforming" : "ring", dpl, fault ? "a fault" : "int");
          virtual8086(3);
          in_eflags |= IF | DF | NT;
          in_fs = 0x1234, in_gs = 0x5678;
          segment(FREE(0), 0, 0xfffff, (conforming ? CONF_XR : CODE_XR) | DPL(dpl), FLAT_);
          idt(fault ? 0 : 0x60, FREE(0) | dpl, LANDING, types[t].type | DPL(3));
          code(fault ? ASM16("divb %ah") : ASM16("int $0x60"));
          go();
        }
  for (u32 dpl = 0; dpl < 4; dpl++) {
    begin("int through a gate of DPL %d", dpl);
    virtual8086(3);
    idt(0x60, DRIVER_CODE, STUB(0x60), INT32 | DPL(dpl));
    code(ASM16("int $0x60"));
    go();
    begin("int to a task gate of DPL %d", dpl);
    virtual8086(3);
    in_fs = 0x1234, in_gs = 0x5678;
    task32(TSS_A, 1);
    idt(0x60, SEL_TSS_A, 0, TASK_GATE | DPL(dpl));
    code(ASM16("int $0x60"));
    go();
  }
  for (u32 room = 32; room <= 40; room++) {
    begin("int with room for %d bytes on the inner stack", room);
    virtual8086(3);
    segment(FREE(1), 0, STACK_TOP(0) - room - 1, DOWN_RW, BIG);
    *at32(TSS_MAIN + 8) = FREE(1);
    task32(TSS_A, 1);
    idt(12, SEL_TSS_A, 0, TASK_GATE);
    idt(0x60, DRIVER_CODE, LANDING, INT32 | DPL(3));
    idt(6, SEL_TSS_A, 0, TASK_GATE);
    code(ASM16("int $0x60"));
    go();
  }
  begin("an inner stack of 16 bits");
  virtual8086(3);
  *at32(TSS_MAIN + 8) = STACK16(0);
  idt(0x60, DRIVER_CODE, STUB(0x60), INT32 | DPL(3));
  code(ASM16("int $0x60"));
  go();
}

/* Segments have 64 KB. */
static void limits(void) {
  static const char *const cases[] = {
    "word at fffe", "word at ffff", "double word at fffd", "stack word at ffff", "push at SP 1", "push at SP 0", "pop at SP ffff", "32-bit address 10000", "32-bit address with the stack",
    "jmp to ffff", "jmp to 10000", "run over ffff", "word at ffff written", "near jmp wraps at 64 KB", "call at SP 2", "pushl at SP 2", "string at ffff", "string of words at ffff",
  };
  for (u32 n = 0; n < COUNT(cases); n++) {
    begin("limits: %s", cases[n]);
    virtual8086(0);
    in_ebx = 0xffff;
    in_ecx = 0x10000;
    /* For those that do not know of limits. */
    for (u32 i = 0xffff; i < 0x10010; i += 2) *at16(CODE + i) = 0x0b0f;
    switch (n) {
    case 0: code(ASM16("movw 0xfffe, %ax; xorw %ax, %ax")); break;
    case 1: code(ASM16("movw 0xffff, %ax; xorw %ax, %ax")); break;
    case 2: code(ASM16("movl 0xfffd, %eax; xorl %eax, %eax")); break;
    case 3: code(ASM16("movw %ss:0xffff, %ax; xorw %ax, %ax")); break;
    case 4: code(ASM16("movw $1, %sp; pushw %ax")); break;
    case 5: code(ASM16("movw $0, %sp; pushw %ax")); break;
    case 6: code(ASM16("movw $0xffff, %sp; popw %ax")); break;
    case 7: code(ASM16("movw (%ecx), %ax")); break;
    case 8: code(ASM16("movl $0x10000, %ebp; movw (%ebp), %ax")); break;
    case 9: code(ASM16("jmpl *%ebx")); break;
    case 10: code(ASM16("jmpl *%ecx")); break;
    case 11:
      code(ASM16("movw $0xffff, %bx; jmpw *%bx"));
      *at8(CODE + 0xffff) = 0x90;
      for (u32 i = 0x10000; i < 0x10010; i += 2) *at16(CODE + i) = 0x0b0f;
      break;
    case 12: code(ASM16("movw %ax, 0xffff")); break;
    case 13: code(ASM16("addr32 nop; .byte 0xe9; .word 0x8000; .space 0x10, 0x90")); break;
    case 14: code(ASM16("movw $2, %sp; callw 1f; nop; 1: nop")); break;
    case 15: code(ASM16("movw $2, %sp; pushl %eax")); break;
    case 16: code(ASM16("movw $0xffff, %si; lodsb; xorw %ax, %ax; movw $0xffff, %di; stosb")); break;
    case 17: code(ASM16("movw $0xffff, %di; stosw")); break;
    }
    if (n == 13) fill(CODE + 0x8006, 0x0b0f0b0f, 16);
    if (n == 10 || n == 11) {
      /* Whoever wraps at 64 KB is not to come by again. */
      copy(CODE + 0x20, at8(CODE), 0x20);
      fill(CODE, 0x0b0f0b0f, 0x20);
      in_eip = 0x20;
    }
    go();
  }
}

/* VME: redirection of INT n, VIF and VIP. */
static void extensions(void) {
  restore = restore_cr4;
  for (u32 iopl = 0; iopl < 4; iopl++)
    for (u32 redirected = 0; redirected < 2; redirected++)
      for (u32 vif = 0; vif < 2; vif++) {
        begin("VME: int 60, IOPL %d, %s, VIF %d", iopl, redirected ? "redirected" : "not redirected", vif);
        virtual8086(iopl);
        maps(redirected ? 0 : 0xffffffff, 0);
        in_eflags |= (vif ? VIF : 0) | IF | NT;
        idt(0x60, DRIVER_CODE, STUB(0x60), INT32 | DPL(3));
        code(ASM16("int $0x60"));
        write_cr4(read_cr4() | VME);
        go();
      }
  static const char *const operations[] = {"cli", "sti", "pushf", "popf with IF", "popf without IF", "popf with TF", "iret with IF", "iret without IF", "iret with TF", "pushfl", "nop"};
  for (u32 mode = 0; mode < 4; mode++)
    for (u32 iopl = 0; iopl < 4; iopl += 3)
      for (u32 bits = 0; bits < 4; bits++)
        for (u32 n = 0; n < COUNT(operations); n++) {
          static const char *const modes[] = {"V86", "VME", "ring 3", "PVI"};
          if (mode > 1 && n > 5) continue;
          begin("%s: %s, IOPL %d, VIF %d, VIP %d", modes[mode], operations[n], iopl, bits & 1, bits >> 1);
          if (mode < 2) virtual8086(iopl);
          else {
            ring(3);
            in_eflags = 2 | IOPL(iopl);
          }
          in_eflags |= (bits & 1 ? VIF : 0) | (bits & 2 ? VIP : 0);
          u32 image = n == 3 || n == 6 ? 0x202 : n == 5 || n == 8 ? 0x102 : 2;
          in_esp -= 8;
          u16 *frame = at16(mode < 2 ? STACKS + in_esp : in_esp);
          if (n > 5) frame[0] = 0, frame[1] = 0x900, frame[2] = image;
          else frame[0] = image;
          if (n == 3 && mode > 1) *at32((u32)frame) = image;
          if (mode > 1) {
            switch (n) {
            case 0: code(ASM("cli; nop")); break;
            case 1: code(ASM("sti; nop")); break;
            case 2: code(ASM("pushfw; nop")); break;
            case 3: code(ASM("popfl; nop")); break;
            case 4:
            case 5: code(ASM("popfw; nop")); break;
            }
          } else {
            switch (n) {
            case 0: code(ASM16("cli; nop")); break;
            case 1: code(ASM16("sti; nop")); break;
            case 2: code(ASM16("pushfw; nop")); break;
            case 3:
            case 4:
            case 5: code(ASM16("popfw; nop")); break;
            case 6:
            case 7:
            case 8: code(ASM16("iretw")); break;
            case 9: code(ASM16("pushfl; nop")); break;
            case 10: code(ASM16("nop")); break;
            }
          }
          if (mode == 1) write_cr4(read_cr4() | VME);
          if (mode == 3) write_cr4(read_cr4() | PVI);
          go();
        }
  for (u32 base = 0; base < 0x30; base += 0x10) {
    begin("VME: int 60 with an I/O map at %x", base);
    virtual8086(0);
    maps(0xffffffff, 0);
    *at16(TSS_MAIN + 0x66) = base;
    code(ASM16("int $0x60"));
    write_cr4(read_cr4() | VME);
    go();
  }
  for (u32 limit = IO_MAP - 32 + 11; limit < IO_MAP - 32 + 14; limit++) {
    begin("VME: int 60 with a limit of %x", limit);
    virtual8086(0);
    maps(0, 0);
    segment(SEL_TSS, TSS_MAIN, limit, TSS32, 0);
    asm volatile("ltr %w0" : : "r"(SEL_TSS));
    code(ASM16("int $0x60"));
    write_cr4(read_cr4() | VME);
    go();
  }
  begin("VME: int 60 without room on the program's stack");
  virtual8086(0);
  maps(0, 0);
  code(ASM16("movw $1, %sp; int $0x60"));
  write_cr4(read_cr4() | VME);
  go();
}

void tests(void) {
  instructions();
  ports();
  restore = 0;
  entries();
  gates();
  limits();
  extensions();
}
