/* Loading segment registers, LDTR and TR, and the instructions that look at descriptors (SDM vol. 2; vol. 3A, 5.4 to
   5.10). */
#include "runtime.h"

#define TEST FREE(0)

static const struct {
  const char *name;
  u8 type;
} kinds[] = {
  {"read-only", DATA_RO}, {"writable", DATA_RW}, {"expand-down read-only", DOWN_RO}, {"expand-down", DOWN_RW}, {"execute-only", CODE_XO}, {"readable code", CODE_XR}, {"conforming execute-only", CONF_XO}, {"conforming readable", CONF_XR},
};

static const char *const ways[] = {"mov ds", "mov es", "mov fs", "mov gs", "pop ds", "pop es", "pop fs", "pop gs", "lds", "les", "lfs", "lgs", "mov ss", "pop ss", "lss"};

/* The selector is in EAX, on the stack and in a far pointer at EBX. */
static void way(u32 n, u32 selector) {
  in_eax = selector;
  in_ebx = DATA;
  *at32(DATA) = in_esp;
  *at16(DATA + 4) = selector;
  in_esp -= n > 11 ? 0 : 4;
  if (n == 13) in_esp -= 4;
  if (n == 4 || n == 5 || n == 6 || n == 7 || n == 13) *at32(in_esp) = selector;
  switch (n) {
  case 0: code(ASM("movw %ax, %ds")); break;
  case 1: code(ASM("movw %ax, %es")); break;
  case 2: code(ASM("movw %ax, %fs")); break;
  case 3: code(ASM("movw %ax, %gs")); break;
  case 4: code(ASM("popl %ds")); break;
  case 5: code(ASM("popl %es")); break;
  case 6: code(ASM("popl %fs")); break;
  case 7: code(ASM("popl %gs")); break;
  case 8: code(ASM("lds (%ebx), %ecx")); break;
  case 9: code(ASM("les (%ebx), %ecx")); break;
  case 10: code(ASM("lfs (%ebx), %ecx")); break;
  case 11: code(ASM("lgs (%ebx), %ecx")); break;
  case 12: code(ASM("movw %ax, %ss; nop; nop")); break;
  case 13: code(ASM("popl %ss; nop; nop")); break;
  case 14: code(ASM("lss (%ebx), %esp; nop; nop")); break;
  }
}

static void data_segments(void) {
  for (u32 k = 0; k < COUNT(kinds); k++)
    for (u32 cpl = 0; cpl < 4; cpl++)
      for (u32 rpl = 0; rpl < 4; rpl++)
        for (u32 dpl = 0; dpl < 4; dpl++) {
          /* The middle rings matter at the borders only. */
          if (k != 1 && k != 5 && k != 7 && (dpl % 3 || rpl % 3)) continue;
          u32 w = (k + cpl + rpl + dpl) % 12;
          begin("%s in ring %d: %s of DPL %d, RPL %d", ways[w], cpl, kinds[k].name, dpl, rpl);
          ring(cpl);
          segment(TEST, 0, 0xfffff, kinds[k].type | DPL(dpl), FLAT_);
          way(w, TEST | rpl);
          go();
        }
}

static void stack_segments(void) {
  for (u32 k = 0; k < COUNT(kinds); k++)
    for (u32 cpl = 0; cpl < 4; cpl++)
      for (u32 rpl = 0; rpl < 4; rpl++)
        for (u32 dpl = 0; dpl < 4; dpl++) {
          if (k != 1 && k != 3 && (dpl != cpl || rpl != cpl)) continue;
          if (k == 3 && dpl != cpl && rpl != cpl) continue;
          u32 w = 12 + (k + cpl + rpl + dpl) % 3;
          begin("%s in ring %d: %s of DPL %d, RPL %d", ways[w], cpl, kinds[k].name, dpl, rpl);
          ring(cpl);
          /* An expand-down segment from 0 on. */
          segment(TEST, 0, k == 3 ? 0 : 0xfffff, kinds[k].type | DPL(dpl), FLAT_);
          way(w, TEST | rpl);
          go();
        }
}

