/* Task switches: by JMP, CALL, IRET, task gates and events; what is saved, what is loaded, what may fail
   (SDM vol. 3A, 7.3). */
#include "runtime.h"

#define GATE FREE(4)
#define VECTOR 0x60

/* Ways into a task. */
enum { JMP, CALL, JMP_GATE, CALL_GATE, INT_GATE, FAULT_GATE, WAYS };
static const char *const ways[] = {"jmp", "call", "jmp gate", "call gate", "int", "#GP"};

static void way(u32 n, u32 selector) {
  in_ebx = DATA;
  *at32(DATA) = 0x12345678;
  *at16(DATA + 4) = selector;
  if (n == JMP_GATE || n == CALL_GATE) {
    gate(GATE, selector, 0, TASK_GATE | DPL(3), 0);
    *at16(DATA + 4) = GATE | 3;
  }
  switch (n) {
  case JMP:
  case JMP_GATE: code(ASM("ljmp *(%ebx)")); break;
  case CALL:
  case CALL_GATE: code(ASM("lcall *(%ebx)")); break;
  case INT_GATE:
    idt(VECTOR, selector, 0, TASK_GATE | DPL(3));
    code(ASM("int $0x60"));
    break;
  case FAULT_GATE:
    idt(13, selector, 0, TASK_GATE);
    in_eax = 0x5ab4;
    code(ASM("movw %ax, %ds"));
    break;
  }
}

/* A task is left where CR3 and the LDT may be another's. */
static void registers(void) {
  in_eax = 0xa1a2a3a4, in_ecx = 0xc1c2c3c4, in_edx = 0xd1d2d3d4;
  in_ebp = 0xb1b2b3b4, in_esi = 0x51525354, in_edi = 0xd5d6d7d8;
}

static const struct {
  const char *name;
  u16 selector, base;
  u8 wide;
} tasks[] = {{"32-bit task", SEL_TSS_A, TSS_A, 1}, {"16-bit task", SEL_TSS_C, TSS_C, 0}};

/* The driver's own TSS as one of 16 bits. */
static void narrow_main(void) {
  segment(SEL_TSS, TSS_MAIN, 0x2b, TSS16, 0);
  fill(TSS_MAIN, 0, 0x2c);
  for (u32 n = 0; n < 3; n++) {
    *at16(TSS_MAIN + 2 + n * 4) = STACK_TOP(n);
    *at16(TSS_MAIN + 4 + n * 4) = (n ? FLAT_DATA(n) : DRIVER_DATA) | n;
  }
  asm volatile("ltr %w0" : : "r"(SEL_TSS));
}

static void prepare_tasks(void) {
  task32(TSS_A, 1);
  task32(TSS_B, 2);
  task16(TSS_C, 3);
  task16(TSS_D, 4);
  for (u32 n = 0; n < 4; n++) set_type(SEL_TSS_A + n * 8, (n < 2 ? TSS32 : TSS16) | DPL(3));
}

/* Every way, from each ring, between TSSs of each size. */
static void switches(void) {
  for (u32 from = 0; from < 2; from++)
    for (u32 t = 0; t < 2; t++)
      for (u32 w = 0; w < WAYS; w++)
        for (u32 cpl = 0; cpl < 4; cpl += 3) {
          begin("%s from ring %d of a %d-bit task to a %s", ways[w], cpl, from ? 16 : 32, tasks[t].name);
          ring(cpl);
          registers();
          if (from) narrow_main();
          in_eflags = 2 | CF | DF | IF | (w == JMP ? NT : 0) | AC;
          way(w, tasks[t].selector);
          go();
        }
}