static void odd_selectors(void) {
  static const struct {
    const char *name;
    u16 selector;
  } odd[] = {{"null", 0}, {"null with RPL 1", 1}, {"null with RPL 2", 2}, {"null with RPL 3", 3}, {"beyond the GDT", 0x200}, {"the last of the GDT", 0x1f8}, {"beyond the LDT", 0x44}, {"the last of the LDT", 0x3c}, {"ffff", 0xffff}};
  for (u32 o = 0; o < COUNT(odd); o++)
    for (u32 w = 0; w < COUNT(ways); w++)
      for (u32 cpl = 0; cpl < 4; cpl += 3) {
        begin("%s in ring %d: %s", ways[w], cpl, odd[o].name);
        ring(cpl);
        segment(0x3c, 0, 0xfffff, DATA_RW | DPL(cpl), FLAT_);
        way(w, odd[o].selector | (odd[o].selector > 3 ? cpl : 0));
        go();
      }
  for (u32 type = 0; type < 16; type++)
    for (u32 w = 0; w < COUNT(ways); w += 12)
      for (u32 present = 0; present < 2; present++) {
        begin("%s: system type %x%s", ways[w], type, present ? "" : ", not present");
        segment(TEST, 0, 0xfffff, type | (present ? PRESENT : 0), FLAT_);
        way(w, TEST);
        go();
      }
  for (u32 k = 0; k < COUNT(kinds); k++)
    for (u32 w = 0; w < COUNT(ways); w += 12)
      for (u32 wrong = 0; wrong < 2; wrong++) {
        begin("%s: %s not present%s", ways[w], kinds[k].name, wrong ? " and too privileged" : "");
        ring(3);
        segment(TEST, 0, 0xfffff, (kinds[k].type & ~PRESENT) | DPL(wrong ? 0 : 3), FLAT_);
        way(w, TEST | 3);
        go();
      }
  begin("mov cs");
  code(ASM(".byte 0x8e, 0xc8"));
  go();
  begin("mov sreg 6");
  code(ASM(".byte 0x8e, 0xf0"));
  go();
  begin("mov from sreg 7");
  code(ASM(".byte 0x8c, 0xf8"));
  go();
  begin("les with a register");
  code(ASM(".byte 0xc4, 0xc0"));
  go();
  begin("mov from ds, 32 bits, and to memory");
  ring(3);
  in_eax = in_ebx = 0xffffffff;
  *at32(DATA) = 0xffffffff;
  code(ASM("movl %ds, %eax; movw %ds, %bx; movw %ds, 0xa000; movl 0xa000, %ecx"));
  go();
}

/* ── LAR, LSL, VERR, VERW ── */
static void inspections(void) {
  for (u32 type = 0; type < 32; type++)
    for (u32 present = 0; present < 2; present++)
      for (u32 cpl = 0; cpl < 4; cpl += 3)
        for (u32 rpl = 0; rpl < 4; rpl += 3)
          for (u32 dpl = 0; dpl < 4; dpl++) {
            if (!present && (dpl || rpl)) continue;
            if (dpl % 3 && (cpl == rpl)) continue;
            begin("lar lsl verr verw: type %b%s, DPL %d, RPL %d, ring %d", type, present ? "" : " not present", dpl, rpl, cpl);
            ring(cpl);
            segment(TEST, 0x12345678, type & 1 ? 0xabcde : 0x1234, type | (present ? PRESENT : 0) | DPL(dpl), type & 1 ? 0xd : 0x4);
            in_eax = 0xffff0000 | TEST | rpl;
            in_ecx = in_esi = 0xcccccccc;
            /* Each result's ZF goes to EDX. */
            code(ASM("larl %eax, %ecx; setz %dl; lsll %eax, %esi; setz %dh; verr %ax; setz %bl; verw %ax; setz %bh"));
            go();
          }
  static const u16 odd[] = {0, 1, 2, 3, 0x200, 0x203, 0x44, 0xffff};
  for (u32 o = 0; o < COUNT(odd); o++) {
    begin("lar lsl verr verw: selector %x", odd[o]);
    in_eax = odd[o];
    in_ecx = in_esi = 0xcccccccc;
    in_eflags |= CF;
    code(ASM("larl %eax, %ecx; setz %dl; lsll %eax, %esi; setz %dh; verr %ax; setz %bl; verw %ax; setz %bh"));
    go();
  }
  begin("lar and lsl of 16 bits");
  segment(TEST, 0, 0xfffff, DATA_RW, FLAT_);
  in_eax = TEST;
  in_ecx = in_esi = 0xcccccccc;
  code(ASM("larw %ax, %cx; setz %dl; lslw %ax, %si; setz %dh"));
  go();
  begin("lar and lsl of memory");
  ring(3);
  *at32(DATA) = FLAT_DATA(3);
  in_ebx = DATA;
  code(ASM("larl (%ebx), %ecx; lsll (%ebx), %esi; verr (%ebx); setz %dl; verw (%ebx); setz %dh"));
  go();
}

static void privilege_levels(void) {
  for (u32 to = 0; to < 4; to++)
    for (u32 from = 0; from < 4; from++)
      for (u32 memory = 0; memory < 2; memory++) {
        begin("arpl %s %x, %x", memory ? "memory" : "register", 0x1230 | to, 0xab8 | from);
        ring(3);
        in_eflags |= CF;
        in_eax = 0xffff1230 | to;
        in_ecx = 0xeeee0ab8 | from;
        in_ebx = DATA;
        *at32(DATA) = in_eax;
        code(memory ? ASM("arpl %cx, (%ebx); setz %dl; movl (%ebx), %esi") : ASM("arpl %cx, %ax; setz %dl"));
        go();
      }
}