/* To tasks of each ring, whose first act is an exception. */
static void rings(void) {
  for (u32 t = 0; t < 2; t++)
    for (u32 cpl = 0; cpl < 4; cpl++)
      for (u32 w = 0; w < 2; w++) {
        begin("%s to a %s in ring %d", ways[w], tasks[t].name, cpl);
        registers();
        if (tasks[t].wide) {
          u32 *tss = at32(TSS_A);
          tss[8] = LANDING;
          tss[19] = FLAT_CODE(cpl) | cpl;
          tss[14] = STACK_TOP(cpl) - 0x40;
          tss[20] = FLAT_DATA(cpl) | cpl;
          tss[18] = tss[21] = tss[22] = tss[23] = FLAT_DATA(3) | 3;
          tss[9] = 2 | CF | IOPL(2) | IF;
          tss[1] = STACK_TOP(0) - 0x10;
        } else {
          u16 *tss = at16(TSS_C);
          tss[7] = LANDING;
          tss[18] = FLAT_CODE(cpl) | cpl;
          tss[13] = STACK_TOP(cpl) - 0x40;
          tss[19] = STACK16(cpl) | cpl;
          tss[17] = tss[20] = FLAT_DATA(3) | 3;
          tss[8] = 2 | CF | IOPL(2) | IF;
          tss[1] = STACK_TOP(0) - 0x10;
        }
        way(w, tasks[t].selector);
        go();
      }
}

/* IRET with NT goes back along the link. */
static void nested(void) {
  for (u32 t = 0; t < 2; t++)
    for (u32 cpl = 0; cpl < 4; cpl += 3) {
      begin("iret from ring %d back to a %s", cpl, tasks[t].name);
      ring(cpl);
      registers();
      in_eflags = 2 | NT | CF;
      *at16(TSS_MAIN) = tasks[t].selector;
      set_type(tasks[t].selector, (tasks[t].wide ? TSS32_BUSY : TSS16_BUSY));
      code(ASM("iret"));
      go();
      begin("there and back: call to a %s from ring %d, its iret", tasks[t].name, cpl);
      ring(cpl);
      registers();
      if (tasks[t].wide) at32(TSS_A)[8] = CODE + 0x20;
      else at16(TSS_C)[7] = CODE + 0x20;
      way(CALL, tasks[t].selector);
      copy(CODE + 0x20, "\xcf\x0f\x0b", 4);
      go();
      begin("there, back and there again: a %s by interrupt from ring %d", tasks[t].name, cpl);
      ring(cpl);
      registers();
      if (tasks[t].wide) at32(TSS_A)[8] = CODE + 0x20;
      else at16(TSS_C)[7] = CODE + 0x20;
      way(INT_GATE, tasks[t].selector);
      copy(CODE + 0x02, "\xcd\x60\x0f\x0b", 4);
      copy(CODE + 0x20, "\xcf\x40\x0f\x0b", 4);
      go();
    }
  static const struct {
    const char *name;
    u16 link;
    u8 type;
  } links[] = {
    {"null", 0, 0}, {"beyond the GDT", 0x7f8, 0}, {"in the LDT", SEL_TSS_A | 4, TSS32_BUSY}, {"available", SEL_TSS_A, TSS32},
    {"not present", SEL_TSS_A, TSS32_BUSY & ~PRESENT}, {"to data", FLAT_DATA(0), 0}, {"to itself", SEL_TSS, 0}, {"with RPL 3", SEL_TSS_A | 3, TSS32_BUSY},
  };
  for (u32 l = 0; l < COUNT(links); l++) {
    begin("iret, link %s", links[l].name);
    in_eflags = 2 | NT;
    *at16(TSS_MAIN) = links[l].link;
    if (links[l].type) set_type(SEL_TSS_A, links[l].type);
    code(ASM("iret"));
    go();
  }
}

/* What is wrong with the TSS, before the switch begins. */
static const char *const tss_errors[] = {
  "busy", "not present", "beyond the GDT", "in the LDT", "too small", "just large enough", "of DPL 0", "with RPL 3 and DPL 0", "an LDT", "null", "a call gate", "the current one",
};

static u32 bad_tss(u32 e) {
  switch (e) {
  case 0: set_type(SEL_TSS_A, TSS32_BUSY | DPL(3)); break;
  case 1: set_type(SEL_TSS_A, (TSS32 & ~PRESENT) | DPL(3)); break;
  case 2: return 0x7f8;
  case 3: copy(LDT + (SEL_TSS_A & ~7), at8(GDT + SEL_TSS_A), 8); return SEL_TSS_A | 4;
  case 4: segment(SEL_TSS_A, TSS_A, 0x66, TSS32 | DPL(3), 0); break;
  case 5: segment(SEL_TSS_A, TSS_A, 0x67, TSS32 | DPL(3), 0); break;
  case 6: set_type(SEL_TSS_A, TSS32); break;
  case 7: set_type(SEL_TSS_A, TSS32); return SEL_TSS_A | 3;
  case 8: set_type(SEL_TSS_A, LDT_ | DPL(3)); break;
  case 9: return 0;
  case 10: set_type(SEL_TSS_A, CALL32 | DPL(3)); break;
  case 11: return SEL_TSS;
  }
  return SEL_TSS_A;
}

static void tss_error_cases(void) {
  for (u32 w = 0; w < WAYS; w++)
    for (u32 e = 0; e < COUNT(tss_errors); e++)
      for (u32 cpl = 0; cpl < 4; cpl += 3) {
        /* #GP through a gate that raises #GP is a double fault: its handler is the usual one. */
        begin("%s from ring %d, TSS %s", ways[w], cpl, tss_errors[e]);
        ring(cpl);
        u32 selector = bad_tss(e);
        way(w, selector);
        go();
      }
  for (u32 w = 0; w < WAYS; w++) {
    begin("%s to a 16-bit TSS too small", ways[w]);
    segment(SEL_TSS_C, TSS_C, 0x2a, TSS16 | DPL(3), 0);
    way(w, SEL_TSS_C);
    go();
    for (u32 wide = 0; wide < 2; wide++)
      for (u32 l = 0; l < 4; l++) {
        static const u8 limits[2][4] = {{0x2b, 0x2a, 0x29, 0x28}, {0x66, 0x60, 0x5f, 0x5e}};
        begin("%s from a %d-bit TSS of limit %x", ways[w], wide ? 32 : 16, limits[wide][l]);
        if (!wide) narrow_main();
        segment(SEL_TSS, TSS_MAIN, limits[wide][l], wide ? TSS32 : TSS16, 0);
        asm volatile("ltr %w0" : : "r"(SEL_TSS));
        way(w, SEL_TSS_A);
        go();
      }
  }
  static const struct {
    const char *name;
    u32 type;
    u16 selector;
  } gates[] = {
    {"not present", (TASK_GATE & ~PRESENT) | DPL(3), SEL_TSS_A}, {"of DPL 0", TASK_GATE, SEL_TSS_A},
    {"to a null selector", TASK_GATE | DPL(3), 0}, {"to the LDT", TASK_GATE | DPL(3), 0x0c}, {"to a TSS with RPL 3", TASK_GATE | DPL(3), SEL_TSS_B | 3},
  };
  for (u32 g = 0; g < COUNT(gates); g++)
    for (u32 w = JMP_GATE; w < WAYS; w++) {
      begin("%s from ring 3, task gate %s", ways[w], gates[g].name);
      ring(3);
      way(w, gates[g].selector);
      gate(GATE, gates[g].selector, 0, gates[g].type, 0);
      if (w == INT_GATE) idt(VECTOR, gates[g].selector, 0, gates[g].type);
      if (w == FAULT_GATE) idt(13, gates[g].selector, 0, gates[g].type);
      go();
    }
}

/* What is wrong with the new task's registers: the exception comes in the new task. */
static const char *const image_errors[] = {
  "LDT beyond the GDT", "LDT not an LDT", "LDT not present", "LDT in an LDT", "LDT null", "CS null", "CS beyond the GDT", "CS data", "CS not present", "CS of another ring",
  "CS conforming of an outer ring", "CS conforming of an inner ring", "SS null", "SS beyond the GDT", "SS read-only", "SS code", "SS not present", "SS of another ring", "SS of another RPL",
  "DS null", "DS beyond the GDT", "DS execute-only", "DS not present", "DS a system segment", "DS of an inner ring", "DS conforming code", "ES not present", "FS not present",
  "GS beyond the GDT", "EIP beyond the limit", "everything wrong", "DS in the new LDT", "virtual-8086 mode", "high halves of selectors set", "no segment accessed",
};