/* ── LLDT and LTR ── */
static void system_registers(void) {
  static const struct {
    const char *name;
    u16 selector;
    u8 type;
  } cases[] = {
    {"null", 0, 0}, {"null with RPL 3", 3, 0}, {"beyond the GDT", 0x200, 0}, {"in the LDT", 0x0c, LDT_}, {"an LDT", TEST, LDT_}, {"an LDT with RPL 3", TEST | 3, LDT_}, {"an LDT of DPL 3", TEST, LDT_ | DPL(3)}, {"an LDT not present", TEST, LDT_ & ~PRESENT},
    {"a 32-bit TSS", TEST, TSS32}, {"a 32-bit TSS with RPL 3", TEST | 3, TSS32}, {"a 16-bit TSS", TEST, TSS16}, {"a busy TSS", TEST, TSS32_BUSY}, {"a busy TSS not present", TEST, TSS32_BUSY & ~PRESENT}, {"a TSS not present", TEST, TSS32 & ~PRESENT},
    {"a call gate", TEST, CALL32}, {"data", TEST, DATA_RW}, {"code", TEST, CODE_XR}, {"type 0", TEST, PRESENT}, {"a busy 16-bit TSS", TEST, TSS16_BUSY}, {"a TSS in the LDT", 0x0c, TSS32},
  };
  for (u32 c = 0; c < COUNT(cases); c++)
    for (u32 tr = 0; tr < 2; tr++)
      for (u32 cpl = 0; cpl < 4; cpl++) {
        if (cpl && c != 4 && c != 8) continue;
        begin("%s %s in ring %d", tr ? "ltr" : "lldt", cases[c].name, cpl);
        ring(cpl);
        if (cases[c].type) segment(cases[c].selector, TSS_A, 0x67, cases[c].type, 0);
        in_eax = cases[c].selector;
        code(tr ? ASM("ltr %ax; str %bx") : ASM("lldt %ax; sldt %bx"));
        go();
      }
  begin("lldt null, then a selector of the LDT");
  segment(0x0c, 0, 0xfffff, DATA_RW, FLAT_);
  in_ecx = 0x0c;
  code(ASM("lldt %ax; movw %cx, %ds"));
  go();
  for (u32 cpl = 0; cpl < 4; cpl += 3) {
    begin("sldt, str, smsw, sgdt, sidt in ring %d", cpl);
    ring(cpl);
    in_ebx = DATA;
    in_eax = in_ecx = in_edx = in_esi = in_edi = 0xffffffff;
    fill(DATA, 0xffffffff, 32);
    code(ASM("sldt %eax; sldt %cx; str %edx; smsw %si; sgdtl (%ebx); sidtl 8(%ebx); sldt 16(%ebx); movl 4(%ebx), %edi; movl 16(%ebx), %ebp"));
    go();
    begin("sgdt and lgdt with 16-bit operands in ring %d", cpl);
    ring(cpl);
    in_ebx = DATA;
    fill(DATA, 0xffffffff, 32);
    code(ASM("sgdtw (%ebx); movl 4(%ebx), %eax; movb $0x77, 5(%ebx); lgdtw (%ebx); sgdtl 8(%ebx); movl 10(%ebx), %ecx"));
    go();
    for (u32 n = 0; n < 7; n++) {
      static const char *const names[] = {"lgdt", "lidt", "lmsw", "clts", "invlpg", "hlt", "wbinvd"};
      if (n == 5 && !cpl) continue;
      begin("%s in ring %d", names[n], cpl);
      ring(cpl);
      in_ebx = DATA;
      *at16(DATA) = GDT_BYTES - 1, *at32(DATA + 2) = GDT;
      *at16(DATA + 8) = IDT_BYTES - 1, *at32(DATA + 10) = IDT;
      switch (n) {
      case 0: code(ASM("lgdtl (%ebx)")); break;
      case 1: code(ASM("lidtl 8(%ebx)")); break;
      case 2: code(ASM("movw $9, %ax; lmsw %ax; smsw %cx; clts")); break;
      case 3: code(ASM("clts")); break;
      case 4: code(ASM("invlpg (%ebx)")); break;
      case 5: code(ASM("hlt")); break;
      case 6: code(ASM("wbinvd")); break;
      }
      go();
    }
  }
}

void tests(void) {
  data_segments();
  stack_segments();
  odd_selectors();
  inspections();
  privilege_levels();
  system_registers();
}