/* An image for ring `r`. Words of a TSS: ES 18, CS 19, SS 20, DS 21, FS 22, GS 23, LDT 24. */
static void bad_image(u32 e, u32 r) {
  u32 *t = at32(TSS_A), test = FREE(0) | r, type = 0;
  t[8] = r ? LANDING : TASK_STUB(1);
  t[14] = STACK_TOP(r) - 0x100;
  t[19] = FLAT_CODE(r) | r;
  t[18] = t[20] = t[21] = t[22] = t[23] = FLAT_DATA(r) | r;
  switch (e) {
  case 0: t[24] = 0x7f8; break;
  case 1: t[24] = FLAT_DATA(0); break;
  case 2: t[24] = FREE(0), type = LDT_ & ~PRESENT; break;
  case 3: t[24] = 0x0c; break;
  case 4: t[24] = 3; break;
  case 5: t[19] = r; break;
  case 6: t[19] = 0x7f8 | r; break;
  case 7: t[19] = FLAT_DATA(r) | r; break;
  case 8: t[19] = test, type = CODE_XR & ~PRESENT; break;
  case 9: t[19] = FLAT_CODE(3 - r) | r; break;
  case 10: t[19] = r ? FREE(0) | 2 : test, type = CONF_XR | DPL(3); break;
  case 11: t[19] = test, type = CONF_XR; break;
  case 12: t[20] = r; break;
  case 13: t[20] = 0x7f8 | r; break;
  case 14: t[20] = test, type = DATA_RO; break;
  case 15: t[20] = FLAT_CODE(r) | r; break;
  case 16: t[20] = test, type = DATA_RW & ~PRESENT; break;
  case 17: t[20] = FLAT_DATA(1) | r; break;
  case 18: t[20] = FLAT_DATA(r) | 1; break;
  case 19: t[21] = 2; break;
  case 20: t[21] = 0x7f8; break;
  case 21: t[21] = test, type = CODE_XO; break;
  case 22: t[21] = test, type = DATA_RW & ~PRESENT; break;
  case 23: t[21] = SEL_LDT; break;
  case 24: t[21] = FLAT_DATA(1) | r; break;
  case 25: t[21] = test, type = CONF_XR; break;
  case 26: t[18] = test, type = DATA_RW & ~PRESENT; break;
  case 27: t[22] = test, type = DATA_RW & ~PRESENT; break;
  case 28: t[23] = 0x7f8; break;
  case 29: t[8] = 0xf0000000, t[19] = test, type = CODE_XR; break;
  case 30: t[24] = t[19] = t[20] = t[21] = t[18] = 0x7f8; break;
  case 31:
    t[24] = FREE(0), segment(FREE(0), DATA + 0x100, 0x0f, LDT_, 0);
    set_segment(DATA + 0x100, 8, 0x1000, 0x123, DATA_RW | DPL(r), 0), t[21] = 0x0c | r;
    return;
  case 32:
    t[9] = 2 | VM, t[8] = 0, t[19] = LANDING >> 4, t[20] = STACKS >> 4, t[14] = STACK_TOP(3) - STACKS;
    t[18] = 0x1111, t[21] = 0x2222, t[22] = 0x3333, t[23] = 0x4444;
    break;
  case 33:
    for (u32 n = 18; n < 25; n++) t[n] |= 0xffff0000;
    t[0] = 0xffff0000;
    break;
  case 34:
    segment(FREE(0), 0, 0xfffff, CODE_XR | DPL(r), FLAT_), t[19] = test;
    for (u32 n = 1; n < 6; n++) segment(FREE(n), 0, 0xfffff, DATA_RW | DPL(r), FLAT_);
    t[18] = FREE(1) | r, t[20] = FREE(2) | r, t[21] = FREE(3) | r, t[22] = FREE(5) | r, t[23] = FREE(5) | r;
    return;
  }
  /* Conforming code keeps its DPL. */
  if (type) segment(FREE(0), 0, 0xfffff, type == LDT_ || (type & 0x1c) == 0x1c ? type : type | DPL(r), e == 29 ? BIG : FLAT_);
}

/* #TS, #NP, #SS and #GP each have a task for a handler: in ring 0 the new task may not have a stack. */
#define HANDLER(vector) (DATA + 0x1000 + (vector) * 0x80)

static void handler_tasks(void) {
  for (u32 v = 10; v < 14; v++) {
    task32(HANDLER(v), v);
    segment(FREE(v), HANDLER(v), 0x67, TSS32, 0);
    idt(v, FREE(v), 0, TASK_GATE);
  }
}

static void image_error_cases(void) {
  for (u32 w = 0; w < 5; w++)
    for (u32 r = 0; r < 4; r += 3)
      for (u32 e = 0; e < COUNT(image_errors); e++) {
        if (w == JMP_GATE || w == CALL_GATE || (w == INT_GATE && r)) continue;
        /* Without a ring 3 in CS there is no inner stack either. */
        if (r && e == 30) continue;
        begin("%s, new task in ring %d: %s", ways[w], r, image_errors[e]);
        bad_image(e, r);
        if (!r) handler_tasks();
        way(w, SEL_TSS_A);
        go();
      }
}

/* Error codes are pushed on the new task's stack. */
static void error_codes(void) {
  for (u32 t = 0; t < 2; t++)
    for (u32 room = 0; room <= 4; room++) {
      begin("error code to a %s with room for %d bytes", tasks[t].name, room);
      segment(FREE(0), 0, STACK_TOP(0) - 0x100 - room - 1, DOWN_RW, BIG);
      if (tasks[t].wide) at32(TSS_A)[20] = FREE(0);
      else at16(TSS_C)[19] = FREE(0);
      /* Neither a double fault nor the first push of the handler has room either. */
      idt(8, SEL_TSS_B, 0, TASK_GATE);
      idt(12, SEL_TSS_B, 0, TASK_GATE);
      way(FAULT_GATE, tasks[t].selector);
      go();
    }
  begin("error code of a double fault to a 32-bit task");
  idt(8, SEL_TSS_A, 0, TASK_GATE);
  idt(13, 0, 0, INT32);
  in_eax = 0x5ab4;
  code(ASM("movw %ax, %ds"));
  go();
  begin("a page fault's vector without paging: software interrupt to a task pushes nothing");
  idt(14, SEL_TSS_A, 0, TASK_GATE);
  code(ASM("int $14"));
  go();
}

/* T flag, TS, DR7. */
static void debug(void) {
  for (u32 w = 0; w < WAYS; w++)
    for (u32 t = 0; t < 2; t++) {
      begin("%s to a task with T set%s", ways[w], t ? ", and TF" : "");
      at32(TSS_A)[25] |= 1;
      at32(TSS_A)[8] = LANDING;
      if (t) at32(TSS_A)[9] |= TF;
      way(w, SEL_TSS_A);
      go();
    }
  for (u32 w = 0; w < 2; w++) {
    begin("%s with TF set", ways[w]);
    in_eflags = 2 | TF;
    way(w, SEL_TSS_A);
    at32(TSS_A)[8] = LANDING;
    code(w ? ASM("lcall *(%ebx)") : ASM("ljmp *(%ebx)"));
    go();
    begin("%s clears local breakpoints", ways[w]);
    in_dr[0] = 0x1234, in_dr7 = 0x3ff;
    way(w, SEL_TSS_A);
    go();
    begin("%s sets TS", ways[w]);
    at32(TSS_A)[8] = CODE + 0x20;
    way(w, SEL_TSS_A);
    copy(CODE + 0x20, "\xd9\xd0\x0f\x0b", 4);
    go();
    begin("%s to itself by IRET", ways[w]);
    in_eflags = 2 | NT;
    *at16(TSS_MAIN) = SEL_TSS;
    code(ASM("iret"));
    go();
  }
}


void tests(void) {
  watch("main", TSS_MAIN, 0x68);
  watch("a", TSS_A, 0x68);
  watch("b", TSS_B, 0x68);
  watch("c", TSS_C, 0x2c);
  watch("d", TSS_D, 0x2c);
  prepare = prepare_tasks;
  switches();
  rings();
  nested();
  tss_error_cases();
  image_error_cases();
  error_codes();
  debug();
}
